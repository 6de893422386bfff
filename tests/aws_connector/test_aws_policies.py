"""The read policy in documents that managed policies can hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach import plugins
from modelreach.cli import run
from modelreach_aws import AwsConnector, connector


def size(document: Any) -> int:
    return len("".join(json.dumps(document).split()))


def actions(document: Any) -> list[str]:
    (statement,) = document["Statement"]
    return list(statement["Action"])


def test_every_document_fits_in_a_managed_policy() -> None:
    assert all(size(one) <= 6144 for one in AwsConnector().policies())


@pytest.mark.parametrize("limit", [400, 1500, 3000])
def test_the_documents_together_are_the_policy(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "MOST_CHARACTERS", limit)
    aws = AwsConnector()
    parts = aws.policies()
    assert len(parts) > 1
    assert [one for part in parts for one in actions(part)] == actions(aws.policy())
    services = [{one.partition(":")[0] for one in actions(part)} for part in parts]
    assert sum(map(len, services)) == len(set().union(*services)), "a service is in one document"
    assert all(size(p) <= limit or len(s) == 1 for p, s in zip(parts, services, strict=True))


def test_the_command_prints_a_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connector, "MOST_CHARACTERS", 100_000)
    assert run(["permissions", "aws"]) == 0
    whole = capsys.readouterr()
    assert whole.err == ""
    monkeypatch.setattr(connector, "MOST_CHARACTERS", 3000)
    count = len(plugins.policies(plugins.connector("aws")))
    assert run(["permissions", "aws"]) == 0
    assert f"--part {count}" in capsys.readouterr().err
    found: list[str] = []
    for part in range(1, count + 1):
        assert run(["permissions", "aws", "--part", str(part)]) == 0
        found += actions(json.loads(capsys.readouterr().out))
    assert found == actions(json.loads(whole.out))
    assert run(["permissions", "aws", "--part", str(count + 1)]) == 2
    assert f"{count} in all" in capsys.readouterr().err
