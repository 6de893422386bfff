"""One principal asking: every decision about it is made here.

The order is Google's: boundaries, deny policies, then what allows.
https://docs.cloud.google.com/iam/docs/policy-types#evaluation
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, Layer, Outcome, StatementRef
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
    atoms,
    negate,
    satisfiable,
)
from modelreach.policy.gcp import enforcement, kinds
from modelreach.policy.gcp.became import Became, How
from modelreach.policy.gcp.cel import Surroundings, condition
from modelreach.policy.gcp.estate import Estate
from modelreach.policy.gcp.limits import AccessRule, Boundary, DenyRule
from modelreach.policy.gcp.members import Who
from modelreach.snapshot import AttributeValue, Binding, Principal

Fixed = Mapping[str, tuple[str, ...]]


class Held(msgspec.Struct, frozen=True):
    """A binding as it applies to the principal: `who` is what must hold for one of its members to
    mean it, `member` that member."""

    binding: Binding
    who: Expr
    member: str

    @property
    def ref(self) -> StatementRef:
        """The reference that names the binding."""
        binding = self.binding
        said: dict[str, object] = {"role": binding.role, "members": [self.member]}
        if binding.condition:
            said["condition"] = binding.condition
        return StatementRef(
            Layer.BINDING,
            binding.role,
            binding.target,
            "",
            0,
            str(binding.attributes.get("condition_title", "")) or binding.name,
            "Allow",
            msgspec.json.encode(said).decode(),
        )


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement that takes part, when it applies, and its condition as written."""

    when: Expr
    ref: StatementRef
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked about: a scope, a resource, or what lies in one.

    `chain` is the thing and all that it lies in. `exact`: it is the thing itself, not a part of it
    that is not known (`below`: anything at all below it).
    """

    chain: tuple[str, ...]
    exact: bool = True
    below: bool = False


@dataclass(frozen=True)
class Asker:
    """One principal of an estate, with what the deployment fixes of its requests."""

    estate: Estate
    principal: Principal
    who: Who
    fixed: Fixed = field(default_factory=dict[str, tuple[str, ...]], hash=False)
    lifted: Became | None = None

    @staticmethod
    def of(
        estate: Estate, principal: Principal, fixed: Fixed, lifted: Became | None = None
    ) -> Asker:
        """Make one for a principal of the estate, after a change if there is one."""
        return Asker(estate, principal, estate.who(principal), fixed, lifted)

    def told(self, context: Fixed) -> Asker:
        """Give the same principal with more that is fixed of its requests."""
        if not context:
            return self
        fixed = {**self.fixed, **context}
        return Asker(self.estate, self.principal, self.who, fixed, self.lifted)

    @property
    def name(self) -> str:
        """The principal's id, or the name of what it has become."""
        return self.lifted.name if self.lifted else self.principal.id

    def lifts(self, how: How, place: str) -> bool:
        """Has a change been made at a place, or above it?"""
        lifted = self.lifted
        return (
            lifted is not None and lifted.how is how and lifted.place in self.estate.chain(place)
        )

    # --- bindings ----------------------------------------------------------------------------

    @cached_property
    def held(self) -> dict[str, tuple[Held, ...]]:
        """Bindings that may apply to it, by target, without those of groups that were not read."""
        found: dict[str, dict[str, Held]] = {}
        for member, who in self._members():
            for binding in self.estate.bound_to.get(member, ()):
                here = found.setdefault(binding.target, {})
                known = here.get(binding.id)
                if known is None or who == TRUE:
                    here[binding.id] = Held(binding, who, member)
                elif known.who != TRUE:
                    here[binding.id] = replace(known, who=any_of((known.who, who)))
        return {
            target: tuple(held for _, held in sorted(of.items())) for target, of in found.items()
        }

    def _members(self) -> Iterator[tuple[str, Expr]]:
        yield from ((member, TRUE) for member in sorted(self.who.sure))
        yield from sorted(self.who.doubtful.items())
        for member in self.estate.sets_by_pool.get(self.who.pool, ()) if self.who.pool else ():
            when = self.who.means(member)
            if member not in self.who.sure and when != FALSE:
                yield member, when

    def _by_unread_groups(self, target: str) -> Iterator[Held]:
        """Bindings of groups that it may be in, as far as is known."""
        for binding in self.estate.facts.bindings.get(target, ()):
            for member in binding.members:
                if member.startswith("group:") and member not in self.who.sure:
                    when = self.who.means(member)
                    if when != FALSE:
                        yield Held(binding, when, member)

    # --- what is known of a request ----------------------------------------------------------

    def surroundings(self, place: Place, permission: str, *, texts: Iterable[str]) -> Surroundings:
        """Give what is known of a request, as far as the conditions ask for it."""
        asked = tuple(texts)
        if not any("resource" in text for text in asked):
            return Surroundings(time=self._time, fixed=self._attributes)
        names, prefix, kind = self._name(place, permission)
        tagged = any("Tag" in text for text in asked)
        chain = place.chain
        chosen = tagged and self.lifts(How.ANY_TAG, chain[0])
        return Surroundings(
            names,
            prefix,
            kind,
            kind.partition("/")[0] if kind else None,
            self.estate.tags(chain) if tagged and not place.below else None,
            chosen,
            f"tags of {chain[0]}" if not place.below else f"tags of what is below {chain[0]}",
            self._time,
            self._attributes,
        )

    @cached_property
    def _time(self) -> str:
        fixed = self.fixed.get("request.time", ())
        return fixed[0] if fixed else self.estate.facts.snapshot.taken_at

    @cached_property
    def _attributes(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (key, values[0])
            for key, values in sorted(self.fixed.items())
            if values and key != "request.time"
        )

    def _name(
        self, place: Place, permission: str
    ) -> tuple[tuple[str, ...] | None, str, str | None]:
        """Give `resource.name`, its beginning and `resource.type` for what is asked about.

        Google tells them to conditions for some types only; for others they stay open.
        https://docs.cloud.google.com/iam/docs/conditions-resource-attributes
        """
        noun, first = kinds.noun_of(permission), place.chain[0]
        if self.estate.is_scope(first):
            return self._name_of_scope(place, permission)
        listed = self.estate.listed(first) or first
        fact = self.estate.facts.resources.get(listed)
        kind = kinds.kind_of(fact.kind) if fact else None
        relative = _relative(first)
        own = kind is not None and noun == kind.noun
        if kind is not None and place.exact and kinds.on_parent(permission, kind):
            scope = self.estate.scope_of(first)
            return self._name_of_scope(Place(self.estate.path(scope) or (scope,)), permission)
        kind_name = kinds.condition_type(noun)
        if kind_name is None:
            return None, "", None
        if own or first != listed:
            return (relative,), "", kind_name
        if kind is not None and noun in kind.parts:
            return None, relative + kinds.within(noun), kind_name
        return ((relative,), "", kind_name) if fact is None else (None, "", kind_name)

    def _name_of_scope(
        self, place: Place, permission: str
    ) -> tuple[tuple[str, ...] | None, str, str | None]:
        if place.below:
            kind = kinds.condition_type(kinds.noun_of(permission))
            return None, _COMMON.get(kinds.noun_of(permission), ""), kind
        scope = place.chain[0]
        if not scope.startswith("projects/"):
            return (scope,), "", None
        number = self.estate.numbers.get(scope.removeprefix("projects/"))
        names = (scope, f"projects/{number}") if number else (scope,)
        return names, "", "cloudresourcemanager.googleapis.com/Project"

    def met(self, texts: tuple[str, ...], place: Place, permission: str) -> Expr:
        """Give what must hold for conditions to be met in a place."""
        asked = tuple(text for text in texts if text)
        if not asked:
            return TRUE
        known = self.surroundings(place, permission, texts=asked)
        return all_of(condition(text, known) for text in asked)

    # --- layers ------------------------------------------------------------------------------

    def gives(self, held: Held, permission: str) -> Expr:
        """Give what must hold for the role of a binding to have a permission."""
        role = self.estate.role(held.binding.role)
        if role.known:
            return TRUE if role.has(permission) else FALSE
        return Atom(AtomKind.GAP, f"what role {role.id} gives")

    def allows(self, permission: str, place: Place) -> Iterator[Clause]:
        """Give everything that may allow."""
        for name in place.chain:
            maybe = self._by_unread_groups(name) if self.who.groups_unread != frozenset() else ()
            for held in (*self.held.get(name, ()), *maybe):
                given = self.gives(held, permission)
                if given != FALSE:
                    met = self.met((held.binding.condition,), place, permission)
                    when = all_of((held.who, given, met))
                    if when != FALSE:
                        yield Clause(when, held.ref, held.binding.condition)
            for rule in self.estate.accesses(name):
                if not rule.denies and rule.names(permission):
                    when = self._said(rule, rule.conditions, place, permission)
                    if when != FALSE:
                        yield Clause(when, rule.ref)

    def denied(self, permission: str, place: Place) -> Iterator[Clause]:
        """Give everything that may deny."""
        for name in place.chain:
            if self.lifts(How.NO_DENY, name):
                continue
            for rule in self.estate.denies(name):
                if rule.names(permission):
                    when = self._said(rule, (rule.condition,), place, permission)
                    if rule.by_group(permission):
                        when = all_of((when, _SUPPORTED))
                    if when != FALSE:
                        yield Clause(when, rule.ref)
            for access in self.estate.accesses(name):
                if access.denies and access.names(permission):
                    when = self._said(access, access.conditions, place, permission)
                    if when != FALSE:
                        yield Clause(when, access.ref)

    def is_meant(self, rule: DenyRule) -> bool:
        """May a deny rule mean the principal, whatever it denies?"""
        spared = any_of(self.who.means(member) for member in rule.excepted)
        meant = any_of(self.who.means(member) for member in rule.principals)
        return all_of((meant, negate(spared))) != FALSE

    def _said(
        self,
        rule: DenyRule | AccessRule,
        conditions: tuple[str, ...],
        place: Place,
        permission: str,
    ) -> Expr:
        """Give what must hold for a rule to speak of the principal, in this place."""
        meant = any_of(self.who.means(member) for member in rule.principals)
        spared = any_of(self.who.means(member) for member in rule.excepted)
        named = all_of((meant, negate(spared)))
        if named == FALSE:
            return FALSE
        doubt: Expr = TRUE
        if rule.problem:
            denies = isinstance(rule, DenyRule) or rule.denies
            name = f"{rule.ref.policy} {'denies' if denies else 'allows'}"
            doubt = Atom(AtomKind.OPAQUE, rule.problem, name)
        return all_of((named, self.met(conditions, place, permission), doubt))

    # --- boundaries --------------------------------------------------------------------------

    @cached_property
    def boundaries(self) -> tuple[tuple[Boundary, Expr], ...]:
        """The boundaries that it is within, each with what that hangs on."""
        found: list[tuple[Boundary, Expr]] = []
        for target in self._principal_sets:
            for bound in self.estate.boundaries(target):
                owner = self.estate.scope(bound.name.partition("/locations/")[0])
                if self.lifts(How.NO_BOUNDARY, owner):
                    continue
                when = self._bound(bound)
                if when != FALSE:
                    found.append((bound, when))
        return tuple(found)

    @cached_property
    def _principal_sets(self) -> tuple[str, ...]:
        """https://docs.cloud.google.com/iam/docs/principal-access-boundary-policies#principal-sets"""
        sets = list(self.estate.path(self.principal.scope))
        if self.principal.attributes.get("foreign") or self.principal.kind in ("user", "group"):
            sets = [name for name in sets if name.startswith("organizations/")]
        if self.who.pool:
            sets.append(self.who.pool)
        customer = next(
            (
                scope.attributes.get("customer")
                for scope in self.estate.facts.snapshot.scopes
                if scope.kind == "organization"
            ),
            None,
        )
        if customer and self.principal.kind == "user":
            sets.append(f"//iam.googleapis.com/locations/global/workspace/{customer}")
        return tuple(sets)

    def _bound(self, bound: Boundary) -> Expr:
        attributes = (
            ("principal.subject", self.principal.id.partition(":")[2]),
            ("principal.type", _PRINCIPAL_TYPES.get(self.principal.kind, "")),
        )
        known = tuple((key, value) for key, value in attributes if value)
        return condition(bound.condition, Surroundings(time=self._time, fixed=known))

    def eligible(self, permission: str, place: Place) -> tuple[Expr, tuple[StatementRef, ...]]:
        """Give what must hold for boundaries to let a permission pass, and the boundaries.

        Resources of all boundaries are put together; each blocks what its version can.
        """
        refs = tuple(bound.ref for bound, _ in self.boundaries)
        unread = self.estate.unread("boundary", self._principal_sets)
        gaps = [
            Atom(AtomKind.GAP, f"whether a boundary of {name} lets it pass") for name in unread
        ]
        if not self.boundaries:
            return all_of(gaps), refs
        inside = any_of(
            all_of((when, self._inside(bound, place))) for bound, when in self.boundaries
        )
        free = all_of(
            negate(all_of((when, self._blocks(bound, permission))))
            for bound, when in self.boundaries
        )
        return all_of((any_of((inside, free)), *gaps)), refs

    def _blocks(self, bound: Boundary, permission: str) -> Expr:
        blocked = enforcement.blocks(permission, bound.version)
        if blocked is None:
            what = f"whether enforcement version {bound.version} blocks {permission}"
            return Atom(AtomKind.GAP, what, bound.name)
        return TRUE if blocked else FALSE

    def _inside(self, bound: Boundary, place: Place) -> Expr:
        if bound.resources is None:
            return Atom(AtomKind.GAP, f"what boundary {bound.name} lets pass")
        resources = {self.estate.scope(name) for name in bound.resources}
        if resources & set(place.chain):
            return TRUE
        if not self.estate.scope_of(place.chain[0]):
            return Atom(AtomKind.GAP, f"which project {place.chain[0]} is in")
        if not place.below:
            return FALSE
        inner = sorted(r for r in resources if place.chain[0] in self.estate.path(r)[1:])
        return any_of(Atom(AtomKind.CONTEXT, f"it lies in {name}") for name in inner)

    # --- the answer --------------------------------------------------------------------------

    def decide(self, permission: str, place: Place) -> Decision:
        """May the principal do that there?"""
        if self.principal.attributes.get("disabled"):
            return _blocked(Layer.SERVICE, ())
        denies = tuple(self.denied(permission, place))
        denied = any_of(clause.when for clause in denies)
        if denied == TRUE:
            sure = [clause.ref for clause in denies if clause.when == TRUE]
            return Decision(
                Verdict.DENY,
                Outcome.EXPLICIT_DENY,
                FALSE,
                denied_by=tuple(sorted(sure)),
                blocked_by=(Layer.DENY,),
            )
        allows = tuple(self.allows(permission, place))
        granted = any_of((*(clause.when for clause in allows), *self._unread_bindings(place)))
        if granted == FALSE:
            granted = any_of(self._elsewhere(permission, place))
        if granted == FALSE:
            granted = self._lists(permission, place)
        eligible, bounds = self.eligible(permission, place)
        residual = all_of((granted, eligible, negate(denied), *self._unread_denies(place)))
        return self._decision(residual, granted, eligible, allows, denies, bounds, place)

    def _unread_bindings(self, place: Place) -> list[Expr]:
        return [
            Atom(AtomKind.GAP, f"the allow policy of {name}")
            for name in self.estate.unread("bindings", place.chain)
        ]

    def _unread_denies(self, place: Place) -> list[Expr]:
        return [
            Atom(AtomKind.GAP, f"whether a deny policy of {name} takes it away")
            for name in self.estate.unread("deny", place.chain)
        ]

    def _elsewhere(self, permission: str, place: Place) -> Iterator[Expr]:
        """What is not listed may be in a project on which the principal holds the permission."""
        if self.estate.scope_of(place.chain[0]):
            return
        for target, bindings in sorted(self.held.items()):
            if self.estate.is_scope(target):
                for held in bindings:
                    given = self.gives(held, permission)
                    if given != FALSE:
                        there = Atom(AtomKind.GAP, f"which project {place.chain[0]} is in")
                        yield all_of((held.who, given, there))
                        return

    def _lists(self, permission: str, place: Place) -> Expr:
        """What is not granted may stand in the access list of an object, which nobody collects.

        https://docs.cloud.google.com/storage/docs/uniform-bucket-level-access
        """
        bucket = self.estate.facts.resources.get(self.estate.listed(place.chain[0]))
        if permission in _LISTED and bucket and bucket.attributes.get("uniform_access") is False:
            return Atom(AtomKind.GAP, f"what the access lists of objects in {bucket.id} give")
        return FALSE

    def _decision(
        self,
        residual: Expr,
        granted: Expr,
        eligible: Expr,
        allows: tuple[Clause, ...],
        denies: tuple[Clause, ...],
        bounds: tuple[StatementRef, ...],
        place: Place,
    ) -> Decision:
        if residual == FALSE or not satisfiable(residual):
            if granted == FALSE:
                return _blocked(Layer.BINDING, ())
            if eligible == FALSE:
                return replace(_blocked(Layer.BOUNDARY, bounds), outcome=Outcome.EXPLICIT_DENY)
            return replace(
                _blocked(Layer.DENY, tuple(clause.ref for clause in denies)),
                outcome=Outcome.EXPLICIT_DENY,
            )
        sure = [clause.ref for clause in allows if clause.when == TRUE]
        because = tuple(sorted(sure or {clause.ref for clause in allows}))
        notes = self._notes(allows, place)
        if residual == TRUE:
            return Decision(Verdict.ALLOW, Outcome.ALLOW, TRUE, because, assumes=notes)
        unknown = is_unknown(residual)
        return Decision(
            Verdict.UNKNOWN if unknown else Verdict.CONDITIONAL,
            Outcome.UNKNOWN if unknown else Outcome.CONDITIONAL,
            residual,
            because,
            tuple(sorted(clause.ref for clause in denies)),
            assumes=notes,
            not_understood=not_understood(residual),
        )

    def _notes(self, allows: Iterable[Clause], place: Place) -> tuple[str, ...]:
        notes = [
            f"deny policies of {name} were not read; they are taken not to restrict"
            for name in self.estate.unasked("deny", place.chain)
        ]
        notes += [
            f"boundaries of {name} were not read; they are taken not to restrict"
            for name in self.estate.unasked("boundary", self._principal_sets)
        ]
        notes += [
            f"for a time only: {clause.condition}"
            for clause in allows
            if clause.when == TRUE and "request.time" in clause.condition
        ]
        notes += self._perimeters(place)
        return tuple(sorted(notes))

    def _perimeters(self, place: Place) -> Iterator[str]:
        """Perimeters may block at run time: who may call from where is not modelled.

        https://docs.cloud.google.com/vpc-service-controls/docs/overview
        """
        scope = self.estate.facts.scopes.get(self.estate.scope_of(place.chain[0]))
        within = scope.attributes if scope else {}
        names = _texts(within.get("perimeters"))
        services = _texts(within.get("restricted_services"))
        service = place.chain[0].removeprefix("//").partition("/")[0]
        service = service if place.chain[0].startswith("//") else ""
        if names and (not service or service in services):
            yield f"perimeter {', '.join(names)} may block it, by where the call comes from"


def _texts(value: AttributeValue | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


#: What an access list of an object may give.
#: https://docs.cloud.google.com/storage/docs/access-control/lists#permissions
#: What a group of permissions in a deny policy (`service/*.*`) leaves open: Google keeps the list
#: of those that can be denied, and this program does not.
_SUPPORTED = Atom(
    AtomKind.OPAQUE, "whether deny policies support what a group of permissions names"
)
_LISTED = frozenset(
    {
        "storage.objects.get",
        "storage.objects.getIamPolicy",
        "storage.objects.setIamPolicy",
        "storage.objects.update",
    }
)
_PRINCIPAL_TYPES = {
    "service-account": "iam.googleapis.com/ServiceAccount",
    "service-agent": "iam.googleapis.com/ServiceAccount",
    "user": "iam.googleapis.com/WorkspaceIdentity",
}
#: With what the names of all such things begin.
_COMMON = {
    "storage.buckets": "projects/_/buckets/",
    "storage.objects": "projects/_/buckets/",
    "storage.managedFolders": "projects/_/buckets/",
}


def _relative(name: str) -> str:
    """Give a full resource name without its service."""
    return name.removeprefix("//").partition("/")[2] if name.startswith("//") else name


def _blocked(layer: Layer, refs: tuple[StatementRef, ...]) -> Decision:
    return Decision(
        Verdict.DENY,
        Outcome.IMPLICIT_DENY,
        FALSE,
        denied_by=tuple(sorted(set(refs))),
        blocked_by=(layer,),
    )


def verdict_of(residual: Expr) -> Verdict:
    """Give the verdict that goes with what an access hangs on."""
    if residual == TRUE:
        return Verdict.ALLOW
    if residual == FALSE or not satisfiable(residual):
        return Verdict.DENY
    return Verdict.UNKNOWN if is_unknown(residual) else Verdict.CONDITIONAL


def is_unknown(residual: Expr) -> bool:
    """Can it not hold by anything that a request brings with it, gaps left out?"""
    return not satisfiable(_pessimistic(residual))


def _pessimistic(expr: Expr) -> Expr:
    """Take everything that was not read or not understood to give no access."""
    match expr:
        case Atom(kind) | Not(Atom(kind)):
            return expr if kind is AtomKind.CONTEXT else FALSE
        case AllOf(parts):
            return all_of(map(_pessimistic, parts))
        case AnyOf(parts):
            return any_of(map(_pessimistic, parts))
        case _:
            return expr


def not_understood(residual: Expr) -> tuple[str, ...]:
    """Give the statements that were not understood."""
    return tuple(
        sorted(
            {
                f"{atom.key}: {', '.join(atom.values)}" if atom.values else atom.key
                for atom in atoms(residual)
                if atom.kind is AtomKind.OPAQUE
            }
        )
    )
