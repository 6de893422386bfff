"""The AWS engine against the slow reference evaluator, on cases that nobody wrote."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

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
PERMANENT = Path(__file__).parents[2] / "fixtures" / "policy" / "aws" / "differential.jsonl"
MOST_COMPLETIONS = 60


def verdict_of(record: Record) -> str:
    return next(run_cases([json.dumps(record)])).verdict.value


def contradicts(record: Record) -> bool:
    found = agreement(record, verdict_of(record), reference_answers(record))
    return found is Agreement.NONE


def compared(records: list[Record]) -> Counter[Agreement]:
    """Compare the two on every case; a contradiction is shrunk and shown."""
    counts: Counter[Agreement] = Counter()
    results = run_cases(json.dumps(record) for record in records)
    for record, result in zip(records, results, strict=True):
        found = agreement(record, result.verdict.value, reference_answers(record))
        counts[found] += 1
        if found is Agreement.NONE:
            small = shrink(record, contradicts)
            shown = f"engine {verdict_of(small)}, reference {reference_answers(small)}"
            pytest.fail(f"{record['id']}: {shown}\n{json.dumps(small, indent=1)}")
    return counts


@pytest.mark.parametrize("part", range(4))
def test_closed_cases_agree(part: int) -> None:
    records = [closed_case(f"test/{number}") for number in range(part * 2000, part * 2000 + 2000)]
    assert compared(records) == {Agreement.FULL: 2000}


def test_cases_with_broken_statements_agree() -> None:
    records = [malformed_case(f"test/{number}") for number in range(1500)]
    assert compared(records) == {Agreement.FULL: 1500}


def test_conditional_is_what_some_contexts_allow_and_others_deny() -> None:
    """The engine may call an access conditional that no context can deny, but hardly ever."""
    records = [open_case(f"test/{number}") for number in range(700)]
    few = [record for record in records if count_completions(record) <= MOST_COMPLETIONS]
    counts = compared(few)
    assert len(few) > 400
    assert counts[Agreement.WEAKER] <= 0.01 * len(few)


def test_what_once_disagreed_agrees() -> None:
    lines = PERMANENT.read_text(encoding="utf-8").splitlines()
    records: list[Record] = [json.loads(line) for line in lines]
    assert records
    for record in records:
        answers = reference_answers(record)
        expected = "unknown" if "not_understood" in answers else record["expected"]
        assert verdict_of(record) == record["expected"] == expected, record["name"]
        assert agreement(record, verdict_of(record), answers) is Agreement.FULL, record["name"]


@pytest.mark.parametrize("make", [closed_case, open_case, malformed_case])
def test_a_number_is_a_case(make: Callable[[str], Record]) -> None:
    assert make("x/1") == make("x/1") != make("x/2")
