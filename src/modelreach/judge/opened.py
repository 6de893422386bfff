"""What a credential opens, in a few words: how much, how sensitive, and which accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from modelreach.judge.finding import Case, short
from modelreach.model import Sensitivity
from modelreach.reach import Access, BlastRadius, reach
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
    if opened.only:
        radius = replace(
            radius,
            accesses=_good_for(radius.accesses, opened.only),
            patterns=_good_for(radius.patterns, opened.only),
            takeovers={},
        )
    return _words(case, radius)


def _good_for(accesses: Iterable[Access], only: str) -> tuple[Access, ...]:
    """Give those that the identity has by itself, by actions that begin so."""
    return tuple(
        access
        for access in accesses
        if not access.path.pivots
        and any(action.startswith(only) for action in access.grant.actions)
    )


def _words(case: Case, radius: BlastRadius) -> str:
    reached = {a.grant.resource for a in radius.accesses}
    # What lies in a scope that is taken over, the taking over says.
    unlisted = [a.grant for a in radius.patterns if a.grant.scope not in radius.takeovers]
    patterns = {grant.resource for grant in unlisted}
    actions = sorted({action for grant in unlisted for action in grant.actions})
    sensitive = sorted(
        {
            access.grant.name or short(access.grant.resource)
            for access in radius.accesses
            if case.rated(access.grant).level is Sensitivity.HIGH
        }
    )
    parts = [f"opens {_count(len(reached), 'resource')}"]
    if sensitive:
        shown = ", ".join(f"`{name}`" for name in sensitive[:_SHOWN])
        more = f" and {len(sensitive) - _SHOWN} more" if sensitive[_SHOWN:] else ""
        parts.append(f"{len(sensitive)} of them sensitive ({shown}{more})")
    if patterns:
        shown = ", ".join(f"`{action}`" for action in actions[:_SHOWN])
        more = f" and {len(actions) - _SHOWN} more" if actions[_SHOWN:] else ""
        parts.append(f"{_count(len(patterns), 'pattern')} of what is not listed ({shown}{more})")
    if radius.takeovers:
        parts.append("administration of " + ", ".join(sorted(radius.takeovers)))
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
