"""One round of audits, for `audit` and `watch`: collect, audit every manifest, write, deliver.

The state is held from before the collection to after the last delivery, so that rounds never
overlap. What is due is delivered even when a round fails.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from modelreach.cli.options import (
    config_option,
    gate_options,
    stacked,
    state_options,
    waivers_option,
)
from modelreach.cli.terminal import counted, event_line
from modelreach.model import InputError
from modelreach.state import AuditRow, Event

if TYPE_CHECKING:
    from modelreach.audit import Delivered, Notifier, Outcome
    from modelreach.cli.config import Config
    from modelreach.gate.verdict import GateOptions
    from modelreach.snapshot import Snapshot
    from modelreach.state.database import State

#: Which exit code of several audits is the whole's: a failed gate before all else.
_WORST = (1, 2, 75, 4, 3, 0)


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """What one audit gave, or why there is none (`error`, with the exit code that it would be)."""

    manifest: str
    exit_code: int
    audit: AuditRow | None = None
    events: tuple[Event, ...] = ()
    again: bool = False
    error: str = ""


class DeliveredRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the notifications of one target."""

    target: str
    sent: int
    failed: int
    waiting: int
    error: str = ""
    given_up: int = 0


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """`modelreach.audit/1`: a round of audits."""

    schema: Literal["modelreach.audit/1"] = msgspec.field(name="schema")
    at: str
    exit_code: int
    audits: tuple[Audited, ...]
    deliveries: tuple[DeliveredRow, ...]


class Round(msgspec.Struct, frozen=True):
    """What a round is about. `take` gives the estate at a time; `outputs` may hold `{name}`."""

    manifests: tuple[str, ...]
    place: tuple[str, str]
    take: Callable[[str], Snapshot]
    config: Config
    options: GateOptions
    waivers: str | None
    against: Literal["", "approved", "last"]
    outputs: tuple[str, ...]
    wait: float
    notifiers: tuple[Notifier, ...] = ()

    def run(self, now: str) -> tuple[AuditReport, tuple[Outcome, ...]]:
        """Run it as of a time. Raises `ModelreachError` when the round as a whole cannot be."""
        from modelreach.audit import deliver
        from modelreach.state import open_state

        delivered: tuple[Delivered, ...] = ()
        with open_state(*self.place, make=True) as state, state.lock(self.wait, since=now):
            try:
                done, found = self._audits(state, now)
            finally:
                delivered = deliver(state, self.notifiers, now)
        codes = {one.exit_code for one in done}
        report = AuditReport(
            schema="modelreach.audit/1",
            at=now,
            exit_code=next((code for code in _WORST if code in codes), 0),
            audits=tuple(done),
            deliveries=tuple(_delivered(one) for one in delivered),
        )
        return report, tuple(found)

    def _audits(self, state: State, now: str) -> tuple[list[Audited], list[Outcome]]:
        from modelreach.audit import Auditor
        from modelreach.cli.config import judge_policy
        from modelreach.cli.files import write_all
        from modelreach.cli.gating import Moment, waivers_of

        auditor = Auditor(
            state,
            judge_policy(self.config),
            self.options,
            waivers_of(self.waivers, self.config, Moment(now)),
            self.against,
            tuple(one.target for one in self.notifiers),
        )
        sources = [(path, _read(path)) for path in self.manifests]
        snapshot = self.take(now)
        done: list[Audited] = []
        found: list[Outcome] = []
        files: dict[str, bytes] = {}
        for path, raw in sources:
            try:
                one = auditor.audit(path, raw, snapshot, now)
            except InputError as error:
                done.append(Audited(manifest=path, exit_code=2, error=error.message))
                continue
            found.append(one)
            done.append(_audited(path, one))
            files |= self._written(one)
        write_all(files)
        return done, found

    def _written(self, found: Outcome) -> dict[str, bytes]:
        from modelreach.cli.rendering import rendered

        name = found.audit.deployment.replace("/", "-")
        outputs = [output.replace("{name}", name) for output in self.outputs]
        return rendered(found.report, outputs)


def _read(path: str) -> bytes:
    from modelreach.cli.files import read_manifest

    return read_manifest(path)[1].raw


def _audited(path: str, found: Outcome) -> Audited:
    return Audited(
        manifest=path,
        exit_code=found.gate.exit_code,
        audit=found.audit,
        events=found.events,
        again=found.again,
    )


def _delivered(one: Delivered) -> DeliveredRow:
    return DeliveredRow(
        target=one.target,
        sent=one.sent,
        failed=one.failed,
        waiting=one.waiting,
        error=one.error,
        given_up=one.given_up,
    )


# --- options -------------------------------------------------------------------------------


def round_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command every option of a round."""
    from modelreach.cli.collect import collect_options

    return stacked(
        click.argument("manifests", nargs=-1, required=True),
        state_options,
        click.option("--snapshot", metavar="FILE", help="Audit this estate; collects nothing."),
        click.option(
            "--provider", "providers", multiple=True, metavar="NAME", help="Collect from it."
        ),
        collect_options,
        click.option(
            "--against",
            type=click.Choice(["approved", "last"]),
            help="What is judged and written [approved, if there is one].",
        ),
        waivers_option,
        gate_options,
        click.option(
            "-o",
            "--output",
            "outputs",
            multiple=True,
            metavar="FILE",
            help="Write the difference, format by its name; {name} stands for the deployment.",
        ),
        click.option(
            "--wait",
            default=60.0,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait for another run that holds the state.",
        ),
        config_option,
    )(command)


def round_of(
    manifests: tuple[str, ...],
    *,
    state: str | None,
    blobs: str | None,
    snapshot: str | None,
    providers: tuple[str, ...],
    against: Literal["approved", "last"] | None,
    waivers: str | None,
    outputs: tuple[str, ...],
    wait: float,
    config: str | None,
    fail_on: str | None,
    fail_on_all: bool,
    fail_on_incomplete: bool,
    exit_zero: bool,
    quiet: bool = True,
    **collecting: Any,
) -> Round:
    """Give the round that the options describe. Raises `InputError` for those that do not fit."""
    from modelreach.cli.config import load
    from modelreach.cli.notifying import notifiers_of
    from modelreach.cli.options import gate_of
    from modelreach.cli.stored import place_of

    settings = load(config)
    _fitting(manifests, snapshot, providers, outputs)
    return Round(
        manifests=manifests,
        place=place_of(state, blobs, settings),
        take=_taker(snapshot, providers, quiet, collecting),
        config=settings,
        options=gate_of(settings, fail_on, fail_on_all, fail_on_incomplete, exit_zero),
        waivers=waivers,
        against=against or "",
        outputs=outputs,
        wait=wait,
        notifiers=notifiers_of(settings, os.environ),
    )


def _fitting(
    manifests: Sequence[str],
    snapshot: str | None,
    providers: Sequence[str],
    outputs: Sequence[str],
) -> None:
    if (snapshot is None) == (not providers):
        raise InputError(
            "give either a snapshot or what to collect from",
            place="--snapshot",
            hint="--snapshot FILE, or --provider aws …",
        )
    if len(manifests) > 1 and any("{name}" not in output for output in outputs):
        raise InputError(
            "several deployments would be written into one file",
            place="-o",
            hint="put {name} into its name: -o 'out/{name}.html'",
        )


def _taker(
    snapshot: str | None, providers: tuple[str, ...], quiet: bool, collecting: dict[str, Any]
) -> Callable[[str], Snapshot]:
    def take(now: str) -> Snapshot:
        if snapshot is not None:
            from modelreach.cli.files import read_snapshot

            return read_snapshot(snapshot)[0]
        from modelreach.cli.collect import collected

        return collected(providers, quiet=quiet, now=now, **collecting)

    return take


# --- text ----------------------------------------------------------------------------------

#: So many events are shown of each audit, unless all are asked for.
_SHOWN = 20


def drawn(
    report: AuditReport,
    outcomes: Sequence[Outcome],
    *,
    show_all: bool = False,
    state: str | None = None,
) -> Iterator[str]:
    """Give a round as lines for a person. `state` is where it is kept, if the call said so."""
    found = {one.audit.id: one for one in outcomes}
    for one in report.audits:
        if one.audit is None:
            yield f"{one.manifest}  not audited: {one.error}"
        else:
            yield from _drawn(found[one.audit.id], show_all, state)
        yield ""
    for row in report.deliveries:
        yield _told(row)


def _drawn(found: Outcome, show_all: bool, state: str | None) -> Iterator[str]:
    audit = found.audit
    again = "   (the same input as before: nothing new was kept)" if found.again else ""
    yield f"{audit.deployment} {audit.version}   audit {audit.id}   {audit.at}{again}"
    yield f"  baseline   {_baseline(found)}"
    taken = f"{counted(audit.administers, 'scope')} taken over; " if audit.administers else ""
    yield (
        f"  reaches    {counted(audit.resources, 'resource')}, {audit.sensitive:,} sensitive; "
        f"{counted(audit.identities, 'identity', 'identities')}; {taken}"
        f"{counted(audit.gaps, 'thing')} not read"
    )
    yield f"  findings   {_standing(audit)}"
    events = found.events if show_all else found.events[:_SHOWN]
    for event in events:
        yield event_line(event)
    if len(events) < len(found.events):
        yield f"  … {len(found.events) - len(events)} more, shown by --all"
    if not events:
        yield "  nothing to tell since the last audit" if audit.previous else "  the first audit"
    reasons = ", ".join(audit.reasons)
    if not reasons and not audit.baseline and not audit.previous:
        words = ["modelreach", "approve", audit.id, *(["--state", state] if state else [])]
        reasons = f"as nothing is compared; to accept it: {shlex.join(words)} --by NAME"
    yield f"{audit.verdict.upper()}  {reasons}".rstrip()


def _standing(audit: AuditRow) -> str:
    """Give how many findings there are, whether or not they are new."""
    each = ((word, getattr(audit, word)) for word in ("critical", "high", "medium", "low"))
    return ", ".join(f"{count} {word}" for word, count in each if count) or "none"


def _baseline(found: Outcome) -> str:
    if found.approval is None:
        against = "against the audit before" if found.audit.previous else "against nothing"
        return f"none: nothing was approved yet; judged {against}"
    approval = found.approval
    until = f", until {approval.until}" if approval.until else ""
    differs = counted(found.audit.drifted, "difference")
    return f"{approval.version} by {approval.approved_by}{until}; {differs} to it"


def _told(row: DeliveredRow) -> str:
    line = f"notified {row.target}: {row.sent} sent"
    if row.waiting:
        line += f", {row.waiting} waiting"
    if row.given_up:
        line += f", {row.given_up} given up"
    return line + (f" ({row.error})" if row.error else "")
