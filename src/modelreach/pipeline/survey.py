"""What each of many releases reaches, in numbers: one line a release.

A principal is decided once for all releases that reach it. The numbers are those of a radius: the
identities, the scopes that can be taken over, and of each class of resources how many are held, by
capability and verdict, each counted once under the surest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from modelreach.deployment import Deployment
from modelreach.pipeline.closure import Closure, Reach
from modelreach.pipeline.decided import VERDICTS, Step
from modelreach.policy.weakness import INFLUENCED


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


_STRENGTHS = ("certain", "conditional", "unknown", "influence")


class Started(msgspec.Struct, frozen=True):
    """A release with the identities that it starts from, the hops that it makes itself (to what
    its tools run as), and the identities of which nothing is known."""

    deployment: Deployment
    starts: tuple[str, ...]
    wired: tuple[tuple[str, Step], ...] = ()
    unresolved: tuple[str, ...] = ()


def survey(releases: Iterable[Started], closure: Closure, snapshot: str) -> Iterator[SurveyRow]:
    """Give the row of each release."""
    for one in releases:
        yield _row(one, closure.of(one.starts, one.wired), snapshot)


def _row(one: Started, reach: Reach, snapshot: str) -> SurveyRow:
    scopes = {
        scope: str(VERDICTS[weakness % INFLUENCED])
        for scope, weakness in sorted(reach.scopes.items())
    }
    return SurveyRow(
        schema="modelreach.survey/1",
        name=one.deployment.metadata.name,
        version=one.deployment.metadata.version,
        snapshot=snapshot,
        identities=dict(zip(_STRENGTHS, reach.identities, strict=True)),
        administers=scopes,
        reach=_counted(reach.counts),
        patterns=reach.patterns,
        unresolved=one.unresolved,
    )


def _counted(counts: dict[tuple[str, str], tuple[int, ...]]) -> dict[str, dict[str, Count]]:
    found: dict[str, dict[str, Count]] = {}
    for (kind, capability), (sure, likely, all_) in sorted(counts.items()):
        count = Count(allow=sure, conditional=likely - sure, unknown=all_ - likely)
        found.setdefault(kind, {})[capability] = count
    return found


def encode(row: SurveyRow) -> bytes:
    """Give a row as a line of JSON."""
    return msgspec.json.encode(row, order="sorted") + b"\n"
