"""Snapshots whose form is right and whose facts are not: an answer or an error, and no bug."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RUNTIME = "arn:aws:iam::123456789012:role/support-agent-runtime-v2"


def _changed(place: Path, section: str, **fields: Any) -> None:
    path = place / "estate.snap.json"
    whole = json.loads(path.read_bytes())
    for fact in whole[section]:
        fact.update(fields)
    path.write_text(json.dumps(whole))


def test_a_thing_of_a_provider_that_is_not_known_is_rated(call: Any, place: Path) -> None:
    """Of how its names are written nothing is known, so rules mean them letter by letter."""
    agent = Path(__file__).resolve().parents[2] / "fixtures" / "azure_agent"
    snapshot = ("--snapshot", "estate.snap.json")
    source = ("--from", agent / "recording", "-o", "estate.snap.json", "-q")
    assert call("collect", "azure", *source).code == 0
    _changed(place, "resources", provider="elsewhere")
    done = call("diff", agent / "v1.yaml", agent / "v2.yaml", *snapshot)
    assert (done.code, done.err) == (1, "")


def test_a_principal_of_a_provider_that_is_not_known_is_an_error(call: Any, place: Path) -> None:
    _changed(place, "principals", provider="elsewhere")
    done = call("scan", "--principal", RUNTIME, "--snapshot", "estate.snap.json")
    assert (done.code, done.out) == (2, "")
    assert f"error: `{RUNTIME}` is of `elsewhere`, of which nothing is known here" in done.err


@pytest.mark.parametrize("name", ["find-fares", "a:b", "arn:aws:iam"])
def test_a_principal_of_aws_without_an_arn_is_nobody(call: Any, place: Path, name: str) -> None:
    path = place / "estate.snap.json"
    path.write_text(path.read_text().replace(f'"{RUNTIME}"', f'"{name}"'))
    manifest = place / "v2.yaml"
    manifest.write_text(manifest.read_text().replace(RUNTIME, name))
    for command in (
        ("scan", "--principal", name),
        ("scan", "v2.yaml"),
        ("can", name, "s3:*", "*"),
    ):
        done = call(*command, "--snapshot", "estate.snap.json")
        assert done.code in (0, 1, 2), done.err
        assert "allow" not in done.out.splitlines()[:1]
