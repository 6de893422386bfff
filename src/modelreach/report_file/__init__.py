"""Reports as they leave the program: `modelreach.diff/2`, `modelreach.radius/2` and
`modelreach.ticket/2`.

Files of the first version, in which each row wrote out all that it said, are still read.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from modelreach.report import DiffReport, RadiusReport, Report, Ticket
from modelreach.report_file.lines import DiffFile, RadiusFile, TicketFile
from modelreach.report_file.reading import diff_report, radius_report, ticket
from modelreach.report_file.writing import diff_file, radius_file, ticket_file

__all__ = ["DiffFile", "RadiusFile", "TicketFile", "decode", "decode_ticket", "encode", "packed"]

#: As many bytes of a report are still read by a person as they are.
_LARGE = 1_000_000


def encode(report: Report | Ticket) -> bytes:
    """Give the report as JSON: two spaces, keys in the order of the types, newline at the end.

    One of more than a megabyte has a line for each row or entry of a table instead: a third of it
    would be spaces.
    """
    file = ticket_file(report) if isinstance(report, Ticket) else _file(report)
    raw = msgspec.json.encode(file)
    if len(raw) <= _LARGE:
        return msgspec.json.format(raw, indent=2) + b"\n"
    fields = (
        msgspec.json.encode(name) + b": " + _lines(getattr(file, field))
        for field, name in zip(file.__struct_fields__, file.__struct_encode_fields__, strict=True)
    )
    return b"{\n  " + b",\n  ".join(fields) + b"\n}\n"


def packed(report: Report) -> bytes:
    """Give the same as few bytes, for programs."""
    return msgspec.json.encode(_file(report))


def _file(report: Report) -> DiffFile | RadiusFile:
    return diff_file(report) if isinstance(report, DiffReport) else radius_file(report)


def _lines(value: object) -> bytes:
    """Give a value on a line, a table with a line for each row or entry."""
    if value and isinstance(value, tuple):
        rows = cast("tuple[object, ...]", value)
        return b"[\n    " + b",\n    ".join(map(msgspec.json.encode, rows)) + b"\n  ]"
    if value and isinstance(value, dict):
        entries = (_entry(*item) for item in cast("dict[str, object]", value).items())
        return b"{\n    " + b",\n    ".join(entries) + b"\n  }"
    return msgspec.json.encode(value)


def _entry(key: str, entry: object) -> bytes:
    return msgspec.json.encode(key) + b": " + msgspec.json.encode(entry)


class _Head(msgspec.Struct):
    schema: str = ""


class _Diff1(DiffReport, frozen=True):
    schema: Literal["modelreach.diff/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


class _Radius1(RadiusReport, frozen=True):
    schema: Literal["modelreach.radius/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


def decode(raw: bytes | str) -> Report:
    """Read a saved report. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    match msgspec.json.decode(raw, type=_Head).schema:
        case "modelreach.diff/1":
            found = msgspec.json.decode(raw, type=_Diff1)
            return DiffReport(**_renewed(found, "modelreach.diff/2"))
        case "modelreach.radius/1":
            found1 = msgspec.json.decode(raw, type=_Radius1)
            return RadiusReport(**_renewed(found1, "modelreach.radius/2"))
        case "modelreach.diff/2":
            return diff_report(msgspec.json.decode(raw, type=DiffFile))
        case "modelreach.radius/2":
            return radius_report(msgspec.json.decode(raw, type=RadiusFile))
        case other:
            said = f"it is `{other[:60]}`" if other else "it does not say what it is"
            raise msgspec.ValidationError(said)


class _Ticket1(Ticket, frozen=True):
    schema: Literal["modelreach.ticket/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


def decode_ticket(raw: bytes | str) -> Ticket:
    """Read a saved ticket. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    if msgspec.json.decode(raw, type=_Head).schema == "modelreach.ticket/1":
        found = msgspec.json.decode(raw, type=_Ticket1)
        return Ticket(**_renewed(found, "modelreach.ticket/2"))
    return ticket(msgspec.json.decode(raw, type=TicketFile))


def _renewed(report: DiffReport | RadiusReport | Ticket, schema: str) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__} | {"schema": schema}
