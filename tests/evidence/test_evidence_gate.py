"""From the report on disk to the gate's answer."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelreach.cli import run

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
NOW = "2026-11-24T00:00:00Z"
Entry = dict[str, Any]
Decide = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a release, an estate, and reports on two releases."""
    for side, release in (("old", "1.4.0"), ("new", "2.0.0")):
        shutil.copytree(FIXTURES / "evidence" / release, tmp_path / side)
    estate = FIXTURES.parent / "src" / "modelreach" / "demo" / "estate.snap.json"
    shutil.copy(estate, tmp_path / "estate.snap.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def decide(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Decide:
    """Give the gate's report on two manifests, of which each names some evidence."""

    def decided(
        old: list[Entry], new: list[Entry], names: tuple[str, str] = ("v1", "v2"), **spec: Any
    ) -> Any:
        at = Path(spec.get("at", "."))
        (place / at).mkdir(exist_ok=True)
        for name, source, entries in zip(("old.yaml", "new.yaml"), names, (old, new), strict=True):
            text = (FIXTURES / "evidence" / f"{source}.yaml").read_text()
            if name == "new.yaml":
                for before, after in spec.get("edits", {}).items():
                    assert before in text
                    text = text.replace(before, after)
            listed = "".join(f"    - {json.dumps(entry)}\n" for entry in entries)
            (place / at / name).write_text(text + "  evidence:\n" + listed if entries else text)
        given = [str(at / "old.yaml"), str(at / "new.yaml")]
        given += ["--snapshot", "estate.snap.json", "--now", NOW]
        given += ["--policy", spec.get("policy", "default")]
        code = run(["decide", *given, "--format", "json", "--record", "record.json"])
        out, err = capfdbinary.readouterr()
        assert code in (0, 1), err
        return json.loads(out)

    return decided


def _entry(tool: str, path: str, **more: Any) -> Entry:
    return {"kind": tool, "path": path, **more}


def _demand(report: Any, name: str) -> Any:
    return next(row for row in report["demands"] if row["id"] == name)


def _rules(report: Any) -> set[str]:
    return {row["id"] for row in report["gate"]["rules"] if row["denies"]}


def test_a_worse_release_does_not_meet_the_demand(decide: Decide) -> None:
    report = decide(
        [_entry("garak", "old/garak.report.jsonl")], [_entry("garak", "new/garak.report.jsonl")]
    )
    demand = _demand(report, "retest-prompt-injection")
    assert demand["status"] == "refused"
    assert "broke 18 of 30, before 5 of 30" in demand["why"]
    assert "NIST-800-53:r5:CA-8" in demand["standards"]
    assert "GATE-REGRESSION" in _rules(report)


def test_the_old_releases_report_is_no_evidence_for_the_new_one(decide: Decide) -> None:
    same = _entry("garak", "old/garak.report.jsonl")
    report = decide([same], [same])
    demand = _demand(report, "retest-prompt-injection")
    assert demand["status"] == "open"
    assert "not run on the new release" in demand["why"]
    refused = [row for row in report["evidence"] if row["verdict"] == "refused"]
    assert ["the report is about" in row["note"] for row in refused] == [True]


def test_a_regression_that_nobody_asked_for_denies(decide: Decide) -> None:
    """Of a category that tests nothing which is demanded."""
    other = {"retests": dict.fromkeys(("prompt_injection", "data_exfil"), "other")}
    report = decide(
        [_entry("pyrit", "old/pyrit.json", **other)], [_entry("pyrit", "new/pyrit.json", **other)]
    )
    assert {row["retest"] for row in report["evidence"]} == {"other"}
    assert {row["verdict"] for row in report["evidence"]} >= {"regression"}
    assert "GATE-REGRESSION" in _rules(report)


def test_a_report_that_fits_both_releases_shows_nothing(decide: Decide) -> None:
    """Only the tools have changed: both releases have the model that the report names."""
    edits = {
        "effect: write, approval: none": "effect: delete, approval: none",
        'version: "1.4.0"': 'version: "1.4.1"',
    }
    report = decide(
        [],
        [_entry("garak", "old/garak.report.jsonl")],
        ("v1", "v1"),
        edits=edits,
    )
    (row,) = report["evidence"]
    assert row["verdict"] == "refused"
    assert "tells support-agent 1.4.1 from support-agent 1.4.0" in row["note"]


def test_graders_of_other_meaning_cannot_show_a_release_to_be_no_worse(decide: Decide) -> None:
    report = decide(
        [_entry("inspect", "old/inspect.eval", correctMeans="held")],
        [_entry("inspect", "new/inspect.eval", correctMeans="broken")],
    )
    assert {row["verdict"] for row in report["evidence"]} == {"not-enough-evidence"}
    assert _demand(report, "retest-jailbreak")["status"] == "open"
    assert "graded otherwise" in _demand(report, "retest-jailbreak")["why"]


@pytest.mark.parametrize(
    ("terms", "verdicts"),
    [
        ("{}", {"regression", "not-enough-evidence"}),
        ("{margin: 1}", {"non-inferior"}),
        ("{alpha: 0.000000001}", {"not-enough-evidence"}),
        ("{max_age_days: 1}", {"refused", "not-enough-evidence"}),
    ],
)
def test_the_policy_sets_the_terms(
    terms: str, verdicts: set[str], decide: Decide, place: Path
) -> None:
    (place / "policy.yaml").write_text(f"version: 1\nevidence: {terms}\n")
    report = decide(
        [_entry("pyrit", "old/pyrit.json")],
        [_entry("pyrit", "new/pyrit.json")],
        policy="policy.yaml",
    )
    assert {row["verdict"] for row in report["evidence"]} == verdicts


def test_terms_that_make_no_sense_are_refused(
    decide: Decide, place: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    decide([], [])
    for terms in ("{margin: 5}", "{alpha: 0}", "{max_age_days: 0}", "{marign: 0.1}"):
        (place / "policy.yaml").write_text(f"version: 1\nevidence: {terms}\n")
        given = ["old.yaml", "new.yaml", "--snapshot", "estate.snap.json"]
        assert run(["decide", *given, "--policy", "policy.yaml"]) == 2
        assert b"policy.yaml:2: " in capfdbinary.readouterr()[1]


def test_a_changed_file_is_not_the_one_that_was_approved(decide: Decide, place: Path) -> None:
    report = decide(
        [_entry("pyrit", "old/pyrit.json")],
        [_entry("pyrit", "new/pyrit.json", sha256="0" * 64)],
    )
    (row,) = [row for row in report["evidence"] if row["verdict"] == "refused"]
    assert row["note"].startswith("the file has sha256:")
    assert _demand(report, "retest-data-exfiltration")["status"] == "open"


def test_verify_finds_a_file_changed_within_a_folder(
    decide: Decide, place: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    decide([_entry("agentdojo", "old/agentdojo")], [_entry("agentdojo", "new/agentdojo")])
    assert run(["verify", "record.json"]) == 3  # it is not signed
    assert b"ok           evidence new/agentdojo\n" in capfdbinary.readouterr()[0]
    path = next((place / "new" / "agentdojo").rglob("injection_task_3.json"))
    path.write_bytes(path.read_bytes().replace(b'"security": true', b'"security": false') + b" ")
    assert run(["verify", "record.json"]) == 1
    out = capfdbinary.readouterr()[0].decode()
    assert "failed       evidence new/agentdojo: the evidence is not the one decided on" in out
    assert "ok           evidence old/agentdojo" in out


def test_verify_finds_the_reports_of_manifests_in_a_folder_of_their_own(
    decide: Decide, place: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    decide([_entry("pyrit", "../old/pyrit.json")], [], ("v1", "v1"), at="deploy")
    assert run(["verify", "record.json"]) == 3
    assert b"ok           evidence old/pyrit.json\n" in capfdbinary.readouterr()[0]


def test_verify_wants_to_know_on_which_files_was_decided(
    decide: Decide, place: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A record that leaves out subject and materials has nothing that could fail."""
    decide([], [])
    envelope = json.loads((place / "record.json").read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["subject"] = statement["predicate"]["materials"] = []
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    (place / "record.json").write_text(json.dumps(envelope))
    assert run(["verify", "record.json"]) == 1
    out = capfdbinary.readouterr()[0].decode()
    assert "failed       snapshot-new: the record does not say on which one" in out


def test_the_ticket_names_standards_once_and_apart_from_what_has_to_be_read(
    decide: Decide, place: Path
) -> None:
    decide([], [])
    given = ["old.yaml", "new.yaml", "--snapshot", "estate.snap.json", "--now", NOW]
    run(["ticket", *given, "-o", "ticket.md"])
    told, _, table = (place / "ticket.md").read_text().partition("\n## Standards\n")
    assert "OWASP-" not in told
    for id_ in ("DATA-NEW", "MODEL-CHANGED", "retest-jailbreak", "MR101"):
        assert table.count(f"`{id_}` |") == 1
    assert "NIST-CSF 2.0: GV.OC-01" in table
