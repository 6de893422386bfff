"""What holds of decisions whatever the estate is, on cases that nobody wrote."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

import pytest

from modelreach.policy.azure.cases import run_case
from modelreach_reference.azure_cases import case

_ORDER = {"deny": 0, "unknown": 1, "conditional": 2, "allow": 3}
_NUMBERS = range(120)


def _rank(record: Any) -> int:
    return _ORDER[str(run_case(record).verdict)]


@pytest.mark.parametrize("part", range(2))
def test_one_more_assignment_takes_nothing_away(part: int) -> None:
    for number in _NUMBERS:
        record = case(f"laws/{part}/{number}")
        more = deepcopy(record)
        more["assignments"].append(case(f"more/{part}/{number}")["assignments"][0])
        more["roles"] = {**case(f"more/{part}/{number}")["roles"], **more["roles"]}
        assert _rank(more) >= _rank(record), record["id"]


@pytest.mark.parametrize("part", range(2))
def test_one_more_deny_assignment_or_lock_gives_nothing(part: int) -> None:
    for number in _NUMBERS:
        record = case(f"laws/{part}/{number}")
        more = deepcopy(record)
        other = case(f"more/{part}/{number}")
        more["denies"] += other["denies"]
        more["locks"] = {**other["locks"], **more["locks"]}
        assert _rank(more) <= _rank(record), record["id"]


def test_neither_order_nor_case_makes_a_difference() -> None:
    for number in _NUMBERS:
        record = case(f"laws/order/{number}")
        shuffled = deepcopy(record)
        Random(number).shuffle(shuffled["assignments"])
        shuffled["denies"].reverse()
        shuffled["action"] = record["action"].upper().replace("DATA:", "data:")
        for assignment in shuffled["assignments"]:
            assignment["scope"] = assignment["scope"].upper()
        assert _rank(shuffled) == _rank(record), record["id"]


def test_what_is_not_read_is_never_surer() -> None:
    """A role whose definition is lost makes no answer of allow, and none of deny."""
    for number in _NUMBERS:
        record = case(f"laws/lost/{number}")
        lost = deepcopy(record)
        lost["roles"] = dict.fromkeys(lost["roles"])
        before, after = str(run_case(record).verdict), str(run_case(lost).verdict)
        assert after in ("unknown", "deny"), record["id"]
        if before != "deny":
            assert after == "unknown", record["id"]
