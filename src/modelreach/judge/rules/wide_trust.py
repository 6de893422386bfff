"""MR402: a trust lets in more than the workload that uses it.

`system:serviceaccount:*`, `repo:acme/*`, no condition on the subject at all: what the release
reaches by such a trust, others reach just the same. Whether they are let in is asked of the trust
itself, with tokens of somebody else: of anybody under the issuer, of the same cluster or
organization, of the same namespace or repository. The widest of them is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.graph import Path
from modelreach.judge.federation import Shown, besides, idle, owner, shown
from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import place
from modelreach.model import Severity, Strength
from modelreach.policy.engine import Distance, Pivot, Stranger

_SEVERITIES = {
    Distance.ANYBODY: Severity.CRITICAL,
    Distance.PLACE: Severity.HIGH,
    Distance.BESIDE: Severity.MEDIUM,
}


class WideTrust:
    """One finding for each identity whose trust lets strangers in: critical when anybody under the
    issuer is, high when its whole cluster or organization is, medium beside it."""

    ID = "MR402"
    TITLE = "trust is wider than the workload"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding an identity that is let in, the widest."""
        found: dict[str, Finding] = {}
        for one in shown(case):
            for hop in one.hops:
                wide = None if idle(case, hop) else besides(case, one, hop)
                if wide is None:
                    continue
                finding = _finding(case, one, hop, *wide)
                found.setdefault(finding.key, finding)
        yield from found.values()


def _finding(case: Case, one: Shown, hop: Pivot, stranger: Stranger, other: Pivot) -> Finding:
    target, who = short(hop.target), short(one.source)
    refs = tuple(ref for support in hop.support for ref in support.statements)
    certain = other.strength is Strength.CERTAIN
    where = place(refs[0]) if refs else f"what lets it in (`{hop.via or target}`)"
    engine = owner(case, hop.target)
    entered = engine.principal(hop.target) if engine is not None else None
    # Who comes in by a pool is called as it says: the door has a name of its own.
    door = hop.via if hop.via and entered is not None and entered.kind == "federated" else target
    lets = "lets in" if certain else "lets in, under conditions,"
    return Finding(
        rule=WideTrust.ID,
        title=WideTrust.TITLE,
        severity=_SEVERITIES[stranger.distance] if certain else Severity.LOW,
        subject=hop.target,
        subject_kind=f"{engine.provider if engine is not None else 'federation'}:federation",
        identity=one.source,
        message=f"`{door}` {lets} {stranger.words}, not only `{who}`",
        fix=f"let only `{one.token.subject}` in: name it in {where}",
        key=f"{hop.via or hop.target} {stranger.words}",
        evidence=(
            f"`{stranger.subject}` of {one.token.issuer} would be let in",
            *(("its own side does not ask for it yet",) if one.possible else ()),
        ),
        path=Path(one.path.start, (*one.path.pivots, hop)),
        granted_by=refs,
    )
