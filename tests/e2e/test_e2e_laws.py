"""What holds of any comparison, shown on the living estate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OPPOSITE = {"gained": "lost", "lost": "gained", "widened": "narrowed", "narrowed": "widened"}


@pytest.fixture(scope="session")
def again(collect: Any, work: Path, snapshot: Path) -> Path:
    """The same estate, collected a second time, an hour later by the clock that is given."""
    path = work / "again.snap"
    done = collect(path, "--max-workers=2", "--quiet")
    assert done.code == 0, done.err
    return path


def test_two_collections_give_the_same_bytes(snapshot: Path, again: Path) -> None:
    assert snapshot.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_two_runs_give_the_same_bytes(
    command: Any, releases: Any, snapshot: Path, options: tuple[str, ...]
) -> None:
    first, second = (
        command(
            "diff",
            *(releases.old, releases.new, "--snapshot", snapshot, *options),
            env={"PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    )
    assert first.code == 1
    assert first == second


def test_swapping_swaps(
    command: Any, releases: Any, snapshot: Path, rows: Callable[..., Any]
) -> None:
    there, back = (
        command("diff", *pair, "--snapshot", snapshot, "--format", "json").json
        for pair in ((releases.old, releases.new), (releases.new, releases.old))
    )
    assert rows(back) == sorted((OPPOSITE[kind], *rest) for kind, *rest in rows(there))
    assert back["summary"]["old"] == there["summary"]["new"]
    assert {f["state"] for f in back["findings"]} == {"gone"}
    assert back["gate"]["exit_code"] == 0


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_release_against_itself(
    command: Any, releases: Any, snapshot: Path, again: Path, side: str
) -> None:
    one = getattr(releases, side)
    for options in (
        ("--snapshot", snapshot),
        ("--old-snapshot", snapshot, "--new-snapshot", again),
    ):
        done = command("diff", one, one, *options, "--format", "json")
        assert done.code == 0
        assert done.json["changes"] == []
        assert {f["state"] for f in done.json["findings"]} <= {"unchanged"}


def test_a_role_that_is_renamed_is_no_change(
    command: Any, releases: Any, estate: Any, write: Any, snapshot: Path, work: Path
) -> None:
    """Rename the role everywhere, as a new release that keeps its access does."""
    renamed = work / "renamed.snap"
    old, new = estate["agent-2"], f"{estate['agent-2']}-under-a-new-name"
    text = snapshot.read_text()
    renamed.write_text(
        text.replace(f'"{old}"', f'"{new}"').replace(f'\\"{old}\\"', f'\\"{new}\\"')
    )
    assert text.count(old) == renamed.read_text().count(new) > 3
    manifest = write("2", name="renamed.yaml", runtime=new, tickets=estate["clerk"])
    done = command(
        *("diff", releases.new, manifest, "--format", "json"),
        *("--old-snapshot", snapshot, "--new-snapshot", renamed),
    )
    assert done.json["changes"] == []
    assert {f["state"] for f in done.json["findings"]} == {"unchanged"}
    assert done.code == 0


def test_scan_agrees_with_diff(command: Any, releases: Any, estate: Any, snapshot: Path) -> None:
    radius = command("scan", releases.new, "--snapshot", snapshot, "--format", "json")
    assert radius.code == 1
    reached = {(g["resource"], action) for g in radius.json["grants"] for action in g["actions"]}
    assert reached == {
        (estate["kb"], "s3:GetObject"),
        (estate["secret"], "secretsmanager:GetSecretValue"),
        (estate["records"], "s3:GetObject"),
        (estate["ledger"], "s3:GetObject"),
        (estate["inbox"], "s3:PutObject"),
        (estate["queue"], "sqs:SendMessage"),
    }
    assert {i["id"] for i in radius.json["identities"]} == {
        *(estate[name] for name in ("agent-2", "clerk", "sources"))
    }
    assert radius.json["admin_of"] == []


@pytest.mark.parametrize(
    ("who", "action", "what", "verdict"),
    [
        ("agent-2", "secretsmanager:GetSecretValue", "secret", "allow"),
        ("agent-1", "secretsmanager:GetSecretValue", "secret", "deny"),
        ("agent-2", "sqs:ReceiveMessage", "queue", "deny"),
        ("clerk", "sqs:SendMessage", "queue", "allow"),
        ("agent-2", "sts:AssumeRole", "sources", "allow"),
        ("agent-1", "sts:AssumeRole", "sources", "deny"),
    ],
)
def test_can_agrees_with_diff(
    command: Any, estate: Any, snapshot: Path, who: str, action: str, what: str, verdict: str
) -> None:
    done = command(
        "can", estate[who], action, estate[what], "--snapshot", snapshot, "--format", "json"
    )
    assert done.code == 0, done.err
    assert done.json["verdict"] == verdict
    if verdict == "allow":
        assert done.json["determining"]
