"""What each of many releases reaches, in numbers: one line a release.

A principal is decided once for all releases that reach it. The numbers are those of a radius: the
identities, the scopes that can be taken over, and of each class of resources how many are held, by
capability and verdict, each counted once under the surest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from modelreach.deployment import Deployment
from modelreach.pipeline.decided import VERDICTS, Bits, Decided, Held, Step, add

_MOST_WEAK = 4
#: The weakness of a hop that only feeds: the access counts as given, only the strength tells.
_INFLUENCE = 3


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many resources are held, by verdict."""

    allow: int = 0
    conditional: int = 0
    unknown: int = 0


class SurveyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One release in numbers. `identities` are counted by the strength of the way to them,
    `administers` are scopes by verdict, `reach` is by resource class and capability; `unresolved`
    are identities of which the snapshot does not tell."""

    schema: Literal["modelreach.survey/1"] = msgspec.field(name="schema")
    name: str
    version: str
    snapshot: str
    identities: dict[str, int]
    administers: dict[str, str]
    reach: dict[str, dict[str, Count]]
    patterns: int
    unresolved: tuple[str, ...] = ()


Find = Callable[[str], Decided | None]
_STRENGTHS = ("certain", "conditional", "unknown", "influence")


@dataclass(frozen=True, slots=True)
class Started:
    """A release with the identities that it starts from, the hops that it makes itself (to what
    its tools run as), and the identities of which nothing is known."""

    deployment: Deployment
    starts: tuple[str, ...]
    wired: tuple[tuple[str, Step], ...] = ()
    unresolved: tuple[str, ...] = ()


def survey(releases: Iterable[Started], find: Find, snapshot: str) -> Iterator[SurveyRow]:
    """Give the row of each release.

    `find` gives what a principal comes to; it is asked as often as a principal is met.
    """
    for one in releases:
        weakest = closure(one.starts, find, one.wired)
        yield _row(one, weakest, _summed(weakest, find), snapshot)


def closure(
    starts: Iterable[str], find: Find, wired: Iterable[tuple[str, Step]] = ()
) -> dict[str, int]:
    """Give everybody that is reached, with how weak the strongest way there is; scopes that are
    taken over as `scope!ID`."""
    own: dict[str, list[Step]] = {}
    for source, step in wired:
        own.setdefault(source, []).append(step)
    best: dict[str, int] = {}
    waiting: list[list[str]] = [[] for _ in range(_MOST_WEAK)]
    waiting[0].extend(sorted(set(starts)))
    for weakness, queue in enumerate(waiting):
        while queue:
            name = queue.pop()
            if name in best:
                continue
            best[name] = weakness
            decided = None if name.startswith(_SCOPE) else find(name)
            if decided is None and not name.startswith(_SCOPE):
                del best[name]
                continue
            for step in (*(decided.every if decided else ()), *own.get(name, ())):
                target = _SCOPE + step.target if step.administers else step.target
                if target not in best:
                    waiting[max(weakness, step.weakness)].append(target)
    return best


_SCOPE = "scope!"


class _Sum:
    """What several identities hold together: bits by class and capability and verdict."""

    def __init__(self) -> None:
        self.bits: dict[tuple[str, str, int], Bits] = {}
        self.patterns = 0

    def take(self, held: Held, weakness: int) -> None:
        way = 0 if weakness == _INFLUENCE else weakness
        key = (held.kind, held.capability, max(held.verdict, way))
        add(self.bits.setdefault(key, {}), {held.scope: int.from_bytes(held.bits, "little")})


def _summed(weakest: dict[str, int], find: Find) -> _Sum:
    total = _Sum()
    for name, weakness in weakest.items():
        decided = None if name.startswith(_SCOPE) else find(name)
        if decided is None:
            continue
        total.patterns += decided.patterns
        for held in decided.held:
            total.take(held, weakness)
    return total


def _row(
    one: Started,
    weakest: dict[str, int],
    total: _Sum,
    snapshot: str,
) -> SurveyRow:
    people = [weakness for name, weakness in weakest.items() if not name.startswith(_SCOPE)]
    scopes = {
        name.removeprefix(_SCOPE): VERDICTS[0 if w == _INFLUENCE else w]
        for name, w in sorted(weakest.items())
        if name.startswith(_SCOPE)
    }
    return SurveyRow(
        schema="modelreach.survey/1",
        name=one.deployment.metadata.name,
        version=one.deployment.metadata.version,
        snapshot=snapshot,
        identities={s: people.count(place) for place, s in enumerate(_STRENGTHS)},
        administers={scope: str(verdict) for scope, verdict in scopes.items()},
        reach=_counted(total),
        patterns=total.patterns,
        unresolved=one.unresolved,
    )


def _counted(total: _Sum) -> dict[str, dict[str, Count]]:
    found: dict[str, dict[str, Count]] = {}
    for kind, capability in sorted({key[:2] for key in total.bits}):
        seen: Bits = {}
        counts: list[int] = []
        for verdict in range(len(VERDICTS)):
            bits = total.bits.get((kind, capability, verdict), {})
            fresh = {scope: mask & ~seen.get(scope, 0) for scope, mask in bits.items()}
            counts.append(sum(mask.bit_count() for mask in fresh.values()))
            add(seen, bits)
        count = Count(allow=counts[0], conditional=counts[1], unknown=counts[2])
        found.setdefault(kind, {})[capability] = count
    return found


def encode(row: SurveyRow) -> bytes:
    """Give a row as a line of JSON."""
    return msgspec.json.encode(row, order="sorted") + b"\n"
