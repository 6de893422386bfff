"""The part of a report that a picture of one thing shows, and the forms that are pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from modelreach.cli.rendering import format_of
from modelreach.model import InputError
from modelreach.report import (
    AdminRow,
    ChangeRow,
    DiffReport,
    FindingRow,
    GrantRow,
    IdentityRow,
    Report,
)

#: Forms that draw; of one thing there is no report on paper, so `.pdf` is its picture.
PICTURES = {"dot": "dot", "svg": "svg", "png": "png", "graph-pdf": "graph-pdf", "pdf": "graph-pdf"}

_Row = TypeVar("_Row", ChangeRow, GrantRow)


def pictures_of(outputs: Iterable[str]) -> tuple[str, ...]:
    """Give `-o` values with their form before them. Raises `InputError` for what draws nothing."""
    return tuple(_picture(output) for output in outputs)


def _picture(output: str) -> str:
    form, path = format_of(output)
    if form not in PICTURES:
        raise InputError(
            f"`{output}` is no picture", place="-o", hint="use .svg, .png, .pdf or .dot"
        )
    return f"{PICTURES[form]}:{path}"


def narrowed(report: Report, subject: str, findings: Sequence[FindingRow]) -> Report:
    """Give the report with nothing in it but `subject`, these findings, and what they are of."""
    ids = {finding.id for finding in findings}
    if isinstance(report, DiffReport):
        changes = _rows(report.changes, subject, ids)
        old, new = report.identities_old, report.identities_new
        taken = [
            row for row in (*report.admin_of_new, *report.admin_of_old) if row.scope == subject
        ]
        ends = _ends(subject, (*findings, *changes, *taken), (*old, *new))
        return msgspec.structs.replace(
            report,
            changes=changes,
            findings=tuple(findings),
            identities_old=tuple(row for row in old if row.id in ends),
            identities_new=tuple(row for row in new if row.id in ends),
            admin_of_old=tuple(row for row in report.admin_of_old if row in taken),
            admin_of_new=tuple(row for row in report.admin_of_new if row in taken),
        )
    grants = _rows(report.grants, subject, ids)
    taken = [row for row in report.admin_of if row.scope == subject]
    ends = _ends(subject, (*findings, *grants, *taken), report.identities)
    return msgspec.structs.replace(
        report,
        grants=grants,
        findings=tuple(findings),
        identities=tuple(row for row in report.identities if row.id in ends),
        admin_of=tuple(taken),
    )


def _rows(rows: Sequence[_Row], subject: str, ids: set[str]) -> tuple[_Row, ...]:
    return tuple(
        row
        for row in rows
        if subject in (row.resource, row.resource_name) or ids.intersection(row.findings)
    )


def _ends(
    subject: str,
    shown: Iterable[FindingRow | ChangeRow | GrantRow | AdminRow],
    identities: Iterable[IdentityRow],
) -> set[str]:
    """Everybody on the way to what is shown, or to the subject where that is an identity."""
    themselves = [
        row for row in identities if subject in (row.id, row.name, row.id.rpartition("/")[2])
    ]
    ways = [hop for row in (*shown, *themselves) for hop in row.witness]
    return {end for hop in ways for end in (hop.subject, hop.object)}
