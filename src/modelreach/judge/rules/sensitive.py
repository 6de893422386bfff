"""MR101: a sensitive resource can be read, changed or given away."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import cut
from modelreach.judge.sensitivity import EXPOSING, Rated
from modelreach.model import Capability, Sensitivity, Severity, Strength, Verdict
from modelreach.policy.engine import Grant
from modelreach.reach import Access

_Rank = tuple[int, int, int, str]


class _Best(msgspec.Struct, frozen=True):
    """The best access to a thing, and all actions by which it is reached."""

    rank: _Rank
    access: Access
    rated: Rated
    actions: set[str]


class SensitiveReach:
    """One finding for each sensitive resource whose contents, or whose access, is reached."""

    ID = "MR101"
    TITLE = "sensitive resource is reachable"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding a resource; what is reached by taking its scope over is MR102's."""
        best: dict[str, _Best] = {}
        for access in (*case.radius.accesses, *case.radius.patterns):
            grant = access.grant
            if grant.capability not in EXPOSING or case.by_administration(access):
                continue
            rated = case.rated(grant)
            if rated.level not in (Sensitivity.HIGH, Sensitivity.MEDIUM):
                continue
            about = f"{grant.resource} {grant.kind}" if grant.pattern else grant.resource
            rank = _preferred(access)
            known = best.get(about)
            actions = known.actions if known else set[str]()
            actions.update(grant.actions)
            if known is None or rank < known.rank:
                best[about] = _Best(rank, access, rated, actions)
        for about, one in sorted(best.items(), key=lambda item: item[0]):
            yield _finding(about, one.access, one.rated, one.actions)


_VERDICTS = {Verdict.ALLOW: 0, Verdict.CONDITIONAL: 1, Verdict.UNKNOWN: 2, Verdict.DENY: 3}
_CAPABILITIES = {Capability.READ: 0, Capability.ADMINISTER: 1, Capability.MANAGE: 2}


def _preferred(access: Access) -> _Rank:
    return (
        _VERDICTS[access.verdict],
        _CAPABILITIES.get(access.grant.capability, 3),
        len(access.path.pivots),
        access.grant.principal,
    )


def _finding(about: str, access: Access, rated: Rated, actions: set[str]) -> Finding:
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
        message=f"`{short(grant.principal)}` {how} {verb} {_what(grant)}, which {_reason(rated)}",
        fix=cut(access),
        key=f"{about}|{'read' if grant.capability is Capability.READ else 'change'}",
        evidence=tuple(sorted(actions)),
        access=access,
        granted_by=grant.statements,
    )


def _what(grant: Grant) -> str:
    if not grant.pattern:
        return f"`{grant.name}`"
    kind = grant.kind.replace(":", "/").rpartition("/")[2]
    return f"any {kind} that `{grant.resource}` matches"


def _reason(rated: Rated) -> str:
    return f"is {rated.why}" if rated.why.startswith(("a ", "named", "tagged")) else rated.why


def _severity(rated: Rated, access: Access) -> Severity:
    high = rated.level is Sensitivity.HIGH
    if access.path.strength is Strength.INFLUENCE:
        return Severity.MEDIUM if high else Severity.LOW
    if access.verdict is not Verdict.ALLOW:
        return Severity.HIGH if high else Severity.LOW
    return Severity.CRITICAL if high else Severity.MEDIUM
