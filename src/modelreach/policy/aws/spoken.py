"""What one principal's policies say of one service."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.evaluate import misplaced
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.outline import Line, Outlined, outlined
from modelreach.policy.decision import Layer


class Spoken(msgspec.Struct, frozen=True):
    """What a principal's policies say of one service, by level: identity policies, boundaries,
    session policies, and each level of service control policies.

    `allowed` are the patterns of what identity policies allow, `globs` all that tell resources
    apart, `open` those with variables. `faulty` are the numbers of lines that are not understood.
    """

    levels: tuple[tuple[Line, ...], ...]
    allowed: tuple[str, ...]
    globs: tuple[str, ...]
    open: tuple[str, ...]
    tags: frozenset[str]
    of_owner: bool
    faulty: frozenset[int]


#: A principal's policies by level.
Levels = tuple[Policies, ...]
#: The same in outline, with their layers.
Documents = tuple[tuple[tuple[Layer, Outlined], ...], ...]


def levels_of(asker: Asker) -> Levels:
    """Give a principal's policies by level."""
    mine = asker.layers
    return (mine.identity, mine.boundaries or (), mine.session or (), *(mine.scps or ()))


class Saying:
    """What a principal's policies say, by service."""

    def __init__(self, asker: Asker) -> None:
        levels = levels_of(asker)
        self.levels = tuple(
            tuple((policy.layer, outlined(policy.document)) for policy in level)
            for level in levels
        )
        self._found: dict[str, Spoken] = {}

    def allowed(self, service: str) -> tuple[str, ...]:
        """Give the patterns of what identity policies allow of a service."""
        return self.of(service).allowed if self.allows(service) else ()

    def allows(self, service: str) -> bool:
        """Does an identity policy allow anything of a service?"""
        for _, document in self.levels[0]:  # noqa: SIM110 - on the hot path
            if document.of(service).allows:
                return True
        return False

    def of(self, service: str) -> Spoken:
        """Give what they say of a service."""
        found = self._found.get(service)
        if found is None:
            found = self._found[service] = _spoken(self.levels, service)
        return found


def _spoken(documents: Documents, service: str) -> Spoken:
    levels: list[tuple[Line, ...]] = []
    faulty: set[int] = set()
    for level in documents:
        lines: list[Line] = []
        for layer, document in level:
            for line in document.of(service).lines:
                lines.append(line)
                said = line.outline.statement
                if said.not_understood or misplaced(layer, said):
                    faulty.add(line.number)
        levels.append(tuple(lines))
    every = [line.outline for level in levels for line in level]
    allowing = [line.outline for line in levels[0] if line.outline.allows]
    return Spoken(
        tuple(levels),
        _once(glob for one in allowing for glob in one.reach),
        _once(glob for one in every for glob in one.globs),
        _once(glob for one in every for glob in one.open),
        frozenset(tag for one in every for tag in one.tags),
        any(one.of_owner for one in every),
        frozenset(faulty),
    )


def _once(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(globs))
