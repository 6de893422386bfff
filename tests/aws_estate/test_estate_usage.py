"""What was used, what was not, and what nobody knows."""

from __future__ import annotations

from typing import Any

ACCOUNT = "111122223333"
OTHER = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/runs"
CREATED = "2026-06-01T00:00:00Z"


def test_use_by_service_and_action(whole: Any) -> None:
    found = {(u.service, u.action): u for u in whole.snapshot.usage if u.principal == ROLE}
    assert found["s3", ""].last_used == "2026-11-01T00:00:00Z"
    assert found["s3", "s3:GetObject"].last_used == "2026-11-01T00:00:00Z"
    assert found["sqs", "sqs:SendMessage"].last_used == "never"
    assert found["kms", ""].last_used == "never"
    assert ("kms", "kms:Decrypt") not in found, "not tracked is not unused"
    assert {u.window_start for (s, _), u in found.items() if s != "dynamodb"} == {CREATED}


def test_window_is_that_of_the_tracking_for_an_old_role(
    collecting: Any, one_of_everything: Any
) -> None:
    estate = one_of_everything()
    details = estate["iam", "GetAccountAuthorizationDetails"]
    for entry in details["RoleDetailList"]:
        entry["CreateDate"] = "2019-01-01T00:00:00Z"
    snapshot = collecting({ACCOUNT: estate}).snapshot
    starts = {u.window_start for u in snapshot.usage if u.principal == ROLE and u.service == "s3"}
    assert starts == {"2025-10-19T00:00:01Z"}, "400 days before the report"


def test_findings_of_access_analyzer_fill_in(whole: Any) -> None:
    found = [u for u in whole.snapshot.usage if u.service == "dynamodb"]
    assert [(u.principal, u.action, u.last_used) for u in found] == [
        (ROLE, "dynamodb:DeleteTable", "never")
    ]
    assert found[0].window_start == "2026-08-25T00:00:00Z", "90 days before the analysis"
    kms = [u for u in whole.snapshot.usage if u.principal == ROLE and u.service == "kms"]
    assert len(kms) == 1, "IAM's own report wins"


def test_only_roles_of_runtimes_are_asked_about(whole: Any) -> None:
    asked = {
        p["Arn"] for _, operation, p in whole.parameters if operation.startswith("GenerateService")
    }
    assert ROLE in asked
    assert not [arn for arn in asked if arn.endswith("/some-pods")]
    findings = [p["id"] for _, operation, p in whole.parameters if operation == "GetFindingV2"]
    assert findings == ["f1"]


def test_a_refused_report_is_a_gap_at_its_role(
    collecting: Any, one_of_everything: Any, refused: Any
) -> None:
    estate = one_of_everything()
    estate["iam", "GetServiceLastAccessedDetails"] = refused("AccessDenied", "not you")
    snapshot = collecting({ACCOUNT: estate}).snapshot
    gaps = {g.subject: g for g in snapshot.gaps}
    assert gaps[ROLE].kind == "usage"
    assert gaps[ROLE].permission == "iam:GetServiceLastAccessedDetails"
    assert not [u for u in snapshot.usage if u.service == "s3"]
    assert not [c for c in snapshot.coverage if c.kind == "usage" and not c.region and c.complete]


def test_a_failed_report_is_a_gap(collecting: Any, one_of_everything: Any) -> None:
    estate = one_of_everything()
    estate["iam", "GetServiceLastAccessedDetails"] = {
        "JobStatus": "FAILED",
        "Error": {"Code": "X", "Message": "it broke"},
    }
    snapshot = collecting({ACCOUNT: estate}).snapshot
    assert {g.message for g in snapshot.gaps if g.kind == "usage"} == {"it broke"}


def test_one_account_refused_others_collected(
    collecting: Any, one_of_everything: Any, refused: Any
) -> None:
    closed = {("sts", "GetCallerIdentity"): refused("AccessDenied", "no entry")}
    roles = tuple(f"arn:aws:iam::{account}:role/reader" for account in (OTHER, "777788889999"))
    estate = {ACCOUNT: one_of_everything(), OTHER: closed, "777788889999": {}}
    snapshot = collecting(estate, assume_roles=roles).snapshot
    gaps = {(g.scope, g.operation) for g in snapshot.gaps}
    assert gaps == {(OTHER, "sts:AssumeRole")}
    collected = {c.scope for c in snapshot.coverage if c.kind == "credentials"}
    assert collected == {ACCOUNT, "777788889999"}
