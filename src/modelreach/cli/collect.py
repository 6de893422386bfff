"""`modelreach collect`: read an estate, or replay a recording of one, into a snapshot."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from modelreach.cli.clock import stamp, typed
from modelreach.cli.options import stacked
from modelreach.cli.plain import plugged_in
from modelreach.cli.provider_options import for_provider, provider_options, settings
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.plugins import CollectOptions, Connector, Spread
    from modelreach.snapshot import Snapshot

EXAMPLES = """\b
Examples:
  modelreach collect aws -o estate.snap
  modelreach collect aws --profile ml --assume-role arn:aws:iam::222222222222:role/audit -o e.snap
  modelreach collect aws --from gaad.json -o gaad.snap     (offline, from an export)
  modelreach collect aws -o estate.mrdb                    (small, and day by day in one file)
  modelreach collect aws --assume-role ARN --assume-role ARN --workers 4 -o estate.mrdb
  modelreach collect gcp --organization 123456789012 -o estate.snap
  modelreach collect kubernetes --from rendered/ --cluster prod -o prod.snap
  modelreach collect aws gcp --profile ml --project ml-prod -o both.snap
  modelreach collect terraform --plan plan.json --onto estate.snap -o planned.snap
"""


#: What says which estate is read, and how; for every command that collects.
collect_options = stacked(
    click.option(
        "--profile", "profiles", multiple=True, help="Profile of the AWS configuration. [aws]"
    ),
    click.option("--region", "regions", multiple=True, help="Region; default: all enabled. [aws]"),
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        metavar="ID",
        help="What to read, such as organizations/123; default: all that is visible.",
    ),
    click.option(
        "--assume-role", "roles", multiple=True, metavar="ARN", help="Role to read as. [aws]"
    ),
    click.option("--external-id", default="", help="ExternalId for --assume-role. [aws]"),
    click.option(
        "--endpoint-url",
        "endpoints",
        multiple=True,
        metavar="URL",
        help="Send all calls there; PROVIDER=URL where several are read.",
    ),
    provider_options,
    click.option("--record", metavar="DIR", help="Also keep the raw answers (no secret values)."),
    click.option(
        "--from",
        "sources",
        multiple=True,
        metavar="PATH",
        help="Replay a recording, or read an export, instead of calling the cloud.",
    ),
    click.option("--max-workers", default=8, show_default=True, type=click.IntRange(1, 64)),
    click.option(
        "--workers",
        type=click.IntRange(1),
        default=1,
        help="Processes that read accounts [1]. [aws]",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Read accounts on a Dask cluster: tcp://HOST:PORT. [aws]",
    ),
    click.option("--timeout", default=10.0, show_default=True, help="Seconds to connect."),
)


@click.command("collect", epilog=EXAMPLES)
@click.argument("providers", nargs=-1, required=True, shell_complete=plugged_in("connectors"))
@click.option("-o", "--output", required=True, metavar="FILE", help="Where the snapshot goes.")
@collect_options
@click.option("--now", metavar="TIME", help="RFC 3339 time to stamp; default: the clock.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(providers: tuple[str, ...], output: str, quiet: bool, **given: Any) -> None:
    """Read an estate, read-only, and write a snapshot of it.

    What is refused becomes a gap in the snapshot, with the permission that would close it; the
    run goes on. PROVIDERS: aws, azure, gcp, kubernetes, or several of them; or terraform, for
    the estate as it will be after a plan.
    """
    from modelreach.cli.files import write_snapshot
    from modelreach.cli.terminal import visible

    whole = collected(providers, quiet=quiet, **given)
    write_snapshot(output, whole)
    if not quiet:
        for line in _told(whole, output):
            click.echo(visible(line), err=True)


def collected(
    providers: tuple[str, ...],
    *,
    quiet: bool,
    workers: int,
    scheduler: str | None,
    **given: Any,
) -> Snapshot:
    """Read an estate as `collect_options` say, stamped with `now` (the clock without it)."""
    from modelreach import __version__, plugins, snapshot

    names = tuple(dict.fromkeys(providers))
    connectors = [plugins.connector(name) for name in names]
    asked = _options(names, _silent if quiet else _progress, **given)
    with _spread(workers, scheduler, connectors) as spread:
        parts = [
            one.collect(replace(options, spread=spread))
            for one, options in zip(connectors, asked, strict=True)
        ]
    taken_at = max(part.taken_at for part in parts)
    return snapshot.merge(parts, taken_at=taken_at, tool=f"modelreach {__version__}")


@contextmanager
def _spread(
    workers: int, scheduler: str | None, connectors: Sequence[Connector]
) -> Generator[Spread | None]:
    """Give the processes that were asked for, and let them go at the end. Raises `InputError`
    where a connector reads in one process only."""
    if workers == 1 and scheduler is None:
        yield None
        return
    from modelreach import plugins
    from modelreach.pipeline.spread import DaskCluster, LocalProcesses

    alone = [one.name for one in connectors if not isinstance(one, plugins.Spreading)]
    if alone:
        raise InputError(
            f"{alone[0]} is read by one process",
            place="--scheduler" if scheduler else "--workers",
            hint="what bounds it is the rate at which it answers; see --max-workers",
        )
    spread = DaskCluster(scheduler) if scheduler else LocalProcesses(workers)
    try:
        yield spread
    finally:
        spread.close()


def _options(
    names: tuple[str, ...],
    progress: Callable[[str], None],
    *,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    scopes: tuple[str, ...],
    roles: tuple[str, ...],
    external_id: str,
    endpoints: tuple[str, ...],
    record: str | None,
    sources: tuple[str, ...],
    max_workers: int,
    timeout: float,
    now: str | None,
    **given: Any,
) -> list[CollectOptions]:
    """Give the options of each provider. Raises `InputError` for those that fit none."""
    from modelreach import plugins

    of_providers, taken = settings(names, given), moment(now)
    found: list[CollectOptions] = []
    for name in names:
        paths = for_provider(sources, name, names, place="--from")
        _must_exist(paths)
        own = of_providers[name]
        places = for_provider(scopes, name, names, place="--scope")
        urls = for_provider(endpoints, name, names, place="--endpoint-url")
        one = plugins.CollectOptions(
            now=taken,
            sources=tuple(Path(path) for path in paths),
            record=_record(record, name, names),
            profiles=profiles,
            regions=regions,
            scopes=(*places, *own.get("subscription", ())),
            tenant=own.get("tenant", ("",))[0],
            assume_roles=roles,
            external_id=external_id,
            endpoint_url=urls[-1] if urls else "",
            max_workers=max_workers,
            timeout=timeout,
            progress=progress,
            settings=own,
        )
        found.append(one)
    return found


def _must_exist(paths: tuple[str, ...]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise InputError("no such file or folder", place=path)


def _record(folder: str | None, name: str, names: tuple[str, ...]) -> Path | None:
    """Give where a provider's answers are kept: of several, each has a folder in there."""
    if not folder:
        return None
    return Path(folder) if len(names) == 1 else Path(folder) / name


def moment(text: str | None) -> str:
    """Give the time to stamp, as RFC 3339 UTC in seconds: the option, else SOURCE_DATE_EPOCH,
    else the clock."""
    if text:
        return typed(text)
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return stamp(datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC))


def _silent(_line: str) -> None:
    return None


def _progress(line: str) -> None:
    from modelreach.cli.terminal import visible

    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{visible(line)[:100]}", nl=False, err=True)
    else:
        click.echo(visible(line), err=True)


def _told(whole: Snapshot, output: str) -> list[str]:
    from modelreach.cli.terminal import in_numbers
    from modelreach.policy.undecided import undecided
    from modelreach.snapshot import facts_of

    lines = [f"{output}: {in_numbers(whole)}"]
    by_permission = Counter(
        f"{gap.reason.replace('-', ' ')}: {gap.permission or gap.operation or gap.kind}"
        for gap in whole.gaps
    )
    for label, count in sorted(by_permission.items())[:12]:
        lines.append(f"  not read: {label}" + (f" ({count:,} times)" if count > 1 else ""))
    if len(by_permission) > 12:
        lines.append(f"  … {len(by_permission) - 12} more kinds of gap in the snapshot")
    denied = sorted({gap.provider for gap in whole.gaps if gap.reason == "denied"})
    if whole.gaps:
        grant = "; grant it with:" if denied else ""
        lines.append(f"  what was not read counts as unknown, not as zero{grant}")
    lines += [f"    modelreach permissions {name} --missing {output}" for name in denied]
    of_nobody = [f"  unknown: {gap.message}" for gap in undecided(facts_of(whole))]
    return lines + of_nobody
