"""Whoever shows a token, and whoever lets it in, over four clouds at once: the engines together
against the slow reference."""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from typing import Any

import pytest

from modelreach_reference.clouds import hops as expected
from modelreach_reference.clouds_cases import random_case, shrink
from organisations.clouds import hops

# The first one raises the limit of recursion.
import_module("celpy").Environment()


def differs(record: dict[str, Any]) -> bool:
    return hops(record) != expected(record)


def compare(seed: str) -> Counter[str]:
    """Compare one case; give how many hops of which strength it has."""
    record = random_case(seed)
    if differs(record):
        small = shrink(record, differs)
        told, wanted = hops(small), expected(small)
        lines = [
            f"{key}: engines {told.get(key)}, reference {wanted.get(key)}"
            for key in sorted({*told, *wanted})
            if told.get(key) != wanted.get(key)
        ]
        pytest.fail("\n".join([seed, *lines, json.dumps(small, indent=1)]))
    return Counter(expected(record).values())


def test_hops_are_those_of_the_reference() -> None:
    counts: Counter[str] = Counter()
    for number in range(60):
        counts += compare(f"test/{number}")
    assert counts["certain"] > 100
    assert counts["perhaps"] > 5


@pytest.mark.soak
def test_hops_are_those_of_the_reference_for_long() -> None:
    for number in range(30_000):
        compare(f"soak/{number}")
