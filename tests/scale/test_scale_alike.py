"""Principals and things that differ in one respect only get answers of their own: estates in which
that respect is no part of the asking principal's policies, asked about in both orders."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from modelreach.graph import WEAKNESS
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Facts,
    Gap,
    Link,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
)
from organisations.corner import OTHER, OWN, Json, bucket
from organisations.crowd import ANYTHING

THIRD = "333333333333"
#: The accounts of an organisation, by the unit that they are in.
UNITS = {OWN: "ou-1", OTHER: "ou-2", THIRD: "ou-2"}
Said = tuple[str, Any, list[Json]]


def _role(name: str, account: str = OWN) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def _allow(actions: str | list[str]) -> list[Json]:
    return [{"Effect": "Allow", "Action": actions, "Resource": "*"}]


def _trust(principal: Any, **more: Any) -> list[Json]:
    return [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}]


def _limit(**denied: Any) -> list[Json]:
    return [{**ANYTHING, "Effect": "Allow"}, {**ANYTHING, "Effect": "Deny", **denied}]


ONE, TWO = _role("one"), _role("two")
SAME = [ONE, TWO]
APART = [ONE, _role("one", OTHER)]
ROOT = _trust({"AWS": f"arn:aws:iam::{OWN}:root"})
LAMBDA = _trust({"Service": "lambda.amazonaws.com"})
ASSUME, PUT, PUSH = _allow("sts:AssumeRole"), _allow("s3:PutObject"), _allow("ecr:*")
PASS = _allow(["iam:PassRole", "lambda:*"])
BLUE = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
TEAM = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
MEANS_ONE = {"ArnEquals": {"aws:PrincipalArn": ONE}}


def _within(key: str) -> Json:
    return {"ForAnyValue:StringLike": {key: "o-1/r-1/ou-1/*"}}


def _made(
    said: Iterable[Said],
    blue: Iterable[str] = (),
    things: Iterable[tuple[Resource, str]] = (),
    unread: Iterable[str] = (),
) -> Snapshot:
    """Give an estate; everybody of whom something is said is in it. Each of the `things` is read
    by an endpoint, which runs as a role of the same place in the list."""
    documents: dict[str, msgspec.Raw] = {}
    attached: list[Attachment] = []
    for target, kind, statements in said:
        raw = json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
        documents[document_id(raw)] = msgspec.Raw(raw)
        attached.append(Attachment(target=target, kind=kind, document=document_id(raw), name=kind))
    resources = list(things)
    names = {one.target for one in attached if ":role/" in one.target}
    runs_as = [_role(f"run-{n}", one.scope) for n, (one, _) in enumerate(resources)]
    tags = {"team": "blue"}
    roles = [
        Principal(
            id=name,
            provider="aws",
            kind="role",
            scope=name.split(":")[4],
            name=name.rsplit("/", 1)[-1],
            tags=tags if name in blue else {},
        )
        for name in sorted({*names, *runs_as})
    ]
    runtimes = [
        Runtime(
            id=f"arn:aws:sagemaker:eu-west-1:{one.scope}:endpoint/e-{place}",
            provider="aws",
            kind="sagemaker:endpoint",
            scope=one.scope,
            region="eu-west-1",
            identities=(runs_as[place],),
            links=(Link(kind="reads" if address.startswith("s3:") else "pulls", target=address),),
        )
        for place, (one, address) in enumerate(resources)
    ]
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=(
            Scope(id="r-1", provider="aws", kind="root", parent="o-1"),
            *(
                Scope(id=unit, provider="aws", kind="ou", parent="r-1")
                for unit in ("ou-1", "ou-2")
            ),
            *(
                Scope(
                    id=account,
                    provider="aws",
                    kind="account",
                    parent=unit,
                    attributes={"organization": "o-1"},
                )
                for account, unit in UNITS.items()
            ),
        ),
        principals=tuple(roles),
        resources=tuple(
            msgspec.structs.replace(one, tags=tags) if one.id in blue else one
            for one, _ in resources
        ),
        runtimes=tuple(runtimes),
        attachments=tuple(attached),
        documents=documents,
        gaps=tuple(
            Gap(provider="aws", scope=OWN, kind="trust", reason="denied", subject=name)
            for name in unread
        ),
    )


def _of(names: Iterable[str], kind: str, statements: list[Json]) -> list[Said]:
    return [(name, kind, statements) for name in names]


def _read(name: str, account: str = OWN) -> tuple[Resource, str]:
    return bucket(name, account), f"s3://{name}/model"


def _image(name: str) -> tuple[Resource, str]:
    found = Resource(
        id=f"arn:aws:ecr:eu-west-1:{OWN}:repository/{name}",
        provider="aws",
        kind="ecr:repository",
        scope=OWN,
        region="eu-west-1",
        name=name,
    )
    return found, f"{OWN}.dkr.ecr.eu-west-1.amazonaws.com/{name}:latest"


BUCKETS = [_read("data-1"), _read("data-2")]
SPREAD = [_read("data-1"), _read("data-2", OTHER)]
DATA = BUCKETS[0][0].id
OBJECTS = {"Action": "s3:PutObject", "Resource": f"{DATA}/*"}
TARGETS = [_role("t-1"), _role("t-2"), _role("t-3")]
ABROAD = [_role("t-1", OTHER), _role("t-2", OTHER), _role("t-1", THIRD)]
RUNNING = [_role("run"), _role("other"), _role("run", OTHER), _role("other", OTHER)]
ASKS_ONE = _trust("*", Condition=MEANS_ONE)


def _limited(condition: Json, target: str = "r-1") -> list[Said]:
    return [(target, "rcp", _limit(Condition=condition))]


#: What tells, who asks, the estate, and how many hops there are in all.
CASES: list[tuple[str, list[str], Snapshot, int]] = [
    # The policy of something that a runtime is linked to.
    (
        "a bucket's policy asks who",
        SAME,
        _made(
            [
                *_of(SAME, "identity", PUT),
                (DATA, "resource", [{**ANYTHING, **OBJECTS, "Effect": "Deny", "Condition": TEAM}]),
            ],
            blue=[ONE],
            things=BUCKETS,
        ),
        3,
    ),
    (
        "a repository's policy lets one in",
        SAME,
        _made(
            [
                *_of(SAME, "identity", _allow("s3:*")),
                (
                    _image("image")[0].id,
                    "resource",
                    [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "ecr:*",
                            "Condition": MEANS_ONE,
                        }
                    ],
                ),
            ],
            things=[_image("image")],
        ),
        1,
    ),
    # Limits on what a runtime is linked to.
    (
        "a limit asks who writes",
        SAME,
        _made([*_of(SAME, "identity", PUT), *_limited(MEANS_ONE)], things=BUCKETS),
        2,
    ),
    (
        "a limit means one bucket",
        SAME,
        _made(
            [*_of(SAME, "identity", PUT), (OWN, "rcp", _limit(Resource=f"{DATA}/*"))],
            things=BUCKETS,
        ),
        2,
    ),
    (
        "a limit means blue buckets",
        SAME,
        _made([*_of(SAME, "identity", PUT), *_limited(BLUE)], blue=[DATA], things=BUCKETS),
        2,
    ),
    (
        "a limit means one repository",
        SAME,
        _made(
            [
                *_of(SAME, "identity", PUSH),
                (OWN, "rcp", _limit(Resource=_image("image")[0].id)),
            ],
            things=[_image("image"), _image("second")],
        ),
        2,
    ),
    *(
        (
            f"a limit on writing asks for {condition}",
            APART,
            _made([*_of(APART, "identity", PUT), *_limited(condition)], things=SPREAD),
            1,
        )
        for condition in (
            {"StringEquals": {"aws:PrincipalAccount": OWN}},
            {"StringEquals": {"aws:ResourceAccount": OWN}},
            _within("aws:PrincipalOrgPaths"),
            _within("aws:ResourceOrgPaths"),
        )
    ),
    # Limits on whom one may assume.
    *(
        (
            f"{name} means one of the roles {place}",
            SAME,
            _made(
                [
                    *_of(SAME, "identity", ASSUME),
                    *_of(roles, "trust", ROOT),
                    ("r-1", "rcp", limit),
                ],
                blue=roles[:1],
            ),
            4,
        )
        for place, roles in (("here", TARGETS), ("abroad", ABROAD))
        for name, limit in (
            ("a limit", _limit(Resource=roles[0])),
            ("a tag in a limit", _limit(Condition=BLUE)),
        )
    ),
    (
        "a limit means one account",
        SAME,
        _made(
            [
                *_of(SAME, "identity", ASSUME),
                *_of(ABROAD, "trust", ROOT),
                *_limited({"StringEquals": {"aws:ResourceAccount": THIRD}}),
            ]
        ),
        4,
    ),
    # Limits on as whom a service may run.
    *(
        (
            f"a limit on services says {limit}",
            APART,
            _made(
                [
                    *_of(APART, "identity", PASS),
                    *_of(RUNNING, "trust", LAMBDA),
                    ("r-1", "rcp", _limit(**limit)),
                ],
                blue=RUNNING[::3],
            ),
            hops,
        )
        for limit, hops in (
            ({"Condition": {"StringEquals": {"aws:SourceAccount": OWN}}}, 2),
            ({"Condition": {"StringEquals": {"aws:ResourceAccount": OWN}}}, 2),
            ({"Condition": _within("aws:ResourceOrgPaths")}, 2),
            ({"Condition": BLUE}, 2),
            ({"Resource": "arn:aws:iam::*:role/run"}, 2),
            ({"Resource": RUNNING[0]}, 3),
        )
    ),
    (
        "a limit on builds asks for the account",
        APART,
        _made(
            [
                *_of(APART, "identity", _allow(["iam:PassRole", "codebuild:*"])),
                *_of(RUNNING[::2], "trust", _trust({"Service": "codebuild.amazonaws.com"})),
                (
                    "r-1",
                    "rcp",
                    _limit(
                        Action="codebuild:*",
                        Condition={"StringEquals": {"aws:PrincipalAccount": OWN}},
                    ),
                ),
            ]
        ),
        1,
    ),
    # What was not read of a trust may mean anybody.
    *(
        (
            f"a trust that asks who was not read whole: {roles[0]}",
            SAME,
            _made(
                [*_of(SAME, "identity", ASSUME), *_of(roles, "trust", ASKS_ONE)],
                unread=roles[:1],
            ),
            len(roles) + 1,
        )
        for roles in (TARGETS, ABROAD)
    ),
]


def _hops(engine: AwsEngine, name: str) -> dict[tuple[str, bool], int]:
    brief, found = engine.brief(name), dict[tuple[str, bool], int]()
    aimed = (hop for hop in brief.aimed if hop.target.split("#")[0] != brief.itself)
    for hop in (*brief.hops, *brief.common, *aimed):
        if hop.target != name:
            key = (hop.target, hop.administers)
            found[key] = min(WEAKNESS[hop.strength], found.get(key, 9))
    return found


def _pivots(engine: AwsEngine, name: str) -> dict[tuple[str, bool], int]:
    found: dict[tuple[str, bool], int] = {}
    for pivot in engine.pivots(name):
        key = (pivot.target, pivot.kind == "administer")
        found[key] = min(WEAKNESS[pivot.strength], found.get(key, 9))
    return found


@pytest.mark.parametrize(
    ("names", "made", "hops"),
    [pytest.param(*rest, id=said) for said, *rest in CASES],
)
def test_what_differs_is_told_apart(names: list[str], made: Snapshot, hops: int) -> None:
    slow = {name: _pivots(AwsEngine(Facts(made)), name) for name in names}
    assert sum(map(len, slow.values())) == hops
    for order in (names, names[::-1]):
        quick = AwsEngine(Facts(made))
        assert {name: _hops(quick, name) for name in order} == slow


def test_a_tag_that_a_trust_writes_in_escapes_is_asked_for() -> None:
    said: list[Said] = [(ONE, "identity", ASSUME)]
    asks = _trust(ROOT[0]["Principal"], Condition=BLUE)
    made = _made([*said, *_of(TARGETS, "trust", asks)], blue=TARGETS[:1])
    attached = [one for one in made.attachments if one.kind == "trust"]
    written = bytes(made.documents[attached[0].document]).replace(b"Resource", b"\\u0052esource")
    again = document_id(written)
    made = msgspec.structs.replace(
        made,
        documents={**made.documents, again: msgspec.Raw(written)},
        attachments=tuple(
            msgspec.structs.replace(one, document=again) if one in attached else one
            for one in made.attachments
        ),
    )
    engine = AwsEngine(Facts(made))
    assert _hops(engine, ONE) == _pivots(engine, ONE) == {(TARGETS[0], False): 0}


def test_a_repository_has_not_the_tags_of_what_pulls_from_it() -> None:
    blue = {"StringEquals": {"ecr:ResourceTag/team": "blue"}}
    made = _made([(ONE, "identity", [{**PUSH[0], "Condition": blue}])], things=[_image("image")])
    runtimes = tuple(msgspec.structs.replace(r, tags={"team": "red"}) for r in made.runtimes)
    engine = AwsEngine(Facts(msgspec.structs.replace(made, runtimes=runtimes)))
    assert list(_pivots(engine, ONE)) == [(_role("run-0"), False)]
