"""The policy: rules that speak, rules that cannot be evaluated, presets, and what users change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from modelreach.cli.schema import schema_of
from modelreach.deployment import Deployment
from modelreach.gate import policy as rules
from modelreach.gate.decision_input import as_document, decision_input
from modelreach.gate.policy import Policy, Question, RuleError, builtin, preset
from modelreach.gate.verdict import GateOptions
from modelreach.model import InputError, Severity
from modelreach.report import DiffReport

BUILTIN = builtin().rules


@pytest.mark.parametrize("rule", BUILTIN, ids=lambda rule: rule.id)
def test_a_builtin_rule_has_hits_and_misses_and_they_hold(rule: rules.Rule) -> None:
    found = rules.examples([rule])
    assert {one.kind for one in found} == {"hit", "miss"}
    assert [one for one in found if one.problem] == []


@pytest.mark.parametrize("rule", BUILTIN, ids=lambda rule: rule.id)
def test_a_builtin_rule_says_why(rule: rules.Rule) -> None:
    assert rule.why
    assert rule.title
    assert rule.message


def test_a_wrong_example_is_told() -> None:
    text = """
version: 1
rules:
  - id: OWN
    title: own
    severity: low
    when: change.verdict == "yes"
    message: told
    hits: [{change: {verdict: "no"}}, {change: {verdict: "yes"}}]
    misses: [{change: {verdict: "yes"}}]
"""
    own = rules.decode(text.encode(), place="p.yaml").rules[-1]
    found = {(one.kind, one.number): one.problem for one in rules.examples([own])}
    assert found == {("hit", 1): "says nothing", ("hit", 2): "", ("miss", 1): "speaks"}


def test_examples_do_not_lead_over_into_one_another() -> None:
    before = copy.deepcopy(rules._EMPTY)
    rules.examples(BUILTIN)
    assert before == rules._EMPTY


@pytest.fixture
def document(report: DiffReport, releases: dict[str, Deployment]) -> rules.Document:
    return as_document(decision_input(report, releases["v1"], releases["v2"]))


def _one(when: str, **more: Any) -> Policy:
    rule = rules.Rule(id="R", title="r", when=when, message="m", severity=Severity.HIGH, **more)
    return Policy("p", "high", False, (rule,))


@pytest.mark.parametrize(
    ("when", "error"),
    [
        ("new.spec.nothing.like.this == 1", "no such member"),
        ("change.verdict", "not true or false"),
        ("1 +", "not CEL"),
        ("1 / 0 == 1", "divide by zero"),
        ("nobody == 1", "undeclared reference"),
        ("change.verdict > 1", "overload"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_denies_and_says_so(
    document: rules.Document, when: str, error: str
) -> None:
    for fail_on in ("high", "never"):
        (row,) = rules.judge(_one(when), document, GateOptions(fail_on=fail_on))
        assert row.denies
        assert error in row.error
        assert "cannot be evaluated" in row.message


def test_an_error_in_a_rule_fails_the_gate_whatever_the_preset(report: DiffReport) -> None:
    from modelreach.gate.verdict import gate

    document: rules.Document = {
        "change": {},
        "old": {},
        "new": {},
        "findings": [],
        "demands": [],
        "evidence": [],
    }
    broken = rules.judge(
        _one("change.verdict == 'no'"), {**document, "gaps": []}, GateOptions(fail_on="never")
    )
    answer = gate((), 0, GateOptions(fail_on="never"), rules=broken)
    assert (answer.verdict, answer.exit_code) == ("fail", 1)
    assert "rule R cannot be evaluated" in answer.reasons[0]


@pytest.mark.parametrize(
    ("each", "when"),
    [
        ("release", 'change.triggers.exists(t, t.id == "TOOL-NEW")'),
        ("trigger", 'trigger.id == "CTX-GROW"'),
        ("finding", 'finding.rule == "MR301" && !finding.waived'),
        ("gap", 'gap.provider == "gcp"'),
        ("reach", 'reach.kind == "gained" && reach.sensitivity == "high"'),
        ("dimension", 'dimension.verdict == "yes" && dimension.name == "data_exposure"'),
        ("release", 'old.metadata.version == "3.2.0" && new.metadata.version == "4.0.0"'),
        ("release", "new.spec.autonomy.maxSteps > old.spec.autonomy.maxSteps"),
        ("release", "!has(new.spec.rollback.tested)"),
        ("release", "size(demands) == 0 && size(evidence) == 0 && size(findings) > 0"),
    ],
)
def test_every_part_of_the_input_can_be_asked(
    document: rules.Document, each: Any, when: str
) -> None:
    rows = rules.judge(_one(when, each=each), document, GateOptions())
    assert rows
    assert all(row.denies and not row.error for row in rows)


def test_severity_and_fail_on_decide_whether_a_rule_denies(document: rules.Document) -> None:
    for fail_on, denies in (("low", True), ("high", True), ("critical", False), ("never", False)):
        (row,) = rules.judge(_one("true"), document, GateOptions(fail_on=fail_on))
        assert row.denies is denies


def test_presets() -> None:
    assert [preset(n).fail_on for n in ("strict", "default", "advisory")] == [
        *("medium", "high", "never")
    ]
    with pytest.raises(InputError, match="no such preset"):
        preset("lax")


def test_users_add_override_switch_off_and_weaken_rules() -> None:
    text = """
version: 1
preset: strict
fail_on: critical
rules:
  - {id: OWN, title: own, severity: low, when: "true", message: always}
  - {id: GATE-BLIND, title: mine, severity: low, when: "false", message: never}
change:
  GATE-FLOATING-MODEL: {enabled: false}
  GATE-ADMINISTRATION: {severity: low}
"""
    found = rules.decode(text.encode(), place="p.yaml", digest="sha256:1")
    named = {rule.id: rule for rule in found.rules}
    assert (found.fail_on, found.fail_on_incomplete) == ("critical", True)
    assert named["GATE-BLIND"].title == "mine"
    assert not named["GATE-FLOATING-MODEL"].enabled
    assert named["GATE-ADMINISTRATION"].severity == "low"
    assert "OWN" in named
    assert len(named) == len(BUILTIN) + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "version: 1\nchange:\n  NO-SUCH: {enabled: false}\n",
            r"p.yaml:3: no such rule `NO-SUCH`",
        ),
        ("version: 2\n", "p.yaml:1"),
        ("version: 1\nrules:\n  - {id: A, titel: x}\n", r"p.yaml:3: unknown field `titel`"),
        ("version: 1\nfail_on: sometimes\n", "p.yaml:2"),
        ("[]", "mapping"),
    ],
)
def test_a_policy_that_cannot_be_used_names_the_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rules.decode(text.encode(), place="p.yaml")


def test_a_disabled_rule_says_nothing(document: rules.Document) -> None:
    assert rules.judge(_one("true", enabled=False), document, GateOptions()) == ()


def test_a_message_names_parts_of_the_item_and_runs_nothing(document: rules.Document) -> None:
    document["change"]["triggers"] = [
        {"id": "X", "subject": "{trigger.id} {0.__class__}", "dimension": "d"}
    ]
    one = _one("true", each="trigger")
    rule = replace(one.rules[0], message="{trigger.subject} of {trigger.no}")
    (row,) = rules.judge(Policy("p", "high", False, (rule,)), document, GateOptions())
    assert row.message == "{trigger.id} {0.__class__} of {trigger.no}"


def test_a_question_is_about_a_boolean() -> None:
    assert Question("true").asked({})
    with pytest.raises(RuleError):
        Question("'text'").asked({})


def test_the_decision_input_is_as_its_schema_says(document: rules.Document) -> None:
    jsonschema.Draft202012Validator(schema_of("decision-input")).validate(document)


def test_nothing_is_null_in_a_decision_input(document: rules.Document) -> None:
    def nulls(value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(nulls, value.values()))
        return any(map(nulls, value)) if isinstance(value, list) else value is None

    assert not nulls(document)


def test_the_same_input_gives_the_same_rows(
    document: rules.Document, plain: Callable[[Any], Any]
) -> None:
    first, second = (rules.judge(preset("strict"), document, GateOptions()) for _ in range(2))
    assert plain(first) == plain(second)


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ('trigger.id == "X"', {"id"}),
        ("trigger.id == 'X' && has(trigger . subject)", {"id", "subject"}),
        ("size(trigger) > 2", None),
        ("change.triggers.exists(trigger, trigger.id == 'X')", None),
        ('trigger["id"] == "X"', None),
        ("true", set()),
    ],
)
def test_only_what_a_rule_asks_for_tells_items_apart(when: str, fields: Any) -> None:
    found = rules._fields("trigger", when)
    assert found == (None if fields is None else frozenset(fields))


def test_items_that_a_rule_tells_apart_are_each_asked_about(document: rules.Document) -> None:
    document["change"]["triggers"] = [
        {"id": "A", "subject": "x"},
        {"id": "A", "subject": "y"},
        {"id": "B", "subject": "x"},
    ]
    for when, expected in (
        ('trigger.id == "A"', 2),
        ('trigger.id == "A" && trigger.subject == "x"', 1),
        ('trigger["subject"] == "x"', 2),
        ("size(trigger) == 2", 3),
    ):
        assert len(rules.judge(_one(when, each="trigger"), document, GateOptions())) == expected
