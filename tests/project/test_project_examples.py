"""The examples in the documentation are read by the program, so they cannot rot."""

from __future__ import annotations

import re
from datetime import date
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from modelreach import deployment
from modelreach.cli import COMMANDS, config
from modelreach.gate import policy, waiver_file

YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _examples(root: Path, page: str) -> list[str]:
    found: list[str] = YAML.findall((root / "docs" / page).read_text(encoding="utf-8"))
    assert found
    return found


def test_the_manifests_in_the_documentation_are_valid(root: Path) -> None:
    for text in _examples(root, "reference/manifest.md"):
        release = deployment.decode(text.encode(), place="example")
        assert release.metadata.name == "support-agent"


def test_the_configurations_in_the_documentation_are_valid(root: Path, tmp_path: Path) -> None:
    for number, text in enumerate(_examples(root, "reference/configuration.md")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert config.judge_policy(config.load(str(file))).sensitive


def test_the_policy_and_the_waivers_in_the_documentation_are_valid(root: Path) -> None:
    rules, accepted = _examples(root, "reference/policy.md")
    found = policy.decode(rules.encode(), place="policy.yaml")
    assert [one for one in policy.examples(found.rules) if one.problem] == []
    assert waiver_file.decode(accepted.encode(), place="w.yaml", today=date(2026, 11, 25)).waivers


@pytest.mark.parametrize("name", ["v1.yaml", "v2.yaml"])
def test_the_example_manifests_are_valid(root: Path, name: str) -> None:
    raw = (root / "fixtures" / "support_agent" / name).read_bytes()
    assert deployment.decode(raw, place=name).owner == "customer-support"


def _column(root: Path, heading: str) -> set[str]:
    """Give the first column of the table under a heading of the command-line reference."""
    page = (root / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    table = page.split(heading)[1].split("\n## ")[0]
    return set(re.findall(r"^\| ([^|]*?) \|", table, re.MULTILINE)) - {"---"}


def test_the_reference_has_every_command(root: Path) -> None:
    cells = _column(root, "# Command line") - {"command"}
    assert {cell.strip("`").split()[0] for cell in cells} == set(COMMANDS)


def test_the_reference_has_every_format(root: Path) -> None:
    cells = ",".join(_column(root, "## Formats") - {"format"})
    known = {point.name for point in entry_points(group="modelreach.renderers")}
    assert set(re.findall(r"[\w-]+", cells)) == known
