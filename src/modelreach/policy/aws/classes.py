"""What one principal may do to listed resources, decided once for each class of them.

The shelves say which resources differ in nothing but their name. Of a shelf, those that the same
patterns of the principal's policies match, and that have the same values of the tags which those
policies ask about, are a class: one of them is asked about, and the answer is that of all.
Whatever does not fit into this is asked about one by one, as `grants.one_by_one` does for all.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws import grants as single
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.outline import outlines
from modelreach.policy.aws.shelves import Shelf, Shelving, concerns
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.glob import literal_prefix


class GrantClass(msgspec.Struct, frozen=True):
    """Grants that hold alike for resources of a shelf: written out for the first of them."""

    grants: tuple[Grant, ...]
    shelf: Shelf
    mask: int

    @property
    def ids(self) -> tuple[str, ...]:
        """The resources that they hold for, in order."""
        return tuple(self.shelf.of(self.mask))

    @property
    def size(self) -> int:
        """How many resources they hold for."""
        return self.mask.bit_count()


class Granted(msgspec.Struct, frozen=True):
    """Everything that a principal may do to listed resources: by class, and what is odd."""

    classes: tuple[GrantClass, ...]
    alone: tuple[Grant, ...]


def granted(asker: Asker, shelving: Shelving) -> Granted:
    """Give every grant on a listed resource, in a compact form."""
    if unclear(asker):
        return Granted((), single.one_by_one(asker))
    classes: list[GrantClass] = []
    alone: list[str] = []
    for shelf, part, _ in alike(asker, shelving, alone):
        first = asker.estate.facts.resources[shelf.first(part)]
        found = tuple(single.on_resource(asker, first))
        if found:
            classes.append(GrantClass(found, shelf, part))
    return Granted(tuple(classes), single.one_by_one(asker, alone))


def alike(
    asker: Asker, shelving: Shelving, alone: list[str]
) -> Iterator[tuple[Shelf, int, Spoken]]:
    """Give what one answer holds for, of each shelf that the principal may touch, with what its
    policies say of the service; the resources that are odd go to `alone`."""
    said = _Said(asker)
    for shelf, mask in _candidates(asker, shelving, said, alone):
        spoken = said.of(shelf.service)
        for part, same in _parts(shelf, mask, spoken, asker):
            if same:
                yield shelf, part, spoken
            else:
                alone.extend(shelf.of(part))


def written_out(found: Granted, estate: Estate) -> tuple[Grant, ...]:
    """Give each grant on each resource, sorted."""
    whole = [grant for one in found.classes for grant in _of_class(one, estate)]
    return tuple(sorted((*whole, *found.alone), key=single.order))


def unclear(asker: Asker) -> bool:
    """Tell: may the principal have more than its statements say, so that patterns tell nothing?"""
    mine = asker.layers
    return bool(mine.unread) or any(
        policy.document.problems for policy in _all(asker) if policy.document.problems
    )


def _all(asker: Asker) -> Policies:
    mine = asker.layers
    levels = (mine.identity, mine.boundaries or (), mine.session or (), *(mine.scps or ()))
    return tuple(policy for level in levels for policy in level)


# --- what the policies say of a service -------------------------------------------------------


class Spoken(msgspec.Struct):
    """What a principal's policies say of one service. `allowed` are the patterns of what identity
    policies allow, `globs` all that tell resources apart, `open` those with variables."""

    allowed: list[str] = msgspec.field(default_factory=list[str])
    globs: list[str] = msgspec.field(default_factory=list[str])
    open: list[str] = msgspec.field(default_factory=list[str])
    tags: tuple[str, ...] = ()
    of_owner: bool = False


class _Said:
    """What a principal's policies say, by service."""

    def __init__(self, asker: Asker) -> None:
        self._identity = [outlines(p.document) for p in asker.layers.identity]
        self._others = [outlines(p.document) for p in _all(asker)[len(self._identity) :]]
        self._found: dict[str, Spoken] = {}

    def of(self, service: str) -> Spoken:
        if service not in self._found:
            self._found[service] = self._spoken(service)
        return self._found[service]

    def _spoken(self, service: str) -> Spoken:
        allowed: dict[str, None] = {}
        globs: dict[str, None] = {}
        found = Spoken()
        tags: set[str] = set()
        for identity, documents in ((True, self._identity), (False, self._others)):
            for lines in documents:
                for line in lines:
                    if line.services is not None and service not in line.services:
                        continue
                    globs.update(dict.fromkeys(line.globs))
                    found.open.extend(line.open)
                    tags |= line.tags
                    found.of_owner = found.of_owner or line.of_owner
                    if identity and line.allows:
                        allowed.update(dict.fromkeys(line.reach))
        found.allowed, found.globs, found.tags = list(allowed), list(globs), tuple(sorted(tags))
        return found


# --- which resources --------------------------------------------------------------------------


def _candidates(
    asker: Asker, shelving: Shelving, said: _Said, alone: list[str]
) -> Iterator[tuple[Shelf, int]]:
    """Give shelves with the bits of what may be touched; what is odd goes to `alone`."""
    estate, account = asker.estate, asker.principal.scope
    stock = shelving.account(account)
    keys = estate.keys_of(asker.principal)
    named = {key: names for key in keys if (names := estate.named.resources_in(account, key))}
    for service, shelves in stock.shelves.items():
        allowed = said.of(service).allowed
        for shelf in shelves:
            mask = shelf.whole if "*" in allowed else 0
            for glob in () if mask else allowed:
                mask |= shelf.cut(glob).touched
            if named and shelf.own_policy:
                for key, names in named.items():
                    mask |= shelf.naming(key, names)
            if mask:
                yield shelf, mask
    if stock.odd:
        mine = {name for names in named.values() for name in names}
        alone.extend(name for name in stock.odd if name in mine or _near(name, said, estate))
    yield from _of_others(asker, shelving, said, alone)


def _of_others(
    asker: Asker, shelving: Shelving, said: _Said, alone: list[str]
) -> Iterator[tuple[Shelf, int]]:
    """Give what other accounts let everyone, or the whole account, have; what names the principal
    itself is little, and goes to `alone`."""
    facts, account = asker.estate.facts, asker.principal.scope
    partition = asker.principal.id.split(":")[1]
    for stock in shelving.let_in(account, partition, lambda service: said.of(service).allowed):
        for service, shelves in stock.shelves.items():
            for shelf in shelves:
                mask = _elsewhere(shelf, said.of(service).allowed)
                mask &= ~shelf.of_account(account, facts)
                if mask:
                    yield shelf, mask
        alone.extend(name for name in stock.odd if facts.resources[name].scope != account)
    named = shelving.named_alone(asker.estate.keys_of(asker.principal), account)
    alone.extend(name for name in named if facts.resources[name].scope != account)


def _elsewhere(shelf: Shelf, allowed: list[str]) -> int:
    """Another account's resource needs an allow of the own account, too."""
    mask = shelf.whole if "*" in allowed else 0
    for glob in () if mask else allowed:
        mask |= shelf.cut(glob).touched
    return mask


def _near(name: str, said: _Said, estate: Estate) -> bool:
    """Would a look along the sorted names come across this one?"""
    service = estate.facts.resources[name].kind.partition(":")[0]
    prefixes = (literal_prefix(glob) for glob in said.of(service).allowed)
    return any(p.startswith(name) or name.startswith(p) for p in prefixes)


def _parts(shelf: Shelf, mask: int, spoken: Spoken, asker: Asker) -> Iterator[tuple[int, bool]]:
    """Part the bits into classes; the second value says whether they are alike."""
    estate = asker.estate
    for glob in spoken.open:
        varying = mask & shelf.cut(glob).touched
        if varying:
            yield varying, False
            mask ^= varying
    parts, partly = [mask] if mask else [], 0
    overlapping = 0
    for glob in spoken.globs:
        cut = shelf.cut(glob)
        overlapping |= partly & cut.partly
        partly |= cut.partly
        for by in cut.masks:
            if by & mask and by & mask != mask:
                parts = [piece for part in parts for piece in (part & by, part & ~by) if piece]
    tags = tuple(sorted({*spoken.tags, *_own_tags(shelf, estate)}))
    if tags:
        groups = shelf.by_tags(tags, estate.facts)
        if len(groups) > 1:
            parts = [piece for part in parts for by in groups if (piece := part & by)]
    for part in parts:
        several = part & overlapping
        if several:
            yield several, False
            part ^= several
        if part:
            yield from _by_owner(shelf, part, spoken, estate)


def _by_owner(
    shelf: Shelf, part: int, spoken: Spoken, estate: Estate
) -> Iterator[tuple[int, bool]]:
    yield part, not (spoken.of_owner or _own_owner(shelf, estate)) or part.bit_count() == 1


def _own_tags(shelf: Shelf, estate: Estate) -> frozenset[str]:
    if not shelf.own_policy:
        return frozenset()
    return frozenset[str]().union(*(tags for tags, _ in _own_asked(shelf, estate)))


def _own_owner(shelf: Shelf, estate: Estate) -> bool:
    return shelf.own_policy and any(owner for _, owner in _own_asked(shelf, estate))


def _own_asked(shelf: Shelf, estate: Estate) -> Iterator[tuple[frozenset[str], bool]]:
    first = estate.facts.resources[shelf.ids[0]]
    layers = estate.resource_layers(first.id, first.scope)
    for policy in (*layers.resource, *layers.acl):
        for line in outlines(policy.document):
            yield line.tags, line.of_owner


# --- writing out ------------------------------------------------------------------------------


def _of_class(one: GrantClass, estate: Estate) -> Iterator[Grant]:
    first = one.grants[0].resource
    for name in one.shelf.of(one.mask):
        if name == first:
            yield from one.grants
            continue
        resource = estate.facts.resources[name]
        own = _own_words(first, name, one.shelf, estate) if one.shelf.own_policy else None
        for grant in one.grants:
            statements = grant.statements
            if own is not None:
                statements = tuple(sorted(own.get(ref, ref) for ref in statements))
            yield replace(
                grant,
                resource=name,
                name=resource.name,
                scope=resource.scope,
                region=resource.region,
                statements=statements,
            )


def _own_words(
    first: str, name: str, shelf: Shelf, estate: Estate
) -> dict[StatementRef, StatementRef]:
    """Give the statements of the first resource's own policies as another one's say them."""
    mine, theirs = (_own_statements(one, shelf, estate) for one in (first, name))
    return dict(zip(mine, theirs, strict=True))


def _own_statements(name: str, shelf: Shelf, estate: Estate) -> Iterator[StatementRef]:
    resource = estate.facts.resources[name]
    layers = estate.resource_layers(name, resource.scope)
    for policy in (*layers.resource, *layers.acl):
        for statement in policy.document.statements:
            if concerns(statement, shelf.asking):
                yield policy.reference(statement)
