"""The tree is the architecture: every package is shipped, every plug-in loads."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

ROOTS = ("src", "connectors", "reports")
GROUPS = tuple(sorted(g for g in entry_points().groups if g.startswith("modelreach.")))
TOP_LEVEL = {
    *("src", "connectors", "reports", "fixtures", "tests", "docs", ".ci"),
    *("action", "run", "Makefile", "pyproject.toml", "LICENSE"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
    *(".gitignore", ".gitattributes", ".editorconfig"),
}


def _points() -> list[EntryPoint]:
    return [point for group in GROUPS for point in entry_points(group=group)]


def test_nothing_lies_at_the_top_level_without_a_place(
    root: Path, project_files: tuple[Path, ...]
) -> None:
    assert {path.relative_to(root).parts[0] for path in project_files} == TOP_LEVEL


def test_each_package_folder_is_shipped(root: Path, pyproject: dict[str, Any]) -> None:
    folders = {
        path.relative_to(root).as_posix()
        for base in ROOTS
        for path in (root / base).iterdir()
        if path.is_dir() and path.name.startswith("modelreach")
    }
    shipped = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(shipped) == sorted(folders)


def test_each_connector_folder_has_an_entry_point(root: Path) -> None:
    folders = {path.name for path in (root / "connectors").iterdir() if path.is_dir()}
    groups = ("modelreach.connectors", "modelreach.evidence", "modelreach.manifests")
    points = [point for group in groups for point in entry_points(group=group)]
    named = {point.module.split(".")[0] for point in points}
    assert folders - {"__pycache__"} == named


def test_entry_points_are_those_of_pyproject(pyproject: dict[str, Any]) -> None:
    """Entry points are frozen when the project is installed: fails until it is again."""
    written = {
        (group, name, value)
        for group, points in pyproject["project"]["entry-points"].items()
        for name, value in points.items()
    }
    assert {(point.group, point.name, point.value) for point in _points()} == written


@pytest.mark.parametrize("point", _points(), ids=lambda point: f"{point.group}:{point.name}")
def test_each_entry_point_loads(point: EntryPoint) -> None:
    assert callable(point.load())


@pytest.mark.parametrize("folder", ["connectors", "reports", "fixtures", "tests"])
def test_folders_that_are_not_packages_stay_so(root: Path, folder: str) -> None:
    """With an `__init__.py` their names would take those of other projects' packages."""
    assert not (root / folder / "__init__.py").exists()


def test_every_package_is_typed_and_knows_the_contracts(
    root: Path, pyproject: dict[str, Any]
) -> None:
    packages = {
        path.name
        for base in ROOTS
        for path in (root / base).iterdir()
        if (path / "__init__.py").exists()
    }
    assert set(pyproject["tool"]["importlinter"]["root_packages"]) == packages
