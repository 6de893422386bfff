"""Each kind of runtime, from recorded answers to the difference, by the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from modelreach.report_file import decode

Program = Callable[..., str]


def difference(program: Program, scenarios: Path, kind: str, tmp_path: Path, account: Path) -> Any:
    for side in ("old", "new"):
        sources = [f"--from={account}", f"--from={scenarios / kind / side}"]
        program("collect", "aws", *sources, "-q", "-o", tmp_path / f"{side}.snap.json")
    folder = scenarios / kind
    written = program(
        *("diff", folder / "v1.yaml", folder / "v2.yaml", "--format", "json"),
        *("--old-snapshot", tmp_path / "old.snap.json"),
        *("--new-snapshot", tmp_path / "new.snap.json"),
        *("--fail-on", "never"),
    )
    return msgspec.json.decode(msgspec.json.encode(decode(written)))


def told(report: Any) -> dict[str, Any]:
    changes = {(one["kind"], one["resource"], one["capability"]) for one in report["changes"]}
    return {
        "changes": sorted(map(list, changes)),
        "identities": {
            side: sorted(one["id"] for one in report[f"identities_{side}"])
            for side in ("old", "new")
        },
    }


def test_difference_is_the_expected_one(
    kind: str, program: Program, scenarios: Path, tmp_path: Path
) -> None:
    report = difference(program, scenarios, kind, tmp_path, scenarios / "account")
    expected = json.loads((scenarios / kind / "expected.json").read_text())
    assert told(report) == expected
    assert not report["gaps"]


def test_moved_alias_brings_the_role_of_its_version_only(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    report = difference(program, scenarios, "bedrock-agent", tmp_path, scenarios / "account")
    new = {one["id"]: one for one in report["identities_new"]}
    assert {name for name, one in new.items() if one["start"]} == {
        "arn:aws:iam::111122223333:role/after"
    }
    assert "arn:aws:iam::111122223333:role/unused" not in new, "what the draft runs as"


def account_without(scenarios: Path, tmp_path: Path, role: str, action: str) -> Path:
    """Copy the account, with one permission of one role taken away."""
    account = tmp_path / "account"
    shutil.copytree(scenarios / "account", account)
    path = account / "iam.json"
    content = json.loads(path.read_text())
    (details,) = (one["response"] for one in content["answers"])
    (found,) = [one for one in details["RoleDetailList"] if one["RoleName"] == role]
    document = found["RolePolicyList"][0]["PolicyDocument"]
    kept = [one for one in document["Statement"] if one["Action"] != action]
    assert len(kept) == len(document["Statement"]) - 1
    document["Statement"] = kept
    path.write_text(json.dumps(content))
    return account


def identities_without(
    program: Program, scenarios: Path, tmp_path: Path, kind: str, action: str
) -> set[str]:
    account = account_without(scenarios, tmp_path, "caller", action)
    report = difference(program, scenarios, kind, tmp_path, account)
    return {one["id"].rpartition("/")[2] for one in report["identities_new"]}


def test_gateway_calls_a_function_as_its_own_role(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    """The function's policy lets Bedrock in, which a gateway is not."""
    action = "lambda:InvokeFunction"
    found = identities_without(program, scenarios, tmp_path, "agentcore-gateway", action)
    assert found == {"caller"}


def test_flow_calls_a_function_as_its_own_role(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    action = "lambda:InvokeFunction"
    assert identities_without(program, scenarios, tmp_path, "bedrock-flow", action) == {"caller"}


def test_agent_reaches_a_knowledge_base_that_it_may_search(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    kind = "bedrock-knowledge-and-collaborator"
    found = identities_without(program, scenarios, tmp_path, kind, "bedrock:Retrieve")
    assert "after" not in found, "what the knowledge base reads as"


def test_agent_reaches_a_collaborator_that_it_may_invoke(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    kind = "bedrock-knowledge-and-collaborator"
    found = identities_without(program, scenarios, tmp_path, kind, "bedrock:InvokeAgent")
    assert "unused" not in found, "what the collaborator runs as"
    assert "after" in found


def test_function_that_bedrock_may_not_call_adds_nothing(
    program: Program, scenarios: Path, tmp_path: Path
) -> None:
    account = tmp_path / "account"
    shutil.copytree(scenarios / "account", account)
    path = account / "lambda.json"
    content = json.loads(path.read_text())
    content["answers"] = [one for one in content["answers"] if one["operation"] != "GetPolicy"]
    path.write_text(json.dumps(content))
    report = difference(program, scenarios, "bedrock-agent", tmp_path, account)
    assert {one["id"].rpartition("/")[2] for one in report["identities_new"]} == {"after"}
