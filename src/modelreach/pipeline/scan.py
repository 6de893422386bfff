"""One side in, the report out."""

from __future__ import annotations

from msgspec.structs import replace

from modelreach.gate.verdict import GateOptions, gate
from modelreach.gate.waivers import Waivers, apply, unused
from modelreach.judge.finding import State
from modelreach.pipeline import classed, rows
from modelreach.pipeline.evaluate import Side
from modelreach.pipeline.gated import NO_WAIVERS
from modelreach.pipeline.origins import located
from modelreach.pipeline.summing import at_stake, summed_up_rows, told
from modelreach.pipeline.toolrows import tool_rows
from modelreach.pipeline.witnesses import Witnesses
from modelreach.report import RadiusReport, grant_order


def radius_report(side: Side, options: GateOptions, waivers: Waivers = NO_WAIVERS) -> RadiusReport:
    """Give everything that one release reaches.

    In a scope that it can take over, what is sensitive is listed once, by the taking over; besides
    only what of it is had otherwise. The rest is counted: the taking over says it all. Where many
    identities are reached, each thing is listed with the best ways to it.
    """
    findings = tuple(replace(f, state=State.NEW) for f in side.findings)
    witnesses = Witnesses()
    found = apply(rows.finding_rows(findings, witnesses, side.toolbox), waivers)
    gaps = rows.gap_rows(side.gaps)
    numbers = rows.numbers_by_subject(found)
    apart = told(side)
    listed = [
        rows.grant_row(access, side.case.rated(access.grant), numbers, side.toolbox, witnesses)
        for access in (*apart.accesses, *at_stake(side))
    ]
    grants = tuple(sorted(listed, key=grant_order))
    admin_of = rows.admin_rows(side, witnesses)
    report = RadiusReport(
        schema="modelreach.radius/2",
        release=rows.release_row(side.release),
        identities=rows.identity_rows(side, witnesses),
        grants=grants,
        admin_of=admin_of,
        credentials=rows.credential_rows(side.case),
        findings=found,
        unused_waivers=unused(found, waivers),
        gaps=gaps,
        figures=rows.figures(side),
        gate=gate(found, len(gaps), options),
        scopes=rows.scope_rows(side),
        tools=tool_rows(side),
        summed_up=summed_up_rows(side),
        no_better=apart.no_better,
        matrix=classed.listed(grants, admin_of),
    )
    return located(report, side.release.snapshot.origins)
