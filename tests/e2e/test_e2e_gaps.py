"""What is refused over the wire: the run goes on, the gap is told, and nothing reads as lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

REFUSALS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "s3": (lambda asked: asked.service == "s3", "s3:ListAllMyBuckets"),
    "secrets": (
        lambda asked: asked.service == "secretsmanager",
        "secretsmanager:ListSecrets",
    ),
    "ledger-policy": (
        lambda asked: (
            asked.service == "s3" and "policy" in asked.query and "e2e-ledger" in asked.path
        ),
        "s3:GetBucketPolicy",
    ),
    "iam": (
        lambda asked: asked.operation == "GetAccountAuthorizationDetails",
        "iam:GetAccountAuthorizationDetails",
    ),
}


@pytest.fixture(scope="session")
def refused(collect: Any, work: Path) -> Callable[[str], Path]:
    """Give a snapshot of the estate in which something was refused; each is taken once."""
    taken: dict[str, Path] = {}

    def take(name: str) -> Path:
        if name not in taken:
            path = work / f"without-{name}.snap"
            done = collect(path, refuses=REFUSALS[name][0])
            assert done.code == 0, done.err
            assert f"not read: denied: {REFUSALS[name][1]}" in done.err
            assert "modelreach permissions aws --missing" in done.err
            taken[name] = path
        return taken[name]

    return take


@pytest.fixture(scope="session")
def diff(command: Any) -> Callable[..., Any]:
    """Compare; what was asked before is answered as before (the command is deterministic)."""

    @cache
    def run(old: Path, new: Path, before: Path, after: Path, *options: str) -> Any:
        return command(
            *("diff", old, new, "--old-snapshot", before, "--new-snapshot", after),
            *("--format", "json", *options),
        )

    return run


@pytest.mark.parametrize("name", REFUSALS)
def test_the_gap_names_the_permission(
    diff: Any, releases: Any, refused: Callable[[str], Path], name: str
) -> None:
    one = releases.old
    done = diff(one, one, refused(name), refused(name), "--fail-on-incomplete")
    gaps = [gap for gap in done.json["gaps"] if gap["reason"] == "denied"]
    assert {gap["permission"] for gap in gaps} == {REFUSALS[name][1]}
    assert all(gap["leaves_unknown"] for gap in gaps)
    assert (done.code, done.json["gate"]["verdict"]) == (3, "unknown")
    assert done.json["changes"] == []


def test_missing_prints_the_permission_that_closes_it(
    command: Any, refused: Callable[[str], Path]
) -> None:
    done = command("permissions", "aws", "--missing", refused("secrets"))
    (statement,) = done.json["Statement"]
    assert statement["Action"] in ("secretsmanager:ListSecrets", ["secretsmanager:ListSecrets"])


def test_one_wins_over_three(
    diff: Any, releases: Any, snapshot: Path, refused: Callable[[str], Path]
) -> None:
    done = diff(releases.old, releases.new, snapshot, refused("s3"), "--fail-on-incomplete")
    assert (done.code, done.json["gate"]["verdict"]) == (1, "fail")


def test_incompleteness_is_passed_over_unless_asked_for(
    diff: Any, releases: Any, refused: Callable[[str], Path]
) -> None:
    done = diff(releases.old, releases.old, refused("s3"), refused("s3"))
    assert done.code == 0


@pytest.mark.parametrize("name", REFUSALS)
def test_an_unchanged_estate_of_which_less_was_read(
    diff: Any,
    releases: Any,
    snapshot: Path,
    refused: Callable[[str], Path],
    name: str,
) -> None:
    """Nothing changed; what was refused may only make things unknown, each with its cause."""
    one = releases.new
    for before, after in ((snapshot, refused(name)), (refused(name), snapshot)):
        report = diff(one, one, before, after).json
        assert {change["kind"] for change in report["changes"]} <= {"unknown"}
        assert all(change["caused_by"] for change in report["changes"])


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("s3", ["inbox", "kb", "ledger", "records"]),
        ("secrets", ["secret"]),
        ("ledger-policy", ["ledger"]),
        ("iam", ["inbox", "kb", "ledger", "queue", "records", "secret", "sources"]),
    ],
)
def test_what_is_hidden_is_unknown(
    diff: Any,
    releases: Any,
    estate: Any,
    snapshot: Path,
    refused: Callable[[str], Path],
    name: str,
    hidden: list[str],
) -> None:
    report = diff(releases.new, releases.new, snapshot, refused(name)).json
    assert {c["resource"] for c in report["changes"]} == {estate[one] for one in hidden}
    assert {c["new_verdict"] for c in report["changes"]} == {"unknown"}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_brings_no_finding_and_ends_none(
    diff: Any, releases: Any, snapshot: Path, refused: Callable[[str], Path], name: str
) -> None:
    report = diff(releases.new, releases.new, snapshot, refused(name)).json
    assert {f["state"] for f in report["findings"]} == {"unchanged"}


def test_a_true_change_beside_the_gap_is_still_told(
    diff: Any, releases: Any, estate: Any, snapshot: Path, refused: Callable[[str], Path]
) -> None:
    report = diff(releases.old, releases.new, snapshot, refused("secrets")).json
    kinds = {c["resource"]: c["kind"] for c in report["changes"]}
    assert kinds[estate["exports"]] == "lost"
    assert kinds[estate["ledger"]] == "gained"
    secret = [c for c in report["changes"] if c["resource_kind"] == "secretsmanager:secret"]
    assert [(c["kind"], c["pattern"]) for c in secret] == [("gained", True)]


def test_nothing_to_collect(command: Any, wire: Any, work: Path) -> None:
    wire.refuses = lambda _asked: True
    try:
        done = command(
            *("collect", "aws", "-o", work / "none.snap", f"--endpoint-url={wire.url}"),
            "--region=eu-west-1",
            env={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"},
        )
    finally:
        wire.refuses = lambda _asked: False
    assert done.code == 4
    assert done.err.startswith("error: ")
    assert not (work / "none.snap").exists()


def test_no_credentials(command: Any, work: Path) -> None:
    done = command("collect", "aws", "-o", work / "none.snap", "--region=eu-west-1")
    assert done.code == 4
    assert "credentials" in done.err
    assert not (work / "none.snap").exists()
