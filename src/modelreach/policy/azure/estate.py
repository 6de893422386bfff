"""The Azure part of a snapshot, indexed: who holds which roles where, and what limits them there.

Everything is made when it is first asked for, so that the cost follows what is reached.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any, cast

import msgspec

from modelreach.policy.abroad import Abroad
from modelreach.policy.audiences import bare, of_credential
from modelreach.policy.azure import operations
from modelreach.policy.azure.access_policies import named_in
from modelreach.policy.azure.ids import (
    MANAGEMENT_GROUP,
    ROOT,
    enclosing,
    is_arm,
    subscription_of,
)
from modelreach.policy.azure.roles import Role, blocks_of, values_of
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, all_of
from modelreach.snapshot import (
    Attachment,
    Binding,
    Facts,
    Gap,
    Principal,
    Resource,
    Runtime,
    Scope,
)

#: In the principals of a deny assignment: everybody.
#: https://learn.microsoft.com/azure/role-based-access-control/deny-assignments
EVERYBODY = "00000000-0000-0000-0000-000000000000"
_ACTIVATED = provided("an eligible role is activated, as its policy asks for")
#: Attributes of a group: whom privileged identity management lets become a member, or an owner.
ELIGIBLE = ("eligible_members", "eligible_owners")
GRAPH_APP = "00000003-0000-0000-c000-000000000000"


#: How addresses of resources end, after their name.
_HOSTS = {
    "microsoft.containerregistry/registries": ("azurecr.io",),
    "microsoft.storage/storageaccounts": (
        "blob.core.windows.net",
        "dfs.core.windows.net",
        "file.core.windows.net",
        "queue.core.windows.net",
    ),
    "microsoft.keyvault/vaults": ("vault.azure.net",),
}


class Held(msgspec.Struct, frozen=True):
    """A role held through a binding. `role` is None when its definition was not read. `through` is
    the group that holds it, "" for the principal itself; `doubt` says what was not read about that
    group, "" when nothing. What is only `eligible` is held by who activates it."""

    binding: Binding
    role: Role | None
    through: str = ""
    doubt: str = ""
    eligible: bool = False

    @property
    def when(self) -> Expr:
        """What it hangs on that it is held."""
        doubt: Expr = Atom(AtomKind.GAP, self.doubt) if self.doubt else TRUE
        return all_of((doubt, _ACTIVATED)) if self.eligible else doubt


class Deny(msgspec.Struct, frozen=True):
    """A deny assignment, with whom it is about (object ids)."""

    role: Role
    scope: str
    name: str
    principals: frozenset[str]
    excluded: frozenset[str]
    only_here: bool
    condition: str


class Trust(msgspec.Struct, frozen=True):
    """A federated credential of a target: the subject, or else the expression that claims have to
    meet, and the audiences that it takes."""

    target: str
    subject: str
    audiences: tuple[str, ...]
    expression: str
    reference: StatementRef


class _Named(msgspec.Struct):
    id: str = ""


class _WrittenDeny(msgspec.Struct, rename="camel"):
    principals: list[_Named] | None = None
    exclude_principals: list[_Named] | None = None
    do_not_apply_to_child_scopes: bool | None = None
    condition: str | None = None


class Estate:
    """The facts of one tenant, by what decisions ask for."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.abroad = Abroad(facts, "azure")
        self._held: dict[str, tuple[Held, ...]] = {}
        self._roles: dict[str, Role | None] = {}
        self._above: dict[str, tuple[str, ...]] = {}
        self._lineage: dict[str, tuple[str, ...]] = {}
        self._denies: dict[str, tuple[Deny, ...]] = {}

    # --- places ----------------------------------------------------------------------------

    @cached_property
    def tenant(self) -> str:
        """The id of the tenant."""
        scopes = self.facts.snapshot.scopes
        return next((s.id for s in scopes if s.provider == "azure" and s.kind == "tenant"), "")

    def scopes_of(self, target: str) -> tuple[str, ...]:
        """Give every place at which a role would hold for a target: itself and all it lies in."""
        if target not in self._lineage:
            self._lineage[target] = self._scopes_of(target)
        return self._lineage[target]

    def _scopes_of(self, target: str) -> tuple[str, ...]:
        if not is_arm(target):
            return (target,)
        found = list(enclosing(target))
        place = subscription_of(target)
        if not place and target.startswith(MANAGEMENT_GROUP):
            place = next((s for s in found if s in self.facts.scopes), target)
        return (*found, *self._higher(place)) if place else (*found, ROOT)

    def _higher(self, place: str) -> tuple[str, ...]:
        """The management groups above a subscription or management group, and the root."""
        if place not in self._above:
            found: list[str] = []
            scope = self.facts.scopes.get(place)
            parent = scope.parent if scope else ""
            while parent.startswith(MANAGEMENT_GROUP) and parent not in found:
                found.append(parent)
                above = self.facts.scopes.get(parent)
                parent = above.parent if above else ""
            self._above[place] = (*found, ROOT)
        return self._above[place]

    @cached_property
    def below(self) -> dict[str, tuple[str, ...]]:
        """The subscriptions and management groups directly below each management group."""
        children: dict[str, list[str]] = {}
        for scope in self.facts.scopes.values():
            if scope.provider == "azure" and scope.kind in ("management-group", "subscription"):
                children.setdefault(scope.parent, []).append(scope.id)
        return {parent: tuple(sorted(found)) for parent, found in children.items()}

    def spread(self, scope: str) -> tuple[str, ...]:
        """Give the scopes by whose spelling everything in a scope can be told."""
        if not scope.startswith(MANAGEMENT_GROUP):
            return (scope,)
        found, waiting = [scope], list(self.below.get(scope, ()))
        while waiting:
            here = waiting.pop()
            if here not in found:
                found.append(here)
                waiting.extend(self.below.get(here, ()))
        return tuple(sorted(found))

    @cached_property
    def loose(self) -> bool:
        """Is it not known which subscriptions lie in which management groups?"""
        return any(gap.kind == "hierarchy" for gap in self._gaps)

    @cached_property
    def _sorted_resources(self) -> tuple[str, ...]:
        resources = self.facts.snapshot.resources
        return tuple(sorted(r.id for r in resources if r.provider == "azure"))

    def resources_in(self, scope: str) -> Iterator[Resource]:
        """Give the listed resources in a scope, the scope itself among them."""
        known = self.facts.resources
        if scope == ROOT:
            yield from (known[name] for name in self._sorted_resources)
            return
        for place in self.spread(scope):
            if place in known:
                yield known[place]
            prefix = place + "/"
            ids = self._sorted_resources
            for position in range(bisect_left(ids, prefix), len(ids)):
                if not ids[position].startswith(prefix):
                    break
                yield known[ids[position]]

    @cached_property
    def clusters(self) -> tuple[Resource, ...]:
        """The clusters of AKS, by id."""
        kind = "microsoft.containerservice/managedclusters"
        found = (r for r in self.facts.snapshot.resources if r.kind == kind)
        return tuple(sorted(found, key=lambda resource: resource.id))

    @cached_property
    def listed_kinds(self) -> frozenset[str]:
        """The types of all listed resources."""
        return frozenset(r.kind for r in self.facts.snapshot.resources if r.provider == "azure")

    @cached_property
    def _covered(self) -> dict[tuple[str, str], bool]:
        found: dict[tuple[str, str], bool] = {}
        for row in self.facts.snapshot.coverage:
            if row.provider == "azure":
                key = (row.kind, row.scope)
                found[key] = found.get(key, True) and row.complete
        return found

    def complete(self, kind: str, subscription: str) -> bool:
        """Were all resources of a type collected: in a subscription, or ("") in all of them?"""
        if subscription:
            return self._covered.get((kind, subscription), False)
        scopes = [s.id for s in self.facts.scopes.values() if s.kind == "subscription"]
        return bool(scopes) and all(self._covered.get((kind, s), False) for s in scopes)

    def scope(self, name: str) -> Scope | None:
        """The scope of an id, of this provider."""
        found = self.facts.scopes.get(name)
        return found if found is not None and found.provider == "azure" else None

    def locks(self, target: str) -> tuple[tuple[str, str], ...]:
        """Give the locks that hold for a target: level and place."""
        found: list[tuple[str, str]] = []
        for place in self.scopes_of(target):
            fact = self.facts.resources.get(place) or self.facts.scopes.get(place)
            levels = fact.attributes.get("locks", ()) if fact else ()
            if isinstance(levels, tuple):
                found.extend((level.lower(), place) for level in sorted(set(levels)))
        return tuple(found)

    # --- principals ------------------------------------------------------------------------

    def principal(self, name: str) -> Principal | None:
        """Give who is meant by an object id, an app id, or the ARM id of a user-assigned identity.

        Of an application and its service principal, which share an app id, the one that acts.
        """
        found = self.facts.principals.get(name) or self.facts.principals.get(name.lower())
        if found is not None:
            return found if found.provider == "azure" else None
        known = self._aliases.get(name.lower())
        return self.facts.principals[known] if known else None

    @cached_property
    def _aliases(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for principal in self.facts.principals.values():
            if principal.provider != "azure" or principal.kind == "group":
                continue
            for alias in _aliases_of(principal):
                if principal.kind == "application":
                    found.setdefault(alias, principal.id)
                else:
                    found[alias] = principal.id
        return found

    def groups_of(self, principal: Principal) -> tuple[str, ...]:
        """Give the groups that a principal is in, those of its groups included. Azure roles are
        held through nested groups.
        https://learn.microsoft.com/azure/role-based-access-control/overview"""
        found: list[str] = []
        waiting = list(principal.groups)
        while waiting:
            name = waiting.pop(0)
            if name in found:
                continue
            found.append(name)
            group = self.facts.principals.get(name)
            waiting.extend(group.groups if group else ())
        return tuple(found)

    @cached_property
    def unread_groups(self) -> tuple[str, ...]:
        """Groups whose members were not read: anybody may be in them."""
        named = {gap.subject for gap in self._gaps if gap.kind == "groups" and gap.subject}
        named |= {
            fact.id
            for fact in self.facts.principals.values()
            if fact.provider == "azure" and fact.attributes.get("members_read") is False
        }
        return tuple(sorted(named))

    @cached_property
    def perhaps(self) -> dict[str, tuple[str, ...]]:
        """For each group whose members were not read, that group and those that it is in."""
        known = self.facts.principals
        return {
            name: (name, *self.groups_of(known[name])) if name in known else (name,)
            for name in self.unread_groups
        }

    @cached_property
    def _related(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Principals by what they name: (what they name it as, its id or app id)."""
        found: dict[tuple[str, str], list[str]] = {}
        for fact in self.facts.principals.values():
            if fact.provider != "azure":
                continue
            for name in ("blueprint", "blueprint_principal", "parent"):
                value = fact.attributes.get(name)
                if isinstance(value, str):
                    found.setdefault((name, value.lower()), []).append(fact.id)
            for owner in strings(fact.attributes.get("owners", ())):
                found.setdefault(("owner", owner), []).append(fact.id)
        return {key: tuple(sorted(names)) for key, names in found.items()}

    def children_of(self, blueprint: Principal) -> tuple[str, ...]:
        """Give the agent identities of a blueprint."""
        app = str(blueprint.attributes.get("app_id", "")) or blueprint.unique_id
        named = self._related.get(("blueprint", app.lower()), ())
        found = {*named, *self._related.get(("blueprint_principal", blueprint.id), ())}
        return tuple(sorted(found))

    def users_of(self, agent: str) -> tuple[str, ...]:
        """Give the agent users that an agent identity may act as."""
        return self._related.get(("parent", agent), ())

    @cached_property
    def _eligible(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """By whom may activate it: the groups, each with as what of it (the attribute's name)."""
        found: dict[str, list[tuple[str, str]]] = {}
        for fact in self.facts.principals.values():
            for how in ELIGIBLE if fact.provider == "azure" and fact.kind == "group" else ():
                for name in strings(fact.attributes.get(how, ())):
                    found.setdefault(name, []).append((fact.id, how))
        return {name: tuple(sorted(groups)) for name, groups in found.items()}

    def eligible_for(self, principal: Principal) -> tuple[tuple[str, str], ...]:
        """Give the groups that a person may become a member or owner of, and has not become yet:
        itself, or as a member of a group that may."""
        groups = self.groups_of(principal) if self._eligible else ()
        found = {one for name in (principal.id, *groups) for one in self._eligible.get(name, ())}
        return tuple(sorted(one for one in found if one[0] not in groups)) if found else ()

    @cached_property
    def _restricted(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for scope in self.facts.snapshot.scopes:
            if scope.kind == "administrative-unit" and self.is_restricted(scope.id):
                for member in strings(scope.attributes.get("members", ())):
                    found.setdefault(member, []).append(scope.id)
        return {member: tuple(units) for member, units in found.items()}

    def is_restricted(self, place: str) -> bool:
        """Is a place an administrative unit of restricted management?"""
        scope = self.facts.scopes.get(place)
        return scope is not None and scope.attributes.get("restricted") is True

    def restricting(self, target: str) -> tuple[str, ...]:
        """Give the administrative units of restricted management that a person or group is in."""
        fact = self.facts.principals.get(target)
        if fact is None or fact.kind not in ("user", "group"):
            return ()
        return self._restricted.get(target, ())

    def owned_by(self, owner: str) -> tuple[Principal, ...]:
        """Give what a principal owns."""
        return tuple(self.facts.principals[n] for n in self._related.get(("owner", owner), ()))

    @cached_property
    def _trusts(self) -> dict[str, tuple[Trust, ...]]:
        """Federated credentials by issuer, without scheme."""
        found: dict[str, list[Trust]] = {}
        for attachment in self.facts.snapshot.attachments:
            fact = self.facts.principals.get(attachment.target)
            if attachment.kind != "trust" or fact is None or fact.provider != "azure":
                continue
            raw = bytes(self.facts.snapshot.documents.get(attachment.document, b""))
            written = _written_trust(raw)
            if written is not None:
                trust = _trust(attachment, written, raw)
                found.setdefault(bare(written.issuer), []).append(trust)
        return {issuer: tuple(trusts) for issuer, trusts in found.items()}

    def trusts_of(self, issuer: str) -> tuple[Trust, ...]:
        """Give the federated credentials that let an issuer's tokens in."""
        return self._trusts.get(bare(issuer), ())

    def trusting_issuer(self, cluster: str) -> tuple[str, ...]:
        """Give the identities that pods of a cluster can get tokens as."""
        fact = self.facts.resources.get(cluster)
        issuer = str(fact.attributes.get("oidc_issuer", "")) if fact else ""
        trusts = self.trusts_of(issuer) if issuer else ()
        return tuple(sorted({trust.target for trust in trusts}))

    @cached_property
    def azure_runtimes(self) -> tuple[Runtime, ...]:
        """The runtimes of this provider, by id."""
        found = (r for r in self.facts.snapshot.runtimes if r.provider == "azure")
        return tuple(sorted(found, key=lambda runtime: runtime.id))

    def addressed(self, name: str) -> str:
        """Give the resource that an address is in: a registry of an image, an account of files;
        an id stays as it is."""
        if name.startswith("/"):
            return name
        host = name.lower().removeprefix("https://").removeprefix("http://").split("/")[0]
        return self._by_host.get(host, name)

    @cached_property
    def _by_host(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for resource in self.facts.snapshot.resources:
            last = resource.id.rsplit("/", 1)[-1]
            for host in _HOSTS.get(resource.kind, ()) if resource.provider == "azure" else ():
                found[f"{last}.{host}"] = resource.id
        return found

    @cached_property
    def leading(self) -> frozenset[str]:
        """Principals that lead anywhere: who hold something, or are in a group that does, or from
        whom others can be become, or whom others let in."""
        holding = set(self._by_member)
        found = {
            fact.id
            for fact in self.facts.principals.values()
            if fact.provider == "azure"
            and (
                fact.id in holding
                or holding.intersection(self.groups_of(fact))
                or self.abroad.leads(fact.id)
                or self.eligible_for(fact)
            )
        }
        for fact in self.facts.principals.values():
            if fact.provider == "azure":
                found.update(_leading_to(fact))
        return frozenset(found)

    @cached_property
    def _identities(self) -> tuple[tuple[str, str], ...]:
        """Managed identities by what they are part of."""
        return tuple(
            sorted(
                (str(fact.attributes.get("resource", "")), fact.id)
                for fact in self.facts.principals.values()
                if fact.kind == "managed-identity" and fact.attributes.get("resource")
            )
        )

    def identities_in(self, scope: str) -> tuple[str, ...]:
        """Give the managed identities of what lies in a scope."""
        found: list[str] = []
        for place in self.spread(scope):
            prefix = place.rstrip("/") + "/"
            start = bisect_left(self._identities, (place, ""))
            for resource, name in self._identities[start:]:
                if resource != place and not resource.startswith(prefix):
                    if resource > prefix and not resource.startswith(place):
                        break
                    continue
                found.append(name)
        return tuple(sorted(set(found)))

    # --- roles -----------------------------------------------------------------------------

    @cached_property
    def _by_member(self) -> dict[str, tuple[Binding, ...]]:
        found: dict[str, list[Binding]] = {}
        for binding in self.facts.snapshot.bindings:
            if binding.provider == "azure":
                for member in binding.members:
                    found.setdefault(member, []).append(binding)
        return {member: tuple(bindings) for member, bindings in found.items()}

    @cached_property
    def _documents(self) -> dict[str, tuple[str, str, str]]:
        found: dict[str, tuple[str, str, str]] = {}
        for policy in self.facts.snapshot.managed_policies:
            if policy.provider == "azure":
                digest = policy.versions.get(policy.default_version, "")
                found[policy.id] = (policy.name, digest, policy.id)
        return found

    @property
    def known_roles(self) -> frozenset[str]:
        """The ids of all role definitions that were read."""
        return frozenset(self._documents)

    def role(self, name: str) -> Role | None:
        """Give a role definition; None when it was not read."""
        if name not in self._roles:
            title, digest, _ = self._documents.get(name, ("", "", ""))
            raw = self.facts.snapshot.documents.get(digest)
            self._roles[name] = (
                None if raw is None else Role(name, title or name, digest, blocks_of(bytes(raw)))
            )
        return self._roles[name]

    def assignable(self, name: str) -> tuple[str, ...]:
        """Give the scopes at which a custom role may be assigned; none for one of Azure's own,
        which cannot be rewritten."""
        _, digest, _ = self._documents.get(name, ("", "", ""))
        return _assignable(bytes(self.facts.snapshot.documents.get(digest, b"")))

    def held(self, principal: Principal) -> tuple[Held, ...]:
        """Give every role that a principal holds as things stand: itself or through a group.

        Eligible roles need a person, who activates them; so do delegated permissions, which are
        not held here.
        An application permission that a group was given holds for its direct members only.
        https://learn.microsoft.com/entra/identity/users/directory-service-limits-restrictions
        """
        if principal.id not in self._held:
            self._held[principal.id] = tuple(self._holding(principal))
        return self._held[principal.id]

    def _holding(self, principal: Principal) -> Iterator[Held]:
        person = principal.kind == "user" and not principal.attributes.get("agent_user")
        for held in self._holdings(principal):
            if person or not held.eligible:
                yield held

    def _holdings(self, principal: Principal) -> Iterator[Held]:
        yield from self._through(principal.id, "", "", nested=False)
        groups = self.groups_of(principal)
        for group in groups:
            yield from self._through(group, group, "", nested=group not in principal.groups)
        for unread, within in self.perhaps.items():
            for group in within if unread not in groups else ():
                if group not in groups:
                    doubt = f"the members of group {unread}"
                    yield from self._through(group, group, doubt, nested=group != unread)

    def _through(self, member: str, group: str, doubt: str, nested: bool) -> Iterator[Held]:
        for binding in self._by_member.get(member, ()):
            if binding.status not in ("", "active", "eligible"):
                continue
            if nested and not is_arm(binding.target):
                continue
            eligible = binding.status == "eligible"
            yield Held(binding, self.role(binding.role), group, doubt, eligible)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        """The actions that roles name, in the spelling of the roles."""
        found: dict[str, str] = {}
        for _, digest, _ in self._documents.values():
            raw = self.facts.snapshot.documents.get(digest)
            for written in values_of(bytes(raw)) if raw is not None else ():
                found.setdefault(written.lower(), written)
        return found

    def spelled(self, action: str) -> str:
        """Give an action (in lower case, without a prefix) as Azure, or a role, spells it."""
        known = operations.spelled(action)
        return known if known != action else self._spelling.get(action, action)

    @cached_property
    def _vaults(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, set[str]] = {}
        for attachment in self.facts.snapshot.attachments:
            if attachment.kind == "access-policy" and is_arm(attachment.target):
                raw = bytes(self.facts.snapshot.documents.get(attachment.document, b""))
                for name in named_in(raw):
                    found.setdefault(name, set()).add(attachment.target)
        return {name: tuple(sorted(vaults)) for name, vaults in found.items()}

    def vaults_naming(self, members: Iterable[str]) -> tuple[str, ...]:
        """Give the vaults whose access policies name any of these objects."""
        return tuple(sorted({v for name in members for v in self._vaults.get(name, ())}))

    # --- limits and gaps -------------------------------------------------------------------

    def denies_at(self, scope: str) -> tuple[Deny, ...]:
        """Give the deny assignments on exactly this scope."""
        if scope not in self._denies:
            self._denies[scope] = tuple(self._denying(scope))
        return self._denies[scope]

    @cached_property
    def denying_scopes(self) -> tuple[str, ...]:
        """Every scope that has a deny assignment on it."""
        attachments = self.facts.snapshot.attachments
        return tuple(
            sorted({a.target for a in attachments if a.kind == "deny" and is_arm(a.target)})
        )

    def _denying(self, scope: str) -> Iterator[Deny]:
        for attachment in self.facts.attachments.get(scope, ()):
            if attachment.kind != "deny":
                continue
            raw = bytes(self.facts.snapshot.documents.get(attachment.document, b""))
            written = _written_deny(raw)
            # One that cannot be read may deny anything to anybody.
            blocks = blocks_of(b"" if written is None else raw)
            role = Role(attachment.policy, attachment.name, attachment.document, blocks)
            if written is None:
                everybody = frozenset({EVERYBODY})
                yield Deny(role, scope, attachment.name, everybody, frozenset(), False, "")
                continue
            yield Deny(
                role,
                scope,
                attachment.name,
                frozenset(one.id.lower() for one in written.principals or ()),
                frozenset(one.id.lower() for one in written.exclude_principals or ()),
                bool(written.do_not_apply_to_child_scopes),
                written.condition or "",
            )

    @cached_property
    def _gaps(self) -> tuple[Gap, ...]:
        return tuple(gap for gap in self.facts.snapshot.gaps if gap.provider == "azure")

    @cached_property
    def _gaps_by_kind(self) -> dict[tuple[str, str], Gap]:
        found: dict[tuple[str, str], Gap] = {}
        for gap in self._gaps:
            found.setdefault((gap.kind, gap.subject or gap.scope), gap)
            if gap.subject:
                found.setdefault((gap.kind + "#any", gap.scope), gap)
        return found

    def gap(self, kind: str, about: str) -> Gap | None:
        """Give the gap of a kind about a scope or a subject."""
        return self._gaps_by_kind.get((kind, about))

    def unread(self, kind: str, scopes: Iterable[str]) -> str:
        """Say what of a kind was not read at any of the scopes; "" when all was."""
        if not self._gaps_by_kind:
            return ""
        for scope in (*scopes, ""):
            gap = self.gap(kind, scope) or self.gap("subscription", scope)
            if gap is not None and (scope or not gap.subject):
                return f"{kind} of {gap.subject or gap.scope or 'the tenant'}: {gap.reason}"
        return ""


def _aliases_of(principal: Principal) -> Iterator[str]:
    attributes = principal.attributes
    names: list[Any] = [principal.unique_id, attributes.get("app_id")]
    if attributes.get("managed") == "user":
        names.append(attributes.get("resource"))
    for name in names:
        if isinstance(name, str) and name:
            yield name.lower()


def _leading_to(fact: Principal) -> Iterator[str]:
    """From whom a principal can be become by what it is."""
    yield from strings(fact.attributes.get("owners", ()))
    for name in ("blueprint_principal", "parent", "service_principal"):
        related = fact.attributes.get(name)
        if isinstance(related, str):
            yield related if name != "service_principal" else fact.id


class _WrittenTrust(msgspec.Struct, rename="camel"):
    issuer: str = ""
    subject: str | None = None
    audiences: list[str] | None = None
    claims_matching_expression: Any = None


def _trust(attachment: Attachment, written: _WrittenTrust, raw: bytes) -> Trust:
    ref = StatementRef(
        Layer.TRUST,
        attachment.name,
        attachment.target,
        attachment.document,
        0,
        "",
        "Allow",
        raw.decode("utf-8", "replace"),
    )
    expression: Any = written.claims_matching_expression
    if isinstance(expression, dict):
        expression = cast("dict[str, Any]", expression).get("value")
    text = expression if isinstance(expression, str) else ""
    audiences = of_credential(written.audiences)
    return Trust(attachment.target, written.subject or "", audiences, text, ref)


def _written_trust(raw: bytes) -> _WrittenTrust | None:
    try:
        return msgspec.json.decode(raw, type=_WrittenTrust)
    except (msgspec.MsgspecError, RecursionError):
        return None


class _WrittenRole(msgspec.Struct, rename="camel"):
    type: str = ""
    assignable_scopes: list[str] | None = None


@lru_cache(1 << 12)
def _assignable(raw: bytes) -> tuple[str, ...]:
    try:
        written = msgspec.json.decode(raw, type=_WrittenRole)
    except (msgspec.MsgspecError, RecursionError):
        return ()
    if written.type.lower() != "customrole":
        return ()
    return tuple(
        sorted({scope.lower().rstrip("/") or "/" for scope in written.assignable_scopes or ()})
    )


@lru_cache(1 << 12)
def _written_deny(raw: bytes) -> _WrittenDeny | None:
    try:
        return msgspec.json.decode(raw, type=_WrittenDeny)
    except (msgspec.MsgspecError, RecursionError):
        return None


def strings(value: object) -> tuple[str, ...]:
    """Give the strings of an attribute that holds a list of them."""
    if not isinstance(value, tuple):
        return ()
    entries = cast("tuple[object, ...]", value)
    return tuple(entry for entry in entries if isinstance(entry, str))
