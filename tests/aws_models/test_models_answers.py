"""Recorded answers are answers that the SDK's own models allow, else they would prove nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

Check = Callable[..., Iterator[str]]


@pytest.fixture(scope="module")
def models() -> Any:
    return botocore.session.Session()


def test_recorded_answers_have_the_sdk_s_shape(
    kind: str, scenarios: Path, check: Check, models: Any
) -> None:
    seen = 0
    for path in sorted((scenarios / kind).glob("*/*.json")):
        content = json.loads(path.read_text())
        for one in content["answers"]:
            operation = models.get_service_model(content["service"]).operation_model(
                one["operation"]
            )
            inputs = operation.input_shape
            assert one.get("parameters", {}).keys() <= (inputs.members.keys() if inputs else set())
            place = f"{path.parent.name} {one['operation']}"
            assert list(check(operation.output_shape, one["response"], place)) == []
            seen += 1
    assert seen


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        ({"agentAliasSummaries": [], "more": 1}, "has no `more`"),
        ({}, "lacks `agentAliasSummaries`"),
        ({"agentAliasSummaries": {}}, "is a dict, not a list"),
        ({"agentAliasSummaries": ["live"]}, "is a str, not a structure"),
    ],
)
def test_a_wrong_answer_is_told(
    response: dict[str, Any], fault: str, check: Check, models: Any
) -> None:
    operation = models.get_service_model("bedrock-agent").operation_model("ListAgentAliases")
    found = list(check(operation.output_shape, response))
    assert len(found) == 1
    assert fault in found[0]


def test_a_value_that_is_none_of_the_sdk_s_is_told(check: Check, models: Any) -> None:
    operation = models.get_service_model("sagemaker").operation_model("DescribeNotebookInstance")
    assert list(check(operation.output_shape, {"RootAccess": "Enabled"})) == []
    assert list(check(operation.output_shape, {"RootAccess": "Yes"}))
