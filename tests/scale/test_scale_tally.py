"""What is counted bundle by bundle is what the whole permission set comes to, written out."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.policy.aws import tally
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.counted import Counter
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.held import held
from modelreach.policy.aws.tally import Tally
from modelreach.policy.aws.unlisted import unlisted
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Coverage,
    Facts,
    Principal,
    Scope,
    Snapshot,
    document_id,
)
from organisations.corner import OTHER, OWN, Json, bucket, table
from organisations.crowd import crowds
from organisations.wild import wild

SEEDS = st.integers(0, 1_000_000_000)

ACTIONS = [
    *("s3:GetObject", "s3:Get*", "s3:*", "s3:PutObject", "dynamodb:*", "dynamodb:GetItem"),
    *("sqs:SendMessage", "sns:Publish", "logs:*", "s3:get?bject", "new:Thing"),
    *("s3:List*", "dynamodb:Put*", "sns:*", "sqs:*"),
]
PATTERNS = [
    *("*", "arn:aws:s3:::a-*", "arn:aws:s3:::a-b-*", "arn:aws:s3:::a-b-*/*", "arn:aws:s3:::a-?-*"),
    *("arn:aws:s3:::${aws:PrincipalTag/team}-*", f"arn:aws:dynamodb:*:{OWN}:table/a-*"),
    *(f"arn:aws:dynamodb:*:{OTHER}:table/a-*", "arn:aws:dynamodb:*:*:table/*", "arn:aws:s*"),
]
CONDITIONS: list[Json] = [
    *({}, {}, {}),
    *({"Bool": {"aws:MultiFactorAuthPresent": told}} for told in ("true", "false")),
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/1*"}},
    {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
]
ALLOWED: Json = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _statement(rng: Random, *, level: bool, denied: float = 0.2) -> Json:
    deny = rng.random() < denied
    made: Json = {"Effect": "Deny" if deny else "Allow"}
    key = "NotAction" if rng.random() < (0.3 if deny else 0.03) else "Action"
    made[key] = rng.choices(ACTIONS, k=2)
    if deny and level:
        made["Resource"] = "*"
    else:
        key = "NotResource" if rng.random() < 0.1 else "Resource"
        made[key] = rng.choices(PATTERNS, k=rng.choice((1, 1, 2)))
    condition = rng.choice(CONDITIONS)
    return {**made, "Condition": condition} if condition else made


def _otherwise(said: Json, rng: Random) -> Json:
    made = {name: value for name, value in said.items() if name != "Condition"}
    if rng.random() < 0.5 and "Resource" in said and said["Effect"] == "Allow":
        made["Resource"] = rng.choice(PATTERNS)
        return made
    condition = rng.choice(CONDITIONS)
    return {**made, "Condition": condition} if condition else made


def _estate(rng: Random, roles: int = 30) -> Snapshot:
    """Give two accounts of roles whose statements lie within each other, or not."""
    documents: dict[str, msgspec.Raw] = {}
    attached: list[Attachment] = []

    def attach(target: str, kind: Any, statements: list[Json]) -> None:
        raw = json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
        documents[document_id(raw)] = msgspec.Raw(raw)
        name = f"{kind}-{len(attached)}"
        attached.append(Attachment(target=target, kind=kind, document=document_id(raw), name=name))

    level = rng.random() < 0.7
    pool = [_statement(rng, level=level) for _ in range(8)]
    # The same of something else, and the same where something else holds.
    pool += [_otherwise(one, rng) for one in pool]
    principals: list[Principal] = []
    for number in range(roles):
        account = rng.choice((OWN, OTHER))
        name = f"arn:aws:iam::{account}:role/{number}"
        tags = rng.choice(({}, {"team": "blue"}, {"team": "a"}))
        principals.append(
            Principal(id=name, provider="aws", kind="role", scope=account, tags=tags)
        )
        for _ in range(rng.choice((1, 1, 2))):
            attach(name, "identity", rng.sample(pool, rng.choice((1, 2, 3))))
        if rng.random() < 0.1:
            attach(name, "boundary", [ALLOWED, _statement(rng, level=True, denied=1)])
    for target in ("r-root", OWN, OTHER):
        if rng.random() < 0.5:
            said = [_statement(rng, level=level, denied=1) for _ in range(rng.choice((1, 2)))]
            attach(target, "scp", [ALLOWED, *said])
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
        resources=(bucket("a-b-1"), table("a-1"), table("a-2", OTHER)),
        attachments=tuple(attached),
        coverage=tuple(
            Coverage(provider="aws", scope=OWN, kind=kind)
            for kind in ("s3:bucket", "dynamodb:table")
        ),
        documents=documents,
    )


def _compare(made: Snapshot) -> int:
    """Hold what one tally says of everybody against what is written out for each; give how much
    that is."""
    estate = Estate(Facts(made))
    counting, found = Tally(estate), 0
    for principal in made.principals:
        asker = Asker.of(estate, principal.id, {})
        told = len(unlisted(held(asker), asker.principal.scope, estate))
        assert counting.count(asker) == told, principal.id
        found += told
    return found


@settings(max_examples=6)
@given(seed=SEEDS)
def test_statements_that_lie_within_each_other(seed: int) -> None:
    _compare(_estate(Random(seed)))


@pytest.mark.soak
@settings(max_examples=10_000)
@given(seed=SEEDS)
def test_statements_that_lie_within_each_other_at_length(seed: int) -> None:
    _compare(_estate(Random(seed)))


@settings(max_examples=2)
@given(made=crowds())
def test_a_crowd(made: Snapshot) -> None:
    _compare(made)


@settings(max_examples=6)
@given(seed=SEEDS)
def test_a_wild_estate(seed: int) -> None:
    _compare(wild(Random(seed)))


@settings(max_examples=2)
@given(seed=SEEDS)
def test_what_is_kept_is_let_go_of(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "_MOST", 3)
        _compare(_estate(Random(seed)))


def test_too_much_for_the_algebra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then all statements together are counted, as where it is written out."""
    monkeypatch.setattr(tally, "MAX_BOXES", 0)
    asked: list[Any] = []
    count = Counter.count

    def counted(self: Counter, *given: Any) -> int:
        asked.append(given)
        return count(self, *given)

    monkeypatch.setattr(Counter, "count", counted)
    assert _compare(_estate(Random(1), roles=5)) > 0
    assert asked
