"""The main job: collect a living estate, compare two releases, get exactly what changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Report = dict[str, Any]


def _diff(command: Any, old: Path, new: Path, *options: object) -> Report:
    done = command("diff", old, new, *options, "--format", "json")
    assert done.code in (0, 1), done.err
    report: Report = done.json
    assert report["gate"]["exit_code"] == done.code
    return report


@pytest.fixture(scope="session")
def report(command: Any, releases: Any, snapshot: Path) -> Report:
    return _diff(command, releases.old, releases.new, "--snapshot", snapshot)


def expected(estate: Any) -> list[Any]:
    """By hand, from what conftest.py builds."""
    return sorted(
        [
            (
                *("gained", estate["secret"], "read"),
                *(("secretsmanager:GetSecretValue",), "allow"),
            ),
            ("gained", estate["sources"], "assume", ("sts:AssumeRole",), "allow"),
            ("gained", estate["records"], "read", ("s3:GetObject",), "allow"),
            ("gained", estate["ledger"], "read", ("s3:GetObject",), "allow"),
            ("gained", estate["inbox"], "write", ("s3:PutObject",), "allow"),
            ("gained", estate["queue"], "write", ("sqs:SendMessage",), "allow"),
            ("lost", estate["exports"], "write", ("s3:PutObject",), "allow"),
        ]
    )


def test_exactly_what_changed(report: Report, estate: Any, rows: Callable[..., Any]) -> None:
    assert rows(report) == expected(estate)


def test_only_what_the_server_does_not_know_was_left_unread(report: Report) -> None:
    assert {gap["reason"] for gap in report["gaps"]} == {"unsupported"}


def _change(report: Report, resource: str) -> Report:
    (found,) = [c for c in report["changes"] if c["resource"] == resource]
    return dict(found)


def test_who_reaches_it(report: Report, estate: Any) -> None:
    holder = {c["resource"]: c["identity"] for c in report["changes"]}
    assert holder == {
        estate["secret"]: estate["agent-2"],
        estate["sources"]: estate["agent-2"],
        estate["records"]: estate["sources"],
        estate["ledger"]: estate["agent-2"],
        estate["inbox"]: estate["agent-2"],
        estate["queue"]: estate["clerk"],
        estate["exports"]: estate["agent-1"],
    }


@pytest.mark.parametrize(
    ("name", "sids"),
    [
        ("secret", [["ReadDatabaseSecret"]]),
        ("sources", [["BecomeSources", ""]]),
        ("records", [["BecomeSources", ""], ["ReadRecords"]]),
        ("ledger", [["ReadLedger", "SharedWithAgent"]]),
        ("inbox", [["LetsAgentIn"]]),
        ("queue", [["FileTickets"]]),
        ("exports", [["WriteExports"]]),
    ],
)
def test_the_witness_names_the_right_statements(
    report: Report, estate: Any, name: str, sids: list[list[str]]
) -> None:
    change = _change(report, estate[name])
    start, *hops = change["witness"]
    assert start["kind"] == "start"
    told = []
    for hop in hops:
        statements = {hop["statement"], *(other["statement"] for other in hop["also"])} - {""}
        found = [json.loads(text) for text in statements]
        assert {one["Effect"] for one in found} == {"Allow"}
        told.append(sorted(one.get("Sid", "") for one in found))
    assert told == [sorted(names) for names in sids]


def test_the_group_is_named(report: Report, estate: Any) -> None:
    last = _change(report, estate["queue"])["witness"][-1]
    assert last["target"].endswith(":group/clerks")
    assert last["policy"] == "clerks-own"


def test_the_hop_into_the_other_account_names_both_sides(report: Report, estate: Any) -> None:
    hop = _change(report, estate["records"])["witness"][1]
    layers = {hop["layer"], *(other["layer"] for other in hop["also"])}
    assert (hop["kind"], hop["action"]) == ("assume-role", "sts:AssumeRole")
    assert layers == {"identity", "trust"}


def test_the_findings(report: Report, estate: Any) -> None:
    found = {(f["rule"], f["state"], f["severity"], f["subject"]) for f in report["findings"]}
    assert found == {
        ("MR101", "new", "critical", estate["secret"]),
        ("MR301", "new", "high", estate["key"]),
    }


def test_the_key_is_told_with_its_age(report: Report) -> None:
    (key,) = [f for f in report["findings"] if f["rule"] == "MR301"]
    assert "399 days old" in key["message"] or "400 days old" in key["message"]
    (row,) = report["credentials"]
    assert row["age_days"] in (399, 400)


def test_the_gate_fails_on_what_is_new(report: Report) -> None:
    assert (report["gate"]["verdict"], report["gate"]["exit_code"]) == ("fail", 1)
