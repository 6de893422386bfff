"""The file of waivers: read with every reason why it cannot be, and one more entry in it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

import msgspec
from yaml import MappingNode, Node, SequenceNode

from modelreach import strict_yaml
from modelreach.gate.waivers import Waiver, Waivers
from modelreach.model import InputError

#: No waiver is for longer.
LONGEST = timedelta(days=365)


class WaiverFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`modelreach-waivers.yaml`."""

    version: int
    waivers: tuple[Waiver, ...] = ()


_FIELDS = sorted({*Waiver.__struct_encode_fields__, *WaiverFile.__struct_encode_fields__})


def decode(raw: bytes, *, place: str, today: date, digest: str = "") -> Waivers:
    """Read a waivers file. Raises `InputError` with file and line for what is no valid waiver."""
    file, tree = strict_yaml.decode(
        raw,
        WaiverFile,
        place=place,
        what="a waivers file",
        hint="see `modelreach schema waivers`",
        fields=_FIELDS,
    )
    if file.version != 1:
        raise InputError(f"version {file.version} is not known", place=place, hint="version: 1")
    for number, waiver in enumerate(file.waivers):
        _check(waiver, today, f"{place}:{strict_yaml.line_of(tree, f'$.waivers[{number}]')}")
    _refuse_twins(file.waivers, tree, place)
    return Waivers(file.waivers, today, place, digest)


def _check(waiver: Waiver, today: date, place: str) -> None:
    for name in ("finding", "rule", "reason", "owner", "approved_by"):
        if not getattr(waiver, name).strip():
            raise InputError(f"`{name}` is empty", place=place)
    try:
        expiry = waiver.expiry
    except ValueError:
        raise InputError(
            f"`expires: {waiver.expires}` is not a day", place=place, hint="write 2027-01-31"
        ) from None
    if expiry > today + LONGEST:
        raise InputError(
            f"`expires: {waiver.expires}` is more than 365 days ahead",
            place=place,
            hint=f"the latest day is {(today + LONGEST).isoformat()}",
        )
    author = waiver.author or waiver.owner
    if _same_person(waiver.approved_by, author):
        raise InputError(
            f"`{waiver.approved_by}` approves a waiver of their own",
            place=place,
            hint="somebody else has to approve it; `author` says who wrote it, if not the owner",
        )


def _same_person(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _refuse_twins(waivers: tuple[Waiver, ...], tree: Node, place: str) -> None:
    seen: set[str] = set()
    for number, waiver in enumerate(waivers):
        if waiver.finding in seen:
            line = strict_yaml.line_of(tree, f"$.waivers[{number}]")
            raise InputError(f"`{waiver.finding}` is waived twice", place=f"{place}:{line}")
        seen.add(waiver.finding)


# --- adding --------------------------------------------------------------------------------

_HEADER = b"""\
# Findings that are accepted for a time. The review of this file is the approval of what is in it.
version: 1
waivers:
"""


def added(raw: bytes, waiver: Waiver, *, place: str, today: date) -> bytes:
    """Give a waivers file with one more entry; comments and order stay as they are.

    `raw` is empty for a new file. Raises `InputError` when the result is no valid file.
    """
    text = _with_entry(raw or _HEADER, waiver, place)
    decode(text, place=place, today=today)
    return text


def _with_entry(raw: bytes, waiver: Waiver, place: str) -> bytes:
    tree = strict_yaml.compose(raw, place)
    lines = raw.decode().splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    at, indent = len(lines), 2
    for key, value in tree.value if isinstance(tree, MappingNode) else ():
        if key.value != "waivers":
            continue
        if isinstance(value, SequenceNode) and value.value and not value.flow_style:
            indent = value.value[0].start_mark.column - 2
            at = _end_of(value)
        elif isinstance(value, SequenceNode) and value.value:
            raise InputError(
                "`waivers` is written on one line", place=place, hint="write one entry a line"
            )
        else:
            at = key.start_mark.line + 1
            lines[at - 1] = "waivers:\n"
    return "".join([*lines[:at], _entry(waiver, max(indent, 0)), *lines[at:]]).encode()


def _end_of(node: Node) -> int:
    """The line after the last value of a node: its own end lies behind comments that follow."""
    below = _last(node)
    while below is not None:
        node, below = below, _last(below)
    start, end = node.start_mark, node.end_mark
    return end.line if end.column == 0 and end.line > start.line else end.line + 1


def _last(node: Node) -> Node | None:
    """The last value below a node that is written on lines of its own."""
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return cast("Node", node.value[-1])
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return cast("Node", node.value[-1][1])
    return None


def _entry(waiver: Waiver, indent: int) -> str:
    fields = {
        name: getattr(waiver, name)
        for name in Waiver.__struct_encode_fields__
        if getattr(waiver, name)
    }
    lines = [f"{name}: {quoted(value)}" for name, value in fields.items()]
    pad = " " * indent
    return f"{pad}- " + f"\n{pad}  ".join(lines) + "\n"


def quoted(text: str) -> str:
    """Give a text as a YAML scalar on one line, in double quotes."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    code = ord(char)
    if char.isprintable():
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\U{code:08x}"
