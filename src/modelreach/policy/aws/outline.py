"""Statements in outline: by what they tell resources apart, without deciding anything."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from modelreach.policy.aws.matching import opened
from modelreach.policy.aws.statement import Effect, Patterns, PolicyDocument, Statement


class Outline(msgspec.Struct, frozen=True):
    """A statement in outline: by what it tells resources apart.

    `services` are those that it speaks of, None for any. `globs` are its patterns, `open` those
    with policy variables (left open), `reach` those of what it may touch (`*` for a NotResource).
    `tags` are the resource tags that it asks about, in lower case; `of_owner`: it asks who owns
    the resource.
    """

    services: frozenset[str] | None
    allows: bool
    globs: tuple[str, ...]
    open: tuple[str, ...]
    reach: tuple[str, ...]
    tags: frozenset[str]
    of_owner: bool


# The document is kept with them, so its id stays taken.
_OUTLINES: dict[int, tuple[PolicyDocument, tuple[Outline, ...]]] = {}
_MOST = 400_000


def outlines(document: PolicyDocument) -> tuple[Outline, ...]:
    """Give a document's statements in outline; each document is gone through once."""
    found = _OUTLINES.get(id(document))
    if found is None or found[0] is not document:
        if len(_OUTLINES) >= _MOST:
            _OUTLINES.clear()
        lines = tuple(outline(statement) for statement in document.statements)
        found = _OUTLINES[id(document)] = (document, lines)
    return found[1]


def outline(statement: Statement) -> Outline:
    """Give a statement in outline."""
    resources = statement.resources
    globs = resources.globs if resources else ()
    varying = [g for g in globs if statement.variables and "${" in g]
    plain = tuple(g for g in globs if g != "*" and g not in varying)
    filled = tuple(map(opened, varying))
    tags, of_owner = _asked(statement)
    everything = resources is None or resources.negated or "*" in globs
    return Outline(
        services=_services(statement.actions),
        allows=statement.effect is Effect.ALLOW,
        globs=plain,
        open=filled,
        reach=("*",) if everything else (*plain, *filled),
        tags=tags,
        of_owner=of_owner,
    )


@lru_cache(1 << 14)
def _services(actions: Patterns) -> frozenset[str] | None:
    heads = {glob.partition(":")[0] for glob in actions.globs}
    if actions.negated or any("*" in head or "?" in head for head in heads):
        return None
    return frozenset(heads)


_TAG = "aws:resourcetag/"


def _asked(statement: Statement) -> tuple[frozenset[str], bool]:
    """Give the tags of the resource that a statement asks about, and whether it asks who owns
    it."""
    tags: set[str] = set()
    of_owner = False
    for condition in statement.conditions:
        for text in (condition.key, *condition.values):
            lower = text.lower()
            of_owner = of_owner or "aws:resourceaccount" in lower
            if condition.key is text and lower.startswith(_TAG):
                tags.add(lower.removeprefix(_TAG))
            elif _TAG in lower:
                tags.update(
                    part.split("}")[0].split(",")[0].strip() for part in lower.split(_TAG)[1:]
                )
    return frozenset(tags), of_owner
