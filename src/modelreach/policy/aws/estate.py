"""A snapshot of AWS, arranged for deciding: which policies apply to whom, and what is where.

Documents are compiled once each. Resources are kept sorted, so that what a pattern may match is a
range; resource policies are indexed by whom they name. Nothing here loops over principals and
resources together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from modelreach.policy.abroad import Abroad
from modelreach.policy.audiences import asked, bare
from modelreach.policy.aws.account import Account
from modelreach.policy.aws.became import SEVERAL, Became, How, became
from modelreach.policy.aws.context import Context, of_resource, request_context
from modelreach.policy.aws.context import Facts as Surroundings
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.escalation import rules_by_id
from modelreach.policy.aws.layers import AppliedPolicy, Inner, KeyGrant, Layers, Policies, Unread
from modelreach.policy.aws.matching import action_matches
from modelreach.policy.aws.named import Named, WrittenGrant
from modelreach.policy.aws.principals import Caller, CallerKind
from modelreach.policy.aws.statement import Effect, PolicyDocument
from modelreach.policy.decision import Decision, Layer
from modelreach.policy.expr import FALSE, Atom, AtomKind
from modelreach.snapshot import (
    Attachment,
    Credential,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
)

_LAYER = {
    "identity": Layer.IDENTITY,
    "boundary": Layer.BOUNDARY,
    "trust": Layer.TRUST,
    "resource": Layer.RESOURCE,
    "scp": Layer.SCP,
    "rcp": Layer.RCP,
    "endpoint": Layer.ENDPOINT,
    "session": Layer.SESSION,
    "acl": Layer.ACL,
    "access-policy": Layer.ACCESS_POLICY,
}

#: Ends the name of one that holds any policy within its limits: see `became`.
ANY_POLICY = f"#{How.ANY_POLICY}"
#: In the ARNs of policies that AWS manages, in every partition.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
_OF_AWS = ":iam::aws:policy/"
#: As many as an ARN has.
_COLONS = 5
_WITH_EVERYTHING = frozenset({How.ANY_POLICY, How.MADE, How.MADE_WITHIN})

_EVERYTHING = AppliedPolicy(
    compile_document(
        {"Statement": {"Sid": "AnyPolicy", "Effect": "Allow", "Action": "*", "Resource": "*"}}
    ),
    Layer.IDENTITY,
    "any policy that it could give itself",
)


def is_ours(issuer: str) -> bool:
    """Is an issuer (`bare`) one of AWS's own?

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
    """
    return ".tokens.sts." in issuer


class Estate:
    """The AWS facts of one snapshot. Indexes are made when first asked for."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._abroad = Abroad(facts, "aws")
        self._documents: dict[str, PolicyDocument] = {}
        self._limits: dict[str, tuple[Policies, ...] | None] = {}
        self._identity: dict[str, Policies] = {}
        self._resource: dict[str, Layers] = {}
        self._accounts: dict[str, Account] = {}
        self._coverage: dict[str, dict[str, tuple[bool, ...]]] = {}
        self._has_roles: dict[str, bool] = {}
        self._elsewhere: dict[str, tuple[str, ...]] = {}
        self._feeding: dict[str, frozenset[str]] = {}
        self._asking: tuple[Caller, Principal, Context] | None = None
        self._organisations: dict[str, tuple[str | None, tuple[str, ...] | None]] = {}
        #: Answers to what services may do, which are the same whoever makes use of them.
        self.to_services: dict[object, Decision] = {}

    def let_go(self) -> None:
        """Let go of what is known of single accounts and their principals."""
        self._accounts.clear()
        self._identity.clear()
        self._asking = None

    # --- principals ------------------------------------------------------------------------

    def principal(self, name: str) -> Principal | None:
        """Give the fact behind an ARN (of a session: its role), or None. Whose id is no ARN is of
        no partition and account, and nobody that policies speak of."""
        change = became(name)
        found = self.facts.principals.get(change.base if change else name)
        if found is None and ":assumed-role/" in name:
            found = self._role_of_session(name)
        if found is None or found.provider != "aws" or found.id.count(":") < _COLONS:
            return None
        return found if change is None else self._changed(found, change)

    def _changed(self, principal: Principal, change: Became) -> Principal | None:
        """Give the principal after a change; None when the change is of something unknown."""
        if change.joined:
            member = self._in_group(principal, change.joined)
            alone = msgspec.structs.replace(change, joined="")
            return self._changed(member, alone) if member else None
        match change.how:
            case How.MEMBER:
                return self._in_group(principal, change.what)
            case How.VERSION:
                known = any(
                    change.version in self.facts.managed_policies[a.policy].versions
                    for a in self._holding(principal, change.what)
                )
                return principal if known else None
            case How.MADE_WITHIN:
                return principal if self.policy_named(principal.scope, change.what) else None
            case How.LIMITED:
                rule = rules_by_id().get(change.what)
                return principal if rule is not None and rule.limits is not None else None
            case How.SESSION:
                digests = change.what.split(SEVERAL)
                read = all(self._read_document(one, principal.scope) for one in digests)
                return principal if read else None
            case _:
                return principal

    def _in_group(self, principal: Principal, name: str) -> Principal | None:
        group = self._account(principal.scope).groups.get(name)
        if group is None:
            return None
        groups = tuple(dict.fromkeys((*principal.groups, group)))
        return msgspec.structs.replace(principal, groups=groups)

    def _holding(self, principal: Principal, policy: str) -> Iterator[Attachment]:
        """Give where a managed policy of this name is attached to a principal or its groups."""
        for holder in (principal.id, *principal.groups):
            for attachment in self.facts.attachments.get(holder, ()):
                named = attachment.policy.rsplit("/", 1)[-1] == policy
                versioned = attachment.policy in self.facts.managed_policies
                if attachment.kind == "identity" and named and versioned:
                    yield attachment

    def _role_of_session(self, name: str) -> Principal | None:
        account, role = name.split(":")[4], name.split("/")[1]
        return self._account(account).roles.get(role)

    def _account(self, account: str) -> Account:
        if account not in self._accounts:
            self._accounts[account] = Account(self.facts, account)
        return self._accounts[account]

    def principals_of(self, account: str, kind: str) -> tuple[Principal, ...]:
        """Give an account's principals of a kind."""
        return self._account(account).principals.get(kind, ())

    def has_roles(self, account: str) -> bool:
        """Has an account any role that is listed?"""
        if account not in self._has_roles:
            self._has_roles[account] = bool(self.principals_of(account, "role"))
        return self._has_roles[account]

    def versioned(self, account: str) -> bool:
        """Has an account a policy of which there are other versions than the one in force?"""
        return self._account(account).versioned

    def credentials_of(self, account: str, kind: str) -> tuple[Credential, ...]:
        """Give an account's credentials of a kind."""
        return self._account(account).credentials.get(kind, ())

    def runtimes_of(self, account: str, kind: str) -> tuple[Runtime, ...]:
        """Give an account's runtimes of a kind."""
        return self._account(account).runtimes.get(kind, ())

    def linking_of(self, account: str, kind: str) -> tuple[Runtime, ...]:
        """Give those of an account's runtimes of a kind that have links."""
        return self._account(account).linking.get(kind, ())

    @cached_property
    def asked_elsewhere(self) -> Mapping[str, frozenset[str]]:
        """The audiences that trusts of other clouds ask for, by issuer."""
        return asked(self.facts, besides="aws")

    @cached_property
    def unclaimed_issuers(self) -> tuple[str, ...]:
        """The issuers of AWS that trusts elsewhere name, and no account is known to be."""
        scopes = self.facts.scopes.values()
        known = {bare(scope.attributes.get("token_issuer", "")) for scope in scopes}
        return tuple(sorted(filter(is_ours, self.asked_elsewhere.keys() - known)))

    @cached_property
    def named(self) -> Named:
        """Who is named where, over all accounts."""
        return Named.of(self.facts)

    def caller(self, principal: Principal) -> Caller:
        """Give a principal as the decision engine takes it. A group acts as one of its members."""
        name = principal.id.replace(":group/", ":user/", 1)
        scope = self.facts.scopes.get(principal.scope)
        management = bool(scope and scope.attributes.get("management"))
        return Caller.of(name, unique_id=principal.unique_id, management_account=management)

    def feeding(self, principal: Principal) -> tuple[str, ...]:
        """Give the buckets and repositories from which something loads, and that are of a
        principal's account or may let it in."""
        keys = self.keys_of(principal)
        own = self._account_feeding(principal.scope)
        return tuple(sorted(own.union(*map(self.named.feeding, keys))))

    def _account_feeding(self, account: str) -> frozenset[str]:
        if account not in self._feeding:
            buckets = self.resources_of(account, "s3") if self.named.sources else ()
            own = [*buckets, *self.named.repositories.get(account, ())]
            self._feeding[account] = frozenset(name for name in own if name in self.named.sources)
        return self._feeding[account]

    def known_elsewhere(self, account: str) -> tuple[str, ...]:
        """Give an account's principals that a policy of another account names, or another cloud
        lets in."""
        if account not in self._elsewhere:
            names = {n for n in self.named.known_elsewhere(account) if n in self.facts.principals}
            self._elsewhere[account] = tuple(sorted({*names, *self._let_in_abroad(account)}))
        return self._elsewhere[account]

    def _let_in_abroad(self, account: str) -> Iterator[str]:
        if self._abroad.is_empty:
            return
        for kind in ("role", "user"):
            for principal in self.principals_of(account, kind):
                if self._abroad.leads(principal.id):
                    yield principal.id

    # --- policies --------------------------------------------------------------------------

    def applied(self, attachment: Attachment) -> AppliedPolicy:
        """Give an attached policy, compiled."""
        digest = attachment.document
        if digest not in self._documents:
            raw = self.facts.snapshot.documents.get(digest)
            self._documents[digest] = compile_document(bytes(raw) if raw is not None else b"")
        name = attachment.name or attachment.policy
        layer = _LAYER.get(attachment.kind, Layer.RESOURCE)
        managed_by = "AWS" if _OF_AWS in attachment.policy else ""
        document = self._documents[digest]
        return AppliedPolicy(document, layer, name, attachment.target, digest, managed_by)

    def attached(self, target: str, kind: str) -> Policies:
        """Give the policies of one kind on a target."""
        found = self.facts.attachments.get(target, ())
        return tuple(self.applied(a) for a in found if a.kind == kind)

    def identity_policies(self, name: str) -> Policies:
        """Give a principal's own policies and those of its groups."""
        if name not in self._identity:
            self._identity[name] = self._identity_of(name)
        return self._identity[name]

    def _identity_of(self, name: str) -> Policies:
        change, principal = became(name), self.principal(name)
        if principal is None:
            return ()
        if change is not None and change.how in _WITH_EVERYTHING:
            return (_EVERYTHING,)
        return tuple(
            self.applied(self._in_force(attachment, change))
            for holder in (principal.id, *principal.groups)
            for attachment in self.facts.attachments.get(holder, ())
            if attachment.kind == "identity"
        )

    def _in_force(self, attachment: Attachment, change: Became | None) -> Attachment:
        """Give an attachment with the version of its policy that a change would put in force."""
        if change is None or change.how is not How.VERSION:
            return attachment
        policy = self.facts.managed_policies.get(attachment.policy)
        if policy is None or attachment.policy.rsplit("/", 1)[-1] != change.what:
            return attachment
        document = policy.versions.get(change.version, attachment.document)
        return msgspec.structs.replace(attachment, document=document)

    def _read_document(self, digest: str, account: str) -> bool:
        """Is there a document of this digest? A name may tell of one that no fact has been read
        of yet: most likely it lies in this account."""
        documents = self.facts.snapshot.documents
        for scope in dict.fromkeys((account, *self.facts.parts)):
            if digest in documents:
                return True
            self.facts.section(scope, "attachments")
        return digest in documents

    def _session(self, change: Became | None) -> Policies | None:
        """Give the policies that limit a session, or what a credential can be used for."""
        if change is None or change.how not in (How.LIMITED, How.SESSION):
            return None
        if change.how is How.SESSION:
            return tuple(self._session_policy(change, one) for one in change.what.split(SEVERAL))
        return (_limits_of(change.what),)

    def _session_policy(self, change: Became, digest: str) -> AppliedPolicy:
        self._read_document(digest, change.base.split(":", 5)[4])
        return self.applied(
            Attachment(target=change.base, kind="session", document=digest, name="session policy")
        )

    def principal_layers(self, name: str) -> Layers:
        """Give the layers on the principal's side."""
        principal = self.principal(name)
        if principal is None:
            return Layers()
        change = became(name)
        return Layers(
            identity=self.identity_policies(name if change else principal.id),
            boundaries=self._boundary(principal, change),
            session=self._session(change),
            scps=self._limit_levels(principal.scope, "scp"),
            unread=self._unread_of_principal(principal),
        )

    def _boundary(self, principal: Principal, change: Became | None) -> Policies | None:
        """Give the boundary of a principal, or of what it makes."""
        if change is not None and change.how is How.MADE_WITHIN:
            policy = self.policy_named(principal.scope, change.what)
            return (self.applied(_as_boundary(principal, policy)),) if policy else ()
        lifted = change is not None and change.how in (How.NO_BOUNDARY, How.MADE)
        if lifted or not self.bounded(principal):
            return None
        return self.attached(principal.id, "boundary")

    def policy_named(self, account: str, name: str) -> ManagedPolicy | None:
        """Give an account's own managed policy of that name, if its document was read."""
        for policy in self.policies_of(account):
            if policy.id.rsplit("/", 1)[-1] == name:
                return policy
        return None

    def policies_of(self, account: str) -> tuple[ManagedPolicy, ...]:
        """Give an account's own managed policies of which the document was read."""
        found: tuple[ManagedPolicy, ...] = self.facts.section(account, "managed_policies")
        return tuple(p for p in found if p.versions.get(p.default_version))

    def bounded(self, principal: Principal) -> bool:
        """Has a principal a permissions boundary, whether or not it was read?"""
        return bool(principal.attributes.get("boundary")) or any(
            one.kind == "boundary" for one in self.facts.attachments.get(principal.id, ())
        )

    def _limit_levels(self, account: str, kind: str) -> tuple[Policies, ...] | None:
        """The organisation's policies on the way from the root down to the account."""
        key = f"{kind} {account}"
        if key not in self._limits:
            levels = [self.attached(scope, kind) for scope in self.path_of(account)]
            found = tuple(level for level in levels if level)
            self._limits[key] = found or None
        return self._limits[key]

    def path_of(self, account: str) -> tuple[str, ...]:
        """Give the scopes from the organisation's root down to the account."""
        path: list[str] = []
        current = account
        while current and current not in path:
            path.append(current)
            scope = self.facts.scopes.get(current)
            current = scope.parent if scope else ""
        return tuple(reversed(path))

    # --- resources -------------------------------------------------------------------------

    def resource_layers(self, name: str, account: str) -> Layers:
        """Give the layers on the resource's side. `name` is the id of a listed resource or role,
        or "" when none is concerned."""
        key = f"{name} {account}"
        if key not in self._resource:
            self._resource[key] = self._layers_of_resource(name, account)
        return self._resource[key]

    def _layers_of_resource(self, name: str, account: str) -> Layers:
        scope = self.facts.scopes.get(account)
        resource = self.facts.resources.get(name)
        attributes = resource.attributes if resource else {}
        trusts = self.attached(name, "trust")
        return Layers(
            resource=trusts or self.attached(name, "resource"),
            rcps=self._limit_levels(account, "rcp"),
            grants=self._grants_on(name),
            acl=self.attached(name, "acl"),
            unread=self._unread_of_resource(name),
            inner=self._inner(resource) if resource is not None else (),
            public_restricted=bool(attributes.get("restrict_public_buckets"))
            or bool(scope and scope.attributes.get("restrict_public_buckets")),
            acls_ignored=bool(attributes.get("ignore_public_acls"))
            or attributes.get("ownership") == "BucketOwnerEnforced",
            resource_managed_by_aws=attributes.get("manager") == "AWS",
            resource_in_management_account=bool(scope and scope.attributes.get("management")),
        )

    def _inner(self, resource: Resource) -> tuple[Inner, ...]:
        """Give what a store asks itself of those who want what it holds. Which roles a domain with
        fine-grained access control gives to whom is written in the domain, and not to be read.

        https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
        """
        if resource.kind == "aoss:collection":
            return (
                Inner(Layer.ACCESS_POLICY, self.attached(resource.id, "access-policy")),
                self._network_of(resource.id),
            )
        if resource.kind == "rds:cluster" and resource.attributes.get("data_api") is False:
            on = Atom(AtomKind.CONTEXT, f"the Data API of {resource.id}", "is", ("enabled",))
            return (Inner(Layer.SERVICE, when=on),)
        if resource.kind != "es:domain":
            return ()
        found: list[Inner] = []
        gaps = self.gaps_by_subject.get(resource.id, ())
        if any(gap.kind == "resource-policy" for gap in gaps):
            unread = f"whether {resource.id} has users of its own"
            found.append(Inner(Layer.ACCESS_POLICY, when=Atom(AtomKind.GAP, unread)))
        if resource.attributes.get("fine_grained"):
            mapped = f"to whom the roles within {resource.id} are mapped"
            found.append(Inner(Layer.ACCESS_POLICY, when=Atom(AtomKind.GAP, mapped)))
        if network := resource.attributes.get("vpc"):
            there = Atom(AtomKind.CONTEXT, "the network", "is", (str(network),))
            found.append(Inner(Layer.ENDPOINT, when=there))
        return tuple(found)

    def _network_of(self, collection: str) -> Inner:
        """Give from where a collection is reached; nobody knows where no policy speaks of it."""
        policies = self.attached(collection, "endpoint")
        unknown = Atom(AtomKind.GAP, f"from where {collection} is reached")
        return Inner(Layer.ENDPOINT, policies, FALSE if policies else unknown)

    def _grants_on(self, key: str) -> tuple[KeyGrant, ...]:
        return tuple(
            grant
            for attachment in self.facts.attachments.get(key, ())
            if attachment.kind == "grant" and (grant := self._key_grant(attachment)) is not None
        )

    def _key_grant(self, attachment: Attachment) -> KeyGrant | None:
        raw = self.facts.snapshot.documents.get(attachment.document)
        if raw is None:
            return None
        text = bytes(raw).decode("utf-8", "replace")
        try:
            grant = msgspec.json.decode(bytes(raw), type=WrittenGrant)
        except msgspec.MsgspecError:
            return None
        return KeyGrant(
            grantee=grant.GranteePrincipal,
            operations=grant.Operations,
            name=attachment.name or grant.GrantId,
            key=attachment.target,
            context_equals=tuple(sorted(grant.Constraints.EncryptionContextEquals.items())),
            context_subset=tuple(sorted(grant.Constraints.EncryptionContextSubset.items())),
            digest=attachment.document,
            text=text,
        )

    def services_of(self, account: str) -> tuple[str, ...]:
        """Give the services of which an account's resources are listed."""
        return tuple(sorted(self._account(account).by_service))

    def resources_of(self, account: str, service: str) -> tuple[str, ...]:
        """Give the ids of an account's resources of a service, sorted."""
        return self._account(account).by_service.get(service, ())

    def listed(self, account: str, kind: str) -> tuple[str, ...]:
        """Give the ids of an account's resources of a kind (that patterns speak of), sorted."""
        return self._account(account).by_kind.get(kind, ())

    def covered(self, account: str) -> frozenset[str]:
        """Give the kinds that were collected in an account, whole or not."""
        return frozenset(self._coverage_in(account))

    def coverage_of(self, account: str, kind: str) -> tuple[bool, ...]:
        """Give whether each collection of a kind in an account (one a region) came whole."""
        return self._coverage_in(account).get(kind, ())

    def all_listed(self, account: str, kind: str) -> bool:
        """Were all of a kind in an account asked for, and did all come?"""
        rows = self.coverage_of(account, kind)
        return bool(rows) and all(rows)

    def _coverage_in(self, account: str) -> dict[str, tuple[bool, ...]]:
        # Asked about from everywhere, and little: it is not let go of.
        if account not in self._coverage:
            self._coverage[account] = self._account(account).coverage
        return self._coverage[account]

    def candidates(self, account: str, service: str, prefix: str) -> Iterator[str]:
        """Give the listed resources that a pattern with this literal prefix may touch: those that
        start with it, and those that it starts with (an object pattern touches its bucket)."""
        ids = self.resources_of(account, service)
        place = bisect_left(ids, prefix)
        while place < len(ids) and ids[place].startswith(prefix):
            yield ids[place]
            place += 1
        known = self.facts.resources
        for end, char in enumerate(prefix):
            if char in "/:" and (name := prefix[:end]) in known and name != prefix:
                yield name

    def keys_of(self, principal: Principal) -> tuple[str, ...]:
        """Give the names under which a principal may stand in somebody's policy."""
        partition = principal.id.split(":")[1]
        root = f"arn:{partition}:iam::{principal.scope}:root"
        names = {principal.id, principal.unique_id, root, "*"}
        if principal.kind == "role":
            names.add(
                f"arn:{partition}:iam::{principal.scope}:role/{principal.id.rsplit('/', 1)[-1]}"
            )
        return tuple(sorted(name for name in names if name))

    # --- context and gaps ------------------------------------------------------------------

    def context(
        self,
        caller: Caller,
        principal: Principal,
        resource: str,
        account: str,
        fixed: Mapping[str, tuple[str, ...]],
    ) -> Context:
        """Give what is fixed of the context of a request by this principal on this resource."""
        fact = self.facts.resources.get(resource)
        target = self.facts.principals.get(resource)
        tags: dict[str, str] | None = None
        if fact is not None and not self._tags_unread(fact):
            tags = fact.tags
        elif target is not None:
            tags = target.tags
        org, paths = self.organization(account)
        return of_resource(self._of_principal(caller, principal), org, paths, account, tags, fixed)

    def _of_principal(self, caller: Caller, principal: Principal) -> Context:
        """Give what the principal's side fixes; questions come in runs by one principal."""
        last = self._asking
        if last is None or last[0] is not caller or last[1] is not principal:
            org, paths = self.organization(principal.scope)
            service = caller.kind is CallerKind.SERVICE
            chosen = not service and self._tags_sessions(principal)
            surroundings = Surroundings(
                principal_org=org,
                principal_paths=paths,
                principal_tags=None if chosen else principal.tags,
                others={} if service else {**_FOR_NOTHING, "kms:CallerAccount": principal.scope},
            )
            last = self._asking = (caller, principal, request_context(caller, surroundings))
        return last[2]

    def _tags_sessions(self, principal: Principal) -> bool:
        """Does a role's trust let who assumes it tag the session? Such tags come to those of the
        role, and stand in for them: which ones is not for the role to say.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
        """
        return principal.kind == "role" and any(
            _tagging(policy.document) for policy in self.attached(principal.id, "trust")
        )

    def entering(
        self, caller: Caller, role: Principal, fixed: Mapping[str, tuple[str, ...]]
    ) -> Context:
        """Give what is fixed of a request by which somebody from outside enters as a role: of what
        is said of itself, nothing."""
        account = role.scope
        org, paths = self.organization(account)
        known = {"aws:SourceAccount": (account,), **fixed}
        return of_resource(request_context(caller), org, paths, account, role.tags, known)

    def on_behalf(self, account: str) -> dict[str, tuple[str, ...]]:
        """Give what the request of a service tells of the account for which it works. The service
        itself is a member of no organization.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceorgid
        """
        org, paths = self.organization(account)
        known: dict[str, tuple[str, ...]] = {"aws:SourceAccount": (account,)}
        known |= {"aws:PrincipalOrgID": (), "aws:PrincipalOrgPaths": ()}
        if org is not None:
            known["aws:SourceOrgID"] = (org,) if org else ()
        if paths is not None:
            known["aws:SourceOrgPaths"] = paths
        return known

    def organization(self, account: str) -> tuple[str | None, tuple[str, ...] | None]:
        """Give an account's organization ("" for none) and the paths there; None: not known."""
        if account not in self._organisations:
            self._organisations[account] = self._organisation_of(account)
        return self._organisations[account]

    def _organisation_of(self, account: str) -> tuple[str | None, tuple[str, ...] | None]:
        scope = self.facts.scopes.get(account)
        organisation = scope.attributes.get("organization") if scope else None
        if not isinstance(organisation, str):
            return None, None
        if not organisation:
            return "", ()
        path = [part for part in self.path_of(account) if part != organisation]
        inner = [part for part in path if part != account]
        return organisation, ("/".join([organisation, *inner]) + "/",) if inner else None

    def _tags_unread(self, resource: Resource) -> bool:
        gaps = (*self.gaps_by_subject.get(resource.id, ()), *self.missed_together(resource))
        return any(gap.kind == "tags" for gap in gaps)

    def missed_together(self, resource: Resource) -> tuple[Gap, ...]:
        """Give the gaps that a resource shares with others of its region: the tags of some kinds
        are read together, and so are the policies about log groups."""
        if resource.kind not in _TAGGED_TOGETHER:
            return ()
        place = f"{resource.region}:{resource.scope}"
        start = resource.id.split(":", 2)[1]
        found = self.gaps_by_subject.get(f"arn:{start}:tag:{place}:*", ())
        if resource.kind != "logs:log-group":
            return found
        policies = self.gaps_by_subject.get(f"arn:{start}:logs:{place}:log-group:*", ())
        return (*found, *policies)

    @cached_property
    def gaps_by_subject(self) -> dict[str, tuple[Gap, ...]]:
        """Gaps about one thing, by that thing."""
        groups: dict[str, list[Gap]] = {}
        for gap in self.facts.snapshot.gaps:
            if gap.subject:
                groups.setdefault(gap.subject, []).append(gap)
        return {name: tuple(found) for name, found in groups.items()}

    def _unread_of_principal(self, principal: Principal) -> tuple[Unread, ...]:
        found = [
            Unread(_UNREAD[gap.kind], f"{gap.kind} of {principal.id}: {gap.reason}")
            for holder in (principal.id, *principal.groups)
            for gap in self.gaps_by_subject.get(holder, ())
            if gap.kind in ("identity-policy", "boundary")
        ]
        found += [
            Unread(Layer.SCP, f"service control policies of {principal.scope}: {gap.reason}")
            for gap in self.facts.snapshot.gaps
            if gap.kind in ("scp", "organization") and gap.scope in ("", principal.scope)
        ][:1]
        return tuple(found)

    def _unread_of_resource(self, name: str) -> tuple[Unread, ...]:
        resource = self.facts.resources.get(name)
        gaps = self.gaps_by_subject.get(name, ())
        if resource is not None and resource.kind in _TAGGED_TOGETHER:
            gaps = (*gaps, *self.missed_together(resource))
        if not gaps:
            return ()
        layer = Layer.TRUST if name in self.facts.principals else Layer.RESOURCE
        layers = {"resource-policy": layer, "trust": layer, **_UNREAD_STORE}
        return tuple(
            Unread(layers[gap.kind], f"{gap.kind} of {gap.subject}: {gap.reason}")
            for gap in gaps
            if gap.kind in layers
        )


def _limits_of(rule: str) -> AppliedPolicy:
    """Give the limits of what an escalation rule yields, as a session policy."""
    limits = rules_by_id()[rule].limits
    statements = (
        [
            {"Effect": effect, "Action": list(actions), "Resource": "*"}
            for effect, actions in (("Allow", limits.actions), ("Deny", limits.but))
            if actions
        ]
        if limits
        else []
    )
    document = compile_document({"Statement": statements})
    return AppliedPolicy(document, Layer.SESSION, f"what {rule} opens")


def _as_boundary(principal: Principal, policy: ManagedPolicy) -> Attachment:
    return Attachment(
        target=principal.id,
        kind="boundary",
        document=policy.versions[policy.default_version],
        name=policy.name,
        policy=policy.id,
    )


def _tagging(document: PolicyDocument) -> bool:
    """Does a trust policy let some session be tagged?"""
    return any(
        statement.effect is Effect.ALLOW and action_matches(statement.actions, "sts:tagsession")
        for statement in document.statements
    )


#: What only the request of a service tells: the thing, and its account, for which it calls.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcearn
_FOR_NOTHING: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"), ()
)
_TAGGED_TOGETHER = frozenset(
    {"kinesis:stream", "kendra:index", "logs:log-group", "redshift-serverless:workgroup"}
)
_UNREAD_STORE = {"access-policy": Layer.ACCESS_POLICY, "network-policy": Layer.ENDPOINT}
_UNREAD = {"identity-policy": Layer.IDENTITY, "boundary": Layer.BOUNDARY}
