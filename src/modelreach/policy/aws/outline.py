"""Statements in outline: by what they tell resources apart, without deciding anything."""

from __future__ import annotations

from functools import lru_cache
from itertools import count, islice

import msgspec

from modelreach.policy.aws.kinds import ABOUT_OTHERS
from modelreach.policy.aws.matching import opened
from modelreach.policy.aws.statement import Effect, Patterns, PolicyDocument, Statement
from modelreach.policy.aws.variables import Variable, template


class Outline(msgspec.Struct, frozen=True):
    """A statement in outline: by what it tells resources apart.

    `services` are those that it speaks of, None for any. `globs` are its patterns, `open` those
    with policy variables (left open), `reach` those of what it may touch (`*` for a NotResource);
    `whole`: it means all or, `negated`, all but what its patterns mean. `tags` are the resource
    tags that it asks about, in lower case; `of_owner`: it asks who owns the resource;
    `of_resource`: it asks anything of it. `keys` are the condition keys that it asks about.
    """

    statement: Statement
    services: frozenset[str] | None
    allows: bool
    globs: tuple[str, ...]
    open: tuple[str, ...]
    reach: tuple[str, ...]
    whole: bool
    negated: bool
    tags: frozenset[str]
    of_owner: bool
    of_resource: bool
    keys: tuple[str, ...]


class Line(msgspec.Struct, frozen=True):
    """A statement in outline with a number: the same for those that say the same. `says` is one
    for its effect and actions, `asks` one for its conditions, 0 where it has none."""

    number: int
    says: int
    asks: int
    outline: Outline


class Speech(msgspec.Struct, frozen=True):
    """What a document says of one service: `number` is the same for those that say the same.
    `asking` are the lines that ask about the context."""

    number: int
    lines: tuple[Line, ...]
    asking: tuple[Line, ...]
    allows: bool


class Outlined(msgspec.Struct, eq=False):
    """A document in outline. It is kept here, so its id stays taken."""

    document: PolicyDocument
    outlines: tuple[Outline, ...]
    _lines: tuple[Line, ...] | None = None
    _speeches: dict[str, Speech] = msgspec.field(default_factory=dict[str, Speech])

    def of(self, service: str) -> Speech:
        """Give what the document says of a service."""
        found = self._speeches.get(service)
        if found is None:
            found = self._speeches[service] = _speech(self.lines, service)
        return found

    @property
    def lines(self) -> tuple[Line, ...]:
        """The statements in outline, with their numbers."""
        if self._lines is None:
            self._lines = tuple(map(_line, self.outlines))
        return self._lines


_OUTLINED: dict[int, Outlined] = {}
_NUMBERS: dict[object, int] = {}
#: How many documents, and contents of statements, are kept: an account's own are asked about in a
#: run, those of all all the time.
_MOST, _MOST_NUMBERS = 1 << 12, 1 << 16
# A number is never given twice, so clearing costs time only.
_NEXT = count(1)


def outlined(document: PolicyDocument) -> Outlined:
    """Give a document in outline; each is gone through once."""
    found = _OUTLINED.get(id(document))
    if found is None or found.document is not document:
        if len(_OUTLINED) >= _MOST:
            # The first half goes: what is asked about all the time is soon there again.
            for key in tuple(islice(_OUTLINED, _MOST // 2)):
                del _OUTLINED[key]
        found = Outlined(document, tuple(map(outline, document.statements)))
        _OUTLINED[id(document)] = found
    return found


def outlines(document: PolicyDocument) -> tuple[Outline, ...]:
    """Give a document's statements in outline."""
    return outlined(document).outlines


def speech(document: PolicyDocument, service: str) -> Speech:
    """Give what a document says of a service."""
    return outlined(document).of(service)


def _speech(every: tuple[Line, ...], service: str) -> Speech:
    lines = tuple(
        line for line in every if line.outline.services is None or service in line.outline.services
    )
    return Speech(
        _number(tuple(line.number for line in lines)),
        lines,
        tuple(line for line in lines if line.outline.keys),
        any(line.outline.allows for line in lines),
    )


def _line(one: Outline) -> Line:
    said = one.statement
    asks = _number((said.conditions, said.variables)) if said.conditions else 0
    return Line(_number(_content(said)), _number((said.effect, said.actions)), asks, one)


def _content(said: Statement) -> object:
    return (
        said.effect,
        said.actions,
        said.resources,
        said.principals,
        said.conditions,
        said.variables,
        said.not_understood,
    )


def _number(content: object) -> int:
    found = _NUMBERS.get(content)
    if found is None:
        if len(_NUMBERS) >= _MOST_NUMBERS:
            _NUMBERS.clear()
        found = _NUMBERS[content] = next(_NEXT)
    return found


def outline(statement: Statement) -> Outline:
    """Give a statement in outline."""
    resources = statement.resources
    globs = resources.globs if resources else ()
    varying = [g for g in globs if statement.variables and "${" in g]
    plain = tuple(g for g in globs if g != "*" and g not in varying)
    filled = tuple(map(opened, varying))
    tags, of_owner = _asked(statement)
    whole = resources is None or "*" in globs
    negated = resources is not None and resources.negated
    return Outline(
        statement=statement,
        services=_services(statement.actions),
        allows=statement.effect is Effect.ALLOW,
        globs=plain,
        open=filled,
        reach=("*",) if whole or negated else (*plain, *filled),
        whole=whole,
        negated=negated,
        tags=tags,
        of_owner=of_owner,
        of_resource=_of_resource(statement),
        keys=_keys(statement),
    )


@lru_cache(1 << 14)
def _services(actions: Patterns) -> frozenset[str] | None:
    heads = {glob.partition(":")[0] for glob in actions.globs}
    if actions.negated or any("*" in head or "?" in head for head in heads):
        return None
    return frozenset(heads).union(*(ABOUT_OTHERS.get(head, ()) for head in heads))


_TAG = "aws:resourcetag/"


def _asked(statement: Statement) -> tuple[frozenset[str], bool]:
    """Give the tags of the resource that a statement asks about, and whether it asks who owns
    it."""
    tags: set[str] = set()
    of_owner = False
    for condition in statement.conditions:
        for text in (condition.key, *condition.values):
            lower = text.lower()
            of_owner = of_owner or "resourceaccount" in lower
            if condition.key is text and lower.startswith(_TAG):
                tags.add(lower.removeprefix(_TAG))
            elif _TAG in lower:
                tags.update(
                    part.split("}")[0].split(",")[0].strip() for part in lower.split(_TAG)[1:]
                )
    return frozenset(tags), of_owner


def _of_resource(statement: Statement) -> bool:
    return any(
        "resource" in text.lower()
        for condition in statement.conditions
        for text in (condition.key, *condition.values)
    )


def _keys(statement: Statement) -> tuple[str, ...]:
    """The keys that conditions ask about, and those of policy variables."""
    found: dict[str, None] = {}
    for condition in statement.conditions:
        found[condition.key] = None
        for value in condition.values:
            found.update(_variables(value, statement))
    for glob in statement.resources.globs if statement.resources else ():
        found.update(_variables(glob, statement))
    return tuple(found)


def _variables(text: str, statement: Statement) -> dict[str, None]:
    if "${" not in text:
        return {}
    parts = template(text, True, statement.variables).parts
    return {part.key: None for part in parts if isinstance(part, Variable)}
