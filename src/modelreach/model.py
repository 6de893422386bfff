"""The words of the field, as values: verdicts, capabilities, strengths, errors.

Every other module speaks in these. Nothing here knows a provider.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """The answer to "may this principal do that?".

    `UNKNOWN` is an answer of its own: something that could grant the access was not read
    or not understood. It is never to be read as a denial.
    """

    ALLOW = "allow"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"
    DENY = "deny"


class Strength(StrEnum):
    """How sure a hop is. `INFLUENCE` may feed or prompt the next node, but not act as it, and is
    certain, conditional or unknown itself (see `policy.weakness`)."""

    CERTAIN = "certain"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"
    INFLUENCE = "influence"


class Capability(StrEnum):
    """What kind of access a set of actions gives. The first five are the access levels of
    the AWS service authorization reference; other providers' actions are sorted into them.
    """

    LIST = "list"
    READ = "read"
    WRITE = "write"
    TAG = "tag"
    MANAGE = "manage"
    ASSUME = "assume"
    ADMINISTER = "administer"


class Sensitivity(StrEnum):
    """How much it matters that a resource is reached."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Severity(StrEnum):
    """How bad a finding is. `RANK` orders them."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


RANK: dict[Severity, int] = {
    Severity.LOW: 1,
    Severity.MEDIUM: 2,
    Severity.HIGH: 3,
    Severity.CRITICAL: 4,
}


#: How what has become of a principal is told by its name, as each provider's own reader knows it.
CHANGES: Final = frozenset(
    (
        *("any-role", "roles", "no-deny-policy", "no-boundary", "any-tag", "no-constraint"),
        *("bound-roles", "tokens-for-others"),
        *("any-policy", "group", "policy", "only-through", "session", "made-within", "made"),
    )
)


def base_of(name: str) -> str:
    """Give the principal that a name is, or is made of (`ID#any-policy`, `ID#any-role@PLACE`)."""
    if name.startswith("arn:"):
        # A path may have the sign in it, and what became of somebody may have it several times.
        end = name.find("#", name.rfind("/") + 1)
        return name if end < 0 else name[:end]
    base, _, change = name.rpartition("#")
    word = change.partition("=")[0].partition("@")[0]
    return base if word in CHANGES else name


class ModelreachError(Exception):
    """A wrong call or broken surroundings. Only the command line catches it.

    `message` says what and why in one lower-case line; `hint` says what to do next.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(ModelreachError):
    """A file or argument that cannot be used. `place` is `file`, `file:line` or a JSON path."""

    def __init__(self, message: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place = place


class NothingCollected(ModelreachError):
    """No credentials, or nothing answered: there is no snapshot to write."""

    exit_code = 4


class MissingExtra(ModelreachError):
    """A part needs a package of an optional extra that is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the `{extra}` extra, which is not installed",
            hint=f"pip install 'modelreach[{extra}]'",
        )
        self.extra = extra
