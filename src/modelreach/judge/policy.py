"""What the user counts as sensitive, how old a key may be, and what fails the gate."""

from __future__ import annotations

import msgspec

from modelreach.model import Sensitivity, Severity


class SensitiveRule(msgspec.Struct, frozen=True):
    """Resources that match `glob` (if given) and carry one of the `tags` (if given)."""

    level: Sensitivity
    why: str
    glob: str = ""
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()


class KeyLimits(msgspec.Struct, frozen=True):
    """Days. A key older than `max_age`, or unused for longer than `unused_after`, is a finding."""

    max_age: int = 90
    unused_after: int = 45


class RuleSetting(msgspec.Struct, frozen=True):
    """What a user changed about a rule."""

    enabled: bool = True
    severity: Severity | None = None


class JudgePolicy(msgspec.Struct, frozen=True):
    """Everything that judging takes from the user. The defaults are the tool's own."""

    sensitive: tuple[SensitiveRule, ...] = ()
    keys: KeyLimits = KeyLimits()
    rules: tuple[tuple[str, RuleSetting], ...] = ()
    #: Globs over secrets, each with the principal whose credentials they hold.
    opens: tuple[tuple[str, str], ...] = ()
