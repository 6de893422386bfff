"""MR102: a whole account, project, subscription or cluster can be taken over."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import cut_path
from modelreach.model import Severity, Strength
from modelreach.policy.lots import places
from modelreach.reach import Takeover


class AdministrationRoute:
    """One finding for each scope that can be taken over."""

    ID = "MR102"
    TITLE = "route to administration"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding a scope, with what is sensitive in it."""
        for scope, takeover in sorted(case.radius.takeovers.items()):
            yield _finding(case, scope, takeover)


def _finding(case: Case, scope: str, takeover: Takeover) -> Finding:
    pivot = takeover.path.pivots[-1]
    certain = takeover.path.strength is Strength.CERTAIN
    sure = "can" if certain else "can under conditions"
    rule = f" ({pivot.rule})" if pivot.rule else ""
    place = f"{takeover.kind.replace('-', ' ')} `{scope}`"
    return Finding(
        rule=AdministrationRoute.ID,
        title=AdministrationRoute.TITLE,
        severity=Severity.CRITICAL if certain else Severity.HIGH,
        subject=scope,
        subject_kind=f"{takeover.provider}:{takeover.kind}",
        identity=pivot.source,
        message=f"`{short(pivot.source)}` {sure} take over {place}{rule}",
        fix=cut_path(takeover.path),
        key=scope,
        evidence=_at_stake(case, scope),
        path=takeover.path,
        granted_by=tuple(ref for s in pivot.support for ref in s.statements),
    )


def _at_stake(case: Case, scope: str) -> tuple[str, ...]:
    held = {
        part.lot.ids[place]
        for part in case.exposed
        for place in places(case.weighing.taken(part.lot, part.mask))
        if (taken := case.taken(part.lot.thing(place).scope)) is not None and taken.scope == scope
    }
    return tuple(sorted(held)[:20])
