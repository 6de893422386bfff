"""MR201: reach that the deployment never said it needs, and was never seen to use.

Reach minus declared needs minus observed use. What was not tracked is not known to be unused: with
declared needs it is excess by these alone, and the finding says so; without, it is no excess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from modelreach.judge.finding import Case, Finding, short
from modelreach.judge.fixes import cut
from modelreach.judge.sensitivity import EXPOSING
from modelreach.judge.use import Observed, Seen, observed
from modelreach.model import Capability, Sensitivity, Severity
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.extent import Extent
from modelreach.policy.permissions import EMPTY, Box, PermissionSet
from modelreach.policy.providers import providers
from modelreach.reach import Access
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
        by_statement: dict[StatementRef, list[Access]] = {}
        for access in (*case.radius.accesses, *case.radius.patterns):
            if _summed_up(access, case):
                continue
            beyond = _excess(access.grant, needs, use)
            if beyond and access.grant.statements:
                excess = replace(access, grant=replace(access.grant, actions=beyond))
                by_statement.setdefault(access.grant.statements[0], []).append(excess)
        for ref, accesses in sorted(by_statement.items()):
            yield _finding(case, ref, accesses, use, declared=needs is not None)


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


def _summed_up(access: Access, case: Case) -> bool:
    """Is the access part of a scope that is taken over? MR102 says all of it at once."""
    return case.taken(access.grant.scope) is not None


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
    accesses: list[Access],
    use: Mapping[str, Observed],
    *,
    declared: bool,
) -> Finding:
    first = accesses[0]
    resources = sorted({access.grant.resource for access in accesses})
    actions = sorted({action for access in accesses for action in access.grant.actions})
    goes = "go" if actions[1:] else "goes"
    beyond = "the declared needs" if declared else "what was seen to be used"
    shown = ", ".join(f"`{action}`" for action in actions[:3])
    more = f" and {len(actions) - 3} more" if len(actions) > 3 else ""
    who = f"`{short(first.grant.principal)}`"
    where = f"`{first.grant.name}`" + (f" and {len(resources) - 1} more" if resources[1:] else "")
    return Finding(
        rule=ExcessPrivilege.ID,
        title=ExcessPrivilege.TITLE,
        severity=_severity(case, accesses),
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


def _severity(case: Case, accesses: list[Access]) -> Severity:
    """Excess on what is sensitive, or excess that can change things, weighs more."""
    for access in accesses:
        high = case.rated(access.grant).level is Sensitivity.HIGH
        if high and access.grant.capability in EXPOSING:
            return Severity.HIGH
    changing = {Capability.WRITE, Capability.MANAGE}
    return (
        Severity.MEDIUM
        if any(access.grant.capability in changing for access in accesses)
        else Severity.LOW
    )


def _watched(case: Case, *principals: str) -> dict[str, tuple[Usage, ...]]:
    """What was observed of those that are reached, or of these of them."""
    usage, reached = case.facts.usage, case.radius.identities
    asked = principals or sorted(reached)
    return {name: usage[name] for name in asked if name in reached and name in usage}
