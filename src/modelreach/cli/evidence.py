"""`modelreach evidence`: evaluation reports in, whose they are and how they compare out."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.deployment import Deployment
    from modelreach.evidence.files import ReadOptions
    from modelreach.pipeline.evidence import Judged

EXAMPLES = """\b
Examples:
  modelreach evidence garak.report.jsonl
  modelreach evidence promptfoo.json --manifest v2.yaml
  modelreach evidence new.json --baseline old.json
  modelreach evidence --manifest v2.yaml        (the reports that it names)
  modelreach evidence --manifest v2.yaml --baseline-manifest v1.yaml
  modelreach evidence new.eval --baseline old.eval --correct-means held --format json
"""


@click.command("evidence", epilog=EXAMPLES)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--manifest", metavar="FILE", help="The release that the reports have to be about.")
@click.option("--baseline", multiple=True, metavar="FILE", help="A report on the old release.")
@click.option("--baseline-manifest", metavar="FILE", help="The old release.")
@click.option("--kind", default="", help="Kind of the reports; default: told from their looks.")
@click.option(
    "--correct-means",
    type=click.Choice(["held", "broken"]),
    help="What a correct answer says of the model (Inspect).",
)
@click.option("--scorer", default="", metavar="NAME", help="Which scorer to take (Inspect).")
@click.option("--target", default="", metavar="NAME", help="What the reports call the release.")
@click.option("--baseline-target", default="", metavar="NAME", help="And the old release.")
@click.option(
    "--margin",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Points by which a rate may be higher.",
)
@click.option(
    "--alpha",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0.0001, 0.5),
    help="Chance of a false alarm, over all categories.",
)
@click.option(
    "--unit",
    type=click.Choice(["case", "attempt"]),
    default="case",
    show_default=True,
    help="What is counted.",
)
@click.option(
    "--max-age-days",
    default=90,
    show_default=True,
    type=click.IntRange(1),
    help="How old a report on the new release may be.",
)
@click.option(
    "--now", metavar="TIME", help="RFC 3339 time to count ages from; default: the clock."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("-o", "--output", metavar="FILE", help="Also write the JSON there.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII signs.")
@click.option("--all", "show_all", is_flag=True, help="Show every case that changed.")
def command(
    files: tuple[str, ...],
    manifest: str | None,
    baseline: tuple[str, ...],
    baseline_manifest: str | None,
    kind: str,
    form: str,
    output: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
    **given: Any,
) -> None:
    """Show evaluation reports, and how two releases compare.

    FILE is a report of garak, promptfoo, Inspect, PyRIT, AgentDojo (a folder) or DeepTeam. With a
    manifest only reports on its release count; without FILE its own `evidence` is read.
    """
    from modelreach import plugins
    from modelreach.cli.collect import moment
    from modelreach.cli.files import write_all
    from modelreach.cli.rendering import terminal
    from modelreach.evidence import Unit
    from modelreach.evidence.files import ReadOptions
    from modelreach.evidence_report import encode
    from modelreach.pipeline.evidence import Question, evidence_report

    if not (files or manifest):
        raise InputError(
            "no report and no manifest is given", hint="see `modelreach evidence --help`"
        )
    now = moment(given["now"])
    options = ReadOptions(given["correct_means"], given["scorer"])
    release, previous = _release(manifest), _release(baseline_manifest)
    reading: dict[str, Any] = {"kind": kind, "options": options, "now": now}
    new = _side(
        _Side(files, manifest, release, given["target"], given["max_age_days"]),
        before=previous,
        **reading,
    )
    old = _side(
        _Side(baseline, baseline_manifest, previous, given["baseline_target"], None),
        after=release,
        **reading,
    )
    report = evidence_report(
        old,
        new,
        now,
        old_release=_named(previous),
        new_release=_named(release),
        question=Question(given["margin"] / 100, given["alpha"], Unit(given["unit"])),
    )
    raw = encode(report)
    shown = raw
    if form == "text":
        draw = plugins.terminal("evidence")
        shown = draw(report, **terminal(color=color, ascii_only=ascii_only), show_all=show_all)
    write_all({"-": shown, **({output: raw} if output else {})})


class _Side(msgspec.Struct, frozen=True):
    """What was said of one release: its reports, its manifest, and how the reports call it."""

    files: tuple[str, ...]
    manifest: str | None
    release: Deployment | None
    target: str
    max_age_days: int | None


def _release(manifest: str | None) -> Deployment | None:
    from modelreach.cli.files import read_manifest

    return read_manifest(manifest)[0] if manifest is not None else None


def _named(release: Deployment | None) -> str:
    return f"{release.metadata.name} {release.metadata.version}" if release else ""


def _side(
    side: _Side,
    *,
    kind: str,
    options: ReadOptions,
    now: str,
    before: Deployment | None = None,
    after: Deployment | None = None,
) -> tuple[Judged, ...]:
    """Read one side's reports, and hold them against its manifest where there is one."""
    from modelreach.cli.evidence_files import of_manifest, read_evidence
    from modelreach.evidence import Claim, bind_report

    if side.release is None or side.manifest is None:
        if side.target:
            raise InputError("a target is named for no manifest", place="--target")
        read = [read_evidence(path, kind=kind, options=options) for path in side.files]
        return tuple(chain.from_iterable(read))
    asked: dict[str, Any] = {"max_age_days": side.max_age_days, "before": before, "after": after}
    if side.files:
        claim = Claim(target=side.target)
        bound = [
            bind_report(
                read_evidence(path, kind=kind, options=options),
                side.release,
                now,
                claim=claim,
                **asked,
            )
            for path in side.files
        ]
        return tuple(chain.from_iterable(bound))
    found = of_manifest(side.release, side.manifest, now, **asked)
    if not found:
        raise InputError(
            "the manifest names no evidence",
            place=side.manifest,
            hint="name a report after the options, or in the manifest's `evidence`",
        )
    return found
