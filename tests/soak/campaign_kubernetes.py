"""Compares the engine of Kubernetes with its reference on as many random cases as one likes.

    python tests/soak/campaign_kubernetes.py --cases 1000000 --state /tmp/campaign.json

Every disagreement is shrunk. How campaigns go on, and what they write:
`modelreach_reference.campaign`. Ends with 1 if there was a disagreement.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

from kubernetes_api.cases import decide
from modelreach_reference.campaign import Batch, main
from modelreach_reference.gcp_cases import Agreement, agreement
from modelreach_reference.kubernetes import answers, count_completions
from modelreach_reference.kubernetes_cases import random_case, shrink

MOST_COMPLETIONS = 512
"""Cases that would take more tries than this are left out."""


def compare(seed: str, size: int, start: int) -> Batch:
    """Compare the two on the cases from a number on."""
    batch = Batch(size, Counter(), [])
    for number in range(start, start + size):
        record = random_case(f"{seed}/{number}")
        if count_completions(record) > MOST_COMPLETIONS:
            batch.counts["left out"] += 1
            continue
        verdict, found = decide(record).verdict.value, answers(record)
        stands = agreement(verdict, found)
        batch.counts[verdict] += 1
        batch.counts[stands.value] += 1
        if stands is Agreement.NONE:
            reason = {"engine": verdict, "reference": sorted(found)}
            batch.disagreements.append({**shrink(record, contradicts), "disagreement": reason})
    return batch


def contradicts(record: dict[str, Any]) -> bool:
    """Do the two contradict each other on a case?"""
    if count_completions(record) > MOST_COMPLETIONS:
        return False
    return agreement(decide(record).verdict.value, answers(record)) is Agreement.NONE


if __name__ == "__main__":
    sys.exit(main(compare, __doc__ or ""))
