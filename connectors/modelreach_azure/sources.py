"""What `--from` names for Azure: recordings, and exports of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from modelreach.collect import sources
from modelreach.model import InputError
from modelreach_azure import exports, recording
from modelreach_azure.answers import Answer

EXPECTED: Final = (
    "expected a recording of `modelreach collect azure --record DIR`, AzureHound's output, or "
    "what `az role assignment list --all`, `az role definition list`, `az ad sp list --all` or "
    "`az graph query` prints"
)


def read(given: Sequence[Path], *, now: str) -> tuple[str, tuple[Answer, ...]]:
    """Give the time and the answers of all sources together.

    The time is that of the latest recording, `now` without one. Raises `InputError` for what
    cannot be read, is not recognised, lacks files, says two things about one question, or is of
    several tenants.
    """
    exported = exports.Exports()

    def take(content: Any, place: str) -> tuple[Answer, ...] | None:
        # Lists of several files amount to an answer together, once all are read.
        return () if exported.take(content, place=place) else None

    form = sources.Form(
        expected=EXPECTED,
        one_each="give one source for each tenant and time",
        recorded=recording.FORMAT.read,
        exported=take,
        about=_about,
    )
    taken_at, recorded = sources.read(given, form)
    tenants = {one.tenant for one in recorded}
    told = exported.answers(next(iter(tenants), ""))
    _must_be_one(tenants | {one.tenant for one in told}, str(given[0]))
    return taken_at or now, (*recorded, *told)


def _about(one: Answer) -> str:
    return f"{one.operation} of `{one.place or one.tenant}`"


def _must_be_one(tenants: set[str], place: str) -> None:
    if len(tenants) > 1:
        raise InputError(
            f"these sources are of {len(tenants)} tenants: {', '.join(sorted(tenants))}",
            place=place,
            hint="make a snapshot of each",
        )
