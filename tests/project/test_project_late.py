"""Modules that are put off: nothing runs before they are used, and then they are what they are."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest

from modelreach.cli.plain import Option
from modelreach.late import called_late, put_off

SLOW = "import time\nruns = globals().get('runs', 0) + 1\ntime.sleep(0.05)\nlast = 'there'\n"


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that takes a while to import."""
    tmp_path.joinpath("takes_a_while.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "takes_a_while", raising=False)
    return "takes_a_while"


def test_it_runs_when_something_in_it_is_asked_for(slow: str) -> None:
    put_off(slow)
    stand_in = importlib.import_module(slow)
    assert "runs" not in vars(stand_in)
    assert stand_in.last == "there"
    assert sys.modules[slow] is not stand_in
    assert importlib.import_module(slow).runs == 1


def test_names_are_taken_from_it(slow: str) -> None:
    put_off(slow)
    space: dict[str, object] = {}
    exec(f"from {slow} import last", space)
    assert space["last"] == "there"
    with pytest.raises(ImportError):
        exec(f"from {slow} import nothing", space)


def test_no_thread_sees_it_half_made(slow: str) -> None:
    put_off(slow)
    stand_in = importlib.import_module(slow)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: (stand_in.last, stand_in.runs), range(8)))
    assert found == [("there", 1)] * 8


def test_what_is_known_of_it_is_answered_without_it(slow: str) -> None:
    put_off(**{slow: {"size": 3}})
    stand_in = importlib.import_module(slow)
    assert stand_in.size == 3
    assert "runs" not in vars(stand_in)
    assert stand_in.last == "there"
    assert importlib.import_module(slow).runs == 1


def test_functions_are_taken_before_it_is_there(slow: str, tmp_path: Path) -> None:
    with tmp_path.joinpath("takes_a_while.py").open("a") as file:
        file.write("def twice(text, times=2):\n    return text * times\n")
    put_off(**{slow: called_late(slow, "twice")})
    space: dict[str, Any] = {}
    exec(f"from {slow} import twice", space)
    assert "runs" not in vars(sys.modules[slow])
    assert (space["twice"]("a"), space["twice"]("a", 3)) == ("aa", "aaa")
    assert sys.modules[slow].runs == 1
    assert importlib.import_module(slow).twice("b") == "bb"


def test_what_is_there_stays() -> None:
    put_off("inspect")
    assert sys.modules["inspect"] is inspect


def test_what_is_said_of_the_platform_is_what_it_says_itself() -> None:
    program = (
        "import platform as real, sys; del sys.modules['platform']\n"
        "import modelreach.cli; modelreach.cli.main = lambda: None\n"
        "from modelreach.__main__ import main; main()\n"
        "import platform\n"
        "for name in ('system', 'python_implementation'):\n"
        "    assert getattr(platform, name)() == getattr(real, name)(), name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _options(command: click.Command) -> list[click.Parameter]:
    own = list(command.params)
    for name in getattr(command, "commands", {}):
        own += _options(command.commands[name])  # type: ignore[attr-defined]
    return own


@pytest.mark.parametrize("name", ["diff", "scan"])
def test_plain_help_is_what_click_would_make_of_it(name: str) -> None:
    command = importlib.import_module(f"modelreach.cli.{name}").command
    plain = [option for option in _options(command) if isinstance(option, Option)]
    assert len(plain) > 5
    assert [o.help for o in plain] == [o.help and inspect.cleandoc(o.help) for o in plain]
