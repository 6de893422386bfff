"""Mutation testing of the AWS evaluator: changes it in one place, and looks who notices.

    python tests/soak/mutation_aws.py --state /tmp/mutation
    python tests/soak/mutation_aws.py --state /tmp/mutation --modules decide,evaluate --again

Works on a copy under the state directory; interrupted, it goes on from there the next time.
`--again` tries the survivors once more, after a test was added; `--keep` writes how many there
were, for the page. Survivors that
`mutation_explained.jsonl` does not explain are printed, and it ends with 1; so it does where an
explanation is of no mutant that survives. docs/reference/mutation-testing.md tells the rest.

mutmut makes the mutants. It passes over decorated functions, so the copy has its caches taken off
(they change what an answer costs, not what it is) and its properties made by assignment.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from modelreach_reference.aws import count_completions
from modelreach_reference.aws_cases import (
    closed_case,
    malformed_case,
    open_case,
    reference_answers,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = Path("src/modelreach/policy/aws")
MODULES = ("decide", "evaluate", "conditions", "principals", "matching", "operators")
EXPLAINED = HERE / "mutation_explained.jsonl"
TESTS = (
    "test_aws_cases.py",
    "test_aws_conditions.py",
    "test_aws_decide.py",
    "test_aws_mutants.py",
    "test_aws_principals.py",
)
CLOSED, BROKEN, OPEN = 900, 200, 300
MOST_COMPLETIONS = 12
SURVIVED, NOT_RUN, NO_TESTS = 0, None, (5, 33)

SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:xdist"]
filterwarnings = ["error"]
markers = ["soak: long"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {only}
also_copy = ["fixtures"]
pytest_add_cli_args_test_selection = ["tests/policy"]
track_dependencies = false
use_git_change_detection = false
timeout_constant = 5.0
"""


# --- the copy ------------------------------------------------------------------------------


def without_decorators(source: str) -> str:
    """Give the module without its caches, and with properties made by assignment."""
    lines = source.splitlines()
    for node in reversed([*_decorated(ast.parse(source))]):
        (decorator,) = node.decorator_list
        place, name = decorator.lineno - 1, ast.unparse(decorator)
        if name.startswith("lru_cache"):
            del lines[place]
        elif name == "property":
            indent = " " * (decorator.col_offset - 1)
            made = f"{indent}{node.name} = property(_get_{node.name})"
            lines.insert(node.end_lineno or node.lineno, made)
            start = node.lineno - 1
            lines[start] = lines[start].replace(f"def {node.name}(", f"def _get_{node.name}(")
            del lines[place]
    return "\n".join(lines) + "\n"


def _decorated(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    kept = (node for node in found if len(node.decorator_list) == 1)
    yield from sorted(kept, key=lambda node: node.lineno)


def make_copy(work: Path, modules: tuple[str, ...]) -> None:
    """Renew what mutmut works on: the source, the tests, the cases with recorded answers."""
    for name in ("src/modelreach", "fixtures/policy"):
        shutil.rmtree(work / name, ignore_errors=True)
        shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
    for module in MODULES:
        path = work / PACKAGE / f"{module}.py"
        path.write_text(without_decorators(path.read_text(encoding="utf-8")), encoding="utf-8")
    tests = work / "tests" / "policy"
    tests.mkdir(parents=True, exist_ok=True)
    for name in TESTS:
        shutil.copy(ROOT / "tests" / "policy" / name, tests / name)
    shutil.copy(HERE / "mutation_kills.py", tests / "test_mutation_kills.py")
    shutil.copy(HERE / "mutation_conftest.py", tests / "conftest.py")
    only = json.dumps([str(PACKAGE / f"{module}.py") for module in modules])
    (work / "pyproject.toml").write_text(SETTINGS.format(only=only), encoding="utf-8")
    shutil.copy(recorded_answers(work), work / "fixtures" / "policy" / "recorded.jsonl")


def recorded_answers(work: Path) -> Path:
    """Give the file of random cases with answers; made anew when the reference has changed."""
    digest = sha256(Path(__file__).read_bytes())
    for path in sorted((ROOT / "src" / "modelreach_reference").rglob("*.py")):
        digest.update(path.read_bytes())
    found = work / f"recorded-{digest.hexdigest()[:16]}.jsonl"
    if not found.exists():
        found.write_text("".join(record_answers()), encoding="utf-8")
    return found


def record_answers() -> Iterator[str]:
    """Give random cases with the answers of the reference, a line each."""
    for make, count in ((closed_case, CLOSED), (malformed_case, BROKEN), (open_case, OPEN)):
        for number in range(count):
            record = make(f"mutation/{number}")
            if make is open_case and count_completions(record) > MOST_COMPLETIONS:
                continue
            answers = sorted(reference_answers(record))
            yield json.dumps({"record": record, "answers": answers}) + "\n"


def run_mutmut(work: Path) -> None:
    """Run mutmut on what is left to try."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1"]
    with (work / "mutmut.log").open("a", encoding="utf-8") as log:
        done = subprocess.run(
            command, cwd=work, stdout=log, stderr=subprocess.STDOUT, check=False, env=_settled()
        )
    if done.returncode not in (0, 1):
        raise SystemExit(f"mutmut ended with {done.returncode}: see {log.name}")


def _settled() -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def mend(work: Path, modules: tuple[str, ...]) -> None:
    """Drop results that a run killed while it wrote them has left: mutmut cannot read them."""
    for path in (_results(work, module) for module in modules):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except ValueError:
            path.unlink()


def forget_survivors(work: Path, modules: tuple[str, ...]) -> None:
    """Have the survivors tried again."""
    for path in (_results(work, module) for module in modules):
        if not path.exists():
            continue
        known = json.loads(path.read_text(encoding="utf-8"))
        codes = known["exit_code_by_key"]
        again = {name: NOT_RUN for name, code in codes.items() if code in (SURVIVED, *NO_TESTS)}
        known["exit_code_by_key"] = codes | again
        path.write_text(json.dumps(known), encoding="utf-8")


def _results(work: Path, module: str) -> Path:
    return work / "mutants" / PACKAGE / f"{module}.py.meta"


# --- what came of it -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutant: where it is, what it changes, how the tests took it."""

    name: str
    module: str
    function: str
    change: str
    exit_code: int | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Give what stays the same when other lines of the module change."""
        return self.module, self.function, self.change


def read_mutants(work: Path, modules: tuple[str, ...]) -> Iterator[Mutant]:
    """Read all that mutmut has made so far."""
    for module in modules:
        path = _results(work, module)
        known = json.loads(path.read_text(encoding="utf-8"))
        codes: dict[str, int | None] = known["exit_code_by_key"]
        texts = _functions(path.with_suffix("").read_text(encoding="utf-8"))
        for name, code in codes.items():
            yield _mutant(module, name, code, texts)


def _functions(source: str) -> dict[str, str]:
    """Give the text of every mutant and original by its name."""
    lines = source.splitlines()
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }


def _mutant(module: str, name: str, code: int | None, texts: dict[str, str]) -> Mutant:
    short = name.rpartition(".")[2]
    mangled = short.partition("__mutmut_")[0]
    function = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    change = _change(texts[f"{mangled}__mutmut_orig"], texts[short])
    return Mutant(name, module, function, change, code)


def _change(before: str, after: str) -> str:
    found = difflib.ndiff(before.splitlines()[1:], after.splitlines()[1:])
    kept = [f"{line[0]} {line[1:].strip()}" for line in found if line[0] in "-+"]
    first = zip(before.splitlines()[:1], after.splitlines()[:1], strict=True)
    signature = [_unnamed(old, new) for old, new in first]
    return "\n".join([line for line in signature if line] + kept)


def _unnamed(old: str, new: str) -> str:
    """Give the difference of two first lines, where only the names are known to differ."""
    left, right = old.partition("(")[2], new.partition("(")[2]
    return "" if left == right else f"- ({left}\n+ ({right}"


Explained = dict[tuple[str, str, str], str]


def read_explained(path: Path) -> Explained:
    """Give the reason why each explained mutant may live."""
    lines = path.read_text(encoding="utf-8").splitlines()
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return {(one["module"], one["function"], one["change"]): one["reason"] for one in records}


def report(mutants: list[Mutant], modules: tuple[str, ...], explained: Explained) -> int:
    """Print the counts and what is not explained; give the exit code."""
    living = [one for one in mutants if one.exit_code == SURVIVED or one.exit_code in NO_TESTS]
    strange = [one for one in living if one.key not in explained]
    waiting = sum(one.exit_code is NOT_RUN for one in mutants)
    for module in modules:
        print(_line(module, [one for one in mutants if one.module == module], explained))
    for one in strange:
        print(f"\nsurvives, not explained: {one.name}\n{one.change}")
    stale = {key for key in explained if key[0] in modules} - {one.key for one in living}
    for module, function, change in sorted(stale):
        print(f"\nexplained, but does not survive: {module}.{function}\n{change}")
    if waiting:
        print(f"\n{waiting} mutants were not tried: start again to go on")
    return 1 if strange or stale or waiting else 0


def counted(mutants: list[Mutant], modules: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Give how many mutants each module had, and how many of them survive."""
    found: dict[str, dict[str, int]] = {}
    for module in modules:
        codes = [one.exit_code for one in mutants if one.module == module]
        survive = sum(code == SURVIVED or code in NO_TESTS for code in codes)
        killed = sum(code is not NOT_RUN for code in codes) - survive
        found[module] = {"mutants": len(codes), "killed": killed, "survive": survive}
    return found


def _line(module: str, mutants: list[Mutant], explained: Explained) -> str:
    counts = Counter(_status(one, explained) for one in mutants)
    shown = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return f"{module}: {len(mutants)} mutants: {shown}"


def _status(mutant: Mutant, explained: Explained) -> str:
    if mutant.exit_code is NOT_RUN:
        return "not tried"
    if mutant.exit_code == SURVIVED or mutant.exit_code in NO_TESTS:
        return "explained" if mutant.key in explained else "surviving"
    return "killed" if mutant.exit_code in (1, 3) else "killed by time or crash"


def main(arguments: list[str] | None = None) -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--modules", default=",".join(MODULES))
    parser.add_argument("--again", action="store_true", help="try the survivors again")
    parser.add_argument("--explained", type=Path, default=EXPLAINED)
    parser.add_argument("--report", action="store_true", help="only tell what is known")
    parser.add_argument("--keep", type=Path, help="write the counts to this file")
    given = parser.parse_args(arguments)
    modules = tuple(given.modules.split(","))
    work = given.state
    if not given.report:
        mend(work, modules)
        if given.again:
            forget_survivors(work, modules)
        make_copy(work, modules)
        run_mutmut(work)
    mutants = [*read_mutants(work, modules)]
    if given.keep is not None:
        given.keep.write_text(json.dumps(counted(mutants, modules), indent=1) + "\n", "utf-8")
    return report(mutants, modules, read_explained(given.explained))


if __name__ == "__main__":
    sys.exit(main())
