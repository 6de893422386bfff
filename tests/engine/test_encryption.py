"""Reading what a customer's key protects needs the key, too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach.model import Verdict
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import (
    SCHEMA,
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
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/db-AbCdEf"
BUCKET = "arn:aws:s3:::records"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k1"
TO_ACCOUNT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def _estate(*allowed: dict[str, Any], key_policy: dict[str, Any], manager: str) -> AwsEngine:
    documents = {
        "identity": {"Version": "2012-10-17", "Statement": list(allowed)},
        "key": {"Version": "2012-10-17", "Statement": [key_policy]},
    }
    raw = {name: document_bytes(document) for name, document in documents.items()}
    ids = {name: document_id(text) for name, text in raw.items()}
    snapshot = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T00:00:00Z",
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT),),
        resources=(
            *(
                Resource(
                    id=name,
                    provider="aws",
                    kind=kind,
                    scope=ACCOUNT,
                    region="eu-west-1",
                    attributes={"kms_key": KEY},
                )
                for name, kind in ((SECRET, "secretsmanager:secret"), (BUCKET, "s3:bucket"))
            ),
            Resource(
                id=KEY,
                provider="aws",
                kind="kms:key",
                scope=ACCOUNT,
                attributes={"manager": manager},
            ),
        ),
        attachments=(
            Attachment(target=ROLE, kind="identity", document=ids["identity"], name="own"),
            Attachment(target=KEY, kind="resource", document=ids["key"], name="key policy"),
        ),
        documents=documents_of({ids[name]: raw[name] for name in raw}),
    )
    return AwsEngine(Facts(snapshot))


def _allow(*actions: str, on: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


READ = _allow("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", "s3:GetObject")


def _verdicts(engine: AwsEngine) -> dict[str, Verdict]:
    return {action: g.verdict for g in engine.grants(ROLE) for action in g.actions}


def test_without_the_key_a_secret_cannot_be_read_and_an_object_perhaps() -> None:
    found = _verdicts(_estate(READ, key_policy=TO_ACCOUNT, manager="CUSTOMER"))
    assert "secretsmanager:GetSecretValue" not in found
    assert found["secretsmanager:DescribeSecret"] is Verdict.ALLOW
    assert found["s3:GetObject"] is Verdict.CONDITIONAL


def test_with_the_key_both_can_be_read() -> None:
    found = _verdicts(
        _estate(READ, _allow("kms:Decrypt", on=KEY), key_policy=TO_ACCOUNT, manager="CUSTOMER")
    )
    assert found["secretsmanager:GetSecretValue"] is Verdict.ALLOW
    assert found["s3:GetObject"] is Verdict.ALLOW


@pytest.mark.parametrize(
    ("service", "verdict"),
    [
        ("secretsmanager.eu-west-1.amazonaws.com", Verdict.ALLOW),
        ("s3.eu-west-1.amazonaws.com", None),
    ],
)
def test_the_key_is_used_by_way_of_the_service(service: str, verdict: Verdict | None) -> None:
    via = {"StringEquals": {"kms:ViaService": service}}
    decrypt = _allow("kms:Decrypt", on=KEY, Condition=via)
    found = _verdicts(_estate(READ, decrypt, key_policy=TO_ACCOUNT, manager="CUSTOMER"))
    assert found.get("secretsmanager:GetSecretValue") is verdict


def test_a_key_that_aws_manages_asks_for_nothing() -> None:
    found = _verdicts(_estate(READ, key_policy=TO_ACCOUNT, manager="AWS"))
    assert found["secretsmanager:GetSecretValue"] is Verdict.ALLOW


def test_the_witness_names_the_statement_on_the_key() -> None:
    engine = _estate(
        READ, _allow("kms:Decrypt", on=KEY), key_policy=TO_ACCOUNT, manager="CUSTOMER"
    )
    grant = next(g for g in engine.grants(ROLE) if "secretsmanager:GetSecretValue" in g.actions)
    texts = [json.loads(ref.text) for ref in grant.statements]
    assert any(text["Action"] == ["kms:Decrypt"] for text in texts)
