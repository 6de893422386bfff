"""Two sides in, the report out."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from modelreach import diff as differ
from modelreach.accesses import Access, Accesses, Held, Piece, pieces_of
from modelreach.blame import Sight
from modelreach.diff import Change, ChangeKind
from modelreach.gate.triggers.reached import Reach
from modelreach.gate.verdict import GateOptions, gate
from modelreach.judge.finding import Case, Finding, State, compare
from modelreach.judge.policy import JudgePolicy
from modelreach.model import Capability, Sensitivity, Verdict
from modelreach.pipeline import rows
from modelreach.pipeline.classed import matrix
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.pipeline.gated import ONLY_FINDINGS, GateInput, classified
from modelreach.pipeline.kept_reports import KeptReports, is_wide
from modelreach.pipeline.origins import located
from modelreach.pipeline.patterns import pattern_changes
from modelreach.pipeline.standing import standing
from modelreach.pipeline.summing import at_stake, compared
from modelreach.pipeline.toolrows import compared_tool_rows
from modelreach.pipeline.unseen import unseen
from modelreach.pipeline.witnesses import Witnesses
from modelreach.policy import providers
from modelreach.policy.brief import place_of
from modelreach.policy.engine import Grant
from modelreach.policy.expr import conjuncts
from modelreach.policy.lots import Lot, granted
from modelreach.reach import Identity, Takeover
from modelreach.report import ChangeRow, DiffReport, Figures, Hop, Summary, change_order
from modelreach.snapshot import Gap
from modelreach.toolbox import Toolbox, fresh


def diff_of(
    old: Release,
    new: Release,
    policy: JudgePolicy,
    options: GateOptions,
    given: GateInput = ONLY_FINDINGS,
) -> DiffReport:
    """Evaluate and compare two releases, from what a store kept where that holds, and ask the
    gate. Raises `InputError` as `evaluate` does."""
    places = KeptReports(policy, old, new)
    kept = places.find(DiffReport)
    if kept is None:
        reach, wide = _worked_out(old, new, policy)
        if wide:
            # What was read of the estates is not needed any more; a wide report is large itself.
            gc.collect()
            places.keep(reach.report, (reach.credentials_old, reach.credentials_new))
    else:
        named = {"old": rows.release_row(old), "new": rows.release_row(new)}
        reach = Reach(replace(kept[0], **named), *kept[1])
    return _finished(reach, old, new, options, given)


def _worked_out(old: Release, new: Release, policy: JudgePolicy) -> tuple[Reach, bool]:
    estates = Estates(keeping=True)
    sides = evaluate(old, policy, estates), evaluate(new, policy, estates)
    found = _compared(*sides)
    if wide := is_wide(*sides):
        for side in sides:
            side.case.facts.let_go()
    return found, wide


def diff_report(
    old: Side, new: Side, options: GateOptions, given: GateInput = ONLY_FINDINGS
) -> DiffReport:
    """Compare two evaluated releases, and ask the gate."""
    return _finished(_compared(old, new), old.release, new.release, options, given)


def _finished(
    reach: Reach, old: Release, new: Release, options: GateOptions, given: GateInput
) -> DiffReport:
    """Give a report with what the gate and a plan say of it."""
    made = classified(reach, old.deployment, new.deployment, options, given)
    return located(made, (*new.snapshot.origins, *old.snapshot.origins))


def _compared(old: Side, new: Side) -> Reach:
    """Give the report about which the gate is still to be asked."""
    old, new = _with_tools(old, new), _with_tools(new, old)
    changes = _changes(old, new)
    _keep(old, new)
    findings = standing(compare(old.findings, new.findings), old, new, _blind(new, old))
    witnesses = Witnesses()
    finding_rows = rows.finding_rows(findings, witnesses, new.toolbox, old.toolbox)
    numbers = rows.numbers_by_subject(finding_rows)
    gaps = rows.gap_rows(old.gaps, new.gaps)
    told = (_change_row(change, (old, new), numbers, witnesses) for change in changes)
    change_rows = tuple(sorted(told, key=change_order))
    report = DiffReport(
        schema="modelreach.diff/2",
        old=rows.release_row(old.release),
        new=rows.release_row(new.release),
        summary=_summary(old, new, changes, findings),
        changes=change_rows,
        findings=finding_rows,
        gaps=gaps,
        identities_old=rows.identity_rows(old, witnesses),
        identities_new=rows.identity_rows(new, witnesses),
        admin_of_old=rows.admin_rows(old, witnesses),
        admin_of_new=rows.admin_rows(new, witnesses),
        credentials=rows.credential_rows(old.case, new.case),
        gate=gate((), 0, GateOptions()),
        scopes=rows.scope_rows(old, new),
        tools=compared_tool_rows(old, new, change_rows),
        summed_up=compared(old, new),
    )
    return Reach(report, rows.credential_rows(old.case), rows.credential_rows(new.case))


def _with_tools(side: Side, other: Side) -> Side:
    """Give a side whose tools are told from those of the other side."""
    own = fresh(side.radius.graph.tools, other.radius.graph.tools)
    return replace(side, toolbox=Toolbox(side.radius, own))


def _keep(*sides: Side) -> None:
    """Have kept what was asked about the difference."""
    for side in sides:
        side.case.facts.keep()


# --- changes -------------------------------------------------------------------------------


def _changes(old: Side, new: Side) -> tuple[Change, ...]:
    same_name = _renamed(old, new)
    sight = Sight(old.case.facts, new.case.facts)
    first = differ.Side(
        old.radius, _comparable(old, set(same_name.values())), _blind(old, new), sight
    )
    second = differ.Side(new.radius, _comparable(new, set(same_name)), _blind(new, old), sight)
    cases = {id(first): old.case, id(second): new.case}
    listed = differ.diff(first, second, covered=lambda side, name: _covers(cases[id(side)], name))
    kept = [change for change in listed if not _is_summed_up(change, old, new)]
    symbolic = [
        differ.blamed(change, first, second)
        for change in pattern_changes(
            old, new, told=lambda kind, grant: summed_up(kind, grant, new, (old, new))
        )
    ]
    return tuple(sorted([*kept, *symbolic], key=differ.order))


def _comparable(side: Side, unchanged: set[str]) -> tuple[Piece, ...]:
    """Listed grants, and the identities and scopes that are reached, in the one form."""
    accesses = side.radius.accesses
    others = [
        _as_identity(identity)
        for name, identity in side.radius.identities.items()
        if not identity.start and name not in unchanged
    ]
    others += [_as_scope(takeover) for takeover in side.radius.takeovers.values()]
    others += at_stake(side)
    return (*accesses.pieces, *pieces_of(others, after=len(accesses.held)))


def _as_identity(identity: Identity) -> Access:
    pivot = identity.path.pivots[-1]
    grant = Grant(
        principal=pivot.source,
        resource=identity.principal.id,
        kind=providers.identity_kind(identity.principal.provider, identity.principal.kind),
        name=identity.principal.name,
        scope=identity.principal.scope,
        provider=identity.principal.provider,
        capability=Capability.ASSUME,
        actions=("*",),
        verdict=Verdict.ALLOW,
        statements=tuple(ref for s in pivot.support for ref in s.statements),
    )
    return Access(grant, identity.path)


def _as_scope(takeover: Takeover) -> Access:
    pivot = takeover.path.pivots[-1]
    grant = Grant(
        principal=pivot.source,
        resource=takeover.scope,
        kind=f"{takeover.provider}:{takeover.kind}",
        name=takeover.scope,
        scope=takeover.scope,
        provider=takeover.provider,
        capability=Capability.ADMINISTER,
        actions=("*",),
        verdict=Verdict.ALLOW,
    )
    return Access(grant, takeover.path)


def _covers(case: Case, name: str) -> bool:
    """Does a side reach a resource or scope anyway, in a scope that it has taken over? Or somebody
    who has become something over one of these?"""
    resource, scope = case.facts.resources.get(name), case.facts.scopes.get(name)
    if resource is not None:
        return case.taken(resource.scope) is not None
    if scope is not None:
        return case.taken(scope.parent) is not None
    place = place_of(name)
    while place and place not in case.facts.scopes:
        place = place.rpartition("/")[0]
    return bool(place) and case.taken(place) is not None


def _reached_anyway(kind: ChangeKind, grant: Grant, old: Side, new: Side) -> bool:
    """Has the side without the access taken the scope over, so that it has all of it anyway?"""
    more = kind in (ChangeKind.GAINED, ChangeKind.WIDENED)
    side = old if more else new
    moved = more or kind in (ChangeKind.LOST, ChangeKind.NARROWED)
    return (
        moved
        and grant.capability is not Capability.ADMINISTER
        and side.case.taken(grant.scope) is not None
    )


def _is_summed_up(change: Change, old: Side, new: Side) -> bool:
    shown = new if change.new is not None else old
    return summed_up(change.kind, change.shown.grant, shown, (old, new))


def summed_up(kind: ChangeKind, grant: Grant, shown: Side, sides: tuple[Side, Side]) -> bool:
    """Is a change said already by a scope that came or went whole? Sensitive ones still show.

    `shown` is the side whose access it shows.
    """
    if _reached_anyway(kind, grant, *sides):
        return True
    if grant.capability is Capability.ADMINISTER:
        return False
    taken = [side.case.taken(grant.scope) is not None for side in sides]
    if taken[0] == taken[1]:
        return False
    return grant.pattern or shown.case.rated(grant).level is not Sensitivity.HIGH


def _renamed(old: Side, new: Side) -> dict[str, str]:
    """Pair identities that are reached on one side only and reach the same: new id to old id.

    A renamed role is no change of reach.
    """
    gone = [n for n, i in old.radius.identities.items() if _only_here(n, i, new)]
    came = [n for n, i in new.radius.identities.items() if _only_here(n, i, old)]
    sorts = {_sort(old, name) for name in gone} & {_sort(new, name) for name in came}
    gone = [name for name in gone if _sort(old, name) in sorts]
    came = [name for name in came if _sort(new, name) in sorts]
    if not sorts:
        return {}
    # What is reached is written out of those only of whom there may be another one.
    before, after = _outlines(old, gone), _outlines(new, came)
    both = set(before.values()) & set(after.values())
    gone = [name for name in gone if before[name] in both]
    came = [name for name in came if after[name] in both]
    by_signature: dict[object, list[str]] = {}
    for name, signature in _signatures(old, gone):
        by_signature.setdefault(signature, []).append(name)
    pairs: dict[str, str] = {}
    for name, signature in _signatures(new, came):
        twins = by_signature.get(signature)
        if twins:
            pairs[name] = twins.pop(0)
    return pairs


def _sort(side: Side, name: str) -> tuple[str, str]:
    """The kind and scope of an identity, in which a renamed one is the same."""
    principal = side.radius.identities[name].principal
    return principal.kind, principal.scope


def _only_here(name: str, identity: Identity, other: Side) -> bool:
    return not identity.start and name not in other.radius.identities


def _signatures(side: Side, names: Iterable[str]) -> Iterator[tuple[str, object]]:
    """Give what each of these identities reaches, by name."""
    own = _by_holder(side)
    for name in sorted(names):
        yield name, _signature(side, name, _held(side, name, own))


def _outlines(side: Side, names: Iterable[str]) -> dict[str, object]:
    """Give of how many resources each of these identities has what: the same where it reaches the
    same."""
    own = _by_holder(side)
    found: dict[str, object] = {}
    for name in names:
        masks: dict[object, dict[Lot, int]] = {}
        for piece in _held(side, name, own):
            lots = masks.setdefault(_what(piece), {})
            lots[piece.lot] = lots.get(piece.lot, 0) | piece.mask
        counted = {
            what: sum(mask.bit_count() for mask in lots.values()) for what, lots in masks.items()
        }
        found[name] = frozenset(counted.items())
    return found


def _by_holder(side: Side) -> dict[str, list[Piece]]:
    own: dict[str, list[Piece]] = {}
    for piece in side.radius.accesses.pieces:
        own.setdefault(piece.access.grant.principal, []).append(piece)
    return own


def _held(side: Side, name: str, own: dict[str, list[Piece]]) -> Sequence[Piece]:
    if name not in side.radius.outdone:
        return own.get(name, ())
    identity = side.radius.identities[name]
    engine = side.case.engines[identity.principal.provider]
    return Accesses([Held(identity.path, granted(engine, name))]).pieces


def _what(piece: Piece) -> tuple[object, ...]:
    access = piece.access
    return (
        access.grant.actions,
        access.verdict,
        conjuncts(access.residual),
        access.grant.within,
    )


def _signature(side: Side, name: str, pieces: Iterable[Piece]) -> object:
    principal = side.radius.identities[name].principal
    grants = frozenset((one, *_what(piece)) for piece in pieces for one in piece.ids)
    engine = side.case.engines[principal.provider]
    patterns = frozenset(
        (g.resource, g.actions, g.verdict, conjuncts(g.residual))
        for g in engine.unlisted(engine.permissions(name), principal.scope)
    )
    onward = frozenset((p.kind, p.rule, p.target) for p in side.radius.graph.pivots.of(name))
    return principal.kind, principal.scope, grants, patterns, onward


# --- what one side could not see -----------------------------------------------------------


def unread(side: Side, other: Side) -> tuple[Gap, ...]:
    """Give what one side could not see and the other could, refused or never asked for."""
    return _blind(side, other)


def _blind(side: Side, other: Side) -> tuple[Gap, ...]:
    return differ.blind_spots(side.gaps, other.gaps, _not_collected(side, other))


def _not_collected(side: Side, other: Side) -> Iterable[Gap]:
    """Kinds that the other side's estate was asked for, and this one's was not."""
    mine = {(c.scope, c.kind) for c in side.release.snapshot.coverage}
    seen: set[tuple[str, str]] = set()
    for row in other.release.snapshot.coverage:
        key = (row.scope, row.kind)
        if key in mine or key in seen or not row.complete:
            continue
        seen.add(key)
        yield Gap(
            provider=row.provider,
            scope=row.scope,
            kind=row.kind,
            reason="not-collected",
            message="collected on the other side only",
        )


# --- rows ----------------------------------------------------------------------------------


def _change_row(
    change: Change, sides: tuple[Side, Side], numbers: rows.Numbers, witnesses: Witnesses
) -> ChangeRow:
    access = change.shown
    grant = access.grant
    side = sides[1] if change.new is not None else sides[0]
    rated = side.case.rated(grant)
    number = numbers.get(rows.about(grant))
    actions = change.actions
    if grant.capability is Capability.ASSUME and access.path.pivots:
        actions = tuple(sorted({s.action for s in access.path.pivots[-1].support if s.action}))
    return ChangeRow(
        kind=change.kind.value,
        identity=grant.principal,
        resource=grant.resource,
        resource_kind=grant.kind,
        resource_name=grant.name,
        scope=grant.scope,
        provider=grant.provider,
        capability=str(grant.capability),
        actions=actions,
        verdict=str(access.verdict),
        old_verdict=_verdict(change.old, change),
        new_verdict=_verdict(change.new, change),
        depends_on=conjuncts(access.residual),
        sensitivity=str(rated.level),
        sensitive_because=rated.why,
        strength=str(access.strength),
        pattern=grant.pattern,
        within=grant.within,
        caused_by=tuple(rows.gap_text(gap) for gap in change.caused_by),
        findings=(number,) if number else (),
        witness=_witness(access, side, change, witnesses),
        tools=rows.ids(side.toolbox.by(access.path, grant, new=_is_moved(change))),
        opened_by=side.toolbox.opened_by(access) if _is_moved(change) else (),
    )


def _is_moved(change: Change) -> bool:
    """Is there an access on one side that is not, or not as wide, on the other?"""
    return change.kind is not ChangeKind.REROUTED


def _witness(access: Access, side: Side, change: Change, witnesses: Witnesses) -> tuple[Hop, ...]:
    tool = side.toolbox.first(access.path, access.grant, new=_is_moved(change))
    if access.grant.capability in (Capability.ASSUME, Capability.ADMINISTER):
        return witnesses.of_path(access.path, tool)
    return witnesses.of_access(access, change.actions, tool)


def _verdict(access: Access | None, change: Change) -> str:
    if access is not None:
        return str(access.verdict)
    return str(Verdict.UNKNOWN if change.kind is ChangeKind.UNKNOWN else Verdict.DENY)


# --- summary -------------------------------------------------------------------------------


def _summary(
    old: Side, new: Side, changes: tuple[Change, ...], findings: tuple[Finding, ...]
) -> Summary:
    def severities(state: State) -> dict[str, int]:
        return _counted(str(f.severity) for f in findings if f.state is state)

    gone, came = unseen(changes, old, new), unseen(changes, new, old)
    return Summary(
        old=_figures(old, came, new.case),
        new=_figures(new, gone, old.case),
        changes=_counted(str(change.kind) for change in changes),
        findings=severities(State.NEW),
        findings_unchanged=severities(State.UNCHANGED),
        findings_gone=severities(State.GONE),
        matrix=matrix(old, new, (grant.resource for grant in gone)),
    )


def _figures(side: Side, hidden: tuple[Grant, ...], reaching: Case) -> Figures:
    """Give one side's reach in numbers, with what only the other side could tell of."""
    high = sum(reaching.rated(grant).level is Sensitivity.HIGH for grant in hidden)
    return replace(rows.figures(side), unseen=len(hidden), unseen_sensitive=high)


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
