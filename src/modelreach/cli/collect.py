"""`modelreach collect`: read an estate, or replay a recording of one, into a snapshot."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.snapshot import Snapshot

EXAMPLES = """\b
Examples:
  modelreach collect aws -o estate.snap
  modelreach collect aws --profile ml --assume-role arn:aws:iam::222222222222:role/audit -o e.snap
  modelreach collect aws --from gaad.json -o gaad.snap     (offline, from an export)
"""


@click.command("collect", epilog=EXAMPLES)
@click.argument("providers", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where the snapshot goes.")
@click.option("--profile", "profiles", multiple=True, help="Profile of the AWS configuration.")
@click.option("--region", "regions", multiple=True, help="Region; default: all enabled ones.")
@click.option(
    "--scope",
    "--subscription",
    "--project",
    "scopes",
    multiple=True,
    metavar="ID",
    help="Subscription, project, folder, organization; default: all that is visible.",
)
@click.option("--tenant", default="", metavar="ID", help="Entra tenant to read.")
@click.option("--assume-role", "roles", multiple=True, metavar="ARN", help="Role to read as.")
@click.option("--external-id", default="", help="ExternalId for --assume-role.")
@click.option("--endpoint-url", default="", metavar="URL", help="Send all calls there.")
@click.option("--record", metavar="DIR", help="Also keep the raw answers (no secret values).")
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="PATH",
    help="Replay a recording, or read an export, instead of calling the cloud.",
)
@click.option("--max-workers", default=8, show_default=True, type=click.IntRange(1, 64))
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to connect.")
@click.option("--now", metavar="TIME", help="RFC 3339 time to stamp; default: the clock.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(
    providers: tuple[str, ...],
    output: str,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    scopes: tuple[str, ...],
    tenant: str,
    roles: tuple[str, ...],
    external_id: str,
    endpoint_url: str,
    record: str | None,
    sources: tuple[str, ...],
    max_workers: int,
    timeout: float,
    now: str | None,
    quiet: bool,
) -> None:
    """Read an estate, read-only, and write a snapshot of it.

    What is refused becomes a gap in the snapshot, with the permission that would close it; the
    run goes on. PROVIDERS: aws.
    """
    from modelreach import __version__, plugins, snapshot
    from modelreach.cli.files import write_all
    from modelreach.cli.terminal import visible

    for source in sources:
        if not Path(source).exists():
            raise InputError("no such file or folder", place=source)
    options = plugins.CollectOptions(
        now=moment(now),
        sources=tuple(Path(source) for source in sources),
        record=Path(record) if record else None,
        profiles=profiles,
        regions=regions,
        scopes=scopes,
        tenant=tenant,
        assume_roles=roles,
        external_id=external_id,
        endpoint_url=endpoint_url,
        max_workers=max_workers,
        timeout=timeout,
        progress=_silent if quiet else _progress,
    )
    connectors = [plugins.connector(name) for name in dict.fromkeys(providers)]
    parts = [connector.collect(options) for connector in connectors]
    taken_at = max(part.taken_at for part in parts)
    whole = snapshot.merge(parts, taken_at=taken_at, tool=f"modelreach {__version__}")
    write_all({output: snapshot.encode(whole)})
    if not quiet:
        for line in _told(whole, output):
            click.echo(visible(line), err=True)


def moment(text: str | None) -> str:
    """Give the time to stamp, as RFC 3339 UTC in seconds: the option, else SOURCE_DATE_EPOCH,
    else the clock."""
    if text:
        try:
            given = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            raise InputError(
                f"`{text}` is not an RFC 3339 time",
                place="--now",
                hint="such as 2026-11-23T12:00:00Z",
            ) from None
        if given.tzinfo is None:
            given = given.replace(tzinfo=UTC)
    elif epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        given = datetime.fromtimestamp(int(epoch), UTC)
    else:
        given = datetime.now(UTC)
    return given.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _silent(_line: str) -> None:
    return None


def _progress(line: str) -> None:
    from modelreach.cli.terminal import visible

    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{visible(line)[:100]}", nl=False, err=True)
    else:
        click.echo(visible(line), err=True)


def _told(whole: Snapshot, output: str) -> list[str]:
    accounts = sum(1 for scope in whole.scopes if scope.kind == "account")
    lines = [
        f"{output}: {accounts} account(s), {len(whole.principals)} principals, "
        f"{len(whole.resources)} resources, {len(whole.gaps)} gap(s)"
    ]
    by_permission: dict[str, int] = {}
    for gap in whole.gaps:
        label = gap.permission or gap.operation or gap.kind
        by_permission[f"{gap.reason}: {label}"] = (
            by_permission.get(f"{gap.reason}: {label}", 0) + 1
        )
    for label, count in sorted(by_permission.items())[:12]:
        lines.append(f"  not read: {label} ({count} time{'s' if count > 1 else ''})")
    if len(by_permission) > 12:
        lines.append(f"  … {len(by_permission) - 12} more kinds of gap in the snapshot")
    if any(gap.reason == "denied" for gap in whole.gaps):
        lines.append(
            "  what was not read counts as unknown, not as zero; "
            f"grant it with: modelreach permissions aws --missing {output}"
        )
    return lines
