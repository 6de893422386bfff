"""The functions that IAM adds to CEL, for cel-python; and which of them need what.

https://docs.cloud.google.com/iam/docs/conditions-attribute-reference#resource-tags
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from celpy.celtypes import BoolType, StringType

#: Called on `resource`, these ask for its tags.
TAGS = frozenset({"hasTagKey", "hasTagKeyId", "matchTag", "matchTagId"})
#: Called on a time, these give something that comes again.
RECURRING = frozenset(
    {
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
        "getDayOfWeek",
        "getDate",
        "getDayOfMonth",
        "getDayOfYear",
        "getMonth",
        "getFullYear",
    }
)
#: Functions that depend on nothing but their arguments.
PURE = frozenset(
    {"timestamp", "duration", "size", "string", "int", "uint", "double", "bool", "bytes", "type"}
)


class Tags(msgspec.Struct, frozen=True):
    """The effective tags of a thing: `111/env/prod`, and `tagKeys/1=tagValues/2`."""

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()


@lru_cache(1)
def _resource_type() -> type[Any]:
    from celpy.celtypes import MapType

    class ResourceValue(MapType):
        """`resource` of a condition, with its tags beside its attributes."""

        tags: Tags | None = None

    return ResourceValue


def Resource(attributes: dict[Any, Any]) -> Any:  # noqa: N802 - makes a value of a lazy class
    """Give `resource` as a value of CEL."""
    return _resource_type()(attributes)


@lru_cache(1)
def functions() -> dict[str, Callable[..., Any]]:
    """Give the functions by name."""
    from celpy.celtypes import BoolType, StringType

    def has_key(resource: Any, key: StringType) -> BoolType:
        return BoolType(any(tag.startswith(f"{key}/") for tag in _tags(resource).names))

    def has_key_id(resource: Any, key: StringType) -> BoolType:
        return BoolType(any(tag.startswith(f"{key}=") for tag in _tags(resource).ids))

    def match(resource: Any, key: StringType, value: StringType) -> BoolType:
        return BoolType(f"{key}/{value}" in _tags(resource).names)

    def match_id(resource: Any, key: StringType, value: StringType) -> BoolType:
        return BoolType(f"{key}={value}" in _tags(resource).ids)

    def extract(text: StringType, template: StringType) -> StringType:
        return StringType(extracted(str(text), str(template)))

    return {
        "hasTagKey": has_key,
        "hasTagKeyId": has_key_id,
        "matchTag": match,
        "matchTagId": match_id,
        "extract": extract,
    }


def _tags(resource: Any) -> Tags:
    found = getattr(resource, "tags", None)
    return found if isinstance(found, Tags) else Tags()


def extracted(text: str, template: str) -> str:
    """Give what stands in the place of `{name}` of a template: after the text before it, up to
    the text behind it; "" where the template does not fit.

    https://docs.cloud.google.com/iam/docs/conditions-attribute-reference#extract
    """
    before, brace, rest = template.partition("{")
    _, closed, after = rest.partition("}")
    if not brace or not closed:
        return ""
    start = text.find(before)
    if start < 0:
        return ""
    start += len(before)
    end = text.find(after, start) if after else len(text)
    return text[start:end] if end >= 0 else ""
