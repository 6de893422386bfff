"""What a comparison yields: a trigger with its facts, or what has to be declared first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelreach import standards
from modelreach.gate.catalogue import BY_ID, Demand, Dimension
from modelreach.gate.scales import shown
from modelreach.report import Hop, TriggerRow, UndeclaredRow

Said = Iterator[TriggerRow | UndeclaredRow]


def trigger(
    id_: str,
    subject: str,
    old: object,
    new: object,
    *,
    witness: tuple[Hop, ...] = (),
    more: Iterable[Demand] = (),
) -> TriggerRow:
    """Give a trigger of the catalogue with its facts; `more` are demands of this one alone."""
    kind = BY_ID[id_]
    return TriggerRow(
        id=kind.id,
        dimension=kind.dimension.value,
        title=kind.title,
        subject=subject,
        old=shown(old),
        new=shown(new),
        demands=tuple(dict.fromkeys(d.value for d in (*kind.demands, *more))),
        witness=witness,
        standards=standards.keys_of(kind.id),
    )


def missing(
    dimension: Dimension, fact: str, path: str, old: object, new: object
) -> UndeclaredRow | None:
    """Give what has to be declared, if a fact is not declared (None) on both sides."""
    if old is not None and new is not None:
        return None
    side = "both" if old is None and new is None else "old" if old is None else "new"
    where = {"both": "both manifests", "old": "the old manifest", "new": "the new manifest"}[side]
    return UndeclaredRow(
        dimension=dimension.value,
        fact=fact,
        side=side,
        declare=f"declare `{path}` in {where}",
    )


def undeclared(
    dimension: Dimension, *facts: tuple[str, str, object, object]
) -> Iterator[UndeclaredRow]:
    """Give what has to be declared of several facts: (what, path, old value, new value)."""
    for fact, path, old, new in facts:
        row = missing(dimension, fact, path, old, new)
        if row is not None:
            yield row
