"""Resources put together on shelves: those that differ in nothing but their name.

What is decided about one of a shelf holds for all of it, as far as the same patterns match them:
so a principal's questions are asked once a class, not once a resource. Which patterns match which
resources of a shelf is kept as bits. The decision engine stays the only one that decides; this
says which questions must have the same answer.

A resource that could be told apart otherwise (something of it was not read, a grant lies on it,
its policy treats parts of it differently) is `odd`: it stands on no shelf, and is asked about
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from modelreach.policy.aws import kinds
from modelreach.policy.aws.bays import Bay, may_touch, stands_in
from modelreach.policy.aws.encryption import needed_key
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.outline import outlines, speech
from modelreach.policy.aws.own_policy import ITSELF, Written, read, relations
from modelreach.policy.aws.shelf import Forms, Shelf
from modelreach.policy.aws.statement import Statement
from modelreach.policy.glob import is_literal, match
from modelreach.snapshot import Attachment, Resource

#: Of how many accounts the shelves are kept: principals come account by account.
_MOST = 64


class Stock(msgspec.Struct):
    """What one account has, and what is let in for it alone, by service, as far as anybody was
    asked about who may touch it."""

    own: dict[str, Bay] = msgspec.field(default_factory=dict[str, Bay])
    let_in: dict[str, Bay] = msgspec.field(default_factory=dict[str, Bay])


#: Gives patterns for a service.
Patterns = Callable[[str], Sequence[str]]


class Shelving:
    """Puts the resources of an estate on shelves, an account at a time."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._accounts: dict[str, Stock] = {}
        self._for_everyone: dict[str, Bay] = {}
        self._written: dict[tuple[str, str], _Numbered | None] = {}
        self._statements: dict[tuple[Statement, ...], int] = {}
        self._homes: dict[str, tuple[object, ...]] = {}
        self._home_numbers: dict[str, int] = {}
        self._signs: dict[tuple[object, ...], int] = {}
        self._forms: dict[object, Forms] = {}
        self._everyone: frozenset[str] | None = None

    def own(self, account: str, allowed: Patterns, named: Iterable[str]) -> Iterator[Bay]:
        """Give the shelves of an account's own resources: at least of each service of which
        something is touched by the patterns that `allowed` gives for it, or is `named`."""
        own, estate = self._stock(account).own, self._estate
        named = tuple(named)
        for service in estate.services_of(account):
            if service not in own:
                ids = estate.resources_of(account, service)
                touched = any(may_touch(glob, ids) for glob in allowed(service))
                if not touched and not any(stands_in(name, ids) for name in named):
                    continue
                own[service] = self._bay(ids, service, account)
            yield own[service]

    def _stock(self, account: str) -> Stock:
        found = self._accounts.pop(account, None)
        if found is None:
            found = Stock()
            if len(self._accounts) >= _MOST:
                del self._accounts[next(iter(self._accounts))]
        # The last one used stands last.
        self._accounts[account] = found
        return found

    def let_in(self, account: str, partition: str, allowed: Patterns) -> Iterator[Bay]:
        """Give the shelves of what policies let everyone have, whoever owns it, and of what else
        they let the account have: of each service of which something is touched by the patterns
        that `allowed` gives for it."""
        named = self._estate.named
        for service, ids in named.resources_by_service("*").items():
            if any(may_touch(glob, ids) for glob in allowed(service)):
                if service not in self._for_everyone:
                    self._for_everyone[service] = self._bay(ids, service, "", foreign=True)
                yield self._for_everyone[service]
        own = self._stock(account).let_in
        root = f"arn:{partition}:iam::{account}:root"
        for service, ids in named.resources_by_service(root).items():
            if any(may_touch(glob, ids) for glob in allowed(service)):
                if service not in own:
                    everyone = self._let_in_for_everyone
                    rest = [name for name in ids if name not in everyone]
                    own[service] = self._bay(rest, service, account, foreign=True)
                yield own[service]

    @property
    def _let_in_for_everyone(self) -> frozenset[str]:
        if self._everyone is None:
            self._everyone = frozenset(self._estate.named.resources.get("*", ()))
        return self._everyone

    def named_alone(self, keys: Iterable[str], account: str) -> frozenset[str]:
        """Give the resources that a principal's own names open, and neither `*` nor the
        account's; and keys with grants, which open them without a policy of one's own."""
        shared = self._estate.named.resources
        found: set[str] = set()
        for key in keys:
            if key != "*" and not key.endswith(":root"):
                found.update(shared.get(key, ()))
        if found:
            granted = set(filter(self._granted, found))
            found.difference_update(shared.get("*", ()))
            for key in keys:
                if key.endswith(f"::{account}:root"):
                    found.difference_update(shared.get(key, ()))
            found |= granted
        return frozenset(found)

    def _granted(self, name: str) -> bool:
        attached = self._estate.facts.attachments.get(name, ()) if ":kms:" in name else ()
        return any(one.kind == "grant" for one in attached)

    def _bay(
        self, names: Iterable[str], service: str, asking: str, *, foreign: bool = False
    ) -> Bay:
        """`asking` is the account that asks, "" for any."""
        if foreign:
            groups, odd = self._told_apart(names, asking)
        else:
            groups, odd = self._of_before(tuple(names), service, asking)
        shelves = tuple(self._shelf(service, s, ids, asking) for s, ids in groups.items())
        keyed = any(sign[_KEY] for sign in groups)
        return Bay(service, shelves, tuple(odd), foreign, keyed)

    def _told_apart(self, names: Iterable[str], asking: str) -> _Apart:
        groups: _Groups = {}
        odd: list[str] = []
        for name in names:
            sign = self._sign(self._estate.facts.resources[name], asking)
            if sign is None:
                odd.append(name)
            else:
                groups.setdefault(sign, []).append(name)
        return groups, odd

    def _of_before(self, names: tuple[str, ...], service: str, account: str) -> _Apart:
        """Tell an account's own resources apart, as an earlier run in the same estate did."""
        facts = self._estate.facts
        stamp = facts.stamp
        if stamp is None or len(names) < _WORTH_KEEPING:
            return self._told_apart(names, account)
        place = f"shelves {stamp.version} {service}", account
        kept = _read(facts.recalled(*place))
        if kept is not None and kept.estate == stamp.estate and kept.is_of(len(names)):
            signed = [
                (self._sign(facts.resources[names[of[0]]], account), of) for of in kept.groups
            ]
            if all(sign is not None for sign, _ in signed):
                groups = {sign: [names[at] for at in of] for sign, of in signed if sign}
                return groups, [names[at] for at in kept.odd]
        groups, odd = self._told_apart(names, account)
        places = {name: at for at, name in enumerate(names)}
        held = [[places[name] for name in of] for of in groups.values()]
        made = _Arranged(stamp.estate, held, [places[name] for name in odd])
        facts.memorise(*place, msgspec.msgpack.encode(made))
        return groups, odd

    def _shelf(self, service: str, sign: tuple[object, ...], ids: list[str], asking: str) -> Shelf:
        first = self._estate.facts.resources[ids[0]]
        theirs = self._estate.resource_layers(first.id, first.scope)
        levels = tuple(
            tuple(line for policy in level for line in speech(policy.document, service).lines)
            for level in theirs.rcps or ()
        )
        limits = [line.outline for level in levels for line in level]
        policies = (*theirs.resource, *theirs.acl)
        own = tuple(line for policy in policies for line in outlines(policy.document))
        steady = not any(one.of_resource for one in (*limits, *own))
        return Shelf(
            service=service,
            sign=self._signs.setdefault(sign, len(self._signs)),
            ids=tuple(sorted(ids)),
            forms=self._forms_of(first, sign[:2]),
            own_policy=bool(sign[_OWN]),
            asking=asking,
            limits=levels,
            own=own,
            key=str(sign[_KEY]),
            steady=steady and not any(one.globs or one.open for one in limits),
            silent=not sign[_OWN] and not any(one.keys for one in limits),
        )

    def _forms_of(self, resource: Resource, types: tuple[object, ...]) -> Forms:
        """Resources of a kind and the same types have the same forms."""
        found = self._forms.get(types)
        if found is None:
            probes = kinds.probes(resource.id, resource.kind)
            separators = tuple(probe.region[-2] for probe in probes if not probe.exact)
            actions = tuple(probe.actions for probe in probes)
            if not (probes and probes[0].exact):
                actions = ((), *actions)
            found = self._forms[types] = Forms(len(self._forms), separators, actions)
        return found

    def sign_of(self, resource: Resource) -> int | None:
        """Give a number for all that tells a resource apart for its own account, beside its name
        and tags; None of an odd one."""
        found = self._sign(resource, resource.scope)
        return None if found is None else self._signs.setdefault(found, len(self._signs))

    def _sign(self, resource: Resource, asking: str) -> tuple[object, ...] | None:
        """Give all that tells resources apart, beside their names and tags; None of an odd one."""
        name, estate = resource.id, self._estate
        if not is_literal(name) or ITSELF in name or name in estate.gaps_by_subject:
            return None
        if resource.kind in _ASKING_THEMSELVES or estate.missed_together(resource):
            return None
        policies: list[tuple[object, ...]] = []
        for attachment in estate.facts.attachments.get(name, ()):
            written = self._own(attachment, resource, asking)
            if written is None:
                return None
            policies.append(written)
        return (
            resource.kind,
            kinds.types_of(name, resource.kind),
            # The partition.
            name[4 : name.find(":", 4)],
            ":key/" in name,
            _of_aws(name),
            tuple(policies),
            self._home_number(resource.scope),
            *(self._marks(resource) if resource.attributes else _UNMARKED),
        )

    def _marks(self, resource: Resource) -> tuple[object, ...]:
        attributes = resource.attributes
        key = needed_key(resource, self._estate.facts)
        return (
            bool(attributes.get("restrict_public_buckets")),
            bool(attributes.get("ignore_public_acls")),
            attributes.get("ownership") == "BucketOwnerEnforced",
            attributes.get("manager") == "AWS",
            resource.region if key else "",
            key.id if key else "",
        )

    def _home_number(self, account: str) -> int:
        found = self._home_numbers.get(account)
        if found is None:
            found = self._signs.setdefault(self.home(account), len(self._signs))
            self._home_numbers[account] = found
        return found

    def home(self, account: str) -> tuple[object, ...]:
        """Give all that the owner's place in the organisation means for a decision."""
        if account not in self._homes:
            estate = self._estate
            scope = estate.facts.scopes.get(account)
            path = estate.path_of(account)
            self._homes[account] = (
                path[:-1],
                tuple(
                    one
                    for one in path
                    if any(a.kind == "rcp" for a in estate.facts.attachments.get(one, ()))
                ),
                scope is None,
                scope and scope.attributes.get("organization"),
                bool(scope and scope.attributes.get("management")),
                bool(scope and scope.attributes.get("restrict_public_buckets")),
            )
        return self._homes[account]

    def _own(
        self, attachment: Attachment, resource: Resource, asking: str
    ) -> tuple[object, ...] | None:
        """Give what a resource's own policy says to an account, its own name aside; None where
        that is odd."""
        if attachment.kind not in ("resource", "acl"):
            return None
        raw = self._estate.facts.snapshot.documents.get(attachment.document)
        text = (bytes(raw) if raw is not None else b"").decode("utf-8", "replace")
        if ITSELF in text:
            return None
        key = (text.replace(resource.id, ITSELF), asking)
        if key not in self._written:
            self._written[key] = self._numbered(read(*key))
        written = self._written[key]
        if written is None:
            return None
        name = resource.id
        others = tuple((match(glob, name), *relations(glob, name)) for glob in written.others)
        return attachment.kind, written.number, others

    def _numbered(self, written: Written | None) -> _Numbered | None:
        if written is None:
            return None
        number = self._statements.setdefault(written.statements, len(self._statements))
        return _Numbered(number, written.others)


_Groups = dict[tuple[object, ...], list[str]]
#: Resources by what tells them apart, and odd ones.
_Apart = tuple[_Groups, list[str]]
#: Of fewer resources of a service it takes as long to look up how they were told apart.
_WORTH_KEEPING = 100


class _Arranged(msgspec.Struct, array_like=True):
    """How the resources of a service were told apart in an estate, by their places in the list."""

    estate: bytes
    groups: list[list[int]]
    odd: list[int]

    def is_of(self, count: int) -> bool:
        """Does each of so many resources have its place?"""
        places = [at for of in (*self.groups, self.odd) for at in of]
        return len(places) == count and set(places) == set(range(count)) and all(self.groups)


def _read(raw: bytes | None) -> _Arranged | None:
    if raw is None:
        return None
    try:
        return msgspec.msgpack.decode(raw, type=_Arranged)
    except (msgspec.MsgspecError, RecursionError):
        return None


class _Numbered(msgspec.Struct, frozen=True):
    """What a policy says: a number for its statements, the same for those that are equal, and
    the patterns in it that do not hold the resource's name."""

    number: int
    others: tuple[str, ...]


#: Stores that ask more than their resource policy says: see `Estate.resource_layers`.
_ASKING_THEMSELVES = frozenset({"aoss:collection", "es:domain", "rds:cluster"})
#: What the names of some have of what AWS owns in an account: see `services.belongs_to_aws`.
_OF_AWS = (":alias/aws/", ":role/aws-reserved/", ":role/aws-service-role/", ":iam::aws:policy/")


def _of_aws(name: str) -> tuple[bool, ...]:
    # Few names have anything like it.
    if "/aws" not in name and "::aws:" not in name:
        return _NOT_OF_AWS
    return tuple([part in name for part in _OF_AWS])


_NOT_OF_AWS = (False,) * len(_OF_AWS)
#: What there is to be said of a resource without attributes.
_UNMARKED = (False, False, False, False, "", "")
#: The places of the own policies and of the key in a sign.
_OWN, _KEY = 5, -1
