"""Who administers an account, and who only seems to."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Facts,
    Principal,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/agent"


def _engine(*statements: dict[str, Any], boundary: dict[str, Any] | None = None) -> AwsEngine:
    documents = {"identity": {"Version": "2012-10-17", "Statement": list(statements)}}
    if boundary is not None:
        documents["boundary"] = {"Version": "2012-10-17", "Statement": [boundary]}
    raw = {kind: document_bytes(document) for kind, document in documents.items()}
    attachments = [
        Attachment(target=ROLE, kind="identity", document=document_id(raw["identity"]), name="p")
    ]
    if boundary is not None:
        limit = document_id(raw["boundary"])
        attachments.append(Attachment(target=ROLE, kind="boundary", document=limit, name="b"))
    return AwsEngine(
        Facts(
            Snapshot(
                schema=SCHEMA,
                taken_at="2026-11-23T00:00:00Z",
                scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
                principals=(Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT),),
                attachments=tuple(attachments),
                documents=documents_of({document_id(text): text for text in raw.values()}),
            )
        )
    )


def _administers(engine: AwsEngine) -> bool:
    return any(pivot.kind == "administer" for pivot in engine.pivots(ROLE))


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_everything_on_everything_administers() -> None:
    assert _administers(_engine(allow("*")))


@pytest.mark.parametrize(
    "statements",
    [
        [allow("*", "arn:aws:s3:::reports/*")],
        [allow("*", f"arn:aws:iam::{ACCOUNT}:role/*")],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [allow("*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}],
        [allow(["s3:*", "ec2:*"])],
    ],
    ids=["on a bucket", "on roles", "power user", "iam denied", "two services"],
)
def test_less_than_everything_does_not_by_itself(statements: list[dict[str, Any]]) -> None:
    found = [p for p in _engine(*statements).pivots(ROLE) if p.kind == "administer"]
    assert not found


def test_a_boundary_takes_administration_away() -> None:
    assert not _administers(_engine(allow("*"), boundary=allow("s3:*")))
