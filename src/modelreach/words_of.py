"""Which words a place in a file may hold, for messages about one that it does not."""

from __future__ import annotations

import re

from msgspec import inspect

_STEP = re.compile(r"\.([^.\[]+)|\[(?:\d+|\.\.\.)\]")


def words_at(type_: type, path: str) -> tuple[str, ...]:
    """Give the words that a file of this type may have at a path such as `$.spec.tools[0].effect`;
    none where it may hold more than words."""
    found = [inspect.type_info(type_)]
    for step in _STEP.finditer(path):
        found = [inner for each in _opened(found) for inner in _inner(each, step.group(1))]
    return tuple(dict.fromkeys(word for each in _opened(found) for word in _words(each)))


def _opened(types: list[inspect.Type]) -> list[inspect.Type]:
    """Give each type, and those of a choice one by one."""
    return [
        one
        for each in types
        for one in (each.types if isinstance(each, inspect.UnionType) else (each,))
    ]


def _inner(type_: inspect.Type, field: str | None) -> list[inspect.Type]:
    match type_:
        case inspect.StructType() if field:
            return [one.type for one in type_.fields if one.encode_name == field]
        case inspect.DictType():
            return [type_.value_type]
        case inspect.ListType() | inspect.VarTupleType() if not field:
            return [type_.item_type]
        case _:
            return []


def _words(type_: inspect.Type) -> tuple[str, ...]:
    match type_:
        case inspect.LiteralType():
            return tuple(map(str, type_.values))
        case inspect.EnumType():
            return tuple(str(one.value) for one in type_.cls)
        case _:
            return ()
