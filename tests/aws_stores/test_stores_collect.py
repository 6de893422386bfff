"""Reading stores over HTTP: each is a resource, with its tags and policies, and nothing secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach.plugins import CollectOptions
from modelreach.snapshot import encode
from modelreach_aws import AwsConnector
from modelreach_aws.calls_stores import STORE_CALLS

ACCOUNT, REGION = "111122223333", "eu-west-1"


def resource(whole: Any, kind: str, name: str) -> Any:
    (found,) = [one for one in whole[0].resources if (one.kind, one.name) == (kind, name)]
    return found


def documents(whole: Any, target: str) -> dict[str, Any]:
    snapshot = whole[0]
    return {
        one.kind: json.loads(bytes(snapshot.documents[one.document]))["Statement"]
        for one in snapshot.attachments
        if one.target == target
    }


def test_every_call_of_the_table_was_made_and_none_refused(whole: Any) -> None:
    snapshot, _, made = whole
    table = {(call.service, call.operation) for call in STORE_CALLS}
    assert table <= {(service, operation) for _, service, operation in made}
    kinds = {kind for call in STORE_CALLS for kind in call.kinds}
    assert kinds <= {one.kind for one in snapshot.coverage if one.complete}
    assert kinds <= {one.kind for one in snapshot.resources}


def test_a_domain(whole: Any) -> None:
    found = resource(whole, "es:domain", "search")
    assert found.tags == {"data-class": "pii"}
    assert found.attributes == {
        "engine": "OpenSearch_2.19",
        "fine_grained": True,
        "kms_key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        "vpc": "vpc-1",
    }
    assert documents(whole, found.id)["resource"][0]["Principal"] == {"AWS": "*"}


def test_a_collection(whole: Any) -> None:
    found = resource(whole, "aoss:collection", "library")
    assert found.tags == {"t": "1"}
    said = documents(whole, found.id)
    assert said["access-policy"][0]["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/agent"]}
    assert said["endpoint"][0]["Principal"] == "*"
    assert documents(whole, resource(whole, "aoss:collection", "scrap").id) == {}


@pytest.mark.parametrize(
    ("kind", "name", "arn", "policies"),
    [
        ("s3vectors:vector-bucket", "books", "s3vectors:{}:{}:bucket/books", 1),
        ("kinesis:stream", "events", "kinesis:{}:{}:stream/events", 1),
        # What lets services in only is left out.
        ("logs:log-group", "/prompts", "logs:{}:{}:log-group:/prompts", 1),
        ("kendra:index", "manuals", "kendra:{}:{}:index/k-1", 0),
        ("rds:db", "orders", "rds:{}:{}:db:orders", 0),
        ("rds-db:db-user", "users of orders", "rds-db:{}:{}:dbuser:db-AAA", 0),
        ("rds:cluster", "aurora", "rds:{}:{}:cluster:aurora", 0),
        ("redshift:cluster", "wh", "redshift:{}:{}:cluster:wh", 0),
        ("redshift:dbuser", "users of wh", "redshift:{}:{}:dbuser:wh", 0),
        (
            "redshift-serverless:workgroup",
            "ad-hoc",
            "redshift-serverless:{}:{}:workgroup/w-1",
            0,
        ),
    ],
)
def test_the_others(whole: Any, kind: str, name: str, arn: str, policies: int) -> None:
    found = resource(whole, kind, name)
    assert found.id == f"arn:aws:{arn.format(REGION, ACCOUNT)}"
    assert found.tags == {"t": "1"}
    attached = [one.kind for one in whole[0].attachments if one.target == found.id]
    assert attached == ["resource"] * policies


def test_nothing_secret_is_kept_and_the_recording_gives_the_same(whole: Any) -> None:
    snapshot, folder, _ = whole
    assert b"hush-canary" not in encode(snapshot)
    assert not any(b"hush-canary" in one.read_bytes() for one in folder.rglob("*.json"))
    options = CollectOptions(now=snapshot.taken_at, sources=(folder,))
    assert encode(AwsConnector().collect(options)) == encode(snapshot)
