"""`modelreach explain`: the witness of a finding or a resource, and the smallest fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelreach.cli.options import (
    compared,
    config_option,
    estate_options,
    gate_of,
    terminal_options,
)
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.report import ChangeRow, FindingRow, GrantRow, Report

EXAMPLES = """\b
Examples:
  modelreach explain F01 v1.yaml v2.yaml --snapshot estate.snap
  modelreach explain arn:aws:s3:::customer-pii --in diff.json
  modelreach explain MR301 --in diff.json
"""


@click.command("explain", epilog=EXAMPLES)
@click.argument("subject")
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--in", "saved", metavar="FILE", help="A saved diff or radius (JSON).")
@estate_options
@terminal_options
@config_option
def command(
    subject: str,
    old: str | None,
    new: str | None,
    saved: str | None,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
) -> None:
    """Explain SUBJECT: the id of a finding (F01), a rule (MR101), a fingerprint, or a resource.

    Prints each hop with the policy text of the statement that grants it, and the smallest fix.
    """
    from modelreach.cli.config import load
    from modelreach.cli.files import read_report, write_all
    from modelreach.cli.rendering import terminal

    report: Report
    if saved is not None:
        report = read_report(saved)
    elif old is not None:
        settings = load(config)
        gate = gate_of(settings, None, False, False, False)
        report = compared(old, new or old, snapshot, old_snapshot, new_snapshot, settings, gate)
    else:
        raise InputError(
            "there is nothing to look into",
            hint="give the two manifests and --snapshot, or --in diff.json",
        )
    look = terminal(color=color, ascii_only=ascii_only)
    parts = _findings(subject, report, look) + _reached(subject, report, look, show_all)
    if not parts:
        raise InputError(f"`{subject}` is no finding and no resource here", hint=_near(report))
    write_all({"-": b"\n".join(parts)})


def _findings(subject: str, report: Report, look: dict[str, object]) -> list[bytes]:
    from modelreach import plugins

    draw = plugins.terminal("finding")
    return [draw(report, f, **look) for f in report.findings if _is_about(f, subject)]


def _is_about(finding: FindingRow, subject: str) -> bool:
    return subject in (finding.id, finding.rule, finding.fingerprint, finding.subject)


def _reached(subject: str, report: Report, look: dict[str, object], show_all: bool) -> list[bytes]:
    from modelreach import plugins

    draw = plugins.terminal("witness")
    rows = [row for row in _rows(report) if subject in (row.resource, row.resource_name)]
    shown = rows if show_all else rows[:3]
    found: list[bytes] = []
    for row in shown:
        what = f"{_kind(row)}: {row.capability}, {row.verdict}: {', '.join(row.actions[:6])}"
        rest = len(row.actions) - 6
        what += f" and {rest} more" if rest > 0 else ""
        found.append(f"{what}\n".encode() + draw(report, row.witness, **look))
    if len(rows) > len(shown):
        found.append(f"… {len(rows) - len(shown)} more; --all shows them\n".encode())
    return found


def _rows(report: Report) -> tuple[ChangeRow | GrantRow, ...]:
    from modelreach.report import DiffReport

    return report.changes if isinstance(report, DiffReport) else report.grants


def _kind(row: ChangeRow | GrantRow) -> str:
    return str(getattr(row, "kind", "reached"))


def _near(report: Report) -> str:
    numbers = [finding.id for finding in report.findings]
    if not numbers:
        return "there are no findings in this report"
    return f"findings here: {numbers[0]} to {numbers[-1]}; or name a resource of the report"
