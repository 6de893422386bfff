"""Made-up organisations: the same plan gives the same facts; a day changes what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import organisations
from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.many import Many
from modelreach.plugins import CollectOptions
from modelreach.policy.aws.document import compile_document
from modelreach.snapshot import Facts, encode
from modelreach_aws import AwsConnector
from organisations import manifest, parts, plan, whole
from organisations.details import authorization_details

SMALL: dict[str, Any] = {"principals": 120, "accounts": 4}


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert encode(whole(plan(**SMALL))) == encode(whole(plan(**SMALL)))
    assert encode(whole(plan(**SMALL))) != encode(whole(plan(**SMALL, seed=2)))


def test_sizes_are_as_asked() -> None:
    made = whole(plan(**SMALL))
    acting = [p for p in made.principals if p.kind != "group"]
    assert len(made.resources) == 1200
    assert 120 <= len(acting) < 160
    assert sum(scope.kind == "account" for scope in made.scopes) == 4


def test_only_the_changed_accounts_differ_on_another_day() -> None:
    later = plan(**SMALL, drift=0.25, day=1)
    before, after = list(parts(plan(**SMALL))), list(parts(later))
    differing = {i - 1 for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    assert len(later.changed) == 1
    assert differing == later.changed


def test_all_that_is_written_is_understood_and_whole() -> None:
    made = whole(plan(**SMALL))
    facts = Facts(made)
    for raw in made.documents.values():
        document = compile_document(bytes(raw))
        assert not document.problems
        assert not any(statement.not_understood for statement in document.statements)
    for attachment in made.attachments:
        assert attachment.document in made.documents
        assert (
            attachment.target in facts.principals
            or attachment.target in facts.resources
            or attachment.target in facts.scopes
        )


def test_deployments_run_as_what_runs_code() -> None:
    of = plan(**SMALL)
    made = whole(of)
    drawn = organisations.deployments(of, made)
    assert len(drawn) == len(set(drawn)) == of.deployments
    assert all(":role/run/" in name for name in drawn)


def test_details_for_other_tools_are_read_back_as_the_same_principals(tmp_path: Path) -> None:
    made = whole(plan(principals=30, resources=40, accounts=1))
    export = tmp_path / "details.json"
    export.write_text(json.dumps(authorization_details(made)))
    options = CollectOptions(now="2026-11-23T09:00:00Z", sources=(export,))
    read = AwsConnector().collect(options)
    assert {p.id for p in read.principals} == {p.id for p in made.principals}
    ours = {(a.target, a.kind, a.document) for a in made.attachments if a.kind == "identity"}
    assert {
        (a.target, a.kind, a.document) for a in read.attachments if a.kind == "identity"
    } == ours


@pytest.mark.parametrize("provider", sorted(organisations.PROVIDERS))
def test_every_provider_makes_estates_that_are_followed(provider: str) -> None:
    """The same plan the same bytes, only changed places differ, and releases reach something."""
    of = plan(**SMALL, providers=(provider,))
    made = whole(of)
    assert encode(made) == encode(whole(of))
    assert {scope.provider for scope in made.scopes} == {provider}
    later = plan(**SMALL, drift=0.25, day=1, providers=(provider,))
    before, after = list(parts(of)), list(parts(later))
    differing = {i - 1 for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}
    assert differing == later.changed
    releases = [
        (deployment.decode(manifest(name, cloud=provider).encode(), place="m"), "m", b"")
        for name in organisations.deployments(of, made)[:4]
    ]
    rows = Many(made, "", JudgePolicy()).survey(releases, lambda _: None)
    assert len(rows) == 4
    assert any(row.reach for row in rows)
