"""What the program says of stored keys and of aliases, from recorded answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from modelreach.report_file import decode

CALLER = "arn:aws:iam::111122223333:role/caller"
KEY = (
    "arn:aws:bedrock-agentcore:eu-west-1:111122223333:token-vault/default"
    "/apikeycredentialprovider/crm"
)

Program = Callable[..., str]


def scanned(program: Program, scenarios: Path, tmp_path: Path, *actions: str) -> Any:
    """Scan the gateway's role, which may also do these actions on everything."""
    account = tmp_path / "account"
    shutil.copytree(scenarios / "account", account)
    path = account / "iam.json"
    content = json.loads(path.read_text())
    (details,) = (one["response"] for one in content["answers"])
    (role,) = [one for one in details["RoleDetailList"] if one["Arn"] == CALLER]
    added = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in actions]
    role["RolePolicyList"][0]["PolicyDocument"]["Statement"] += added
    path.write_text(json.dumps(content))
    snapshot = tmp_path / "estate.snap.json"
    new = scenarios / "agentcore-gateway" / "new"
    now = "--now=2026-11-24T00:00:00Z"
    program("collect", "aws", f"--from={account}", f"--from={new}", now, "-q", "-o", snapshot)
    written = program(
        *("scan", "--principal", CALLER, "--snapshot", snapshot),
        *("--format", "json", "--fail-on", "never"),
    )
    return msgspec.json.decode(msgspec.json.encode(decode(written)))


def test_stored_key_is_found_with_its_age(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    report = scanned(program, scenarios, tmp_path, "bedrock-agentcore:GetResourceApiKey")
    about = [one for one in report["findings"] if "crm" in one["message"]]
    assert any("days old" in one["message"] for one in about)
    assert any(one["subject"] == KEY for one in about)


def test_stored_key_that_may_not_be_taken_is_not_reached(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    report = scanned(program, scenarios, tmp_path)
    assert not [one for one in report["findings"] if "crm" in one["message"]]
    assert KEY not in {one["resource"] for one in report["grants"]}


def test_draft_of_an_alias_has_what_its_version_has(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "estate.snap.json"
    sources = [f"--from={scenarios / 'account'}", f"--from={scenarios / 'bedrock-agent' / 'new'}"]
    program("collect", "aws", *sources, "-q", "-o", snapshot)
    drafts = program("discover", "--snapshot", snapshot).split("---\n")
    (alias,) = [one for one in drafts if "agent-alias/AGENTONE/ALIASONE" in one]
    assert "function:refunds" in alias
    assert "guardrail/guard1:2" in alias
    assert 'version: "4"' in alias
    assert not [one for one in drafts if "agent/AGENTONE:3" in one], "nothing routes there"


def test_a_stored_key_is_no_identity_that_was_not_read(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    """It opens nothing that a snapshot could tell of, so nothing is incomplete."""
    report = scanned(program, scenarios, tmp_path, "bedrock-agentcore:GetResourceApiKey")
    assert KEY not in {gap["subject"] for gap in report["gaps"]}
