"""The catalogue of triggers and demands is whole."""

from __future__ import annotations

import re

import pytest

from modelreach.gate.catalogue import BY_ID, DEMANDS, TRIGGERS, Demand, Dimension, TriggerKind


def test_no_id_is_given_twice() -> None:
    assert len(BY_ID) == len(TRIGGERS)


@pytest.mark.parametrize("kind", TRIGGERS, ids=lambda kind: kind.id)
def test_a_trigger_has_an_id_for_files_and_demands_something(kind: TriggerKind) -> None:
    assert re.fullmatch(r"[A-Z]+(-[A-Z]+)*", kind.id)
    assert kind.demands
    assert len(set(kind.demands)) == len(kind.demands)


def test_each_demand_is_explained_and_asked_for() -> None:
    asked = {demand for kind in TRIGGERS for demand in kind.demands}
    assert asked == set(DEMANDS) == set(Demand)


def test_each_dimension_has_triggers() -> None:
    assert {kind.dimension for kind in TRIGGERS} == set(Dimension)
