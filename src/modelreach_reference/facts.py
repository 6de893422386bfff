"""A snapshot as the plain JSON that it is: its rows, documents, and who is in which group."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, cast

Json = Mapping[str, Any]


class Facts:
    """The rows of one provider in a snapshot, by what they are looked for."""

    def __init__(self, snapshot: Json, provider: str) -> None:
        self._snapshot = snapshot
        self._provider = provider
        self.taken_at = str(snapshot.get("taken_at") or "")

    def rows(self, section: str) -> Iterator[Json]:
        """Give the rows of a section, those of the provider where they say whose they are."""
        for row in cast("Iterable[Json]", self._snapshot.get(section) or ()):
            if row.get("provider", self._provider) == self._provider:
                yield row

    def document(self, digest: object) -> Any:
        """Give a document; None when it is not there."""
        return inner(self._snapshot, "documents").get(str(digest))

    @cached_property
    def scopes(self) -> dict[str, Json]:
        """Scopes by id."""
        return {str(row["id"]): row for row in self.rows("scopes")}

    @cached_property
    def principals(self) -> dict[str, Json]:
        """Principals by id."""
        return {str(row["id"]): row for row in self.rows("principals")}

    @cached_property
    def resources(self) -> dict[str, Json]:
        """Resources by id."""
        return {str(row["id"]): row for row in self.rows("resources")}

    @cached_property
    def roles(self) -> dict[str, Any]:
        """The documents of roles by id."""
        return {
            str(row["id"]): self.document(
                inner(row, "versions").get(str(row.get("default_version")))
            )
            for row in self.rows("managed_policies")
        }

    @cached_property
    def bindings(self) -> dict[str, list[Json]]:
        """Bindings by target."""
        found: dict[str, list[Json]] = {}
        for row in self.rows("bindings"):
            found.setdefault(str(row.get("target")), []).append(row)
        return found

    @cached_property
    def attachments(self) -> dict[tuple[str, str], list[Any]]:
        """Documents of attachments by target and kind."""
        found: dict[tuple[str, str], list[Any]] = {}
        for row in self.rows("attachments"):
            key = (str(row.get("target")), str(row.get("kind")))
            found.setdefault(key, []).append(self.document(row.get("document")))
        return found

    def groups_of(self, principal: str) -> set[str]:
        """Give the groups that somebody is in, those around them too."""
        found: set[str] = set()
        waiting = [principal]
        while waiting:
            groups = listed(self.principals.get(waiting.pop()), "groups")
            fresh = set(map(str, groups)) - found
            found |= fresh
            waiting += fresh
        return found

    def stands_in(self, target: str, wanted: Any) -> bool:
        """Does some document attached to the target say exactly this, whole or in a part?"""
        return any(
            says(document, wanted)
            for (where, _), documents in self.attachments.items()
            if where == target
            for document in documents
        )


def inner(row: object, name: str) -> Json:
    """Give an object within a row; empty when there is none."""
    found: object = cast("Json", row).get(name) if isinstance(row, Mapping) else None
    return cast("Json", found) if isinstance(found, Mapping) else {}


def listed(row: object, name: str) -> list[Any]:
    """Give a list within a row; empty when there is none."""
    found: object = cast("Json", row).get(name) if isinstance(row, Mapping) else None
    return [*cast("Iterable[Any]", found)] if isinstance(found, list) else []


def attributes(row: Json | None) -> Json:
    """Give the attributes of a row."""
    return inner(row, "attributes")


def read(statement: str) -> Any:
    """Give the JSON of a statement; None when it is none."""
    try:
        return json.loads(statement)
    except (ValueError, RecursionError):
        return None


def says(document: Any, wanted: Any) -> bool:
    """Is something said by a document, as the whole of it or of a part?"""
    if document == wanted:
        return True
    parts: Iterable[Any] = ()
    if isinstance(document, dict):
        parts = cast("dict[str, Any]", document).values()
    elif isinstance(document, list):
        parts = cast("Iterable[Any]", document)
    return any(says(part, wanted) for part in parts)
