"""What is taken out of an answer before anything sees it.

Collection never asks for a secret value, but some answers carry one beside what is needed: the
environment of a container, the definition of a workflow, a connection string in a property. Names
are kept, values are not.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from modelreach_azure.needed import only_needed

REDACTED: Final = "(redacted)"

#: Fields that hold a secret wherever they stand. Compared without case.
_SECRET: Final = re.compile(
    r"secretText|.*(?:key|password|passphrase|secret|token|connectionStrings?|connectionUrl|sasUri"
    r"|customData|userData)",
    re.IGNORECASE,
)
#: Whole parts that may hold anything that somebody wrote, by name.
_FREE_TEXT: Final = frozenset(
    {
        "arguments",
        "args",
        "command",
        "credentials",
        "definition",
        "extendedproperties",
        "osprofile",
        "parameters",
        "primaryscripturi",
        "protectedsettings",
        "scriptcontent",
        "settings",
        "instructions",
        "customsettings",
        "appsettings",
        "globalparameters",
        "httpheaders",
        "outputs",
        "sitecredentials",
    }
)
#: Maps from the name of a variable to its value, and lists of such pairs.
_VARIABLES: Final = frozenset({"environmentvariables", "env"})
#: Pairs of which the value is a secret unless it is a reference to where one is kept.
_SECRETS: Final = "secrets"


def redacted(operation: str, response: dict[str, Any]) -> dict[str, Any]:
    """Give a response without what may be secret: what is needed of the lists that may hold
    anything, and of that no value that looks like one."""
    needed = only_needed(operation, response)
    if operation == "projects.agents":
        return needed  # which keeps no value but names and addresses
    found = _clean(needed)
    return found if isinstance(found, dict) else {}


def _clean(value: Any) -> Any:
    match value:
        case dict():
            return {name: _field(name, inner) for name, inner in value.items()}
        case list():
            return [_clean(inner) for inner in value]
        case _:
            return value


def _field(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    match _kept(name):
        case _Kept.WHOLE:
            return value
        case _Kept.NAMES:
            return _variables(value)
        case _Kept.PAIRS if isinstance(value, list):
            # Of an access policy these are names of permissions.
            return [_pair(entry) if isinstance(entry, dict) else entry for entry in value]
        case _Kept.NOTHING:
            return REDACTED
        case _Kept.NO_TEXT if isinstance(value, str):
            return REDACTED
        case _:
            return _clean(value)


class _Kept(Enum):
    """What is kept of a field."""

    WHOLE = "whole"
    NAMES = "names of variables"
    PAIRS = "names of secrets"
    NOTHING = "nothing"
    NO_TEXT = "all but text"
    CLEAN = "what is below it, cleaned"


@lru_cache(maxsize=4096)
def _kept(name: str) -> _Kept:
    """Say what is kept of fields of a name. There are few names, and many fields."""
    lowered = name.lower()
    if lowered == "tags":
        return _Kept.WHOLE
    if lowered in _VARIABLES:
        return _Kept.NAMES
    if lowered == _SECRETS:
        return _Kept.PAIRS
    if lowered in _FREE_TEXT:
        return _Kept.NOTHING
    return _Kept.NO_TEXT if _SECRET.fullmatch(name) else _Kept.CLEAN


def _variables(value: Any) -> Any:
    if isinstance(value, dict):
        return dict.fromkeys(value, REDACTED)
    return [_pair(entry) for entry in value] if isinstance(value, list) else REDACTED


def _pair(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return REDACTED
    return {
        name: REDACTED if name.lower() in ("value", "securevalue") else _clean(inner)
        for name, inner in entry.items()
    }
