"""What single resources do to an estate: those that are alone, those that share a document, those
that say what something has and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.snapshot import SCHEMA, Attachment, Principal, Scope, Snapshot, document_id

Json = dict[str, Any]
ACCOUNT = "123456789012"
_IAM = f"arn:aws:iam::{ACCOUNT}"
_EMPTY = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def base(planned: Any, apply: Any) -> Snapshot:
    """Two roles with a managed and an inline policy each, and a function."""
    scope = Scope(id=ACCOUNT, provider="aws", kind="account")
    empty = Snapshot(schema=SCHEMA, taken_at="2026-11-01T00:00:00Z", scopes=(scope,))
    plan = planned("aws", region="eu-west-1")
    for name in ("p", "q"):
        plan.change(f"aws_iam_policy.{name}", "create", after={"name": name, "policy": _EMPTY})
    for name in ("a", "b"):
        role = {"name": name, "path": "/", "assume_role_policy": _EMPTY}
        plan.change(f"aws_iam_role.{name}", "create", after=role)
        held = {"role": name, "policy_arn": f"{_IAM}:policy/p"}
        plan.change(f"aws_iam_role_policy_attachment.{name}", "create", after=held)
        inline = {"role": name, "name": "own", "policy": _EMPTY}
        plan.change(f"aws_iam_role_policy.{name}", "create", after=inline)
    function = {"function_name": "f", "role": f"{_IAM}:role/a"}
    plan.change("aws_lambda_function.f", "create", after=function)
    made: Snapshot = apply(plan, empty)
    return made


def _held(snapshot: Snapshot, managed: bool = True) -> set[tuple[str, str]]:
    return {
        (one.target.rpartition("/")[2], one.name)
        for one in snapshot.attachments
        if one.kind == "identity" and bool(one.policy) is managed
    }


def test_the_base(base: Snapshot) -> None:
    assert _held(base) == {("a", "p"), ("b", "p")}
    assert _held(base, managed=False) == {("a", "own"), ("b", "own")}


def test_an_attachment_of_a_policy_is_all_who_have_it(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    after = {"name": "x", "policy_arn": f"{_IAM}:policy/p", "roles": ["b"], "users": None}
    made = apply(planned("aws").change("aws_iam_policy_attachment.x", "create", after=after), base)
    assert _held(made) == {("b", "p")}


def test_what_is_exclusive_takes_away_what_it_does_not_list(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    plan = planned("aws")
    managed = {"role_name": "a", "policy_arns": [f"{_IAM}:policy/q"]}
    plan.change("aws_iam_role_policy_attachments_exclusive.a", "create", after=managed)
    inline = {"role_name": "b", "policy_names": []}
    plan.change("aws_iam_role_policies_exclusive.b", "create", after=inline)
    made = apply(plan, base)
    assert _held(made) == {("a", "q"), ("b", "p")}
    assert _held(made, managed=False) == {("a", "own")}


def test_lists_within_a_role_count_only_where_they_are_written(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    """Providers fill them in with what they found: the plan may take it away elsewhere."""
    role = {"name": "a", "path": "/", "assume_role_policy": _EMPTY}
    found = {**role, "managed_policy_arns": [f"{_IAM}:policy/p"], "description": "new"}
    plan = planned("aws").change("aws_iam_role.a", "update", before=role, after=found)
    plan.resources[-1]["expressions"].pop("managed_policy_arns")
    held = {"role": "a", "policy_arn": f"{_IAM}:policy/p"}
    plan.change("aws_iam_role_policy_attachment.a", "delete", before=held)
    assert _held(apply(plan, base)) == {("b", "p")}
    written = planned("aws").change("aws_iam_role.a", "update", before=role, after=found)
    written.changes[-1]["change"]["after"]["managed_policy_arns"] = [f"{_IAM}:policy/q"]
    assert _held(apply(written, base)) == {("a", "q"), ("b", "p")}


def test_a_new_version_of_a_policy_applies_wherever_it_is_attached(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    written = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    before = {"name": "p", "arn": f"{_IAM}:policy/p", "policy": _EMPTY}
    plan = planned("aws").change(
        "aws_iam_policy.p", "update", before=before, after={**before, "policy": written}
    )
    made = apply(plan, base)
    found = {one.document for one in made.attachments if one.policy}
    assert [json.loads(bytes(made.documents[one])) for one in found] == [json.loads(written)]
    addresses = {one.address for one in made.origins if one.part == "p" and one.action == "update"}
    assert addresses == {"aws_iam_policy.p"}


def test_a_permission_is_one_statement_of_several(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    def permission(sid: str, principal: str) -> Json:
        return {
            "statement_id": sid,
            "function_name": "f",
            "action": "lambda:InvokeFunction",
            "principal": principal,
        }

    plan = planned("aws", region="eu-west-1")
    one, other = permission("one", "s3.amazonaws.com"), permission("other", f"{_IAM}:role/b")
    plan.change("aws_lambda_permission.one", "create", after=one)
    plan.change("aws_lambda_permission.other", "create", after=other)
    both = apply(plan, base)
    less = apply(
        planned("aws", region="eu-west-1").change(
            "aws_lambda_permission.one", "delete", before=one
        ),
        both,
    )
    none = apply(
        planned("aws", region="eu-west-1").change(
            "aws_lambda_permission.other", "delete", before=other
        ),
        less,
    )

    def sids(snapshot: Snapshot) -> list[str]:
        found = [one for one in snapshot.attachments if one.kind == "resource"]
        documents = [json.loads(bytes(snapshot.documents[one.document])) for one in found]
        return [statement["Sid"] for one in documents for statement in one["Statement"]]

    assert (sids(both), sids(less), sids(none)) == (["one", "other"], ["other"], [])


def test_a_function_pulls_the_image_that_it_is_made_from(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    image = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/f:1"
    function = {
        "function_name": "f",
        "role": f"{_IAM}:role/a",
        "package_type": "Image",
        "image_uri": image,
    }
    plan = planned("aws", region="eu-west-1")
    plan.change("aws_lambda_function.f", "update", before=function, after=function)
    (made,) = apply(plan, base).runtimes
    assert [(one.kind, one.target) for one in made.links] == [("pulls", image)]
    assert made.attributes["package"] == "Image"


def test_what_goes_takes_along_what_is_about_it(base: Snapshot, planned: Any, apply: Any) -> None:
    before = {"name": "a", "path": "/", "arn": f"{_IAM}:role/a", "assume_role_policy": _EMPTY}
    made = apply(planned("aws").change("aws_iam_role.a", "delete", before=before), base)
    assert not [one for one in made.attachments if one.target == f"{_IAM}:role/a"]
    assert [one.name for one in made.principals] == ["b"]


def test_a_policy_of_the_organization_lies_where_it_is_attached(
    plans: Path, apply: Any, planned: Any
) -> None:
    """Recorded: a new policy, attached to the root."""
    made = apply(plans / "scp" / "plan.json", account=ACCOUNT)
    (scp,) = (one for one in made.attachments if one.kind == "scp")
    assert scp.target.startswith("r-")
    allow = json.dumps({"Version": "2012-10-17", "Statement": []})
    policy = {"id": scp.policy, "arn": scp.policy, "name": "renamed", "content": allow}
    plan = planned("aws").change(
        "aws_organizations_policy.no_s3", "update", before=policy, after=policy
    )
    (changed,) = (one for one in apply(plan, made).attachments if one.kind == "scp")
    assert (changed.name, changed.target) == ("renamed", scp.target)
    gone = planned("aws").change("aws_organizations_policy.no_s3", "delete", before=policy)
    assert not [one for one in apply(gone, made).attachments if one.kind == "scp"]


def test_an_account_issues_tokens_while_its_plan_says_so(
    base: Snapshot, planned: Any, apply: Any
) -> None:
    """As whom it does is known once that is applied, or where it did so before."""
    named, issuer = "aws_iam_outbound_web_identity_federation.x", "https://a.tokens.sts.example"

    def told(made: Snapshot) -> Json:
        assert not made.gaps
        (scope,) = made.scopes
        return dict(scope.attributes)

    unknown = {"issuer_identifier": True}
    on = apply(planned("aws").change(named, "create", after={}, unknown=unknown), base)
    assert told(on) == {"issues_tokens": True}
    after = {"issuer_identifier": issuer}
    again = apply(planned("aws").change(named, "update", before=after, after=after), on)
    assert told(again) == {"issues_tokens": True, "token_issuer": issuer}
    off = apply(planned("aws").change(named, "delete", before=after), again)
    assert told(off) == {"issues_tokens": False}


def test_plans_are_applied_one_after_another(
    base: Snapshot, planned: Any, apply: Any, tmp_path: Path
) -> None:
    paths = []
    for name, actions in (("first", "create"), ("second", "delete")):
        folder = tmp_path / name
        folder.mkdir()
        user = {"name": "u", "path": "/", "arn": f"{_IAM}:user/u"}
        side = {"after": user} if actions == "create" else {"before": user}
        paths.append(planned("aws").change("aws_iam_user.u", actions, **side).write(folder))
    assert apply(paths, base).principals == base.principals
    assert len(apply(paths[:1], base).principals) == len(base.principals) + 1


def test_nothing_changes_nothing(base: Snapshot, planned: Any, apply: Any) -> None:
    assert apply(planned("aws"), base) == base


def test_the_policy_of_a_registry_is_said_of_each_of_its_repositories(
    planned: Any, apply: Any, may: Any
) -> None:
    abroad = "arn:aws:iam::999999999999:role/abroad"
    pull = {"Effect": "Allow", "Principal": {"AWS": abroad}, "Action": "ecr:*", "Resource": "*"}
    written = json.dumps({"Version": "2012-10-17", "Statement": [pull]})
    accounts = (ACCOUNT, "999999999999")
    scopes = tuple(Scope(id=one, provider="aws", kind="account") for one in accounts)
    reads = json.dumps({"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]})
    estate = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-01T00:00:00Z",
        scopes=scopes,
        principals=(
            Principal(id=abroad, provider="aws", kind="role", scope=accounts[1], name="abroad"),
        ),
        attachments=(
            Attachment(target=abroad, kind="identity", document=document_id(reads.encode())),
        ),
        documents={document_id(reads.encode()): msgspec.Raw(reads.encode())},
    )
    plan = planned("aws", region="eu-west-1")
    plan.change("aws_ecr_repository.one", "create", after={"name": "one"})

    def applied(plan: Any, onto: Snapshot) -> Any:
        return apply(plan, onto, account=ACCOUNT)

    without = applied(plan, estate)
    policy = planned("aws", region="eu-west-1")
    policy.change("aws_ecr_registry_policy.all", "create", after={"policy": written})
    shared = applied(policy, without)
    more = planned("aws", region="eu-west-1")
    more.change("aws_ecr_repository.two", "create", after={"name": "two"})
    elsewhere = planned("aws", region="us-east-1")
    elsewhere.change("aws_ecr_repository.two", "create", after={"name": "two"})
    ended = planned("aws", region="eu-west-1")
    ended.change("aws_ecr_registry_policy.all", "delete", before={"policy": written})

    def pulls(snapshot: Snapshot, name: str, region: str = "eu-west-1") -> str:
        arn = f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}"
        return str(may(snapshot, abroad, "ecr:BatchGetImage", arn))

    assert pulls(without, "one") == "deny"
    assert pulls(shared, "one") == "allow"
    assert pulls(applied(more, shared), "two") == "allow", "new in the registry"
    assert pulls(applied(elsewhere, shared), "two", "us-east-1") == "deny"
    assert pulls(applied(ended, shared), "one") == "deny"
