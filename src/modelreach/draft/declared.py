"""What a manifest declares, in the words of a draft: nothing else that is said beats it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from yaml import Node

from modelreach import strict_yaml
from modelreach.deployment import decode
from modelreach.draft.files import mapping
from modelreach.draft.said import KEYED, Rank, Said

_OPEN: Final = frozenset({"model", "autonomy", "exposure", "observability", "rollback"})


def declared(raw: bytes, place: str) -> Iterator[Said]:
    """Give every value of a manifest, with its line. Raises `InputError` for what is none."""
    decode(raw, place=place)
    tree = strict_yaml.compose(raw, place)
    found = cast(dict[str, Any], strict_yaml.Loader(raw).construct_document(tree))  # pyright: ignore[reportUnknownMemberType]
    for name, value in cast(dict[str, Any], found["metadata"]).items():
        path = ("metadata", name)
        if name == "owner" and isinstance(value, str):
            yield _said((*path, "team"), value, tree, path)
        else:
            yield from _said_in(path, value, tree, path, name == "owner")
    for name, value in cast(dict[str, Any], found["spec"]).items():
        if value is not None:
            yield from _section(name, value, tree)


def _section(name: str, value: Any, tree: Node) -> Iterator[Said]:
    path = ("spec", name)
    members: list[Any] = cast(Any, value) if isinstance(value, list) else []
    ids = [str(mapping(one)["id"]) for one in members if "id" in mapping(one)]
    if name in KEYED and members and len(set(ids)) == len(members):
        for place, (id_, one) in enumerate(zip(ids, members, strict=True)):
            for field, inner in cast(dict[str, Any], one).items():
                if field != "id":
                    steps = ("spec", f"{name}[{place}]", field)
                    yield _said((*path, id_, field), inner, tree, steps)
    else:
        yield from _said_in(path, value, tree, path, name in _OPEN or name == "infrastructure")


def _said_in(
    path: tuple[str, ...], value: Any, tree: Node, steps: tuple[str, ...], opened: bool
) -> Iterator[Said]:
    """Give a value, or if it is to be opened the values in it."""
    if opened and isinstance(value, dict) and value:
        for field, inner in cast(dict[str, Any], value).items():
            deeper = field == "systemPrompt"
            yield from _said_in((*path, field), inner, tree, (*steps, field), deeper)
    else:
        yield _said(path, value, tree, steps)


def _said(path: tuple[str, ...], value: Any, tree: Node, steps: tuple[str, ...]) -> Said:
    line = strict_yaml.line_of(tree, ".".join(("$", *steps)))
    return Said(path, value, f"line {line}", Rank.DECLARED)
