"""Snapshots dropped from a store, without losing what was found in those that stay.

What is kept may speak of facts of any snapshot. Nothing is to stay of those that are dropped: so
of what was found only that is carried over which holds in the last one, and as found in that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelreach.pipeline import answering, kept
from modelreach.pipeline.holding import Holding, engine_version
from modelreach.policy import providers
from modelreach.policy.engine import Engine
from modelreach.store import Kept, Store, StoredSnapshot

#: What is kept, by name and key.
_Found = dict[str, dict[bytes, bytes]]


def drop_all_but(path: Path, count: int) -> None:
    """Drop all but the last snapshots of a store."""
    store = Store(path)
    snapshots = store.snapshots()
    old = snapshots[: len(snapshots) - count]
    if old:
        _drop(store, old, StoredSnapshot(store, snapshots[-1]))
    store.close()


def _drop(store: Store, old: tuple[Kept, ...], last: StoredSnapshot) -> None:
    facts = last.facts
    holding = Holding(facts, sorted(providers.makers(facts)), _nobody)
    found = _carried(store, last, holding)
    for one in old:
        store.drop(one)
    for name, rows in found.items():
        store.keep_derived(name, rows)
    if found:
        holding.keep()
        facts.keep()


def _carried(store: Store, last: StoredSnapshot, holding: Holding) -> _Found:
    facts = last.facts
    version = engine_version(tuple(sorted(providers.makers(facts))))
    found: _Found = {}
    lots: set[str] = set()
    for name in store.derived_names():
        if name.startswith(f"decided {version} "):
            found[name] = kept.carried(_rows(store, name), facts, holding)
        elif name.startswith(f"answers {version} "):
            found[name], named = answering.carried(_rows(store, name), facts, holding)
            lots.update(key.hex() for key in named)
    kept_lots = _rows(store, answering.name_of_lots(version)) if lots else {}
    found[answering.name_of_lots(version)] = {
        key: raw for key, raw in kept_lots.items() if key.decode() in lots
    }
    # What is derived from a part and nothing else.
    sources = {facts.digest_of(part) for part in facts.parts}
    for name in store.derived_names():
        rows = store.all_derived(name)
        mine = _whole(store, {source: rows[source] for source in sources & rows.keys()})
        if mine:
            found[name] = mine
    return {name: rows for name, rows in found.items() if rows}


def _rows(store: Store, name: str) -> dict[bytes, bytes]:
    return _whole(store, store.all_derived(name))


def _whole(store: Store, rows: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Unpack what is not damaged."""
    found = {key: store.recovered(packed) for key, packed in rows.items()}
    return {key: raw for key, raw in found.items() if raw is not None}


def _nobody(provider: str) -> Engine:
    raise AssertionError(f"nothing is decided here, and {provider} is not asked")
