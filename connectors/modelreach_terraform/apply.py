"""A plan applied to an estate: each change takes away what was, and adds what will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from modelreach.snapshot import ManagedPolicy, Origin, Scope
from modelreach_terraform.configuration import Configuration
from modelreach_terraform.derived import derive
from modelreach_terraform.documents import rebuilt
from modelreach_terraform.edits import (
    Attach,
    Edit,
    Enters,
    Governs,
    Holds,
    Is,
    Renews,
    Uses,
)
from modelreach_terraform.places import Places
from modelreach_terraform.plan import Action, Change, Instance, Plan
from modelreach_terraform.relevance import matters
from modelreach_terraform.resolve import Resolver, Values
from modelreach_terraform.source import Written
from modelreach_terraform.tables import TABLE
from modelreach_terraform.told import THINGS, Row, Told
from modelreach_terraform.values import Json
from modelreach_terraform.world import World

_ENDS: Final = frozenset({Action.DELETE, Action.REPLACE})
_BEGINS: Final = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})


def apply(plan: Plan, world: World, written: Written, *, account: str, own_base: bool) -> None:
    """Apply a plan. `own_base`: there is no other estate than what the plan says is there."""
    _Applied(plan, world, written, account).run(own_base=own_base)


class _Computed:
    """What the tables say, as the resolver asks for it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.resolver: Resolver | None = None
        self.after: Mapping[str, tuple[Instance, Values]] = {}

    def templates(self, kind: str) -> Mapping[str, str]:
        """Give the templates of a type."""
        return TABLE[kind].follows if kind in TABLE else {}

    def place(self, instance: Instance, values: Values) -> Mapping[str, str]:
        """Give the place of an instance."""
        return self._places.of(instance, values)

    def rebuilt(self, instance: Instance, attribute: str) -> Json:
        """Give the document of a data source that is read during apply."""
        assert self.resolver is not None
        _, values = self.after[instance.address]
        return rebuilt(instance, values, attribute, self.resolver)


@dataclass(frozen=True, slots=True)
class _Step:
    """One side of a change, as its table has it."""

    change: Change
    told: Told
    edits: tuple[Edit, ...]
    phase: int


class _Applied:
    """One run."""

    def __init__(self, plan: Plan, world: World, written: Written, account: str) -> None:
        self._plan, self._world, self._written = plan, world, written
        configuration = Configuration(plan)
        prior = {instance.address: (instance, values) for instance, values in plan.prior}
        after: dict[str, tuple[Instance, Values]] = dict(prior)
        for change in plan.changes:
            if change.after is not None:
                after[change.instance.address] = (change.instance, change.after)
        self._places = Places(plan, configuration, world, account)
        computed = _Computed(self._places)
        self._resolver = Resolver(after, configuration, written, computed)
        computed.resolver, computed.after = self._resolver, after
        self._touched: set[str] = set()

    def run(self, *, own_base: bool) -> None:
        """Say what the data sources know, take away, add, and say where all of it is written."""
        changed = {change.instance.address for change in self._plan.changes}
        told = [Change(i, Action.NOTHING, v, v) for i, v in self._plan.prior if i.data]
        self._add(told)
        if own_base:
            there = [Change(i, Action.NOTHING, v, v) for i, v in self._plan.prior if not i.data]
            self._add(there)
            self._scopes(there)
        changes = [change for change in self._plan.changes if not change.instance.data]
        self._unsupported(changes)
        self._take(changes)
        self._add([change for change in changes if change.action in _BEGINS])
        derive(self._world, self._touched)
        self._keep([change for change in changes if change.action is Action.NOTHING], own_base)
        if not changed:
            self._keep([Change(i, Action.NOTHING, v, v) for i, v in self._plan.prior], own_base)

    def _scopes(self, there: list[Change]) -> None:
        """Say where everything is, when there is no base to say it."""
        for change in (*there, *self._plan.changes):
            values = change.after or change.before or {}
            scope = self._places.of(change.instance, values).get("scope", "")
            kind = _SCOPES.get(change.instance.provider)
            if scope and kind and scope not in self._world.scopes:
                self._world.add(
                    Is(Scope(id=scope, provider=change.instance.provider, kind=_kind(scope, kind)))
                )

    # --- steps ------------------------------------------------------------------------------

    def _step(self, change: Change, values: Values) -> _Step | None:
        row = _row(change.instance)
        if row is None:
            return None
        place = self._places.of(change.instance, values)
        told = Told(change.instance, values, place, self._resolver, self._world)
        return _Step(change, told, tuple(row.edits(told)), row.phase)

    def _take(self, changes: list[Change]) -> None:
        for change in changes:
            if change.before is None or change.action not in (*_ENDS, Action.UPDATE):
                continue
            step = self._step(change, change.before)
            gone = change.action in _ENDS
            for edit in step.edits if step else ():
                self._world.take(edit, gone=gone)
                self._touch(edit)
                if change.action is Action.DELETE:
                    self._say(change, edit)

    def _add(self, changes: Iterable[Change]) -> None:
        """Add in phases; what a later phase looks up is there by then."""
        listed = list(changes)
        for phase in range(THINGS, 3):
            for change in listed:
                row = _row(change.instance)
                if row is None or row.phase != phase or change.after is None:
                    continue
                step = self._step(change, change.after)
                for edit in step.edits if step else ():
                    self._do(change, edit, step)
                if change.deferred and step is not None:
                    self._later(step)

    def _do(self, change: Change, edit: Edit, step: _Step | None) -> None:
        if step is not None and isinstance(edit, Is) and not edit.fact.id:
            self._world.add(step.told.unknown("resources", "", "what this will be called"))
            return
        self._world.add(edit)
        self._touch(edit)
        self._say(change, edit)

    def _touch(self, edit: Edit) -> None:
        match edit:
            case Is():
                self._touched.add(edit.fact.id)
            case Attach():
                self._touched.add(edit.target)
            case _:
                pass

    def _keep(self, changes: list[Change], own_base: bool) -> None:
        """Say where what does not change is written, and what of it the base does not have."""
        for change in changes:
            step = self._step(change, change.after) if change.after is not None else None
            for edit in step.edits if step else ():
                self._say(change, edit)
                if isinstance(edit, Is) and not own_base and not self._world.known(edit.fact.id):
                    assert step is not None
                    why = "the plan says that it is there, and the base does not have it"
                    self._world.add(step.told.gap("resources", edit.fact.id, "not-collected", why))

    def _later(self, step: _Step) -> None:
        why = "what it will be is told by a later plan, after this one is applied"
        self._world.add(step.told.gap("resources", "", "after-apply", why))

    def _unsupported(self, changes: list[Change]) -> None:
        for change in changes:
            instance = change.instance
            active = change.action in (*_ENDS, *_BEGINS)
            if active and _row(instance) is None and matters(instance):
                values = change.after or change.before or {}
                place = self._places.of(instance, values)
                told = Told(instance, values, place, self._resolver, self._world)
                why = f"`{instance.type}` decides over access, and is not understood in plans"
                self._world.add(
                    told.gap(f"terraform:{instance.type}", instance.address, "unsupported", why)
                )

    # --- origins ----------------------------------------------------------------------------

    def _say(self, change: Change, edit: Edit) -> None:
        file, line = self._written.place(change.instance)
        about = list(_about(edit, self._world))
        if change.action is not Action.CREATE:
            # Whatever a policy says anew is said wherever it is attached.
            about += _attached(edit, self._world)
        for subject, part, member in about:
            self._world.origin(
                Origin(
                    subject=subject,
                    part=part,
                    member=member,
                    address=change.instance.address,
                    action=change.action.value,
                    file=file,
                    line=line,
                )
            )


#: What a place is called, by provider.
_SCOPES: Final = {
    "aws": "account",
    "gcp": "project",
    "azure": "subscription",
    "kubernetes": "cluster",
}


def _kind(scope: str, kind: str) -> str:
    return "resource-group" if "/resourcegroups/" in scope else kind


def _row(instance: Instance) -> Row | None:
    return TABLE.get(f"data.{instance.type}" if instance.data else instance.type)


def _about(edit: Edit, world: World) -> Iterator[tuple[str, str, str]]:
    """Give what an edit is about: the thing, which fact about it, and whose."""
    match edit:
        case Is():
            yield edit.fact.id, "", ""
        case Attach():
            yield edit.target, edit.name or edit.policy, ""
        case Enters():
            yield edit.target, edit.name, ""
        case Uses():
            policy = world.policies.get(edit.policy)
            yield edit.target, policy.name if policy else edit.policy, ""
        case Renews():
            for one in world.applied(edit.policy):
                yield one.target, edit.name, ""
        case Holds():
            for member in edit.binding.members:
                yield edit.binding.target, _shown(edit.binding.role, world), member
        case Governs():
            for binding in edit.bindings:
                for member in binding.members:
                    yield edit.target, _shown(binding.role, world), member
        case _:
            return


def _attached(edit: Edit, world: World) -> Iterator[tuple[str, str, str]]:
    """Give where a managed policy applies, and who holds a role."""
    if not isinstance(edit, Is) or not isinstance(edit.fact, ManagedPolicy):
        return
    for one in world.applied(edit.fact.id):
        yield one.target, one.name, ""
    for binding in world.bindings.values():
        if binding.role == edit.fact.id:
            yield binding.target, _shown(binding.role, world), ""


def _shown(role: str, world: World) -> str:
    """Give a role as witnesses name it: Google Cloud's by its id, others by their name."""
    policy = world.policies.get(role)
    if policy is None or policy.provider == "gcp":
        return role
    return policy.name
