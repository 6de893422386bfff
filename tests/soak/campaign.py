"""Compares the engine of a provider with its reference on as many random cases as one likes.

    python tests/soak/campaign.py aws --cases 1000000 --state /tmp/campaign.json

Every disagreement is shrunk. How campaigns go on, and what they write:
`modelreach_reference.campaign`. Ends with 1 if there was a disagreement.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

from modelreach_reference.campaign import Batch, Record, main

#: What `agreement` says of a verdict that the reference contradicts.
CONTRADICTS = "contradicts"


@dataclass(frozen=True)
class Contest:
    """What is a provider's own in a campaign.

    `case` makes a case of its name and number, `tries` counts what the reference has to try out
    of one, and those that take more than `most` are left out. `verdicts` are the engine's on some
    cases, `answers` the reference's to one, `told` those as a list. `agreement` says how the two
    stand to each other; `shrink` leaves out of a case what can go while something holds.
    """

    most: int
    case: Callable[[str, int], Record]
    tries: Callable[[Record], int]
    verdicts: Callable[[Iterable[Record]], Iterator[str]]
    answers: Callable[[Record], Any]
    agreement: Callable[[Record, str, Any], str]
    shrink: Callable[[Record, Callable[[Record], bool]], Record]
    told: Callable[[Any], list[str]] = sorted
    counted: Callable[[Record, str], str] = lambda _, verdict: verdict

    def fits(self, record: Record) -> bool:
        """Can the reference try a case out?"""
        return self.tries(record) <= self.most

    def smallest(self, record: Record, verdict: str, answers: Any) -> Record:
        """Shrink a disagreement; the two keep contradicting each other in the same way."""

        def still(smaller: Record) -> bool:
            return (
                self.fits(smaller)
                and next(self.verdicts([smaller])) == verdict
                and self.told(self.answers(smaller)) == self.told(answers)
                and self.agreement(smaller, verdict, self.answers(smaller)) == CONTRADICTS
            )

        reason = {"engine": verdict, "reference": self.told(answers)}
        return {**self.shrink(record, still), "disagreement": reason}


def compare(provider: str, seed: str, size: int, start: int) -> Batch:
    """Compare the two on the cases from a number on."""
    contest = CONTESTS[provider]()
    made = (contest.case(f"{seed}/{number}", number) for number in range(start, start + size))
    records = [record for record in made if contest.fits(record)]
    batch = Batch(size, Counter({"left out": size - len(records)}), [])
    for record, verdict in zip(records, contest.verdicts(records), strict=True):
        answers = contest.answers(record)
        found = contest.agreement(record, verdict, answers)
        batch.counts[contest.counted(record, verdict)] += 1
        batch.counts[found] += 1
        if found == CONTRADICTS:
            batch.disagreements.append(contest.smallest(record, verdict, answers))
    return batch


@cache
def aws() -> Contest:
    """One case in ten has an open context, one in twenty a broken statement."""
    from modelreach.policy.aws.cases import run_cases
    from modelreach_reference import aws_cases
    from modelreach_reference.aws import count_completions

    def case(name: str, number: int) -> Record:
        if number % 10 == 3:
            return aws_cases.open_case(name)
        if number % 20 == 7:
            return aws_cases.malformed_case(name)
        return aws_cases.closed_case(name)

    def verdicts(records: Iterable[Record]) -> Iterator[str]:
        for result in run_cases(json.dumps(record) for record in records):
            yield result.verdict.value

    return Contest(
        most=200,
        case=case,
        # Once, if the context is whole.
        tries=lambda record: 1 if record["mode"] == "strict" else count_completions(record),
        verdicts=verdicts,
        answers=aws_cases.reference_answers,
        agreement=aws_cases.agreement,
        shrink=aws_cases.shrink,
        counted=lambda record, verdict: f"{record['mode']}: {verdict}",
    )


@cache
def azure() -> Contest:
    """Cases of Azure are all of one kind."""
    from modelreach.policy.azure.cases import run_case
    from modelreach_reference import azure_cases
    from modelreach_reference.azure import answers, count_completions

    return Contest(
        most=4_000,
        case=lambda name, _: azure_cases.case(name),
        tries=count_completions,
        verdicts=lambda records: (str(run_case(record).verdict) for record in records),
        answers=answers,
        agreement=lambda _, verdict, found: azure_cases.agreement(verdict, found),
        shrink=azure_cases.shrink,
        told=lambda found: sorted(found.found),
    )


@cache
def gcp() -> Contest:
    """Cases of Google Cloud are all of one kind."""
    from modelreach.policy.gcp.cases import decide
    from modelreach_reference import gcp_cases
    from modelreach_reference.gcp import answers, count_completions

    return Contest(
        most=512,
        case=lambda name, _: gcp_cases.random_case(name),
        tries=count_completions,
        verdicts=lambda records: (decide(record).verdict.value for record in records),
        answers=answers,
        agreement=lambda _, verdict, found: gcp_cases.agreement(verdict, found),
        shrink=gcp_cases.shrink,
    )


@cache
def kubernetes() -> Contest:
    """Answers of Kubernetes stand to verdicts as those of Google Cloud do."""
    from kubernetes_api.cases import decide
    from modelreach_reference import kubernetes_cases
    from modelreach_reference.gcp_cases import agreement
    from modelreach_reference.kubernetes import answers, count_completions

    return Contest(
        most=512,
        case=lambda name, _: kubernetes_cases.random_case(name),
        tries=count_completions,
        verdicts=lambda records: (decide(record).verdict.value for record in records),
        answers=answers,
        agreement=lambda _, verdict, found: agreement(verdict, found),
        shrink=kubernetes_cases.shrink,
    )


#: The providers, each with what imports its engine and its reference.
CONTESTS: dict[str, Callable[[], Contest]] = {
    "aws": aws,
    "azure": azure,
    "gcp": gcp,
    "kubernetes": kubernetes,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("provider", choices=sorted(CONTESTS))
    chosen, rest = parser.parse_known_args()
    sys.exit(main(partial(compare, chosen.provider), __doc__ or "", rest))
