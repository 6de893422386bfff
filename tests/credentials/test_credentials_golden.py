"""Keys beside a model, from recorded answers to findings, through the installed command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.report_file import decode

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "credentials"
PROGRAM = Path(sys.executable).with_name("modelreach")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("keys") / "estate.snap.json"
    command: list[str | Path] = [
        PROGRAM,
        "collect",
        "aws",
        "--from",
        FIXTURES / "recording",
        "--quiet",
    ]
    subprocess.run([*command, "-o", found], check=True)
    return found


def scan(snapshot: Path, *options: str) -> dict[str, Any]:
    command: list[str | Path] = [
        PROGRAM,
        "scan",
        FIXTURES / "v1.yaml",
        "--snapshot",
        snapshot,
        "--format",
        "json",
    ]
    done = subprocess.run([*command, *options], capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    report: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(decode(done.stdout)))
    return report


def found(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["subject"]: f for f in report["findings"] if f["rule"] == "MR301"}


@pytest.fixture(scope="module")
def report(snapshot: Path) -> dict[str, Any]:
    return scan(snapshot)


def test_each_key_is_found_with_age_expiry_use_and_what_it_opens(report: dict[str, Any]) -> None:
    expected = json.loads((FIXTURES / "expected.json").read_bytes())
    names = ("severity", "subject", "identity", "evidence")
    told = [{name: one[name] for name in names} for one in found(report).values()]
    assert told == expected


def test_a_key_of_nobody_concerned_is_not_told(report: dict[str, Any]) -> None:
    assert "AKIASTRANGER0001" not in found(report)


def test_the_secret_is_the_hop_to_whom_it_opens(report: dict[str, Any]) -> None:
    bot = found(report)["AKIACIBOT0000001"]
    start, hop = bot["witness"]
    assert start["object"].endswith("role/support-bot")
    assert (hop["kind"], hop["action"]) == ("credential", "secretsmanager:GetSecretValue")
    assert json.loads(hop["statement"])["Action"] == "secretsmanager:GetSecretValue"


def test_same_bytes_twice(snapshot: Path) -> None:
    assert scan(snapshot) == scan(snapshot)


def test_a_rule_of_the_users_opens_too(snapshot: Path, tmp_path: Path) -> None:
    config = tmp_path / "modelreach.yaml"
    config.write_text(
        "version: 1\ncredentials:\n"
        '  - {secret: "arn:aws:secretsmanager:*:secret:ci/*", '
        'opens: "arn:aws:iam::111122223333:user/stranger"}\n'
    )
    keys = found(scan(snapshot, "--config", str(config)))
    stranger = keys["AKIASTRANGER0001"]
    assert stranger["evidence"][-1].startswith("opens 1 resource, 1 of them sensitive")
    assert "AKIACIBOT0000001" in keys, "the tag still says what it says"


def test_whom_no_snapshot_tells_of_is_a_gap(snapshot: Path, tmp_path: Path) -> None:
    config = tmp_path / "modelreach.yaml"
    elsewhere = "arn:aws:iam::999999999999:user/elsewhere"
    config.write_text(
        f'version: 1\ncredentials:\n  - {{secret: "*:secret:ci/*", opens: "{elsewhere}"}}\n'
    )
    gaps = scan(snapshot, "--config", str(config))["gaps"]
    assert elsewhere in {gap["subject"] for gap in gaps}
