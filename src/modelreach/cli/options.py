"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from modelreach.cli.plain import option, plugged_in
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.cli.config import Config
    from modelreach.cli.files import Source
    from modelreach.cli.stored import Releases
    from modelreach.deployment import Deployment
    from modelreach.judge.policy import JudgePolicy
    from modelreach.pipeline import GateOptions, Release, Side
    from modelreach.report import DiffReport
    from modelreach.snapshot import Snapshot

Command = Callable[..., Any]

SEVERITIES = click.Choice(["critical", "high", "medium", "low", "never"])


def stacked(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Put several decorators into one, the first on top."""

    def wrap(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return wrap


estate_options = stacked(
    option("--snapshot", metavar="FILE", help="The estate for both releases."),
    option("--old-snapshot", metavar="FILE", help="The estate of the old release."),
    option("--new-snapshot", metavar="FILE", help="The estate of the new release."),
)

gate_options = stacked(
    option("--fail-on", type=SEVERITIES, help="Severity that fails the gate [high]."),
    option("--fail-on-all", is_flag=True, help="Findings that were there before, too."),
    option("--fail-on-incomplete", is_flag=True, help="Exit 3 when something was not read."),
    option("--exit-zero", is_flag=True, help="Exit 0 whatever the gate says."),
)

state_options = stacked(
    option(
        "--state",
        envvar="MODELREACH_STATE",
        metavar="PLACE",
        help="What audits keep: a folder, a file, or postgresql://… [MODELREACH_STATE].",
    ),
    option(
        "--blobs",
        envvar="MODELREACH_BLOBS",
        metavar="PLACE",
        help="Where its snapshots lie, if not beside it: a folder, s3://…, gs://…, az://…",
    ),
)

deployment_option = option(
    "--deployment", metavar="NAME", help="Of which deployment: for `approved` and `last`."
)


def _time(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    from modelreach.cli.clock import typed

    return text and typed(text)


now_option = option(
    "--now",
    metavar="TIME",
    callback=_time,
    help="The time of deciding, RFC 3339; default: the clock.",
)
waivers_option = option(
    "--waivers", metavar="FILE", help="Accepted findings [modelreach-waivers.yaml, if there]."
)
policy_option = option(
    "--policy", metavar="NAME|FILE", help="strict, default, advisory, or a policy file."
)

config_option = option(
    "-c", "--config", metavar="FILE", help="Configuration; default: modelreach.yaml found upward."
)

terminal_options = stacked(
    option("--color", type=click.Choice(["auto", "always", "never"]), default="auto"),
    option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII signs."),
    option("--all", "show_all", is_flag=True, help="Show every change."),
)


def _with_forms(
    _context: click.Context, _parameter: click.Parameter, outputs: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse a form that is not known before anything is worked out for it."""
    from modelreach.cli.rendering import format_of

    for output in outputs:
        format_of(output)
    return outputs


output_options = stacked(
    option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE",
        callback=_with_forms,
        help="Write a file, format by its name, or FORMAT:FILE; may be repeated.",
    ),
    option(
        "--format",
        "form",
        shell_complete=plugged_in("renderers"),
        help="Format for standard output [text].",
    ),
)


def gate_of(
    config: Config,
    fail_on: str | None,
    fail_on_all: bool,
    fail_on_incomplete: bool,
    exit_zero: bool,
) -> GateOptions:
    """Give the gate: options before configuration."""
    from modelreach.pipeline import GateOptions

    return GateOptions(
        fail_on=fail_on or config.gate.fail_on or "high",
        fail_on_incomplete=fail_on_incomplete or config.gate.fail_on_incomplete,
        fail_on_all=fail_on_all,
        exit_zero=exit_zero,
    )


def release_of(manifest_path: str, snapshot_path: str) -> Release:
    """Read one release and its estate."""
    from modelreach.cli.files import read_manifest, read_snapshot

    return _release(read_manifest(manifest_path), read_snapshot(snapshot_path))


def _two(old: str, new: str, first: str, second: str) -> tuple[Release, Release]:
    """Read two releases and their estates; an estate that is given for both once."""
    from modelreach.cli.files import read_manifest, read_snapshot

    before, estate = read_manifest(old), read_snapshot(first)
    after = read_manifest(new)
    other = estate if second == first else read_snapshot(second)
    return _release(before, estate), _release(after, other)


def _release(manifest: tuple[Deployment, Source], estate: tuple[Snapshot, Source]) -> Release:
    from modelreach.pipeline import Release

    (deployment, source), (snapshot, place) = manifest, estate
    return Release(
        deployment, snapshot, source.name, source.digest, place.name, place.digest, source.raw
    )


def snapshots_of(snapshot: str | None, old: str | None, new: str | None) -> tuple[str, str]:
    """Give the paths of both estates. Raises `InputError` when one is not named."""
    first, second = old or snapshot, new or snapshot
    if first is None or second is None:
        raise InputError(
            "no snapshot is given for " + ("both releases" if first is second else "one release"),
            place="--snapshot",
            hint="use --snapshot for one estate, or --old-snapshot and --new-snapshot for two",
        )
    return first, second


def compared(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: Config,
    gate: GateOptions,
    *,
    waivers: str | None = None,
    now: str | None = None,
    releases: Releases | None = None,
) -> DiffReport:
    """Read, evaluate and compare two releases; findings decide, and waivers count."""
    from modelreach.cli.config import judge_policy
    from modelreach.cli.gating import Moment, waivers_of
    from modelreach.pipeline import diff_of
    from modelreach.pipeline.gated import GateInput

    both = two_of(old, new, snapshot, old_snapshot, new_snapshot, releases)
    given = GateInput(waivers=waivers_of(waivers, config, Moment(now)))
    return diff_of(*both, judge_policy(config), gate, given)


def pair(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: Config,
    *,
    releases: Releases | None = None,
) -> tuple[Side, Side]:
    """Read and evaluate two releases, from their facts alone. `releases` finds those that are
    audits."""
    from modelreach.cli.config import judge_policy

    both = two_of(old, new, snapshot, old_snapshot, new_snapshot, releases)
    return sides(*both, judge_policy(config))


def sides(old: Release, new: Release, policy: JudgePolicy) -> tuple[Side, Side]:
    """Evaluate two releases from their facts alone; an estate that they share is arranged once."""
    from modelreach.pipeline import evaluate
    from modelreach.pipeline.evaluate import Estates

    old, new = _sharing(old, new)
    estates = Estates()
    return evaluate(old, policy, estates), evaluate(new, policy, estates)


def _sharing(old: Release, new: Release) -> tuple[Release, Release]:
    """Give two releases; where they are in the same estate, in one."""
    from msgspec.structs import replace

    if old.snapshot_digest and old.snapshot_digest == new.snapshot_digest:
        new = replace(new, snapshot=old.snapshot)
    return old, new


def two_of(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    releases: Releases | None = None,
) -> tuple[Release, Release]:
    """Read two releases; an estate that they share is read once."""
    if releases is not None and (releases.is_audit(old) or releases.is_audit(new)):
        first, second = releases.two(old, new, old_snapshot or snapshot, new_snapshot or snapshot)
    else:
        first, second = _two(old, new, *snapshots_of(snapshot, old_snapshot, new_snapshot))
    return _sharing(first, second)


def releases_of(
    state: str | None, blobs: str | None, deployment: str | None, config: Config
) -> Releases | None:
    """Give what finds audits by `approved`, `last`, an id or NAME@VERSION; else None."""
    if not (state or config.state.url):
        return None
    from modelreach.cli.stored import Releases, place_of

    return Releases(place_of(state, blobs, config), deployment or "")
