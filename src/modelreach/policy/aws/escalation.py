"""Escalation rules as data: what each needs of the caller and what it yields.

The rules stand in `escalation.yaml` beside this module, which explains their words. `pivots`
evaluates them; nothing here decides anything.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from modelreach import strict_yaml


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the catalogue's parts."""


class Need(Part, frozen=True):
    """One permission that the caller needs, on what, and in which fixed context."""

    action: str
    on: Literal["self", "self-policy", "own-group", "target", "target-policy", "compute", "new"]
    context: dict[str, str] = {}


class Target(Part, frozen=True):
    """Which principals a rule can be aimed at."""

    kind: Literal["user", "role", "group"]
    trusts: str = ""
    assumable: bool = False


class EscalationRule(Part, frozen=True):
    """One way to become another, or more."""

    id: str
    title: str
    kind: str
    needs: tuple[Need, ...]
    yields: Literal["target", "any-policy", "target-any-policy", "compute-identity"]
    cite: str
    source: Literal["user", "role", ""] = ""
    target: Target | None = None
    compute: str = ""


class _Catalogue(Part, frozen=True):
    version: Literal[1]
    rules: tuple[EscalationRule, ...]


@lru_cache(maxsize=1)
def rules() -> tuple[EscalationRule, ...]:
    """Give the built-in rules, in the catalogue's order."""
    raw = files("modelreach.policy.aws").joinpath("escalation.yaml").read_bytes()
    catalogue, _ = strict_yaml.decode(
        raw, _Catalogue, place="escalation.yaml", what="a rule catalogue", hint="", fields=()
    )
    return catalogue.rules
