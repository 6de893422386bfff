"""`modelreach evidence`: what a person sees, what a program gets, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelreach.cli import run
from modelreach.cli.evidence_files import load, of_manifest
from modelreach.cli.files import read_manifest
from modelreach.evidence import Bound, Refusal, Refused
from modelreach.model import InputError

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
NOW = "2026-11-24T00:00:00Z"


@dataclass(frozen=True)
class Done:
    """What one command line gave."""

    code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with both releases and their reports."""
    (tmp_path / "old").symlink_to(FIXTURES / "evidence" / "1.4.0")
    (tmp_path / "new").symlink_to(FIXTURES / "evidence" / "2.0.0")
    for name in ("v1.yaml", "v2.yaml"):
        (tmp_path / name).write_bytes((FIXTURES / "evidence" / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def call(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Run `modelreach evidence` at a fixed time."""

    def run_it(*arguments: object) -> Done:
        code = run(["evidence", *map(str, arguments), "--now", NOW])
        out, err = capfdbinary.readouterr()
        return Done(code, out.decode(), err.decode())

    return run_it


def _json(done: Done) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


def _entry(text: str) -> str:
    return f"  evidence:\n    - {text}\n"


def test_one_report_gives_rates(call: Call) -> None:
    done = call("new/pyrit.json")
    assert done.code == 0
    assert "data_exfil" in done.out and "9/17 53%" in done.out
    assert "--baseline compares them" in done.out
    found = _json(call("new/pyrit.json", "--format", "json"))
    assert (found["schema"], found["verdict"]) == ("modelreach.evidence/1", "")
    assert found["reports"][0]["status"] == "unbound"
    rate = found["categories"][0]["new"]
    assert (rate["broken"], rate["cases"]) == (9, 17)
    assert rate["low"] < 9 / 17 < rate["high"]


def test_the_rate_of_one_report_counts_every_run(call: Call) -> None:
    truth = json.loads((FIXTURES / "evidence" / "truth.json").read_bytes())
    found = _json(call("new/garak.report.jsonl", "--format", "json"))
    for row in found["categories"]:
        told = [row["new"]["broken"], row["new"]["cases"]]
        assert told == truth["2.0.0"]["garak"][row["category"]]


def test_two_releases_are_compared_in_a_table(call: Call) -> None:
    done = call("new/garak.report.jsonl", "--baseline", "old/garak.report.jsonl")
    assert done.code == 0
    assert " REGRESSION " in done.out
    assert "newly broken: prompt " in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_manifests_say_which_reports_count(call: Call) -> None:
    arguments = ["new/promptfoo.json", "--baseline", "old/promptfoo.json"]
    arguments += ["--manifest", "v2.yaml", "--baseline-manifest", "v1.yaml", "--format", "json"]
    found = _json(call(*arguments))
    assert {row["status"] for row in found["reports"]} == {"bound"}
    assert (found["old_release"], found["new_release"]) == (
        "support-agent 1.4.0",
        "support-agent 2.0.0",
    )
    wrong = _json(call(*arguments[:4], "v1.yaml", *arguments[5:]))
    reasons = {row["side"]: (row["status"], row["reason"]) for row in wrong["reports"]}
    assert reasons == {"old": ("bound", ""), "new": ("refused", "other-target")}
    assert {row["verdict"] for row in wrong["categories"]} == {"not-enough-evidence"}


def test_a_manifest_brings_its_own_reports(place: Path, call: Call) -> None:
    for name, side in (("v1.yaml", "old"), ("v2.yaml", "new")):
        raw = (place / side / "inspect.eval").read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        text = (
            f"{{kind: inspect, path: {side}/inspect.eval, sha256: {digest}, correctMeans: held}}"
        )
        with (place / name).open("a") as manifest:
            manifest.write(_entry(text))
    found = _json(
        call("--manifest", "v2.yaml", "--baseline-manifest", "v1.yaml", "--format", "json")
    )
    assert [row["status"] for row in found["reports"]] == ["bound", "bound"]
    assert {row["category"] for row in found["categories"]} == {"jailbreak", "tool_abuse"}


def test_a_report_that_was_changed_after_the_manifest_is_refused(place: Path) -> None:
    copied = place / "pyrit.json"
    copied.write_bytes((place / "new" / "pyrit.json").read_bytes() + b"\n")
    digest = hashlib.sha256((place / "new" / "pyrit.json").read_bytes()).hexdigest()
    with (place / "v2.yaml").open("a") as manifest:
        manifest.write(_entry(f"{{kind: pyrit, path: pyrit.json, sha256: 'sha256:{digest}'}}"))
    deployment, _ = read_manifest("v2.yaml")
    (refused,) = of_manifest(deployment, "v2.yaml", NOW)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.OTHER_FILE


def test_a_folder_is_found_beside_the_manifest_and_bound_by_its_digest(place: Path) -> None:
    sub = place / "deploy"
    sub.mkdir()
    digest = load("new/agentdojo").digest
    manifest = sub / "v2.yaml"
    text = (place / "v2.yaml").read_text() + _entry(
        f"{{kind: agentdojo, path: ../new/agentdojo, sha256: '{digest}', "
        "retests: {important_instructions: tool-abuse}}"
    )
    manifest.write_text(text)
    deployment, _ = read_manifest(str(manifest))
    (bound,) = of_manifest(deployment, str(manifest), NOW)
    assert isinstance(bound, Bound)
    assert bound.evidence.retest_of("important_instructions") == "tool-abuse"


def test_the_digest_of_a_folder_is_what_sha256sum_gives(place: Path) -> None:
    lines = ""
    root = place / "new" / "agentdojo"
    paths = (
        f"./{path.relative_to(root).as_posix()}" for path in root.rglob("*") if path.is_file()
    )
    for path in sorted(paths):
        lines += f"{hashlib.sha256((root / path).read_bytes()).hexdigest()}  {path}\n"
    assert load("new/agentdojo").digest == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{kind: pyrit, path: /etc/hostname}", "is not relative to the manifest"),
        ("{kind: pyrit, path: none.json}", "none.json: no such file"),
        ("{kind: nessus, path: new/pyrit.json}", "unknown kind of evidence `nessus`"),
        ("{kind: pyrit, path: new/garak.report.jsonl}", "not a list of PyRIT"),
        ("{kind: pyrit, path: new/pyrit.json, retests: {x: jailbreak}}", "no category `x`"),
        ("{kind: pyrit, path: new/pyrit.json, shar: 1}", "unknown field `shar`"),
    ],
)
def test_an_entry_that_cannot_be_used_is_an_error(
    text: str, said: str, place: Path, call: Call
) -> None:
    with (place / "v2.yaml").open("a") as manifest:
        manifest.write(_entry(text))
    done = call("--manifest", "v2.yaml")
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no report and no manifest is given"),
        (["--manifest", "v2.yaml"], "the manifest names no evidence"),
        (["new/pyrit.json", "--target", "x"], "a target is named for no manifest"),
        (["gone.json"], "gone.json: no such file"),
        (["v2.yaml"], "is of no kind that is known"),
        (["/dev/zero"], "this is neither a file nor a folder"),
        (["new/inspect.eval"], "means that the model held is not said"),
        (["new/pyrit.json", "--kind", "garak"], "not a garak report"),
    ],
)
def test_a_wrong_call_is_told(arguments: list[str], said: str, call: Call) -> None:
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_name_that_is_no_text_is_a_name(place: Path) -> None:
    folder = place / "runs"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff\xfe.json")).write_bytes(b"{}")
    listed = hashlib.sha256(b"{}").hexdigest().encode() + b"  ./\xff\xfe.json\n"
    assert load(str(folder)).digest == f"sha256:{hashlib.sha256(listed).hexdigest()}"


def test_links_in_a_folder_and_endless_files_are_refused(place: Path) -> None:
    folder = place / "runs"
    folder.mkdir()
    (folder / "a.json").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="files only, no links"):
        load(str(folder))
    (folder / "a.json").unlink()
    os.mkfifo(folder / "b.json")
    with pytest.raises(InputError, match="files only"):
        load(str(folder))
    with (place / "huge").open("wb") as huge:
        huge.truncate(3 << 30)
    with pytest.raises(InputError, match="more than 2 GiB are no report"):
        load(str(place / "huge"))


@pytest.mark.parametrize("form", ["promptfoo", "deepteam"])
def test_nesting_is_an_error_at_every_depth(form: str, place: Path, call: Call) -> None:
    text = (place / "new" / f"{form}.json").read_text()
    key = '"prompt": "' if form == "promptfoo" else '"input": "'
    for depth in (400, 800, 900, 960, 990, 1000, 5000):
        nested = key[:-1] + "[" * depth + "]" * depth + ', "was": "'
        (place / "deep.json").write_text(text.replace(key, nested, 1))
        done = call("deep.json", "--kind", form)
        assert done.code in (0, 2), (depth, done.err)


def test_names_from_a_report_cannot_harm_the_terminal(place: Path, call: Call) -> None:
    rows = json.loads((place / "new" / "pyrit.json").read_bytes())
    for row in rows:
        row["atomic_attack_identifier"] = None
        row["labels"] = {"category": "a\x1b[31m\nb\u202e", "deployment": "x\x07\x9b2J"}
    (place / "bad.json").write_text(json.dumps(rows))
    done = call("bad.json", "--manifest", "v2.yaml", "--baseline", "bad.json")
    assert done.code == 0
    assert not {"\x1b", "\u202e", "\x07", "\x9b"} & set(done.out)
    assert "\\x07" in done.out


def test_the_same_call_gives_the_same_bytes(call: Call, place: Path) -> None:
    arguments = ["new/promptfoo.json", "--baseline", "old/promptfoo.json", "-o", "out.json"]
    first, text = call(*arguments).out, (place / "out.json").read_bytes()
    assert (call(*arguments).out, (place / "out.json").read_bytes()) == (first, text)
    assert json.loads(text)["categories"]
