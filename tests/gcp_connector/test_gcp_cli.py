"""The command, from its arguments to the file, against the look-alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from google_cloud.cloud import Cloud
from google_cloud.server import LocalGoogle, serving
from modelreach.cli import run
from modelreach.snapshot import decode


def small() -> Cloud:
    """One organization with one project: few enough slow reads to wait for none."""
    made = Cloud("111", "acme.example", "C01")
    project = made.project("ml-prod", "1001", made.root)
    made.account(project, "agent")
    return made


@pytest.fixture
def done(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        found = capfd.readouterr()
        return code, found.out, found.err

    return call


def test_collect_and_replay(done: Any, tmp_path: Path) -> None:
    out, kept = tmp_path / "estate.snap", tmp_path / "kept"
    with serving(LocalGoogle(small())) as local:
        code, _, err = done(
            *("collect", "gcp", "--project", "ml-prod", "--endpoint-url", local.url),
            *("--record", str(kept), "--now", "2026-11-24T00:00:00Z", "-o", str(out)),
        )
    assert code == 0, err
    assert f"{out}: 1 project, 1 principal, 1 resource, 0 gaps" in err
    assert "gcp projects" in err
    again = tmp_path / "again.snap"
    assert done("collect", "gcp", "--from", str(kept), "-o", str(again))[0] == 0
    assert again.read_bytes() == out.read_bytes()


def test_what_is_missing_is_said_and_can_be_printed(done: Any, tmp_path: Path) -> None:
    out = tmp_path / "estate.snap"
    with serving(LocalGoogle(small())) as local:
        local.fail("iam.policies.listPolicies", 403)
        code, _, err = done(
            *("collect", "gcp", "--organization", "111", "--endpoint-url", local.url),
            *("-o", str(out)),
        )
    assert code == 0, err
    assert "not read: denied: iam.denypolicies.list (2 times)" in err
    assert f"modelreach permissions gcp --missing {out}" in err
    code, printed, _ = done("permissions", "gcp", "--missing", str(out))
    assert json.loads(printed)["customRole"]["includedPermissions"] == ["iam.denypolicies.list"]
    assert done("permissions", "gcp", "--missing", str(out), "--format", "list")[1] == (
        "iam.denypolicies.list\n"
    )


def test_two_clouds_in_one_snapshot(done: Any, tmp_path: Path) -> None:
    """Both from recordings, which one folder holds."""
    fixtures = Path(__file__).parents[2] / "fixtures"
    both = tmp_path / "both"
    both.mkdir()
    (both / "aws").symlink_to(fixtures / "support_agent" / "recording")
    (both / "gcp").symlink_to(fixtures / "vertex_agent" / "recording")
    out = tmp_path / "both.snap"
    code, _, err = done("collect", "aws", "gcp", "--from", str(both), "-o", str(out))
    assert code == 0, err
    snapshot = decode(out.read_bytes(), place="both")
    assert {scope.provider for scope in snapshot.scopes} == {"aws", "gcp"}
    assert "3 accounts, 3 projects" in err


def test_a_scope_that_is_none(done: Any, tmp_path: Path) -> None:
    code, _, err = done("collect", "gcp", "--scope", "ml", "-o", str(tmp_path / "x"))
    assert code == 2
    assert "`ml` is not a scope of Google Cloud" in err
    assert "projects/my-project" in err
