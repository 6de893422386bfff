"""Compares the AWS engine with the reference evaluator on as many random cases as one likes.

    python tests/soak/campaign_aws.py --cases 1000000 --state /tmp/campaign.json

One case in ten has an open context, one in twenty a broken statement. Cases are numbered: the
same seed and number give the same case. The state file says how far the campaign is; started
again with it, the campaign goes on. Every disagreement is shrunk and written, a line each, beside
the state file. Ends with 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from modelreach.policy.aws.cases import run_cases
from modelreach_reference.aws import count_completions
from modelreach_reference.aws_cases import (
    Agreement,
    agreement,
    closed_case,
    malformed_case,
    open_case,
    reference_answers,
    shrink,
)

Record = dict[str, object]

MOST_COMPLETIONS = 200
"""Open cases that would take more tries than this are left out."""


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


def case(seed: str, number: int) -> Record:
    """Give one case of a campaign by its number."""
    name = f"{seed}/{number}"
    if number % 10 == 3:
        return open_case(name)
    if number % 20 == 7:
        return malformed_case(name)
    return closed_case(name)


def verdicts(records: Iterable[Record]) -> Iterator[str]:
    """Give the engine's verdicts on some cases."""
    for result in run_cases(json.dumps(record) for record in records):
        yield result.verdict.value


def compare(seed: str, size: int, start: int) -> Batch:
    """Compare the two on the cases from a number on."""
    records = [case(seed, number) for number in range(start, start + size)]
    records = [record for record in records if count_completions_of(record) <= MOST_COMPLETIONS]
    batch = Batch(size, Counter(), [])
    for record, verdict in zip(records, verdicts(records), strict=True):
        answers = reference_answers(record)
        found = agreement(record, verdict, answers)
        batch.counts[f"{record['mode']}: {verdict}"] += 1
        batch.counts[found.value] += 1
        if found is Agreement.NONE:
            batch.disagreements.append(smallest(record, verdict, answers))
    batch.counts["left out"] += size - len(records)
    return batch


def count_completions_of(record: Record) -> int:
    """Count what the reference has to try: once if the context is whole."""
    return 1 if record["mode"] == "strict" else count_completions(record)


def smallest(record: Record, verdict: str, answers: set[str]) -> Record:
    """Shrink a disagreement; the two keep contradicting each other in the same way."""

    def still(smaller: Record) -> bool:
        return (
            count_completions_of(smaller) <= MOST_COMPLETIONS
            and next(verdicts([smaller])) == verdict
            and reference_answers(smaller) == answers
        )

    reason = {"engine": verdict, "reference": sorted(answers)}
    return {**shrink(record, still), "disagreement": reason}


def run(cases: int, path: Path, seed: str, workers: int, size: int) -> Progress:
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


def main(arguments: list[str] | None = None, show: Callable[[str], None] = print) -> int:
    """Run a campaign as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--seed", default="soak")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=2_000)
    given = parser.parse_args(arguments)
    progress = run(given.cases, given.state, given.seed, given.workers, given.batch)
    for name, count in sorted(progress.counts.items()):
        show(f"{count:>9}  {name}")
    return 1 if progress.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
