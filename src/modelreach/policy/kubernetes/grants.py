"""What a subject may do to listed objects, and, by pattern, to what is not listed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.model import Capability, Verdict
from modelreach.policy.decision import Decision, StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.expr import TRUE, AtomKind, Expr, is_open
from modelreach.policy.extent import Extent
from modelreach.policy.glob import Region, is_literal, literal_prefix, plain
from modelreach.policy.kubernetes.capability import capability
from modelreach.policy.kubernetes.decide import decide
from modelreach.policy.kubernetes.estate import PROVIDER, Estate
from modelreach.policy.kubernetes.mounted import mounted
from modelreach.policy.kubernetes.names import CORE, VERBS, Action, cluster_of, namespace_of
from modelreach.policy.permissions import PermissionSet
from modelreach.snapshot import Principal, Resource

#: What is done to an object that is there.
_TO_OBJECTS = ("get", "list", "watch", "update", "patch", "delete")
#: Kinds that a report names by themselves; the others are taken together.
_NAMED = frozenset(
    {
        "secrets",
        "configmaps",
        "pods",
        "pods/exec",
        "serviceaccounts",
        "serviceaccounts/token",
        "nodes",
        "nodes/proxy",
        "persistentvolumeclaims",
    }
)


def grants(estate: Estate, principal: Principal) -> tuple[Grant, ...]:
    """Give everything the principal may do to listed objects, and what its pods have in them."""
    found = [one for one in mounted(estate, principal) if not _reads(estate, principal, one)]
    for scope, kind in _touched(estate, principal):
        for resource in estate.resources.get((scope, kind), ()):
            found.extend(_of_resource(estate, principal, resource))
    return tuple(sorted(found, key=lambda g: (g.resource, g.capability, g.actions)))


def _reads(estate: Estate, principal: Principal, grant: Grant) -> bool:
    """May it read by its roles, for certain, what its pods have in them?"""
    action = Action(CORE, grant.kind.removeprefix(f"{PROVIDER}:"), "get")
    return decide(estate, principal, action.name, grant.resource).verdict is Verdict.ALLOW


def _touched(estate: Estate, principal: Principal) -> list[tuple[str, str]]:
    """The places and kinds of listed objects that the principal may have anything on."""
    cluster = cluster_of(principal.id)
    if estate.master(principal) or estate.unread("bindings", cluster):
        targets = {cluster}
    else:
        subjects = (*estate.subjects(principal), *estate.anonymous(cluster))
        targets = {binding.target for one in subjects for binding in estate.bindings(one)}
        targets |= set(estate.unread_in("bindings", cluster))
    scopes = {scope for target in targets for scope in estate.within(target)}
    return sorted(key for key in estate.resources if key[0] in scopes)


class _Row(msgspec.Struct):
    decision: Decision
    actions: list[str] = msgspec.field(default_factory=list[str])


def _of_resource(estate: Estate, principal: Principal, resource: Resource) -> Iterator[Grant]:
    rows: dict[tuple[Capability, Verdict, Expr], _Row] = {}
    for action in _actions_on(resource.kind):
        decision = decide(estate, principal, action.name, resource.id)
        if decision.verdict is Verdict.DENY:
            continue
        key = (capability(action), decision.verdict, decision.residual)
        rows.setdefault(key, _Row(decision)).actions.append(action.name)
    for (able, verdict, residual), row in rows.items():
        yield Grant(
            principal=principal.id,
            resource=resource.id,
            kind=resource.kind,
            name=resource.name,
            scope=resource.scope,
            provider=PROVIDER,
            capability=able,
            actions=tuple(sorted(row.actions)),
            verdict=verdict,
            residual=residual,
            statements=row.decision.allowed_by,
            assumes=row.decision.assumes,
        )


def _actions_on(kind: str) -> Iterator[Action]:
    plural, _, group = kind.removeprefix(f"{PROVIDER}:").partition(".")
    for verb in _TO_OBJECTS:
        yield Action(group or CORE, plural, verb)


# --- by pattern ------------------------------------------------------------------------------


class _Pattern(msgspec.Struct):
    actions: set[str] = msgspec.field(default_factory=set[str])
    because: set[StatementRef] = msgspec.field(default_factory=set[StatementRef])


def unlisted(estate: Estate, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
    """Give the part of a permission set that listed objects do not show, by pattern."""
    rows: dict[tuple[str, str, Capability, Expr], _Pattern] = {}
    for box in permissions.boxes:
        for region in box.resources.regions:
            for kind, able, name in _spelled(estate, box.actions, region):
                if _is_nothing(_glob(region)) or _is_nothing(name):
                    continue
                row = rows.setdefault((_glob(region), kind, able, box.condition), _Pattern())
                row.actions.add(name)
                row.because.update(box.because)
    found = (_pattern(key, row, scope) for key, row in rows.items())
    return tuple(sorted(found, key=lambda g: (g.resource, g.kind, g.capability, g.actions)))


def _is_nothing(glob: str) -> bool:
    """Does a `*` in it stand for itself, as in `pods/*` or a resource name `*`? No object, part or
    verb is called so. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources"""
    return plain(glob) != glob


def _pattern(key: tuple[str, str, Capability, Expr], row: _Pattern, scope: str) -> Grant:
    glob, kind, able, residual = key
    prefix = literal_prefix(glob)
    return Grant(
        principal="",
        resource=glob,
        kind=kind,
        name=glob,
        scope=namespace_of(prefix) or cluster_of(prefix) or scope,
        provider=PROVIDER,
        capability=able,
        actions=tuple(sorted(row.actions)),
        verdict=_verdict(residual),
        residual=residual,
        statements=tuple(sorted(row.because)),
        pattern=True,
    )


def _verdict(residual: Expr) -> Verdict:
    if residual == TRUE:
        return Verdict.ALLOW
    unread = is_open(residual, AtomKind.GAP, AtomKind.OPAQUE)
    return Verdict.UNKNOWN if unread else Verdict.CONDITIONAL


def _glob(region: Region) -> str:
    return max(region.inside, key=lambda glob: (len(glob.strip("*")), glob), default="*")


def _spelled(
    estate: Estate, actions: Extent, region: Region
) -> Iterator[tuple[str, Capability, str]]:
    for one in actions.regions:
        text = _glob(one)
        action = Action.parse(text)
        if action is None or text in ("*", "*:*:*"):
            yield "kubernetes:*", Capability.MANAGE, "*:*:*"
            continue
        for verb in VERBS if action.verb == "*" else (action.verb,):
            spelled = Action(action.group, action.resource, verb)
            meant = one.contains(spelled.name) or not is_literal(spelled.name)
            if meant and not _shown(estate, spelled, region):
                yield _kind(spelled), capability(spelled), spelled.name


def _kind(action: Action) -> str:
    resource = action.resource.removesuffix("/*")
    named = action.group == CORE and resource in _NAMED
    return f"{PROVIDER}:{resource}" if named else f"{PROVIDER}:*"


def _shown(estate: Estate, action: Action, region: Region) -> bool:
    """Do listed objects speak for it: were all of the kind there read?"""
    if action.verb not in _TO_OBJECTS or "*" in (action.group, action.resource):
        return False
    prefix = literal_prefix(_glob(region))
    return estate.complete(f"{PROVIDER}:{action.plural}", namespace_of(prefix), cluster_of(prefix))
