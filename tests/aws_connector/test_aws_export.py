"""What `aws iam get-account-authorization-details` prints, taken as it is."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_aws import AwsConnector

ROLE = "arn:aws:iam::111122223333:role/agent"
ALLOW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
}
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def export(account: str = "111122223333") -> dict[str, Any]:
    """As the command prints it: every section, documents decoded, times with an offset."""
    prefix = f"arn:aws:iam::{account}"
    return {
        "UserDetailList": [
            {
                "Path": "/",
                "UserName": "ann",
                "UserId": "AIDAEXAMPLE",
                "Arn": f"{prefix}:user/ann",
                "CreateDate": "2024-02-03T04:05:06+00:00",
                "GroupList": ["team"],
                "AttachedManagedPolicies": [],
                "Tags": [],
            }
        ],
        "GroupDetailList": [
            {
                "Path": "/",
                "GroupName": "team",
                "GroupId": "AGPAEXAMPLE",
                "Arn": f"{prefix}:group/team",
                "CreateDate": "2024-02-03T04:05:06+00:00",
                "GroupPolicyList": [{"PolicyName": "inline", "PolicyDocument": ALLOW}],
                "AttachedManagedPolicies": [],
            }
        ],
        "RoleDetailList": [
            {
                "Path": "/",
                "RoleName": "agent",
                "RoleId": "AROAEXAMPLE",
                "Arn": f"{prefix}:role/agent",
                "CreateDate": "2024-02-03T04:05:06+00:00",
                "AssumeRolePolicyDocument": TRUST,
                "InstanceProfileList": [],
                "RolePolicyList": [{"PolicyName": "secrets", "PolicyDocument": ALLOW}],
                "AttachedManagedPolicies": [
                    {"PolicyName": "reads", "PolicyArn": f"{prefix}:policy/reads"}
                ],
                "Tags": [{"Key": "stage", "Value": "prod"}],
                "RoleLastUsed": {
                    "LastUsedDate": "2026-01-02T03:04:05+00:00",
                    "Region": "eu-west-1",
                },
            }
        ],
        "Policies": [
            {
                "PolicyName": "reads",
                "Arn": f"{prefix}:policy/reads",
                "DefaultVersionId": "v2",
                "CreateDate": "2024-02-03T04:05:06+00:00",
                "PolicyVersionList": [
                    {"Document": ALLOW, "VersionId": "v2", "IsDefaultVersion": True},
                    {"Document": TRUST, "VersionId": "v1", "IsDefaultVersion": False},
                ],
            }
        ],
    }


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content, indent=4))
    return path


def take(*sources: Path) -> Snapshot:
    return AwsConnector().collect(CollectOptions(now="2026-11-24T00:00:00Z", sources=sources))


def test_facts_of_an_export(tmp_path: Path) -> None:
    snapshot = take(write(tmp_path / "details.json", export()))
    people = {one.id: one for one in snapshot.principals}
    assert people[ROLE].unique_id == "AROAEXAMPLE"
    assert people[ROLE].last_used == "2026-01-02T03:04:05Z"
    assert people[ROLE].created == "2024-02-03T04:05:06Z"
    assert people["arn:aws:iam::111122223333:user/ann"].groups == (
        "arn:aws:iam::111122223333:group/team",
    )
    kinds = sorted((one.target.rpartition(":")[2], one.kind) for one in snapshot.attachments)
    assert kinds == [
        ("group/team", "identity"),
        ("role/agent", "identity"),
        ("role/agent", "identity"),
        ("role/agent", "trust"),
    ]
    assert [(one.id, one.kind) for one in snapshot.scopes] == [("111122223333", "account")]
    assert snapshot.taken_at == "2026-11-24T00:00:00Z"
    assert not snapshot.gaps


def test_only_principals_are_covered(tmp_path: Path) -> None:
    snapshot = take(write(tmp_path / "details.json", export()))
    assert [(one.kind, one.complete) for one in snapshot.coverage] == [("principals", True)]
    assert not snapshot.resources


def _encoded(value: Any) -> Any:
    """The same export with its documents as they are on the wire."""
    if isinstance(value, list):
        return [_encoded(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    documents = ("PolicyDocument", "AssumeRolePolicyDocument", "Document")
    return {
        name: quote(json.dumps(inner)) if name in documents else _encoded(inner)
        for name, inner in value.items()
    }


def test_url_encoded_documents_are_the_same(tmp_path: Path) -> None:
    plain = take(write(tmp_path / "plain.json", export()))
    encoded = take(write(tmp_path / "encoded.json", _encoded(export())))
    assert encode(encoded) == encode(plain)


def test_several_accounts(tmp_path: Path) -> None:
    one = write(tmp_path / "one.json", export())
    two = write(tmp_path / "two.json", export("444455556666"))
    snapshot = take(one, two)
    assert [scope.id for scope in snapshot.scopes] == ["111122223333", "444455556666"]
    assert encode(take(tmp_path)) == encode(snapshot)
    assert encode(take(two, one)) == encode(snapshot)


def test_another_partition(tmp_path: Path) -> None:
    text = json.dumps(export()).replace("arn:aws:", "arn:aws-us-gov:")
    path = tmp_path / "gov.json"
    path.write_text(text)
    assert take(path).principals[0].id.startswith("arn:aws-us-gov:iam::111122223333:")


BROKEN = [
    ("RoleDetailList", "AssumeRolePolicyDocument", "role `agent`, trust policy"),
    ("RoleDetailList", "RolePolicyList", "role `agent`, policy `secrets`"),
    ("GroupDetailList", "GroupPolicyList", "group `team`, policy `inline`"),
    ("Policies", "PolicyVersionList", "policy `arn:aws:iam::111122223333:policy/reads`"),
]


@pytest.mark.parametrize(("section", "field", "where"), BROKEN)
@pytest.mark.parametrize("text", ["{", "%7B%22", "[]", "3", ""])
def test_a_document_that_is_not_json(
    tmp_path: Path, section: str, field: str, where: str, text: str
) -> None:
    content = copy.deepcopy(export())
    entity = content[section][0]
    if isinstance(entity[field], list):
        entity = entity[field][0]
        field = "Document" if "Document" in entity else "PolicyDocument"
    entity[field] = text
    path = write(tmp_path / "details.json", content)
    with pytest.raises(InputError) as raised:
        take(path)
    assert raised.value.place.startswith(f"{path}: {where}")
    assert "not JSON" in raised.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"RoleDetailList": [{"RoleName": "agent"}]},
        {"RoleDetailList": [{"Arn": 3, "RoleName": "agent"}]},
        {"RoleDetailList": ["agent"]},
        {"UserDetailList": {"a": 1}},
        {"GroupDetailList": [{"Arn": "x", "GroupName": "g", "GroupPolicyList": [{}]}]},
    ],
)
def test_another_shape_is_an_error(tmp_path: Path, change: dict[str, Any]) -> None:
    path = write(tmp_path / "details.json", export() | change)
    with pytest.raises(InputError, match=r"details\.json: these account details are broken"):
        take(path)


def test_entities_of_two_accounts_are_an_error(tmp_path: Path) -> None:
    content = export()
    content["RoleDetailList"] = export("444455556666")["RoleDetailList"]
    with pytest.raises(InputError, match="of 2 accounts"):
        take(write(tmp_path / "details.json", content))


def test_nothing_that_names_the_account_is_an_error(tmp_path: Path) -> None:
    empty: dict[str, Any] = {section: [] for section in export()}
    with pytest.raises(InputError, match="without an ARN"):
        take(write(tmp_path / "details.json", empty))


def test_a_cut_export_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "details.json"
    path.write_text(json.dumps(export(), indent=1)[:-40])
    with pytest.raises(InputError, match=r"details\.json:\d+:\d+"):
        take(path)


@pytest.mark.parametrize("token", ["NextToken", "Marker"])
def test_an_export_that_stops_early_is_incomplete(tmp_path: Path, token: str) -> None:
    snapshot = take(write(tmp_path / "details.json", export() | {token: "abc"}))
    (gap,) = snapshot.gaps
    assert (gap.kind, gap.reason) == ("principals", "not-collected")
    assert [one.complete for one in snapshot.coverage] == [False]


def test_a_section_left_out_is_incomplete(tmp_path: Path) -> None:
    content = export()
    del content["GroupDetailList"]
    snapshot = take(write(tmp_path / "details.json", content))
    messages = sorted(gap.message for gap in snapshot.gaps)
    assert messages == ["the details have no group `team`", "the export has no GroupDetailList"]
    assert [one.complete for one in snapshot.coverage] == [False]


def test_a_boundary_that_the_export_lacks_is_a_gap(tmp_path: Path) -> None:
    content = export()
    content["RoleDetailList"][0]["PermissionsBoundary"] = {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess",
    }
    (gap,) = take(write(tmp_path / "details.json", content)).gaps
    assert (gap.kind, gap.subject, gap.reason) == ("boundary", ROLE, "not-collected")
    assert gap.permission == "iam:GetPolicyVersion"


def test_a_user_s_boundary_is_attached(tmp_path: Path) -> None:
    content = export()
    content["UserDetailList"][0]["PermissionsBoundary"] = {
        "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/reads"
    }
    snapshot = take(write(tmp_path / "details.json", content))
    (bound,) = [one for one in snapshot.attachments if one.kind == "boundary"]
    assert bound.target == "arn:aws:iam::111122223333:user/ann"


def test_the_same_account_twice_with_other_content_is_an_error(tmp_path: Path) -> None:
    other = export()
    other["UserDetailList"] = []
    one = write(tmp_path / "one.json", export())
    two = write(tmp_path / "two.json", other)
    with pytest.raises(InputError, match=r"two\.json: iam .* already in"):
        take(one, two)


def test_moto_s_export_is_what_collecting_gives(cloud: Any, plain: Any, tmp_path: Path) -> None:
    filters = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
    answer = cloud("iam").get_account_authorization_details(Filter=filters)
    del answer["ResponseMetadata"]
    path = tmp_path / "details.json"
    path.write_text(json.dumps(answer, default=str))
    exported = {one.id: one for one in take(path).principals}
    collected = {one.id: one for one in plain.snapshot.principals if one.id in exported}
    assert exported == collected


@pytest.mark.parametrize("deep", [False, True])
def test_a_deep_document_is_no_bug_of_ours(tmp_path: Path, deep: bool) -> None:
    # A library may have raised the limit meanwhile.
    depth = sys.getrecursionlimit() - 100 if deep else 300
    content = copy.deepcopy(export())
    inner: Any = {}
    for _ in range(depth):
        inner = [inner]
    content["RoleDetailList"][0]["AssumeRolePolicyDocument"] = {"Statement": inner}
    path = tmp_path / "details.json"
    path.write_text(json.dumps(content))
    if not deep:
        assert take(path).principals
        return
    with pytest.raises(InputError, match=r"details\.json.*(nested too deeply|RecursionError)"):
        take(path)
