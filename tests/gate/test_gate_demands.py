"""What is demanded, and whether it is met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from modelreach.deployment import Deployment
from modelreach.evidence import (
    CategoryResult,
    Comparison,
    Evidence,
    Rate,
    Refusal,
    Refused,
    Retest,
)
from modelreach.gate.demands import Brought
from modelreach.gate.policy import preset
from modelreach.pipeline.gated import GateInput
from modelreach.report import DemandRow, DiffReport

Manifest = dict[str, Any]
Compare = Callable[..., DiffReport]
Edited = Callable[[Callable[[Manifest], None]], Manifest]
TODAY = date(2026, 11, 25)


def result(retest: Retest, verdict: Comparison, **more: Any) -> CategoryResult:
    fields: dict[str, Any] = {
        "tool": "garak",
        "category": "dan",
        "retest": retest,
        "paired": True,
        "old": Rate(3, 50, 0.02, 0.16),
        "new": Rate(11, 50, 0.13, 0.35),
        "difference": 0.16,
        "low": 0.05,
        "high": 0.27,
        "worst_high": 0.27,
        "p_value": 0.004,
        "p_adjusted": 0.004,
        "fisher_p": 0.02,
        "verdict": verdict,
    }
    return CategoryResult(**{**fields, **more})


Settle = Callable[..., dict[str, DemandRow]]


@pytest.fixture
def settle(compare: Compare, manifests: dict[str, Manifest]) -> Settle:
    """Settle the demands of an update, by default that from the first to the second release."""

    def run(
        *results: CategoryResult,
        refused: tuple[Refused, ...] = (),
        old: Manifest | None = None,
        new: Manifest | None = None,
    ) -> dict[str, DemandRow]:
        given = GateInput(policy=preset("default"), brought=Brought(results, refused), today=TODAY)
        found = compare(old or manifests["v1"], new or manifests["v2"], given=given)
        return {row.id: row for row in found.demands}

    return run


def test_what_the_triggers_demand_is_demanded(settle: Settle, report: DiffReport) -> None:
    assert report.security_change is not None
    asked = {demand for row in report.security_change.triggers for demand in row.demands}
    found = settle()
    assert asked <= set(found)
    for row in found.values():
        assert row.because
        assert row.who
        assert row.why


def test_an_update_that_changes_nothing_demands_nothing(
    settle: Settle, manifests: dict[str, Manifest]
) -> None:
    assert settle(new=manifests["v1"]) == {}


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Comparison.REGRESSION, "refused"),
        (Comparison.NON_INFERIOR, "met"),
        (Comparison.NOT_ENOUGH, "open"),
    ],
)
def test_a_retest_is_as_its_comparison_says(
    settle: Settle, verdict: Comparison, status: str
) -> None:
    row = settle(result(Retest.JAILBREAK, verdict, needed=40))["retest-jailbreak"]
    assert row.status == status
    assert row.evidence == (
        "garak dan: broke 11 of 50, before 3 of 50 (difference +16.0%, interval "
        f"+5.0% to +27.0%): {verdict.value}",
    )
    if status == "open":
        assert "40 more cases would decide" in row.why


def test_one_category_that_is_worse_refuses_whatever_the_others_say(settle: Settle) -> None:
    found = settle(
        result(Retest.JAILBREAK, Comparison.NON_INFERIOR),
        result(Retest.JAILBREAK, Comparison.REGRESSION, category="grandma"),
    )
    assert found["retest-jailbreak"].status == "refused"
    assert "grandma" in found["retest-jailbreak"].why


def test_a_report_on_another_model_does_not_count_and_is_named(settle: Settle) -> None:
    evidence = Evidence(
        tool="garak",
        tool_version="1",
        suite="s",
        source="run.jsonl",
        digest="sha256:0",
        targets=("other",),
        date="",
        pairable=True,
        attempts=(),
    )
    other = Refused(evidence, Refusal.OTHER_TARGET, "the report is about `other`")
    row = settle(refused=(other,))["retest-jailbreak"]
    assert row.status == "open"
    assert "run.jsonl (the report is about `other`)" in row.why


WORD = {"demand": "sign-off-owner", "release": "4.0.0", "by": "jo@harbour", "on": "2026-11-24"}


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({}, "met", "attested by jo@harbour on 2026-11-24"),
        ({"release": "3.2.0"}, "open", "is for release 3.2.0, not 4.0.0"),
        ({"on": "2026-11-26"}, "open", "of a day to come"),
        ({"on": "yesterday"}, "open", "has no day"),
        ({"by": " "}, "open", "names nobody"),
        ({"demand": "drill-rollback"}, "open", "nobody has attested it"),
    ],
)
def test_a_word_counts_for_its_release_only(
    settle: Settle,
    edited: Edited,
    manifests: dict[str, Manifest],
    changes: dict[str, str],
    status: str,
    why: str,
) -> None:
    new = {**manifests["v2"], "spec": {**manifests["v2"]["spec"]}}
    new["spec"]["attestations"] = [{**WORD, **changes}]
    row = settle(new=new)["sign-off-owner"]
    assert row.status == status
    assert why in row.why


def test_nobodys_word_stands_for_a_retest(settle: Settle, manifests: dict[str, Manifest]) -> None:
    new = {**manifests["v2"], "spec": {**manifests["v2"]["spec"]}}
    new["spec"]["attestations"] = [{**WORD, "demand": "retest-jailbreak"}]
    assert settle(new=new)["retest-jailbreak"].status == "open"


def test_the_reach_difference_is_the_review_when_all_was_read(
    settle: Settle, edited: Edited
) -> None:
    def other_role(manifest: Manifest) -> None:
        manifest["spec"]["identities"][0]["principal"] = (
            "arn:aws:iam::444455556666:role/booking-desk-4"
        )

    found = settle(new=edited(other_role))
    assert found["review-access-paths"].status == "met"
    assert found["plan-revocation"].status == "met"
    assert found["check-logging"].status == "met"
    assert settle()["review-access-paths"].status == "open"


def test_less_logging_refuses_the_check(settle: Settle) -> None:
    row = settle()["check-logging"]
    assert (row.status, row.why) == ("refused", "retentionDays: 365, now 30")


def test_a_tested_rollback_meets_the_drill(settle: Settle, manifests: dict[str, Manifest]) -> None:
    new = {**manifests["v2"], "spec": {**manifests["v2"]["spec"]}}
    new["spec"]["downstream"] = [
        {"id": "seat-holds", "writes": ["holds"], "consumers": ["check-in"], "reversible": False}
    ]
    assert settle(new=new)["drill-rollback"].status == "open"
    new["spec"]["rollback"] = {**new["spec"]["rollback"], "tested": "2026-11-20"}
    row = settle(new=new)["drill-rollback"]
    assert (row.status, row.because) == ("met", ("IRREVERSIBLE",))


def test_a_rule_that_speaks_demands_too(settle: Settle) -> None:
    found = settle()
    assert "GATE-STATIC-CREDENTIAL" in found["rotate-credential"].because
    assert "GATE-UNTRUSTED-TO-GRAVE" in found["approve-tool"].because


def test_all_met_and_nothing_else_wrong_passes(
    compare: Compare, manifests: dict[str, Manifest], edited: Edited
) -> None:
    """A new prompt, re-tested and no worse: the gate lets it through."""

    def prompt(manifest: Manifest) -> None:
        manifest["spec"]["model"]["systemPrompt"]["sha256"] = "aa" * 32

    passed = [
        result(retest, Comparison.NON_INFERIOR)
        for retest in (Retest.JAILBREAK, Retest.PROMPT_LEAK)
    ]
    for results, code in ((passed, 0), (passed[:1], 1), ([], 1)):
        given = GateInput(policy=preset("strict"), brought=Brought(tuple(results)), today=TODAY)
        report = compare(manifests["v1"], edited(prompt), given=given)
        assert report.gate.exit_code == code, report.gate.reasons
        assert report.gate.policy == "strict"


def test_the_owner_is_named_where_the_owner_has_to_act(
    settle: Settle, releases: dict[str, Deployment]
) -> None:
    assert settle()["sign-off-owner"].who == releases["v2"].owner
