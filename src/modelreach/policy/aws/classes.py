"""What one principal may do to listed resources, decided once for each class of them.

The shelves say which resources differ in nothing but their name. Of a shelf, those that the same
patterns of the principal's policies match, and that have the same values of the tags which those
policies ask about, are a class: one of them is asked about, and the answer is that of all.
Whatever does not fit into this is asked about one by one, as `grants.one_by_one` does for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from modelreach.policy.aws import grants as single
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.bays import Bay
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.own_policy import concerns, relation
from modelreach.policy.aws.shared_grants import SharedGrants, on_first
from modelreach.policy.aws.shelf import Cut, Shelf
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.spoken import Saying, Spoken, levels_of
from modelreach.policy.decision import StatementRef
from modelreach.policy.glob import left_of, literal_prefix
from modelreach.policy.lots import Alike, Grants, Lot, Thing
from modelreach.snapshot import Facts, Resource


class Class(msgspec.Struct, frozen=True):
    """Resources of a shelf that are told apart by nothing: one answer holds for all. `cuts` says
    how patterns that touch the shelf lie to it; `entwined`: several of them mean parts of what is
    inside, which may overlap."""

    shelf: Shelf
    mask: int
    cuts: Mapping[str, Cut]
    entwined: bool = False

    @property
    def first(self) -> str:
        """The one that is asked about."""
        return self.shelf.first(self.mask)


def granted(
    asker: Asker,
    shelving: Shelving,
    wanted: Callable[[Shelf], bool] = lambda _: True,
    shared: SharedGrants | None = None,
) -> Grants:
    """Give every grant on a listed resource (of shelves that are `wanted`, and those that stand on
    none): by class, and what is odd. What others have alike may be `shared`."""
    if unclear(asker):
        return Grants((), single.one_by_one(asker))
    classes: list[Alike] = []
    alone: list[str] = []
    saying = Saying(asker)
    named = named_here(asker)
    speaker = shared.speaker(asker, saying) if shared else None
    for bay in bays(asker, shelving, saying, named):
        for one in alike(asker, bay, saying.of(bay.service), named, alone, wanted):
            first = one.first
            grants = speaker.on(one.shelf, first) if speaker else on_first(asker, first)
            if grants:
                classes.append(Alike(grants, _lot(one.shelf, asker.estate), one.mask))
    alone.extend(named_elsewhere(asker, shelving))
    return Grants(tuple(classes), single.one_by_one(asker, set(alone)))


def unclear(asker: Asker) -> bool:
    """Tell: may the principal have more than its statements say, so that patterns tell nothing?"""
    return bool(asker.layers.unread) or any(
        policy.document.problems for level in levels_of(asker) for policy in level
    )


# --- which resources --------------------------------------------------------------------------

#: The resources of the own account that name the principal, by the name.
NamedHere = dict[str, tuple[str, ...]]


def named_here(asker: Asker) -> NamedHere:
    """Give the resources of the own account whose policies name the principal."""
    named, account = asker.estate.named, asker.principal.scope
    keys = asker.estate.keys_of(asker.principal)
    return {key: names for key in keys if (names := named.resources_in(account, key))}


def named_elsewhere(asker: Asker, shelving: Shelving) -> Iterator[str]:
    """Give other accounts' resources that name the principal itself: they are few, and asked
    about one by one."""
    facts, account = asker.estate.facts, asker.principal.scope
    for name in shelving.named_alone(asker.estate.keys_of(asker.principal), account):
        if facts.resources[name].scope != account:
            yield name


def bays(asker: Asker, shelving: Shelving, saying: Saying, named: NamedHere) -> Iterator[Bay]:
    """Give where anything may stand that the principal may touch: in its account, and what other
    accounts let everyone, or the whole account, have."""
    account = asker.principal.scope
    names = (name for some in named.values() for name in some)
    yield from shelving.own(account, saying.allowed, names)
    partition = asker.principal.id.split(":")[1]
    yield from shelving.let_in(account, partition, saying.allowed)


def alike(
    asker: Asker,
    bay: Bay,
    spoken: Spoken,
    named: NamedHere,
    alone: list[str],
    wanted: Callable[[Shelf], bool] = lambda _: True,
) -> Iterator[Class]:
    """Give the classes of what a principal may touch in a bay, on shelves that are `wanted`; what
    is odd goes to `alone`."""
    estate, account = asker.estate, asker.principal.scope
    alone.extend(_odd(bay, spoken, named, account, estate.facts))
    masks = _touched(bay, spoken.allowed)
    if bay.foreign:
        # Another account's resource needs an allow of the own account, too.
        for place, mask in masks.items():
            masks[place] = mask & ~bay.shelves[place].of_account(account, estate.facts)
    elif named:
        for place, shelf in enumerate(bay.shelves):
            if shelf.own_policy:
                for key, names in named.items():
                    masks[place] = masks.get(place, 0) | shelf.naming(key, names)
    cuts: dict[int, dict[str, Cut]] = {}
    for glob in spoken.globs:
        for place, cut in bay.cuts(glob).items():
            cuts.setdefault(place, {})[glob] = cut
    for place, mask in masks.items():
        if mask and wanted(bay.shelves[place]):
            here = cuts.get(place, {})
            yield from _classes(bay, place, mask, here, spoken, alone, estate.facts)


def _touched(bay: Bay, allowed: tuple[str, ...]) -> dict[int, int]:
    """Give the bits of what patterns touch, by the place of the shelf."""
    if "*" in allowed:
        return {place: shelf.whole for place, shelf in enumerate(bay.shelves)}
    masks: dict[int, int] = {}
    for glob in allowed:
        for place, cut in bay.cuts(glob).items():
            masks[place] = masks.get(place, 0) | cut.touched
    return masks


def _odd(bay: Bay, spoken: Spoken, named: NamedHere, account: str, facts: Facts) -> Iterator[str]:
    if bay.foreign:
        yield from (name for name in bay.odd if facts.resources[name].scope != account)
        return
    if bay.odd:
        mine = {name for names in named.values() for name in names}
        yield from (name for name in bay.odd if name in mine or _near(name, spoken))


def _near(name: str, spoken: Spoken) -> bool:
    """Would a look along the sorted names come across this one?"""
    prefixes = map(literal_prefix, spoken.allowed)
    return any(p.startswith(name) or name.startswith(p) for p in prefixes)


def _classes(
    bay: Bay,
    place: int,
    mask: int,
    cuts: dict[str, Cut],
    spoken: Spoken,
    alone: list[str],
    facts: Facts,
) -> Iterator[Class]:
    """Part the bits of a shelf into classes."""
    shelf = bay.shelves[place]
    limits = [line.outline for level in shelf.limits for line in level]
    for glob in (*spoken.open, *(glob for one in limits for glob in one.open)):
        cut = bay.cuts(glob).get(place)
        if cut is not None and (varying := mask & cut.touched):
            alone.extend(shelf.of(varying))
            mask ^= varying
    if not mask:
        return
    for glob in (glob for one in limits for glob in one.globs):
        cut = bay.cuts(glob).get(place)
        if cut is not None:
            cuts[glob] = cut
    parts, overlapping = _parted(mask, cuts)
    others = (*limits, *shelf.own)
    tags = spoken.tags.union(*(one.tags for one in others))
    if tags:
        groups = shelf.by_tags(tuple(sorted(tags)), facts)
        parts = [piece for part in parts for by in groups if (piece := part & by)]
    of_owner = spoken.of_owner or any(one.of_owner for one in others)
    for part in parts:
        several = part & overlapping
        same = part ^ several
        if of_owner and same.bit_count() > 1:
            several, same = part, 0
        if several and not of_owner and _own_is_whole(shelf, several):
            for mask in _by_what_is_left(shelf, several, cuts):
                yield Class(shelf, mask, cuts, entwined=True)
        else:
            alone.extend(shelf.of(several))
        if same:
            yield Class(shelf, same, cuts)


def _own_is_whole(shelf: Shelf, mask: int) -> bool:
    """Do the resources' own policies mean all of what is inside, or nothing of it?"""
    first = shelf.first(mask)
    starts = [first + separator for separator in shelf.forms.separators]
    return not any(
        one.open or any(relation(glob, start) == "part" for glob in one.globs for start in starts)
        for one in shelf.own
    )


def _by_what_is_left(shelf: Shelf, mask: int, cuts: Mapping[str, Cut]) -> Iterable[int]:
    """Part bits by what is left, behind a resource's name, of the patterns that mean a part of
    what is in it: where that is the same, they part it in the same way."""
    parting = [glob for glob, cut in cuts.items() if cut.partly & mask]
    groups: dict[tuple[object, ...], int] = {}
    for name in shelf.of(mask):
        starts = [name + separator for separator in shelf.forms.separators]
        left = tuple(left_of(glob, start) for glob in parting for start in starts)
        groups[left] = groups.get(left, 0) | shelf.bit(name)
    return groups.values()


def _parted(mask: int, cuts: Mapping[str, Cut]) -> tuple[list[int], int]:
    """Part bits by which patterns match them; give also those of which several patterns touch a
    part of the inside only."""
    parts, partly, overlapping = [mask], 0, 0
    for cut in cuts.values():
        overlapping |= partly & cut.partly
        partly |= cut.partly
        for by in cut.masks:
            if by & mask and by & mask != mask:
                parts = [piece for part in parts for piece in (part & by, part & ~by) if piece]
    return parts, overlapping


# --- writing out ------------------------------------------------------------------------------


def _lot(shelf: Shelf, estate: Estate) -> Lot:
    """Give what stands on a shelf as those see it who write out what is held alike."""
    if shelf.lot is None:
        own, asking = shelf.own_policy, shelf.asking

        def tell(name: str) -> Thing:
            one = estate.facts.resources[name]
            words = tuple(_own_statements(one, asking, estate)) if own else ()
            return Thing(one.id, one.name, one.scope, one.region, words)

        shelf.lot = Lot(shelf.ids, tell)
    return shelf.lot


def _own_statements(resource: Resource, asking: str, estate: Estate) -> Iterator[StatementRef]:
    layers = estate.resource_layers(resource.id, resource.scope)
    for policy in (*layers.resource, *layers.acl):
        for statement in policy.document.statements:
            if concerns(statement, asking):
                yield policy.reference(statement)
