"""One side in, the report out."""

from __future__ import annotations

import gc

from msgspec.structs import replace

from modelreach.gate.verdict import GateOptions, gate, is_blind
from modelreach.gate.waivers import Waivers, apply, unused
from modelreach.judge.finding import State
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import classed, rows
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.pipeline.gated import NO_WAIVERS
from modelreach.pipeline.kept_reports import KeptReports, is_wide
from modelreach.pipeline.origins import located
from modelreach.pipeline.summing import at_stake, summed_up_rows, told
from modelreach.pipeline.toolrows import tool_rows
from modelreach.pipeline.witnesses import Witnesses
from modelreach.report import RadiusReport, grant_order


def radius_of(
    release: Release, policy: JudgePolicy, options: GateOptions, waivers: Waivers = NO_WAIVERS
) -> RadiusReport:
    """Give everything that one release reaches, from what a store kept where that holds. Raises
    `InputError` as `evaluate` does."""
    places = KeptReports(policy, release)
    kept = places.find(RadiusReport)
    if kept is None:
        report, wide = _worked_out(release, policy)
        if wide:
            # What was read of the estate is not needed any more; a wide report is large itself.
            gc.collect()
            places.keep(report)
    else:
        report = replace(kept[0], release=rows.release_row(release))
    return _finished(report, release, options, waivers)


def _worked_out(release: Release, policy: JudgePolicy) -> tuple[RadiusReport, bool]:
    side = evaluate(release, policy, Estates(keeping=True))
    report = _reached(side)
    if wide := is_wide(side):
        side.case.facts.let_go()
    return report, wide


def radius_report(side: Side, options: GateOptions, waivers: Waivers = NO_WAIVERS) -> RadiusReport:
    """Give everything that one release reaches.

    In a scope that it can take over, what is sensitive is listed once, by the taking over; besides
    only what of it is had otherwise. The rest is counted: the taking over says it all. Where many
    identities are reached, each thing is listed with the best ways to it.
    """
    return _finished(_reached(side), side.release, options, waivers)


def _finished(
    report: RadiusReport, release: Release, options: GateOptions, waivers: Waivers
) -> RadiusReport:
    """Give a report with what waivers, the gate and a plan say of it."""
    found = apply(report.findings, waivers)
    report = replace(
        report,
        findings=found,
        unused_waivers=unused(found, waivers),
        gate=gate(found, len(report.gaps), options, blind=is_blind(report.figures, report.gaps)),
    )
    return located(report, release.snapshot.origins)


def _reached(side: Side) -> RadiusReport:
    """Give the report that waivers and the gate are still to be asked about."""
    findings = tuple(replace(f, state=State.NEW) for f in side.findings)
    witnesses = Witnesses()
    found = rows.finding_rows(findings, witnesses, side.toolbox)
    gaps = rows.gap_rows(side.gaps)
    numbers = rows.numbers_by_subject(found)
    apart = told(side)
    listed = [
        rows.grant_row(access, side.case.rated(access.grant), numbers, side.toolbox, witnesses)
        for access in (*apart.accesses, *at_stake(side))
    ]
    grants = tuple(sorted(listed, key=grant_order))
    admin_of = rows.admin_rows(side, witnesses)
    return RadiusReport(
        schema="modelreach.radius/2",
        release=rows.release_row(side.release),
        identities=rows.identity_rows(side, witnesses),
        grants=grants,
        admin_of=admin_of,
        credentials=rows.credential_rows(side.case),
        findings=found,
        gaps=gaps,
        figures=rows.figures(side),
        gate=gate((), 0, GateOptions()),
        scopes=rows.scope_rows(side),
        tools=tool_rows(side),
        summed_up=summed_up_rows(side),
        no_better=apart.no_better,
        matrix=classed.listed(grants, admin_of),
    )
