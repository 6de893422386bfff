"""`modelreach waive`: accept a finding for a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelreach.cli.options import now_option
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.report import FindingRow, Report

EXAMPLES = """\b
Example:
  modelreach waive F04 --in diff.json --until 2027-03-31 --reason "bucket moves, TICKET-481" \\
      --owner ml-platform@example.org --approved-by secops@example.org
"""


@click.command("waive", epilog=EXAMPLES)
@click.argument("finding")
@click.option("--in", "saved", required=True, metavar="FILE", help="A saved diff or radius.")
@click.option("--reason", required=True, help="Why it is accepted.")
@click.option("--until", required=True, metavar="DAY", help="The last day, at most a year ahead.")
@click.option("--owner", required=True, help="Who answers for the risk.")
@click.option("--approved-by", required=True, help="Who approved it; not the author.")
@click.option("--author", default="", help="Who writes it, if not the owner.")
@click.option("--waivers", metavar="FILE", help="The file [modelreach-waivers.yaml].")
@now_option
def command(
    finding: str,
    saved: str,
    reason: str,
    until: str,
    owner: str,
    approved_by: str,
    author: str,
    waivers: str | None,
    now: str | None,
) -> None:
    """Accept FINDING (F04, or a fingerprint) for a time, in the waivers file.

    What is in the file stays as it is. The finding comes back when the waiver expires, or when
    what grants it changes.
    """
    from modelreach.cli.files import read_report, write_all
    from modelreach.cli.gating import WAIVERS, Moment
    from modelreach.gate.waiver_file import added
    from modelreach.gate.waivers import Waiver

    row = _named(finding, read_report(saved))
    waiver = Waiver(
        finding=row.fingerprint,
        rule=row.rule,
        identity=row.identity,
        resource=row.subject,
        reason=reason,
        owner=owner,
        author=author,
        approved_by=approved_by,
        expires=until,
    )
    name = waivers or WAIVERS
    path = Path(name)
    raw = path.read_bytes() if path.is_file() else b""
    write_all({name: added(raw, waiver, place=name, today=Moment(now).day)})
    click.echo(f"waived {row.fingerprint} ({row.rule}) until {until} in {name}", err=True)


def _named(finding: str, report: Report) -> FindingRow:
    rows = [row for row in report.findings if finding in (row.id, row.fingerprint)]
    if len(rows) == 1:
        return rows[0]
    known = ", ".join(row.id for row in report.findings[:20]) or "none"
    raise InputError(f"`{finding}` is not one finding of this report", hint=f"there are: {known}")
