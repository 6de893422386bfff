"""The decision: what allows, what denies, and what stands in the way regardless of roles.

Roles add up: one permission block of one role at one scope above the target is enough, under its
own condition and that of the assignment. A deny assignment wins over all of them. Locks are not
about who asks: they stop changes (and, at `ReadOnly`, every POST) of the control plane until they
are taken away.

https://learn.microsoft.com/azure/role-based-access-control/overview
https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from modelreach.model import Verdict
from modelreach.policy.azure import access_policies, operations
from modelreach.policy.azure.asker import Asker, Fixed
from modelreach.policy.azure.conditions import Request, action_matches, condition_expr
from modelreach.policy.azure.estate import GRAPH_APP
from modelreach.policy.azure.ids import is_arm, parts
from modelreach.policy.azure.protected import RESETTING, changes, closed, resets
from modelreach.policy.azure.roles import APPLICATION, DATA, GRAPH, Block, Globs, Plane
from modelreach.policy.decision import Decision, Layer, Outcome, StatementRef
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import (
    FALSE,
    TRUE,
    AllOf,
    AnyOf,
    Atom,
    AtomKind,
    Expr,
    Not,
    all_of,
    any_of,
    negate,
    satisfiable,
)

_LOCKS = "microsoft.authorization/locks/"
_TENANT_KINDS = (Plane.DIRECTORY, Plane.APPLICATION)


class Asked(msgspec.Struct, frozen=True):
    """An action: its plane, and its name in lower case without a prefix. `application` is the app
    id of whose permission it is."""

    plane: Plane
    name: str
    application: str = ""


class Clause(msgspec.Struct, frozen=True):
    """Something that allows or denies, where `when` holds."""

    when: Expr
    ref: StatementRef


class Problem(msgspec.Struct, frozen=True):
    """What is open about a request: what allows it, what denies it, what locks it, and what of all
    that was not read."""

    allows: tuple[Clause, ...]
    denies: tuple[Clause, ...] = ()
    locked: Expr = FALSE
    unread: tuple[Expr, ...] = ()
    assumes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def asked(action: str) -> tuple[Asked, ...]:
    """Read an action; two answers where it is not known of which plane it is."""
    name = action.lower()
    if name.startswith(DATA):
        return (Asked(Plane.DATA, name.removeprefix(DATA)),)
    if name.startswith(GRAPH):
        return (Asked(Plane.APPLICATION, name.removeprefix(GRAPH), GRAPH_APP),)
    if name.startswith(APPLICATION):
        owner, _, value = name.removeprefix(APPLICATION).partition("/")
        return (Asked(Plane.APPLICATION, value, owner),)
    if name.startswith("microsoft.directory/"):
        return (Asked(Plane.DIRECTORY, name),)
    if "/" not in name:
        return (Asked(Plane.APPLICATION, name, GRAPH_APP),)
    plane = operations.plane_of(name)
    return (
        (Asked(plane, name),) if plane else (Asked(Plane.CONTROL, name), Asked(Plane.DATA, name))
    )


def decide(asker: Asker, action: str, resource: str, extra: Fixed | None = None) -> Decision:
    """May the principal do that to this resource, scope or object of Entra?

    Raises nothing: what cannot be settled is in the residual.
    """
    answers = [decided(asker, one, resource, extra) for one in asked(action)]
    first, *others = answers
    if not others or others[0].verdict is first.verdict:
        return first
    which = Atom(AtomKind.OPAQUE, f"whether {action} is an action or a data action")
    residual = any_of(
        (all_of((negate(which), first.residual)), all_of((which, others[0].residual)))
    )
    return Decision(
        Verdict.UNKNOWN,
        Outcome.UNKNOWN,
        residual,
        (*first.allowed_by, *others[0].allowed_by),
        (*first.denied_by, *others[0].denied_by),
        assumes=first.assumes,
    )


def decided(asker: Asker, question: Asked, resource: str, extra: Fixed | None = None) -> Decision:
    """Answer about an action of one plane."""
    if question.plane in _TENANT_KINDS:
        return answer(_in_directory(asker, question, resource.lower()))
    return answer(_in_azure(asker, question, resource, extra))


# --- Azure ---------------------------------------------------------------------------------


def _in_azure(asker: Asker, question: Asked, resource: str, extra: Fixed | None) -> Problem:
    target = resource.lower().rstrip("/") or "/"
    if not is_arm(target):
        return Problem(())
    request = request_of(asker, question.name, resource, extra)
    estate = asker.estate
    places = estate.scopes_of(target)
    allows = tuple(_allowing(asker, question, target, request))
    missing = estate.unread("bindings", places)
    unread = [Atom(AtomKind.GAP, missing)] if missing else []
    if question.plane is Plane.DATA:
        allows, unread = access_policies.instead(asker, question.name, target, allows, unread)
    notes = (estate.unread("deny", places), estate.unread("locks", places))
    return Problem(
        allows,
        tuple(_denying(asker, question, target, request)) if allows else (),
        locked(asker, question, target, extra) if allows else FALSE,
        tuple(unread),
        tuple(f"not read, and may forbid it: {note}" for note in notes if note),
        tuple(sorted({problem for clause in allows for problem in _problems(clause)})),
    )


def request_of(asker: Asker, name: str, resource: str, extra: Fixed | None) -> Request:
    """Give what is known of a request: what the deployment fixes, and the names in the id."""
    known = dict(named_parts(resource))
    known.update(asker.fixed)
    known.update(extra or {})
    return Request(action_matches(name), known)


def named_parts(resource: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The attributes of resources that are the names in their ids."""
    for kind, name in parts(resource):
        yield f"resource[{kind}:name]", (name,)
        if kind.endswith("/containers/blobs"):
            yield f"resource[{kind}:path]", (name,)


def _allowing(asker: Asker, question: Asked, target: str, request: Request) -> Iterator[Clause]:
    for held, doubt in asker.at(target):
        if held.role is None:
            gap = Atom(AtomKind.GAP, f"the definition of role {held.binding.role}")
            ref = asker.reference(held, _UNREAD)
            yield Clause(all_of((doubt, gap)), ref)
            continue
        for block in held.role.granting(question.plane, question.name):
            when = all_of((doubt, block_when(block, held.binding.condition, request)))
            if when != FALSE:
                yield Clause(when, asker.reference(held, block))


#: What stands for a role whose definition was not read.
_UNREAD = Block(Plane.CONTROL, Globs())


def block_when(block: Block, assigned_under: str, request: Request) -> Expr:
    """What must hold for a block to grant what it speaks of: the condition of its definition, and
    that of the assignment."""
    conditions = (condition_expr(text, request) for text in (block.condition, assigned_under))
    if block.problem:
        return all_of((Atom(AtomKind.OPAQUE, block.problem), *conditions))
    return all_of(conditions)


def _denying(asker: Asker, question: Asked, target: str, request: Request) -> Iterator[Clause]:
    for place in asker.estate.scopes_of(target):
        for deny in asker.estate.denies_at(place):
            if deny.only_here and place != target:
                continue
            about = asker.denied_by(deny)
            if about == FALSE:
                continue
            for block in deny.role.granting(question.plane, question.name):
                when = all_of((about, block_when(block, deny.condition, request)))
                ref = StatementRef(
                    Layer.DENY,
                    deny.name,
                    deny.scope,
                    deny.role.document,
                    block.index,
                    deny.role.id.rsplit("/", 1)[-1],
                    "Deny",
                    block.text,
                )
                yield Clause(when, ref)


def locked(asker: Asker, question: Asked, target: str, extra: Fixed | None = None) -> Expr:
    """What must hold for a lock to stop a request: FALSE when none does.

    Who may take the lock away can do so first.
    """
    if question.plane is not Plane.CONTROL or question.name.startswith(_LOCKS):
        return FALSE
    stops: list[Expr] = []
    for level, place in asker.estate.locks(target):
        if level == "cannotdelete" and not question.name.endswith("/delete"):
            continue
        if level == "readonly" and question.name.endswith("/read"):
            continue
        lifted = decided(asker, Asked(Plane.CONTROL, _LOCKS + "delete"), place, extra)
        if lifted.verdict is Verdict.DENY:
            return TRUE
        first = provided(f"the {_LEVELS.get(level, level)} lock on {place} is taken away first")
        stops.append(negate(all_of((first, lifted.residual))))
    return any_of(stops)


_LEVELS = {"readonly": "ReadOnly", "cannotdelete": "CanNotDelete"}


# --- Entra ---------------------------------------------------------------------------------


def _in_directory(asker: Asker, question: Asked, target: str) -> Problem:
    """Directory roles hold for the tenant, for the members of an administrative unit, or for one
    object; permissions of applications for all that the application has.

    https://learn.microsoft.com/entra/identity/role-based-access-control/custom-overview
    """
    estate = asker.estate
    if question.plane is Plane.APPLICATION:
        places: set[str] | None = None
        kind = "app-roles"
    else:
        objects = _objects(asker, target)
        units = (unit for one in objects for unit in _units(asker, one))
        places = {*objects, estate.tenant, *units}
        kind = "directory-roles"
    allows: list[Clause] = []
    for held in asker.held:
        binding = held.binding
        if is_arm(binding.target) and not binding.target.startswith("/administrativeunits/"):
            continue
        if places is not None and binding.target not in places:
            continue
        if places is None and not binding.role.startswith(f"/approles/{question.application}/"):
            continue
        if changes(question.name) and closed(estate, binding.target, target):
            continue
        doubt = held.when
        if held.role is None:
            gap = Atom(AtomKind.GAP, f"the definition of role {binding.role}")
            allows.append(Clause(all_of((doubt, gap)), asker.reference(held, _UNREAD)))
            continue
        for block in held.role.granting(question.plane, question.name):
            when = all_of((doubt, _directory_when(block, asker, target)))
            if question.name in RESETTING:
                when = all_of((when, resets(estate, held, target)))
            if when != FALSE:
                allows.append(Clause(when, asker.reference(held, block)))
    missing = estate.unread(kind, (estate.tenant,))
    unread = (Atom(AtomKind.GAP, missing),) if missing else ()
    return Problem(tuple(allows), unread=unread)


def _directory_when(block: Block, asker: Asker, target: str) -> Expr:
    """Conditions of directory roles: that the caller owns the object, or is it."""
    condition = block.condition.strip()
    if block.problem:
        return Atom(AtomKind.OPAQUE, block.problem)
    match condition.lower():
        case "":
            return TRUE
        case "$resourceisself":
            return TRUE if target == asker.principal.id else FALSE
        case "$subjectisowner":
            fact = asker.estate.facts.principals.get(target)
            owners = fact.attributes.get("owners", ()) if fact else ()
            owned = isinstance(owners, tuple) and asker.principal.id in owners
            return TRUE if owned else FALSE
        case _:
            return Atom(AtomKind.OPAQUE, "condition", "", (condition[:200],))


def _objects(asker: Asker, target: str) -> tuple[str, ...]:
    """A service principal, and its application: a credential of either opens both."""
    fact = asker.estate.facts.principals.get(target)
    application = str(fact.attributes.get("application", "")) if fact else ""
    return (target, application) if application else (target,)


def _units(asker: Asker, target: str) -> Iterator[str]:
    for scope in asker.estate.facts.scopes.values():
        if scope.kind == "administrative-unit":
            members = scope.attributes.get("members", ())
            if isinstance(members, tuple) and target in members:
                yield scope.id


# --- the answer ----------------------------------------------------------------------------


def answer(problem: Problem) -> Decision:
    """Put what allows, denies and locks together."""
    denied = any_of(clause.when for clause in problem.denies)
    granted = any_of(clause.when for clause in problem.allows)
    given = any_of((granted, *problem.unread))
    residual = all_of((given, negate(denied), negate(problem.locked)))
    if residual == TRUE:
        sure = [c for c in problem.allows if c.when == TRUE] or list(problem.allows)
        return Decision(
            Verdict.ALLOW,
            Outcome.ALLOW,
            TRUE,
            _refs(sure),
            assumes=problem.assumes,
            not_understood=problem.problems,
        )
    if not satisfiable(residual):
        return _denial(problem, denied, given)
    unknown = not satisfiable(_pessimistic(residual))
    return Decision(
        Verdict.UNKNOWN if unknown else Verdict.CONDITIONAL,
        Outcome.UNKNOWN if unknown else Outcome.CONDITIONAL,
        residual,
        _refs(problem.allows),
        _refs(problem.denies),
        (Layer.BINDING,) if unknown else (),
        problem.assumes,
        problem.problems,
    )


def _denial(problem: Problem, denied: Expr, given: Expr) -> Decision:
    if given == FALSE:
        return Decision(Verdict.DENY, Outcome.IMPLICIT_DENY, FALSE, blocked_by=(Layer.BINDING,))
    if denied != FALSE and not satisfiable(all_of((given, negate(denied)))):
        return Decision(
            Verdict.DENY,
            Outcome.EXPLICIT_DENY,
            FALSE,
            denied_by=_refs(problem.denies),
            blocked_by=(Layer.DENY,),
            not_understood=problem.problems,
        )
    layer = Layer.LOCK if problem.locked != FALSE else Layer.BINDING
    return Decision(Verdict.DENY, Outcome.EXPLICIT_DENY, FALSE, blocked_by=(layer,))


def _refs(clauses: Iterable[Clause]) -> tuple[StatementRef, ...]:
    return tuple(sorted({clause.ref for clause in clauses}))


def _problems(clause: Clause) -> Iterator[str]:
    when = clause.when
    if isinstance(when, Atom) and when.kind is AtomKind.OPAQUE:
        yield when.key


def _pessimistic(expr: Expr) -> Expr:
    """What is left when everything that was not read or understood turns out badly."""
    match expr:
        case Atom(AtomKind.GAP | AtomKind.OPAQUE) | Not(Atom(AtomKind.GAP | AtomKind.OPAQUE)):
            return FALSE
        case AllOf(parts):
            return all_of(map(_pessimistic, parts))
        case AnyOf(parts):
            return any_of(map(_pessimistic, parts))
        case _:
            return expr
