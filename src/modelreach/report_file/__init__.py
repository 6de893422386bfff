"""Reports as they leave the program: `modelreach.diff/2`, `modelreach.radius/2` and
`modelreach.ticket/2`.

Files of the first version, in which each row wrote out all that it said, are still read.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
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
    lines = _in_lines(file)
    if len(lines) > _LARGE:
        return lines
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def packed(report: Report) -> bytes:
    """Give the same as few bytes, for programs."""
    return msgspec.json.encode(_file(report))


def _file(report: Report) -> DiffFile | RadiusFile:
    return diff_file(report) if isinstance(report, DiffReport) else radius_file(report)


def _in_lines(file: DiffFile | RadiusFile | TicketFile) -> bytes:
    # What is written may be hundreds of megabytes, so no part of it is made twice.
    out = BytesIO()
    names = zip(file.__struct_fields__, file.__struct_encode_fields__, strict=True)
    for place, (field, name) in enumerate(names):
        out.write(b",\n  " if place else b"{\n  ")
        out.write(msgspec.json.encode(name) + b": ")
        out.writelines(_lines(getattr(file, field)))
    out.write(b"\n}\n")
    return out.getvalue()


def _lines(value: object) -> Iterator[bytes]:
    """Give a value on a line, a table with a line for each row or entry."""
    if value and isinstance(value, tuple):
        for place, row in enumerate(cast("tuple[object, ...]", value)):
            yield b",\n    " if place else b"[\n    "
            yield msgspec.json.encode(row)
        yield b"\n  ]"
    elif value and isinstance(value, dict):
        for place, (key, entry) in enumerate(cast("dict[str, object]", value).items()):
            yield b",\n    " if place else b"{\n    "
            yield msgspec.json.encode(key) + b": " + msgspec.json.encode(entry)
        yield b"\n  }"
    else:
        yield msgspec.json.encode(value)


def decode(raw: bytes | str) -> Report:
    """Read a saved report. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    from modelreach.report_file.versions import report

    return report(raw)


def decode_ticket(raw: bytes | str) -> Ticket:
    """Read a saved ticket. Raises `msgspec.ValidationError` or `msgspec.DecodeError`."""
    from modelreach.report_file.versions import ticket

    return ticket(raw)
