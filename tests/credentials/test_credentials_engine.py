"""Who may read a secret gains what it opens; who may not, does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach.model import Strength
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import (
    Attachment,
    Facts,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/agent"
BOT = f"arn:aws:iam::{ACCOUNT}:user/bot"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:bot-AbCdEf"
PARAMETER = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/bot"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
READ = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET}


def engine(
    *statements: dict[str, Any],
    tags: dict[str, str] | None = None,
    opens: tuple[tuple[str, str], ...] = (),
    encrypted: bool = False,
) -> AwsEngine:
    raw = document_bytes({"Version": "2012-10-17", "Statement": list(statements)})
    closed = document_bytes({"Version": "2012-10-17", "Statement": []})
    digest, nothing = document_id(raw), document_id(closed)
    common: dict[str, Any] = {"provider": "aws", "scope": ACCOUNT}
    resources = [
        Resource(
            id=SECRET,
            kind="secretsmanager:secret",
            region="eu-west-1",
            tags={"modelreach:opens": BOT} if tags is None else tags,
            attributes={"kms_key": KEY} if encrypted else {},
            **common,
        ),
        Resource(id=PARAMETER, kind="ssm:parameter", region="eu-west-1", **common),
        Resource(id=KEY, kind="kms:key", region="eu-west-1", **common),
    ]
    snapshot = Snapshot(
        schema="modelreach.snapshot/1",
        taken_at="2026-11-24T00:00:00Z",
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(
            Principal(id=ROLE, kind="role", name="agent", **common),
            Principal(id=BOT, kind="user", name="bot", **common),
        ),
        resources=tuple(resources),
        attachments=(
            Attachment(target=ROLE, kind="identity", document=digest, name="own"),
            Attachment(target=KEY, kind="resource", document=nothing, name="key policy"),
        ),
        documents=documents_of({digest: raw, nothing: closed}),
    )
    return AwsEngine(Facts(snapshot), opens=opens)


def hops(found: AwsEngine) -> list[tuple[str, str, Strength]]:
    return [(p.kind, p.target, p.strength) for p in found.pivots(ROLE) if p.kind == "credential"]


def test_reading_gains_what_the_tag_says() -> None:
    (pivot,) = [p for p in engine(READ).pivots(ROLE) if p.kind == "credential"]
    assert (pivot.target, pivot.via, pivot.strength) == (BOT, SECRET, Strength.CERTAIN)
    (support,) = pivot.support
    assert support.action == "secretsmanager:GetSecretValue"
    assert json.loads(support.statements[0].text)["Action"] == READ["Action"]


def test_describing_gains_nothing() -> None:
    assert hops(engine({**READ, "Action": "secretsmanager:DescribeSecret"})) == []


def test_denied_gains_nothing() -> None:
    assert hops(engine(READ, {**READ, "Effect": "Deny"})) == []


def test_condition_makes_the_hop_conditional() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    (hop,) = hops(engine({**READ, "Condition": condition}))
    assert hop[2] is Strength.CONDITIONAL


def test_a_key_that_may_not_be_used_closes_the_secret() -> None:
    assert hops(engine(READ, encrypted=True)) == []


def test_untagged_opens_nothing() -> None:
    assert hops(engine(READ, tags={})) == []


@pytest.mark.parametrize("glob", [SECRET, "arn:aws:secretsmanager:*:secret:bot-*", "*"])
def test_a_declared_glob_opens(glob: str) -> None:
    assert hops(engine(READ, tags={}, opens=((glob, BOT),))) == [
        ("credential", BOT, Strength.CERTAIN)
    ]


def test_a_declared_glob_that_misses_opens_nothing() -> None:
    assert hops(engine(READ, tags={}, opens=(("arn:aws:secretsmanager:*:other-*", BOT),))) == []


def test_a_parameter_can_hold_one_too() -> None:
    read = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": PARAMETER}
    assert hops(engine(read, opens=((PARAMETER, BOT),), tags={})) == [
        ("credential", BOT, Strength.CERTAIN)
    ]


def test_an_administrator_of_the_account_is_there_already() -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert hops(engine(everything)) == []
    elsewhere = "arn:aws:iam::999999999999:user/x"
    found = engine(everything, tags={"modelreach:opens": f"{BOT} {elsewhere}"})
    assert [target for _, target, _ in hops(found)] == [elsewhere]
