"""The examples in the documentation are read by the program, so they cannot rot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelreach import deployment
from modelreach.cli import config

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


@pytest.mark.parametrize("name", ["v1.yaml", "v2.yaml"])
def test_the_example_manifests_are_valid(root: Path, name: str) -> None:
    raw = (root / "fixtures" / "support_agent" / name).read_bytes()
    assert deployment.decode(raw, place=name).owner == "customer-support"
