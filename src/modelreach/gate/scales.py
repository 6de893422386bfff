"""Which of two settings is the weaker one, where that is known.

Manifests name settings of many products. For a few kinds of values there is an order that all of
them share; of the others it is only said that they differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import cast


class Way(StrEnum):
    """How a new value stands to the old one."""

    SAME = "same"
    WEAKER = "weaker"
    STRONGER = "stronger"
    OTHER = "other"


#: Values that some products order, from weak to strong. The filter strengths and actions are those
#: of https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-components.html; detection
#: without a consequence and masking are ordered likewise elsewhere.
_LADDERS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("none", "off", "disabled"), ("low",), ("medium",), ("high",)),
    (
        ("none", "off", "disabled", "allow"),
        ("detect", "log", "audit", "monitor"),
        ("anonymize", "anonymise", "mask", "redact"),
        ("block", "deny", "reject"),
    ),
)

#: A longer list of these lets more through.
_EXEMPTING = ("allow", "exempt", "exclude", "ignore", "except", "bypass", "skip")


def compare(name: str, old: object, new: object) -> Way:
    """Say how a setting's new value stands to its old one; None is "not set any more", or yet."""
    if old == new:
        return Way.SAME
    if old is None:
        return Way.OTHER
    if new is None:
        return Way.WEAKER
    if isinstance(old, bool) and isinstance(new, bool):
        return _turned(name, weaker=old)
    if is_list(old) and is_list(new):
        return _listed(name, cast("Sequence[object]", old), cast("Sequence[object]", new))
    if isinstance(old, str) and isinstance(new, str) and "threshold" not in name.lower():
        return _on_a_ladder(old, new)
    return Way.OTHER


def flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Give nested settings one by one, by dotted names."""
    for key in sorted(settings):
        value = settings[key]
        if isinstance(value, Mapping):
            yield from flat(cast("Mapping[str, object]", value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def differences(
    old: Mapping[str, object], new: Mapping[str, object]
) -> Iterator[tuple[str, object, object, Way]]:
    """Give every setting that differs, with both values and how they stand to each other."""
    before, after = dict(flat(old)), dict(flat(new))
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        way = compare(name, was, now)
        if way is not Way.SAME:
            yield name, was, now, way


def shown(value: object) -> str:
    """Give a value as a person would write it."""
    match value:
        case None:
            return "not set"
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _ if is_list(value):
            items = cast("Sequence[object]", value)
            return ", ".join(shown(item) for item in items) or "none"
        case Mapping():
            pairs = flat(cast("Mapping[str, object]", value))
            return ", ".join(f"{name} {shown(item)}" for name, item in pairs) or "none"
        case _:
            return str(value)


def is_list(value: object) -> bool:
    """Is it a list of values, as YAML gives it?"""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def words(value: object) -> tuple[str, ...]:
    """Give the members of a list as texts; none of anything else."""
    return tuple(map(shown, cast("Sequence[object]", value))) if is_list(value) else ()


def _turned(name: str, *, weaker: bool) -> Way:
    return Way.OTHER if _exempts(name) else Way.WEAKER if weaker else Way.STRONGER


def _exempts(name: str) -> bool:
    return name.rpartition(".")[2].lower().startswith(_EXEMPTING)


def _listed(name: str, old: Sequence[object], new: Sequence[object]) -> Way:
    before, after = {shown(item) for item in old}, {shown(item) for item in new}
    if before == after:
        return Way.SAME
    lost = after - before if _exempts(name) else before - after
    return Way.WEAKER if lost else Way.STRONGER


def _on_a_ladder(old: str, new: str) -> Way:
    for ladder in _LADDERS:
        rungs = {word: rung for rung, words in enumerate(ladder) for word in words}
        was, now = rungs.get(old.lower()), rungs.get(new.lower())
        if was is not None and now is not None:
            return Way.WEAKER if now < was else Way.STRONGER if now > was else Way.SAME
    return Way.OTHER
