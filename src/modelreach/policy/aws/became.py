"""Principals that are not in the snapshot: what one would be after a change that it can make.

A hop may yield more than an identity that exists: the caller with any policy, in a group, under
another version of a policy, without its boundary, or within limits (a session policy, a credential
that opens one service); or a role or user that the caller makes, which its own boundary does not
bind. Such a one has a name of its own, its principal's ARN and a suffix. Names
of IAM entities have no `#` (paths may have), so that the two cannot be taken for each other.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class How(StrEnum):
    """What became of a principal. The value is how the suffix of its name begins."""

    ANY_POLICY = "any-policy"
    NO_BOUNDARY = "no-boundary"
    MEMBER = "group="
    VERSION = "policy="
    LIMITED = "only-through="
    SESSION = "session="
    MADE_WITHIN = "made-within="
    MADE = "made"


#: Stands between the digests of session policies.
SEVERAL: Final = "+"


class Became(msgspec.Struct, frozen=True):
    """`base` is the principal's ARN. `what` is the group's or policy's name, the id of the rule
    that limits, the digests of the session policies, or the name of a policy that is the boundary;
    `version` that of the policy, put in force by one who has `joined` a group, if not "".
    """

    base: str
    how: How
    what: str = ""
    version: str = ""
    joined: str = ""

    @property
    def name(self) -> str:
        """Its name, which `became` reads back."""
        version = f"#{self.version}" if self.version else ""
        joined = f"#{How.MEMBER}{self.joined}" if self.joined else ""
        return f"{self.base}{joined}#{self.how}{self.what}{version}"


def became(name: str) -> Became | None:
    """Read a name; None if it is that of a principal as it stands."""
    start = name.find("#", name.rfind("/") + 1)
    if start < 0:
        return None
    base, suffix, joined = name[:start], name[start + 1 :], ""
    if suffix.startswith(How.MEMBER) and "#" in suffix:
        joined, _, suffix = suffix.removeprefix(How.MEMBER).partition("#")
    how = next((how for how in How if suffix.startswith(how)), None)
    if how is None:
        return None
    what, _, version = suffix.removeprefix(how).partition("#")
    return Became(base, how, what, version, joined)
