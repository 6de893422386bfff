"""MR201: reach that the deployment never said it needs, and was never seen to use.

Reach minus declared needs minus observed use. What was not tracked is not known to be unused: with
declared needs it is excess by these alone, and the finding says so; without, it is no excess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from modelreach.accesses import Access, Piece, together
from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import cut
from modelreach.judge.sensitivity import EXPOSING
from modelreach.judge.use import Observed, Seen, observed
from modelreach.model import Capability, Sensitivity, Severity
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.extent import Extent
from modelreach.policy.lots import places
from modelreach.policy.permissions import EMPTY, Box, PermissionSet
from modelreach.policy.providers import providers
from modelreach.snapshot import Usage


class ExcessPrivilege:
    """One finding for each granting statement that goes beyond declared needs and observed use.

    Without declared needs and without observation nothing can be said, and nothing is.
    """

    ID = "MR201"
    TITLE = "excess privilege"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding a statement."""
        needs, use = _needs(case), observed(_watched(case))
        if needs is None and not use:
            return
        found: dict[StatementRef, _Excess] = {}
        for piece, beyond in _beyond_all(case, needs, use):
            for ref, part in _by_statement(piece):
                found.setdefault(ref, _Excess()).add(part, beyond)
        for access in case.radius.patterns.where(lambda grant: not _summed_up(grant, case)):
            grant = access.grant
            beyond = _excess(grant, needs, use)
            if beyond and grant.statements:
                found.setdefault(grant.statements[0], _Excess()).patterns.append((access, beyond))
        for ref, excess in sorted(found.items(), key=lambda item: item[0]):
            yield _finding(case, ref, excess, use, declared=needs is not None)


class _Excess(msgspec.Struct):
    """What one statement gives too much, and by which actions: of what is listed in pieces, and by
    pattern."""

    pieces: list[tuple[Piece, tuple[str, ...]]] = msgspec.field(
        default_factory=list["tuple[Piece, tuple[str, ...]]"]
    )
    patterns: list[tuple[Access, tuple[str, ...]]] = msgspec.field(
        default_factory=list["tuple[Access, tuple[str, ...]]"]
    )

    def add(self, piece: Piece, beyond: tuple[str, ...]) -> None:
        """Add a piece."""
        self.pieces.append((piece, beyond))

    @property
    def first(self) -> Access:
        """The first access that is too much, with the actions that are."""
        if not self.pieces:
            access, beyond = self.patterns[0]
        else:
            piece, beyond = min(self.pieces, key=_place)
            access = next(piece.each)
        return replace(access, grant=replace(access.grant, actions=beyond))

    @property
    def actions(self) -> list[str]:
        """The actions that are too much."""
        found = {actions for _, actions in (*self.pieces, *self.patterns)}
        return sorted({action for actions in found for action in actions})

    @property
    def resources(self) -> list[str]:
        """The resources, and patterns, on which they are too much."""
        names = {name for one in together(piece for piece, _ in self.pieces) for name in one.ids}
        return sorted(names | {access.grant.resource for access, _ in self.patterns})

    @property
    def grants(self) -> Iterator[Grant]:
        """One grant of each sort."""
        yield from (piece.access.grant for piece, _ in self.pieces)
        yield from (access.grant for access, _ in self.patterns)

    def exposes_sensitive(self, case: Case) -> bool:
        """Does it expose anything that is as sensitive as can be?"""
        return any(
            piece.access.grant.capability in EXPOSING and case.weighing.high(piece)
            for piece, _ in self.pieces
        ) or any(
            access.grant.capability in EXPOSING
            and case.rated(access.grant).level is Sensitivity.HIGH
            for access, _ in self.patterns
        )


def _place(one: tuple[Piece, tuple[str, ...]]) -> tuple[int, str, int]:
    """The place of the first access of a piece: by who has it, by resource."""
    piece = one[0]
    whose, place = piece.place
    return whose, next(piece.ids), place


def _beyond_all(
    case: Case, needs: PermissionSet | None, use: Mapping[str, Observed]
) -> Iterator[tuple[Piece, tuple[str, ...]]]:
    """Give all that is too much of what is listed, and by which actions."""
    ask = partial(_excess, needs=needs, use=use)
    for piece in case.radius.accesses.pieces:
        grant, mask = piece.access.grant, piece.mask & ~case.weighing.taken(piece.lot, piece.mask)
        if not mask or not grant.statements:
            continue
        # What is needed is asked by resource, and by part of it.
        if needs is None or grant.within:
            parts = {ask(grant): mask}
        else:
            parts = dict[tuple[str, ...], int]()
            for place in places(mask):
                beyond = ask(piece.written(place).grant)
                parts[beyond] = parts.get(beyond, 0) | 1 << place
        yield from ((piece.within(part), beyond) for beyond, part in parts.items() if beyond)


def _by_statement(piece: Piece) -> Iterator[tuple[StatementRef, Piece]]:
    """Part a piece by the first of the statements that grant it."""
    if not piece.own:
        yield piece.access.grant.statements[0], piece
        return
    for place in places(piece.mask):
        yield piece.written(place).grant.statements[0], piece.within(1 << place)


def is_excess(case: Case, access: Access) -> bool:
    """Is all that this access is excess, by what this release declares and was seen to use?"""
    beyond = _excess(access.grant, _needs(case), observed(_watched(case, access.grant.principal)))
    return len(beyond) == len(access.grant.actions)


def _excess(
    grant: Grant, needs: PermissionSet | None, use: Mapping[str, Observed]
) -> tuple[str, ...]:
    """Give the actions that go beyond what is declared as needed, if anything is, and was seen."""
    seen, wanted = use.get(grant.principal), needs or EMPTY
    return tuple(
        action
        for action in grant.actions
        if not _needed(action, grant, wanted) and _beyond(action, seen, declared=needs is not None)
    )


def _summed_up(grant: Grant, case: Case) -> bool:
    """Is it part of a scope that is taken over? MR102 says all of it at once."""
    return case.taken(grant.scope) is not None


def _needs(case: Case) -> PermissionSet | None:
    declared = case.deployment.spec.needs
    if declared is None:
        return None
    known = [providers()[name] for name in sorted(case.engines)]
    boxes = (
        Box(
            Extent.globs([glob for action in need.actions for glob in provider.meant(action)]),
            Extent.globs(map(provider.placed, need.resources)),
        )
        for need in declared
        for provider in known
    )
    return PermissionSet.of(boxes)


def _beyond(action: str, use: Observed | None, *, declared: bool) -> bool:
    """Is an action that is not declared as needed excess, by what was seen of its use?"""
    seen = use.seen(action) if use else Seen.UNTRACKED
    return seen is Seen.UNUSED or (declared and seen is Seen.UNTRACKED)


def _needed(action: str, grant: Grant, wanted: PermissionSet) -> bool:
    """Do the declared needs cover the action on the whole of what is granted? What is granted on
    a part of a resource is compared with the part, the rest with the resource or all in it."""
    if grant.pattern:
        return _wanted(action.lower(), grant.resource, wanted)
    places = grant.within or (grant.resource, f"{grant.resource}/*", f"{grant.resource}:*")
    return any(_wanted(action.lower(), place, wanted) for place in places)


def _wanted(action: str, place: str, wanted: PermissionSet) -> bool:
    asked = PermissionSet.of([Box(Extent.globs([action]), Extent.globs([place]))])
    return asked <= wanted


def _finding(
    case: Case,
    ref: StatementRef,
    excess: _Excess,
    use: Mapping[str, Observed],
    *,
    declared: bool,
) -> Finding:
    first, resources, actions = excess.first, excess.resources, excess.actions
    goes = "go" if actions[1:] else "goes"
    beyond = "the declared needs" if declared else "what was seen to be used"
    shown = ", ".join(f"`{action}`" for action in actions[:3])
    more = f" and {len(actions) - 3} more" if len(actions) > 3 else ""
    who = f"`{short(first.grant.principal)}`"
    where = f"`{first.grant.name}`" + (f" and {len(resources) - 1} more" if resources[1:] else "")
    return Finding(
        rule=ExcessPrivilege.ID,
        title=ExcessPrivilege.TITLE,
        severity=_severity(case, excess),
        subject=f"{ref.target}#{ref.policy}#{ref.sid or ref.index}",
        subject_kind="statement",
        identity=first.grant.principal,
        message=f"{who}: {shown}{more} on {where} {goes} beyond {beyond}",
        fix=cut(_with_all(first, actions), len(resources) - 1),
        key="|".join([*resources, *actions]),
        evidence=(
            f"{len(actions)} action{'s' if actions[1:] else ''}",
            *_observation(actions, use.get(first.grant.principal)),
            *resources[:20],
        ),
        access=first,
        granted_by=(ref,),
    )


def _with_all(access: Access, actions: list[str]) -> Access:
    """Give the access as if all that a statement is too much for were one."""
    return replace(access, grant=replace(access.grant, actions=tuple(actions)))


def _observation(actions: list[str], use: Observed | None) -> Iterator[str]:
    """Say what was watched, since when, and of what nobody knows."""
    seen = [use.seen(action) if use else Seen.UNTRACKED for action in actions]
    unused, unknown = seen.count(Seen.UNUSED), seen.count(Seen.UNTRACKED)
    if unused and use:
        since = f" since {use.window_start[:10]}" if use.window_start else ""
        yield f"{unused} of them not seen in use{since}" if unknown else f"not seen in use{since}"
    if unknown:
        yield f"the use of {unknown} of them was not tracked" if unused else "use not tracked"


def _severity(case: Case, excess: _Excess) -> Severity:
    """Excess on what is sensitive, or excess that can change things, weighs more."""
    if excess.exposes_sensitive(case):
        return Severity.HIGH
    changing = {Capability.WRITE, Capability.MANAGE}
    changes = any(grant.capability in changing for grant in excess.grants)
    return Severity.MEDIUM if changes else Severity.LOW


def _watched(case: Case, *principals: str) -> dict[str, tuple[Usage, ...]]:
    """What was observed of those that are reached, or of these of them."""
    usage, reached = case.facts.usage, case.radius.identities
    asked = principals or sorted(reached)
    return {name: usage[name] for name in asked if name in reached and name in usage}
