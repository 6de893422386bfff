"""What is worked out for one principal serves others only where they would be told the same, and
is told of each in the words of its own policies."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.policy.aws import grants, shared_grants
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.estate import Estate
from modelreach.policy.engine import Grant
from modelreach.snapshot import Facts, Principal, Resource, Snapshot
from organisations.corner import OWN, Json, bucket, corner
from organisations.crowd import crowds
from organisations.wild import wild


def _role(name: str, **more: Any) -> Principal:
    arn = f"arn:aws:iam::{OWN}:role/{name}"
    return Principal(id=arn, provider="aws", kind="role", scope=OWN, name=name, **more)


def _said(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: str, resource: str, **more: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


READ = _allow("s3:GetObject", "arn:aws:s3:::data-*")


def _estate(
    roles: list[Principal],
    attached: list[tuple[str, Any, Json]],
    resources: list[Resource] | None = None,
) -> Snapshot:
    made = corner(resources or [bucket("data-1"), bucket("data-2")], [], attached)
    return replace(made, principals=(*made.principals, *roles))


def _told(made: Snapshot, names: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    """What is told of each, and of how many it was asked."""
    asked: list[str] = []
    alone = shared_grants.on_first

    def on_first(asker: Asker, name: str) -> tuple[Grant, ...]:
        asked.append(asker.name)
        return alone(asker, name)

    monkeypatch.setattr(shared_grants, "on_first", on_first)
    engine = AwsEngine(Facts(made))
    found = {name: engine.grants(name) for name in names}
    assert found == _one_by_one(made, names)
    return found, len(set(asked))


def _one_by_one(made: Snapshot, names: list[str]) -> dict[str, tuple[Grant, ...]]:
    estate = Estate(Facts(made))
    return {name: grants.one_by_one(Asker.of(estate, name, {})) for name in names}


# --- examples ---------------------------------------------------------------------------------


def test_roles_of_which_the_same_is_said_are_asked_about_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In documents of their own, beside other statements, and under any id."""
    roles = [_role(f"worker-{n}") for n in range(12)]
    attached: list[tuple[str, Any, Json]] = []
    for number, one in enumerate(roles):
        other = _allow("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{OWN}:jobs-{number}")
        said = _said(other, {**READ, "Sid": f"Read{number}"})
        attached.append((one.id, "identity", said))
    made = _estate(roles, attached)
    found, asked = _told(made, [one.id for one in roles], monkeypatch)
    assert asked == 1
    for name, held in found.items():
        assert {grant.principal for grant in held} == {name}
        refs = {ref for grant in held for ref in grant.statements}
        assert {ref.target for ref in refs} == {name}
        assert {ref.index for ref in refs} == {1}
        assert {ref.sid for ref in refs} == {f"Read{name.rsplit('-', 1)[-1]}"}


@pytest.mark.parametrize(
    "other",
    [
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::data-2"},
        {**READ, "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {**READ, "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}}},
    ],
)
def test_what_more_is_said_of_one_is_told_of_it_alone(
    other: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = [_role("one"), _role("two")]
    more = _said(other) if other["Effect"] == "Allow" else _said(READ, other)
    attached: list[tuple[str, Any, Json]] = [
        (roles[0].id, "identity", _said(READ)),
        (roles[1].id, "identity", more),
    ]
    _told(_estate(roles, attached), [one.id for one in roles], monkeypatch)


def test_what_conditions_ask_of_a_principal_tells_it_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the value of a tag, in a condition or in a pattern; tags that nothing asks about tell
    nobody apart."""
    roles = [
        _role(f"{team}-{n}", tags={"team": team, "built": str(n)})
        for team in ("blue", "red")
        for n in range(3)
    ]
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    attached: list[tuple[str, Any, Json]] = [
        (one.id, "identity", _said({**READ, "Condition": tagged})) for one in roles
    ]
    found, asked = _told(_estate(roles, attached), [one.id for one in roles], monkeypatch)
    assert asked == 2
    assert [bool(held) for held in found.values()] == [True] * 3 + [False] * 3
    attached = [
        (one.id, "identity", _said(_allow("s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}*")))
        for one in roles
    ]
    buckets = [bucket(f"{team}-data-{n}") for team in ("blue", "red") for n in range(3)]
    _told(_estate(roles, attached, buckets), [one.id for one in roles], monkeypatch)


def test_whom_a_bucket_names_is_asked_about_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is everybody where its policy asks which caller it is."""
    roles = [_role("one"), _role("two"), _role("three")]
    attached: list[tuple[str, Any, Json]] = [(one.id, "identity", _said(READ)) for one in roles]
    for stop in (
        {"Principal": {"AWS": roles[1].id}},
        {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": roles[1].id}}},
    ):
        deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::data-1/*", **stop}
        made = _estate(roles, [*attached, ("arn:aws:s3:::data-1", "resource", _said(deny))])
        found, _ = _told(made, [one.id for one in roles], monkeypatch)
        assert [len({g.resource for g in held}) for held in found.values()] == [2, 1, 2]


def test_a_boundary_that_also_grants_limits_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document may be a boundary of the one, and a boundary and a policy of the other."""
    roles = [_role("one"), _role("two")]
    wide, part = _said(_allow("s3:*", "*")), _said(_allow("s3:*", "arn:aws:s3:::*/logs/*"))
    attached: list[tuple[str, Any, Json]] = []
    for one in roles:
        attached += [(one.id, "identity", wide), (one.id, "boundary", part)]
    attached.append((roles[1].id, "identity", part))
    _told(_estate(roles, attached), [one.id for one in roles], monkeypatch)


def test_who_has_no_boundary_is_told_from_who_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = [_role("free"), _role("bound")]
    attached: list[tuple[str, Any, Json]] = [(one.id, "identity", _said(READ)) for one in roles]
    attached.append((roles[1].id, "boundary", _said(_allow("iam:*", "*"))))
    found, _ = _told(_estate(roles, attached), [one.id for one in roles], monkeypatch)
    assert [bool(held) for held in found.values()] == [True, False]


def test_a_key_is_asked_for_with_what_policies_say_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    key = f"arn:aws:kms:eu-west-1:{OWN}:key/k"
    fact = Resource(
        id=key, provider="aws", kind="kms:key", scope=OWN, region="eu-west-1", name="k"
    )
    secrets = [
        Resource(
            id=f"arn:aws:secretsmanager:eu-west-1:{OWN}:secret:{name}-abcdef",
            provider="aws",
            kind="secretsmanager:secret",
            scope=OWN,
            region="eu-west-1",
            name=name,
            attributes={"kms_key": key},
        )
        for name in ("a", "b")
    ]
    roles = [_role("with-1"), _role("without"), _role("with-2")]
    attached: list[tuple[str, Any, Json]] = [
        (one.id, "identity", _said(_allow("secretsmanager:GetSecretValue", "*"))) for one in roles
    ]
    decrypt = _said(_allow("kms:Decrypt", key))
    attached += [(one.id, "identity", decrypt) for one in roles if one.name != "without"]
    root = {"Principal": {"AWS": f"arn:aws:iam::{OWN}:root"}}
    attached.append((key, "resource", _said(_allow("kms:*", "*", **root))))
    made = _estate(roles, attached, [fact, *secrets])
    found, asked = _told(made, [one.id for one in roles], monkeypatch)
    assert asked == 2
    read = {n: {g.resource for g in held if g.kind.startswith("sec")} for n, held in found.items()}
    assert [len(one) for one in read.values()] == [2, 0, 2]
    for name, held in found.items():
        assert {ref.target for g in held for ref in g.statements} <= {name, key}


# --- laws -------------------------------------------------------------------------------------


def _alike(made: Snapshot, seed: int = 0) -> None:
    """What is told of everybody is what is told of each who is asked about alone."""
    names = sorted(p.id for p in made.principals if p.kind != "group")
    roles = [name for name in names if ":role/" in name]
    names += [f"{name}#any-policy" for name in roles[:3]] + [f"{roles[0]}#no-boundary"]
    Random(seed).shuffle(names)
    engine = AwsEngine(Facts(made))
    for name, held in _one_by_one(made, names).items():
        assert engine.grants(name) == held, name


@settings(max_examples=10)
@given(made=crowds(ruled=True))
def test_whatever_the_policies(made: Snapshot) -> None:
    _alike(made)


@pytest.mark.soak
@settings(max_examples=3000)
@given(made=crowds(ruled=True))
def test_whatever_the_policies_at_length(made: Snapshot) -> None:
    _alike(made)


@pytest.mark.soak
@settings(max_examples=3000)
@given(seed=st.integers(0, 1_000_000_000))
def test_whatever_the_estate_at_length(seed: int) -> None:
    _alike(wild(Random(seed)), seed)
