"""Which updates are a security change, for which reasons, and what is not known."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelreach.gate.catalogue import TRIGGERS
from modelreach.report import DiffReport, SecurityChange

Manifest = dict[str, Any]
Edit = Callable[[Manifest], None]
Edited = Callable[[Edit], Manifest]
Compare = Callable[..., DiffReport]

BY_AGENT = "arn:aws:iam::444455556666:role/booking-desk-4 can become it"
BY_TOOL = "tool pay_refund calls what runs as it"
AS_DESK = "as arn:aws:iam::444455556666:role/booking-desk-4: "

#: dimension, trigger, subject (its end), old (its beginning), new (its beginning)
EXPECTED = [
    ("data_exposure", "DATA-NEW", "passengers", "no such", "//bigquery.googleapis.com"),
    ("data_exposure", "CTX-GROW", "context window", "24,000", "180,000"),
    ("data_exposure", "SENSITIVE-REACHED", "harbour-passengers", "not reached", AS_DESK),
    ("data_exposure", "SENSITIVE-REACHED", "prod/refunds-Qw3rTy", "not reached", AS_DESK),
    ("data_exposure", "WORKFLOW-REACHED", "function:pay-refund", "not reached", AS_DESK),
    ("tool_authority", "TOOL-NEW", "ask_warehouse", "no such", "mcp tool, effect read"),
    ("tool_authority", "TOOL-NEW", "pay_refund", "no such", "function tool, effect spend"),
    ("tool_authority", "TOOL-NEW", "run_code", "no such", "code-interpreter tool, effect exec"),
    ("tool_authority", "IDENTITY-NEW", "role/booking-desk-4", "arn:aws:iam", "arn:aws:iam"),
    ("tool_authority", "IDENTITY-NEW", "role/deployer", "not reached", BY_AGENT),
    ("tool_authority", "IDENTITY-NEW", "role/refund-payer", "not reached", BY_TOOL),
    ("tool_authority", "IDENTITY-NEW", "gserviceaccount.com", "no such", "service-account-key"),
    ("tool_authority", "LONG-LIVED-KEY", "warehouse", "no such key", "service-account-key, cre"),
    ("refusal_behaviour", "MODEL-CHANGED", "model", "anthropic.claude-3-5", "anthropic.claude-so"),
    ("refusal_behaviour", "PROMPT-CHANGED", "prompts/desk.md", "sha256 8d5f", "sha256 41b7"),
    ("refusal_behaviour", "CTX-CHANGED", "context window", "24,000", "180,000"),
    ("refusal_behaviour", "GUARDRAIL-WEAKENED", "personalData", "BLOCK", "ANONYMIZE"),
    ("refusal_behaviour", "GUARDRAIL-WEAKENED", "promptAttack", "HIGH", "MEDIUM"),
    ("refusal_behaviour", "GUARDRAIL-CHANGED", "version", "4", "6"),
    ("workflow_integrity", "AUTONOMY-GROW", "humanInLoop", "delete, spend", "delete, admin"),
    ("workflow_integrity", "AUTONOMY-GROW", "maxSteps", "5", "30"),
    ("workflow_integrity", "DOWNSTREAM-NEW", "refunds", "no such", "writes payments, not rev"),
    ("workflow_integrity", "LOGGING-WEAKENED", "retentionDays", "365", "30"),
    ("workflow_integrity", "ROLLBACK-UNTESTED", "rollback", "to 3.1.4, tested", "to 3.2.0, never"),
]  # fmt: skip


def change_of(report: DiffReport) -> SecurityChange:
    assert report.security_change is not None
    return report.security_change


def test_the_second_release_triggers_in_every_dimension(report: DiffReport) -> None:
    change = change_of(report)
    assert change.verdict == "yes"
    assert set(change.by_dimension.values()) == {"yes"}
    assert len(change.triggers) == len(EXPECTED)
    for row, (dimension, id_, subject, old, new) in zip(change.triggers, EXPECTED, strict=True):
        assert (row.dimension, row.id) == (dimension, id_)
        assert row.subject.endswith(subject)
        assert row.old.startswith(old), row
        assert row.new.startswith(new), row


def test_each_trigger_demands_what_the_catalogue_says(report: DiffReport) -> None:
    catalogue = {kind.id: kind for kind in TRIGGERS}
    for row in change_of(report).triggers:
        assert set(row.demands) >= set(catalogue[row.id].demands)
        assert row.title == catalogue[row.id].title


def test_a_tool_that_spends_without_approval_demands_approval(report: DiffReport) -> None:
    asked = {t.subject: "approve-tool" in t.demands for t in change_of(report).triggers}
    assert (asked["pay_refund"], asked["run_code"], asked["ask_warehouse"]) == (True, True, False)


def test_what_is_reached_has_a_witness(report: DiffReport) -> None:
    reached = {"SENSITIVE-REACHED", "WORKFLOW-REACHED", "ADMIN-REACHED"}
    for row in change_of(report).triggers:
        if row.id in reached:
            assert row.witness[0].kind == "start"
            assert row.witness[-1].statement


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_a_release_against_itself_triggers_nothing(
    compare: Compare, manifests: dict[str, Manifest], name: str
) -> None:
    change = change_of(compare(manifests[name], manifests[name]))
    assert change.triggers == ()
    assert change.verdict == "no"
    assert change.undeclared == ()


def test_another_number_of_replicas_is_no_security_change(
    compare: Compare, manifests: dict[str, Manifest], edited: Edited
) -> None:
    def more(manifest: Manifest) -> None:
        manifest["spec"]["infrastructure"] = {"replicas": 12, "instanceType": "g6.xlarge"}
        manifest["metadata"]["version"] = "3.2.1"

    change = change_of(compare(manifests["v1"], edited(more)))
    assert (change.verdict, change.triggers, change.undeclared) == ("no", (), ())


def test_without_guardrails_the_refusal_behaviour_is_unknown_and_says_what_to_declare(
    compare: Compare, manifests: dict[str, Manifest], edited: Edited
) -> None:
    without = edited(lambda manifest: manifest["spec"].pop("guardrails"))
    for old, new, side in ((manifests["v1"], without, "new"), (without, without, "both")):
        change = change_of(compare(old, new))
        assert change.verdict == "unknown"
        assert change.by_dimension["refusal_behaviour"] == "unknown"
        assert change.dimensions == ()
        (row,) = change.undeclared
        assert (row.dimension, row.side) == ("refusal_behaviour", side)
        assert "spec.guardrails" in row.declare


def _spec(*path: str | int, to: object) -> Edit:
    def edit(manifest: Manifest) -> None:
        place: Any = manifest["spec"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return edit


def _without(*path: str | int) -> Edit:
    def edit(manifest: Manifest) -> None:
        place: Any = manifest["spec"]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return edit


TOOL = ("tools", 1)
GUARD = ("guardrails", 0)
LOGS = ("observability", "logging")
ONE_CHANGE: list[tuple[Edit, list[str]]] = [
    (_spec("dataSources", 0, "resource", to="arn:aws:s3:::harbour-*"), ["DATA-WIDER"]),
    (_spec("dataSources", 0, "access", to="readwrite"), ["DATA-WIDER"]),
    (_spec("dataSources", 0, "classification", to="public"), ["DATA-WIDER"]),
    (_spec("dataSources", to=[]), []),
    (_spec("exposure", "audience", to="internet"), ["EXPOSURE-WIDER"]),
    (_spec("exposure", "audience", to="internal"), []),
    (_spec("exposure", "audience", to="somebody new"), ["EXPOSURE-WIDER"]),
    (_spec("exposure", "authenticated", to=False), ["EXPOSURE-WIDER"]),
    (_spec("exposure", "channels", to=["web-chat", "phone"]), ["EXPOSURE-WIDER"]),
    (_spec("model", "contextWindowTokens", to=8000), ["CTX-CHANGED"]),
    (_spec("model", "contextWindowTokens", to=32000), ["CTX-GROW", "CTX-CHANGED"]),
    (_spec("model", "pinned", to=False), ["MODEL-FLOATING"]),
    (_spec("model", "fineTune", to="ft-7"), ["FINE-TUNE-CHANGED"]),
    (_spec("model", "parameters", "temperature", to=0.9), ["SAMPLING-CHANGED"]),
    (_spec("model", "parameters", "topP", to=0.9), ["SAMPLING-CHANGED"]),
    (_spec("model", "quantization", to="int4"), ["MODEL-CHANGED"]),
    (_spec("model", "provider", to="anthropic"), ["MODEL-CHANGED"]),
    (_spec("guardrails", to=[]), ["GUARDRAIL-REMOVED"]),
    (_spec(*GUARD, "enforced", to=["input"]), ["GUARDRAIL-REMOVED"]),
    (_without(*GUARD, "personalData"), ["GUARDRAIL-WEAKENED"]),
    (_spec(*GUARD, "personalData", to="none"), ["GUARDRAIL-WEAKENED"]),
    (_spec(*GUARD, "severityThreshold", to="high"), ["GUARDRAIL-CHANGED"]),
    (_spec(*TOOL, "effect", to="admin"), ["TOOL-EFFECT"]),
    (_spec(*TOOL, "effect", to="spend"), ["TOOL-EFFECT"]),
    (_spec(*TOOL, "effect", to="read"), []),
    (_spec(*TOOL, "approval", to="human"), []),
    (_spec(*TOOL, "scopes", to=["seats:*"]), ["TOOL-SCOPES"]),
    (_spec(*TOOL, "target", to="https://seats.example.net/"), ["TOOL-CHANGED"]),
    (_spec(*TOOL, "inputTrust", to="trusted"), []),
    (_spec("identities", 0, "maxSessionSeconds", to=43200), ["SESSION-LONGER"]),
    (_spec("identities", 0, "maxSessionSeconds", to=900), []),
    (_spec("identities", 0, "credential", to="access-key"), ["LONG-LIVED-KEY"]),
    (_spec("identities", 0, "credential", to="workload-identity"), ["CREDENTIAL-NEW"]),
    (_spec("autonomy", "maxSteps", to=6), ["AUTONOMY-GROW"]),
    (_spec("autonomy", "maxSteps", to=4), []),
    (_spec("autonomy", "memory", to="long-term"), ["AUTONOMY-GROW"]),
    (_spec("autonomy", "memory", to="none"), []),
    (_spec("autonomy", "humanInLoop", to=["delete", "spend", "admin", "write"]), []),
    (_spec("autonomy", "spawnsAgents", to=True), ["AUTONOMY-GROW"]),
    (_without("autonomy", "maxToolCalls"), ["AUTONOMY-GROW"]),
    (_spec("downstream", 0, "reversible", to=False), ["IRREVERSIBLE"]),
    (_spec("downstream", 0, "writes", to=["holds", "sales"]), ["DOWNSTREAM-WIDER"]),
    (_spec("downstream", 0, "consumers", to=["check-in", "crew"]), ["DOWNSTREAM-WIDER"]),
    (_spec("downstream", to=[]), []),
    (_spec(*LOGS, "toolCalls", to=False), ["LOGGING-WEAKENED"]),
    (_spec(*LOGS, "dataEvents", to=[]), ["LOGGING-WEAKENED"]),
    (_spec(*LOGS, "retentionDays", to=400), []),
    (_spec(*LOGS, "invocations", to=None), ["LOGGING-WEAKENED"]),
    (_spec("observability", "alerts", to=[]), ["ALERT-REMOVED"]),
    (_spec("rollback", "maxMinutes", to=60), ["ROLLBACK-WEAKENED"]),
    (_spec("rollback", "criteria", to=[]), ["ROLLBACK-WEAKENED"]),
    (_spec("rollback", "to", to="3.2.0"), ["ROLLBACK-UNTESTED"]),
    (_spec("rollback", to={"to": "3.2.0", "tested": "2026-11-20"}), ["ROLLBACK-WEAKENED"]),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), ONE_CHANGE)
def test_one_change_triggers_what_it_should(
    compare: Compare,
    manifests: dict[str, Manifest],
    edited: Edited,
    edit: Edit,
    expected: list[str],
) -> None:
    change = change_of(compare(manifests["v1"], edited(edit)))
    assert [row.id for row in change.triggers] == expected
    assert change.undeclared == ()
    assert change.verdict == ("yes" if expected else "no")


UNDECLARED: list[tuple[Edit, str]] = [
    (_without("dataSources"), "spec.dataSources"),
    (_without("dataSources", 0, "classification"), "spec.dataSources[fares].classification"),
    (_without("exposure"), "spec.exposure"),
    (_without("exposure", "authenticated"), "spec.exposure.authenticated"),
    (_without("tools"), "spec.tools"),
    (_without(*TOOL, "effect"), "spec.tools[hold_seat].effect"),
    (_without(*TOOL, "approval"), "spec.tools[hold_seat].approval"),
    (_without("identities", 0, "credential"), "spec.identities[desk].credential"),
    (_without("identities", 0, "maxSessionSeconds"), "spec.identities[desk].maxSessionSeconds"),
    (_without("model", "fineTune"), "spec.model.fineTune"),
    (_without("model", "pinned"), "spec.model.pinned"),
    (_without("model", "systemPrompt"), "spec.model.systemPrompt.sha256"),
    (_without("model", "parameters"), "spec.model.parameters"),
    (_without("guardrails"), "spec.guardrails"),
    (_without("autonomy"), "spec.autonomy"),
    (_without("autonomy", "maxSteps"), "spec.autonomy.maxSteps"),
    (_without("downstream"), "spec.downstream"),
    (_without("downstream", 0, "reversible"), "spec.downstream[seat-holds].reversible"),
    (_without("observability"), "spec.observability.logging"),
    (_without("observability", "alerts"), "spec.observability.alerts"),
    (_without(*LOGS, "retentionDays"), "spec.observability.logging.retentionDays"),
    (_without("rollback"), "spec.rollback"),
    (_without("rollback", "tested"), "spec.rollback.tested"),
]


@pytest.mark.parametrize(("edit", "path"), UNDECLARED, ids=[path for _, path in UNDECLARED])
def test_what_is_not_declared_is_unknown(
    compare: Compare, edited: Edited, edit: Edit, path: str
) -> None:
    """On both sides: that nothing is said twice is not that nothing has changed."""
    manifest = edited(edit)
    change = change_of(compare(manifest, manifest))
    assert change.verdict == "unknown"
    assert change.triggers == ()
    assert any(f"`{path}`" in row.declare for row in change.undeclared)


def test_a_vendors_claim_does_not_stand_for_validation(
    compare: Compare, manifests: dict[str, Manifest], edited: Edited
) -> None:
    claim = {"kind": "vendor-claim", "path": "system-card.pdf"}

    def other(manifest: Manifest) -> None:
        manifest["spec"]["model"]["id"] = "anthropic.claude-sonnet-4-5-20250929-v1:0"
        manifest["spec"]["evidence"] = [claim]

    change = change_of(compare(manifests["v1"], edited(other)))
    assert [row.id for row in change.triggers] == ["MODEL-CHANGED", "VENDOR-CLAIM"]
    claimed = edited(_spec("evidence", to=[claim]))
    assert change_of(compare(manifests["v1"], claimed)).triggers == ()


def test_a_floating_alias_may_have_moved(compare: Compare, edited: Edited) -> None:
    floating = edited(_spec("model", "pinned", to=False))
    change = change_of(compare(floating, floating))
    assert change.by_dimension["refusal_behaviour"] == "unknown"
    assert "pinned: true" in change.undeclared[0].declare


def test_own_weights_need_a_digest(compare: Compare, edited: Edited) -> None:
    own = edited(_spec("model", "provider", to="self-hosted"))
    change = change_of(compare(own, own))
    assert [row.declare for row in change.undeclared] == [
        "declare `spec.model.digest` in both manifests"
    ]


def test_the_fixtures_estate_is_what_its_program_writes(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location("booking_desk_estate", folder / "estate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from modelreach.snapshot import encode

    assert encode(module.estate()) == (folder / "estate.snap.json").read_bytes()
