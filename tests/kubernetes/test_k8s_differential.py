"""The engine, by way of the connector's parser, against the slow reference evaluator."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from kubernetes_api.cases import decide
from modelreach_reference.gcp_cases import Agreement, agreement
from modelreach_reference.kubernetes import answers, count_completions
from modelreach_reference.kubernetes_cases import random_case, shrink

MOST_COMPLETIONS = 256


def contradicts(record: dict[str, Any]) -> bool:
    if count_completions(record) > MOST_COMPLETIONS:
        return False
    return agreement(str(decide(record).verdict), answers(record)) is Agreement.NONE


def test_cases_agree() -> None:
    counts: Counter[str] = Counter()
    for number in range(1200):
        record = random_case(f"test/{number}")
        if count_completions(record) > MOST_COMPLETIONS:
            continue
        verdict, found = str(decide(record).verdict), answers(record)
        stands = agreement(verdict, found)
        counts[verdict] += 1
        counts[stands.value] += 1
        if stands is Agreement.NONE:
            small = shrink(record, contradicts)
            shown = f"engine {decide(small).verdict}, reference {answers(small)}"
            pytest.fail(f"{number}: {shown}\n{json.dumps(small, indent=1)}")
    assert counts[Agreement.FULL.value] > 1150
    assert min(counts[verdict] for verdict in ("allow", "deny", "conditional", "unknown")) >= 10


def test_a_disagreement_would_be_seen() -> None:
    """An answer that is turned around contradicts the reference."""
    turned = {"allow": "deny", "deny": "allow"}
    for number in range(100):
        record = random_case(f"turned/{number}")
        verdict = str(decide(record).verdict)
        if verdict in turned and count_completions(record) <= MOST_COMPLETIONS:
            assert agreement(turned[verdict], answers(record)) is Agreement.NONE


PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}


def test_what_anybody_holds_and_is_not_understood_is_unknown(cluster: Any) -> None:
    """Found by the campaign: a malformed rule of a role that is bound to anonymous requests."""
    who = cluster.user("ann")
    cluster.bind(cluster.role("r", [7]), cluster.user("system:anonymous"))
    assert cluster.may(who, "core:pods:get", "k8s/prod/ml") == "unknown"


def test_a_selector_chooses_roles_without_labels(cluster: Any) -> None:
    """Found by the campaign: `DoesNotExist` and `NotIn` choose what has no label at all."""
    who = cluster.user("ann")
    for operator, values in (("DoesNotExist", []), ("NotIn", ["x"])):
        test = {"key": "to", "operator": operator, "values": values}
        selectors = {"clusterRoleSelectors": [{"matchExpressions": [test]}]}
        cluster.bind(cluster.role(operator, [], aggregation=selectors), who)
    cluster.role("plain", [PODS])
    assert cluster.may(who, "core:pods:get", "k8s/prod/ml") == "allow"


def test_what_stands_in_roles_that_aggregate_each_other_counts_for_none(cluster: Any) -> None:
    """Found by the campaign: two roles that select each other kept what stood in one of them."""

    def choosing(label: str) -> dict[str, Any]:
        return {"clusterRoleSelectors": [{"matchLabels": {"is": label}}]}

    who = cluster.user("ann")
    first = cluster.role("a", [PODS], labels={"is": "a"}, aggregation=choosing("b"))
    cluster.role("b", [], labels={"is": "b"}, aggregation=choosing("a"))
    cluster.bind(first, who)
    assert cluster.may(who, "core:pods:get", "k8s/prod/ml") == "deny"
