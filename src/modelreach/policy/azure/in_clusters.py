"""What data actions let an identity do within clusters of AKS, where these ask Azure.

A cluster that does so asks Kubernetes RBAC first, and Azure of what that does not allow. The
action is `managedClusters/[GROUP/]RESOURCE/VERB`, at the cluster or at one of its namespaces:
verbs are taken together, and what of an object has a path of its own is the object, but for
`pods/exec`. So who reads nodes or services goes through their `proxy`, and who reads pods may get
what attaches to them and forwards their ports, which opens it where the cluster does not ask for
creating it besides. Custom resources have an action of their own besides, under conditions on
their group and kind.

https://learn.microsoft.com/azure/aks/entra-id-authorization
https://learn.microsoft.com/azure/role-based-access-control/permissions/containers#microsoftcontainerservice
https://github.com/kubeguard/guard/blob/master/authz/providers/azure/rbac/checkaccessreqhelper.go
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec
import yaml

from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import Asked, decided
from modelreach.policy.azure.roles import Block, Plane
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Support, Token
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import FALSE, TRUE, Expr, all_of, any_of, negate
from modelreach.policy.glob import literal_prefix
from modelreach.snapshot import Resource

_CLUSTERS: Final = "microsoft.containerservice/managedclusters/"
#: What lies in a cluster and is a namespace of it; one that Azure manages has a type of its own.
_OF_NAMESPACES: Final = ("namespaces", "managednamespaces")
_CUSTOM: Final = f"{_CLUSTERS}customresources"
_VERBS: Final = {
    "read": ("get", "list", "watch"),
    "write": ("create", "update", "patch"),
    "delete": ("delete", "deletecollection"),
}
_EXEC: Final = ("create", "get")
#: What is asked about in the place of all that nobody lists: no group and no kind is called so.
_ANY: Final = "modelreach-probe"
_CORE: Final = "core"


class Kind(NamedTuple):
    """A kind of object, by its group (`core` for none) and its plural; `*` for every other."""

    group: str
    plural: str

    @property
    def action(self) -> str:
        """The beginning of its data actions."""
        group, plural = (_ANY if part == "*" else part for part in self)
        return _CLUSTERS + (plural if self.group == _CORE else f"{group}/{plural}")

    @property
    def name(self) -> str:
        """How exceptions of a rule name it."""
        return f"{self.group}:{self.plural}"


_ALL: Final = Kind("*", "*")
_PODS: Final = Kind(_CORE, "pods")


class Right(msgspec.Struct, frozen=True):
    """When something is allowed, and because of what."""

    when: Expr
    because: tuple[StatementRef, ...]


_AS_CUSTOM: Final = provided("AKS asks about custom resources as such, not by their kinds")
_NONE: Final = Right(FALSE, ())
#: What an identity may do in one place, by kind and verb of the data action.
Rights = Mapping[tuple[Kind, str], Right]
Rule = dict[str, Any]


def in_clusters(asker: Asker, cluster: Resource) -> Iterator[Token]:
    """Give what an identity shows to a cluster of AKS that asks Azure about it: rules, apart by
    what they hang on. Whether the cluster asks, decisions on data actions say."""
    if cluster.attributes.get("entra") is False or not _speaks(asker, cluster.id):
        return
    whole, denied = _rights(asker, cluster.id), _denied(asker, cluster.id)
    outside = tuple(sorted({_namespace(place, cluster.id) for place in denied}))
    yield from _tokens(asker, cluster, cluster.id, whole, outside)
    for place in sorted({*_namespaces(asker, cluster.id), *denied}):
        rights = _rights(asker, place)
        if rights != whole or _namespace(place, cluster.id) in outside:
            yield from _tokens(asker, cluster, place, rights)


def _speaks(asker: Asker, cluster: str) -> bool:
    """May the identity hold a data action of clusters there, or in a namespace?"""
    if asker.estate.unread("bindings", asker.estate.scopes_of(cluster)):
        return True
    held = [one for one, _ in asker.at(cluster)]
    for place in _namespaces(asker, cluster):
        held += asker.by_target[place]
    return any(
        one.role is None
        or any(
            block.plane is Plane.DATA and (block.problem or any(map(_about, block.actions.all)))
            for block in one.role.blocks
        )
        for one in held
    )


def _about(pattern: str) -> bool:
    start = literal_prefix(pattern)
    return start.startswith(_CLUSTERS) or _CLUSTERS.startswith(start)


def _namespaces(asker: Asker, cluster: str) -> tuple[str, ...]:
    """Give the namespaces in which the identity holds roles of its own, as Azure names them.

    https://learn.microsoft.com/azure/aks/managed-namespaces
    """
    return tuple(sorted(place for place in asker.by_target if _namespace(place, cluster)))


def _denied(asker: Asker, cluster: str) -> tuple[str, ...]:
    """Give the namespaces in which something is denied to the identity: of what it holds for the
    whole cluster, what is left there is told of each."""
    estate = asker.estate
    return tuple(
        place
        for place in estate.denying_scopes
        if _namespace(place, cluster)
        and any(asker.denied_by(deny) != FALSE for deny in estate.denies_at(place))
    )


def _namespace(place: str, cluster: str) -> str:
    """Give the namespace that a place is; "" where it is none of the cluster's."""
    kind, _, name = place.removeprefix(f"{cluster}/").partition("/")
    within = place.startswith(f"{cluster}/") and kind in _OF_NAMESPACES
    return name if within and "/" not in name else ""


# --- rights --------------------------------------------------------------------------------


def _rights(asker: Asker, place: str) -> Rights:
    """Give all that an identity may do in a place, that on which it hangs included."""
    kinds = () if _unlimited(asker, place) else _kinds(asker, place)
    asked = [(kind, verb) for kind in (_ALL, *kinds) for verb in _VERBS]
    asked += [*_special(), (_ALL, "action")]
    return {(kind, verb): _right(asker, place, kind, verb) for kind, verb in asked}


def _unlimited(asker: Asker, place: str) -> bool:
    """Has it a role there that gives everything, and nothing that takes of it again?"""
    if any(asker.estate.denies_at(above) for above in asker.estate.scopes_of(place)):
        return False
    return any(
        held.role is not None
        and doubt == TRUE
        and not held.binding.condition
        and any(map(_everything, held.role.blocks))
        for held, doubt in asker.at(place)
    )


def _everything(block: Block) -> bool:
    whole = "*" in block.actions.globs and not block.not_actions.all
    return block.plane is Plane.DATA and whole and not (block.condition or block.problem)


def _right(asker: Asker, place: str, kind: Kind, verb: str) -> Right:
    own = decided(asker, Asked(Plane.DATA, f"{kind.action}/{verb}"), place)
    if verb not in _VERBS or kind in _listed():
        return Right(own.residual, own.allowed_by)
    fixed = {} if kind == _ALL else _of_custom(kind)
    custom = decided(asker, Asked(Plane.DATA, f"{_CUSTOM}/{verb}"), place, fixed)
    because = tuple(sorted({*own.allowed_by, *custom.allowed_by}))
    if own.residual == custom.residual:
        return Right(own.residual, because)
    # By which of its two names a custom resource is asked about, the version of AKS decides.
    either = (
        all_of((_AS_CUSTOM, custom.residual)),
        all_of((negate(_AS_CUSTOM), own.residual)),
    )
    return Right(any_of(either), because)


def _of_custom(kind: Kind) -> dict[str, tuple[str, ...]]:
    """What conditions may ask of a custom resource."""
    named = {"group": kind.group, "kind": kind.plural}
    return {
        f"request[{_CUSTOM}:{name}]": (value,) for name, value in named.items() if value != "*"
    }


@cache
def _table() -> dict[str, Any]:
    raw = files("modelreach.policy.azure").joinpath("kubernetes_kinds.yaml").read_bytes()
    return msgspec.convert(yaml.safe_load(raw), dict[str, Any])


@cache
def _listed() -> frozenset[Kind]:
    """The kinds that AKS lists actions of."""
    kinds: dict[str, list[str]] = _table()["kinds"]
    return frozenset(Kind(group, plural) for group, plurals in kinds.items() for plural in plurals)


@cache
def _special() -> tuple[tuple[Kind, str], ...]:
    """What has an action of its own, as the kind and the rest of the action."""
    special: dict[str, list[str]] = _table()["special"]
    return tuple(
        (Kind(*kind.split(":")), f"{verb}/action")
        for kind, verbs in special.items()
        for verb in verbs
    )


def _kinds(asker: Asker, place: str) -> tuple[Kind, ...]:
    """Give the kinds that there are actions of, and those that the roles of an identity, or what
    denies there, name."""
    estate = asker.estate
    roles = [one.role for one in asker.held if one.role is not None]
    roles += [deny.role for above in estate.scopes_of(place) for deny in estate.denies_at(above)]
    blocks = (block for role in roles for block in role.blocks)
    patterns = {
        pattern
        for block in blocks
        if block.plane is Plane.DATA
        for pattern in (*block.actions.all, *block.not_actions.all)
    }
    named = (kind for pattern in patterns if (kind := _named(pattern)) is not None)
    return tuple(sorted(_listed() | set(named)))


def _named(pattern: str) -> Kind | None:
    """Give the kind that a pattern of data actions names; the rest of its group for `GROUP/*`."""
    parts = pattern.removeprefix(_CLUSTERS).split("/")
    if not pattern.startswith(_CLUSTERS) or len(parts) not in (2, 3) or "*" in parts[0]:
        return None
    if len(parts) == 2 and parts[1] != "*":
        return None if parts[0] == "customresources" else Kind(_CORE, parts[0])
    group, plural = parts[0], parts[1]
    if "." not in group and not any(kind.group == group for kind in _listed()):
        return None
    return Kind(group, plural) if plural == "*" or "*" not in plural else None


# --- rules ---------------------------------------------------------------------------------


def _tokens(
    asker: Asker, cluster: Resource, place: str, rights: Rights, outside: tuple[str, ...] = ()
) -> Iterator[Token]:
    namespace = _namespace(place, cluster.id)
    groups: dict[Right, list[tuple[str, Rule]]] = {}
    for right, action, rule in _rules(rights):
        apart: Rule = {"outside": list(outside)} if outside else {}
        groups.setdefault(right, []).append((action, {**rule, **apart}))
    for right, held in groups.items():
        first = held[0][0] + (f" and {len(held) - 1} more" if len(held) > 1 else "")
        yield Token(
            issuer=f"aks:{cluster.id.lower()}",
            subject=asker.principal.id,
            claims={
                "rules": (json.dumps([rule for _, rule in held]),),
                "namespace": (namespace,) if namespace else (),
            },
            support=(Support(asker.name, first, place, right.because),),
            when=right.when,
        )


def _rules(rights: Rights) -> Iterator[tuple[Right, str, Rule]]:
    """Put rights as rules of a cluster, each with the data action that it comes from."""
    every = rights.get((_ALL, "action"), _NONE)
    kinds = sorted({kind for kind, verb in rights if verb in _VERBS and kind != _ALL})
    asked = [(kind, verb) for kind in (_ALL, *kinds) for verb in _VERBS]
    asked += _special()
    if every.when != FALSE and all(rights.get(key, _NONE).when == every.when for key in asked):
        rule: Rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
        yield every, f"data:{_spelled('*')}", {**rule, "nonResourceURLs": ["*"]}
        return
    for verb, verbs in _VERBS.items():
        yield from _of_verb(rights, kinds, verb, verbs)
    for kind, verb in _special():
        right = rights.get((kind, verb), _NONE)
        if right.when != FALSE:
            yield right, _data(kind, verb), _special_rule(kind, verb.partition("/")[0])


def _part(kind: Kind, name: str) -> Kind:
    return Kind(kind.group, f"{kind.plural}/{name}")


def _special_rule(kind: Kind, verb: str) -> Rule:
    if verb == "exec":
        return _rule(_part(kind, verb), _EXEC)
    return _rule(kind, (verb,))


def _of_verb(
    rights: Rights, kinds: list[Kind], verb: str, verbs: tuple[str, ...]
) -> Iterator[tuple[Right, str, Rule]]:
    """The rules of one verb: what holds of all kinds, but for those of which something else holds,
    and these."""

    def right(kind: Kind) -> Right:
        return rights.get((kind, verb), _NONE)

    whole, but = right(_ALL), (_part(_PODS, "exec").name,)
    differ = [kind for kind in kinds if right(kind).when != whole.when]
    groups = {kind.group for kind in differ if kind.plural == "*"}
    apart = [kind for kind in kinds if kind in differ or kind.group in groups]
    if whole.when != FALSE:
        rule = _rule(_ALL, verbs, below=True, but=(*but, *(kind.name for kind in apart)))
        yield whole, _data(_ALL, verb), rule
    for kind in apart:
        if right(kind).when != FALSE:
            beside = (one.name for one in kinds if _beside(one, kind))
            rule = _rule(kind, verbs, below=True, but=(*but, *beside))
            yield right(kind), _data(kind, verb), rule


def _beside(one: Kind, group: Kind) -> bool:
    """Is a kind one of a group as a whole, and told by itself?"""
    return group.plural == "*" and one.group == group.group and one != group


def _rule(
    kind: Kind, verbs: tuple[str, ...], *, below: bool = False, but: tuple[str, ...] = ()
) -> Rule:
    group = "" if kind.group == _CORE else kind.group
    rule: Rule = {"apiGroups": [group], "resources": [kind.plural], "verbs": list(verbs)}
    return {**rule, "below": True, "but": list(but)} if below else rule


def _data(kind: Kind, verb: str) -> str:
    start = "" if kind.group == _CORE else f"{kind.group}/"
    return f"data:{_spelled('*/' if kind == _ALL else f'{start}{kind.plural}/')}{verb}"


def _spelled(rest: str) -> str:
    return f"Microsoft.ContainerService/managedClusters/{rest}"
