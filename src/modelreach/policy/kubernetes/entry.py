"""Identities of clouds that enter a cluster: as which user, in which groups, with what more.

Both halves: the cloud's list of who enters (access entries of EKS), or its permission to fetch
credentials (AKS) or to do what IAM lets somebody do in clusters (GKE); and the cluster, which has
to be known to be that one. What the user and its groups are bound to, RBAC says.

https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
https://learn.microsoft.com/azure/aks/control-kubeconfig-access
https://docs.cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Pivot, Support, Token
from modelreach.policy.escalation.mechanism import provided, strength_of
from modelreach.policy.expr import TRUE, Expr, render
from modelreach.policy.kubernetes.cloud import CloudCluster
from modelreach.policy.kubernetes.names import RBAC, group_id, resource_id, user_id
from modelreach.snapshot import Binding, Principal

#: Modes of a cluster in which access entries count; in the third only a config map does.
_GKE: Final = "container.googleapis.com/Cluster"
_AKS: Final = "microsoft.containerservice/managedclusters"
_BY_ENTRIES: Final = ("", "API", "API_AND_CONFIG_MAP")
_ENTRY: Final = "access entry"
_MAP: Final = "its config map aws-auth"
#: Modes in which the config map `aws-auth` counts.
_BY_MAP: Final = ("", "CONFIG_MAP", "API_AND_CONFIG_MAP")
_ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
_SEES = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
#: Access policies whose rules are told in a sentence. Those of the other three are similar to the
#: cluster's own roles for users, which are taken for them; of any further one nothing is known.
_POLICIES: Final = {
    "AmazonEKSClusterAdminPolicy": (_ALL, {"nonResourceURLs": ["*"], "verbs": ["*"]}),
    "AmazonEKSAdminViewPolicy": (_SEES,),
}
_SIMILAR: Final = {
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
}


class Entered(msgspec.Struct, frozen=True):
    """Somebody within a cluster, the hop there, and what is held besides RBAC: bindings, and the
    documents of roles that only they name; `when` the cloud says so, `because` of what."""

    principal: Principal
    pivot: Pivot
    bindings: tuple[Binding, ...] = ()
    documents: tuple[tuple[str, bytes], ...] = ()
    when: Expr = TRUE
    because: tuple[StatementRef, ...] = ()


def entered(
    cloud: CloudCluster, token: Token, source: str, named: Callable[[str], bool]
) -> Iterator[Entered]:
    """Give everybody as whom the holder of a token enters a cluster. `named`: whether some
    binding of the cluster names a user or group."""
    if token.issuer in (f"gke:{cloud.id}", f"aks:{cloud.id.lower()}"):
        yield _by_cloud(cloud, token, source)
    elif cloud.kind == "eks:cluster" and token.issuer.startswith("aws:"):
        yield from _by_entry(cloud, token, source)
    elif cloud.kind == _GKE and token.issuer == "accounts.google.com":
        depends = provided("Google Groups for RBAC is turned on")
        yield from _by_name(cloud, token, "email", source, named, depends)
    elif _of_tenant(cloud, token):
        yield from _by_name(cloud, token, "oid", source, named)


def _of_tenant(cloud: CloudCluster, token: Token) -> bool:
    """Does a cluster of AKS let identities of its tenant in, and is the token one of these? Of
    the two spellings of a tenant's issuer one is enough."""
    if cloud.kind != _AKS or cloud.fact.attributes.get("entra") is not True:
        return False
    return token.issuer == f"sts.windows.net/{next(iter(token.claims.get('tid', ('',))))}"


def _by_name(
    cloud: CloudCluster,
    token: Token,
    claim: str,
    source: str,
    named: Callable[[str], bool],
    by_groups: Expr = TRUE,
) -> Iterator[Entered]:
    """Who comes under its own name is somebody where a binding names it, or a group of it.
    `by_groups`: on what groups hang."""
    for user in token.claims.get(claim, ()):
        groups = token.claims.get("groups", ())
        own = tuple(one for one in groups if named(group_id(cloud.cluster, one)))
        if own or named(user_id(cloud.cluster, user)):
            told = f"user `{user}`" + (f"; groups {', '.join(own)}" if own else "")
            support = Support(source, "", cloud.id, (), f"enters as {told}")
            note = f"the cluster knows identities of its cloud by their names: it {support.note}"
            hangs = by_groups if own else TRUE
            yield _made(cloud, source, user, own, support, note=note, residual=hangs)


def _by_cloud(cloud: CloudCluster, token: Token, source: str) -> Entered:
    """Who may do something in the cluster by permissions of its cloud, or fetch credentials."""
    support = token.support or (Support(source, "", cloud.id, ()),)
    user, groups = token.subject, token.claims.get("groups", ())
    note = "its cloud lets it act in the cluster"
    rules = next(iter(token.claims.get("rules", ())), "")
    if not rules:
        return _made(cloud, source, user, groups, *support, note=note, residual=token.when)
    enters = cloud.kind != _AKS or cloud.fact.attributes.get("entra") is True
    hangs = TRUE if enters else token.when
    found = _made(cloud, source, user, groups, *support, note=note, residual=hangs)
    namespace = next(iter(token.claims.get("namespace", ())), "")
    told = hashlib.sha256(f"{namespace}\0{rules}\0{render(token.when)}".encode()).hexdigest()[:16]
    of_google = cloud.kind == _GKE
    plural = "permissions.iam.googleapis.com" if of_google else "permissions.azure.com"
    said = "IAM" if of_google else "Azure RBAC"
    role = resource_id(cloud.cluster, "", plural, f"{user}/{told}/permissions")
    binding = Binding(
        id=f"{cloud.id}/{user}/{told}/{said}",
        provider="kubernetes",
        target=f"{cloud.cluster}/{namespace}" if namespace else cloud.cluster,
        role=role,
        members=(found.principal.id,),
        name=said,
    )
    return replace(
        found,
        bindings=(binding,),
        documents=((role, f'{{"rules": {rules}}}'.encode()),),
        when=token.when,
        because=tuple(sorted({ref for one in support for ref in one.statements})),
    )


class Listed(msgspec.Struct, frozen=True):
    """Somebody of AWS whom a cluster of EKS lets in: as which user, in which groups, and `how`."""

    principal: str
    user: str
    groups: tuple[str, ...]
    how: str

    @staticmethod
    def of(entry: str, how: str) -> Listed:
        """Give what is written as `PRINCIPAL|USER|GROUP,GROUP`."""
        principal, user, groups = (*entry.split("|"), "", "")[:3]
        named = tuple(group for group in groups.split(",") if group)
        return Listed(principal, user or principal, named, how)

    @property
    def by_name(self) -> bool:
        """Does whoever has the name come in, made anew or not?"""
        return self.how == _MAP

    @property
    def told(self) -> str:
        """As whom it comes in, in words."""
        groups = f"; groups {', '.join(self.groups)}" if self.groups else ""
        return f"user `{self.user}`{groups}"


def listed(cloud: CloudCluster) -> Iterator[Listed]:
    """Give everybody of AWS whom a cluster of EKS lists.

    Where both count, who has an access entry comes in by that, whatever the config map says.
    https://docs.aws.amazon.com/eks/latest/userguide/migrating-access-entries.html
    """
    mode = str(cloud.fact.attributes.get("authentication", ""))
    entries = cloud.listed("access_entries") if mode in _BY_ENTRIES else ()
    by_entry = [Listed.of(entry, _ENTRY) for entry in entries]
    yield from by_entry
    known = {_named(one.principal) for one in by_entry} if mode else set[str]()
    for entry in cloud.mapped if mode in _BY_MAP else ():
        one = Listed.of(entry, _MAP)
        if _named(one.principal) not in known:
            yield one


def _by_entry(cloud: CloudCluster, token: Token, source: str) -> Iterator[Entered]:
    asking = _named(token.subject)
    for one in listed(cloud):
        if _named(one.principal) == asking:
            policies = [
                policy
                for policy in cloud.listed("access_policies")
                if one.how == _ENTRY and policy.startswith(f"{one.principal}|")
            ]
            yield _entered(cloud, source, one, policies)


def _named(arn: str) -> str:
    """Give an ARN as one is told by it whichever way it is written: of a role and of its sessions
    the account and the name, which no two roles of an account share; a config map leaves the path
    out.

    https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting_iam.html
    """
    parts = arn.split(":", 5)
    kind, _, rest = parts[-1].partition("/")
    if len(parts) < 6 or kind not in ("role", "assumed-role"):
        return arn
    name = rest.rsplit("/", 1)[-1] if kind == "role" else rest.partition("/")[0]
    return f"{parts[4]}:role/{name}"


def _entered(cloud: CloudCluster, source: str, one: Listed, policies: Iterable[str]) -> Entered:
    name = user_id(cloud.cluster, one.user)
    found = tuple(_bindings(cloud, name, policies))
    told = [one.told, *(f"{binding.name} on {binding.target}" for binding in found)]
    support = Support(source, "", cloud.id, (), f"{one.how}: {'; '.join(told)}")
    note = f"the cluster lets it in by {support.note}"
    documents = tuple(
        (binding.role, json.dumps({"rules": _POLICIES[binding.name]}).encode())
        for binding in found
        if binding.name in _POLICIES
    )
    made = _made(cloud, source, one.user, one.groups, support, note=note)
    return replace(made, bindings=found, documents=documents)


def _made(
    cloud: CloudCluster,
    source: str,
    user: str,
    groups: Iterable[str],
    *support: Support,
    note: str,
    residual: Expr = TRUE,
) -> Entered:
    cluster = cloud.cluster
    name = user_id(cluster, user)
    return Entered(
        Principal(
            id=name,
            provider="kubernetes",
            kind="user",
            scope=cluster,
            name=user,
            groups=tuple(group_id(cluster, group) for group in groups),
        ),
        Pivot(
            "federation",
            source,
            name,
            strength_of(residual),
            residual,
            support,
            via=cloud.id,
            note=note,
        ),
    )


def _bindings(cloud: CloudCluster, member: str, policies: Iterable[str]) -> Iterator[Binding]:
    cluster = cloud.cluster
    for policy in policies:
        _, name, places = (*policy.split("|"), "", "")[:3]
        role = resource_id(cluster, "", "accesspolicies.eks.amazonaws.com", name)
        if name in _SIMILAR:
            role = resource_id(cluster, "", f"clusterroles.{RBAC}", _SIMILAR[name])
        for place in places.split(",") if places else ("",):
            yield Binding(
                id=f"{cloud.id}/{member}/{name}/{place}/access policy",
                provider="kubernetes",
                target=f"{cluster}/{place}" if place else cluster,
                role=role,
                members=(member,),
                name=name,
            )
