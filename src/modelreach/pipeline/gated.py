"""The gate's stage of the sentence: waivers, classification, demands, policy, verdict."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from modelreach.deployment import Deployment
from modelreach.gate import waivers as waiving
from modelreach.gate.classify import classify
from modelreach.gate.triggers.reached import Reach
from modelreach.gate.verdict import GateOptions, gate, is_blind
from modelreach.gate.waivers import Waivers
from modelreach.report import DiffReport, RuleRow

if TYPE_CHECKING:
    from modelreach.gate.demands import Brought
    from modelreach.gate.policy import Policy

NO_WAIVERS = Waivers()


class GateInput(msgspec.Struct, frozen=True):
    """What the gate takes besides the comparison.

    Without a policy only findings decide; with one, demands are settled with what was `brought`
    (None: nothing), and its rules speak.
    `today` is the day on which attestations are judged.
    """

    waivers: Waivers = NO_WAIVERS
    policy: Policy | None = None
    brought: Brought | None = None
    today: date = date.min


ONLY_FINDINGS = GateInput()


def classified(
    reach: Reach, old: Deployment, new: Deployment, options: GateOptions, given: GateInput
) -> DiffReport:
    """Give the report with its waivers, its classification and the gate's answer."""
    report = reach.report
    findings = waiving.apply(report.findings, given.waivers)
    report = replace(
        report,
        findings=findings,
        unused_waivers=waiving.unused(findings, given.waivers),
        security_change=classify(old, new, reach),
    )
    rules: tuple[RuleRow, ...] = ()
    if given.policy is not None:
        # Most comparisons are made without a policy, and need none of what settles demands.
        from modelreach.pipeline.ruled import ruled

        report, rules = ruled(report, old, new, options, given, given.policy)
    name = given.policy.name if given.policy else ""
    answer = gate(
        report.findings,
        len(report.gaps),
        options,
        rules=rules,
        policy=name,
        blind=is_blind(report.summary.new, report.gaps),
    )
    return replace(report, gate=answer)
