"""Every rule of the catalogue leads where its hits say, and nowhere where its misses say."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.aws.escalation import EscalationRule, Hit, Miss, ShownRule, services
from organisations.told import tried

RULES = [rule for service in services().values() for rule in service.rules]
HITS = [
    pytest.param(rule, hit, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, hit in enumerate(rule.hits)
]
MISSES = [
    pytest.param(rule, miss, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, miss in enumerate(rule.misses)
]
# fmt: off
PUBLISHED = (
    "apprunner-001", "apprunner-002", "bedrock-001", "bedrock-002", "cloudformation-001",
    "cloudformation-002", "cloudformation-003", "cloudformation-004", "cloudformation-005",
    "codebuild-001", "codebuild-002", "codebuild-003", "codebuild-004", "datapipeline-001",
    "ec2-001", "ec2-002", "ec2-003", "ec2-004", "ec2instanceconnect-003", "ecs-001", "ecs-002",
    "ecs-003", "ecs-004", "ecs-005", "glue-001", "glue-002", "glue-003", "glue-004",
    "glue-005", "glue-006", "iam-001", "iam-002", "iam-003", "iam-004", "iam-005", "iam-006",
    "iam-007", "iam-008", "iam-009", "iam-010", "iam-011", "iam-012", "iam-013", "iam-014",
    "iam-015", "iam-016", "iam-017", "iam-018", "iam-019", "iam-020", "iam-021", "lambda-001",
    "lambda-002", "lambda-003", "lambda-004", "lambda-005", "lambda-006", "sagemaker-001",
    "sagemaker-002", "sagemaker-003", "sagemaker-004", "sagemaker-005", "ssm-001", "ssm-002",
    "sts-001",
)
# fmt: on


@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_a_hit_leads_where_the_rule_says(scenes: Any, rule: EscalationRule, hit: Hit) -> None:
    found = scenes.by_rule(rule, hit)
    assert found, "the rule leads nowhere"
    assert {str(pivot.strength) for pivot in found} == {hit.strength}
    ends = {pivot.target for pivot in found}
    assert len(ends) == 1
    expected = scenes.target_of(hit) if rule.yields == "target" else ends.pop()
    assert all(pivot.target == expected for pivot in found)
    assert all(pivot.source == scenes.caller_of(hit) for pivot in found)
    engine = scenes.build(hit)
    if hit.target not in ("stored-api-key", "stored-oauth2-client"):
        assert engine.principal(found[0].target) is not None


@pytest.mark.parametrize(("rule", "miss"), MISSES)
def test_a_miss_leads_nowhere(scenes: Any, rule: EscalationRule, miss: Miss) -> None:
    assert scenes.by_rule(rule, scenes.changed(rule, miss)) == []


@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_a_hit_holds_nothing_that_it_does_not_need(
    scenes: Any, rule: EscalationRule, hit: Hit
) -> None:
    """Each permission of an example, taken away, ends it: so nothing that is needed is missing
    from the rule unnoticed. What only quickens a way, or is there to be gained, may stay."""
    spare = {
        "lambda-004": {"lambda:InvokeFunction"},
        "lambda-005": {"lambda:AddPermission"},
        "lambda-update-configuration": {"lambda:InvokeFunction"},
        "sagemaker-new-notebook": {
            "sagemaker:CreatePresignedNotebookInstanceUrl",
            "sagemaker:CreateNotebookInstanceLifecycleConfig",
        },
        "iam-lift-own-boundary": {"s3:*"},
        "lambda-other-role": {"lambda:InvokeFunction"},
        "agentcore-change-gateway": {"bedrock-agentcore:InvokeGateway"},
        "glue-change-job": {"glue:StartJobRun", "glue:CreateTrigger"},
        "states-change-machine": {"states:StartExecution"},
        "cloudformation-change-organization-stack-set": {"cloudformation:CreateStackInstances"},
        "transfer-new-user": {"transfer:CreateServer"},
    }
    may_stay = spare.get(hit.path, set()) | spare.get(rule.id, set())
    for action in sorted({text.split(" ")[0] for text in hit.may} - may_stay):
        left = scenes.by_rule(rule, scenes.without(hit, action))
        assert left == [], f"it does without {action}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_hit_and_a_miss(rule: ShownRule) -> None:
    assert rule.hits
    assert rule.misses
    assert rule.cite.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize("path", PUBLISHED)
def test_every_published_path_has_a_rule_with_a_hit_and_a_miss(path: str) -> None:
    (rule,) = (rule for rule in RULES if path in rule.paths)
    assert any((hit.path or rule.path) == path for hit in rule.hits)
    assert any((miss.path or rule.path) == path for miss in rule.misses)


def test_the_list_of_published_paths_is_whole() -> None:
    assert len(set(PUBLISHED)) == 65
    assert {path for rule in RULES for path in rule.paths} == set(PUBLISHED)


def test_ids_are_given_once() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))


def _not_lost(scenes: Any, rule: EscalationRule, hit: Hit, tries: int) -> int:
    made, caller = scenes.assembled(hit).snapshot, scenes.caller_of(hit)
    found = tried(made, "aws", caller, tries)
    assert not any(found), (rule.id, found)
    return len(found)


@pytest.mark.parametrize(("rule", "hit"), HITS[::12])
def test_a_way_of_which_something_was_not_read_is_not_lost(
    scenes: Any, rule: EscalationRule, hit: Hit
) -> None:
    _not_lost(scenes, rule, hit, 2)


@pytest.mark.soak
@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_no_way_of_which_something_was_not_read_is_lost(
    scenes: Any, rule: EscalationRule, hit: Hit
) -> None:
    assert _not_lost(scenes, rule, hit, 20)
