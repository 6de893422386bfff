"""Compares the AWS engine with the reference evaluator on as many random cases as one likes.

    python tests/soak/campaign_aws.py --cases 1000000 --state /tmp/campaign.json

One case in ten has an open context, one in twenty a broken statement. Every disagreement is
shrunk. How campaigns go on, and what they write: `modelreach_reference.campaign`. Ends with 1 if
there was a disagreement.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

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
from modelreach_reference.campaign import Batch, Record, main

MOST_COMPLETIONS = 200
"""Open cases that would take more tries than this are left out."""


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


if __name__ == "__main__":
    sys.exit(main(compare, __doc__ or ""))
