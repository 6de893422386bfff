"""A principal in brief is what its grants, its hops and its patterns come to when written out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.graph import WEAKNESS
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.brief import Brief, Hop
from modelreach.policy.engine import Grant
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Credential,
    Facts,
    Gap,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
)
from organisations import plan, whole
from organisations.corner import OTHER, OWN, Json, bucket, table

Row = tuple[str, str, str]


def _rows(grants: Iterator[Grant] | tuple[Grant, ...]) -> set[Row]:
    return {(grant.resource, str(grant.capability), str(grant.verdict)) for grant in grants}


def _hops(brief: Brief) -> Iterator[Hop]:
    yield from brief.hops
    yield from brief.common
    for hop in brief.aimed:
        if hop.target.split("#")[0] != brief.itself:
            yield hop


def _compare(made: Snapshot, names: list[str]) -> tuple[int, int]:
    """Compare brief and written out; give how many hops and grants there were."""
    quick, slow = AwsEngine(Facts(made)), AwsEngine(Facts(made))
    hops = rows = 0
    for name in names:
        brief = quick.brief(name)
        surest: dict[tuple[str, bool], int] = {}
        for pivot in slow.pivots(name):
            key = (pivot.target, pivot.kind == "administer")
            weakness = WEAKNESS[pivot.strength]
            surest[key] = min(weakness, surest.get(key, weakness))
        told: dict[tuple[str, bool], int] = {}
        for hop in _hops(brief):
            if hop.target != name:
                key = (hop.target, hop.administers)
                told[key] = min(WEAKNESS[hop.strength], told.get(key, 9))
        assert told == surest, (name, set(told.items()) ^ set(surest.items()))
        held = _rows(brief.alone) | {
            (resource, str(capability), str(verdict))
            for one in brief.holdings
            for capability, verdict in one.answer
            for resource in one.ids
        }
        assert held == _rows(slow.grants(name)), name
        account = name.split(":")[4]
        assert brief.patterns == len(slow.unlisted(slow.permissions(name), account)), name
        hops, rows = hops + len(surest), rows + len(held)
    return hops, rows


def _everybody(made: Snapshot) -> list[str]:
    names = sorted(p.id for p in made.principals if p.kind != "group")
    roles = [name for name in names if ":role/" in name]
    return names + [f"{name}#any-policy" for name in roles[:2]] + [f"{roles[0]}#no-boundary"]


@pytest.mark.parametrize("seed", [1])
def test_a_made_up_organisation(seed: int) -> None:
    made = whole(plan(principals=45, resources=200, accounts=3, seed=seed))
    hops, rows = _compare(made, _everybody(made))
    assert hops > 100
    assert rows > 300


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_made_up_organisations(seed: int) -> None:
    made = whole(plan(principals=300, accounts=6, seed=seed))
    _compare(made, _everybody(made))


# --- whatever the policies ---------------------------------------------------------------------

ROLES = [
    *(f"arn:aws:iam::{OWN}:role/{name}" for name in ("asker", "other", "run/one", "run/two")),
    f"arn:aws:iam::{OWN}:role/aws-reserved/sso.amazonaws.com/three",
    f"arn:aws:iam::{OWN}:role/aws-service-role/lambda.amazonaws.com/four",
    f"arn:aws:iam::{OTHER}:role/run/one",
    f"arn:aws:iam::{OTHER}:role/five",
]
USERS = [f"arn:aws:iam::{OWN}:user/{name}" for name in ("ann", "bob")]
FUNCTIONS = [f"arn:aws:lambda:eu-west-1:{OWN}:function:f-{n}" for n in range(4)]
INSTANCE = f"arn:aws:ec2:eu-west-1:{OWN}:instance/i-1"

ACTIONS = [
    *("*", "iam:*", "iam:PassRole", "iam:Attach*", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole"),
    *("iam:CreateAccessKey", "iam:Delete*", "iam:*ServiceSpecificCredential", "lambda:*"),
    *("lambda:UpdateFunctionCode", "lambda:InvokeFunction", "ssm:*", "ec2:*", "s3:*"),
    *("s3:GetObject", "dynamodb:*", "bedrock:*"),
]
PATTERNS = [
    *(
        "*",
        "arn:aws:iam::*:role/*",
        f"arn:aws:iam::{OWN}:role/run/*",
        "arn:aws:iam::*:role/run/o*",
    ),
    *(f"arn:aws:iam::{OWN}:role/${{aws:PrincipalTag/team}}", f"arn:aws:iam::{OTHER}:*"),
    *(f"arn:aws:lambda:*:{OWN}:function:f-1", f"arn:aws:lambda:*:{OWN}:function:f-*"),
    *(ROLES[0], ROLES[2], USERS[0], f"{FUNCTIONS[2]}*", INSTANCE, f"arn:aws:iam::{OWN}:user/*"),
    *("arn:aws:s3:::data-1*", "arn:aws:s3:::*/logs/*", f"arn:aws:dynamodb:*:{OWN}:table/data-*"),
]
CONDITIONS: list[Json] = [
    *({}, {}, {}),
    {"StringEquals": {"aws:ResourceTag/team": "blue"}},
    {"StringEquals": {"ssm:resourceTag/team": "blue"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"StringNotEquals": {"aws:ResourceAccount": OWN}},
    {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a*"}},
]
TRUSTED: list[Any] = [
    *({"Service": "lambda.amazonaws.com"}, {"Service": "ec2.amazonaws.com"}),
    *("*", {"AWS": f"arn:aws:iam::{OWN}:root"}, {"AWS": f"arn:aws:iam::{OTHER}:root"}),
    *({"AWS": ROLES[0]}, {"AWS": [ROLES[1], USERS[0]]}),
]


ANYTHING: Json = {"Principal": "*", "Action": "*", "Resource": "*"}


@st.composite
def _statement(draw: st.DrawFn) -> Json:
    made: Json = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))}
    key = draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))
    made[key] = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3))
    key = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    made[key] = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))
    condition = draw(st.sampled_from(CONDITIONS))
    return {**made, "Condition": condition} if condition else made


@st.composite
def _trust(draw: st.DrawFn) -> Json:
    made: Json = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))}
    made |= {"Action": "sts:AssumeRole", "Principal": draw(st.sampled_from(TRUSTED))}
    condition = draw(st.sampled_from(CONDITIONS))
    return {**made, "Condition": condition} if condition else made


_TAGS = st.sampled_from([{}, {"team": "blue"}, {"Team": "red"}, {"team": "run/one"}])


@st.composite
def crowds(draw: st.DrawFn) -> Snapshot:
    """Give an estate in which several principals may be told apart, or not."""
    pool = draw(st.lists(_statement(), min_size=2, max_size=5))
    documents: dict[str, msgspec.Raw] = {}
    attached: list[Attachment] = []

    def attach(target: str, kind: Any, statements: list[Json]) -> None:
        document = {"Version": "2012-10-17", "Statement": statements}
        raw = json.dumps(document).encode()
        documents[document_id(raw)] = msgspec.Raw(raw)
        policy = f"arn:aws:iam::{OWN}:policy/p-{len(attached)}" if draw(st.booleans()) else ""
        attached.append(
            Attachment(
                target=target,
                kind=kind,
                document=document_id(raw),
                name=f"{kind} policy",
                policy=policy if kind == "identity" else "",
            )
        )

    drawn = draw(st.lists(st.lists(st.sampled_from(pool), min_size=1, max_size=2), min_size=3))
    some = st.sampled_from(drawn[:3])
    principals: list[Principal] = []
    for name in (*ROLES, *USERS):
        role = ":role/" in name
        account = name.split(":")[4]
        principals.append(
            Principal(
                id=name,
                provider="aws",
                kind="role" if role else "user",
                scope=account,
                name=name.rsplit("/", 1)[-1],
                tags=draw(_TAGS),
                attributes={"instance_profiles": ("x",)} if draw(st.booleans()) else {},
            )
        )
        for _ in range(draw(st.integers(0, 2))):
            attach(name, "identity", draw(some))
        if role:
            attach(name, "trust", [draw(_trust()) for _ in range(draw(st.integers(1, 2)))])
        if draw(st.integers(0, 4)) == 0:
            attach(name, "boundary", draw(some))
    for target in ("r-root", OWN):
        if draw(st.integers(0, 2)) == 0:
            attach(target, "scp", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
            attach(target, "scp", draw(some))
    for target in (OWN, OTHER):
        if draw(st.integers(0, 2)) == 0:
            attach(target, "rcp", [{**ANYTHING, "Effect": "Allow"}])
            condition = draw(st.sampled_from(CONDITIONS[3:]))
            attach(target, "rcp", [{**ANYTHING, "Effect": "Deny", "Condition": condition}])
    resources = [bucket("data-1"), bucket("data-2"), table("data-1"), table("data-2", OTHER)]
    runtimes: list[Runtime] = []
    for name in (*FUNCTIONS, INSTANCE):
        kind = "lambda:function" if ":function:" in name else "ec2:instance"
        more: Json = {"region": "eu-west-1", "tags": draw(_TAGS)}
        resources.append(Resource(id=name, provider="aws", kind=kind, scope=OWN, **more))
        runs_as = (draw(st.sampled_from(ROLES[:4])),)
        runtimes.append(
            Runtime(id=name, provider="aws", kind=kind, scope=OWN, identities=runs_as, **more)
        )
        if draw(st.integers(0, 3)) == 0:
            policy = {**draw(_trust()), "Action": "lambda:*", "Resource": name}
            attach(name, "resource", [policy])
    gaps = [
        Gap(provider="aws", scope=OWN, kind=kind, reason="denied", subject=subject)
        for kind, subject in (
            ("trust", ROLES[2]),
            ("identity-policy", ROLES[1]),
            ("tags", FUNCTIONS[0]),
        )
        if draw(st.integers(0, 6)) == 0
    ]
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=(
            Scope(id="r-root", provider="aws", kind="root"),
            *(
                Scope(id=one, provider="aws", kind="account", parent="r-root")
                for one in (OWN, OTHER)
            ),
        ),
        principals=tuple(principals),
        credentials=tuple(
            Credential(
                id=f"AKIA{place}", provider="aws", kind="access-key", principal=user, scope=OWN
            )
            for place, user in enumerate(USERS)
            if draw(st.booleans())
        ),
        resources=tuple(resources),
        runtimes=tuple(runtimes),
        attachments=tuple(attached),
        gaps=tuple(gaps),
        documents=documents,
    )


@settings(max_examples=15)
@given(made=crowds())
def test_whatever_the_policies(made: Snapshot) -> None:
    _compare(made, _everybody(made))


@pytest.mark.soak
@settings(max_examples=3000)
@given(made=crowds())
def test_whatever_the_policies_at_length(made: Snapshot) -> None:
    _compare(made, _everybody(made))


def test_a_limit_that_asks_who_calls_parts_roles_with_the_same_policies() -> None:
    """A resource control policy of the other account stops one of two equal roles."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    like = {"ArnLike": {"aws:PrincipalArn": ROLES[0]}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    said: list[tuple[str, Any, Json]] = [
        (ROLES[0], "identity", everything),
        (ROLES[1], "identity", everything),
        (ROLES[7], "trust", {**trust, "Principal": {"AWS": f"arn:aws:iam::{OWN}:root"}}),
        (OTHER, "rcp", {**everything, "Principal": "*"}),
        (OTHER, "rcp", {**ANYTHING, "Effect": "Deny", "Condition": like}),
    ]
    raws = [json.dumps({"Version": "2012-10-17", "Statement": [one]}).encode() for *_, one in said]
    made = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=tuple(Scope(id=one, provider="aws", kind="account") for one in (OWN, OTHER)),
        principals=tuple(
            Principal(id=name, provider="aws", kind="role", scope=name.split(":")[4])
            for name in (ROLES[0], ROLES[1], ROLES[7])
        ),
        attachments=tuple(
            Attachment(target=target, kind=kind, document=document_id(raw), name=kind)
            for (target, kind, _), raw in zip(said, raws, strict=True)
        ),
        documents={document_id(raw): msgspec.Raw(raw) for raw in raws},
    )
    for names in ([ROLES[0], ROLES[1]], [ROLES[1], ROLES[0]]):
        _compare(made, names)


def test_a_key_whose_policy_asks_who_calls_parts_roles_with_the_same_policies() -> None:
    """The bucket says nothing, and the policy of its key lets one of two equal roles read."""
    key = f"arn:aws:kms:eu-west-1:{OWN}:key/one"
    root = {"AWS": f"arn:aws:iam::{OWN}:root"}
    like = {"ArnLike": {"aws:PrincipalArn": ROLES[0]}}
    identity = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    opens = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": root}
    said: list[tuple[str, Any, Json]] = [
        (ROLES[0], "identity", identity),
        (ROLES[1], "identity", identity),
        (key, "resource", {**opens, "Condition": like}),
    ]
    raws = [json.dumps({"Version": "2012-10-17", "Statement": [one]}).encode() for *_, one in said]
    made = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=(Scope(id=OWN, provider="aws", kind="account"),),
        principals=tuple(
            Principal(id=name, provider="aws", kind="role", scope=OWN) for name in ROLES[:2]
        ),
        resources=(
            Resource(id=key, provider="aws", kind="kms:key", scope=OWN, region="eu-west-1"),
            bucket("data-1", attributes={"kms_key": key}),
            bucket("data-2"),
        ),
        attachments=tuple(
            Attachment(target=target, kind=kind, document=document_id(raw), name=kind)
            for (target, kind, _), raw in zip(said, raws, strict=True)
        ),
        documents={document_id(raw): msgspec.Raw(raw) for raw in raws},
    )
    for names in (ROLES[:2], ROLES[1::-1]):
        _compare(made, names)
