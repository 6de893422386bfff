"""What a credential opens, in a few words: how much, how sensitive, and which accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from modelreach.accesses import Access, Part, Piece, together
from modelreach.judge.finding import Case, short
from modelreach.model import Sensitivity
from modelreach.policy.lots import places
from modelreach.reach import reach
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
    radius = reach([opened.principal], case.engines)
    if not opened.only:
        return _words(case, radius.accesses.pieces, radius.patterns, radius.takeovers)
    pieces = (p for p in radius.accesses.pieces if _good_for(p.access, opened.only))
    patterns = (access for access in radius.patterns if _good_for(access, opened.only))
    return _words(case, pieces, patterns, {})


def _good_for(access: Access, only: str) -> bool:
    """Has the identity it by itself, by actions that begin so?"""
    return not access.path.pivots and any(
        action.startswith(only) for action in access.grant.actions
    )


def _words(
    case: Case, pieces: Iterable[Piece], listed: Iterable[Access], takeovers: Collection[str]
) -> str:
    parts = together(pieces)
    reached = {name for part in parts for name in part.ids}
    # What lies in a scope that is taken over, the taking over says.
    unlisted = [a.grant for a in listed if a.grant.scope not in takeovers]
    patterns = {grant.resource for grant in unlisted}
    actions = sorted({action for grant in unlisted for action in grant.actions})
    sensitive = sorted({name for part in parts for name in _sensitive(case, part)})
    found = [f"opens {_count(len(reached), 'resource')}"]
    if sensitive:
        shown = ", ".join(f"`{name}`" for name in sensitive[:_SHOWN])
        more = f" and {len(sensitive) - _SHOWN} more" if sensitive[_SHOWN:] else ""
        found.append(f"{len(sensitive)} of them sensitive ({shown}{more})")
    if patterns:
        shown = ", ".join(f"`{action}`" for action in actions[:_SHOWN])
        more = f" and {len(actions) - _SHOWN} more" if actions[_SHOWN:] else ""
        found.append(f"{_count(len(patterns), 'pattern')} of what is not listed ({shown}{more})")
    if takeovers:
        found.append("administration of " + ", ".join(sorted(takeovers)))
    return ", ".join(found)


def _sensitive(case: Case, part: Part) -> Iterator[str]:
    """Give the names of what is sensitive."""
    high = case.weighing.rated(part.grant, part.lot, part.mask, (Sensitivity.HIGH,))
    for place in places(high):
        thing = part.lot.thing(place)
        yield thing.name or short(thing.id)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
