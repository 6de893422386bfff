"""A snapshot's clusters, arranged for deciding: who holds which role where.

Bindings are indexed by subject, roles compiled once each; nothing loops over subjects and objects
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.kubernetes.cloud import CloudCluster, matched
from modelreach.policy.kubernetes.entry import Entered
from modelreach.policy.kubernetes.names import (
    PREFIX,
    RBAC,
    Action,
    cluster_of,
    group_id,
    namespace_of,
    user_id,
)
from modelreach.policy.kubernetes.refusing import UNTOLD, Refusing, refusing
from modelreach.policy.kubernetes.rules import Compiled, PolicyRule, compile_role, selects
from modelreach.policy.kubernetes.streams import on_get_alone
from modelreach.snapshot import (
    Binding,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
)

_F = TypeVar("_F", Principal, Resource, Runtime)

PROVIDER = "kubernetes"
_OUTWARD = ("role_arn", "gcp_service_account", "azure_client_id")
MASTERS = "system:masters"
#: How the name ends of somebody who has bound roles to itself.
BOUND = "#bound-roles"
#: How the name ends of what runs as an account and has no token of it, but those for others.
OUTWARD = "#tokens-for-others"
_MACHINES = frozenset(
    {
        "compute.googleapis.com/Instance",
        "container.googleapis.com/NodePool",
        "microsoft.compute/virtualmachines",
        "microsoft.compute/virtualmachinescalesets",
    }
)


class Granted(msgspec.Struct, frozen=True):
    """One rule as a subject holds it: by which binding, over which scope, as whom (the subject
    itself, or a group that it is in). What a cloud gives holds `when` that says so, `because` of
    the cloud's own statements."""

    rule: PolicyRule
    binding: Binding
    subject: str
    when: Expr = TRUE
    because: tuple[StatementRef, ...] = ()

    @property
    def references(self) -> tuple[StatementRef, ...]:
        """The statements, as a witness names them."""
        return self.because or (
            StatementRef(
                Layer.BINDING,
                self.binding.role.rsplit("/", 1)[-1],
                self.binding.target,
                "",
                self.rule.index,
                self.binding.id.rsplit("/", 1)[-1],
                "Allow",
                self.rule.text,
            ),
        )


class Estate:
    """The Kubernetes facts of one snapshot. Indexes are made when first asked for."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._roles: dict[str, Compiled] = {}
        self._written: dict[str, Compiled] = {}
        self._entered: dict[str, Entered] = {}
        self._more: dict[str, list[Binding]] = {}
        self._given: dict[str, Compiled] = {}
        self._under: dict[str, tuple[Expr, tuple[StatementRef, ...]]] = {}
        self._opaque: set[str] = set()
        self._held: dict[str, tuple[Granted, ...]] = {}
        self._unread_in: dict[tuple[str, str], tuple[str, ...]] = {}
        self._subjects: dict[str, tuple[str, ...]] = {}
        self._everything: dict[tuple[str, ...], tuple[Granted, ...]] = {}
        self._on_get_alone: dict[str, Expr] = {}
        self._refusing: dict[str, tuple[Refusing, ...]] = {}
        self._bound: dict[str, tuple[Binding, ...]] = {}

    # --- subjects --------------------------------------------------------------------------

    def principal(self, name: str) -> Principal | None:
        """Give the fact behind an id; of a name without a cluster, where there is one cluster."""
        if name in self._entered:
            return self._entered[name].principal
        found = self.facts.principals.get(name) or self.facts.principals.get(self.named(name))
        if found is None and name.endswith(BOUND):
            base = self.principal(name.removesuffix(BOUND))
            return replace(base, id=f"{base.id}{BOUND}") if base is not None else None
        if found is None and name.endswith(OUTWARD):
            base = self.principal(name.removesuffix(OUTWARD))
            if base is None or base.kind != "service-account":
                return None
            return replace(base, id=f"{base.id}{OUTWARD}", groups=())
        return found if found is not None and found.provider == PROVIDER else None

    def named(self, name: str) -> str:
        """Give the id that a name without a cluster stands for, where there is one cluster."""
        if name.startswith(PREFIX) or len(self.clusters) != 1:
            return name
        kind = "" if name.startswith("system:serviceaccount:") else "user:"
        return f"{self.clusters[0]}/{kind}{name}"

    @cached_property
    def clusters(self) -> tuple[str, ...]:
        """The ids of the clusters."""
        return tuple(
            scope.id
            for scope in self.facts.snapshot.scopes
            if scope.provider == PROVIDER and scope.kind == "cluster"
        )

    def subjects(self, principal: Principal) -> tuple[str, ...]:
        """Give all under which bindings may name a principal: itself and its groups.

        https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens
        """
        if principal.id not in self._subjects:
            self._subjects[principal.id] = self._subjects_of(principal)
        return self._subjects[principal.id]

    def _subjects_of(self, principal: Principal) -> tuple[str, ...]:
        if principal.id.endswith(OUTWARD):
            return (principal.id,)
        cluster = cluster_of(principal.id)
        groups = ["system:authenticated"]
        if principal.kind == "service-account":
            namespace = namespace_of(principal.id).rsplit("/", 1)[-1]
            groups += ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
        if principal.kind == "node":
            groups.append("system:nodes")
        implied = (group_id(cluster, name) for name in groups)
        itself = principal.id.removesuffix(BOUND)
        return tuple(dict.fromkeys((principal.id, itself, *principal.groups, *implied)))

    @cached_property
    def clouds(self) -> tuple[CloudCluster, ...]:
        """The clusters that are known to be one of a cloud's."""
        scopes = (self.facts.scopes[cluster] for cluster in self.clusters)
        found = (matched(scope, self.facts) for scope in scopes)
        return tuple(one for one in found if one is not None)

    def cloud_of(self, cluster: str) -> CloudCluster | None:
        """Give the cloud's cluster that a cluster is known to be."""
        return next((cloud for cloud in self.clouds if cloud.cluster == cluster), None)

    def on_get_alone(self, cluster: str) -> Expr:
        """Give when a cluster opens streams of pods to who may get them and not create them."""
        if cluster not in self._on_get_alone:
            cloud = self.cloud_of(cluster)
            closed = cloud is not None and not cloud.gates_set
            scope = self.facts.scopes.get(cluster)
            self._on_get_alone[cluster] = on_get_alone(scope, closed=closed)
        return self._on_get_alone[cluster]

    def refusing(self, action: Action, cluster: str, namespace: str) -> tuple[Refusing, ...]:
        """Give what may refuse requests of a kind in a namespace, though roles allow them."""
        if cluster not in self._refusing:
            self._refusing[cluster] = refusing(self.facts, cluster)
        listed = self._refusing[cluster]
        if not listed:
            return ()
        scope = self.facts.scopes.get(f"{cluster}/{namespace}") if namespace else None
        labels = scope.tags if scope is not None else {} if namespace else None
        return tuple(one for one in listed if one.sees(action, labels))

    def unread_admission(self, cluster: str) -> bool:
        """Was it refused to tell what may refuse requests in a cluster?"""
        gaps = (gap for kind in UNTOLD for gap in self._gaps.get(kind, ()))
        return any(gap.scope == cluster for gap in gaps)

    def enter(self, one: Entered) -> None:
        """Take somebody in who comes from a cloud. Who is listed already, by a binding, is the
        same user: what it holds is joined."""
        name = one.principal.id
        known = self.principal(name)
        groups = (*one.principal.groups, *(known.groups if known is not None else ()))
        principal = msgspec.structs.replace(one.principal, groups=tuple(dict.fromkeys(groups)))
        self._entered[name] = replace(one, principal=principal)
        for role, document in one.documents:
            self._given[role] = compile_role(document, given=True)
        more = self._more.setdefault(name, [])
        for binding in one.bindings:
            self._under[binding.id] = (one.when, one.because)
            if binding not in more:
                more.append(binding)
            if not self._there(binding.role):
                self._opaque.add(binding.role)
        self._held.pop(name, None)
        self._subjects.pop(name, None)
        self._everything.clear()

    def names(self, subject: str) -> bool:
        """Does some binding name a user or group?"""
        return subject in self._bindings

    def anonymous(self, cluster: str) -> tuple[str, ...]:
        """Give the subjects of requests without credentials, which anybody may make; none where
        such are known to be refused.

        https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
        """
        scope = self.facts.scopes.get(cluster)
        if scope is not None and scope.attributes.get("anonymous") is False:
            return ()
        return user_id(cluster, "system:anonymous"), group_id(cluster, "system:unauthenticated")

    def master(self, principal: Principal) -> bool:
        """Is it in the group that no authoriser is asked about?

        https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
        """
        return group_id(cluster_of(principal.id), MASTERS) in principal.groups

    # --- what they hold --------------------------------------------------------------------

    @cached_property
    def _bindings(self) -> dict[str, tuple[Binding, ...]]:
        found: dict[str, list[Binding]] = {}
        for binding in self.facts.snapshot.bindings:
            if binding.provider == PROVIDER:
                for member in dict.fromkeys(binding.members):
                    found.setdefault(member, []).append(binding)
        return {name: tuple(bindings) for name, bindings in found.items()}

    def bindings(self, subject: str) -> tuple[Binding, ...]:
        """Give the bindings that name a subject, those of who entered included."""
        own = (*self._bindings.get(subject, ()), *self._more.get(subject, ()))
        return (*own, *self._own_bindings(subject)) if subject.endswith(BOUND) else own

    def _own_bindings(self, name: str) -> tuple[Binding, ...]:
        if name not in self._bound:
            from modelreach.policy.kubernetes.became import bound

            self._bound[name] = tuple(bound(self, name))
        return self._bound[name]

    def granted(self, subjects: Iterable[str]) -> Iterator[Granted]:
        """Give every rule that subjects hold."""
        for subject in subjects:
            if subject not in self._held:
                self._held[subject] = tuple(self._granted(subject))
            yield from self._held[subject]

    def held(self, principal: Principal) -> tuple[Granted, ...]:
        """Give every rule that a principal holds, and those that anybody does."""
        anybody = self.anonymous(cluster_of(principal.id))
        key = (*self.subjects(principal), *anybody)
        if key not in self._everything:
            self._everything[key] = tuple(self.granted(key))
        return self._everything[key]

    def _granted(self, subject: str) -> Iterator[Granted]:
        for binding in self.bindings(subject):
            when, because = self._under.get(binding.id, (TRUE, ()))
            for rule in self.role(binding.role).rules:
                yield Granted(rule, binding, subject, when, because)

    def unknown_roles(self, subjects: Iterable[str]) -> Iterator[Binding]:
        """Give the bindings whose role may exist and was not read."""
        for subject in subjects:
            for binding in self.bindings(subject):
                missing = not self._there(binding.role)
                if missing and (
                    binding.role in self._opaque or self.unread("roles", binding.role)
                ):
                    yield binding

    def _there(self, role: str) -> bool:
        return role in self.roles or role in self._given

    @cached_property
    def roles(self) -> dict[str, ManagedPolicy]:
        """The roles by id."""
        found = self.facts.snapshot.managed_policies
        return {role.id: role for role in found if role.provider == PROVIDER}

    def role(self, name: str) -> Compiled:
        """Give a role's rules, those that it aggregates included; none of what is not there."""
        if name not in self._roles:
            self._roles[name] = self._compiled(name)
        return self._roles[name]

    def _compiled(self, name: str) -> Compiled:
        own = self._given.get(name) or self._own(name)
        if own.selectors is None:
            return own
        parts = tuple(self._aggregated(name, own, {name}))
        return Compiled(
            tuple(rule for part in parts for rule in part.rules),
            own.selectors,
            (*own.problems, *(problem for part in parts for problem in part.problems)),
        )

    def _own(self, name: str) -> Compiled:
        """What stands in a role itself."""
        if name not in self._written:
            fact = self.roles.get(name)
            digest = fact.versions.get(fact.default_version, "") if fact is not None else ""
            raw = self.facts.snapshot.documents.get(digest)
            written = compile_role(bytes(raw) if raw is not None else b"")
            self._written[name] = written if fact is not None else Compiled(())
        return self._written[name]

    def _aggregated(self, name: str, own: Compiled, seen: set[str]) -> Iterator[Compiled]:
        """The controller replaces the rules of a role that aggregates by those of all selected;
        one that is selected may aggregate in turn, and what stands in it counts no more.

        https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
        """
        for other in self._selected(self.roles[name], own):
            if other.id in seen:
                continue
            seen.add(other.id)
            found = self._own(other.id)
            if found.selectors is None:
                yield found
            else:
                yield Compiled((), problems=found.problems)
                yield from self._aggregated(other.id, found, seen)

    def _selected(self, fact: ManagedPolicy, own: Compiled) -> Iterator[ManagedPolicy]:
        for other in self._cluster_roles.get(cluster_of(fact.id), ()):
            chosen = any(selects(selector, other.tags) for selector in own.selectors or ())
            if chosen and other.id != fact.id:
                yield other

    @cached_property
    def _cluster_roles(self) -> dict[str, tuple[ManagedPolicy, ...]]:
        found: dict[str, list[ManagedPolicy]] = {}
        for name, role in sorted(self.roles.items()):
            if f"//clusterroles.{RBAC}/" in name:
                found.setdefault(cluster_of(name), []).append(role)
        return {cluster: tuple(roles) for cluster, roles in found.items()}

    # --- what was not read -----------------------------------------------------------------

    @cached_property
    def _gaps(self) -> dict[str, tuple[Gap, ...]]:
        found: dict[str, list[Gap]] = {}
        for gap in self.facts.snapshot.gaps:
            if gap.provider == PROVIDER:
                found.setdefault(gap.kind, []).append(gap)
        return {kind: tuple(gaps) for kind, gaps in found.items()}

    def unread(self, kind: str, name: str) -> bool:
        """Was what is of this kind, in this scope, asked for and not read?

        What files say nothing of was never asked for: that is told as an assumption.
        """
        gaps = self._gaps.get(kind)
        if gaps is None:
            return False
        around = (name, namespace_of(name), cluster_of(name), "")
        return any(
            gap.subject in ("", name) and gap.scope in around and gap.reason != "not-collected"
            for gap in gaps
        )

    def any_unread(self, kind: str) -> bool:
        """Was anything of this kind not read, anywhere?"""
        return kind in self._gaps

    def unread_in(self, kind: str, cluster: str) -> tuple[str, ...]:
        """Give the scopes of a cluster in which what is of this kind was not read."""
        key = (kind, cluster)
        if key not in self._unread_in:
            unread = (place for place in self.within(cluster) if self.unread(kind, place))
            self._unread_in[key] = tuple(unread)
        return self._unread_in[key]

    def from_files(self, cluster: str) -> bool:
        """Are the bindings of a cluster only those that some files hold?"""
        gaps = self._gaps.get("bindings", ())
        return any(gap.reason == "not-collected" and gap.scope == cluster for gap in gaps)

    @cached_property
    def _coverage(self) -> dict[tuple[str, str], bool]:
        found: dict[tuple[str, str], bool] = {}
        for row in self.facts.snapshot.coverage:
            if row.provider == PROVIDER:
                key = (row.scope, row.kind)
                found[key] = found.get(key, True) and row.complete
        return found

    def complete(self, kind: str, namespace: str, cluster: str) -> bool:
        """Were all of a kind read, in a namespace or in the cluster whole?"""
        return any(self._coverage.get((scope, kind), False) for scope in (namespace, cluster))

    # --- what lies where -------------------------------------------------------------------

    @cached_property
    def resources(self) -> dict[tuple[str, str], tuple[Resource, ...]]:
        """Listed resources by scope and kind."""
        return _by_place(self.facts.snapshot.resources)

    @cached_property
    def runtimes(self) -> dict[tuple[str, str], tuple[Runtime, ...]]:
        """Runtimes by scope and kind."""
        return _by_place(self.facts.snapshot.runtimes)

    @cached_property
    def principals(self) -> dict[tuple[str, str], tuple[Principal, ...]]:
        """Principals by scope and kind."""
        return _by_place(self.facts.snapshot.principals)

    @cached_property
    def runtimes_of(self) -> dict[str, tuple[Runtime, ...]]:
        """Runtimes by what they run as, with a token of it in them or not."""
        found: dict[str, list[Runtime]] = {}
        for runtime in self.facts.snapshot.runtimes:
            if runtime.provider == PROVIDER:
                for name in dict.fromkeys((*runtime.identities, *acting(runtime))):
                    found.setdefault(name, []).append(runtime)
        return {name: tuple(runtimes) for name, runtimes in found.items()}

    @cached_property
    def linked(self) -> dict[tuple[str, str], tuple[Runtime, ...]]:
        """Runtimes by the kind of a link, and by what it leads to or a scope that this is in."""
        found: dict[tuple[str, str], list[Runtime]] = {}
        for runtime in self.facts.snapshot.runtimes:
            for link in runtime.links if runtime.provider == PROVIDER else ():
                target = link.target
                for place in {target, namespace_of(target), cluster_of(target)} - {""}:
                    found.setdefault((link.kind, place), []).append(runtime)
        return {key: tuple(runtimes) for key, runtimes in found.items()}

    @cached_property
    def runtimes_on(self) -> dict[str, tuple[Runtime, ...]]:
        """Runtimes by the node that they are on, as its principal's id."""
        found: dict[str, list[Runtime]] = {}
        for runtime in self.facts.snapshot.runtimes:
            node = runtime.attributes.get("node")
            if runtime.provider == PROVIDER and isinstance(node, str):
                name = user_id(cluster_of(runtime.id), f"system:node:{node}")
                found.setdefault(name, []).append(runtime)
        return {name: tuple(runtimes) for name, runtimes in found.items()}

    @cached_property
    def machines(self) -> dict[str, Runtime]:
        """What nodes may be, of any cloud: machines by id, instances of EC2 by the last part of
        it, and groups of nodes of EKS by their cluster and name."""
        found: dict[str, Runtime] = {}
        for runtime in self.facts.snapshot.runtimes:
            if runtime.kind == "ec2:instance":
                found[runtime.id.rpartition("/")[2]] = runtime
            elif runtime.kind == "eks:nodegroup":
                found[f"{runtime.attributes.get('cluster')}/{runtime.name}"] = runtime
            elif runtime.kind in _MACHINES:
                found[runtime.id] = runtime
        return found

    @cached_property
    def namespaces(self) -> dict[str, tuple[str, ...]]:
        """The namespaces of each cluster."""
        found: dict[str, list[str]] = {}
        for scope in self.facts.snapshot.scopes:
            if scope.provider == PROVIDER and scope.kind == "namespace":
                found.setdefault(scope.parent, []).append(scope.id)
        return {cluster: tuple(sorted(names)) for cluster, names in found.items()}

    def leads_out(self, account: Principal) -> bool:
        """May a service account be somebody outside of its cluster: does it say so, or is its
        cluster one of a cloud's, or its issuer known, which others may trust?"""
        cluster = self.facts.scopes.get(cluster_of(account.id))
        about = cluster.attributes if cluster is not None else {}
        told = any(about.get(name) for name in ("issuer", "arn", "workload_pool"))
        return told or any(account.attributes.get(name) for name in _OUTWARD)

    def within(self, place: str) -> tuple[str, ...]:
        """Give the scopes that are, or lie within, a scope."""
        return (place, *self.namespaces.get(place, ()))


def acting(runtime: Runtime) -> tuple[str, ...]:
    """As whom code in a runtime acts: in a pod without a token of its account it is nobody in the
    cluster, and has what is mounted for others, such as a cloud.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting
    """
    if runtime.attributes.get("token_mounted") is not False:
        return runtime.identities
    return tuple(f"{name}{OUTWARD}" for name in runtime.identities)


def _by_place(facts: Iterable[_F]) -> dict[tuple[str, str], tuple[_F, ...]]:
    found: dict[tuple[str, str], list[_F]] = {}
    for fact in facts:
        if fact.provider == PROVIDER:
            found.setdefault((fact.scope, fact.kind), []).append(fact)
    return {key: tuple(sorted(group, key=lambda f: f.id)) for key, group in found.items()}
