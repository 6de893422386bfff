"""MR401: one half of a federation is left, and the other is missing.

A workload becomes an identity elsewhere only where both sides say so. One that is left does
nothing today, and all of it as soon as somebody writes the other half: whoever may change a
role's trust, make a role of the name that an annotation still says, or run a pod under the name
that a trust still lets in. The same holds of roles across accounts, and of whom a cluster lets in
by name. Of a side that was not read nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from modelreach.graph import Path
from modelreach.judge.federation import Shown, aimed_at, besides, idle, meets, owner, shown
from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import place
from modelreach.judge.halves import left
from modelreach.judge.halves import told as in_words
from modelreach.model import Severity, Strength
from modelreach.policy.engine import Pivot, Presence, Support


class HalfFederation:
    """One finding for each half that is left: an annotation whose aim does not let it in or does
    not exist; a trust in a workload that does not name it; a pool that lets a workload in as
    somebody who holds nothing; a binding for somebody whom no pool lets in; of two accounts what
    only one says; an entry of a cluster for somebody who is not there."""

    ID = "MR401"
    TITLE = "half of a federation is left"

    def judge(self, case: Case) -> Iterator[Finding]:
        """Give a finding a half."""
        told: set[str] = set()
        for one in shown(case):
            for finding in _of(case, one):
                if finding.key not in told:
                    told.add(finding.key)
                    yield finding
        yield from _crossing(case)


def _crossing(case: Case) -> Iterator[Finding]:
    # Who is there may be renamed, so what is said of several alike is told apart by counting.
    alike: dict[str, int] = {}
    for some in left(case):
        finding = in_words(some, HalfFederation.ID, HalfFederation.TITLE)
        count = alike[finding.key] = alike.get(finding.key, 0) + 1
        yield finding if count == 1 else replace(finding, key=f"{finding.key} {count}")


def _of(case: Case, one: Shown) -> Iterator[Finding]:
    if one.possible:
        for hop in one.hops:
            if besides(case, one, hop) is None and hop.strength is not Strength.UNKNOWN:
                yield _trust(case, one, hop)
        return
    if one.token.aims and not meets(case, one):
        found = aimed_at(case, one.token)
        if found is not Presence.UNREAD:
            yield _annotation(one, found)
    for hop in one.hops:
        if hop.via and hop.strength is Strength.CERTAIN and idle(case, hop):
            yield _pool(one, hop)
    for engine in case.engines.values():
        for support in engine.naming(one.token):
            yield _binding(one, support)


def _annotation(one: Shown, found: Presence) -> Finding:
    aims, who = one.token.aims, short(one.source)
    said = next((support.note for support in one.token.support), f"`{who}` names `{aims}`")
    absent = found is Presence.ABSENT
    why = "there is no such identity" if absent else "it does not let its token in"
    return Finding(
        rule=HalfFederation.ID,
        title=HalfFederation.TITLE,
        severity=Severity.MEDIUM if absent else Severity.LOW,
        subject=one.source,
        subject_kind="federation",
        identity=one.source,
        message=f"stale annotation: `{who}` says that it is `{short(aims)}`, but {why}",
        fix=f"take the annotation off `{who}`"
        + ("" if absent else f", or let `{one.token.subject}` in where `{short(aims)}` is"),
        key=f"annotation {one.source} {aims}",
        evidence=(said, f"subject {one.token.subject} of {one.token.issuer}"),
        path=one.path,
    )


class _Other(msgspec.Struct, frozen=True):
    """The half that is missing at whoever shows no token: how it is made good, who can, and what
    has happened then."""

    fix: str
    who: str
    once: str


_POD = _Other(
    "say on `{who}` that it is `{target}`",
    "whoever may run a pod as it, or mint its tokens, has the other half",
    "somebody mounts one for it",
)
_OTHERS = {
    "aws": _Other(
        "let `{who}` have its tokens: sts:GetWebIdentityToken, and outbound federation of its "
        "account turned on",
        "whoever may write its policies and turn its account's tokens on has the other half",
        "it may ask for one",
    )
}


def _trust(case: Case, one: Shown, hop: Pivot) -> Finding:
    who, target = short(one.source), short(hop.target)
    refs = tuple(ref for support in hop.support for ref in support.statements)
    engine = owner(case, hop.target)
    kind = engine.provider if engine is not None else "federation"
    mine = owner(case, one.source)
    other = _OTHERS.get(mine.provider if mine is not None else "", _POD)
    out = f"take it out of {place(refs[0])}" if refs else f"take it out of the trust of `{target}`"
    return Finding(
        rule=HalfFederation.ID,
        title=HalfFederation.TITLE,
        severity=Severity.MEDIUM,
        subject=hop.target,
        subject_kind=f"{kind}:federation",
        identity=one.source,
        message=f"trust is left: `{target}` lets `{one.token.subject}` in, "
        f"and `{who}` shows it no token",
        fix=f"{out}, or {other.fix.format(who=who, target=target)}",
        key=f"trust {hop.target} {one.source}",
        evidence=(
            f"subject {one.token.subject} of {one.token.issuer}",
            other.who,
        ),
        path=Path(one.path.start, (*one.path.pivots, _conditional(hop, other))),
        granted_by=refs,
    )


def _conditional(hop: Pivot, other: _Other) -> Pivot:
    return replace(hop, strength=Strength.CONDITIONAL, note=f"{hop.note}, once {other.once}")


def _pool(one: Shown, hop: Pivot) -> Finding:
    who = short(one.source)
    return Finding(
        rule=HalfFederation.ID,
        title=HalfFederation.TITLE,
        severity=Severity.LOW,
        subject=hop.via,
        subject_kind="federation",
        identity=one.source,
        message=f"pool is left: `{hop.via}` lets `{who}` in, as somebody who holds nothing "
        "that was read",
        fix="let nobody in who needs nothing: narrow the provider's condition, or delete it",
        key=f"pool {hop.via}",
        evidence=(f"comes in as {hop.target}",),
        path=Path(one.path.start, (*one.path.pivots, hop)),
    )


def _binding(one: Shown, support: Support) -> Finding:
    who = short(one.source)
    return Finding(
        rule=HalfFederation.ID,
        title=HalfFederation.TITLE,
        severity=Severity.MEDIUM,
        subject=support.object,
        subject_kind="federation",
        identity=one.source,
        message=f"binding is left: `{support.subject}` holds {support.action} on "
        f"`{short(support.object)}`, and no provider of the pool lets `{who}` in",
        fix=f"take role `{support.action}` on `{support.object}` from `{support.subject}`",
        key=f"binding {support.object} {support.action} {support.subject}",
        evidence=("whoever may make or change a provider of the pool has the other half",),
        path=one.path,
        granted_by=support.statements,
    )
