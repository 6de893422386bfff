"""Policy cases in few words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Record = dict[str, object]
Case = Callable[..., Record]

FULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def _document(*statements: object, version: str = "2012-10-17") -> Record:
    return {"Version": version, "Statement": list(statements)}


@pytest.fixture(scope="session")
def document() -> Callable[..., Record]:
    """Give a policy of some statements."""
    return _document


@pytest.fixture(scope="session")
def case() -> Case:
    """Give a policy case: a user reads an object, and may by default."""

    def build(
        principal: str = "arn:aws:iam::111111111111:user/u",
        action: str = "s3:GetObject",
        target: str = "arn:aws:s3:::data/k",
        account: str | None = "111111111111",
        context: Record | None = None,
        **policies: object,
    ) -> Record:
        given: Record = {
            "identity": [FULL],
            "resource": None,
            "boundaries": None,
            "scps": [],
            "rcps": [],
            "session": None,
            "endpoint": None,
        }
        return {
            "id": "test",
            "request": {
                "principal": principal,
                "action": action,
                "resource": target,
                "resource_account": account,
                "context": context or {},
                "wildcard_only": False,
            },
            "policies": given | policies,
        }

    return build


@pytest.fixture(scope="session")
def fixture_cases() -> list[Record]:
    """Give every policy case in the fixtures that has an exact context and an answer."""
    folder = Path(__file__).parents[2] / "fixtures" / "policy" / "aws"
    return [record for path in sorted(folder.glob("*.jsonl")) for record in _records(path)]


def _records(path: Path) -> Iterator[Record]:
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        exact = record.get("mode", "strict") == "strict"
        if exact and "expected" in record and not record.get("exclude_from_score"):
            yield record
