"""`run` makes its environment on machines that lack this or that, once, and again when it must.

A tiny project with a build backend of its own stands in for this one, so nothing is downloaded;
venv and pip are the real ones.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "modelreach"
version = "1"
dependencies = ["one>=1.0"]
optional-dependencies = {aws = ["two>=2.5"], graph = [], tables = [], wide = ["modelreach[aws]"]}
"""
BACKEND = """
import zipfile

METADATA = "Metadata-Version: 2.1\\nName: modelreach\\nVersion: 1\\n"
EXTRAS = "".join(f"Provides-Extra: {name}\\n" for name in ("graph", "all", "dev"))
FILES = {
    "tiny.py": "import sys\\ndef main():\\n    print('ran', *sys.argv[1:])\\n",
    "modelreach-1.dist-info/METADATA": METADATA + EXTRAS,
    "modelreach-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nTag: py3-none-any\\n",
    "modelreach-1.dist-info/entry_points.txt": "[console_scripts]\\nmodelreach = tiny:main\\n",
}

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "modelreach-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
        record = "modelreach-1.dist-info/RECORD"
        wheel.writestr(record, "".join(f"{path},,\\n" for path in [*FILES, record]))
    return name
"""


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    place = tmp_path / "a project with spaces"
    place.mkdir()
    shutil.copy(root / "run", place)
    (place / "pyproject.toml").write_text(PYPROJECT)
    (place / "backend.py").write_text(BACKEND)
    return place


@pytest.fixture
def loaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`run` of the tiny project as a module, in surroundings without uv or package index."""
    for name, value in _surroundings().items():
        monkeypatch.setenv(name, value)
    loader = SourceFileLoader("run_of_the_tiny_project", str(project / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    yield module


def _surroundings() -> dict[str, str]:
    folders = os.environ["PATH"].split(os.pathsep)
    without_uv = [folder for folder in folders if not (Path(folder) / "uv").exists()]
    return {"PATH": os.pathsep.join(without_uv), "PIP_NO_INDEX": "1", "PIP_USER": "1"}


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run", *arguments],
        cwd=project,
        env=os.environ | _surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )


def _set_up(done: subprocess.CompletedProcess[str]) -> bool:
    """Tell whether a run that worked had to set up its environment."""
    assert (done.returncode, done.stdout) == (0, "ran demo --all\n"), done.stderr
    assert done.stderr.endswith("to call it as `modelreach`:  . .venv/bin/activate\n")
    return "setting up" in done.stderr


def test_the_environment_is_made_once_and_anew_when_it_must(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "half").write_text("")
    (project / ".venv.lock").write_text("making\n")  # as an interrupted set-up leaves it
    assert _set_up(_run(project, "demo", "--all"))
    assert not (project / ".venv" / "half").exists()
    assert not _set_up(_run(project, "demo", "--all"))
    (project / "pyproject.toml").write_text(PYPROJECT + "# changed\n")
    assert _set_up(_run(project, "demo", "--all"))
    moved = project.rename(project.with_name("moved elsewhere"))
    assert _set_up(_run(moved, "demo", "--all"))
    assert not _set_up(_run(moved, "demo", "--all"))


def test_somebodys_own_environment_is_filled_and_not_replaced(project: Path) -> None:
    own: list[str] = [sys.executable, "-m", "venv", "--without-pip", str(project / ".venv")]
    subprocess.run(own, check=True)
    (project / ".venv" / "mine").write_text("")
    assert _set_up(_run(project, "demo", "--all"))
    assert (project / ".venv" / "mine").exists()


def test_without_ensurepip_the_system_pip_fills_the_environment(
    loaded: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Debian, whose `python -m venv` fails and leaves half an environment behind."""
    really = loaded.attempt

    def attempt(command: list[object]) -> str | None:
        if command[1:3] == ["-m", "venv"] and "--without-pip" not in command:
            (project / ".venv" / "half").mkdir(parents=True)
            return "ensurepip is not available"
        failure: str | None = really(command)
        return failure

    monkeypatch.setattr(loaded, "attempt", attempt)
    assert loaded.main(["demo"]) == 0
    assert not list((project / ".venv").glob("lib/python*/site-packages/pip"))
    assert not (project / ".venv" / "half").exists()


def test_with_nothing_to_install_with_the_message_names_the_package(
    loaded: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = loaded.attempt

    def attempt(command: list[object]) -> str | None:
        if "pip" in command or ("venv" in command and "--without-pip" not in command):
            return "No module named pip"
        failure: str | None = really(command)
        return failure

    monkeypatch.setattr(loaded, "attempt", attempt)
    assert loaded.main(["demo"]) == 2
    assert "apt install python3-venv" in capsys.readouterr().err


def test_a_failed_installation_tells_why_and_is_not_kept(
    loaded: ModuleType, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    (project / "backend.py").write_text("raise RuntimeError('broken backend')\n")
    assert loaded.main(["demo"]) == 2
    assert "broken backend" in capsys.readouterr().err
    (project / "backend.py").write_text(BACKEND)
    assert loaded.main(["demo"]) == 0


def test_an_old_python_is_told_so(
    loaded: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded, "OLDEST_PYTHON", (99, 1))
    assert loaded.main(["demo"]) == 2
    message = capsys.readouterr().err
    assert "Python 99.1 or newer is needed" in message
    assert re.search(r"make PYTHON=python3\.\d+ demo", message)


def test_old_pythons_can_read_the_file(root: Path) -> None:
    ast.parse((root / "run").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_an_unknown_target_is_a_wrong_call(project: Path) -> None:
    done = _run(project, "tset")
    assert (done.returncode, "unknown target `tset`" in done.stderr) == (2, True)


def test_make_has_the_targets_of_run(root: Path, loaded: ModuleType) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^TARGETS = (.*)$", makefile, re.MULTILINE)
    named = {name for name in loaded.TARGETS if not name.startswith("-")}
    # `make modelreach diff …` cannot be: make would take `diff` for a target.
    assert set(line.split()) == named - {"modelreach"}


def test_the_oldest_versions_are_read_from_pyproject(loaded: ModuleType) -> None:
    assert loaded.lowest_pins() == ["one==1.0", "two==2.5"]


def test_the_makefile_and_requires_python_agree(root: Path, loaded: ModuleType) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    oldest = ".".join(map(str, loaded.OLDEST_PYTHON))
    assert f'requires-python = ">={oldest}"' in text
