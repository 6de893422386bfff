"""Which words and fields a place in a file may hold, for messages about one that it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import inspect

_STEP = re.compile(r"\.([^.\[]+)|\[(?:\d+|\.\.\.)\]")


def words_at(type_: type, path: str) -> tuple[str, ...]:
    """Give the words that a file of this type may have at a path such as `$.spec.tools[0].effect`;
    none where it may hold more than words."""
    found = [inspect.type_info(type_)]
    for step in _STEP.finditer(path):
        found = [inner for each in _opened(found) for inner in _inner(each, step.group(1))]
    return tuple(dict.fromkeys(word for each in _opened(found) for word in _words(each)))


def fields_at(type_: type, path: str) -> tuple[str, ...]:
    """Give the fields that a file of this type may have at a path."""
    found = [inspect.type_info(type_)]
    for step in _STEP.finditer(path):
        found = [inner for each in _opened(found) for inner in _inner(each, step.group(1))]
    structs = [each for each in _opened(found) if isinstance(each, inspect.StructType)]
    return tuple(dict.fromkeys(one.encode_name for each in structs for one in each.fields))


def place_of(type_: type, field: str) -> str:
    """Give where a file of this type has a field, such as `gate.fail_on`, the nearest to the top;
    "" where it has none of that name."""
    level: list[tuple[str, inspect.Type]] = [("", inspect.type_info(type_))]
    while level:
        deeper: list[tuple[str, inspect.Type]] = []
        for where, each in level:
            for one in each.fields if isinstance(each, inspect.StructType) else ():
                path = f"{where}{one.encode_name}"
                if one.encode_name == field:
                    return path
                deeper += [(f"{path}{sign}.", inner) for sign, inner in _held(one.type)]
        level = deeper
    return ""


def _held(type_: inspect.Type) -> Iterator[tuple[str, inspect.Type]]:
    """What a field may hold that has fields, and how a list of it is written."""
    for each in _opened([type_]):
        if isinstance(each, inspect.StructType):
            yield "", each
        elif isinstance(each, inspect.ListType | inspect.VarTupleType):
            yield from (("[]", one) for _, one in _held(each.item_type))


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
