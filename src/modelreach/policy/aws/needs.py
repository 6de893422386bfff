"""What one need of an escalation rule comes to for one principal: the questions it asks.

Every question goes to the decision engine and is asked once. Before any, what the principal's
policies say of the action tells whether it can have a chance at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.aws import catalogue
from modelreach.policy.aws.addresses import (
    UNREAD_IMAGE,
    arn_of,
    is_object,
    is_pinned,
    source_of,
)
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.escalation import Need
from modelreach.policy.aws.evaluate import relevant
from modelreach.policy.aws.layers import Layers, Request, Unread
from modelreach.policy.aws.limiting import told_by_limits
from modelreach.policy.aws.principals import Caller
from modelreach.policy.aws.services import belongs_to_aws, needs_resource_policy
from modelreach.policy.aws.slices import Sliced, Slices, Told
from modelreach.policy.box import Box
from modelreach.policy.decision import Decision, Layer
from modelreach.policy.engine import Support
from modelreach.policy.escalation.mechanism import Met
from modelreach.policy.expr import FALSE, Atom, AtomKind, Expr, all_of, atoms, each_of
from modelreach.policy.extent import Extent
from modelreach.policy.glob import is_literal, literal_prefix, match
from modelreach.snapshot import Principal, Runtime


class Aim(msgspec.Struct, frozen=True):
    """What one use of a rule is aimed at.

    `name` is whom or what it leads to. `policy` and `version` are those to be put in force;
    `linked` is the thing that `runtime` is linked to, or by which outsiders enter (under a
    `profile`). `made` is what is made, within `policy`.
    """

    name: str = ""
    principal: Principal | None = None
    runtime: Runtime | None = None
    linked: str = ""
    policy: str = ""
    version: str = ""
    made: str = ""
    profile: str = ""

    @property
    def via(self) -> str:
        """The compute, entrance or policy that is used on the way."""
        return self.runtime.id if self.runtime else self.linked or self.profile or self.policy


Fixed = Mapping[str, tuple[str, ...]]


class Thing(msgspec.Struct, frozen=True):
    """On what a need is asked about: an ARN, the listed thing that it is ("" if none), its
    account ("" where that is not known), and what was not read of it."""

    arn: str
    listed: str
    account: str
    unread: str = ""


class Questions(msgspec.Struct, dict=True, eq=False):
    """What one principal may do. Those who share `slices` share answers, too: the statements that
    an answer of them stands on may then be another one's."""

    asker: Asker
    slices: Slices = msgspec.field(default_factory=Slices)
    _within_reach: dict[tuple[str, frozenset[str], bool], tuple[Runtime, ...]] = msgspec.field(
        default_factory=dict[tuple[str, frozenset[str], bool], "tuple[Runtime, ...]"]
    )

    _fed: dict[frozenset[str], tuple[Runtime, ...]] = msgspec.field(
        default_factory=dict[frozenset[str], "tuple[Runtime, ...]"]
    )

    _met_before: dict[object, Met | None] = msgspec.field(
        default_factory=dict[object, "Met | None"]
    )
    _named_outright: dict[frozenset[str], frozenset[str]] = msgspec.field(
        default_factory=dict[frozenset[str], frozenset[str]]
    )

    @cached_property
    def sliced(self) -> Sliced:
        """What the caller's policies say, by action."""
        return Sliced(self.asker, self.slices)

    # --- at a glance -----------------------------------------------------------------------

    def has(self, action: str) -> bool:
        """May it have the action anywhere?"""
        return bool(self._of(action))

    def has_on(self, action: str, arn: str) -> bool:
        """May it have the action on this thing, conditions aside?"""
        known, key = self.slices.has_on, (self.sliced.number(action), arn)
        found = known.get(key)
        if found is None:
            found = known[key] = any(b.resources.contains(arn) for b in self._of(action))
        return found

    def within_reach(
        self, kind: str, actions: frozenset[str], *, linking: bool = False
    ) -> tuple[Runtime, ...]:
        """Give the account's runtimes of a kind on which the caller may do all of these,
        conditions aside, or whose own policy may let it; only those with links if `linking`."""
        key = (kind, actions, linking)
        if key not in self._within_reach:
            estate, account = self.asker.estate, self.asker.principal.scope
            those = estate.linking_of if linking else estate.runtimes_of
            self._within_reach[key] = tuple(
                runtime for runtime in those(account, kind) if self.reaches(runtime, actions)
            )
        return self._within_reach[key]

    def reaches(self, runtime: Runtime, actions: frozenset[str]) -> bool:
        """May the caller do all of these on a runtime, conditions aside, or let its policy it?"""
        return (
            all(self.has_on(action, runtime.id) for action in actions)
            or runtime.id in self._naming
        )

    def _of(self, action: str) -> tuple[Box, ...]:
        return self.sliced.boxes(action)

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return self.asker.estate.keys_of(self.asker.principal)

    @cached_property
    def named_somewhere(self) -> bool:
        """May the policy of any resource let the caller in?"""
        return any(self.asker.estate.named.resources.get(key) for key in self._keys)

    @cached_property
    def _naming(self) -> frozenset[str]:
        """Runtimes whose own policy may let the caller in."""
        runtimes = self.asker.estate.named.runtimes
        return frozenset(name for key in self._keys for name in runtimes.get(key, ()))

    @cached_property
    def naming_kinds(self) -> frozenset[str]:
        """The kinds of the runtimes whose own policy may let the caller in."""
        runtimes = self.asker.estate.facts.runtimes
        return frozenset(runtimes[name].kind for name in self._naming)

    def assume(self, role: Principal) -> Decision:
        """May the caller assume the role?"""
        key = (self.asker.name, role.id)
        answers = self.slices.answers
        if key not in answers:
            answers[key] = self.asker.decide("sts:AssumeRole", role.id, role.id, role.scope)
        return answers[key]

    def naming(self, kind: str) -> tuple[Runtime, ...]:
        """Give the runtimes of a kind whose own policy may let the caller in."""
        estate = self.asker.estate
        found = (estate.facts.runtimes[name] for name in sorted(self._naming))
        return tuple(runtime for runtime in found if runtime.kind == kind)

    @cached_property
    def feeding(self) -> tuple[str, ...]:
        """The buckets and repositories from which something loads, and that are of the caller's
        account or may let it in."""
        return self.asker.estate.feeding(self.asker.principal)

    def fed_elsewhere(self, actions: frozenset[str]) -> tuple[Runtime, ...]:
        """Give the runtimes of other accounts that load from where the caller may do all of
        these, conditions aside, or is let in."""
        if actions not in self._fed:
            estate, account = self.asker.estate, self.asker.principal.scope
            sources = {*self.feeding, *self._outright(actions)}
            arns = (arn for name in sources for arn in estate.named.sources[name])
            loaded = (arn for arn in arns if self._writes(arn, actions))
            names = {name for arn in loaded for name in estate.named.loads[arn]}
            found = (estate.facts.runtimes[name] for name in sorted(names))
            self._fed[actions] = tuple(one for one in found if one.scope != account)
        return self._fed[actions]

    def _writes(self, arn: str, actions: frozenset[str]) -> bool:
        thing = self.within(arn)
        if unclear(self.asker) or thing.listed in self._letting_in:
            return True
        return all(self.has_on(action, thing.arn) for action in actions)

    def _outright(self, actions: frozenset[str]) -> frozenset[str]:
        """Give the buckets and repositories from which something loads and that the caller's
        policies name outright, for one of these actions."""
        if actions not in self._named_outright:
            sources = self.asker.estate.named.sources
            boxes = (box for action in actions for box in self._of(action)) if sources else ()
            globs = {glob for box in boxes for one in box.resources.regions for glob in one.inside}
            found = (source_of(literal_prefix(glob)) for glob in globs if _outright(glob))
            self._named_outright[actions] = frozenset(name for name in found if name in sources)
        return self._named_outright[actions]

    @cached_property
    def _letting_in(self) -> frozenset[str]:
        """Buckets and repositories that runtimes load from and that may let the caller in."""
        return frozenset[str]().union(*map(self.asker.estate.named.feeding, self._keys))

    def may_exist(self, kind: str) -> bool:
        """Has the account something of this kind: as far as such were collected?"""
        estate, account = self.asker.estate, self.asker.principal.scope
        listed = estate.listed(account, kind)
        return bool(listed or estate.runtimes_of(account, kind)) or not self.collected(kind)

    def collected(self, kind: str) -> bool:
        """Were all of this kind in the account asked for, and did all come?"""
        return self.asker.estate.all_listed(self.asker.principal.scope, kind)

    # --- a need ----------------------------------------------------------------------------

    def met(self, needs: Sequence[Need], aim: Aim) -> Met | None:
        """Give what the needs stand on and hang on; None when one of them is not met. Many
        runtimes load the same: what is needed of that only is asked once."""
        key = self._of_linked(needs, aim)
        if key is None:
            return self._met(needs, aim)
        if key not in self._met_before:
            self._met_before[key] = self._met(needs, aim)
        return self._met_before[key]

    def _of_linked(self, needs: Sequence[Need], aim: Aim) -> object:
        """Give all that needs hang on which are about nothing but what is linked to; None for
        others."""
        runtime = aim.runtime
        if runtime is None or aim.linked in ("", UNREAD_IMAGE) or not all(map(_on_linked, needs)):
            return None
        own = runtime.scope == self.asker.principal.scope
        partition = runtime.id.partition(":")[2].partition(":")[0]
        return aim.linked, own, partition, *(need.action for need in needs)

    def _met(self, needs: Iterable[Need], aim: Aim) -> Met | None:
        supports: list[Support] = []
        residuals: list[Expr] = []
        for need in needs:
            found = self.answer(need, aim)
            if found is None:
                return None
            supports.extend(found[0])
            residuals.append(found[1])
        return tuple(supports), each_of(residuals)

    def answer(self, need: Need, aim: Aim) -> Met | None:
        """Give the best answer to one need."""
        if need.types:
            parts = [self._best(need, aim, self._samples_of(need.action, t)) for t in need.types]
            if any(part is None for part in parts):
                return None
            found = [part for part in parts if part is not None]
            # One request on all of them: what cannot hold at once is not allowed.
            at_once = all_of(residual for _, residual in found)
            return None if at_once == FALSE else (found[0][0], at_once)
        return self._best(need, aim, self._things(need, aim))

    def _best(self, need: Need, aim: Aim, things: Iterable[Thing]) -> Met | None:
        best: Met | None = None
        for thing in things:
            decision = self._decide(need, aim, thing)
            if decision.verdict is Verdict.DENY:
                continue
            subject = self._subject(need, aim)
            support = Support(subject, need.action, thing.arn, decision.allowed_by)
            found: Met = ((support,), all_of((decision.residual, *_open(thing))))
            if decision.verdict is Verdict.ALLOW:
                return found
            best = best or found
        return best

    def _subject(self, need: Need, aim: Aim) -> str:
        if need.by == "target":
            return aim.name
        return need.by or self.asker.name

    def _decide(self, need: Need, aim: Aim, thing: Thing) -> Decision:
        extra = {**_tags(need, aim), **_context(need, aim)}
        if need.by and need.by != "target":
            # Whose account a service works for is part of the question.
            return self.as_service(need.by, need.action, thing, extra)
        told = None if need.by else self.sliced.told(need.action)
        asked = self._alike(need.action, thing, told) if told else thing
        known = {k: v for k, v in extra.items() if told is None or k.lower() in told.text}
        # What hangs on the policies only is the same for all that have these.
        of_policies = not need.by and told is not None and not isinstance(asked, Thing)
        subject = self.sliced.number(need.action) if of_policies else self._subject(need, aim)
        key = (subject, need.action, asked, tuple(sorted(known.items())))
        answers = self.slices.answers
        if key not in answers:
            answers[key] = self._decided(need, aim, thing, extra)
        return answers[key]

    def _decided(self, need: Need, aim: Aim, thing: Thing, extra: Fixed) -> Decision:
        asker = self.asker
        if need.by:
            asker = Asker.of(asker.estate, aim.name, asker.fixed)
        unread = (Unread(Layer.RESOURCE, thing.unread),) if thing.unread else ()
        return asker.decide(
            need.action, thing.arn, thing.listed, thing.account, extra, unread=unread
        )

    def _alike(self, action: str, thing: Thing, told: Told) -> object:
        """Give what an answer hangs on: anything in the place of which another would do, that the
        same patterns match and that has the same tags. Of what is odd, the thing itself.
        """
        estate = self.asker.estate
        facts = estate.facts
        name = action.lower()
        theirs = estate.resource_layers(thing.listed, thing.account)
        if thing.unread or told_by_limits(theirs, name) is not None:
            return thing
        tags: tuple[str | None, ...] = ()
        if thing.listed:
            listed = facts.principals.get(thing.listed) or facts.resources.get(thing.listed)
            if listed is None or thing.listed in estate.gaps_by_subject:
                return thing
            policies = (*theirs.resource, *theirs.acl)
            if (
                theirs.grants
                or theirs.inner
                or any(p.document.problems or relevant(p.document, name) for p in policies)
            ):
                return thing
            if told.tags:
                values = {key.lower(): value for key, value in listed.tags.items()}
                tags = tuple(map(values.get, told.tags))
        return (
            self._owner(thing, theirs, told),
            tuple(match(glob, thing.arn) for glob in told.globs),
            tags,
            belongs_to_aws(name, thing.arn),
            needs_resource_policy(name, thing.arn),
            theirs.resource_managed_by_aws,
        )

    def _owner(self, thing: Thing, theirs: Layers, told: Told) -> object:
        """Give what it matters who owns a thing: of the caller's own account, which limits hold
        for it, if the caller's policies do not ask for more."""
        if thing.account != self.asker.principal.scope or theirs.unread or told.asks_owner:
            return thing.account
        return limits(theirs)

    def as_service(self, service: str, action: str, thing: Thing, extra: Fixed) -> Decision:
        """May the service do it, on behalf of this account, under the thing's own policy?"""
        answers, account = self.asker.estate.to_services, self.asker.principal.scope
        fixed = (tuple(sorted(extra.items())), tuple(sorted(self.asker.fixed.items())))
        key = (service, action, thing, account, fixed)
        if key not in answers:
            answers[key] = self._as_service(service, action, thing, extra)
        return answers[key]

    def _as_service(self, service: str, action: str, thing: Thing, extra: Fixed) -> Decision:
        estate, account = self.asker.estate, self.asker.principal.scope
        context = estate.context(
            Caller.of(service),
            msgspec.structs.replace(self.asker.principal, tags={}),
            thing.listed,
            thing.account,
            {**estate.on_behalf(account), **self.asker.fixed, **extra},
        )
        layers = estate.resource_layers(thing.listed, thing.account)
        request = Request(Caller.of(service), action, thing.arn, thing.account, context)
        return decide(request, layers)

    def runs_as(self, service: str, role: Principal) -> Decision:
        """May the service run as the role, on behalf of something of this account?

        Where the trust asks which thing that is (aws:SourceArn), one of the account that it lets
        in will do: what is made there has the name that its maker gives it.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
        """
        thing = Thing(role.id, role.id, role.scope)
        decision = self.as_service(service, "sts:AssumeRole", thing, {})
        if decision.verdict is not Verdict.CONDITIONAL:
            return decision
        ours = ("arn", "*", _prefix(service), "*", self.asker.principal.scope, "*")
        asked = [a for a in atoms(decision.residual) if a.key.lower() == "aws:sourcearn"]
        for atom in asked:
            source = next((one for value in atom.values if (one := _meeting(value, ours))), "")
            known = {"aws:SourceArn": (source,)} if source else {}
            again = self.as_service(service, "sts:AssumeRole", thing, known)
            if again.verdict is Verdict.ALLOW:
                return again
        return decision

    # --- on what ---------------------------------------------------------------------------

    def _things(self, need: Need, aim: Aim) -> Iterator[Thing]:
        account = self.asker.principal.scope
        if need.arns:
            yield from (Thing(arn, "", account) for arn in self._written(need, aim))
            return
        match need.on:
            case "self":
                yield self._listed(self.asker.principal.id)
            case "own-group":
                yield from map(self._listed, self.asker.principal.groups)
            case "self-policy" | "target-policy":
                yield from self._policies(need, aim)
            case "target":
                yield self._listed(aim.name)
            case "compute" if aim.runtime is not None:
                yield self._listed(aim.runtime.id)
            case "linked" if is_pinned(aim.linked):
                return
            case "linked" if aim.linked == UNREAD_IMAGE:
                yield from self._unread_image(need, aim)
            case "linked":
                arn = arn_of(aim.linked, aim.runtime)
                if arn.startswith(f"arn:{_partition(arn)}:{_service_of(need.action)}:"):
                    yield from self._loaded(arn, need, aim)
                elif arn in self.asker.estate.facts.principals:
                    yield self._listed(arn)
            case "made":
                yield Thing(aim.made, "", account)
            case "new" | "any":
                yield from self._samples_of(need.action, "")
            case _:
                return

    def _unread_image(self, need: Need, aim: Aim) -> Iterator[Thing]:
        """Where an image comes from was not read: it may be any repository of the account."""
        runtime, account = aim.runtime, self.asker.principal.scope
        if runtime is None or runtime.scope != account or _service_of(need.action) != "ecr":
            return
        for thing in self._samples_of(need.action, "repository"):
            yield replace(thing, unread=f"image of {runtime.id}: it was not read which that is")

    def _loaded(self, arn: str, need: Need, aim: Aim) -> Iterator[Thing]:
        """Of what is not listed, and may be of another account, it was not read whom it lets in:
        nobody is told to write to it but where its policies name it outright."""
        thing = self.within(arn)
        if thing.listed or self._own(thing, aim):
            yield thing
        elif source_of(arn) in self._outright(frozenset({need.action})):
            account = "" if is_object(arn) else thing.account
            if not self.asker.estate.all_listed(account, "ecr:repository"):
                unread = f"resource-policy of {source_of(arn)}: no account lists it"
                yield replace(thing, account=account, unread=unread)

    def _own(self, thing: Thing, aim: Aim) -> bool:
        """Is something that is not listed one of the caller's account, as far as can be told?"""
        account = self.asker.principal.scope
        if not is_object(thing.arn):
            return thing.account == account
        elsewhere = aim.runtime is not None and aim.runtime.scope != account
        return not elsewhere and not self.collected("s3:bucket")

    def _listed(self, name: str) -> Thing:
        facts = self.asker.estate.facts
        fact = facts.principals.get(name) or facts.resources.get(name) or facts.runtimes.get(name)
        scope = fact.scope if fact else _account_of(name)
        return Thing(name, name if fact else "", scope or self.asker.principal.scope)

    def within(self, arn: str) -> Thing:
        """Give an address with the listed resource that it is, or is part of."""
        facts = self.asker.estate.facts
        # Of a repository the path is its name: one of `team` says nothing of `team/web`.
        inner = enumerate(arn) if is_object(arn) else ()
        ends = [len(arn), *(place for place, char in inner if char == "/")]
        listed = next((arn[:end] for end in ends if arn[:end] in facts.resources), "")
        # A bucket, or a prefix, stands for whatever is put there.
        bucket = ":s3:::" in arn and "/" not in arn
        name = f"{arn}/any" if bucket else f"{arn}any" if arn.endswith("/") else arn
        if not listed:
            return replace(self._listed(arn), arn=name)
        return Thing(name, listed, facts.resources[listed].scope)

    def _policies(self, need: Need, aim: Aim) -> Iterator[Thing]:
        """Customer-managed policies on the caller (and its groups) or on the target."""
        if aim.policy:
            yield self._listed(aim.policy)
            return
        mine = self.asker.principal
        holders = (mine.id, *mine.groups) if need.on == "self-policy" else (aim.name,)
        for holder in holders:
            for policy in editable(self.asker, holder):
                yield self._listed(policy)

    def _written(self, need: Need, aim: Aim) -> Iterator[str]:
        """Fill in the ARN templates of a need; leave out one of which something is not known."""
        fields = {**self._of_entrance(aim), **_fields_of(aim, self.asker.principal)}
        for template in need.arns:
            if all(name in fields for name in _named_in(template)):
                yield template.format(**fields)

    def _of_entrance(self, aim: Aim) -> dict[str, str]:
        entrance = None if aim.runtime else self.asker.estate.facts.resources.get(aim.linked)
        attributes = entrance.attributes if entrance is not None else {}
        return {name: value for name, value in attributes.items() if isinstance(value, str)}

    def made(self, actions: Iterable[str], kind: str) -> Iterator[str]:
        """Give ARNs of a type that nothing in the account has, on which all of these actions may
        be held."""
        principal = self.asker.principal
        glob = f"arn:{_partition(principal.id)}:iam::{principal.scope}:{kind}/*"
        common = [Extent.globs([glob])]
        for action in actions:
            boxes = self._of(action)
            common = [one & box.resources for one in common for box in boxes]
        samples = (region.sample() for one in common for region in one.regions)
        known = self.asker.estate.facts.principals
        yield from (s for s in samples if s is not None and s not in known and _plausible(s, glob))

    def _samples_of(self, action: str, kind: str) -> tuple[Thing, ...]:
        account = self.asker.principal.scope
        known, key = self.slices.samples, (self.sliced.number(action), action, kind, account)
        if key not in known:
            known[key] = tuple(dict.fromkeys(self._somewhere(action, kind)))
        return tuple(Thing(arn, "", account) for arn in known[key])

    def _somewhere(self, action: str, kind: str) -> Iterator[str]:
        """Give ARNs in the account on which the action may be held, one for each box."""
        found = catalogue.find(action)
        globs = [
            target.type.glob
            for target in (found.targets if found else ())
            if kind in ("", target.type.name) and ":aws:" not in target.type.glob
        ]
        account = self.asker.principal.scope
        for box in self._of(action):
            if not globs:
                yield "*"
            for glob in globs:
                common = box.resources & Extent.globs([_in_account(glob, account)])
                samples = (region.sample() for region in common.regions)
                yield from (s for s in samples if s is not None and _plausible(s, glob))


def _on_linked(need: Need) -> bool:
    return need.on == "linked" and not (need.by or need.arns or need.types or need.context)


def _outright(glob: str) -> bool:
    """Does a pattern name a bucket or repository in full, whatever it leaves open inside?"""
    return is_literal(glob) or (is_object(glob) and "/" in literal_prefix(glob))


def _open(thing: Thing) -> tuple[Expr, ...]:
    return (Atom(AtomKind.GAP, thing.unread, "", (Layer.RESOURCE.value,)),) if thing.unread else ()


def limits(theirs: Layers) -> object:
    """Give the resource control policies that hold for something, by level."""
    if theirs.rcps is None:
        return None
    return tuple(tuple(policy.digest for policy in level) for level in theirs.rcps)


def editable(asker: Asker, holder: str) -> Iterator[str]:
    """Give the customer-managed policies on a holder; AWS's own cannot be edited."""
    for attachment in asker.estate.facts.attachments.get(holder, ()):
        policy = attachment.policy
        if attachment.kind == "identity" and policy and ":iam::aws:" not in policy:
            yield policy


# --- filling in ------------------------------------------------------------------------------


def _tags(need: Need, aim: Aim) -> dict[str, tuple[str, ...]]:
    """The service's own tag keys, where the compute is what a need is about: whom it runs as and
    what it is linked to have tags of their own.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/security_iam_service-with-iam.html
    """
    if aim.runtime is None or need.on in ("target", "linked"):
        return {}
    service = need.action.partition(":")[0]
    return {f"{service}:ResourceTag/{key}": (tag,) for key, tag in aim.runtime.tags.items()}


def _context(need: Need, aim: Aim) -> dict[str, tuple[str, ...]]:
    if not need.context:
        return {}
    fields = _fields_of(aim, None)
    if aim.made:
        fields["boundary"] = aim.policy
    fixed: dict[str, tuple[str, ...]] = {}
    for key, template in need.context.items():
        if all(name in fields for name in _named_in(template)):
            value = template.format(**fields)
            fixed[key] = (value,) if value else ()
    return fixed


_FIELD = re.compile(r"\{(\w+)\}")


@lru_cache(4096)
def _named_in(template: str) -> tuple[str, ...]:
    """Give the names of the fields in a template. `string` would say the same, and takes longer
    to import than all that a run asks of it."""
    return tuple(_FIELD.findall(template))


def _fields_of(aim: Aim, principal: Principal | None) -> dict[str, str]:
    fields: dict[str, str] = {}
    if aim.principal is not None:
        fields["target_account"] = aim.principal.scope
    if principal is not None:
        fields.update(partition=principal.id.split(":")[1], account=principal.scope)
    if aim.runtime is not None:
        runtime = aim.runtime
        fields.update(
            {name: str(value) for name, value in runtime.attributes.items() if _plain(value)}
        )
        cluster = str(runtime.attributes.get("cluster", ""))
        if cluster:
            fields["cluster_name"] = cluster.rpartition("/")[2]
        fields.update(
            compute=runtime.id,
            source=_source(runtime),
            region=runtime.region,
            account=runtime.scope,
            name=runtime.name,
            partition=runtime.id.split(":")[1] if runtime.id.startswith("arn:") else "aws",
        )
    return fields


def _source(runtime: Runtime) -> str:
    """Give the ARN under which a runtime calls: a version of an agent calls as the agent."""
    head, slash, name = runtime.id.partition(":agent/")
    return f"{head}{slash}{name.partition(':')[0]}" if slash else runtime.id


#: Services whose things have ARNs under another name than the principal's first part.
_PREFIXES = {"ecs-tasks": "ecs", "tasks": "apprunner", "pods": "eks"}


def _prefix(service: str) -> str:
    first = service.partition(".")[0]
    return _PREFIXES.get(first, first)


def _meeting(pattern: str, fields: tuple[str, ...]) -> str:
    """Give an ARN that a pattern matches, and field by field these patterns too; "" if none."""
    given = pattern.split(":", 5)
    if len(given) != len(fields):
        return ""
    pairs = zip(given, fields, strict=True)
    found = [(Extent.globs([one]) & Extent.globs([other])).sample() for one, other in pairs]
    return "" if None in found else ":".join(part or "" for part in found)


def _partition(arn: str) -> str:
    return arn.split(":", 2)[1] if arn.startswith("arn:") else ""


def _service_of(action: str) -> str:
    return action.partition(":")[0]


def _plain(value: object) -> bool:
    return isinstance(value, str | int)


def _in_account(glob: str, account: str) -> str:
    parts = glob.split(":", 5)
    if len(parts) == 6 and parts[4] == "*":
        parts[4] = account
    return ":".join(parts)


def _plausible(arn: str, glob: str) -> bool:
    """Is it an ARN of this kind and no other? Text that happens to match both the pattern of one
    kind and that of another (`…:image/x:x:instance/x`) is neither."""
    return arn == "*" or arn.count(":") == glob.count(":")


def _account_of(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""
