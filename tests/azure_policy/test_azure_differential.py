"""The Azure engine against the slow reference evaluator, on cases that nobody wrote."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from modelreach.policy.azure.cases import facts_of, run_case
from modelreach.policy.azure.engine import AzureEngine
from modelreach.policy.expr import satisfiable
from modelreach_reference.azure import answers, count_completions
from modelreach_reference.azure_cases import Agreement, agreement, case, shrink

MOST_COMPLETIONS = 400


def _contradicts(record: Any) -> bool:
    return agreement(str(run_case(record).verdict), answers(record)) is Agreement.NONE


@pytest.mark.parametrize("part", range(4))
def test_random_cases_agree(part: int) -> None:
    counts: Counter[Agreement] = Counter()
    for number in range(part * 500, part * 500 + 500):
        record = case(f"test/{number}")
        if count_completions(record) > MOST_COMPLETIONS:
            continue
        verdict, found = str(run_case(record).verdict), answers(record)
        counts[agreement(verdict, found)] += 1
        if agreement(verdict, found) is Agreement.NONE:
            small = shrink(record, _contradicts)
            shown = f"engine {run_case(small).verdict}, reference {answers(small)}"
            pytest.fail(f"{record['id']}: {shown}\n{json.dumps(small)}")
    assert counts[Agreement.FULL] > 400
    assert counts[Agreement.WEAKER] < 20


@pytest.mark.parametrize("part", range(2))
def test_the_symbolic_set_says_what_decisions_say(part: int) -> None:
    """Where nothing hangs on the resource's name, and no lock is in the way."""
    for number in range(part * 250, part * 250 + 250):
        record = case(f"set/{number}")
        record["locks"], record["context"] = {}, {}
        if "@Resource" in json.dumps(record):
            continue
        engine = AzureEngine(facts_of(record))
        held = engine.permissions(record["principal"])
        for resource in ("/subscriptions/s1", record["resource"].lower()):
            decided = engine.decide(record["principal"], record["action"], resource)
            allowed = held.contains(record["action"], resource)
            assert allowed is (decided.verdict == "allow"), record["id"]
            possible = satisfiable(held.condition_for(record["action"], resource))
            assert possible is (decided.verdict != "deny"), record["id"]
