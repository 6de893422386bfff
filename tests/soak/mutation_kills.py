"""The quick look of mutation testing: random cases, with what the reference said of them.

Copied beside the other quick tests by `mutation_aws.py`; reads what that has recorded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelreach.policy.aws.cases import run_cases
from modelreach_reference.aws_cases import Agreement, agreement

RECORDED = Path(__file__).parents[2] / "fixtures" / "policy" / "recorded.jsonl"
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_recorded_cases_agree(part: int) -> None:
    lines = RECORDED.read_text(encoding="utf-8").splitlines()[part::PARTS]
    recorded: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert recorded
    for entry in recorded:
        record, answers = entry["record"], set(entry["answers"])
        (result,) = run_cases([json.dumps(record)])
        found = agreement(record, result.verdict.value, answers)
        assert found is not Agreement.NONE
        assert record["mode"] != "strict" or found is Agreement.FULL
