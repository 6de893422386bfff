"""Grants on the first of a class, worked out once for all of whom the policies say the same of it.

What a principal holds of a resource hangs on the statements that speak of it, level by level, on
what is left of their conditions, and on the side of the resource. Of whom all that is the same,
the grants are, but for whose they are and for the policies in which the statements stand: those
are put in for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws import catalogue, kinds
from modelreach.policy.aws import grants as single
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import AppliedPolicy
from modelreach.policy.aws.named import asks_who
from modelreach.policy.aws.outline import Line
from modelreach.policy.aws.policy_set import Asking, asking
from modelreach.policy.aws.shelf import Shelf
from modelreach.policy.aws.spoken import Saying, levels_of
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.snapshot import Resource

#: Of how many classes, each with what may be said of it, grants are kept.
_MOST = 1 << 16

_Key = tuple[object, ...]


class _Voice(msgspec.Struct, frozen=True):
    """A statement of a principal: what is left of it there (`told`), and where it stands.
    `granting`: it limits, and stands in a document that also grants."""

    line: Line
    told: object
    granting: bool
    ref: StatementRef

    @property
    def key(self) -> tuple[int, object, bool]:
        """Equal for statements that say the same."""
        return self.line.number, self.told, self.granting


_Levels = tuple[tuple[_Voice, ...], ...]
#: A statement by its level, by what it says, and as which of those on the level that say so.
_Place = tuple[int, int, int]


class _Found(msgspec.Struct, frozen=True):
    """What one principal holds, and where the statements stand for it."""

    who: str
    grants: tuple[Grant, ...]
    places: dict[StatementRef, _Place]


class SharedGrants:
    """Gives grants on classes of one estate, each different question asked once."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._found: dict[_Key, _Found] = {}
        self._for_all: dict[Shelf, bool] = {}
        self._speaking: dict[tuple[str, int], bool] = {}
        self._asking: dict[int, Asking] = {}

    def speaker(self, asker: Asker, saying: Saying) -> Speaker | None:
        """Give a principal as one whose answers others share; None where the policy of a resource
        names it."""
        named = self.estate.named
        own = (
            key
            for key in self.estate.keys_of(asker.principal)
            if key != "*" and not key.endswith(":root")
        )
        if any(key in named.resources or key in named.singled for key in own):
            return None
        return Speaker(self, asker, saying)

    def let_go(self) -> None:
        """Let go of what is known of single resources."""
        self._found.clear()
        self._for_all.clear()
        self._speaking.clear()

    def known(self, key: _Key) -> _Found | None:
        """Give what was found under a key."""
        return self._found.get(key)

    def keep(self, key: _Key, found: _Found) -> None:
        """Keep what was found."""
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[key] = found

    def told(self, line: Line, context: Context) -> object:
        """Give what the principal's side of the context makes of a statement."""
        if not line.outline.keys:
            return None
        found = self._asking.get(line.number)
        if found is None:
            found = self._asking[line.number] = asking(line.outline.statement)
        return found.told(context)

    def speaks(self, line: Line, name: str) -> bool:
        """May a statement say anything of what is asked about a resource?"""
        found = self._speaking.get((name, line.number))
        if found is None:
            resource = self.estate.facts.resources[name]
            found = self._speaking[name, line.number] = any(
                single.speaks(line.outline.statement, probe) for probe in _probes(resource)
            )
        return found

    def for_all(self, shelf: Shelf) -> bool:
        """Does the side of the resources of a shelf, and of their key, say the same to everybody
        whom it does not name?"""
        found = self._for_all.get(shelf)
        if found is None:
            concerned = (shelf.ids[0], shelf.key) if shelf.key else (shelf.ids[0],)
            found = self._for_all[shelf] = not any(map(self._asks, concerned))
        return found

    def _asks(self, name: str) -> bool:
        facts = self.estate.facts
        if name not in facts.resources:
            return True
        layers = self.estate.resource_layers(name, facts.resources[name].scope)
        limits = [policy for level in layers.rcps or () for policy in level]
        policies = (*layers.resource, *layers.acl, *limits)
        return any(
            asks_who(statement) or (policy in limits and _names_some(policy))
            for policy in policies
            for statement in policy.document.statements
        )


def _names_some(policy: AppliedPolicy) -> bool:
    named = (statement.principals for statement in policy.document.statements)
    return any(one is not None and (one.negated or one.aws) for one in named)


def _probes(resource: Resource) -> Iterator[kinds.Probe]:
    yield from kinds.probes(resource.id, resource.kind)
    if resource.kind == "kms:key" and (decrypt := catalogue.find("kms:Decrypt")):
        # What is encrypted under it asks for it.
        yield kinds.Probe(resource.id, True, (decrypt,))


class Speaker:
    """One principal, as its policies speak of classes."""

    def __init__(self, shared: SharedGrants, asker: Asker, saying: Saying) -> None:
        self._shared, self._asker, self._saying = shared, asker, saying
        self._services: dict[str, _Levels | None] = {}
        self._statements: dict[tuple[StatementRef, ...], tuple[StatementRef, ...]] = {}

    def on(self, shelf: Shelf, first: str) -> tuple[Grant, ...]:
        """Give the grants on a resource that stands for its class, sorted."""
        heard = self._heard(shelf, first) if self._shared.for_all(shelf) else None
        if heard is None:
            return on_first(self._asker, first)
        levels = [tuple(voice.key for voice in level) for level in heard]
        key = (shelf, first, self._who, *levels)
        known = self._shared.known(key)
        if known is None:
            places = {ref: place for place, ref in _placed(heard)}
            known = _Found(self._asker.name, on_first(self._asker, first), places)
            self._shared.keep(key, known)
        return self._as_mine(known, heard)

    def _as_mine(self, found: _Found, heard: _Levels) -> tuple[Grant, ...]:
        if not found.grants or found.who == self._asker.name:
            return found.grants
        mine = dict(_placed(heard))
        refs = {ref: mine[place] for ref, place in found.places.items()}
        name = self._asker.name
        # Many grants stand on the same statements: they share one tuple.
        said: dict[tuple[StatementRef, ...], tuple[StatementRef, ...]] = {}
        for theirs in {grant.statements for grant in found.grants}:
            told = tuple(sorted(refs.get(ref, ref) for ref in theirs))
            said[theirs] = self._statements.setdefault(told, told)
        return tuple(
            replace(grant, principal=name, statements=said[grant.statements])
            for grant in found.grants
        )

    def _heard(self, shelf: Shelf, first: str) -> _Levels | None:
        """Give what speaks of a resource, and of its key; None where that tells not all."""
        heard = self._speaking(shelf.service, first)
        if heard is None or not shelf.key:
            return heard
        of_key = self._speaking("kms", shelf.key)
        return None if of_key is None else (*heard, *of_key)

    def _speaking(self, service: str, name: str) -> _Levels | None:
        if service not in self._services:
            self._services[service] = self._voices(service)
        levels = self._services[service]
        speaks = self._shared.speaks
        return levels and tuple(
            tuple(voice for voice in level if speaks(voice.line, name)) for level in levels
        )

    def _voices(self, service: str) -> _Levels | None:
        """Give all statements about a service; None where one is not understood, or two of them
        are one by name."""
        if self._saying.of(service).faulty:
            return None
        levels = tuple(
            tuple(self._of_level(number, policies, service))
            for number, policies in enumerate(levels_of(self._asker))
        )
        refs = [voice.ref for level in levels for voice in level]
        return levels if len(set(refs)) == len(refs) else None

    def _of_level(
        self, number: int, policies: Iterable[AppliedPolicy], service: str
    ) -> Iterator[_Voice]:
        for policy, (_, document) in zip(policies, self._saying.levels[number], strict=True):
            for line in document.of(service).lines:
                said = line.outline.statement
                granting = number > 0 and id(said) in self._granting
                told = self._shared.told(line, self._context)
                yield _Voice(line, told, granting, policy.reference(said))

    @cached_property
    def _granting(self) -> set[int]:
        policies = self._asker.layers.identity
        return {id(said) for policy in policies for said in policy.document.statements}

    @cached_property
    def _context(self) -> Context:
        asker = self._asker
        return asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)

    @cached_property
    def _who(self) -> tuple[object, ...]:
        """What of a principal else counts, as long as nobody names it."""
        caller, mine = self._asker.caller, self._asker.layers
        return (
            caller.kind,
            caller.account,
            caller.arn.partition(":")[2].partition(":")[0],
            caller.service_linked,
            caller.management_account,
            mine.scps is None,
            *(None if level is None else len(level) for level in (mine.boundaries, mine.session)),
        )


def _placed(levels: _Levels) -> Iterator[tuple[_Place, StatementRef]]:
    for number, level in enumerate(levels):
        count: dict[int, int] = {}
        for voice in level:
            line = voice.line.number
            count[line] = count.get(line, 0) + 1
            yield (number, line, count[line]), voice.ref


def on_first(asker: Asker, name: str) -> tuple[Grant, ...]:
    """Give the grants on one resource, sorted, asked about for this principal alone."""
    found = single.on_resource(asker, asker.estate.facts.resources[name])
    return tuple(sorted(found, key=single.order))
