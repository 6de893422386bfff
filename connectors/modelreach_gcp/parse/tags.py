"""Tags: what is attached, and what is inherited, as conditions see them.

A condition names a tag by its key with the parent of the key (`111/env`) and by a short value, or
by permanent ids: https://cloud.google.com/iam/docs/tags-access-control
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelreach.collect.facts import attributes
from modelreach.snapshot import AttributeValue
from modelreach_gcp.estate import Estate
from modelreach_gcp.select import listed, text


def tags_of(found: Mapping[str, Any], scope: str, estate: Estate) -> dict[str, AttributeValue]:
    """Give the attributes that the search in bulk tells of the tags of a thing in a scope."""
    own = listed(found, "tags") if "tags" in found else []
    groups = listed(found, "effectiveTags") if "effectiveTags" in found else []
    above = list(estate.lineage(scope))
    groups.sort(key=lambda group: _distance(group, above, estate))
    inherited = (tag for group in groups for tag in listed(group, "effectiveTags"))
    effective = _nearest([*own, *inherited])
    return attributes(
        tags=_values(own),
        tag_ids=_ids(own),
        effective_tags=_values(effective),
        effective_tag_ids=_ids(effective),
    )


def _distance(group: Mapping[str, Any], above: list[str], estate: Estate) -> int:
    """Give how far up tags are attached: what is no scope above is the thing itself."""
    holder = estate.scope(text(group.get("attachedResource")))
    return above.index(holder) if holder in above else -1


def _nearest(tags: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give one tag of each key: what is attached nearer overrides what is inherited.
    https://cloud.google.com/resource-manager/docs/tags/tags-overview#inheritance"""
    found: dict[str, dict[str, Any]] = {}
    for tag in tags:
        key = text(tag.get("tagKey")) or text(tag.get("tagKeyId")) or text(tag.get("tagValue"))
        found.setdefault(key, tag)
    return list(found.values())


def _values(tags: list[dict[str, Any]]) -> Iterator[str]:
    for tag in tags:
        if value := text(tag.get("tagValue")):
            yield value


def _ids(tags: list[dict[str, Any]]) -> Iterator[str]:
    for tag in tags:
        key, value = text(tag.get("tagKeyId")), text(tag.get("tagValueId"))
        if key and value:
            yield f"{key}={value}"
