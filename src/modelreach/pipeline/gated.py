"""The gate's stage of the sentence: waivers, classification, demands, policy, verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace

from modelreach.deployment import Deployment
from modelreach.gate import waivers as waiving
from modelreach.gate.classify import classify
from modelreach.gate.decision_input import as_document, decision_input
from modelreach.gate.demands import Brought, Case, demanded, evidence_rows, settle
from modelreach.gate.policy import Policy, judge, judge_again
from modelreach.gate.revocation import Plan, plan
from modelreach.gate.triggers.reached import Reach
from modelreach.gate.verdict import GateOptions, gate
from modelreach.gate.waivers import Waivers
from modelreach.report import DiffReport, RuleRow

NO_WAIVERS = Waivers()
NOTHING_BROUGHT = Brought()


@dataclass(frozen=True, slots=True)
class GateInput:
    """What the gate takes besides the comparison.

    Without a policy only findings decide; with one, demands are settled and its rules speak.
    `today` is the day on which attestations are judged.
    """

    waivers: Waivers = NO_WAIVERS
    policy: Policy | None = None
    brought: Brought = NOTHING_BROUGHT
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
        report, rules = _ruled(report, old, new, options, given, given.policy)
    name = given.policy.name if given.policy else ""
    answer = gate(report.findings, len(report.gaps), options, rules=rules, policy=name)
    return replace(report, gate=answer)


def _ruled(
    report: DiffReport,
    old: Deployment,
    new: Deployment,
    options: GateOptions,
    given: GateInput,
    policy: Policy,
) -> tuple[DiffReport, tuple[RuleRow, ...]]:
    """Rules may demand more: they are heard for what they demand, and then about it all."""
    report = replace(report, evidence=evidence_rows(given.brought))
    first = judge(policy, as_document(decision_input(report, old, new)), options)
    report = _with_demands(report, old, new, given, policy, first)
    document = as_document(decision_input(report, old, new))
    return report, judge_again(policy, document, options, first)


def _with_demands(
    report: DiffReport,
    old: Deployment,
    new: Deployment,
    given: GateInput,
    policy: Policy,
    rules: tuple[RuleRow, ...],
) -> DiffReport:
    change = report.security_change
    assert change is not None
    asks = {rule.id: rule.demands for rule in policy.rules}
    case = Case(
        change=change,
        old=old,
        new=new,
        brought=given.brought,
        plan=revocation(report, new),
        today=given.today,
        reach_digests=tuple(
            dict.fromkeys([report.old.snapshot_digest, report.new.snapshot_digest])
        ),
    )
    return replace(report, demands=settle(demanded(change, rules, asks), case))


def revocation(report: DiffReport, new: Deployment) -> Plan:
    """Give the plan that takes away what the triggers name."""
    identities = {one.id: (one.principal, str(one.cloud)) for one in new.spec.identities}
    change = report.security_change
    return plan(report, change, identities) if change else Plan()
