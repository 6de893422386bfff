"""Which findings are truly new, and which truly gone, when one side was not read as well.

A finding that a refused call hides has not gone, and one that was only seen by its pattern before
is not new: neither may read as an improvement or fail a release that changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec.structs import replace

from modelreach.blame import Sight, could_hide
from modelreach.judge.finding import Finding, State, order
from modelreach.judge.rules.excess import ExcessPrivilege, is_excess
from modelreach.judge.rules.gone_identity import GoneIdentity
from modelreach.judge.rules.long_lived_key import LongLivedKey
from modelreach.judge.rules.sensitive import SensitiveReach
from modelreach.model import Capability, Verdict
from modelreach.pipeline.evaluate import Side
from modelreach.pipeline.patterns import held
from modelreach.policy.engine import Grant
from modelreach.policy.extent import Extent
from modelreach.policy.glob import covers
from modelreach.policy.permissions import Box, PermissionSet
from modelreach.reach import Access, verdict_of
from modelreach.snapshot import Gap

#: Facets that a rule judges by, beyond who reaches what.
_JUDGED_BY = {
    SensitiveReach.ID: {"tags"},
    ExcessPrivilege.ID: {"tags", "usage"},
    LongLivedKey.ID: {"credentials", "last-used"},
}


def standing(
    findings: tuple[Finding, ...], old: Side, new: Side, blind_new: tuple[Gap, ...]
) -> tuple[Finding, ...]:
    """Give the findings with what is new and what is gone settled. `blind_new` are the gaps that
    only the newer side has."""
    return tuple(sorted(_settled(findings, old, new, blind_new), key=order))


def _settled(
    findings: tuple[Finding, ...], old: Side, new: Side, blind_new: tuple[Gap, ...]
) -> Iterator[Finding]:
    before, after = _Knowledge(old), _Knowledge(new)
    sight = Sight(old.case.facts, new.case.facts)
    current = [finding for finding in findings if finding.state is not State.GONE]
    others: dict[tuple[str, str, bool], list[Finding]] = {}
    for finding in current:
        if finding.access is not None:
            others.setdefault(_sort_of(finding, finding.access), []).append(finding)
    for finding in current:
        known = finding.state is State.NEW and before.held_unseen(finding)
        yield replace(finding, state=State.UNCHANGED) if known else finding
    for finding in findings:
        if finding.state is State.GONE and not _told_otherwise(finding, others, after):
            hidden = any(_hides(gap, finding, old, sight) for gap in blind_new)
            yield replace(finding, state=State.UNCHANGED) if hidden else finding


class _Knowledge:
    """What one side is known to hold though it does not list it."""

    def __init__(self, side: Side) -> None:
        self._side = side

    @cached_property
    def _held(self) -> dict[tuple[str, str], PermissionSet]:
        return held(self._side)

    def administers(self, access: Access) -> bool:
        """Has this side taken the scope over, as surely as the access is had?"""
        taken = self._side.case.taken(access.grant.scope)
        if taken is None:
            return False
        return verdict_of(taken.path) is Verdict.ALLOW or access.verdict is not Verdict.ALLOW

    def held_unseen(self, finding: Finding) -> bool:
        """Does this side hold all that a finding is about, though not by its list of resources?

        What this side lists was decided there; only a pattern is not judged by that. What was no
        excess there, by the needs that were declared there if any were, is new as excess, however
        it was held.
        """
        if finding.access is None:
            return False
        access, grant = finding.access, finding.access.grant
        if self.administers(access):
            return True
        if not grant.pattern and grant.resource in self._side.case.facts.resources:
            return False
        if finding.rule == ExcessPrivilege.ID and not is_excess(self._side.case, access):
            return False
        actions = Extent.globs([action.lower() for action in grant.actions])
        asked = PermissionSet.of([Box(actions, Extent.globs([grant.resource]), access.residual)])
        return any(asked <= permissions for permissions in self._held.values())


def _sort_of(finding: Finding, access: Access) -> tuple[str, str, bool]:
    return finding.rule, finding.subject_kind, access.grant.pattern


def _told_otherwise(
    finding: Finding,
    others: dict[tuple[str, str, bool], list[Finding]],
    after: _Knowledge,
) -> bool:
    """Is what a finding says said by others now: one by pattern, or one of what is listed now?"""
    access = finding.access
    if access is None:
        return False
    if after.administers(access):
        return True
    if access.grant.pattern and after.held_unseen(finding):
        return True
    rule, kind, pattern = _sort_of(finding, access)
    found = others.get((rule, kind, not pattern), ())
    return any(covers(other.subject, finding.subject) for other in found)


def _hides(gap: Gap, finding: Finding, old: Side, sight: Sight) -> bool:
    """May this gap of the newer side be why a finding does not show there?"""
    if finding.rule == GoneIdentity.ID:
        return gap.kind == "identity" and gap.subject == finding.subject
    if finding.rule == LongLivedKey.ID and _could_hold_key(gap, finding, old, sight):
        return True
    access = finding.access or _of_path(finding, old)
    if access is None:
        return False
    if could_hide(gap, access, old.radius.identities, sight):
        return True
    if gap.kind not in _JUDGED_BY.get(finding.rule, ()):
        return False
    about = {access.grant.resource, access.grant.principal, finding.subject}
    return gap.subject in about or (not gap.subject and gap.scope in ("", access.grant.scope))


def _could_hold_key(gap: Gap, finding: Finding, old: Side, sight: Sight) -> bool:
    """May the resource whose own key this is be one of those that were not listed?"""
    places = sight.above(finding.subject)
    holders = (old.case.facts.resources.get(place) for place in places)
    kinds = {holder.kind for holder in holders if holder is not None}
    if gap.kind == "subscription":
        return gap.subject in places
    return bool(kinds) and gap.kind in {*kinds, "resources"} and gap.scope in places


def _of_path(finding: Finding, old: Side) -> Access | None:
    """The identity that a finding without a grant of its own is about, as something reached."""
    identity = old.radius.identities.get(finding.identity)
    if finding.path is None or identity is None:
        return None
    grant = Grant(
        principal=finding.identity,
        resource=finding.subject,
        kind=finding.subject_kind,
        name=finding.subject,
        scope=_place(finding.subject, old) or identity.principal.scope,
        provider=identity.principal.provider,
        capability=Capability.ADMINISTER,
        actions=("*",),
        verdict=Verdict.ALLOW,
    )
    return Access(grant, finding.path)


def _place(name: str, side: Side) -> str:
    """Give the scope of somebody or something that a finding is about; "" where none is known."""
    facts = side.case.facts
    known = facts.principals.get(name) or facts.resources.get(name) or facts.runtimes.get(name)
    return known.scope if known is not None else ""
