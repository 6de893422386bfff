"""What commands are made of: words, each quoted for a POSIX shell.

Names come from a cloud and are hostile: every argument is quoted, and where a name holds a control
character there is no command at all, since nobody could check what it does.
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Callable

import msgspec

from modelreach.report import CredentialRow


class Commands(msgspec.Struct, frozen=True):
    """Commands for a shell: what revokes, and what undoes that (nothing where it cannot be).
    `where` says whose credentials they need."""

    revoke: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    where: str = ""


class Step(msgspec.Struct, frozen=True):
    """A step to take away: who does what to what, because of which statement on which target.
    `number` is that of the cut, `sid` names the statement or its assignment, `layer` where it
    stands."""

    subject: str
    actions: tuple[str, ...]
    objects: tuple[str, ...]
    number: int
    target: str = ""
    statement: str = ""
    sid: str = ""
    layer: str = ""


class Provider(msgspec.Struct, frozen=True):
    """How one provider denies a step, halts an identity, and makes a key inactive."""

    deny: Callable[[Step], Commands | None]
    stop: Callable[[str], Commands | None]
    key: Callable[[CredentialRow], Commands | None]


def line(*words: str) -> str:
    """Give one command line, each word quoted for a POSIX shell."""
    return shlex.join(words)


def is_plain(*texts: str) -> bool:
    """Has every text no character that moves, hides or controls what a reader sees?"""
    return all(unicodedata.category(c) not in _HIDDEN for text in texts for c in text)


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
