"""Compares the Azure engine with the reference evaluator on as many random cases as one likes.

    python tests/soak/campaign_azure.py --cases 200000 --state /tmp/campaign.json

Every disagreement is shrunk. How campaigns go on, and what they write:
`modelreach_reference.campaign`. Ends with 1 if there was a disagreement.
"""

from __future__ import annotations

import sys
from collections import Counter

from modelreach.policy.azure.cases import run_case
from modelreach_reference.azure import answers, count_completions
from modelreach_reference.azure_cases import Agreement, agreement, case, shrink
from modelreach_reference.azure_cases.shrink import Json
from modelreach_reference.campaign import Batch, main

MOST_COMPLETIONS = 4_000
"""Open cases that would take more tries than this are left out."""


def compare(seed: str, size: int, start: int) -> Batch:
    """Compare the two on the cases from a number on."""
    batch = Batch(size, Counter(), [])
    for number in range(start, start + size):
        record = case(f"{seed}/{number}")
        if count_completions(record) > MOST_COMPLETIONS:
            batch.counts["left out"] += 1
            continue
        verdict, found = str(run_case(record).verdict), answers(record)
        stands = agreement(verdict, found)
        batch.counts[verdict] += 1
        batch.counts[stands.value] += 1
        if stands is Agreement.NONE:
            reason = {"engine": verdict, "reference": sorted(found.found)}
            batch.disagreements.append({**shrink(record, contradicts), "disagreement": reason})
    return batch


def contradicts(record: Json) -> bool:
    """Do the two contradict each other on a case?"""
    if count_completions(record) > MOST_COMPLETIONS:
        return False
    return agreement(str(run_case(record).verdict), answers(record)) is Agreement.NONE


if __name__ == "__main__":
    sys.exit(main(compare, __doc__ or ""))
