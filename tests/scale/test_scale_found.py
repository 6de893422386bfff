"""Wrong answers that laws over drawn estates have found, each in a small estate that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.graph import WEAKNESS
from modelreach.model import Strength, Verdict
from modelreach.policy.aws import grants
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.escalation import Need
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.needs import Aim, Questions
from modelreach.policy.aws.slices import Slices
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Coverage,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
)
from modelreach.store import StoredSnapshot, write
from organisations.corner import OTHER, OWN, Json, bucket, table

Said = tuple[str, Any, Json]
ONE, TWO = (f"arn:aws:iam::{OWN}:role/{name}" for name in ("one", "two"))
ABROAD = f"arn:aws:iam::{OTHER}:role/abroad"
APART = "arn:aws-us-gov:iam::333333333333:role/apart"
EVERYTHING: Json = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ASSUME: Json = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def _allow(action: str, resource: str | list[str], **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _somebody(name: str, **more: Any) -> Principal:
    kind = name.split(":", 5)[5].partition("/")[0]
    account, last = name.split(":")[4], name.rsplit("/", 1)[-1]
    return Principal(id=name, provider="aws", kind=kind, scope=account, name=last, **more)


def _estate(said: Iterable[Said], *facts: Any) -> Snapshot:
    """Give an estate of these facts and of the statements that are attached to something."""
    sections: dict[type, list[Any]] = {Principal: [], Resource: [], Runtime: [], ManagedPolicy: []}
    sections[Coverage] = []
    for fact in facts:
        sections[type(fact)].append(fact)
    documents: dict[str, msgspec.Raw] = {}
    attached: list[Attachment] = []
    for target, kind, statement in said:
        written = statement if kind == "grant" else {"Statement": [statement]}
        raw = json.dumps(written).encode()
        documents[document_id(raw)] = msgspec.Raw(raw)
        attached.append(Attachment(target=target, kind=kind, document=document_id(raw), name=kind))
    accounts = {fact.scope for fact in facts if hasattr(fact, "scope")}
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=tuple(Scope(id=one, provider="aws", kind="account") for one in sorted(accounts)),
        principals=tuple(sections[Principal]),
        resources=tuple(sections[Resource]),
        runtimes=tuple(sections[Runtime]),
        managed_policies=tuple(sections[ManagedPolicy]),
        coverage=tuple(sections[Coverage]),
        attachments=tuple(attached),
        documents=documents,
    )


def _hops(engine: AwsEngine, name: str) -> dict[str, Strength]:
    """Give whom somebody becomes, each as surely as it can; in brief it is the same."""
    found: dict[str, Strength] = {}
    for pivot in sorted(engine.pivots(name), key=lambda p: -WEAKNESS[p.strength]):
        found[pivot.target] = pivot.strength
    told: dict[str, Strength] = {}
    for hop in sorted(engine.outline(name).every, key=lambda h: -WEAKNESS[h.strength]):
        told[hop.target] = hop.strength
    assert told == found
    return found


def _held(engine: AwsEngine, name: str) -> dict[str, set[str]]:
    """Give the verdicts of what somebody holds by resource; in brief it is the same."""
    found: dict[str, set[str]] = {}
    for grant in engine.grants(name):
        found.setdefault(grant.resource, set()).add(f"{grant.capability} {grant.verdict}")
    told: dict[str, set[str]] = {}
    brief = engine.brief(name)
    for grant in brief.alone:
        told.setdefault(grant.resource, set()).add(f"{grant.capability} {grant.verdict}")
    for one in brief.holdings:
        for resource in one.ids:
            rows = (f"{capability} {verdict}" for capability, verdict in one.answer)
            told.setdefault(resource, set()).update(rows)
    assert told == found
    return found


# --- whom a trust lets in ----------------------------------------------------------------------


def test_whom_a_role_trusts_may_do_nothing_else_to_it() -> None:
    trust = {"Effect": "Allow", "Action": "*", "Principal": "*"}
    made = _estate([(TWO, "trust", trust)], _somebody(ONE), _somebody(TWO))
    engine = AwsEngine(Facts(made))
    assert engine.decide(ONE, "sts:AssumeRole", TWO).verdict is Verdict.ALLOW
    assert engine.decide(ONE, "iam:AttachRolePolicy", TWO).verdict is Verdict.DENY


def test_a_trust_that_was_not_read_gives_nothing_but_the_role() -> None:
    gap = Gap(provider="aws", scope=OWN, kind="trust", reason="denied", subject=TWO)
    made = _estate([], _somebody(ONE), _somebody(TWO))
    engine = AwsEngine(Facts(msgspec.structs.replace(made, gaps=(gap,))))
    assert engine.decide(ONE, "sts:AssumeRole", TWO).verdict is Verdict.UNKNOWN
    assert engine.decide(ONE, "iam:PassRole", TWO).verdict is Verdict.DENY


def test_a_trust_alone_gives_a_pod_the_role_that_it_is_given() -> None:
    """Within an account, a trust that names a role needs no policy of that role's."""
    external = {"StringEquals": {"sts:ExternalId": "main/shop/bot"}}
    association = Runtime(
        id=f"arn:aws:eks:eu-west-1:{OWN}:podidentityassociation/main/a-1",
        provider="aws",
        kind="eks:pod-identity-association",
        scope=OWN,
        identities=(TWO,),
        attributes={"role": ONE, "external_id": "main/shop/bot"},
    )
    said = (TWO, "trust", {**ASSUME, "Principal": {"AWS": ONE}, "Condition": external})
    made = _estate([said], _somebody(ONE), _somebody(TWO), association)
    assert _hops(AwsEngine(Facts(made)), ONE) == {TWO: Strength.CERTAIN}


# --- partitions --------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["*", {"AWS": APART}, {"AWS": "333333333333"}])
def test_nobody_reaches_into_another_partition(named: Any) -> None:
    said: list[Said] = [
        (APART, "identity", EVERYTHING),
        (TWO, "trust", {**ASSUME, "Principal": named}),
        (bucket("data").id, "resource", {**EVERYTHING, "Principal": named}),
    ]
    engine = AwsEngine(Facts(_estate(said, _somebody(APART), _somebody(TWO), bucket("data"))))
    assert set(_hops(engine, APART)) == {"333333333333"}
    assert _held(engine, APART) == {}


def test_an_account_that_is_named_by_its_number_is_one_of_the_same_partition() -> None:
    name, away = "arn:aws-us-gov:s3:::data", f"arn:aws-us-gov:iam::{OTHER}:role/away"
    data = msgspec.structs.replace(bucket("data", "333333333333"), id=name)
    reads = _allow("s3:GetObject", f"{name}/*")
    said: list[Said] = [
        (name, "resource", {**reads, "Principal": {"AWS": OTHER}}),
        (away, "identity", reads),
    ]
    engine = AwsEngine(Facts(_estate(said, _somebody(APART), _somebody(away), data)))
    assert _held(engine, away) == {name: {"read allow"}}


def test_things_of_several_partitions_are_told_apart() -> None:
    """What trusts or lets in the same one, with the same words, in two partitions."""
    away = "arn:aws-us-gov:iam::222222222222:role/away"
    gov = msgspec.structs.replace(bucket("data", OTHER), id="arn:aws-us-gov:s3:::data")
    said: list[Said] = [(ONE, "identity", _allow("*", "*"))]
    said += [(name, "trust", {**ASSUME, "Principal": {"AWS": ONE}}) for name in (away, ABROAD)]
    for name in (gov.id, bucket("data").id):
        said.append((name, "resource", {**EVERYTHING, "Principal": "*"}))
    facts = (_somebody(ONE), _somebody(away), _somebody(ABROAD), gov, bucket("data", OTHER))
    engine = AwsEngine(Facts(_estate(said, *facts)))
    assert _hops(engine, ONE) == {OWN: Strength.CERTAIN, ABROAD: Strength.CERTAIN}
    assert set(_held(engine, ONE)) == {bucket("data").id}


# --- what a resource says ----------------------------------------------------------------------


def test_a_grant_on_a_key_that_others_are_let_in_to_is_found() -> None:
    """A key's grant needs no policy of the grantee's, whoever else the key's policy names."""
    key = f"arn:aws:kms:eu-west-1:{OTHER}:key/one"
    via = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    grant = {"GranteePrincipal": ONE, "Operations": ["Decrypt"], "GrantId": "g-1"}
    said: list[Said] = [
        (key, "resource", _allow("kms:*", "*", Principal="*", Condition=via)),
        (key, "grant", grant),
    ]
    listed = Resource(id=key, provider="aws", kind="kms:key", scope=OTHER, region="eu-west-1")
    engine = AwsEngine(Facts(_estate(said, _somebody(ONE), _somebody(TWO), listed)))
    assert _held(engine, ONE) == {key: {"read allow"}}
    assert _held(engine, TWO) == {}


def test_a_bucket_that_only_an_access_control_list_opens_is_found() -> None:
    data = bucket("data")
    reads = _allow("s3:GetObject", f"{data.id}/*")
    said: list[Said] = [
        (data.id, "acl", {**reads, "Principal": {"AWS": ABROAD}}),
        (ABROAD, "identity", reads),
    ]
    engine = AwsEngine(Facts(_estate(said, _somebody(ABROAD), data)))
    assert _held(engine, ABROAD) == {data.id: {"read allow"}}


def test_the_policy_of_a_runtime_that_is_no_resource_lets_in() -> None:
    """An endpoint of an AgentCore runtime has a policy of its own."""
    endpoint = Runtime(
        id=f"arn:aws:bedrock-agentcore:eu-west-1:{OWN}:runtime/r/runtime-endpoint/e",
        provider="aws",
        kind="bedrock-agentcore:runtime-endpoint",
        scope=OWN,
        region="eu-west-1",
        identities=(TWO,),
    )
    invoke = "bedrock-agentcore:InvokeAgentRuntime"
    said = (endpoint.id, "resource", _allow(invoke, endpoint.id, Principal={"AWS": ONE}))
    made = _estate([said], _somebody(ONE), _somebody(TWO), endpoint)
    assert _hops(AwsEngine(Facts(made)), ONE) == {TWO: Strength.INFLUENCE}


@pytest.mark.parametrize("order", [1, -1])
def test_what_a_bucket_says_of_parts_to_one_is_not_said_to_another(order: int) -> None:
    """Of two with the same policies, one may write what ends on `/one`, if it asks from a
    network."""
    data = bucket("data")
    said: list[Said] = [
        (data.id, "resource", _allow("s3:GetObject", "arn:*:*:*:*:*/all", Principal="*")),
        (
            data.id,
            "resource",
            _allow(
                "s3:PutObject",
                "arn:*:*:*:*:*/one",
                Principal={"AWS": ONE},
                Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}},
            ),
        ),
    ]
    engine = AwsEngine(Facts(_estate(said, _somebody(ONE), _somebody(TWO), data)))
    found = {name: _held(engine, name) for name in [ONE, TWO][::order]}
    assert found == {
        ONE: {data.id: {"read allow", "write conditional"}},
        TWO: {data.id: {"read allow"}},
    }


def test_runtimes_whose_policies_ask_about_their_tags_are_told_apart_by_them() -> None:
    """Two functions with the same policy, of which only one has the tag that it asks about."""
    stem = f"arn:aws:lambda:eu-west-1:{OWN}:function:"
    blue = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    mine = _allow("lambda:InvokeFunction", "*")
    said: list[Said] = [(ONE, "identity", mine)]
    facts: list[Any] = [_somebody(ONE)]
    for name, tags in (("f-1", {}), ("f-2", {"team": "blue"})):
        own = _allow("lambda:UpdateFunctionCode", stem + name, Principal="*", Condition=blue)
        more: Json = {"id": stem + name, "provider": "aws", "kind": "lambda:function"}
        more |= {"scope": OWN, "region": "eu-west-1", "tags": tags}
        runs_as = _somebody(f"arn:aws:iam::{OWN}:role/{name}")
        said.append((stem + name, "resource", own))
        facts += [Resource(**more), Runtime(**more, identities=(runs_as.id,)), runs_as]
    engine = AwsEngine(Facts(_estate(said, *facts)))
    assert _hops(engine, ONE) == {f"arn:aws:iam::{OWN}:role/f-2": Strength.CERTAIN}


def test_what_a_service_may_do_for_one_account_is_not_what_it_may_do_for_another() -> None:
    """Both ask with the same slices, as they are kept for all accounts."""
    function = f"arn:aws:lambda:eu-west-1:{OWN}:function:f"
    mine = {"StringEquals": {"aws:SourceAccount": OWN}}
    service = {"Service": "bedrock.amazonaws.com"}
    invoke = "lambda:InvokeFunction"
    said = (function, "resource", _allow(invoke, function, Principal=service, Condition=mine))
    listed = Resource(id=function, provider="aws", kind="lambda:function", scope=OWN)
    estate = Estate(Facts(_estate([said], _somebody(ONE), _somebody(ABROAD), listed)))
    need, slices = Need(action=invoke, on="linked", by="bedrock.amazonaws.com"), Slices()
    found = [
        Questions(Asker.of(estate, name, {}), slices).answer(need, Aim(linked=function))
        for name in (ONE, ABROAD)
    ]
    assert found[0] is not None and found[1] is None


# --- what somebody is --------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_a_boundary_of_which_nothing_is_known_is_none_that_allows_nothing(order: int) -> None:
    bounded = _somebody(TWO, attributes={"boundary": f"arn:aws:iam::{OWN}:policy/unread"})
    said: list[Said] = [
        (ONE, "identity", _allow("dynamodb:Query", "*")),
        (TWO, "identity", _allow("dynamodb:Query", "*")),
        (ONE, "boundary", _allow("dynamodb:*", table("other").id)),
    ]
    engine = AwsEngine(Facts(_estate(said, _somebody(ONE), bounded, table("data"))))
    found = {name: _held(engine, name) for name in [ONE, TWO][::order]}
    assert found == {ONE: {}, TWO: {table("data").id: {"read allow"}}}


def test_a_session_is_known_by_its_name_before_its_policy_was_read(tmp_path: Path) -> None:
    """An answer that is kept in a store tells of it, and nothing else has been read of it."""
    association = Runtime(
        id=f"arn:aws:eks:eu-west-1:{OWN}:podidentityassociation/main/a-1",
        provider="aws",
        kind="eks:pod-identity-association",
        scope=OWN,
        identities=(TWO,),
    )
    away = Runtime(id="away", provider="aws", kind="eks:pod-identity-association", scope=OTHER)
    said: list[Said] = [
        (TWO, "identity", _allow("s3:*", "*")),
        (association.id, "session", _allow("s3:GetObject", "*")),
        (away.id, "session", _allow("s3:PutObject", "*")),
    ]
    made = _estate(said, _somebody(TWO), _somebody(ABROAD), association, away, bucket("data"))
    digests = [one.document for one in made.attachments if one.kind == "session"]
    path = tmp_path / "estate.mrdb"
    digest = write(path, made).digest
    for session, held in zip(digests, ("read allow", "write allow"), strict=True):
        engine = AwsEngine(StoredSnapshot.open(path, digest).facts)
        assert engine.principal(f"{TWO}#session={session}") is not None
        assert _held(engine, f"{TWO}#session={session}") == {bucket("data").id: {held}}
    engine = AwsEngine(StoredSnapshot.open(path, digest).facts)
    assert engine.principal(f"{TWO}#session=sha256:none") is None


def test_who_has_joined_a_group_is_asked_about_other_versions_of_its_own_policies() -> None:
    """Of the group's there is nobody to be found: it would be another version, and a member."""
    user, group = f"arn:aws:iam::{OWN}:user/ann", f"arn:aws:iam::{OWN}:group/readers"
    policy = f"arn:aws:iam::{OWN}:policy/p"
    said: list[Said] = [
        (user, "identity", _allow("iam:AddUserToGroup", "*")),
        (group, "identity", _allow("iam:SetDefaultPolicyVersion", "*")),
    ]
    made = _estate(said, _somebody(user), _somebody(group))
    own, shared = (a.document for a in made.attachments)
    versions = {"v1": shared, "v2": own}
    managed = ManagedPolicy(
        id=policy, provider="aws", scope=OWN, default_version="v1", versions=versions
    )
    attached = (made.attachments[0], msgspec.structs.replace(made.attachments[1], policy=policy))
    made = msgspec.structs.replace(made, attachments=attached, managed_policies=(managed,))
    engine = AwsEngine(Facts(made))
    assert _hops(engine, user) == {f"{user}#group=readers": Strength.CERTAIN}
    assert _hops(engine, f"{user}#group=readers") == {}


@pytest.mark.parametrize("name", ["${open", "${aws:username}", "data-${*}"])
def test_what_is_no_policy_variable_leaves_a_pattern_closed(name: str) -> None:
    """A policy without a version has no variables, and what is not closed is none. What was not
    read of a bucket that the pattern does not mean is nothing to those whose policy has it."""
    said: list[Said] = [
        (ONE, "identity", _allow("s3:GetObject", f"arn:aws:s3:::{name}")),
        (ONE, "boundary", EVERYTHING),
    ]
    thing = bucket("data-1")
    gap = Gap(provider="aws", scope=OWN, kind="resource-policy", reason="denied", subject=thing.id)
    made = msgspec.structs.replace(_estate(said, _somebody(ONE), thing), gaps=(gap,))
    assert grants.one_by_one(Asker.of(Estate(Facts(made)), ONE, {})) == ()
    assert _held(AwsEngine(Facts(made)), ONE) == {}
