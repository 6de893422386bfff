"""What is installed is what is here: wheel and sdist, built and used outside the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest


def _hatchling(source: Path, target: str, into: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = into.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _hatchling(root, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean venv with the wheel, and this environment's packages behind it; gives its bin.

    A `.pth` in a folder that a `.pth` adds is not read, so the editable install of this
    environment stays out of it.
    """
    place = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(place, symlinks=os.name != "nt")
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)
    (site,) = place.glob("**/site-packages")
    (site / "behind.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def _python(installed: Path, code: str, cwd: Path) -> str:
    done = subprocess.run(
        [installed / "python", "-I", "-c", code],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_wheel_holds_every_file_of_its_packages(
    root: Path, wheel: Path, project_files: tuple[Path, ...]
) -> None:
    expected = set()
    for path in project_files:
        parts = path.relative_to(root).parts
        if parts[0] in ("src", "connectors", "reports") and parts[1].startswith("modelreach"):
            expected.add("/".join(parts[1:]))
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected


@pytest.mark.parametrize("name", ["v1.yaml", "v2.yaml", "estate.snap.json"])
def test_the_wheel_holds_the_demo(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.getinfo(f"modelreach/demo/{name}").file_size > 0


def test_an_sdist_makes_the_same_wheel(root: Path, wheel: Path, tmp_path: Path) -> None:
    sdist = _hatchling(root, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        # Python 3.11.2, Debian's, does not know filters; our own archive needs none.
        safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path, **safely)
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    again = _hatchling(source, "wheel", tmp_path / "again")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        assert [i.CRC for i in one.infolist()] == [i.CRC for i in other.infolist()]


def test_the_installed_command_answers(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "modelreach", "--help"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "diff" in done.stdout


def test_what_is_imported_is_the_wheel(installed: Path, tmp_path: Path, root: Path) -> None:
    shown = _python(installed, "import modelreach; print(modelreach.__file__)", tmp_path)
    assert not Path(shown).is_relative_to(root / "src")
    assert "clean" in shown


def test_every_plug_in_loads_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from importlib.metadata import entry_points as e\n"
        "for g in ('modelreach.connectors', 'modelreach.renderers'):\n"
        "    for p in e(group=g): p.load(); print(p.name)"
    )
    assert {"aws", "json", "text"} <= set(_python(installed, code, tmp_path).split())


def test_the_licence_travels_with_the_wheel(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("licenses/LICENSE")]
        assert archive.read(name) == (root / "LICENSE").read_bytes()
