"""Excess is reach minus needs minus observed use, and what nobody watched is not unused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from modelreach.deployment import Need, of_principal
from modelreach.judge.finding import Finding
from modelreach.judge.policy import JudgePolicy
from modelreach.judge.use import Seen, observed
from modelreach.pipeline import GateOptions, diff_report, radius_report
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.snapshot import (
    Attachment,
    Principal,
    Resource,
    Scope,
    Snapshot,
    Usage,
    document_bytes,
    document_id,
    documents_of,
)

ACCOUNT = "111122223333"
ROLE = "arn:aws:iam::111122223333:role/agent"
START = "2025-10-01T00:00:00Z"


def use(service: str, action: str = "", last: str = "never", start: str = START) -> Usage:
    return Usage(
        principal=ROLE, service=service, action=action, last_used=last, window_start=start
    )


def seen(action: str, *facts: Usage) -> Seen:
    return observed({ROLE: facts})[ROLE].seen(action)


def test_tracked_and_used() -> None:
    assert seen("s3:GetObject", use("s3", "s3:GetObject", "2026-01-01T00:00:00Z")) is Seen.USED


def test_tracked_and_never_used() -> None:
    assert seen("s3:getobject", use("s3", "s3:GetObject")) is Seen.UNUSED


def test_not_tracked_is_not_unused() -> None:
    facts = use("s3", last="2026-01-01T00:00:00Z"), use("s3", "s3:GetObject")
    assert seen("s3:PutObject", *facts) is Seen.UNTRACKED
    assert seen("sqs:SendMessage", *facts) is Seen.UNTRACKED


def test_service_never_used_means_none_of_its_actions() -> None:
    assert seen("kms:Decrypt", use("kms")) is Seen.UNUSED


def test_use_before_the_window_is_not_observed_use() -> None:
    assert seen("s3:GetObject", use("s3", "s3:GetObject", "2025-01-01T00:00:00Z")) is Seen.UNUSED


def test_a_time_that_is_not_known_may_be_any() -> None:
    assert seen("s3:GetObject", use("s3", "s3:GetObject", "")) is Seen.USED


def test_window_is_that_of_all() -> None:
    later = use("sqs", start="2026-02-01T00:00:00Z")
    assert observed({ROLE: (use("s3"), later)})[ROLE].window_start == "2026-02-01T00:00:00Z"


def estate(*usage: Usage) -> Snapshot:
    allow = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": "arn:aws:s3:::data/*",
    }
    raw = document_bytes({"Version": "2012-10-17", "Statement": [allow]})
    digest = document_id(raw)
    common: dict[str, Any] = {"provider": "aws", "scope": ACCOUNT}
    return Snapshot(
        schema="modelreach.snapshot/1",
        taken_at="2026-11-24T00:00:00Z",
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(Principal(id=ROLE, kind="role", name="agent", **common),),
        resources=(Resource(id="arn:aws:s3:::data", kind="s3:bucket", name="data", **common),),
        attachments=(Attachment(target=ROLE, kind="identity", document=digest, name="own"),),
        usage=usage,
        documents=documents_of({digest: raw}),
    )


def evaluated(snapshot: Snapshot, *needed: str) -> Side:
    deployment = of_principal(ROLE, "aws")
    if needed:
        need = Need(identity="principal", actions=needed, resources=("arn:aws:s3:::data/*",))
        spec = msgspec.structs.replace(deployment.spec, needs=(need,))
        deployment = msgspec.structs.replace(deployment, spec=spec)
    return evaluate(Release(deployment, snapshot), JudgePolicy(), Estates())


def excess(snapshot: Snapshot, *needed: str) -> list[Finding]:
    found = evaluated(snapshot, *needed).findings
    return [finding for finding in found if finding.rule == "MR201"]


USED = (
    use("s3", last="2026-01-01T00:00:00Z"),
    use("s3", "s3:GetObject", "2026-01-01T00:00:00Z"),
    use("s3", "s3:PutObject"),
)


def test_without_needs_and_without_observation_nothing_is_said() -> None:
    assert excess(estate()) == []


def test_without_needs_only_what_was_watched_and_not_used() -> None:
    (finding,) = excess(estate(*USED))
    assert finding.message.startswith("`"), "two identities may hold the same too much"
    assert "`: `s3:PutObject` on" in finding.message
    assert "DeleteObject" not in finding.message, "its use was not tracked"
    assert "not seen in use since 2025-10-01" in finding.evidence


def test_with_needs_what_nobody_watched_is_told_apart() -> None:
    (finding,) = excess(estate(*USED), "s3:GetObject")
    assert "1 of them not seen in use since 2025-10-01" in finding.evidence
    assert "the use of 1 of them was not tracked" in finding.evidence


def test_use_that_was_observed_is_no_excess() -> None:
    used = (*USED[:2], use("s3", "s3:PutObject", "2026-02-01T00:00:00Z"))
    assert excess(estate(*used)) == []


def test_declared_needs_are_no_excess_though_unused() -> None:
    assert excess(estate(*USED), "s3:GetObject", "s3:PutObject", "s3:DeleteObject") == []


def test_the_fix_takes_away_all_that_the_finding_is_about() -> None:
    (finding,) = excess(estate(), "s3:ListBucket")
    assert "use not tracked" in finding.evidence
    all_of_it = "`s3:DeleteObject`, `s3:GetObject`, `s3:PutObject`"
    assert f": {all_of_it} on `data` go beyond" in finding.message
    assert finding.fix.startswith(f"take {all_of_it} on `arn:aws:s3:::data` out of statement 1")


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("used", "before", "state"),
    [
        ((), (), "new"),
        ((), ("s3:GetObject",), "unchanged"),
        ((), ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"), "new"),
        ((use("s3"),), (), "unchanged"),
    ],
    ids=["nothing said before", "the same said", "declared as needed", "seen to be unused"],
)
def test_excess_is_new_where_it_was_none(
    listed: bool, used: tuple[Usage, ...], before: tuple[str, ...], state: str
) -> None:
    """Whatever lists the resource: the statement is what it was, and only the needs changed."""
    snapshot = estate(*used)
    if not listed:
        snapshot = msgspec.structs.replace(snapshot, resources=())
    asked = ("s3:GetObject",) if before or not used else ()
    old, new = evaluated(snapshot, *before), evaluated(snapshot, *asked)
    report = diff_report(old, new, GateOptions())
    found = [row.state for row in report.findings if row.rule == "MR201"]
    assert found == [state]


def test_a_policy_that_aws_manages_has_to_make_room() -> None:
    made = estate()
    policy = "arn:aws-cn:iam::aws:policy/AmazonS3FullAccess"
    (attachment,) = made.attachments
    theirs = msgspec.structs.replace(attachment, policy=policy, name="AmazonS3FullAccess")
    (finding,) = excess(msgspec.structs.replace(made, attachments=(theirs,)), "s3:ListBucket")
    assert finding.fix == (
        "put a policy of your own without `s3:DeleteObject`, `s3:GetObject`, `s3:PutObject` on "
        "`arn:aws:s3:::data` in the place of the AWS managed policy `AmazonS3FullAccess` on "
        f"`{ROLE}`"
    )


def test_a_finding_on_a_pattern_is_no_finding_on_what_else_is_written_so() -> None:
    """`*` means keys in one statement, and instances in another."""
    allow = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "ec2:DescribeInstances"],
        "Resource": "*",
    }
    raw = document_bytes({"Version": "2012-10-17", "Statement": [allow]})
    made = estate()
    (attachment,) = made.attachments
    other = msgspec.structs.replace(attachment, document=document_id(raw))
    documents = documents_of({document_id(raw): raw})
    made = msgspec.structs.replace(made, attachments=(other,), documents=documents)
    side = evaluated(made)
    (finding,) = side.findings
    assert finding.message == "`agent` can read any key; each decrypts what it protects"
    told = {row.resource_kind: row.findings for row in radius_report(side, GateOptions()).grants}
    assert told == {"kms:key": ("F01",), "ec2:*": ()}
    moved = diff_report(evaluated(estate()), side, GateOptions()).changes
    gained = {row.resource_kind: row.findings for row in moved if row.kind == "gained"}
    assert gained == {"kms:key": ("F01",), "ec2:*": ()}
