"""The main job, end to end: two releases in a living estate, collected and compared by the
installed command, must give exactly the expected changes; and so must the files of the demo.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from modelreach import deployment as manifest
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, evaluate, radius_report
from modelreach.pipeline.evaluate import Estates
from modelreach.report_file import decode
from modelreach.snapshot import decode as decode_snapshot

DEMO_FILES = ("v1.yaml", "v2.yaml", "estate.snap.json")

#: kind, identity, resource, capability, actions, verdict; written by hand from estate.py.
EXPECTED = {
    ("gained", "runtime-v2", "secret:stripe-live", "read", "GetSecretValue", "allow"),
    ("gained", "runtime-v2", "secret:refund-webhook", "read", "GetSecretValue", "allow"),
    ("gained", "runtime-v2", "role/etl-reader", "assume", "AssumeRole", "allow"),
    ("gained", "etl-reader", "acme-customer-records", "read", "GetObject", "allow"),
    ("gained", "etl-reader", "acme-customer-records", "list", "ListBucket", "allow"),
    ("gained", "etl-reader", "table/customer-profiles", "read", "GetItem Query", "allow"),
    ("gained", "runtime-v2", "acme-refund-ledger", "read", "GetObject", "allow"),
    ("gained", "runtime-v2", "acme-support-workspace", "read", "GetObject", "allow"),
    ("gained", "runtime-v2", "acme-support-workspace", "write", "PutObject", "allow"),
    ("gained", "runtime-v2", "acme-support-transcripts", "read", "GetObject", "conditional"),
    ("gained", "runtime-v2", "claude-sonnet-4-5-20250929-v1:0", "read", "InvokeModel", "allow"),
    ("gained", "tool-runner", "345678901234", "administer", "*", "allow"),
    ("widened", "runtime-v2", "acme-support-kb", "read", "GetObjectVersion", "allow"),
    ("lost", "runtime", "acme-support-exports", "read", "GetObject", "allow"),
    ("lost", "runtime", "acme-support-exports", "write", "PutObject", "allow"),
    ("lost", "runtime", "claude-3-5-sonnet-20241022-v2:0", "read", "InvokeModel", "allow"),
}  # fmt: skip
OPPOSITE = {"gained": "lost", "lost": "gained", "widened": "narrowed", "narrowed": "widened"}

Report = dict[str, Any]


def _diff(program: Path, snapshot: Path, old: Path, new: Path, *options: str) -> Report:
    done = subprocess.run(
        [program, "diff", old, new, "--snapshot", snapshot, "--format", "json", *options],
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    report: Report = msgspec.json.decode(msgspec.json.encode(decode(done.stdout)))
    assert report["gate"]["exit_code"] == done.returncode
    return report


def _summed_up(report: Report) -> set[tuple[str, ...]]:
    """Give the changes in the words of `EXPECTED`."""
    return {
        (
            change["kind"],
            change["identity"].rsplit("/", 1)[-1].removeprefix("support-agent-"),
            _short(change["resource"]),
            change["capability"],
            " ".join(action.partition(":")[2] or action for action in change["actions"]),
            change["verdict"],
        )
        for change in report["changes"]
    }


def _short(resource: str) -> str:
    name = re.sub(r"^arn:[^:]*:[^:]*:[^:]*:[^:]*:", "", resource)
    name = name.removeprefix("foundation-model/anthropic.")
    return re.sub(r"^(secret:)prod/payments/(.*)-\w{6}$", r"\1\2", name)


@pytest.fixture(scope="session")
def live(program: Path, collected: Path, fixtures: Path) -> Report:
    return _diff(program, collected, fixtures / "v1.yaml", fixtures / "v2.yaml")


@pytest.fixture(scope="session")
def bundled(program: Path, demo: Path) -> Report:
    return _diff(program, demo / "estate.snap.json", demo / "v1.yaml", demo / "v2.yaml")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's files as the installed package has them."""
    folder = tmp_path_factory.mktemp("demo")
    for name in DEMO_FILES:
        data = files("modelreach").joinpath("demo", name).read_bytes()
        (folder / name).write_bytes(data)
    return folder


def test_a_living_estate_gives_exactly_the_expected_changes(live: Report) -> None:
    assert _summed_up(live) == EXPECTED
    assert len(live["changes"]) == len(EXPECTED)


def test_the_demo_gives_exactly_the_expected_changes(bundled: Report) -> None:
    assert _summed_up(bundled) == EXPECTED
    assert len(bundled["changes"]) == len(EXPECTED)


def test_each_change_has_a_witness_that_ends_in_a_statement(live: Report) -> None:
    for change in live["changes"]:
        first, *_, last = change["witness"]
        assert first["kind"] == "start"
        assert json.loads(last["statement"])["Effect"] == "Allow"


def test_the_condition_is_told(live: Report) -> None:
    (change,) = [c for c in live["changes"] if c["verdict"] == "conditional"]
    assert any("aws:SourceVpce" in key for key in change["depends_on"])


def test_a_radius_counts_by_class_as_the_difference_does(bundled: Report) -> None:
    demo = Path(str(files("modelreach").joinpath("demo")))
    estate = decode_snapshot((demo / "estate.snap.json").read_bytes(), place="estate")
    release = Release(manifest.decode((demo / "v2.yaml").read_bytes(), place="v2"), estate)
    radius = radius_report(evaluate(release, JudgePolicy(), Estates()), GateOptions())
    found = {(c.identity, c.resource_class): (c.new, c.unknown) for c in radius.matrix}
    of_new = {
        (c["identity"], c["resource_class"]): (c["new"], c["unknown"])
        for c in bundled["summary"]["matrix"]
        if c["new"]
    }
    assert found == of_new
    assert "administration" in {name for _, name in found}


def test_the_way_to_administration_is_told_hop_by_hop(live: Report) -> None:
    (takeover,) = live["admin_of_new"]
    assert live["admin_of_old"] == []
    assert [hop["kind"] for hop in takeover["witness"]] == [
        *("start", "assume-role", "pass-role", "administer")
    ]
    also = {other["action"] for other in takeover["witness"][2]["also"]}
    assert also >= {"lambda:CreateFunction", "lambda:InvokeFunction"}


def test_the_cross_account_grant_names_both_sides(live: Report) -> None:
    (change,) = [c for c in live["changes"] if c["resource"].endswith("acme-refund-ledger")]
    last = change["witness"][-1]
    sids = {last["sid"], *(hop["sid"] for hop in last["also"])}
    assert sids >= {"ReadLedger", "SharedWithSupport"}


def test_the_old_key_is_reported_but_not_new(bundled: Report) -> None:
    (found,) = [f for f in bundled["findings"] if f["rule"] == "MR301"]
    assert (found["state"], found["subject_kind"]) == ("unchanged", "access-key")
    assert "412 days old" in found["message"]


def test_what_was_refused_is_a_gap_that_names_the_permission(live: Report) -> None:
    (gap,) = live["gaps"]
    assert gap["permission"] == "secretsmanager:ListSecrets"
    assert (gap["reason"], gap["scope"], gap["side"]) == ("denied", "210987654321", "both")


def test_swapping_the_releases_swaps_the_changes(program: Path, demo: Path) -> None:
    back = _diff(program, demo / "estate.snap.json", demo / "v2.yaml", demo / "v1.yaml")
    swapped = {(OPPOSITE[kind], *rest) for kind, *rest in EXPECTED}
    assert {row[:1] + row[2:] for row in _summed_up(back)} == {
        row[:1] + row[2:] for row in swapped
    }


@pytest.mark.parametrize("name", ["v1.yaml", "v2.yaml"])
def test_a_release_against_itself_has_no_changes(program: Path, demo: Path, name: str) -> None:
    same = _diff(program, demo / "estate.snap.json", demo / name, demo / name)
    assert same["changes"] == []
    assert same["gate"]["exit_code"] == 0


def test_incompleteness_can_fail_the_gate(program: Path, demo: Path) -> None:
    done = subprocess.run(
        [
            *(program, "diff", "v1.yaml", "v1.yaml", "--snapshot", "estate.snap.json"),
            *("--fail-on-incomplete", "--format", "json"),
        ],
        cwd=demo,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3


def test_the_snapshot_is_what_the_recording_replays_to(
    program: Path, renew: ModuleType, fixtures: Path, demo: Path, tmp_path: Path
) -> None:
    """Fails when the connector reads more than it did: renew with `make fixtures`."""
    again = tmp_path / "again.snap.json"
    options = [f"--from={fixtures / 'recording'}", f"--output={again}", "--quiet"]
    subprocess.run(
        [str(program), "collect", "aws", *options], check=True, env=os.environ | renew.LOCAL
    )
    assert again.read_bytes() == (demo / "estate.snap.json").read_bytes()


@pytest.mark.parametrize("name", ["v1.yaml", "v2.yaml"])
def test_the_manifests_are_those_of_the_fixtures(fixtures: Path, demo: Path, name: str) -> None:
    assert (demo / name).read_bytes() == (fixtures / name).read_bytes()


def test_no_secret_value_is_kept(fixtures: Path, demo: Path) -> None:
    kept = [demo / "estate.snap.json", *sorted((fixtures / "recording").rglob("*.json"))]
    assert len(kept) > 10
    for file in kept:
        assert b"placeholder" not in file.read_bytes()
        assert b"SecretAccessKey" not in file.read_bytes()


def test_the_demo_command_shows_and_writes_it(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [program, "demo"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "prod/payments/stripe-live" in done.stdout
    assert "acme-sandbox" in done.stdout
    written = tmp_path / "demo-output"
    report: Report = msgspec.json.decode(
        msgspec.json.encode(decode((written / "diff.json").read_bytes()))
    )
    assert _summed_up(report) == EXPECTED
    for name in re.findall(r"demo-output/[\w.]+", done.stdout.split("Written: ")[1]):
        assert (tmp_path / name).stat().st_size > 0
    assert (written / "review.html").read_bytes().startswith(b"<!")
