"""From one answer to the parameters of the calls that it leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelreach_gcp.call import After, Parameters


def at(value: Any, path: str) -> Any:
    """Give what is at a dotted path, None where there is nothing."""
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value


def over(items: str, *, having: tuple[str, str] | None = None, **bind: str) -> After:
    """Select one call for each item of a list: `bind` gives parameters by a path in the item.

    A path that starts with `^` is of a parameter of the call that was answered. An item that
    lacks one gives no call. The place stays that of the answer.
    """

    def select(
        place: str, parameters: Mapping[str, Any], response: Mapping[str, Any]
    ) -> Iterator[tuple[str, Parameters]]:
        for item in listed(response, items):
            if having and at(item, having[0]) != having[1]:
                continue
            made = {name: _value(path, item, parameters) for name, path in bind.items()}
            if all(isinstance(value, str) and value for value in made.values()):
                yield place, made

    return select


def _value(path: str, item: Any, parameters: Mapping[str, Any]) -> Any:
    return parameters.get(path[1:]) if path.startswith("^") else at(item, path)


def listed(response: Mapping[str, Any], items: str) -> list[dict[str, Any]]:
    """Give the items of a list in a response, or the response itself for no name; what is not
    an object is left out."""
    found = response if not items else response.get(items)
    whole = found if isinstance(found, list) else [found]
    return [item for item in whole if isinstance(item, dict)]


def text(value: object) -> str:
    """Give a text as it is, "" for what is none."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """Give the texts of a list, nothing for what is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def parent(
    _place: str, _parameters: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, Parameters]]:
    """Select the scope above the one that was answered."""
    above = response.get("parent")
    if isinstance(above, str) and above:
        yield above, {"name": above}
