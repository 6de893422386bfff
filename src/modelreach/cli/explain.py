"""`modelreach explain`: the witness of a finding or a resource, and the smallest fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from modelreach.cli.options import (
    config_option,
    estate_options,
    gate_of,
    release_of,
    sides,
    snapshots_of,
    terminal_options,
    two_of,
)
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.cli.config import Config
    from modelreach.pipeline import Release
    from modelreach.report import AdminRow, ChangeRow, FindingRow, GrantRow, IdentityRow, Report

EXAMPLES = """\b
Examples:
  modelreach explain F01 v1.yaml v2.yaml --snapshot estate.snap
  modelreach explain arn:aws:s3:::customer-pii --in diff.json
  modelreach explain customer-pii --principal my-agent --snapshot estate.snap
  modelreach explain MR301 --in diff.json
  modelreach explain F01 --in diff.json -o f01.svg
"""


@click.command("explain", epilog=EXAMPLES)
@click.argument("subject")
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--principal", metavar="ID", help="What this principal reaches, not a release.")
@click.option("--in", "saved", metavar="FILE", help="A saved diff or radius (JSON).")
@estate_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="A picture of the path, as .svg, .png, .pdf or .dot; may be repeated.",
)
@terminal_options
@config_option
def command(
    subject: str,
    old: str | None,
    new: str | None,
    principal: str | None,
    saved: str | None,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: str | None,
    outputs: tuple[str, ...],
    color: str,
    ascii_only: bool,
    show_all: bool,
) -> None:
    """Explain SUBJECT: the id of a finding (F01), a rule (MR101), a fingerprint, a resource, an
    identity or account that is reached, or a tool of the release.

    With one manifest, all that this release reaches can be asked for; with two, what changed, and
    after it what the new release reaches. Prints each hop with the policy text of the statement
    that grants it, and the smallest fix.
    """
    from modelreach.cli.config import load
    from modelreach.cli.files import read_report, write_all
    from modelreach.cli.picture import pictures_of
    from modelreach.cli.rendering import rendered, terminal
    from modelreach.cli.scan import of_principal_in

    pictures = pictures_of(outputs)
    reports: Iterable[Report]
    if saved is not None:
        reports = (read_report(saved),)
    elif principal is not None and old is None:
        reports = (_alone(of_principal_in(principal, _one(snapshot)), load(config)),)
    elif old is not None and principal is None:
        reports = _evaluated(old, new, snapshot, old_snapshot, new_snapshot, load(config))
    else:
        raise InputError(
            "there is nothing to look into",
            hint="give one manifest or two, or --principal, and --snapshot; or --in diff.json",
        )
    look = terminal(color=color, ascii_only=ascii_only)
    looked_in: list[Report] = []
    for report in reports:
        about = _meant(subject, report)
        parts = _findings(about, report, look) + _reached(about, report, look, show_all)
        if parts := parts or _become(about, report, look):
            files = rendered(_pictured(about, report), pictures) if pictures else {}
            whose = [] if principal is None else ["--principal", principal]
            whose += [one for one in (new or old,) if one is not None]
            where = snapshot or new_snapshot or old_snapshot
            if saved is None and where is not None and _stands(about, report):
                parts.append(_next([*whose, "--snapshot", where, "--to", about]))
            write_all({"-": b"\n".join(parts), **files})
            return
        looked_in.append(report)
    raise InputError(
        f"`{subject}` is no finding, and nothing that is reached here",
        hint=_hint(subject, looked_in),
    )


def _evaluated(
    old: str,
    new: str | None,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: Config,
) -> Iterator[Report]:
    """Give the reports to look in, in this order: of one release its radius; of two what changed,
    then what each reaches, for things that both reach."""
    from modelreach.cli.config import judge_policy
    from modelreach.pipeline import diff_of, radius_report

    gate = gate_of(config, None, False, False, False)
    if new is None:
        one = old_snapshot or new_snapshot
        estate, _ = snapshots_of(snapshot, one, one)
        yield _alone(release_of(old, estate), config)
        return
    both, policy = two_of(old, new, snapshot, old_snapshot, new_snapshot), judge_policy(config)
    yield diff_of(*both, policy, gate)
    first, second = sides(*both, policy)
    yield radius_report(second, gate)
    yield radius_report(first, gate)


def _alone(release: Release, config: Config) -> Report:
    """Give all that one release, or one principal, reaches."""
    from modelreach.cli.config import judge_policy
    from modelreach.pipeline import radius_of

    return radius_of(release, judge_policy(config), gate_of(config, None, False, False, False))


def _one(snapshot: str | None) -> str:
    if snapshot is None:
        raise InputError("no snapshot is given", place="--snapshot", hint="--snapshot FILE")
    return snapshot


def _meant(subject: str, report: Report) -> str:
    """Give the id of the scope or resource, where only one is called so; else the subject."""
    ids = {scope.id for scope in report.scopes if scope.name == subject}
    ids |= {row.resource for row in _rows(report) if row.resource_name == subject}
    return ids.pop() if len(ids) == 1 else subject


def _findings(subject: str, report: Report, look: dict[str, object]) -> list[bytes]:
    from modelreach import plugins

    draw = plugins.terminal("finding")
    return [draw(report, f, **look) for f in report.findings if _is_about(f, subject)]


def _is_about(finding: FindingRow, subject: str) -> bool:
    return subject in (finding.id, finding.rule, finding.fingerprint, finding.subject)


def _reached(subject: str, report: Report, look: dict[str, object], show_all: bool) -> list[bytes]:
    from modelreach import plugins
    from modelreach.cli.terminal import visible

    draw = plugins.terminal("witness")
    told = [finding.witness for finding in report.findings if _is_about(finding, subject)]
    rows = [row for row in _rows(report) if subject in (row.resource, row.resource_name)]
    by_tool = [] if rows else _by_tool(subject, report)
    rows += by_tool
    rows = [row for row in rows if row.witness not in told]
    shown = rows if show_all else rows[:3]
    found: list[bytes] = []
    if by_tool and by_tool[0].tools[0] != subject:
        likelier = visible(by_tool[0].tools[0])
        words = f"{visible(subject)} reaches this as {likelier} does, which is likelier to"
        found.append(f"{words}\n".encode())
    found += [
        _title(row, named=bool(by_tool)) + draw(report, row.witness, **look) for row in shown
    ]
    if len(rows) > len(shown):
        found.append(f"… {len(rows) - len(shown)} more; --all shows them\n".encode())
    return found


def _title(row: ChangeRow | GrantRow, *, named: bool) -> bytes:
    """Say what a witness is of: `gained: read customers (s3:GetObject), conditional`."""
    from modelreach.cli.terminal import visible

    name = f" {visible(row.resource_name or row.resource)}" if named else ""
    rest = len(row.actions) - 6
    actions = ", ".join(row.actions[:6]) + (f" and {rest} more" if rest > 0 else "")
    sure = "" if row.verdict == "allow" else f", {row.verdict}"
    return f"{_kind(row)}: {row.capability}{name} ({actions}){sure}\n".encode()


_SENSITIVE = {"high": 0, "medium": 1, "low": 2}


def _stands(subject: str, report: Report) -> bool:
    """Is the subject a thing that the release, or the new one, reaches, or becomes by a hop?"""
    identities, admins = _newer(report)
    if named := [row for row in identities if _is_called(row, subject)]:
        return all(row.hops for row in named)
    if any(row.scope == subject for row in admins):
        return True
    rows = [row for row in _rows(report) if row.resource == subject]
    return any(getattr(row, "kind", "") != "lost" for row in rows)


def _is_called(row: IdentityRow, subject: str) -> bool:
    return subject in (row.id, row.name, row.id.rpartition("/")[2])


def _next(words: list[str]) -> bytes:
    """Give the command that says what to revoke so that it is not reached."""
    import shlex

    from modelreach.cli.terminal import visible

    return f"next:  {visible(shlex.join(['modelreach', 'chokepoints', *words]))}\n".encode()


def _by_tool(tool: str, report: Report) -> list[ChangeRow | GrantRow]:
    """Give what is reached by a tool before all others, or else what it reaches, too; what is
    sensitive first."""
    every = _rows(report)
    rows = [row for row in every if row.tools[:1] == (tool,)]
    rows = rows or [row for row in every if tool in row.tools]
    return sorted(rows, key=lambda row: _SENSITIVE.get(row.sensitivity, 3))


def _pictured(subject: str, report: Report) -> Report:
    """Give of a report what a picture of the subject shows."""
    from modelreach.cli.picture import narrowed

    return narrowed(report, subject, [row for row in report.findings if _is_about(row, subject)])


def _become(subject: str, report: Report, look: dict[str, object]) -> list[bytes]:
    """Tell how an identity is become, or a scope taken over, where the subject is one."""
    from modelreach import plugins

    draw = plugins.terminal("witness")
    identities, admins = _newer(report)
    found = [
        (f"identity: {row.verdict}, hops: {row.hops}", row.witness)
        for row in identities
        if _is_called(row, subject)
    ]
    found += [
        (f"taken over by {row.identity}: {row.verdict}", row.witness)
        for row in admins
        if row.scope == subject
    ]
    return [f"{what}\n".encode() + draw(report, witness, **look) for what, witness in found]


def _newer(report: Report) -> tuple[tuple[IdentityRow, ...], tuple[AdminRow, ...]]:
    """Give the identities that the release, or the new one, becomes, and what it takes over."""
    from modelreach.report import DiffReport

    if isinstance(report, DiffReport):
        return report.identities_new, report.admin_of_new
    return report.identities, report.admin_of


def _rows(report: Report) -> tuple[ChangeRow | GrantRow, ...]:
    from modelreach.report import DiffReport

    return report.changes if isinstance(report, DiffReport) else report.grants


def _kind(row: ChangeRow | GrantRow) -> str:
    return str(getattr(row, "kind", "reached"))


def _hint(subject: str, looked_in: Sequence[Report]) -> str:
    from modelreach.cli.called import near

    meant = near(subject, (name for report in looked_in for name in _names(report)))
    numbers = [finding.id for finding in looked_in[0].findings]
    if not numbers:
        return f"{meant}there are no findings here; name what `modelreach scan` shows"
    here = numbers[0] if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    return f"{meant}findings here: {here}; or name what `modelreach scan` shows"


def _names(report: Report) -> Iterator[str]:
    """Give what can be asked for by its name."""
    yield from (row.resource_name for row in _rows(report))
    yield from (scope.name for scope in report.scopes)
    yield from (tool.id for tool in report.tools)
    yield from (row.name or row.id.rpartition("/")[2] for row in _newer(report)[0])
