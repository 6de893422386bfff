"""A judgement, and the case that it is passed on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Protocol

import msgspec
from msgspec.structs import replace

from modelreach.accesses import Access, Part, Piece, together
from modelreach.deployment import Deployment
from modelreach.graph import Path
from modelreach.judge.policy import JudgePolicy, RuleSetting
from modelreach.judge.sensitivity import EXPOSING, Rated, rate
from modelreach.judge.weighing import Weighing
from modelreach.judge.within import Opening
from modelreach.model import RANK, Sensitivity, Severity
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Engine, Grant
from modelreach.policy.lots import bits, places
from modelreach.policy.providers import providers
from modelreach.reach import BlastRadius, Takeover
from modelreach.snapshot import Facts


class State(StrEnum):
    """Whether the newer release brought it."""

    NEW = "new"
    UNCHANGED = "unchanged"
    GONE = "gone"


class Finding(msgspec.Struct, frozen=True):
    """One judgement on one side. `key` says, with the rule, what it is about, in words that
    survive a renaming; `granted_by` goes into the fingerprint, so that a wider grant is another
    finding."""

    rule: str
    title: str
    severity: Severity
    subject: str
    subject_kind: str
    identity: str
    message: str
    fix: str
    key: str
    evidence: tuple[str, ...] = ()
    access: Access | None = None
    path: Path | None = None
    granted_by: tuple[StatementRef, ...] = ()
    state: State = State.NEW


_HIGH = (Sensitivity.HIGH,)


class Case(msgspec.Struct, frozen=True, dict=True):
    """What a rule is given: one side, whole. `today` is the day of the snapshot; `gone` are
    identities of the release that were there once, and are not."""

    deployment: Deployment
    radius: BlastRadius
    facts: Facts
    engines: dict[str, Engine]
    policy: JudgePolicy
    gone: tuple[str, ...] = ()

    @cached_property
    def today(self) -> date | None:
        """The day on which ages are counted; None when the snapshot does not say."""
        return day(self.facts.snapshot.taken_at)

    def taken(self, scope: str) -> Takeover | None:
        """Give the taking over of a scope, or of the closest one above it; None if none is."""
        if not self.radius.takeovers:
            return None
        if scope not in self._taken:
            self._taken[scope] = self._closest(scope)
        return self._taken[scope]

    @cached_property
    def _taken(self) -> dict[str, Takeover | None]:
        return {}

    def _closest(self, scope: str) -> Takeover | None:
        takeovers, scopes = self.radius.takeovers, self.facts.scopes
        seen: set[str] = set()
        while scope and scope not in seen:
            if scope in takeovers:
                return takeovers[scope]
            seen.add(scope)
            scope = scopes[scope].parent if scope in scopes else ""
        return None

    @cached_property
    def _administering(self) -> frozenset[StatementRef]:
        """The statements by which scopes are taken over."""
        return frozenset(
            ref
            for pivot in self.radius.graph.pivots.administering()
            for support in pivot.support
            if support.action
            for ref in support.statements
        )

    def by_administration(self, access: Access) -> bool:
        """Is it the taking over of the scope that gives this access, and cutting that ends it?"""
        if self.taken(access.grant.scope) is None:
            return False
        used = self._administering
        return used.issuperset(access.grant.statements) or self._goes_by(access.path)

    def by_administration_of(self, piece: Piece, mask: int) -> int:
        """Give those of some resources of a piece to which it is the taking over that gives
        access."""
        taken = self.weighing.taken(piece.lot, mask) if mask else 0
        if not taken:
            return 0
        if self._goes_by(piece.access.path):
            return taken
        used = self._administering
        if not used.issuperset(piece.of_all):
            return 0
        own = piece.own
        if not own:
            return taken
        things = ((place, piece.lot.thing(place)) for place in places(taken))
        return bits(place for place, thing in things if used.issuperset(thing.own[n] for n in own))

    def _goes_by(self, path: Path) -> bool:
        """Does a way go by a statement by which a scope is taken over?"""
        known = self._ways.get(id(path))
        if known is None:
            # The way is kept with the answer, so its id stays taken.
            known = path, not self._administering.isdisjoint(path.statements)
            self._ways[id(path)] = known
        return known[1]

    @cached_property
    def _ways(self) -> dict[int, tuple[Path, bool]]:
        return {}

    def rated(self, grant: Grant) -> Rated:
        """Give the sensitivity of what a grant reaches."""
        return self._of_kind(grant.provider, grant.kind, grant.resource)

    def _of_kind(self, provider: str, kind: str, resource: str) -> Rated:
        key = (provider, kind, resource)
        if key not in self._rated:
            self._rated[key] = self._rate(provider, kind, resource)
        return self._rated[key]

    @cached_property
    def weighing(self) -> Weighing:
        """The same of many resources at once."""
        taken = self.taken if self.radius.takeovers else None
        return Weighing(self._of_kind, taken)

    @cached_property
    def exposed(self) -> tuple[Part, ...]:
        """What is as sensitive as can be, and can be read, changed or given away."""
        pieces = self.radius.accesses.pieces
        found = together(p for p in pieces if p.access.grant.capability in EXPOSING)
        return tuple(
            replace(part, mask=high)
            for part in found
            if (high := self.weighing.rated(part.grant, part.lot, part.mask, _HIGH))
        )

    @cached_property
    def opening(self) -> Opening:
        """What whoever holds the credentials of somebody reaches."""
        return Opening(self.radius, self.engines)

    @cached_property
    def _rated(self) -> dict[tuple[str, str, str], Rated]:
        return {}

    def _rate(self, provider: str, kind: str, resource: str) -> Rated:
        fact = self.facts.resources.get(resource)
        tags = fact.tags if fact else {}
        secure = fact is not None and fact.attributes.get("type") == "SecureString"
        kind = "ssm:secure-parameter" if secure else kind
        known = providers().get(provider)
        placed = known.placed if known is not None else str
        return rate(resource, kind, tags, self.policy.sensitive, placed)


class Rule(Protocol):
    """One rule, one module: `ID`, `TITLE` and `judge`."""

    ID: str
    TITLE: str

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give what this rule finds on one side."""
        ...


def short(principal: str) -> str:
    """Give the name of a principal without what its ARN says of its place; another id whole, as
    reports know what to call it."""
    return principal.rsplit("/", 1)[-1] if principal.startswith("arn:") else principal


def day(text: str) -> date | None:
    """Read the day of an RFC 3339 time or an ISO date; None when it is neither."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).date()
    except ValueError:
        return None


def settled(finding: Finding, setting: RuleSetting | None) -> Finding | None:
    """Apply a user's setting to a finding."""
    if setting is None:
        return finding
    if not setting.enabled:
        return None
    return replace(finding, severity=setting.severity) if setting.severity else finding


def compare(old: tuple[Finding, ...], new: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Give the new side's findings with their state, and the old side's that are gone."""
    before = {(finding.rule, finding.key) for finding in old}
    after = {(finding.rule, finding.key) for finding in new}
    current = [
        replace(f, state=State.UNCHANGED if (f.rule, f.key) in before else State.NEW) for f in new
    ]
    gone = [replace(f, state=State.GONE) for f in old if (f.rule, f.key) not in after]
    return tuple(sorted([*current, *gone], key=order))


_STATES = {State.NEW: 0, State.UNCHANGED: 1, State.GONE: 2}


def order(finding: Finding) -> tuple[int, int, str, str, str]:
    """Sort key: new first, worst first, then by rule and subject."""
    return (
        _STATES[finding.state],
        -RANK[finding.severity],
        finding.rule,
        finding.subject,
        finding.key,
    )
