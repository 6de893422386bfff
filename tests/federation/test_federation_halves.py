"""Halves of ways between accounts, and entries of clusters for who is not there, as findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach import deployment
from modelreach.judge.finding import Finding
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Coverage,
    Gap,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    canonical,
    document_id,
)
from modelreach.store import StoredSnapshot, write

NOW = "2026-11-25T00:00:00Z"
HERE, THERE = "111122223333", "444455556666"
AGENT, ROOT = f"arn:aws:iam::{HERE}:role/agent", f"arn:aws:iam::{HERE}:root"
EKS = f"arn:aws:eks:eu-west-1:{HERE}:cluster/prod"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
POD = "k8s/prod/system:serviceaccount:ml:app"
Json = dict[str, Any]


def there(name: str = "worker") -> str:
    return f"arn:aws:iam::{THERE}:role/{name}"


def may(*resources: str, effect: str = "Allow", action: str = "sts:AssumeRole") -> Json:
    return {"Effect": effect, "Action": action, "Resource": list(resources), "Sid": "Hop"}


def trusts(who: str, **more: Any) -> Json:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": who}, **more}


class Two:
    """Two accounts, in the first of which an agent runs."""

    def __init__(self) -> None:
        self.sections: dict[str, list[Any]] = {}
        self.documents: dict[str, msgspec.Raw] = {}
        for account in (HERE, THERE):
            self.add("scopes", Scope(id=account, provider="aws", kind="account"))
            self.add(
                "coverage",
                Coverage(provider="aws", scope=account, kind="principals", complete=True),
            )
        self.role(AGENT)

    def add(self, section: str, fact: Any) -> None:
        self.sections.setdefault(section, []).append(fact)

    def role(self, name: str, *trust: Json) -> str:
        fact = Principal(
            id=name,
            provider="aws",
            kind="role",
            scope=name.split(":")[4],
            name=name.rsplit("/", 1)[-1],
        )
        self.add("principals", fact)
        if trust:
            self.put(name, "trust", *trust)
        return name

    def put(self, name: str, kind: Any, *said: Json) -> None:
        raw = json.dumps({"Version": "2012-10-17", "Statement": list(said)}).encode()
        self.documents[document_id(raw)] = msgspec.Raw(raw)
        made = Attachment(target=name, kind=kind, document=document_id(raw), name=f"its {kind}")
        self.add("attachments", made)

    def without(self, section: str, **fields: Any) -> None:
        """Take away the facts with these fields."""
        self.sections[section] = [
            fact
            for fact in self.sections[section]
            if any(getattr(fact, name) != value for name, value in fields.items())
        ]

    def snapshot(self) -> Snapshot:
        sections: dict[str, Any] = {name: tuple(found) for name, found in self.sections.items()}
        made = Snapshot(schema=SCHEMA, taken_at=NOW, documents=self.documents, **sections)
        return canonical(made)

    def side(self, start: str = AGENT, provider: str = "aws") -> Side:
        release = Release(deployment.of_principal(start, provider), self.snapshot())
        return evaluate(release, JudgePolicy(), Estates())

    def found(self, start: str = AGENT, provider: str = "aws") -> list[Finding]:
        return [one for one in self.side(start, provider).findings if one.rule == "MR401"]


@pytest.fixture
def two() -> Two:
    """Two accounts that have nothing to do with each other yet."""
    return Two()


# --- across accounts -------------------------------------------------------------------------


def test_both_halves_are_no_finding(two: Two) -> None:
    two.role(there(), trusts(AGENT))
    two.put(AGENT, "identity", may(there()))
    assert there() in two.side().radius.identities
    assert not two.found()


def test_a_policy_names_a_role_that_does_not_let_it_in(two: Two) -> None:
    two.role(there(), trusts(f"arn:aws:iam::{THERE}:root"))
    two.put(AGENT, "identity", may(there()))
    (one,) = two.found()
    assert (one.subject, one.identity, str(one.severity)) == (AGENT, AGENT, "low")
    assert one.message == (
        f"permission is left: `agent` may assume `{there()}` by its policies, "
        "but that does not let `agent` in"
    )
    assert one.fix == (
        f"take `{there()}` out of statement `Hop` of identity policy `its identity` on "
        f"`{AGENT}`, or let `agent` in by the trust of `{there()}`"
    )
    assert [ref.target for ref in one.granted_by] == [AGENT]


def test_a_policy_names_a_role_that_is_not_there(two: Two) -> None:
    two.put(AGENT, "identity", may(there("gone")))
    (one,) = two.found()
    assert "there is no such role" in one.message
    assert "or let" not in one.fix
    assert one.evidence == (
        "whoever may make a role of this name there has the other half",
        f"named is a role of account {THERE}",
    )


def test_what_one_statement_names_is_told_once(two: Two) -> None:
    two.put(AGENT, "identity", may(*(there(f"gone-{n}") for n in range(5))))
    two.role(there(), trusts(f"arn:aws:iam::{THERE}:root"))
    two.put(AGENT, "identity", may(there()))
    gone, kept_out = sorted(two.found(), key=lambda one: "no such" not in one.message)
    assert f"`{there('gone-2')}` and 2 more by its policies" in gone.message
    assert there("gone-4") in gone.key
    assert "that does not let `agent` in" in kept_out.message


def test_of_what_was_not_read_nothing_is_said(two: Two) -> None:
    two.put(AGENT, "identity", may(there("gone"), there()))
    two.role(there())
    two.add(
        "gaps", Gap(provider="aws", scope=THERE, kind="trust", reason="denied", subject=there())
    )
    assert [one.key for one in two.found()] == [f"policy absent - {there('gone')}"]
    two.without("coverage", scope=THERE)
    assert not two.found()


@pytest.mark.parametrize(
    "resource", ["*", f"arn:aws:iam::{THERE}:role/*", f"arn:aws:iam::{HERE}:role/gone"]
)
def test_only_a_role_of_another_account_that_is_named_in_full_is_told(
    two: Two, resource: str
) -> None:
    two.role(there(), trusts(f"arn:aws:iam::{THERE}:root"))
    two.put(AGENT, "identity", may(resource))
    assert not two.found()


def test_a_limit_above_it_is_no_half(two: Two) -> None:
    two.role(there(), trusts(AGENT))
    two.put(AGENT, "identity", may(there()))
    deny = {**may("*", effect="Deny"), "Principal": "*"}
    two.put(THERE, "rcp", {**may("*", action="*"), "Principal": "*"}, deny)
    assert not two.found()


def test_a_role_lets_in_one_whose_policies_do_not_let_it(two: Two) -> None:
    two.role(there(), trusts(AGENT))
    (one,) = two.found()
    assert (one.subject, one.identity, str(one.severity)) == (there(), AGENT, "medium")
    assert one.fix == (
        f"take `agent` out of statement 1 of trust policy `its trust` on `{there()}`, "
        f"or let it assume `{there()}` by its policies"
    )
    assert one.path is not None
    assert [str(hop.strength) for hop in one.path.pivots] == ["conditional"]
    assert [ref.target for ref in one.granted_by] == [there()]


def test_a_trust_in_all_of_an_account_is_no_half(two: Two) -> None:
    two.role(there(), trusts(ROOT))
    assert not two.found()


def test_what_is_denied_on_purpose_is_no_half(two: Two) -> None:
    two.role(there(), trusts(AGENT))
    two.put(AGENT, "identity", may(there(), effect="Deny"))
    assert not two.found()


def test_a_trust_that_asks_for_what_it_does_not_have_lets_nobody_in(two: Two) -> None:
    ask = {"StringEquals": {"aws:PrincipalAccount": THERE}}
    two.role(there(), trusts(AGENT, Condition=ask))
    assert not two.found()


def test_what_is_reached_otherwise_is_no_half(two: Two) -> None:
    two.role(there(), trusts(AGENT), trusts(f"arn:aws:iam::{HERE}:role/helper"))
    two.role(f"arn:aws:iam::{HERE}:role/helper", trusts(AGENT))
    two.put(f"arn:aws:iam::{HERE}:role/helper", "identity", may(there()))
    assert there() in two.side().radius.identities
    assert not two.found()


def test_whoever_is_taken_over_with_its_account_shows_nothing_new(two: Two) -> None:
    other = two.role(f"arn:aws:iam::{HERE}:role/other")
    two.role(there(), trusts(other))
    assert len(two.found(other)) == 1
    two.put(AGENT, "identity", may("*", action="*"))
    assert other in two.side().radius.identities
    assert not two.found()


# --- clusters --------------------------------------------------------------------------------


def _cluster(two: Two, *, mapped: str = "", entry: str = "", mode: str = "") -> None:
    attributes: Json = {"issuer": f"https://{ISSUER}"}
    place: Json = {"provider": "kubernetes"}
    two.add("scopes", Scope(id="k8s/prod", kind="cluster", attributes=attributes, **place))
    for name in (POD, POD.replace("app", "web")):
        two.add(
            "principals", Principal(id=name, kind="service-account", scope="k8s/prod/ml", **place)
        )
    two.add(
        "resources",
        Resource(
            id="k8s/prod/kube-system/configmaps/aws-auth",
            kind="kubernetes:configmaps",
            scope="k8s/prod/kube-system",
            attributes={"access_entries": (mapped,)} if mapped else {},
            **place,
        ),
    )
    about: Json = {"oidc_issuer": ISSUER, "authentication": mode or "API_AND_CONFIG_MAP"}
    if entry:
        about["access_entries"] = (entry,)
    two.add(
        "runtimes",
        Runtime(id=EKS, provider="aws", kind="eks:cluster", scope=HERE, attributes=about),
    )


GONE = f"arn:aws:iam::{HERE}:role/gone"


def test_a_config_map_lets_in_by_a_name_that_anybody_may_take(two: Two) -> None:
    _cluster(two, mapped=f"{GONE}|ops|system:masters")
    (one,) = two.found(POD, "kubernetes")
    assert (one.subject, one.identity, str(one.severity)) == (EKS, POD, "medium")
    assert one.message == (
        f"config map is left: `prod` lets `{GONE}` in, but there is no such principal"
    )
    assert one.evidence == (
        "whoever may make one of this name enters the cluster",
        "its config map aws-auth: user `ops`; groups system:masters",
    )
    assert one.fix == f"take `{GONE}` out of `mapRoles` or `mapUsers` of aws-auth"


def test_an_access_entry_is_bound_to_the_role_that_it_was_made_for(two: Two) -> None:
    _cluster(two, entry=f"{GONE}|ops|readers")
    (one,) = two.found(POD, "kubernetes")
    assert str(one.severity) == "low"
    assert one.evidence[0] == "one that is made anew under this name does not enter by it"
    assert one.fix.endswith("out of the cluster's access entries")


def test_a_config_map_leaves_paths_out(two: Two) -> None:
    two.role(f"arn:aws:iam::{HERE}:role/team/there")
    _cluster(two, mapped=f"arn:aws:iam::{HERE}:role/there|ops|readers")
    assert not two.found(POD, "kubernetes")


def test_an_entry_for_somebody_of_an_account_that_was_not_read_says_nothing(two: Two) -> None:
    _cluster(two, mapped="arn:aws:iam::999900001111:role/gone|ops|readers")
    assert not two.found(POD, "kubernetes")


def test_a_config_map_that_does_not_count_says_nothing(two: Two) -> None:
    _cluster(two, mapped=f"{GONE}|ops|system:masters", mode="API")
    assert not two.found(POD, "kubernetes")


def test_an_access_entry_comes_before_the_config_map(two: Two) -> None:
    _cluster(two, mapped=f"{GONE}|ops|system:masters", entry=f"{GONE}|ops|readers")
    assert [one.message.split(" is left")[0] for one in two.found(POD, "kubernetes")] == [
        "access entry"
    ]


# --- kept ------------------------------------------------------------------------------------


def _again(path: Path, two: Two) -> list[str]:
    digest = write(path, two.snapshot()).digest
    stored = StoredSnapshot.open(path, digest).as_snapshot()
    release = Release(deployment.of_principal(AGENT, "aws"), stored)
    estates = Estates(keeping=True)
    side = evaluate(release, JudgePolicy(), estates)
    estates.keep()
    assert side.findings == two.side().findings
    return [one.key for one in side.findings if one.rule == "MR401"]


def test_what_was_kept_of_it_falls_with_any_change(two: Two, tmp_path: Path) -> None:
    path = tmp_path / "estate.mrdb"
    two.put(AGENT, "identity", may(there()))
    absent = [f"policy absent - {there()}"]
    found = [f"{side} listed - arn:aws:iam::{THERE}:role" for side in ("policy", "trust")]
    assert _again(path, two) == absent
    assert _again(path, two) == absent
    two.role(there(), trusts(f"arn:aws:iam::{THERE}:root"))
    assert _again(path, two) == found[:1]
    two.role(there("second"), trusts(AGENT))
    two.role(there("third"), trusts(AGENT))
    assert sorted(_again(path, two)) == [*found, f"{found[1]} 2"]
    two.without("attachments", target=there("third"))
    assert sorted(_again(path, two)) == found
    two.without("principals", id=there())
    assert sorted(_again(path, two)) == [*absent, found[1]]
    two.put(HERE, "scp", may("*", action="*"))
    assert sorted(_again(path, two)) == [*absent, found[1]]
