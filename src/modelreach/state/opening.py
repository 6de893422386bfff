"""Opening a state; what speaks to the database is only loaded here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from modelreach.model import InputError, MissingExtra
from modelreach.state.place import place_of

if TYPE_CHECKING:
    from modelreach.state.database import State


def open_state(
    state: str, blobs: str = "", *, make: bool = False, read_only: bool = False
) -> State:
    """Open a state: a folder, a SQLite file, or `postgresql://…`; `blobs` where they are not
    beside the file. With `make` one that is not there is made, and an older one brought up to
    date.

    Raises `InputError` for what is no state, `StateUnavailable` when it does not answer,
    `MissingExtra` when SQLAlchemy or psycopg is not installed.
    """
    place = place_of(state, blobs)
    _installed("sqlalchemy", "state", state)
    if not place.file:
        _installed("psycopg", "postgres", state)
    elif not make and not Path(place.file).exists():
        raise InputError(
            "there is no state here yet",
            place=place.file,
            hint="`modelreach audit MANIFEST --state …` makes one",
        )
    from modelreach.state.database import State

    return State(state, place, make=make, read_only=read_only)


def _installed(module: str, extra: str, state: str) -> None:
    if find_spec(module) is None:
        raise MissingExtra(extra, f"the state `{state}`")
