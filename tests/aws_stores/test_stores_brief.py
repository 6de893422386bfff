"""Stores of every kind, by everybody: classes and briefs say what asking one by one says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from modelreach.policy.aws import grants as single
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.estate import Estate
from modelreach.snapshot import Attachment, Facts, Snapshot, document_bytes, document_id

ACCOUNT, REGION = "111122223333", "eu-west-1"
AGENT = f"arn:aws:iam::{ACCOUNT}:role/agent"
_HERE = f"arn:aws:*:{REGION}:{ACCOUNT}"
POLICIES: dict[str, list[Any]] = {
    "everything": [("*", "*")],
    "services": [
        ("es:*", "*"),
        ("aoss:*", "*"),
        ("rds*:*", "*"),
        ("redshift-data:*", "*"),
        ("logs:*", f"{_HERE}:log-group:/prompts:*"),
    ],
    "parts": [
        ("rds-db:connect", f"{_HERE}:dbuser:db-AAA/app"),
        ("s3vectors:*", f"{_HERE}:bucket/books/index/a*"),
        ("es:ESHttp*", f"{_HERE}:domain/search/books/*"),
        ("logs:GetLogEvents", f"{_HERE}:log-group:/prompts:log-stream:a"),
        ("redshift:GetClusterCredentials", f"{_HERE}:dbuser:wh/*"),
    ],
    "one": [("rds-data:ExecuteStatement", f"{_HERE}:cluster:aurora"), ("kinesis:Get*", "*")],
}


def _with(made: Snapshot, name: str) -> Snapshot:
    """Give a snapshot in which the agent has these statements instead of its own."""
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for action, resource in POLICIES[name]
    ]
    raw = document_bytes({"Version": "2012-10-17", "Statement": statements})
    own = Attachment(target=AGENT, kind="identity", document=document_id(raw), name=name)
    kept = tuple(one for one in made.attachments if (one.target, one.kind) != (AGENT, "identity"))
    documents = {**made.documents, document_id(raw): msgspec.Raw(raw)}
    return msgspec.structs.replace(made, attachments=(*kept, own), documents=documents)


@pytest.mark.parametrize("fine_grained", [True, False])
@pytest.mark.parametrize("name", sorted(POLICIES))
def test_all_ways_of_asking_agree(name: str, fine_grained: bool, whole: Any) -> None:
    made = _with(whole[0], name)
    resources = tuple(
        msgspec.structs.replace(
            one, attributes={**one.attributes, "fine_grained": fine_grained, "data_api": False}
        )
        if one.kind in ("es:domain", "rds:cluster")
        else one
        for one in made.resources
    )
    facts = Facts(msgspec.structs.replace(made, resources=resources))
    told = {
        (one.resource, str(one.capability), str(one.verdict))
        for one in single.one_by_one(Asker.of(Estate(facts), AGENT, {}))
    }
    by_class = AwsEngine(facts).grants(AGENT)
    assert {(one.resource, str(one.capability), str(one.verdict)) for one in by_class} == told
    brief = AwsEngine(facts).brief(AGENT)
    held = {(one.resource, str(one.capability), str(one.verdict)) for one in brief.alone} | {
        (resource, str(capability), str(verdict))
        for one in brief.holdings
        for capability, verdict in one.answer
        for resource in one.ids
    }
    assert held == told
    kinds = {one.kind for one in facts.snapshot.resources if one.id in {row[0] for row in told}}
    assert len(kinds) >= (12 if name == "everything" else 2)
    engine = AwsEngine(facts)
    assert brief.patterns == len(engine.unlisted(engine.permissions(AGENT), ACCOUNT))
