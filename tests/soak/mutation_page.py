"""Write docs/reference/mutation-testing.md: `python tests/soak/mutation_page.py`.

It says what the last whole run counted (`mutation_run.json`, which `mutation_aws.py --keep`
writes) and why each mutant that survives may (`mutation_explained.jsonl`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "reference" / "mutation-testing.md"

Record = dict[str, str]

_HEAD = """\
# Mutation testing of the AWS evaluator

The evaluator is changed in one place at a time (mutmut), and the quick tests are run: those of
decisions, conditions, operators and principals, the policy cases, and random cases whose answers
the reference evaluator gave. A change that no test notices is a *survivor*. It is a hole in the
tests, or the changed program does the same.

    python tests/soak/mutation_aws.py --state /tmp/mutation          # interrupted, it goes on
    python tests/soak/mutation_aws.py --state /tmp/mutation --again  # the survivors once more

`make soak` runs it, some half an hour. It fails on a survivor that is not listed here, and on one
that is listed and does not survive any more. This page is written from what it reads, by
`python tests/soak/mutation_page.py`.

## The last whole run

| module | mutants | killed | survive |
|---|---|---|---|
"""


def page(run: dict[str, dict[str, int]], records: list[Record]) -> str:
    """Give the page."""
    lines = [_HEAD + "\n".join(_counts(run)), "", "## What survives, and why it may", ""]
    ordered = sorted(records, key=itemgetter("module", "function", "reason", "change"))
    for module, of_module in groupby(ordered, key=itemgetter("module")):
        lines += [f"### `{module}`", ""]
        for (function, reason), found in groupby(of_module, key=itemgetter("function", "reason")):
            lines += [f"**`{function}`**: {reason}", "", "```diff"]
            lines += [one["change"] for one in found]
            lines += ["```", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _counts(run: dict[str, dict[str, int]]) -> Iterator[str]:
    for module, counts in run.items():
        yield f"| `{module}` | {counts['mutants']} | {counts['killed']} | {counts['survive']} |"
    sums = [sum(one[name] for one in run.values()) for name in ("mutants", "killed", "survive")]
    yield f"| together | {sums[0]:,} | {sums[1]:,} | {sums[2]:,} |"


def recorded() -> tuple[dict[str, dict[str, int]], list[Record]]:
    """Read what the page is made from."""
    run = json.loads((HERE / "mutation_run.json").read_text(encoding="utf-8"))
    lines = (HERE / "mutation_explained.jsonl").read_text(encoding="utf-8").splitlines()
    return run, [json.loads(line) for line in lines]


if __name__ == "__main__":
    PAGE.write_text(page(*recorded()), encoding="utf-8")
