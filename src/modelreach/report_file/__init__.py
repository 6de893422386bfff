"""Reports as they leave the program: `modelreach.diff/2`, `modelreach.radius/2` and
`modelreach.ticket/2`.

Files of the first version, in which each row wrote out all that it said, are still read.
"""

from __future__ import annotations

from typing import cast

import msgspec

from modelreach.report import DiffReport, Report, Ticket
from modelreach.report_file.lines import DiffFile, RadiusFile, TicketFile
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
    whole = msgspec.json.encode(file)
    if len(whole) + _added(file) > _LARGE:
        return _in_lines(file)
    return msgspec.json.format(whole, indent=2) + b"\n"


def packed(report: Report) -> bytes:
    """Give the same as few bytes, for programs."""
    return msgspec.json.encode(_file(report))


def _file(report: Report) -> DiffFile | RadiusFile:
    return diff_file(report) if isinstance(report, DiffReport) else radius_file(report)


def _in_lines(file: DiffFile | RadiusFile | TicketFile) -> bytes:
    fields = (
        msgspec.json.encode(name) + b": " + _lines(getattr(file, field))
        for field, name in zip(file.__struct_fields__, file.__struct_encode_fields__, strict=True)
    )
    return b"{\n  " + b",\n  ".join(fields) + b"\n}\n"


def _added(file: DiffFile | RadiusFile | TicketFile) -> int:
    """Give by how many bytes the lines are longer than the same without a space: so that those
    of which most reports have no need are not made to be counted."""
    added = 4 * len(file.__struct_fields__) + 2
    for field in file.__struct_fields__:
        value: object = getattr(file, field)
        if value and isinstance(value, tuple):
            added += 5 * len(cast("tuple[object, ...]", value)) + 3
        elif value and isinstance(value, dict):
            added += 6 * len(cast("dict[str, object]", value)) + 3
    return added


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


def decode(raw: bytes | str) -> Report:
    """Read a saved report. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    from modelreach.report_file.versions import report

    return report(raw)


def decode_ticket(raw: bytes | str) -> Ticket:
    """Read a saved ticket. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    from modelreach.report_file.versions import ticket

    return ticket(raw)
