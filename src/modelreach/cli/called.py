"""Which thing of a snapshot is meant by what somebody typed: an id, a name, or nearly one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.snapshot import Principal, Resource, Scope


def id_of(name: str, facts: Iterable[Principal | Resource | Scope], place: str) -> str:
    """Give the id of the only fact that is called so; "" where there is none.

    Raises `InputError` for a name of several, none of which has it as its id.
    """
    ids = sorted({fact.id for fact in facts if name in (fact.id, fact.name)})
    if len(ids) > 1 and name not in ids:
        several = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
        raise InputError(f"`{name}` is what several are called", place=place, hint=several)
    return name if name in ids else "".join(ids)


def near(name: str, names: Iterable[str]) -> str:
    """Ask whether the name that looks most like this one was meant; "" where none does."""
    import difflib

    found = difflib.get_close_matches(name, sorted({*names} - {"", name}), n=1, cutoff=0.8)
    return f"did you mean `{found[0]}`? " if found else ""
