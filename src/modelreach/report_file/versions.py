"""Saved reports of every version, read as the report that they are of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from modelreach.report import (
    ChangeRow,
    DiffReport,
    GrantRow,
    RadiusReport,
    Report,
    Ticket,
)
from modelreach.report_file import reading
from modelreach.report_file.lines import DiffFile, RadiusFile, TicketFile


class _Head(msgspec.Struct):
    schema: str = ""


class _Diff1(DiffReport, frozen=True):
    schema: Literal["modelreach.diff/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


class _Radius1(RadiusReport, frozen=True):
    schema: Literal["modelreach.radius/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


def report(raw: bytes | str) -> Report:
    """Read a saved report. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    match msgspec.json.decode(raw, type=_Head).schema:
        case "modelreach.diff/1":
            found = msgspec.json.decode(raw, type=_Diff1)
            _check(found.changes)
            return DiffReport(**_renewed(found, "modelreach.diff/2"))
        case "modelreach.radius/1":
            found1 = msgspec.json.decode(raw, type=_Radius1)
            _check(found1.grants)
            return RadiusReport(**_renewed(found1, "modelreach.radius/2"))
        case "modelreach.diff/2":
            return reading.diff_report(msgspec.json.decode(raw, type=DiffFile))
        case "modelreach.radius/2":
            return reading.radius_report(msgspec.json.decode(raw, type=RadiusFile))
        case other:
            said = f"it is `{other[:60]}`" if other else "it does not say what it is"
            raise msgspec.ValidationError(said)


class _Ticket1(Ticket, frozen=True):
    schema: Literal["modelreach.ticket/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


def ticket(raw: bytes | str) -> Ticket:
    """Read a saved ticket. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    if msgspec.json.decode(raw, type=_Head).schema == "modelreach.ticket/1":
        found = msgspec.json.decode(raw, type=_Ticket1)
        return Ticket(**_renewed(found, "modelreach.ticket/2"))
    return reading.ticket(msgspec.json.decode(raw, type=TicketFile))


def _check(rows: Iterable[ChangeRow | GrantRow]) -> None:
    for row in rows:
        reading.level(row.sensitivity)


def _renewed(old: DiffReport | RadiusReport | Ticket, schema: str) -> dict[str, Any]:
    return {name: getattr(old, name) for name in old.__struct_fields__} | {"schema": schema}
