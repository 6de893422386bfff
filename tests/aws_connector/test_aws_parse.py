"""Parsing alone: no order matters, every refusal shows, names are only names."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.collect.answers import ABSENT, Refusal
from modelreach.collect.facts import attributes
from modelreach.snapshot import Snapshot, decode, encode
from modelreach_aws import sources
from modelreach_aws.answers import Answer, answer
from modelreach_aws.calls import CALLS, Call
from modelreach_aws.parse import parse
from modelreach_aws.parse.facts import moment, tags_of

NOW = "2026-11-24T00:00:00Z"
ACCOUNT = "123456789012"
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def answers(whole: Any) -> tuple[Answer, ...]:
    return sources.read((whole.recording,), now=NOW)[1]


def test_order_of_answers_makes_no_difference(answers: tuple[Answer, ...]) -> None:
    expected = encode(parse(answers, NOW))
    shuffled = list(answers)
    for seed in range(3):
        random.Random(seed).shuffle(shuffled)
        assert encode(parse(shuffled, NOW)) == expected


def test_snapshot_reads_back(answers: tuple[Answer, ...]) -> None:
    raw = encode(parse(answers, NOW))
    assert encode(decode(raw, place="x")) == raw


def _name(call: Call) -> str:
    return f"{call.service}:{call.operation}"


#: Told of by principal, repository or collection: tested with the real thing.
TOLD_OF_OTHERS = (
    *("GetPolicy", "GetPolicyVersion", "GetAccountSetting"),
    *("ListAccessPolicies", "GetAccessPolicy", "ListSecurityPolicies", "GetSecurityPolicy"),
)


@pytest.mark.parametrize("call", [c for c in CALLS if c.service != "organizations"], ids=_name)
def test_each_refusal_is_a_gap_with_its_permission(
    answers: tuple[Answer, ...], call: Call
) -> None:
    refused = Refusal("denied", "AccessDenied", "no")
    key = call.service, call.operation
    asked = [one for one in answers if (one.service, one.operation) == key]
    changed = [one for one in answers if one not in asked]
    for one in asked or [_made_up(call)]:
        changed.append(
            Answer(one.account, one.region, *key, parameters=one.parameters, error=refused)
        )
    kinds = {*call.kinds, call.facet}
    gaps = [
        gap
        for gap in parse(changed, NOW).gaps
        if gap.operation == _name(call) and gap.kind in kinds
    ]
    if call.operation in TOLD_OF_OTHERS:
        return
    assert gaps
    assert {gap.permission for gap in gaps} == {call.permission}
    assert {gap.reason for gap in gaps} == {"denied"}


def _made_up(call: Call) -> Answer:
    named = re.findall(r"{(\w+)", call.subject)
    parameters = dict.fromkeys(named, "x") | {
        **call.fixed,
        "ResourceArn": "arn:aws:ssm:x:y:parameter/z",
    }
    return Answer(ACCOUNT, REGION, call.service, call.operation, parameters=parameters)


def test_absent_is_no_gap() -> None:
    none = Answer(
        ACCOUNT, "", "organizations", "DescribeOrganization", error=Refusal(ABSENT, "x", "none")
    )
    snapshot = parse([none], NOW)
    assert not snapshot.gaps
    assert {(one.kind, one.complete) for one in snapshot.coverage} == {
        ("scp", True),
        ("rcp", True),
    }


def test_agent_versions_and_aliases(whole: Any) -> None:
    kinds = ("bedrock:agent", "bedrock:agent-version")
    agents = {one.version: one for one in whole.snapshot.runtimes if one.kind in kinds}
    assert sorted(agents) == ["1", "2", "DRAFT"]
    draft = agents["DRAFT"]
    first = agents["1"]
    assert first.id == f"{draft.id}:1"
    assert first.identities == (f"arn:aws:iam::{ACCOUNT}:role/agent-two",)
    bedrock = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
    wired = {(link.kind, link.target) for link in first.links}
    assert ("invokes", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tool") in wired
    assert ("collaborates", "arn:aws:bedrock:x:y:agent-alias/B/C") in wired
    assert ("reads", f"{bedrock}:knowledge-base/KB1") in wired
    assert ("guarded-by", f"{bedrock}:guardrail/g1") in wired
    (alias,) = [one for one in whole.snapshot.runtimes if one.name == "live"]
    assert alias.id.endswith("/LIVE")
    assert alias.version == "2"
    assert alias.identities == first.identities
    assert [(link.kind, link.target) for link in alias.links] == [("routes-to", f"{draft.id}:2")]


def test_api_key_without_expiry(whole: Any) -> None:
    (key,) = [one for one in whole.snapshot.credentials if one.kind == "service-specific"]
    assert key.id == "ACCA1"
    assert key.principal == f"arn:aws:iam::{ACCOUNT}:user/people/ann"
    assert key.expires == "never"
    assert key.attributes["service"] == "bedrock.amazonaws.com"


def test_function_url_without_authentication(whole: Any) -> None:
    (function,) = [one for one in whole.snapshot.resources if one.kind == "lambda:function"]
    assert function.attributes["url_auth"] == ("NONE",)


def test_nothing_is_missing_where_everything_answers(whole: Any) -> None:
    assert not whole.snapshot.gaps
    assert all(one.complete for one in whole.snapshot.coverage)


HOSTILE = st.text(min_size=1, max_size=40) | st.sampled_from(
    ["<script>alert(1)</script>", "\x1b[2J", "{account}", "%s", "../../etc", "a\u202eb", "`x`"]
)


@given(name=HOSTILE, value=HOSTILE)
def test_names_are_only_names(name: str, value: str) -> None:
    snapshot = parse(_estate_named(name, value), NOW)
    assert decode(encode(snapshot), place="x").taken_at == NOW
    found = {one.name for one in snapshot.resources}
    assert found == {answer("", "", "", "", {"n": name}, None).parameters["n"]}


def _estate_named(name: str, value: str) -> list[Answer]:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}"
    secret = {"ARN": arn, "Name": name, "Tags": [{"Key": value, "Value": value}]}
    refused = Refusal("denied", "AccessDenied", value)
    asked = {"SecretId": arn}
    return [
        answer(ACCOUNT, REGION, "secretsmanager", "ListSecrets", {}, {"SecretList": [secret]}),
        answer(ACCOUNT, REGION, "secretsmanager", "GetResourcePolicy", asked, None, refused),
        answer(ACCOUNT, "", "s3", "GetBucketPolicy", {"Bucket": name}, None, refused),
    ]


def test_lone_surrogates_are_made_visible() -> None:
    snapshot = parse(_estate_named("a\ud800b", "x"), NOW)
    assert snapshot.resources[0].name == "a\\ud800b"
    assert b"ud800" in encode(snapshot)


def test_moment() -> None:
    assert moment("2026-01-02T03:04:05+02:00") == "2026-01-02T01:04:05Z"
    assert moment("2026-01-02T03:04:05.678Z") == "2026-01-02T03:04:05Z"
    assert moment("1735689600") == "2025-01-01T00:00:00Z"
    assert moment(None) == moment("") == moment("N/A") == ""


def test_tags_in_all_forms() -> None:
    assert tags_of([{"Key": "a", "Value": "b"}]) == {"a": "b"}
    assert tags_of([{"TagKey": "a", "TagValue": "b"}]) == {"a": "b"}
    assert tags_of([{"key": "a", "value": "b"}, {"Key": "c"}]) == {"a": "b", "c": ""}
    assert tags_of({"a": "b"}) == {"a": "b"}
    assert tags_of(None) == {}


def test_attributes_keep_what_is_known() -> None:
    assert attributes(a="", b=None, c=False, d=["y", "x", "x"], e=[], f=0) == {
        "c": False,
        "d": ("x", "y"),
        "f": 0,
    }


def test_no_sdk_is_needed_to_replay_and_to_print_permissions(whole: Any) -> None:
    program = (
        "import sys\n"
        "for name in ('boto3', 'botocore'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from modelreach.model import MissingExtra\n"
        "from modelreach.plugins import CollectOptions\n"
        "from modelreach_aws import AwsConnector\n"
        "connector = AwsConnector()\n"
        "assert connector.policy()['Statement'] and connector.calls()\n"
        "connector.collect(CollectOptions(now='', sources=(Path(sys.argv[1]),)))\n"
        "try: connector.collect(CollectOptions(now=''))\n"
        "except MissingExtra as error: print(error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(whole.recording)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "pip install 'modelreach[aws]'\n", done.stderr


def test_snapshot_type(answers: tuple[Answer, ...]) -> None:
    snapshot = parse(answers, NOW)
    assert isinstance(snapshot, Snapshot)
    assert json.loads(encode(snapshot))["schema"] == "modelreach.snapshot/1"
