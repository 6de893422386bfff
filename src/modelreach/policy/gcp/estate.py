"""A snapshot of Google Cloud, arranged for deciding: who is bound where, and what lies in what.

Bindings are indexed by member and by target, resources by scope and kind; roles, deny policies and
boundaries are compiled once each. Nothing here loops over principals and resources together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec.structs import replace

from modelreach.policy.abroad import Abroad
from modelreach.policy.audiences import POOL_PROVIDER
from modelreach.policy.expr import Atom, AtomKind, Expr
from modelreach.policy.gcp import members
from modelreach.policy.gcp.cel_functions import Tags
from modelreach.policy.gcp.limits import (
    AccessRule,
    Boundary,
    DenyRule,
    access_rules,
    boundary,
    deny_rules,
    scope_id,
)
from modelreach.policy.gcp.members import Who
from modelreach.policy.gcp.roles import BASIC, Role, role
from modelreach.snapshot import (
    Attachment,
    AttributeValue,
    Binding,
    Credential,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
)

#: Why something was not read that was asked for: what it hides is unknown. What nobody asked for
#: is noted, as any limit that is not known of.
_REFUSED = frozenset({"denied", "throttled", "unreachable", "malformed", "after-apply"})


#: In the name of a pool of people of other directories, which is of an organization.
WORKFORCE = "/workforcePools/"


#: What an AWS provider maps where nothing says otherwise.
#: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
_OF_AWS = (
    "google.subject=assertion.arn",
    "attribute.aws_role=assertion.arn.contains('assumed-role')"
    " ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/'"
    " + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
)


def mapping(provider: Resource) -> tuple[str, ...]:
    """Give what a provider maps, as `name=expression`."""
    written = _texts(provider.attributes, "attribute_mapping")
    return written or (_OF_AWS if provider.attributes.get("federation") == "aws" else ())


class Estate:
    """The Google Cloud facts of one snapshot. Indexes are made when first asked for."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.abroad = Abroad(facts, "gcp")
        self._roles: dict[str, Role] = {}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._denies: dict[str, tuple[DenyRule, ...]] = {}
        self._accesses: dict[str, tuple[AccessRule, ...]] = {}
        self._boundaries: dict[str, tuple[Boundary, ...]] = {}
        #: Who has come by a token, that no fact tells of.
        self.admitted: dict[str, Principal] = {}
        #: Permissions of a role that are about a kind of resource: see `grants.relevant`.
        self.relevant: dict[tuple[str, str], tuple[str, ...]] = {}

    # --- scopes and resources ----------------------------------------------------------------

    @cached_property
    def numbers(self) -> dict[str, str]:
        """Project numbers by project id, without `projects/`."""
        return {
            scope.id.removeprefix("projects/"): str(number)
            for scope in self.facts.snapshot.scopes
            if scope.provider == "gcp" and (number := scope.attributes.get("number"))
        }

    @cached_property
    def _by_number(self) -> dict[str, str]:
        return {f"projects/{number}": f"projects/{name}" for name, number in self.numbers.items()}

    def scope(self, name: str) -> str:
        """Give the id of a scope, from it, from its number or from its full resource name."""
        name = scope_id(name)
        return self._by_number.get(name, name)

    def path(self, scope: str) -> tuple[str, ...]:
        """Give a scope and those above it, closest first."""
        if scope not in self._paths:
            path: list[str] = []
            here = scope
            while here and here not in path:
                path.append(here)
                found = self.facts.scopes.get(here)
                here = found.parent if found else ""
            self._paths[scope] = tuple(path)
        return self._paths[scope]

    def is_scope(self, name: str) -> bool:
        """Is it an organization, a folder or a project?"""
        return name in self.facts.scopes or name.partition("/")[0] in _SCOPES

    @cached_property
    def _below(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for scope in self.facts.snapshot.scopes:
            if scope.provider == "gcp" and scope.parent:
                found.setdefault(scope.parent, []).append(scope.id)
        return {name: tuple(sorted(children)) for name, children in found.items()}

    def under(self, scope: str) -> Iterator[str]:
        """Give a scope and all below it."""
        waiting, seen = [scope], {scope}
        while waiting:
            here = waiting.pop()
            yield here
            for child in self._below.get(here, ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)

    @cached_property
    def resources(self) -> dict[str, dict[str, tuple[Resource, ...]]]:
        """Listed resources by scope and kind."""
        found: dict[str, dict[str, list[Resource]]] = {}
        for resource in self.facts.snapshot.resources:
            if resource.provider == "gcp":
                found.setdefault(resource.scope, {}).setdefault(resource.kind, []).append(resource)
        return {
            scope: {kind: tuple(sorted(of, key=_id)) for kind, of in sorted(kinds.items())}
            for scope, kinds in found.items()
        }

    @cached_property
    def resource_ids(self) -> tuple[str, ...]:
        """Ids of listed resources, sorted."""
        return tuple(sorted(r.id for r in self.facts.snapshot.resources if r.provider == "gcp"))

    def any_listed(self, scope: str, kind: str) -> bool:
        """Is any resource of a kind listed below a scope?"""
        return any(self.resources.get(here, {}).get(kind) for here in self.under(scope))

    @cached_property
    def principals(self) -> dict[tuple[str, str], tuple[Principal, ...]]:
        """Principals by scope and kind."""
        found: dict[tuple[str, str], list[Principal]] = {}
        for principal in self.facts.snapshot.principals:
            if principal.provider == "gcp":
                found.setdefault((principal.scope, principal.kind), []).append(principal)
        return {key: tuple(sorted(of, key=_id)) for key, of in found.items()}

    def account_resource(self, principal: Principal) -> str:
        """Give the full resource name of a service account; of another principal, its id."""
        if principal.kind not in _ACCOUNTS or "@" not in principal.id:
            return principal.id
        email = principal.id.partition(":")[2]
        return f"//iam.googleapis.com/{principal.scope}/serviceAccounts/{email}"

    def account_of(self, name: str) -> Principal | None:
        """Give the service account that a full resource name means."""
        email = _ACCOUNT.fullmatch(name)
        return self.facts.principals.get(f"serviceAccount:{email[1]}") if email else None

    def leading_out(self, scope: str) -> tuple[str, ...]:
        """Give the accounts below a scope that are bound to anything outside of it, by themselves
        or in a group, or that another cloud lets in."""
        found = [
            account.id
            for kind in ("service-account", "service-agent")
            for place in self.under(scope)
            for account in self.principals.get((place, kind), ())
            if self._bound_outside(account, scope) or self.abroad.leads(account.id)
        ]
        return tuple(sorted(found))

    def _bound_outside(self, account: Principal, scope: str) -> bool:
        return any(
            scope not in self.chain(binding.target)
            for member in (account.id, *self._groups(account, (account.id,)))
            for binding in self.bound_to.get(member, ())
        )

    @cached_property
    def members_by_pool(self) -> dict[str, tuple[str, ...]]:
        """Members of bindings that come by a pool of a project or of the organization, by pool."""
        found: dict[str, set[str]] = {}
        for member in self.bound_to:
            pool = members.pooled(member)
            if pool is not None and (
                "/workloadIdentityPools/" in pool.pool or WORKFORCE in pool.pool
            ):
                found.setdefault(pool.pool, set()).add(member)
        return {pool: tuple(sorted(of)) for pool, of in found.items()}

    def pool_of(self, provider: Resource) -> str:
        """Give the pool of a provider as members spell it: its project by number.

        https://docs.cloud.google.com/iam/docs/principal-identifiers
        """
        found = str(provider.attributes.get("pool", "")) or provider.id.partition("/providers/")[0]
        start, projects, rest = found.partition("/projects/")
        project, _, rest = rest.partition("/")
        if not projects or project not in self.numbers:
            return found
        return f"{start}/projects/{self.numbers[project]}/{rest}"

    @cached_property
    def permissions(self) -> tuple[str, ...]:
        """Every permission that some role gives, as it is spelled."""
        return tuple(sorted(set(self.spelled.values())))

    @cached_property
    def clusters(self) -> tuple[str, ...]:
        """The clusters of GKE, by name."""
        kind = "container.googleapis.com/Cluster"
        return tuple(sorted(r.id for r in self.facts.snapshot.runtimes if r.kind == kind))

    @cached_property
    def providers(self) -> tuple[Resource, ...]:
        """Providers of workload identity pools."""
        found = (r for r in self.facts.snapshot.resources if r.kind == POOL_PROVIDER)
        return tuple(sorted(found, key=_id))

    @cached_property
    def bound_keys(self) -> dict[str, tuple[Credential, ...]]:
        """API keys that act as a service account, by project."""
        found: dict[str, list[Credential]] = {}
        for key in self.facts.snapshot.credentials:
            if key.provider == "gcp" and key.kind == "api-key" and key.principal:
                found.setdefault(key.scope, []).append(key)
        return {scope: tuple(of) for scope, of in found.items()}

    def constraint(self, scope: str, name: str) -> bytes | None:
        """Give the organization policy that is set on a scope itself for a constraint."""
        for attachment in self._attached(scope, "constraint"):
            if attachment.policy == name:
                return self._document(attachment.document) or b""
        return None

    def constraints_collected(self, path: tuple[str, ...]) -> bool:
        """Were organization policies asked for on all of these scopes, and came?"""
        return not any(self._gaps_in("constraint", scope) for scope in path) and any(
            (scope, "constraint") in self.coverage for scope in path
        )

    def _gaps_in(self, kind: str, scope: str) -> bool:
        return any(gap.scope in ("", scope) for gap in self._gaps(kind))

    @cached_property
    def accounts(self) -> dict[str, tuple[Principal, ...]]:
        """Service accounts and service agents by project."""
        found: dict[str, list[Principal]] = {}
        for principal in self.facts.snapshot.principals:
            if principal.provider == "gcp" and principal.kind in _ACCOUNTS:
                found.setdefault(principal.scope, []).append(principal)
        return {scope: tuple(sorted(of, key=_id)) for scope, of in found.items()}

    def accounts_listed(self, scope: str) -> bool:
        """Is any service account listed below a scope?"""
        return any(here in self.accounts for here in self.under(scope))

    @cached_property
    def runtimes(self) -> dict[tuple[str, str], tuple[Runtime, ...]]:
        """Runtimes by scope and kind."""
        found: dict[tuple[str, str], list[Runtime]] = {}
        for runtime in self.facts.snapshot.runtimes:
            if runtime.provider == "gcp":
                found.setdefault((runtime.scope, runtime.kind), []).append(runtime)
        return {key: tuple(sorted(of, key=_id)) for key, of in found.items()}

    def listed(self, name: str) -> str:
        """Give the listed resource that a name is, or lies in; "" when there is none."""
        known = self.facts.resources
        while name.startswith("//") and name not in known:
            name = name.rpartition("/")[0]
        return name if name in known else ""

    def chain(self, name: str) -> tuple[str, ...]:
        """Give a thing and all that it lies in, closest first: what grants of it are held on."""
        if self.is_scope(name):
            return self.path(name)
        parts = [name]
        here = name.rpartition("/")[0]
        while here.startswith("//") and len(here) > 2:
            if here in self.facts.resources or here in self.facts.bindings:
                parts.append(here)
            here = here.rpartition("/")[0]
        return (*parts, *self.path(self.scope_of(name)))

    def scope_of(self, name: str) -> str:
        """Give the scope that a resource is in; "" when it is not known."""
        if self.is_scope(name):
            return name
        listed = self.listed(name)
        if listed:
            return self.facts.resources[listed].scope
        parts = name.split("/")
        for place, part in enumerate(parts[:-1]):
            if part in _SCOPES and parts[place + 1] not in ("_", "-"):
                found = self.scope(f"{part}/{parts[place + 1]}")
                return found if found in self.facts.scopes else ""
        return ""

    # --- who ---------------------------------------------------------------------------------

    def principal(self, name: str) -> Principal | None:
        """Give the fact behind a member; None for one that the snapshot does not have."""
        found = self.facts.principals.get(name) or self.admitted.get(name)
        if found is None and (other := self._respelled(name)):
            found = self.facts.principals.get(other)
        return found if found is not None and found.provider == "gcp" else None

    def _respelled(self, name: str) -> str:
        """Give the listed spelling of a Kubernetes account."""
        for spelled in members.spellings(name, self.numbers):
            if spelled in self.facts.principals:
                return spelled
        return ""

    def who(self, principal: Principal) -> Who:
        """Give a principal as members may mean it."""
        names = members.spellings(principal.id, self.numbers)
        pool = next((found for name in names if (found := members.pooled(name))), None)
        groups = self._groups(principal, names)
        sure = {*names, *groups, *members.sets_of(principal, self._place(principal), self.numbers)}
        bound = frozenset(sure)
        doubtful: dict[str, Expr] = {}
        for member, certain in self._convenient(bound):
            if certain:
                sure.add(member)
            else:
                doubtful[member] = Atom(AtomKind.OPAQUE, f"whether {member} means who inherits it")
        return Who(
            principal,
            frozenset(sure),
            doubtful,
            self._groups_unread(groups),
            pool.pool if pool else "",
            members.attributes_of(principal, pool.pool, pool.subject) if pool else {},
            self.mapped(pool.pool) if pool else None,
        )

    def come(self, one: Principal) -> bool:
        """Note somebody who has come by a token; tell if it is new. Where another token of the
        same subject says something else, either may be so."""
        known = self.admitted.get(one.id)
        if known is None:
            self.admitted[one.id] = one
            return True
        both: dict[str, AttributeValue] = {
            name: tuple(sorted({*_several(value), *_several(one.attributes[name])}))
            for name, value in known.attributes.items()
            if name in one.attributes
        }
        self.admitted[one.id] = replace(known, attributes=both)
        return both != known.attributes

    def mapped(self, pool: str) -> frozenset[str] | None:
        """Give the attributes that a pool of a project may know of who comes by it; None where its
        providers were not all read."""
        if "/workloadIdentityPools/" not in pool or pool.endswith(".svc.id.goog"):
            return None
        scope = self.scope_of(pool)
        if not scope or not self.collected(scope, POOL_PROVIDER):
            return None
        return self._mapped.get(pool, frozenset())

    @cached_property
    def _mapped(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for provider in self.providers:
            names = (rule.partition("=")[0] for rule in mapping(provider))
            own = found.setdefault(self.pool_of(provider), set())
            own |= {"group" if name == "google.groups" else name for name in names}
        return {pool: frozenset(names) for pool, names in found.items()}

    def _place(self, principal: Principal) -> tuple[str, ...]:
        return self.path(principal.scope) if not principal.attributes.get("foreign") else ()

    def _groups(self, principal: Principal, names: Iterable[str]) -> frozenset[str]:
        """Give the groups of which it is a member, however deep."""
        waiting = list(principal.groups)
        for name in names:
            same = self.facts.principals.get(name)
            waiting.extend(same.groups if same else ())
        found: set[str] = set()
        while waiting:
            group = waiting.pop()
            if group not in found:
                found.add(group)
                fact = self.facts.principals.get(group)
                waiting.extend(fact.groups if fact else ())
        return frozenset(found)

    def _groups_unread(self, known: frozenset[str]) -> frozenset[str] | None:
        """Give groups that anybody may be in, as their members were not read."""
        if not self._groups_collected:
            return None
        return self._unread_groups - known

    @cached_property
    def _groups_collected(self) -> bool:
        rows = [row for row in self.facts.snapshot.coverage if row.kind == "groups"]
        whole = [gap for gap in self._gaps("groups") if not gap.subject]
        return bool(rows) and not whole

    @cached_property
    def _unread_groups(self) -> frozenset[str]:
        """Groups whose members were not read, and those that have such a group as a member."""
        waiting = [gap.subject for gap in self._gaps("groups") if gap.subject]
        found: set[str] = set()
        while waiting:
            group = waiting.pop()
            if group not in found:
                found.add(group)
                fact = self.facts.principals.get(group)
                waiting.extend(fact.groups if fact else ())
        return frozenset(found)

    def _convenient(self, sure: frozenset[str]) -> Iterator[tuple[str, bool]]:
        """Give `projectEditor:p` for who holds the basic role on p itself; in doubt for who holds
        it from above, of which Google does not say whether it counts."""
        for member in sure:
            for binding in self.bound_to.get(member, ()):
                word = BASIC.get(binding.role)
                if word is None or not self.is_scope(binding.target):
                    continue
                for scope in self._convenience_of:
                    if scope == binding.target:
                        yield from ((f"{word}:{name}", True) for name in self._spelled(scope))
                    elif binding.target in self.path(scope):
                        yield from ((f"{word}:{name}", False) for name in self._spelled(scope))

    @cached_property
    def _convenience_of(self) -> tuple[str, ...]:
        """The projects of which any binding has a convenience member."""
        words = tuple(f"{word}:" for word in BASIC.values())
        names = {member.partition(":")[2] for member in self.bound_to if member.startswith(words)}
        return tuple(sorted({self.scope(f"projects/{name}") for name in names}))

    def _spelled(self, scope: str) -> tuple[str, ...]:
        name = scope.removeprefix("projects/")
        return (name, self.numbers[name]) if name in self.numbers else (name,)

    # --- policies ----------------------------------------------------------------------------

    @cached_property
    def bound_to(self) -> dict[str, tuple[Binding, ...]]:
        """Bindings by member."""
        found: dict[str, list[Binding]] = {}
        for binding in self.facts.snapshot.bindings:
            if binding.provider == "gcp":
                for member in set(binding.members):
                    found.setdefault(member, []).append(binding)
        return {member: tuple(of) for member, of in found.items()}

    @cached_property
    def sets_by_pool(self) -> dict[str, tuple[str, ...]]:
        """Members of bindings that are sets of a pool, by pool."""
        found: dict[str, list[str]] = {}
        for member in self.bound_to:
            if member.startswith("principalSet://"):
                pool = members.pooled(member)
                if pool is not None:
                    found.setdefault(pool.pool, []).append(member)
        return {pool: tuple(sorted(of)) for pool, of in found.items()}

    def role(self, name: str) -> Role:
        """Give a role, known or not."""
        if name not in self._roles:
            policy = self._definitions.get(name)
            digest = policy.versions.get(policy.default_version, "") if policy else ""
            if policy and not digest and policy.versions:
                digest = policy.versions[max(policy.versions)]
            raw = self.facts.snapshot.documents.get(digest)
            self._roles[name] = role(name, bytes(raw) if raw is not None else None)
        return self._roles[name]

    @cached_property
    def _definitions(self) -> dict[str, ManagedPolicy]:
        return {policy.id: policy for policy in self.facts.snapshot.managed_policies}

    @cached_property
    def spelled(self) -> dict[str, str]:
        """Permissions as Google spells them, by their lower case."""
        return {
            permission.lower(): permission
            for name in sorted({binding.role for binding in self.facts.snapshot.bindings})
            for permission in self.role(name).permissions or ()
        }

    def denies(self, scope: str) -> tuple[DenyRule, ...]:
        """Give the deny rules that are attached to a scope itself."""
        if scope not in self._denies:
            self._denies[scope] = tuple(
                rule
                for attachment in self._attached(scope, "deny")
                for rule in deny_rules(
                    self._document(attachment.document),
                    attachment.name or attachment.policy,
                    scope,
                    attachment.document,
                )
            )
        return self._denies[scope]

    @cached_property
    def scopes_with_denies(self) -> tuple[str, ...]:
        """Scopes to which a deny policy is attached."""
        return tuple(
            sorted({a.target for a in self.facts.snapshot.attachments if a.kind == "deny"})
        )

    def accesses(self, target: str) -> tuple[AccessRule, ...]:
        """Give the rules of the access policies that are bound to a thing itself."""
        if target not in self._accesses:
            self._accesses[target] = tuple(
                rule
                for attachment in self._attached(target, "access-policy")
                for rule in access_rules(
                    self._document(attachment.document),
                    attachment.name or attachment.policy,
                    target,
                    attachment.document,
                )
            )
        return self._accesses[target]

    @cached_property
    def with_accesses(self) -> tuple[str, ...]:
        """Things to which an access policy is bound."""
        return tuple(sorted(t for t, kind in self._attachments if kind == "access-policy"))

    def boundaries(self, target: str) -> tuple[Boundary, ...]:
        """Give the boundaries that are bound to a set of principals."""
        if target not in self._boundaries:
            self._boundaries[target] = tuple(
                boundary(
                    self._document(attachment.document),
                    attachment.name or attachment.policy,
                    target,
                    attachment.document,
                )
                for attachment in self._attached(target, "boundary")
            )
        return self._boundaries[target]

    def _attached(self, target: str, kind: str) -> tuple[Attachment, ...]:
        if (target, kind) not in self._attachments:
            return ()
        return self._attachments[target, kind]

    @cached_property
    def _attachments(self) -> dict[tuple[str, str], tuple[Attachment, ...]]:
        found: dict[tuple[str, str], list[Attachment]] = {}
        for attachment in self.facts.snapshot.attachments:
            target = attachment.target
            found.setdefault((self.scope(target), attachment.kind), []).append(attachment)
        return {key: tuple(of) for key, of in found.items()}

    def _document(self, digest: str) -> bytes | None:
        raw = self.facts.snapshot.documents.get(digest)
        return bytes(raw) if raw is not None else None

    # --- tags --------------------------------------------------------------------------------

    def tags(self, chain: tuple[str, ...]) -> Tags | None:
        """Give the effective tags of the first thing of a chain; None when they were not read.

        What a thing has no value of itself, it has from what it lies in.
        https://docs.cloud.google.com/resource-manager/docs/tags/tags-overview#inheritance
        """
        if any(self._tags_unread(name) for name in chain):
            return None
        names: dict[str, str] = {}
        ids: dict[str, str] = {}
        for name in reversed(chain):
            attributes = self._attributes(name)
            for tag in (*_texts(attributes, "effective_tags"), *_texts(attributes, "tags")):
                names[tag.rpartition("/")[0]] = tag
            for tag in (*_texts(attributes, "effective_tag_ids"), *_texts(attributes, "tag_ids")):
                ids[tag.partition("=")[0]] = tag
        return Tags(frozenset(names.values()), frozenset(ids.values()))

    def _attributes(self, name: str) -> dict[str, AttributeValue]:
        fact = self.facts.resources.get(name) or self.facts.scopes.get(name)
        return fact.attributes if fact else {}

    def _tags_unread(self, name: str) -> bool:
        return any(
            name == gap.subject or (not gap.subject and name == gap.scope)
            for gap in self._gaps("tags")
        )

    # --- gaps --------------------------------------------------------------------------------

    @cached_property
    def _gaps_by_kind(self) -> dict[str, tuple[Gap, ...]]:
        found: dict[str, list[Gap]] = {}
        for gap in self.facts.snapshot.gaps:
            if gap.provider == "gcp":
                found.setdefault(gap.kind, []).append(gap)
        return {kind: tuple(of) for kind, of in found.items()}

    def _gaps(self, kind: str) -> tuple[Gap, ...]:
        return self._gaps_by_kind.get(kind, ())

    @cached_property
    def _subjects(self) -> frozenset[str]:
        kinds = ("bindings", "tags", "deny")
        return frozenset(gap.subject for kind in kinds for gap in self._gaps(kind) if gap.subject)

    def gaps_about(self, name: str) -> bool:
        """Was something not read of just this thing?"""
        return name in self._subjects

    def unread(self, kind: str, chain: Iterable[str]) -> tuple[str, ...]:
        """Give the things of a chain of which policies of this kind were refused."""
        return self._unread(kind, chain, refused=True)

    def unasked(self, kind: str, chain: Iterable[str]) -> tuple[str, ...]:
        """Give the things of a chain of which policies of this kind were not asked for."""
        return self._unread(kind, chain, refused=False)

    def _unread(self, kind: str, chain: Iterable[str], *, refused: bool) -> tuple[str, ...]:
        gaps = [gap for gap in self._gaps(kind) if (gap.reason in _REFUSED) is refused]
        if not gaps:
            return ()
        about = {gap.subject or gap.scope for gap in gaps} | {gap.scope for gap in gaps}
        everywhere = any(not gap.subject and not gap.scope for gap in gaps)
        named = tuple(name for name in chain if name in about)
        return named or (("some scope",) if everywhere else ())

    @cached_property
    def coverage(self) -> dict[tuple[str, str], bool]:
        """Whether each collection of a kind in a scope came whole."""
        found: dict[tuple[str, str], bool] = {}
        for row in self.facts.snapshot.coverage:
            if row.provider == "gcp":
                key = (row.scope, row.kind)
                found[key] = found.get(key, True) and row.complete
        return found

    def collected(self, scope: str, kind: str) -> bool:
        """Were all resources of a kind below a scope listed?"""
        return any(self.coverage.get((above, kind), False) for above in self.path(scope))


def _id(fact: Resource | Runtime | Principal) -> str:
    return fact.id


def _several(value: AttributeValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _texts(attributes: dict[str, AttributeValue], name: str) -> tuple[str, ...]:
    found = attributes.get(name, ())
    return found if isinstance(found, tuple) else ()


_ACCOUNT = re.compile(r"//iam\.googleapis\.com/projects/[^/]+/serviceAccounts/([^/]+)")
_ACCOUNTS = ("service-account", "service-agent")
_SCOPES = frozenset({"organizations", "folders", "projects"})
