"""A campaign: an engine and its reference compared on as many random cases as one likes.

Cases are numbered: the same seed and number give the same case. The state file says how far a
campaign is; started again with it, it goes on. Every disagreement is written, a line each, beside
the state file. What is compared, and how, is the caller's.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

Record = dict[str, object]


@dataclass(slots=True)
class Progress:
    """How far a campaign is and what it has found."""

    seed: str
    done: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter[str])
    disagreements: int = 0

    @staticmethod
    def read(path: Path, seed: str) -> Progress:
        """Read the state file, if there is one of the same seed."""
        if not path.exists():
            return Progress(seed)
        state = json.loads(path.read_text(encoding="utf-8"))
        if state["seed"] != seed:
            raise SystemExit(f"{path} belongs to seed `{state['seed']}`")
        counts = Counter[str](state["counts"])
        return Progress(seed, state["done"], state["seconds"], counts, state["disagreements"])

    def write(self, path: Path) -> None:
        """Write the state file whole."""
        state = {
            "seed": self.seed,
            "done": self.done,
            "seconds": round(self.seconds, 1),
            "counts": dict(sorted(self.counts.items())),
            "disagreements": self.disagreements,
        }
        beside = path.with_name(path.name + ".new")
        beside.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        beside.replace(path)


@dataclass(slots=True)
class Batch:
    """What some consecutive cases came to."""

    cases: int
    counts: Counter[str]
    disagreements: list[Record]


#: Compares on some cases: the seed, how many, and the number of the first.
Compare = Callable[[str, int, int], Batch]


def run(compare: Compare, cases: int, path: Path, seed: str, workers: int, size: int) -> Progress:
    """Run the campaign from where it is to the wanted number of cases."""
    progress = Progress.read(path, seed)
    out = path.with_name(path.name + ".disagreements.jsonl")
    if not progress.done:
        out.unlink(missing_ok=True)
    starts = range(progress.done, cases, size)
    before, began = progress.seconds, time.monotonic()
    print(f"seed {seed}: {progress.done} of {cases} cases done, {workers} processes", flush=True)
    with multiprocessing.Pool(workers) as pool:
        for batch in pool.imap(partial(compare, seed, size), starts):
            take(progress, batch, out)
            progress.seconds = before + time.monotonic() - began
            progress.write(path)
            report(progress)
    return progress


def take(progress: Progress, batch: Batch, out: Path) -> None:
    """Add a batch to the progress, and its disagreements to their file."""
    progress.done += batch.cases
    progress.counts += batch.counts
    progress.disagreements += len(batch.disagreements)
    with out.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in batch.disagreements)


def report(progress: Progress) -> None:
    """Print one line on how it goes."""
    speed = progress.done / progress.seconds if progress.seconds else 0
    print(
        f"{progress.done} cases, {progress.disagreements} disagreements, {speed:.0f} cases/s",
        flush=True,
    )


def main(
    compare: Compare,
    about: str,
    arguments: list[str] | None = None,
    show: Callable[[str], None] = print,
) -> int:
    """Run a campaign as the command line says."""
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--seed", default="soak")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=2_000)
    given = parser.parse_args(arguments)
    progress = run(compare, given.cases, given.state, given.seed, given.workers, given.batch)
    for name, count in sorted(progress.counts.items()):
        show(f"{count:>9}  {name}")
    return 1 if progress.disagreements else 0
