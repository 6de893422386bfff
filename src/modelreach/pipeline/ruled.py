"""What a policy adds to the gate's stage: demands settled, rules heard, and how to undo it all."""

from __future__ import annotations

from msgspec.structs import replace

from modelreach.deployment import Deployment
from modelreach.gate.decision_input import as_document, decision_input
from modelreach.gate.demands import Brought, Case, demanded, evidence_rows, settle
from modelreach.gate.policy import Policy, judge, judge_again
from modelreach.gate.revocation import Plan, plan
from modelreach.gate.verdict import GateOptions
from modelreach.pipeline.gated import GateInput
from modelreach.report import DiffReport, RuleRow


def ruled(
    report: DiffReport,
    old: Deployment,
    new: Deployment,
    options: GateOptions,
    given: GateInput,
    policy: Policy,
) -> tuple[DiffReport, tuple[RuleRow, ...]]:
    """Give the report with its demands, and what the rules of a policy say.

    Rules may demand more: they are heard for what they demand, and then about it all.
    """
    report = replace(report, evidence=evidence_rows(given.brought or Brought()))
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
        brought=given.brought or Brought(),
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
