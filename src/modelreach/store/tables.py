"""A snapshot as Parquet tables, one file a section, for those who ask in SQL."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from modelreach.model import InputError, MissingExtra
from modelreach.snapshot import Snapshot


def write_tables(folder: Path, snapshot: Snapshot) -> None:
    """Write each section that has facts to `SECTION.parquet`; nested values as JSON text.

    Raises `MissingExtra` without pyarrow, `InputError` where nothing can be written.
    """
    try:
        # Half typed, so it is taken as it comes.
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtra("parquet", "writing Parquet") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in _tables(snapshot):
            columns = {key: [row[key] for row in rows] for key in rows[0]}
            table = arrow.table(columns)
            # By its name the library would take a path with a colon for an address.
            with (folder / f"{name}.parquet").open("wb") as file:
                parquet.write_table(table, file, compression="zstd")
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", place=str(folder)) from None


_NOT_TABLES = ("schema", "taken_at", "tool", "documents")


def _tables(snapshot: Snapshot) -> list[tuple[str, list[dict[str, Any]]]]:
    found: list[tuple[str, list[dict[str, Any]]]] = []
    for field in msgspec.structs.fields(Snapshot):
        if field.name in _NOT_TABLES or not getattr(snapshot, field.name):
            continue
        found.append((field.name, [_row(fact) for fact in getattr(snapshot, field.name)]))
    if snapshot.documents:
        rows = [
            {"id": digest, "document": bytes(raw).decode("utf-8", "replace")}
            for digest, raw in snapshot.documents.items()
        ]
        found.append(("documents", rows))
    return found


def _row(fact: Any) -> dict[str, Any]:
    return {name: _cell(getattr(fact, name)) for name in fact.__struct_fields__}


def _cell(value: object) -> object:
    if isinstance(value, str | bool):
        return value
    return msgspec.json.encode(value, order="sorted").decode()
