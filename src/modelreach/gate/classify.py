"""Is an update a security change? The dimensions that changed, why, and what is not known.

What is not declared is unknown: a dimension without a trigger is `no` only if every fact that
could have triggered was there to be compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from modelreach.deployment import Deployment
from modelreach.gate.catalogue import BY_ID, Dimension
from modelreach.gate.triggers import data, reached, refusal, tools, workflow
from modelreach.gate.triggers.reached import Reach
from modelreach.report import SecurityChange, TriggerRow, UndeclaredRow, trigger_order

Answer = Literal["yes", "no", "unknown"]

_PLACE = {id_: place for place, id_ in enumerate(BY_ID)}


def classify(old: Deployment, new: Deployment, reach: Reach) -> SecurityChange:
    """Compare two releases: what their manifests declare, and what they reach."""
    said: list[TriggerRow | UndeclaredRow] = [
        row
        for dimension in (data, tools, refusal, workflow)
        for row in dimension.compare(old.spec, new.spec)
    ]
    said += reached.compare(reach)
    triggers = _in_order(
        reached.with_what_it_opens(row, reach.report)
        for row in said
        if isinstance(row, TriggerRow)
    )
    undeclared = tuple(row for row in said if isinstance(row, UndeclaredRow))
    answers: dict[str, Answer] = {d.value: _answer(d, triggers, undeclared) for d in Dimension}
    return SecurityChange(
        verdict=_whole(answers.values()),
        dimensions=tuple(name for name, answer in answers.items() if answer == "yes"),
        by_dimension={name: str(answer) for name, answer in answers.items()},
        triggers=triggers,
        undeclared=undeclared,
    )


def _in_order(rows: Iterable[TriggerRow]) -> tuple[TriggerRow, ...]:
    """Give the triggers in the order of the catalogue."""
    return tuple(sorted(rows, key=lambda row: (_PLACE[row.id], *trigger_order(row))))


def _answer(
    dimension: Dimension,
    triggers: Iterable[TriggerRow],
    undeclared: Iterable[UndeclaredRow],
) -> Answer:
    if any(row.dimension == dimension.value for row in triggers):
        return "yes"
    return "unknown" if any(row.dimension == dimension.value for row in undeclared) else "no"


def _whole(answers: Iterable[Answer]) -> Answer:
    given = set(answers)
    return "yes" if "yes" in given else "unknown" if "unknown" in given else "no"
