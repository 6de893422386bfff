"""`modelreach scan`: everything that one release, or one principal, reaches."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from modelreach.cli.options import (
    config_option,
    deployment_option,
    gate_of,
    gate_options,
    now_option,
    output_options,
    release_of,
    releases_of,
    state_options,
    terminal_options,
    waivers_option,
)
from modelreach.cli.plain import Command, option
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.report import RadiusReport

EXAMPLES = """\b
Examples:
  modelreach scan v2.yaml --snapshot estate.snap
  modelreach scan --principal arn:aws:iam::111122223333:role/agent --snapshot e.snap --format json
"""


@click.command("scan", cls=Command, epilog=EXAMPLES)
@click.argument("manifest", required=False)
@option(
    "--principal", metavar="ID", help="Scan this principal, by id or name, instead of a release."
)
@option("--snapshot", metavar="FILE", help="The estate.")
@state_options
@deployment_option
@waivers_option
@now_option
@gate_options
@output_options
@terminal_options
@config_option
def command(
    manifest: str | None,
    principal: str | None,
    snapshot: str | None,
    state: str | None,
    blobs: str | None,
    deployment: str | None,
    config: str | None,
    outputs: tuple[str, ...],
    form: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
    waivers: str | None,
    now: str | None,
    **gate: Any,
) -> None:
    """Show what one release, or one principal, reaches in an estate.

    With --state, MANIFEST may be an audit (`last`, `approved`, NAME@VERSION, or an id).
    """
    from modelreach.cli.config import judge_policy, load
    from modelreach.cli.gating import Moment, waivers_of
    from modelreach.cli.rendering import emit
    from modelreach.pipeline import radius_of

    if (manifest is None) == (principal is None):
        raise InputError(
            "give either a manifest or --principal",
            hint="modelreach scan v2.yaml --snapshot FILE",
        )
    settings = load(config)
    releases = releases_of(state, blobs, deployment, settings)

    def reported() -> RadiusReport:
        if releases is not None and manifest and releases.is_audit(manifest):
            release = releases.one(manifest, snapshot)
        elif snapshot is None:
            raise InputError("no snapshot is given", place="--snapshot", hint="--snapshot FILE")
        elif manifest:
            release = release_of(manifest, snapshot)
        else:
            release = of_principal_in(str(principal), snapshot)
        accepted = waivers_of(waivers, settings, Moment(now))
        return radius_of(release, judge_policy(settings), gate_of(settings, **gate), accepted)

    report = reported()
    emit(
        report,
        outputs,
        form,
        color=color,
        ascii_only=ascii_only,
        show_all=show_all,
        following=_following(report, manifest, str(principal), snapshot, state),
    )
    raise click.exceptions.Exit(report.gate.exit_code)


def _following(
    report: RadiusReport,
    manifest: str | None,
    principal: str,
    snapshot: str | None,
    state: str | None,
) -> list[str]:
    """Give the commands that show the witness of the finding that is shown first."""
    from modelreach.report import ranked_findings

    if not report.findings:
        return []
    first = ranked_findings(report)[0].id
    if snapshot is None:
        where = [str(manifest), *(["--state", state] if state else [])]
        kept = shlex.join(["modelreach", "scan", *where, "-o", "radius.json"])
        return [kept, f"modelreach explain {first} --in radius.json"]
    if manifest is not None:
        return [shlex.join(["modelreach", "explain", first, manifest, "--snapshot", snapshot])]
    whose = ["--principal", principal, "--snapshot", snapshot]
    return [shlex.join(["modelreach", "explain", first, *whose])]


def of_principal_in(principal: str, snapshot: str) -> Any:
    """Give the release that is just a principal, in an estate."""
    from modelreach.cli.called import id_of
    from modelreach.cli.files import read_snapshot
    from modelreach.deployment import of_principal
    from modelreach.pipeline import Release
    from modelreach.policy.providers import cloud_of

    estate, source = read_snapshot(snapshot)
    if not any(sign in principal for sign in ":/"):  # what has one may be an id
        principal = id_of(principal, estate.principals, source.name) or principal
    return Release(
        of_principal(principal, cloud_of(principal, estate)),
        estate,
        snapshot_name=source.name,
        snapshot_digest=source.digest,
    )
