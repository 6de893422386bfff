"""Roles and who holds them.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#api-overview
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.snapshot import Binding, ManagedPolicy
from modelreach_kubernetes.estate import Object
from modelreach_kubernetes.parse.facts import PROVIDER, Facts, Named, mappings, text

_GROUP: Final = "rbac.authorization.k8s.io"
_ROLES = {"Role": f"roles.{_GROUP}", "ClusterRole": f"clusterroles.{_GROUP}"}
_BINDINGS = {
    "RoleBinding": f"rolebindings.{_GROUP}",
    "ClusterRoleBinding": f"clusterrolebindings.{_GROUP}",
}


def take(item: Object, facts: Facts) -> None:
    """Take a role or a binding."""
    about = Named.of(item)
    if about.kind in _ROLES:
        _role(item, about, facts)
    elif about.kind in _BINDINGS:
        _binding(item, about, facts)


def _namespace(about: Named) -> str:
    return "" if about.kind.startswith("Cluster") else about.namespace or "default"


def _role(item: Object, about: Named, facts: Facts) -> None:
    namespace = _namespace(about)
    document = {key: item[key] for key in ("rules", "aggregationRule") if key in item}
    facts.roles.append(
        ManagedPolicy(
            id=facts.id(namespace, _ROLES[about.kind], about.name),
            provider=PROVIDER,
            scope=facts.scope(namespace),
            name=about.name,
            default_version="1",
            versions={"1": facts.document(document)},
            created=about.created,
            tags=about.labels,
        )
    )


def _binding(item: Object, about: Named, facts: Facts) -> None:
    namespace = _namespace(about)
    name = facts.id(namespace, _BINDINGS[about.kind], about.name)
    reference = item.get("roleRef")
    role = _referred(reference, namespace, facts) if isinstance(reference, Mapping) else ""
    if not role:
        facts.gap(
            facts.scope(namespace),
            "binding",
            "malformed",
            subject=name,
            message="it refers to no role that it could bind, so it binds none",
        )
        return
    facts.bindings.append(
        Binding(
            id=name,
            provider=PROVIDER,
            target=facts.scope(namespace),
            role=role,
            members=tuple(sorted(set(_members(item, namespace, facts)))),
            name=about.name,
        )
    )


def _referred(reference: Mapping[str, Any], namespace: str, facts: Facts) -> str:
    """A binding of the cluster may not refer to a role of a namespace."""
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    if not name or kind not in _ROLES or (kind == "Role" and not namespace):
        return ""
    return facts.id(namespace if kind == "Role" else "", _ROLES[kind], name)


def _members(item: Object, namespace: str, facts: Facts) -> Iterator[str]:
    """A service account without a namespace is of the binding's; of the cluster's it is nobody."""
    for subject in mappings(item.get("subjects")):
        name = text(subject.get("name"))
        match subject.get("kind"):
            case "ServiceAccount":
                own = text(subject.get("namespace")) or namespace
                if own and name:
                    yield facts.account(own, name)
            case "User" if name.startswith("system:serviceaccount:") and name.count(":") == 3:
                yield f"{facts.cluster}/{name}"
            case "User" if name:
                yield f"{facts.cluster}/user:{name}"
            case "Group" if name:
                yield f"{facts.cluster}/group:{name}"
            case _:
                continue
