"""MR101: a sensitive resource can be read, changed or given away."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.accesses import Access, Piece, best
from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import cut
from modelreach.judge.sensitivity import EXPOSING, Rated
from modelreach.judge.within import Words
from modelreach.model import Capability, Sensitivity, Severity, Strength, Verdict
from modelreach.policy.engine import Grant
from modelreach.policy.lots import Lot

_Rank = tuple[bool, int, int, int, str]


class SensitiveReach:
    """One finding for each sensitive resource whose contents, or whose access, is reached."""

    ID = "MR101"
    TITLE = "sensitive resource is reachable"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding a resource; what is reached by taking its scope over is MR102's."""
        pieces = list(_exposing(case))
        actions = _actions(pieces)
        for access in best(pieces, _preferred):
            name = access.grant.resource
            yield _finding(name, access, case.rated(access.grant), actions[name])
        yield from _by_pattern(case)


def _by_pattern(case: Case) -> Iterator[Finding]:
    found: dict[str, list[Access]] = {}
    for access in case.radius.patterns.where(lambda grant: _is_exposed(grant, case)):
        if not case.by_administration(access):
            about = f"{access.grant.resource} {access.grant.kind}"
            found.setdefault(about, []).append(access)
    for about, accesses in sorted(found.items()):
        access = min(accesses, key=_preferred)
        actions = tuple(sorted({action for one in accesses for action in one.grant.actions}))
        yield _finding(about, access, case.rated(access.grant), actions)


def _is_exposed(grant: Grant, case: Case) -> bool:
    return grant.capability in EXPOSING and case.rated(grant).level in _TOLD


def _exposing(case: Case) -> Iterator[Piece]:
    """Give the pieces of what is sensitive and exposed, but for what the taking over gives."""
    for piece in case.radius.accesses.pieces:
        grant = piece.access.grant
        if grant.capability in EXPOSING:
            mask = case.weighing.rated(grant, piece.lot, piece.mask, _TOLD)
            mask &= ~case.by_administration_of(piece, mask)
            if mask:
                yield piece.within(mask)


def _actions(pieces: list[Piece]) -> dict[str, tuple[str, ...]]:
    """Give all actions by which each resource is reached, sorted; the same tuple for many."""
    words, masks = Words(), dict[Lot, dict[tuple[str, ...], int]]()
    for piece in pieces:
        by, actions = masks.setdefault(piece.lot, {}), piece.access.grant.actions
        by[actions] = by.get(actions, 0) | piece.mask
    found: dict[str, int] = {}
    for lot, by in masks.items():
        for actions, mask in by.items():
            these = words.mask(actions)
            for name in lot.of(mask):
                found[name] = found.get(name, 0) | these
    told = {these: tuple(words.of(these)) for these in set(found.values())}
    return {name: told[these] for name, these in found.items()}


_TOLD = (Sensitivity.HIGH, Sensitivity.MEDIUM)
_VERDICTS = {Verdict.ALLOW: 0, Verdict.CONDITIONAL: 1, Verdict.UNKNOWN: 2, Verdict.DENY: 3}
_CAPABILITIES = {Capability.READ: 0, Capability.ADMINISTER: 1, Capability.MANAGE: 2}


def _preferred(access: Access) -> _Rank:
    return (
        # However sure an influence is, it is the milder finding.
        access.path.strength is Strength.INFLUENCE,
        _VERDICTS[access.verdict],
        _CAPABILITIES.get(access.grant.capability, 3),
        len(access.path.pivots),
        access.grant.principal,
    )


def _finding(about: str, access: Access, rated: Rated, actions: tuple[str, ...]) -> Finding:
    how = {
        Verdict.ALLOW: "can",
        Verdict.CONDITIONAL: "can under conditions",
        Verdict.UNKNOWN: "may (not everything was read)",
    }.get(access.verdict, "can")
    grant = access.grant
    verb = {Capability.READ: "read", Capability.WRITE: "change"}.get(
        grant.capability, "give away or reconfigure"
    )
    return Finding(
        rule=SensitiveReach.ID,
        title=SensitiveReach.TITLE,
        severity=_severity(rated, access),
        subject=grant.resource,
        subject_kind=grant.kind,
        identity=grant.principal,
        message=f"`{short(grant.principal)}` {how} {verb} {_what(grant, _reason(rated))}",
        fix=cut(access),
        key=f"{about}|{'read' if grant.capability is Capability.READ else 'change'}",
        evidence=actions,
        access=access,
        granted_by=grant.statements,
    )


def _what(grant: Grant, reason: str) -> str:
    if not grant.pattern:
        return f"`{grant.name}`, which {reason}"
    # Kubernetes calls its kinds by their plural.
    kind = grant.kind.replace(":", "/").rpartition("/")[2].removesuffix("s")
    like = "" if grant.resource == "*" else f" that `{grant.resource}` matches"
    return f"any {kind}{like}; each {reason}"


def _reason(rated: Rated) -> str:
    return f"is {rated.why}" if rated.why.startswith(("a ", "named", "tagged")) else rated.why


def _severity(rated: Rated, access: Access) -> Severity:
    high = rated.level is Sensitivity.HIGH
    if access.path.strength is Strength.INFLUENCE:
        return Severity.MEDIUM if high else Severity.LOW
    if access.verdict is not Verdict.ALLOW:
        return Severity.HIGH if high else Severity.LOW
    return Severity.CRITICAL if high else Severity.MEDIUM
