"""With nothing but what `aws iam get-account-authorization-details` prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ACCOUNT = "455555555555"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/agent"
LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/limit"
WHEN = "2025-01-01T00:00:00+00:00"

Json = dict[str, Any]
READ_KB = ("s3:GetObject", "arn:aws:s3:::kb/*")
READ_SECRETS = ("secretsmanager:GetSecretValue", "*")


def _policy(*grants: tuple[str, str]) -> Json:
    statements = [
        {"Sid": f"S{n}", "Effect": "Allow", "Action": action, "Resource": resource}
        for n, (action, resource) in enumerate(grants)
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _details(own: Json | str, boundary: Json | None = None) -> Json:
    service = {"Service": "bedrock.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    role: Json = {
        "Path": "/",
        "RoleName": "agent",
        "RoleId": "AROAEXAMPLEEXAMPLE01",
        "Arn": ROLE,
        "CreateDate": WHEN,
        "InstanceProfileList": [],
        "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": own}],
    }
    policies: list[Json] = []
    if boundary is not None:
        role["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": LIMIT,
        }
        version = {"Document": boundary, "VersionId": "v1", "IsDefaultVersion": True}
        policies.append(
            {
                "PolicyName": "limit",
                "PolicyId": "ANPAEXAMPLE",
                "Arn": LIMIT,
                "Path": "/",
                "DefaultVersionId": "v1",
                "CreateDate": WHEN,
                "UpdateDate": WHEN,
                "PolicyVersionList": [{**version, "CreateDate": WHEN}],
            }
        )
    return {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [role],
        "Policies": policies,
    }


Compare = Callable[[Json, Json], Any]


@pytest.fixture
def compare(command: Any, tmp_path: Path) -> Compare:
    """Collect two exports and compare one release in them."""
    manifest = tmp_path / "agent.yaml"
    manifest.write_text(
        "apiVersion: modelreach/v1\nkind: ModelDeployment\n"
        'metadata: {name: a, version: "1", owner: ml}\nspec:\n'
        "  model: {provider: p, id: m}\n"
        f'  identities: [{{id: runtime, cloud: aws, principal: "{ROLE}"}}]\n'
    )

    def run(*exports: Json) -> Any:
        for number, export in enumerate(exports):
            (tmp_path / f"{number}.json").write_text(json.dumps(export, indent=2))
            done = command(
                *("collect", "aws", "--from", tmp_path / f"{number}.json", "--quiet"),
                *("-o", tmp_path / f"{number}.snap", "--now=2026-01-01T00:00:00Z"),
            )
            assert done.code == 0, done.err
        done = command(
            *("diff", manifest, manifest, "--format=json"),
            *("--old-snapshot", tmp_path / "0.snap", "--new-snapshot", tmp_path / "1.snap"),
        )
        assert done.code in (0, 1), done.err
        return done.json

    return run


def _told(report: Any) -> list[tuple[Any, ...]]:
    return [
        (c["kind"], c["resource"], tuple(c["actions"]), c["verdict"], c["pattern"])
        for c in report["changes"]
    ]


GAINED = ("gained", "*", ("secretsmanager:GetSecretValue",), "allow", True)


def test_a_grant_on_everything_is_gained(compare: Compare) -> None:
    report = compare(_details(_policy(READ_KB)), _details(_policy(READ_KB, READ_SECRETS)))
    assert _told(report) == [GAINED]
    (change,) = report["changes"]
    assert json.loads(change["witness"][-1]["statement"])["Sid"] == "S1"
    assert [(f["rule"], f["state"]) for f in report["findings"]] == [("MR101", "new")]


def test_a_boundary_that_is_removed(compare: Compare) -> None:
    own = _policy(READ_KB, READ_SECRETS)
    report = compare(_details(own, _policy(("s3:*", "*"))), _details(own))
    assert _told(report) == [GAINED]


def test_a_boundary_that_is_set(compare: Compare) -> None:
    own = _policy(READ_KB, READ_SECRETS)
    report = compare(_details(own), _details(own, _policy(("s3:*", "*"))))
    assert _told(report) == [("lost", *GAINED[1:])]


def test_a_boundary_that_takes_nothing(compare: Compare) -> None:
    own = _policy(READ_KB, READ_SECRETS)
    assert _told(compare(_details(own, _policy(("*", "*"))), _details(own))) == []


def test_the_same_grant_spelled_otherwise(compare: Compare) -> None:
    before = _policy(("s3:GetObject", "arn:aws:s3:::kb/a*"), ("s3:getobject", "arn:aws:s3:::kb/*"))
    assert _told(compare(_details(before), _details(_policy(READ_KB)))) == []


def test_a_policy_that_is_not_json(command: Any, tmp_path: Path) -> None:
    export = tmp_path / "details.json"
    export.write_text(json.dumps(_details('{"Version": oops')))
    done = command("collect", "aws", "--from", export, "-o", tmp_path / "out.snap")
    assert done.code == 2
    assert f"{export}: role `agent`, policy `own`: this policy document is not JSON" in done.err
    assert not (tmp_path / "out.snap").exists()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"Reservations": []}', '{"UserDetailList": [', "x"]
)
def test_an_export_that_is_none(command: Any, tmp_path: Path, text: str) -> None:
    export = tmp_path / "details.json"
    export.write_text(text)
    done = command("collect", "aws", "--from", export, "-o", tmp_path / "out.snap")
    assert done.code == 2
    assert done.err.startswith(f"error: {export}")
    assert "expected a recording" in done.err
    assert list(tmp_path.iterdir()) == [export]
