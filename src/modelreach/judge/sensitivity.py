"""How much it matters that a resource is reached: by its type, its tags, the user's rules.

The highest level wins; a user's rule wins over the rest, so that it can also lower a level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from modelreach.judge.policy import SensitiveRule
from modelreach.model import Capability, Sensitivity
from modelreach.policy.glob import match
from modelreach.policy.providers import sensitive_kinds

_ORDER = {
    Sensitivity.NONE: 0,
    Sensitivity.LOW: 1,
    Sensitivity.MEDIUM: 2,
    Sensitivity.HIGH: 3,
}

#: Tag keys under which organisations write a data classification, spelling folded.
CLASSIFICATION_TAGS = frozenset(
    {
        "dataclass",
        "dataclassification",
        "classification",
        "sensitivity",
        "datasensitivity",
        "confidentiality",
        "compliance",
    }
)
_HIGH_VALUES = frozenset(
    {
        "pii",
        "phi",
        "pci",
        "pcidss",
        "hipaa",
        "gdpr",
        "confidential",
        "restricted",
        "secret",
        "topsecret",
        "sensitive",
        "high",
        "critical",
        "personal",
        "financial",
        "crownjewel",
        "highlyconfidential",
    }
)
_MEDIUM_VALUES = frozenset({"internal", "medium", "private"})

#: Capabilities that touch what a resource holds or who may have it, not only its name.
EXPOSING = frozenset({Capability.READ, Capability.WRITE, Capability.MANAGE, Capability.ADMINISTER})


class Rated(msgspec.Struct, frozen=True):
    """A level, and why."""

    level: Sensitivity
    why: str


INSENSITIVE = Rated(Sensitivity.NONE, "")


def rate(
    resource: str,
    kind: str,
    tags: Mapping[str, str],
    rules: tuple[SensitiveRule, ...],
    placed: Callable[[str], str] = str,
) -> Rated:
    """Give the sensitivity of one resource (or, with no tags, of a pattern). `placed` gives a
    rule's glob in the spelling of the provider's ids."""
    for rule in rules:
        if _applies(rule, resource, tags, placed):
            return Rated(rule.level, rule.why or "named by the rules of this project")
    rated = [_by_tags(tags)]
    by_kind = sensitive_kinds().get(kind)
    if by_kind is not None:
        rated.append(Rated(*by_kind))
    return max(rated, key=lambda r: _ORDER[r.level])


def _applies(
    rule: SensitiveRule, resource: str, tags: Mapping[str, str], placed: Callable[[str], str]
) -> bool:
    if rule.glob and not match(placed(rule.glob), resource):
        return False
    if rule.tags:
        return any(tags.get(key) in values for key, values in rule.tags)
    return bool(rule.glob)


@lru_cache(4096)
def _folded(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _by_tags(tags: Mapping[str, str]) -> Rated:
    best = INSENSITIVE
    for key, value in sorted(tags.items()):
        name = _folded(key.rsplit(":", 1)[-1].rsplit("/", 1)[-1])
        if name not in CLASSIFICATION_TAGS:
            continue
        words = {_folded(word) for word in value.replace(";", ",").replace("+", ",").split(",")}
        level = (
            Sensitivity.HIGH
            if words & _HIGH_VALUES
            else Sensitivity.MEDIUM
            if words & _MEDIUM_VALUES
            else Sensitivity.NONE
        )
        if _ORDER[level] > _ORDER[best.level]:
            best = Rated(level, f"tagged {key}={value}")
    return best
