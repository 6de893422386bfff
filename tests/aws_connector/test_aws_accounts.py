"""Which accounts and regions are read: assumed roles, profiles, organizations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_aws.calls import CALLS
from modelreach_aws.session import sources as credentials_of

REGION = "eu-west-1"
Collect = Callable[..., Snapshot]


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/collector"


def users(snapshot: Snapshot) -> list[str]:
    return [one.id for one in snapshot.principals if one.kind == "user"]


def test_assumed_roles_lead_to_their_accounts(stranger: Any, fresh: Any, collect: Collect) -> None:
    second, third = fresh(), fresh()
    for cloud in (stranger, second, third):
        cloud("iam").create_user(UserName=f"u-{cloud.account}")
    snapshot = collect(assume_roles=(role(second.account), role(third.account)))
    accounts = [stranger.account, second.account, third.account]
    assert [one.id for one in snapshot.scopes] == accounts
    assert users(snapshot) == [f"arn:aws:iam::{one}:user/u-{one}" for one in accounts]


def test_external_id_and_session_name_are_sent(
    stranger: Any, fresh: Any, wire: Any, collect: Collect
) -> None:
    collect(assume_roles=(role(fresh().account),), external_id="for-modelreach")
    (body,) = wire.bodies["sts", "AssumeRole"]
    assert b"ExternalId=for-modelreach" in body
    assert b"RoleSessionName=modelreach" in body


def test_a_role_that_is_refused_is_a_gap_of_its_account(
    stranger: Any, wire: Any, collect: Collect
) -> None:
    wire.refuse("sts", "AssumeRole", "AccessDenied", 403)
    snapshot = collect(assume_roles=(role("999988887777"),))
    gap = next(gap for gap in snapshot.gaps if gap.operation == "sts:AssumeRole")
    assert (gap.scope, gap.reason, gap.permission) == ("999988887777", "denied", "sts:AssumeRole")
    assert gap.subject == role("999988887777")
    assert [one.id for one in snapshot.scopes] == [stranger.account, "999988887777"]
    covered = {one.kind: one.complete for one in snapshot.coverage if one.scope == gap.scope}
    assert covered == {"principals": False}


def test_a_role_in_the_same_account_is_used_once(
    stranger: Any, wire: Any, collect: Collect
) -> None:
    collect(assume_roles=(role(stranger.account),))
    assert wire.count("iam", "GetAccountAuthorizationDetails") == 1


def test_profiles(
    stranger: Any,
    fresh: Any,
    collect: Collect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = fresh()
    lines = []
    for name, cloud in (("one", stranger), ("two", other)):
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in cloud.credentials.items())]
    path = tmp_path / "credentials"
    path.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    snapshot = collect(profiles=("one", "two"))
    assert [one.id for one in snapshot.scopes] == [stranger.account, other.account]
    with pytest.raises(InputError, match="no AWS profile `three`") as raised:
        collect(profiles=("three",))
    assert raised.value.hint == "known: one, two"


def test_regions_are_those_that_are_enabled(stranger: Any, wire: Any, collect: Collect) -> None:
    regions = [{"RegionName": name} for name in ("eu-west-1", "us-east-2")]
    wire.say("account", "ListRegions", {"Regions": regions})
    snapshot = collect(regions=())
    assert {one.region for one in snapshot.coverage} == {"", "eu-west-1", "us-east-2"}
    assert wire.count("ec2", "DescribeRegions") == 0


def test_regions_by_the_other_call(stranger: Any, wire: Any, collect: Collect) -> None:
    wire.refuse("account", "ListRegions", "AccessDeniedException", 403)
    wire.say(
        "ec2",
        "DescribeRegions",
        "<DescribeRegionsResponse><regionInfo><item><regionName>us-west-2</regionName></item>"
        "</regionInfo></DescribeRegionsResponse>",
    )
    snapshot = collect(regions=())
    assert {one.region for one in snapshot.coverage} == {"", "us-west-2"}
    assert "regions" not in {gap.kind for gap in snapshot.gaps}, "nothing is missing"


def test_regions_that_nothing_tells_are_a_gap(stranger: Any, wire: Any, collect: Collect) -> None:
    wire.refuse("account", "ListRegions", "AccessDeniedException", 403)
    wire.refuse("ec2", "DescribeRegions", "UnauthorizedOperation", 403)
    snapshot = collect(regions=())
    assert {one.region for one in snapshot.coverage} == {"", REGION}
    missing = {gap.permission for gap in snapshot.gaps if gap.kind == "regions"}
    assert missing == {"account:ListRegions", "ec2:DescribeRegions"}


def test_organization(
    stranger: Any, fresh: Any, collect: Collect, policy_text: Any, wire: Any
) -> None:
    organizations = stranger("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    (root,) = organizations.list_roots()["Roots"]
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name="ml")
    unit_id = unit["OrganizationalUnit"]["Id"]
    member = organizations.create_account(AccountName="prod", Email="p@example.org")
    member_id = member["CreateAccountStatus"]["AccountId"]
    organizations.move_account(
        AccountId=member_id, SourceParentId=root["Id"], DestinationParentId=unit_id
    )
    policy = organizations.create_policy(
        Name="no-keys",
        Description="x",
        Type="SERVICE_CONTROL_POLICY",
        Content=policy_text("*"),
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=unit_id)

    snapshot = collect(assume_roles=(role(member_id),))
    scopes = {one.id: one for one in snapshot.scopes}
    assert scopes[member_id].parent == unit_id
    assert scopes[unit_id].parent == root["Id"]
    assert scopes[root["Id"]].parent == organization
    assert scopes[stranger.account].attributes == {
        "organization": organization,
        "management": True,
    }
    assert scopes[member_id].attributes == {"organization": organization, "management": False}
    assert (unit_id, "scp", "no-keys") in {
        (one.target, one.kind, one.name) for one in snapshot.attachments
    }
    assert root["Id"] in {one.target for one in snapshot.attachments}, "the default policy"
    covered = {(one.scope, one.kind): one.complete for one in snapshot.coverage}
    assert covered[member_id, "scp"]
    assert covered[member_id, "rcp"]


def test_a_member_that_may_not_list_has_unknown_policies(
    stranger: Any, collect: Collect, wire: Any
) -> None:
    stranger("organizations").create_organization(FeatureSet="ALL")
    for operation in ("ListRoots", "ListPolicies"):
        wire.refuse("organizations", operation, "AccessDeniedException")
    snapshot = collect()
    gaps = {(gap.kind, gap.permission) for gap in snapshot.gaps if gap.scope == stranger.account}
    assert ("scp", "organizations:ListPolicies") in gaps
    assert ("rcp", "organizations:ListPolicies") in gaps
    covered = {one.kind: one.complete for one in snapshot.coverage}
    assert covered["scp"] is False
    assert covered["rcp"] is False


def test_a_member_s_refusal_is_closed_by_its_management(
    stranger: Any, fresh: Any, collect: Collect, wire: Any
) -> None:
    organizations = stranger("organizations")
    organizations.create_organization(FeatureSet="ALL")
    member = organizations.create_account(AccountName="prod", Email="q@example.org")
    member_id = member["CreateAccountStatus"]["AccountId"]
    snapshot = collect(assume_roles=(role(member_id),))
    assert "organizations:ListRoots" not in {gap.operation for gap in snapshot.gaps}
    assert {one.scope for one in snapshot.coverage if one.kind == "scp"} == {
        stranger.account,
        member_id,
    }


def test_order_of_roles_makes_no_difference(stranger: Any, fresh: Any, collect: Collect) -> None:
    roles = (role(fresh().account), role(fresh().account))
    assert encode(collect(assume_roles=roles)) == encode(collect(assume_roles=roles[::-1]))


def test_a_service_that_a_region_lacks_is_told_from_a_region_nobody_knows() -> None:
    (source,) = credentials_of(CollectOptions(now="", regions=(REGION,)), attempts=1)
    known = set(source.session.get_available_regions("ec2"))
    lacking = sorted(known - set(source.session.get_available_regions("bedrock-agent")))
    assert source.lacks("bedrock-agent", lacking[0])
    assert not source.lacks("kms", lacking[0])
    assert not source.lacks("kms", "eu-wst-1"), "mistyped: that must show"
    assert not source.lacks("kms", "nowhere")


@pytest.mark.usefixtures("stranger")
def test_a_client_can_do_nothing_that_the_table_does_not_list() -> None:
    (source,) = credentials_of(CollectOptions(now="", regions=(REGION,)), attempts=1)
    listed: dict[str, set[str]] = {}
    for call in CALLS:
        listed.setdefault(call.service, set()).add(call.operation)
    clients = {service: source.client(service) for service in ("iam", "ec2", "secretsmanager")}
    for service, client in clients.items():
        assert {*client.meta.method_to_api_mapping.values()} == listed[service]
    assert not hasattr(clients["secretsmanager"], "get_secret_value")
