"""Which scopes a principal can take over: by giving itself any role there.

Who may write role assignments may make itself an owner, unless a condition says which roles it
may assign; then it has these. A condition that lists roles that must not be assigned is no limit
to one who may also write role definitions: a new role is not on the list.
https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-overview
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Strength, Verdict
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.became import Became, How
from modelreach.policy.azure.conditions import attribute_key
from modelreach.policy.azure.decide import decide
from modelreach.policy.azure.ids import is_arm
from modelreach.policy.azure.roles import Plane
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import TRUE, Expr, all_of, atoms

ASSIGN = "Microsoft.Authorization/roleAssignments/write"
DEFINE = "Microsoft.Authorization/roleDefinitions/write"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_NEW_ROLE = "ffffffff-ffff-4fff-bfff-ffffffffffff"
_ROLES = "/providers/microsoft.authorization/roledefinitions/"
_ABOUT = "roleassignments:roledefinitionid]"
_REQUEST = "@Request[Microsoft.Authorization/roleAssignments:"


def administration(asker: Asker) -> Iterator[Pivot]:
    """Give a hop for each scope that can be taken over, and for what can be given otherwise."""
    taken: set[str] = set()
    for scope in sorted(_places(asker, ASSIGN), key=lambda s: (s.count("/"), s)):
        if taken & set(asker.estate.scopes_of(scope)):
            continue
        for pivot in _at(asker, scope):
            if pivot.kind == "administer" and pivot.strength is Strength.CERTAIN:
                taken.add(scope)
            yield pivot
    yield from _rewriting(asker, taken)


def _places(asker: Asker, action: str) -> set[str]:
    name = action.lower()
    return {
        held.binding.target
        for held in asker.held
        if is_arm(held.binding.target)
        and (held.role is None or held.role.granting(Plane.CONTROL, name))
    }


def _assigning(asker: Asker, scope: str, role: str) -> Decision:
    """May it assign a role to itself?"""
    kind = asker.principal.kind
    known = {
        "RoleDefinitionId": role,
        "PrincipalId": asker.principal.id,
        "PrincipalType": "User" if kind == "user" else "ServicePrincipal",
    }
    fixed = {attribute_key(f"{_REQUEST}{name}]"): (value,) for name, value in known.items()}
    return decide(asker, ASSIGN, scope, fixed)


def _at(asker: Asker, scope: str) -> Iterator[Pivot]:
    as_owner = _assigning(asker, scope, OWNER)
    if as_owner.verdict is not Verdict.DENY:
        support = Support(asker.name, ASSIGN, scope, as_owner.allowed_by)
        yield _taking(asker, scope, as_owner, (support,), "it may make itself an owner")
        if as_owner.verdict is Verdict.ALLOW:
            return
    yield from _with_new_role(asker, scope)
    if allowed_roles(asker, scope):
        some = decide(asker, ASSIGN, scope)
        name = Became(asker.principal.id, How.ROLES, scope).name
        if name != asker.name:
            yield Pivot(
                "self-escalation",
                asker.name,
                name,
                Strength.CERTAIN,
                TRUE,
                (Support(asker.name, ASSIGN, scope, some.allowed_by),),
                rule="azure-assign-allowed-roles",
                note="it may assign itself the roles that its condition lets it assign",
            )


def _with_new_role(asker: Asker, scope: str) -> Iterator[Pivot]:
    assign, define = _assigning(asker, scope, _NEW_ROLE), decide(asker, DEFINE, scope)
    if Verdict.DENY in (assign.verdict, define.verdict):
        return
    supports = (
        Support(asker.name, DEFINE, scope, define.allowed_by),
        Support(asker.name, ASSIGN, scope, assign.allowed_by),
    )
    note = "it may define a role of its own, which no condition lists, and assign it to itself"
    residual = all_of((assign.residual, define.residual))
    yield _pivot(asker, scope, residual, supports, note, "azure-define-and-assign-role")


def _rewriting(asker: Asker, taken: set[str]) -> Iterator[Pivot]:
    """A custom role that it holds and may rewrite gives it everything where it holds it.

    That takes the permission at every scope at which the role may be assigned.
    https://learn.microsoft.com/azure/role-based-access-control/custom-roles
    """
    if not _places(asker, DEFINE):
        return
    for held in asker.held:
        scope = held.binding.target
        scopes = asker.estate.assignable(held.binding.role)
        if not is_arm(scope) or not scopes or taken & set(asker.estate.scopes_of(scope)):
            continue
        answers = [decide(asker, DEFINE, place) for place in scopes]
        if any(answer.verdict is Verdict.DENY for answer in answers):
            continue
        supports = tuple(
            Support(asker.name, DEFINE, place, answer.allowed_by)
            for place, answer in zip(scopes, answers, strict=True)
        )
        note = f"it may rewrite {held.role.name if held.role else 'a role'}, which it holds there"
        residual = all_of(answer.residual for answer in answers)
        yield _pivot(asker, scope, residual, supports, note, "azure-rewrite-own-role")


def _taking(
    asker: Asker, scope: str, decision: Decision, supports: tuple[Support, ...], note: str
) -> Pivot:
    return _pivot(asker, scope, decision.residual, supports, note, "azure-assign-any-role")


def _pivot(
    asker: Asker,
    scope: str,
    residual: Expr,
    supports: tuple[Support, ...],
    note: str,
    rule: str,
) -> Pivot:
    """Scopes are taken over; of a single resource, it may do whatever there is to be done."""
    whole = scope in asker.estate.facts.scopes
    target = scope if whole else Became(asker.principal.id, How.ANY_ROLE, scope).name
    kind = "administer" if whole else "self-escalation"
    strength = strength_of(residual)
    return Pivot(kind, asker.name, target, strength, residual, supports, rule=rule, note=note)


def allowed_roles(asker: Asker, scope: str) -> tuple[str, ...]:
    """Give the roles (their names, last part of their ids) that it may assign itself for certain
    at a scope, and does not hold there yet."""
    here = set(asker.estate.scopes_of(scope))
    has = {held.binding.role for held in asker.held if held.binding.target in here}
    named = _named(asker, scope)
    others = _assigning(asker, scope, _NEW_ROLE).verdict is Verdict.ALLOW
    names = (name.removeprefix(_ROLES) for name in sorted(asker.estate.known_roles - has))
    return tuple(
        name
        for name in names
        if not name.startswith("/")
        and (
            _assigning(asker, scope, name).verdict is Verdict.ALLOW
            if named is None or _bare(name) in named
            else others
        )
    )


def _named(asker: Asker, scope: str) -> set[str] | None:
    """The roles that conditions name: of all others they say the same. None where they tell roles
    apart otherwise than by their whole ids."""
    decision = decide(asker, ASSIGN, scope)
    about = [atom for atom in atoms(decision.residual) if atom.key.lower().endswith(_ABOUT)]
    if any(not atom.operator.endswith("GuidEquals") for atom in about):
        return None
    return {_bare(value) for atom in about for value in atom.values}


def _bare(role: str) -> str:
    return role.lower().replace("-", "").strip("{}")
