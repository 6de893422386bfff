"""A second release with tools of two clouds: each new reach has the tool that opened it."""

from __future__ import annotations

from typing import Any

import yaml

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, Side, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

ACCOUNT, PROJECT = "111122223333", "projects/acme-orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/desk"
PAYER = f"arn:aws:iam::{ACCOUNT}:role/pay-exec"
PAY = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:pay"
LEDGER = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/ledger"
GUESTS = "arn:aws:s3:::acme-guests"
QUERIES = "serviceAccount:queries@acme-orders.iam.gserviceaccount.com"
READS = "roles/orders.reader"


def allow(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def estate(*, later: bool) -> Snapshot:
    """An account and a project; later the role may pay, and read about guests."""
    aws: dict[str, Any] = {"provider": "aws", "scope": ACCOUNT}
    own = [allow("s3:ListBucket", "arn:aws:s3:::acme-rooms")]
    own += [allow("lambda:InvokeFunction", PAY), allow("s3:GetObject", f"{GUESTS}/*")] * later
    policies = {ROLE: own, PAYER: [allow("dynamodb:PutItem", LEDGER)]}
    texts = {
        arn: document_bytes({"Version": "2012-10-17", "Statement": statements})
        for arn, statements in policies.items()
    }
    reads = document_bytes({"includedPermissions": ["bigquery.tables.getData"]})
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-24T06:00:00Z",
        scopes=(
            Scope(id=ACCOUNT, provider="aws", kind="account", name="acme"),
            Scope(id=PROJECT, provider="gcp", kind="project", name="acme-orders"),
        ),
        principals=(
            *(Principal(id=arn, kind="role", name=arn[-4:], **aws) for arn in policies),
            Principal(id=QUERIES, provider="gcp", kind="service-account", scope=PROJECT),
        ),
        resources=(
            Resource(id=GUESTS, kind="s3:bucket", name="acme-guests", **aws),
            Resource(id=LEDGER, kind="dynamodb:table", name="ledger", **aws),
        ),
        runtimes=(Runtime(id=PAY, kind="lambda:function", identities=(PAYER,), **aws),),
        managed_policies=(
            ManagedPolicy(
                id=READS,
                provider="gcp",
                scope=PROJECT,
                default_version="1",
                versions={"1": document_id(reads)},
            ),
        ),
        bindings=(
            Binding(id="b", provider="gcp", target=PROJECT, role=READS, members=(QUERIES,)),
        ),
        attachments=tuple(
            Attachment(target=arn, kind="identity", document=document_id(raw), name="own")
            for arn, raw in texts.items()
        ),
        documents=documents_of({document_id(raw): raw for raw in (*texts.values(), reads)}),
    )


def release(*, later: bool) -> Side:
    identities = [{"id": "aws", "cloud": "aws", "principal": ROLE}]
    tools = [{"id": "book", "kind": "http", "runsAs": "aws", "effect": "read"}]
    if later:
        identities.append({"id": "gcp", "cloud": "gcp", "principal": QUERIES})
        tools += [
            {
                "id": "refund",
                "kind": "function",
                "target": PAY,
                "runsAs": "aws",
                "effect": "spend",
            },
            {"id": "orders", "kind": "mcp", "runsAs": "gcp", "effect": "read"},
            {"id": "code", "kind": "code-interpreter", "runsAs": "aws", "effect": "execute"},
        ]
    manifest = {
        "apiVersion": "modelreach/v1",
        "kind": "ModelDeployment",
        "metadata": {"name": "desk", "version": str(1 + later), "owner": "guests"},
        "spec": {
            "model": {"provider": "aws-bedrock", "id": "m"},
            "identities": identities,
            "tools": tools,
        },
    }
    found = deployment.decode(yaml.safe_dump(manifest).encode(), place="manifest")
    return evaluate(Release(found, estate(later=later)), JudgePolicy(), Estates())


def test_each_new_reach_has_the_tool_that_opened_it() -> None:
    report = diff_report(release(later=False), release(later=True), GateOptions(fail_on="high"))
    gained = [row for row in report.changes if row.kind == "gained"]
    found = {(row.resource, row.capability): row.opened_by for row in gained}
    assert found.pop((PAY, "write")) == ("refund",)
    assert found.pop((PAYER, "assume")) == ("refund",)
    assert found.pop((LEDGER, "write")) == ("refund",)
    assert found.pop((GUESTS, "read")) == ("code",)
    assert set(found.values()) == {("orders",)}, "all that is left is in the project"
    assert all(row.witness[0].tool in row.opened_by for row in gained)
