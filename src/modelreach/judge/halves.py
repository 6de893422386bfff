"""Ways of which one half is left, where no token is shown: trusts and policies across accounts,
and lists of who enters a cluster.

They are told once a statement: the policy of a role of operations often names dozens of roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from modelreach.graph import Path
from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import place, taken_out
from modelreach.model import Severity, Strength
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import AS_ADMINISTRATOR, Half, Pivot, Presence, Side

#: How many are named in one sentence.
_SOME = 3


class Left(msgspec.Struct, frozen=True):
    """Halves that are left, alike but for whom they would lead to, and the way to whom they are
    of. Whether those are there was read."""

    path: Path
    halves: tuple[Half, ...]

    @property
    def first(self) -> Half:
        """One of them, for what they have alike."""
        return self.halves[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Whom they would lead to, or let in, as that is written."""
        return tuple(half.named or half.target for half in self.halves)

    @property
    def statements(self) -> tuple[StatementRef, ...]:
        """Those that say it."""
        return _statements(self.first)


def left(case: Case) -> Iterator[Left]:
    """Give the halves that are left of what is reached. What is reached otherwise has no need of
    them, and whoever was taken over with all of its account shows nothing new."""
    groups: dict[object, Left] = {}
    seen: set[object] = set()
    for name, identity in sorted(case.radius.identities.items()):
        if any(pivot.rule == AS_ADMINISTRATOR for pivot in identity.path.pivots):
            continue
        for half in case.engines[identity.principal.provider].halves(name):
            # A cluster lists the same for everybody who is in it.
            one = half.via or half.source, half.side, half.named or half.target
            found = half if one in seen else _read(case, half)
            if one not in seen and _idle(case, found):
                key = (*one[:2], found.found, found.via or _statements(found))
                before = groups.get(key, Left(identity.path, ()))
                groups[key] = Left(before.path, (*before.halves, found))
            seen.add(one)
    yield from groups.values()


def _read(case: Case, half: Half) -> Half:
    """Give a half with whether whom it names is there."""
    theirs = case.engines.get(half.to)
    if half.found is not Presence.UNREAD or theirs is None:
        return half
    return replace(half, found=theirs.presence(half.target))


def _idle(case: Case, half: Half) -> bool:
    """Does a half lead nowhere, as far as was read?"""
    if half.via:
        return half.found is Presence.ABSENT
    return half.left and half.target not in case.radius.identities


def _statements(half: Half) -> tuple[StatementRef, ...]:
    return tuple(ref for support in half.support for ref in support.statements)


# --- in words --------------------------------------------------------------------------------


def told(one: Left, rule: str, title: str) -> Finding:
    """Give the finding of a rule about halves that are left."""
    half = one.first
    by_side = {Side.POLICY: _policy, Side.TRUST: _trust}
    words = by_side.get(half.side, _entry)(one)
    return Finding(
        rule=rule,
        title=title,
        severity=words.severity,
        subject=half.via or (half.source if half.side is Side.POLICY else half.target),
        subject_kind=f"{half.to}:federation",
        identity=half.source,
        message=words.message,
        fix=words.fix,
        key=" ".join((half.side.value, half.found.value, half.via or "-", *_about(one))),
        evidence=words.evidence,
        path=words.path,
        granted_by=one.statements,
    )


class _Words(msgspec.Struct, frozen=True):
    severity: Severity
    message: str
    fix: str
    evidence: tuple[str, ...]
    path: Path


def _policy(one: Left) -> _Words:
    who, them = short(one.first.source), _listed(one.names)
    absent = one.first.found is Presence.ABSENT
    if len(one.names) > 1:
        why = "there are no such roles" if absent else f"none of them lets `{who}` in"
    else:
        why = "there is no such role" if absent else f"that does not let `{who}` in"
    out = taken_out(them, one.statements[0])
    return _Words(
        Severity.LOW,
        f"permission is left: `{who}` may assume {them} by its policies, but {why}",
        out if absent else f"{out}, or let `{who}` in by the trust of {them}",
        (
            "whoever may make a role of this name there has the other half"
            if absent
            else "whoever may write the trust has the other half",
            *dict.fromkeys(each.note for half in one.halves for each in half.support),
        ),
        one.path,
    )


def _trust(one: Left) -> _Words:
    from modelreach.policy.escalation.mechanism import provided

    who, them, first = short(one.first.source), _listed(one.names), one.first
    hop = Pivot(
        "assume-role",
        first.source,
        first.target,
        Strength.CONDITIONAL,
        provided(f"the policies of {first.source} let it assume the role"),
        # The statement stands there; that somebody may do it today is not said.
        tuple(replace(support, action="") for support in first.support),
        note="the role's trust lets it in, once its policies let it assume the role",
    )
    return _Words(
        Severity.MEDIUM,
        f"trust is left: {them} lets `{who}` in, and its policies do not let it assume the role",
        f"take `{who}` out of {place(one.statements[0])}, or let it assume {them} by its policies",
        (f"whoever may write the policies of `{who}` has the other half",),
        Path(one.path.start, (*one.path.pivots, hop)),
    )


def _entry(one: Left) -> _Words:
    half, them = one.first, _listed(one.names)
    by_name, several = half.side is Side.BY_NAME, len(one.names) > 1
    what = "config map" if by_name else "access entry"
    why = "none of them is there" if several else "there is no such principal"
    where = "`mapRoles` or `mapUsers` of aws-auth" if by_name else "the cluster's access entries"
    after = (
        "whoever may make one of this name enters the cluster"
        if by_name
        else "one that is made anew under this name does not enter by it"
    )
    notes = (support.note for each in one.halves for support in each.support)
    return _Words(
        Severity.MEDIUM if by_name else Severity.LOW,
        f"{what} is left: `{short(half.via)}` lets {them} in, but {why}",
        f"take {them} out of {where}",
        (after, *notes),
        one.path,
    )


def _about(one: Left) -> Iterator[str]:
    """Give whom halves are about, in words that survive a renaming of who is there."""
    for half, name in zip(one.halves, one.names, strict=True):
        yield name.rpartition("/")[0] if half.found is Presence.LISTED else name


def _listed(names: Iterable[str]) -> str:
    some = [f"`{name}`" for name in names]
    more = f" and {len(some) - _SOME} more" if len(some) > _SOME else ""
    return ", ".join(some[:_SOME]) + more
