"""What a credential opens, in a few words: how much, how sensitive, and which accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from modelreach.accesses import Accesses, Held, Part, together
from modelreach.graph import Path
from modelreach.judge.finding import Case, short
from modelreach.judge.within import Sum
from modelreach.model import Sensitivity
from modelreach.policy.engine import Engine, Grant
from modelreach.policy.lots import granted, places
from modelreach.snapshot import Credential

_SHOWN: Final = 3


def opens(case: Case, key: Credential) -> str:
    """Say what whoever has this credential reaches."""
    if not key.principal:
        return "opens what answers to a key of nobody's: models, not the data of an identity"
    engine = next((e for e in case.engines.values() if e.principal(key.principal)), None)
    if engine is None:
        return f"what it opens is not known: `{key.principal}` is not in the snapshot"
    opened = engine.opened_by(key)
    if not opened.principal:
        return f"opens nothing: {opened.why}"
    if opened.only:
        return _words(case, _good_for(engine, opened.principal, opened.only), ())
    return _words(case, *case.opening.of(opened.principal))


def _good_for(engine: Engine, name: str, only: str) -> Sum:
    """Give what an identity has by itself, by actions that begin so."""

    def fits(grant: Grant) -> bool:
        return any(action.startswith(only) for action in grant.actions)

    found, principal = Sum(frozenset([name])), engine.principal(name)
    if principal is None:
        return found
    pieces = Accesses([Held(Path(name), granted(engine, name))]).pieces
    found.hold(together(piece for piece in pieces if fits(piece.access.grant)))
    found.match(filter(fits, engine.unlisted(engine.permissions(name), principal.scope)))
    return found


def _words(case: Case, whole: Sum, takeovers: Collection[str]) -> str:
    parts = whole.parts.values()
    reached = {name for part in parts for name in part.ids}
    # What lies in a scope that is taken over, the taking over says.
    unlisted = [found for scope, found in whole.patterns.items() if scope not in takeovers]
    patterns = _union(resources for resources, _ in unlisted).bit_count()
    actions = whole.words.of(_union(actions for _, actions in unlisted))
    sensitive = sorted({name for part in parts for name in _sensitive(case, part)})
    found = [f"opens {_count(len(reached), 'resource')}"]
    if sensitive:
        shown = ", ".join(f"`{name}`" for name in sensitive[:_SHOWN])
        more = f" and {len(sensitive) - _SHOWN} more" if sensitive[_SHOWN:] else ""
        found.append(f"{len(sensitive)} of them sensitive ({shown}{more})")
    if patterns:
        shown = ", ".join(f"`{action}`" for action in actions[:_SHOWN])
        more = f" and {len(actions) - _SHOWN} more" if actions[_SHOWN:] else ""
        found.append(f"{_count(patterns, 'pattern')} of what is not listed ({shown}{more})")
    if takeovers:
        found.append("administration of " + ", ".join(sorted(takeovers)))
    return ", ".join(found)


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _sensitive(case: Case, part: Part) -> Iterator[str]:
    """Give the names of what is sensitive."""
    high = case.weighing.rated(part.grant, part.lot, part.mask, (Sensitivity.HIGH,))
    for place in places(high):
        thing = part.lot.thing(place)
        yield thing.name or short(thing.id)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
