"""`modelreach history`: what audits have kept, listed, shown, compared, checked and pruned."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from modelreach.cli.options import (
    config_option,
    deployment_option,
    now_option,
    output_options,
    state_options,
    terminal_options,
)
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.state import ApprovalRow, AuditRow
    from modelreach.state.database import State

EXAMPLES = """\b
Examples:
  modelreach history --state state                        (the last audit of each deployment)
  modelreach history list support-agent --last 30 --state state
  modelreach history show 3f9c2a --state state
  modelreach history compare approved last --state state -o drift.html
  modelreach history timeline support-agent --state state -o timeline.html
  modelreach history --verify --state state
  modelreach history prune --keep 400d --state state
"""


def _opened(
    state: str | None, blobs: str | None, config: str | None, *, read_only: bool = True
) -> State:
    from modelreach.cli.config import load
    from modelreach.cli.stored import place_of
    from modelreach.state import open_state

    return open_state(*place_of(state, blobs, load(config)), read_only=read_only)


@click.group("history", epilog=EXAMPLES, invoke_without_command=True)
@state_options
@click.option("--verify", is_flag=True, help="Check approvals, snapshots and reports.")
@click.option("--head", default="", metavar="DIGEST", help="An approval that must be there.")
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    state: str | None,
    blobs: str | None,
    verify: bool,
    head: str,
    config: str | None,
) -> None:
    """Show what audits have kept: without a command, the last audit of each deployment."""
    if ctx.invoked_subcommand is not None:
        ctx.obj = (state, blobs, config)
        return
    with _opened(state, blobs, config) as opened:
        if verify or head:
            raise click.exceptions.Exit(_verified(opened, head))
        lasts = [opened.audit(one.last) for one in opened.deployments()]
        found = [audit for audit in lasts if audit is not None]
        _say(_table(found, opened.approvals(), named=True))


def _given(
    ctx: click.Context, state: str | None, blobs: str | None, config: str | None
) -> tuple[str | None, str | None, str | None]:
    """Options may stand before the command of `history`, or after it."""
    before: tuple[str | None, str | None, str | None] = ctx.obj or (None, None, None)
    return state or before[0], blobs or before[1], config or before[2]


def _verified(state: State, head: str) -> int:
    from modelreach.cli.terminal import counted
    from modelreach.state.verify import verify

    found = verify(state, head)
    lines = [
        f"checked: {counted(found.approvals, 'approval')}, {counted(found.audits, 'audit')}, "
        f"{counted(found.snapshots, 'snapshot')}, {counted(found.blobs, 'blob')}",
        *(f"WRONG  {problem}" for problem in found.problems),
    ]
    lines.append(f"head {found.head}" if found.head else "nothing was approved yet")
    lines.append("FAIL" if found.problems else "PASS")
    _say(lines)
    return 1 if found.problems else 0


def _say(lines: Iterable[str]) -> None:
    from modelreach.cli.terminal import visible

    for line in lines:
        click.echo(visible(line))


# --- list ----------------------------------------------------------------------------------


@command.command("list")
@click.argument("deployment", required=False)
@click.option("--last", default=20, show_default=True, help="So many; 0 for all.")
@click.option("--since", default="", metavar="TIME", help="Made at this time or later.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@state_options
@config_option
@click.pass_context
def list_(
    ctx: click.Context,
    deployment: str | None,
    last: int,
    since: str,
    form: str,
    state: str | None,
    blobs: str | None,
    config: str | None,
) -> None:
    """List audits, oldest first: of one deployment, or of all."""
    import msgspec

    with _opened(*_given(ctx, state, blobs, config)) as opened:
        name = opened.find(deployment).deployment if deployment else ""
        found = opened.audits(name, last=last, begin=since)
        if form == "json":
            click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        else:
            _say(_table(found, opened.approvals(), named=not name))


_HEAD = ("audit", "at", "version", "reach", "sens.", "ident.", "crit/high/med/low", "gaps", "told")


def _table(
    audits: Iterable[AuditRow], approvals: Iterable[ApprovalRow], *, named: bool
) -> Iterator[str]:
    approved = {approval.audit for approval in approvals}
    rows: list[tuple[str, ...]] = [(*_HEAD, "", "")]
    for one in audits:
        counts = f"{one.critical}/{one.high}/{one.medium}/{one.low}"
        numbers = (one.resources, one.sensitive, one.identities, counts, one.gaps, one.events)
        mark = "approved" if one.id in approved else ""
        verdict = f"{one.verdict} {mark}".strip()
        rows.append((one.id, one.at, one.version, *map(str, numbers), verdict, one.deployment))
    if len(rows) == 1:
        yield "nothing was audited yet"
        return
    columns = len(_HEAD) + (2 if named else 1)
    widths = [max(len(row[place]) for row in rows) for place in range(columns)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(cells).rstrip()


# --- show ----------------------------------------------------------------------------------


@command.command("show")
@click.argument("audit")
@deployment_option
@output_options
@state_options
@config_option
@click.pass_context
def show(
    ctx: click.Context,
    audit: str,
    deployment: str | None,
    outputs: tuple[str, ...],
    form: str | None,
    state: str | None,
    blobs: str | None,
    config: str | None,
) -> None:
    """Show an audit: what it told, and what it found. With -o, writes what it reached."""
    from modelreach.cli.files import write_all
    from modelreach.cli.rendering import rendered
    from modelreach.cli.stored import find

    with _opened(*_given(ctx, state, blobs, config)) as opened:
        found = find(opened, audit, deployment or "")
        files = rendered(opened.radius(found), outputs)
        if form is not None:
            files |= rendered(opened.radius(found), [f"{form}:-"])
        else:
            _say(_shown(opened, found))
    write_all(files)


def _shown(state: State, audit: AuditRow) -> Iterator[str]:
    from modelreach.cli.terminal import counted, event_line

    yield f"{audit.deployment} {audit.version}   audit {audit.id} (number {audit.number})"
    yield f"  made       {audit.at}, of the snapshot of {audit.taken_at}"
    yield f"  snapshot   {audit.snapshot}"
    yield f"  manifest   {audit.manifest}"
    yield f"  compared   baseline {audit.baseline or 'none'}, last {audit.previous or 'none'}"
    yield (
        f"  reaches    {counted(audit.resources, 'resource')}, {audit.sensitive:,} sensitive, "
        f"{counted(audit.identities, 'identity', 'identities')}, "
        f"{counted(audit.administers, 'scope')} to take over"
    )
    yield (
        f"  findings   {audit.critical} critical, {audit.high} high, {audit.medium} medium, "
        f"{audit.low} low, {audit.waived} accepted"
    )
    yield f"  not read   {audit.gaps}"
    for _, event in state.events(audit.id):
        yield event_line(event)
    for approval in state.approvals(audit.deployment):
        if approval.audit == audit.id:
            until = f" until {approval.until}" if approval.until else ""
            why = f" ({approval.why})" if approval.why else ""
            yield f"  approved   by {approval.approved_by}, {approval.approved_at}{until}{why}"
    reasons = f"  {', '.join(audit.reasons)}" if audit.reasons else ""
    yield f"{audit.verdict.upper()}{reasons}"


# --- compare -------------------------------------------------------------------------------


@command.command("compare")
@click.argument("old")
@click.argument("new")
@deployment_option
@output_options
@terminal_options
@state_options
@config_option
@click.pass_context
def compare(
    ctx: click.Context,
    old: str,
    new: str,
    deployment: str | None,
    outputs: tuple[str, ...],
    form: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
    state: str | None,
    blobs: str | None,
    config: str | None,
) -> None:
    """Compare any two audits, by the rules of today. Always exits 0."""
    from modelreach.cli.config import judge_policy, load
    from modelreach.cli.options import gate_of, sides
    from modelreach.cli.rendering import emit
    from modelreach.cli.stored import find, release
    from modelreach.pipeline import diff_report

    given = _given(ctx, state, blobs, config)
    settings = load(given[2])
    with _opened(*given) as opened:
        both = [release(opened, find(opened, word, deployment or "")) for word in (old, new)]
    first, second = sides(both[0], both[1], judge_policy(settings))
    report = diff_report(first, second, gate_of(settings, None, False, False, False))
    drawing: dict[str, Any] = {"color": color, "ascii_only": ascii_only, "show_all": show_all}
    where = ["--state", given[0]] if given[0] else []
    whose = ["--deployment", deployment] if deployment else []
    again = shlex.join(["modelreach", "report", old, new, *where, *whose, "-o", "review.html"])
    emit(report, outputs, form, gated=False, following=[again], **drawing)


# --- timeline ------------------------------------------------------------------------------


@command.command("timeline")
@click.argument("deployment", required=False)
@click.option("--last", default=0, help="So many audits; 0, the default, for all.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The HTML file to write.")
@state_options
@config_option
@click.pass_context
def timeline(
    ctx: click.Context,
    deployment: str | None,
    last: int,
    output: str,
    state: str | None,
    blobs: str | None,
    config: str | None,
) -> None:
    """Draw one deployment over time, as a page that opens offline: reach, findings, ages of keys,
    what was not read, what was told, who approved what."""
    from modelreach import plugins
    from modelreach.cli.files import write_all
    from modelreach.cli.stored import LAST, find
    from modelreach.state import views

    with _opened(*_given(ctx, state, blobs, config)) as opened:
        name = find(opened, deployment or LAST).deployment
        page = plugins.state_page("timeline")(views.timeline(opened, name, last=last))
    write_all({output: page})


# --- prune ---------------------------------------------------------------------------------


@command.command("prune")
@click.option("--keep", required=True, metavar="TIME", help="Keep what is younger: 400d, 12w.")
@click.option("--wait", default=60.0, show_default=True, metavar="SECONDS")
@state_options
@now_option
@config_option
@click.pass_context
def prune(
    ctx: click.Context,
    keep: str,
    wait: float,
    state: str | None,
    blobs: str | None,
    now: str | None,
    config: str | None,
) -> None:
    """Forget audits that are older, and the snapshots that only they named.

    What was approved stays, and so does what is still to be compared with or delivered.
    """
    from modelreach.cli.gating import Moment
    from modelreach.cli.terminal import counted
    from modelreach.state.prune import prune as forget

    moment = Moment(now).text
    before = _before(moment, keep)
    given = _given(ctx, state, blobs, config)
    with _opened(*given, read_only=False) as opened, opened.lock(wait, since=moment):
        done = forget(opened, before)
    _say(
        [
            f"forgotten: {counted(done.audits, 'audit')} from before {before}, with "
            f"{counted(done.snapshots, 'snapshot')} and {counted(done.blobs, 'blob')} "
            f"({counted(done.bytes, 'byte')}); "
            f"{counted(done.needed, 'older one is', 'older ones are')} kept, as still needed"
        ]
    )


_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _before(now: str, keep: str) -> str:
    """Give the time before which all may go."""
    found = re.fullmatch(r"(\d{1,6})([hdw])", keep)
    if found is None:
        raise InputError(f"`{keep}` is no time", place="--keep", hint="such as 400d, 12w, 48h")
    age = timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.fromisoformat(now.replace("Z", "+00:00")) - age
    except OverflowError:
        raise InputError(f"`{keep}` is too long ago", place="--keep") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@command.command("migrate")
@state_options
@config_option
@click.pass_context
def migrate(ctx: click.Context, state: str | None, blobs: str | None, config: str | None) -> None:
    """Bring the tables of an older state up to date. `audit` does so, too."""
    from modelreach.cli.config import load
    from modelreach.cli.stored import place_of
    from modelreach.state import open_state

    given = _given(ctx, state, blobs, config)
    with open_state(*place_of(given[0], given[1], load(given[2])), make=True):
        _say(["the state is up to date"])
