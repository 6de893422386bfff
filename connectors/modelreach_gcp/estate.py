"""What answers say about the tree of organization, folders and projects.

Read by the collection, to know what to ask next, and by the parsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from modelreach_gcp.answers import Answer, Answers
from modelreach_gcp.names import MANAGER, in_spelling, project_in, scope_name
from modelreach_gcp.select import listed, text, texts

ASSETS: Final = "cloudasset.v1"
MANAGERS: Final = "cloudresourcemanager.v3"
SEARCH: Final = (ASSETS, "searchAllResources")
POLICIES: Final = (ASSETS, "searchAllIamPolicies")
LIST: Final = (ASSETS, "assets.list")
#: Calls that read everything below a scope, and the parameter that names it.
BULK: Final = {SEARCH: "scope", POLICIES: "scope", LIST: "parent"}
_SCOPE_TYPES: Final = {
    "cloudresourcemanager.googleapis.com/Organization": "organization",
    "cloudresourcemanager.googleapis.com/Folder": "folder",
    "cloudresourcemanager.googleapis.com/Project": "project",
}
_KINDS: Final = {"organizations": "organization", "folders": "folder", "projects": "project"}


@dataclass(frozen=True, slots=True)
class Place:
    """One scope. `number` is a project's; `read` says that something told of it itself."""

    id: str
    name: str = ""
    parent: str = ""
    number: str = ""
    state: str = ""
    customer: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def kind(self) -> str:
        return _KINDS[self.id.partition("/")[0]]


class Estate:
    """The tree. `roots` are the scopes that are read whole; without them, those that answers
    of calls in bulk are about."""

    def __init__(self, answers: Iterable[Answer] | Answers, roots: Iterable[str] = ()) -> None:
        self.answers = answers if isinstance(answers, Answers) else Answers(answers)
        self.numbers: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        told = [place for place in self._told() if place.id]
        for place in told:
            if place.number and not place.id.endswith("/" + place.number):
                self.numbers[place.number] = place.id.removeprefix("projects/")
        self.numbers.update(self._numbers_of_assets())
        self.ids = {name: number for number, name in self.numbers.items()}
        for place in told:
            self._add(replace(place, id=self.scope(place.id), parent=self.scope(place.parent)))
        for one in self.answers.all:
            self._ancestors(one)
        found = dict.fromkeys(map(self.scope, roots or self._roots()))
        self.roots = tuple(root for root in found if root)
        for root in self.roots:
            self._add(Place(root))

    def scope(self, text: str) -> str:
        """Give a scope's id of any spelling of it; "" for what is no scope."""
        name = scope_name(text)
        kind, _, rest = name.partition("/")
        return f"projects/{self.numbers.get(rest, rest)}" if kind == "projects" else name

    def number(self, project: str) -> str:
        """Give the number of a project (`projects/ID`), "" when it is not known."""
        name = project.removeprefix("projects/")
        return name if name.isdigit() else self.ids.get(name, "")

    def spelled(self, name: str) -> str:
        """Give a full resource name in the spelling of its service."""
        return in_spelling(name, self.numbers, self.ids)

    def project_of(self, name: str) -> str:
        """Give the project (`projects/ID`) in a full resource name, "" for none."""
        found = project_in(name)
        return self.scope(f"projects/{found}") if found else ""

    def lineage(self, scope: str) -> Iterator[str]:
        """Give a scope and what is above it, as far as it is known."""
        seen: set[str] = set()
        while scope and scope not in seen:
            seen.add(scope)
            yield scope
            scope = self.places[scope].parent if scope in self.places else ""

    def root_of(self, scope: str) -> str:
        """Give the root below which a scope lies, "" for none."""
        return next((one for one in self.lineage(scope) if one in self.roots), "")

    @cached_property
    def above(self) -> tuple[str, ...]:
        """The scopes above the roots."""
        found = {up for root in self.roots for up in self.lineage(root)}
        return tuple(sorted(found - set(self.roots)))

    @cached_property
    def below(self) -> tuple[str, ...]:
        """The roots and all scopes below them."""
        return tuple(sorted(scope for scope in self.places if self.root_of(scope)))

    @cached_property
    def projects(self) -> tuple[str, ...]:
        """The projects that are read, but for those that are being deleted."""
        return tuple(
            scope
            for scope in self.below
            if scope.startswith("projects/") and self.places[scope].state in ("", "ACTIVE")
        )

    def refused(self, call: tuple[str, str], root: str) -> bool:
        """Was a call in bulk refused, or never made, for a root?"""
        found = [
            one
            for one in self.answers.asked(*call)
            if self.scope(str(one.parameters.get(BULK[call], ""))) == root
        ]
        return not found or any(one.error for one in found)

    def without(self, call: tuple[str, str]) -> tuple[str, ...]:
        """Give the projects of roots for which a call in bulk was refused."""
        lacking = {root for root in self.roots if self.refused(call, root)}
        return tuple(one for one in self.projects if self.root_of(one) in lacking)

    @cached_property
    def searched(self) -> tuple[dict[str, Any], ...]:
        """The things that the search in bulk found."""
        return tuple(
            item
            for _, response in self.answers.of(*SEARCH)
            for item in listed(response, "results")
        )

    def seen(self, asset_type: str) -> set[tuple[str, str]]:
        """Give (project, location) of everything of a type (an expression) that was found."""
        pattern = re.compile(asset_type)
        return {
            (self.item_scope(item), text(item.get("location")))
            for item in self.searched
            if pattern.fullmatch(text(item.get("assetType")))
        }

    def item_scope(self, item: Mapping[str, Any]) -> str:
        """Give the project of a search result, else its folder or organization."""
        for name in ("project", "organization"):
            if found := self.scope(text(item.get(name))):
                return found
        return self.project_of(text(item.get("name")))

    # -- reading ---------------------------------------------------------------------------

    def _add(self, place: Place) -> None:
        known = self.places.get(place.id)
        if not place.id:
            return
        if known:
            names = ("name", "parent", "number", "state", "customer", "labels")
            better = {name: getattr(place, name) or getattr(known, name) for name in names}
            place = replace(known, **better)
        if place.kind == "project" and not place.number:
            place = replace(place, number=self.number(place.id))
        self.places[place.id] = place

    def _told(self) -> Iterator[Place]:
        for method in ("organizations.get", "folders.get", "projects.get"):
            for _, response in self.answers.of(MANAGERS, method):
                yield _place(response)
        for method, items in (
            ("folders.list", "folders"),
            ("projects.list", "projects"),
            ("organizations.search", "organizations"),
            ("projects.search", "projects"),
        ):
            for _, response in self.answers.of(MANAGERS, method):
                yield from map(_place, listed(response, items))
        for _, response in self.answers.of(*LIST):
            for item in listed(response, "assets"):
                typed = text(item.get("assetType")) in _SCOPE_TYPES
                if typed and isinstance(item.get("resource"), dict):
                    yield _asset_place(item)
        for _, response in self.answers.of(*SEARCH):
            for item in listed(response, "results"):
                if text(item.get("assetType")) in _SCOPE_TYPES:
                    yield _searched_place(item)

    def _numbers_of_assets(self) -> Iterator[tuple[str, str]]:
        """Give numbers and ids of projects that only a thing in them tells of."""
        for _, response in self.answers.of(*LIST):
            for item in listed(response, "assets"):
                number = next(iter(texts(item.get("ancestors"))), "")
                name = project_in(text(item.get("name")))
                if number.startswith("projects/") and name and not name.isdigit():
                    yield number.removeprefix("projects/"), name
        for call, items in ((POLICIES, "results"), (SEARCH, "results")):
            for _, response in self.answers.of(*call):
                for item in listed(response, items):
                    number = text(item.get("project")).removeprefix("projects/")
                    own = scope_name(text(item.get("resource")) or text(item.get("name")))
                    if own.startswith("projects/") and number.isdigit():
                        yield number, own.removeprefix("projects/")

    def _ancestors(self, one: Answer) -> None:
        """Take in what assets and search results say about the scopes that they are in."""
        if one.response is None or one.call not in BULK:
            return
        for item in listed(one.response, "assets" if one.call == LIST else "results"):
            chain = texts(item.get("ancestors")) or [
                text(item.get("project")),
                *texts(item.get("folders")),
                text(item.get("organization")),
            ]
            scopes = [scope for scope in map(self.scope, chain) if scope]
            for scope, above in zip(scopes, [*scopes[1:], ""], strict=False):
                self._add(Place(scope, parent=above))

    def _roots(self) -> Iterator[str]:
        for call, name in BULK.items():
            for one in self.answers.asked(*call):
                yield str(one.parameters.get(name, ""))


def _place(item: Mapping[str, Any]) -> Place:
    """Give the scope that Resource Manager describes."""
    name = text(item.get("name"))
    number = name.removeprefix("projects/") if name.startswith("projects/") else ""
    project = text(item.get("projectId"))
    own = f"projects/{project}" if project else name
    return Place(
        id=scope_name(own),
        name=text(item.get("displayName")),
        parent=text(item.get("parent")),
        number=number,
        state=text(item.get("state")),
        customer=text(item.get("directoryCustomerId")),
        labels=labels(item.get("labels")),
    )


def _searched_place(item: Mapping[str, Any]) -> Place:
    own = scope_name(text(item.get("name")))
    number = text(item.get("project")).removeprefix("projects/")
    return Place(
        id=own,
        name=text(item.get("displayName")),
        parent=scope_name(text(item.get("parentFullResourceName"))),
        number=number if own.startswith("projects/") else "",
        state=text(item.get("state")),
        labels=labels(item.get("labels")),
    )


def _asset_place(item: Mapping[str, Any]) -> Place:
    """Give the scope of an asset: Resource Manager's first or third version of it."""
    data = item["resource"].get("data")
    data = data if isinstance(data, dict) else {}
    number = str(data.get("projectNumber") or "")
    parent = text(item["resource"].get("parent"))
    return Place(
        id=scope_name(text(item.get("name"))),
        name=text(data.get("displayName")) or text(data.get("name")),
        parent=scope_name(parent),
        number=number,
        state=text(data.get("lifecycleState")) or text(data.get("state")),
        labels=labels(data.get("labels")),
    )


def labels(value: object) -> dict[str, str]:
    """Give labels as text."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(name): str(text) for name, text in pairs}


def manager_name(scope: str) -> str:
    """Give the full resource name of a scope."""
    return MANAGER + scope
