"""From one answer to the parameters of the calls that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Parameters = dict[str, str]
#: Takes the parameters and the response of an answered call.
Select = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Parameters]]


def rows(response: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Give the items of a list: `value` of ARM and Graph, `data` of Resource Graph."""
    found = (response or {}).get("value", (response or {}).get("data"))
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def words(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Give the texts of a list of a row, empty where it has none."""
    found = row.get(name)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def items(row: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the structures of a list of a row, empty where it has none."""
    found = row.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def at(value: Any, path: str) -> Any:
    """Give what is at a dotted path, None where there is nothing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def each(
    name: str = "id",
    *,
    type_: str = "",
    kind: str = "",
    having: Callable[[Any], bool] | None = None,
) -> Select:
    """Select a call for each item: `id` is its `name`d field.

    `type_` keeps items of an ARM type, `kind` those of an `@odata.type`, `having` those of which
    it is true.
    """

    def select(_: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[Parameters]:
        for row in rows(response):
            if type_ and str(row.get("type", "")).lower() != type_:
                continue
            if kind and str(row.get("@odata.type", "")).lower() != f"#microsoft.graph.{kind}":
                continue
            if row.get(name) and (having is None or having(row)):
                yield {"id": str(row[name])}

    return select
