"""What a management account may do in its organization: read over HTTP, and followed from there.

Three accounts: the one that manages, one that administers services for it, and a member in which
roles of a permission set and of sets of stacks are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from modelreach.model import Strength
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.engine import Pivot
from modelreach.snapshot import Facts

MAIN, DELEGATED, MEMBER = "111122223333", "222233334444", "444455556666"
INSTANCE = "arn:aws:sso:::instance/ssoins-1"
SET = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
OWN_SET = "arn:aws:sso:::permissionSet/ssoins-1/ps-2"
GROUP = "arn:aws:identitystore:::group/g-1"
RESERVED = f"arn:aws:iam::{MEMBER}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b"
OWN = f"arn:aws:iam::{MAIN}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Own_0c1d"
DEPLOYS = f"arn:aws:iam::{MEMBER}:role/stacksets-exec-0a1b"
ROOT = f"arn:aws:iam::{MEMBER}:root"
STACKS = "member.org.stacksets.cloudformation.amazonaws.com"
CENTER = [
    "sso:ProvisionPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:CreateAccountAssignment",
    "identitystore:CreateGroupMembership",
]
SETS = ["cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"]


def _role(account: str, path: str, may: list[str], team: str = "") -> dict[str, Any]:
    """A role that may do these (with what has a tag, or is no permission set)."""
    name = path.rpartition("/")[2]
    document: dict[str, Any] = {"Effect": "Allow", "Action": may, "Resource": "*"}
    if team:
        document["Condition"] = {"StringEqualsIfExists": {"aws:ResourceTag/team": team}}
    trust = {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:*"}
    return {
        "Path": f"/{path[: -len(name)]}",
        "RoleName": name,
        "RoleId": f"AROA{name.upper()}",
        "Arn": f"arn:aws:iam::{account}:role/{path}",
        "CreateDate": "2026-06-01T00:00:00Z",
        "AssumeRolePolicyDocument": json.dumps({"Statement": [trust]}),
        "RolePolicyList": [
            {"PolicyName": "own", "PolicyDocument": json.dumps({"Statement": [document]})}
        ],
        "InstanceProfileList": [],
    }


def _iam(*roles: dict[str, Any]) -> dict[Any, Any]:
    details = {"RoleDetailList": list(roles), "IsTruncated": False}
    return {("iam", "GetAccountAuthorizationDetails"): details}


def _callers(account: str) -> list[dict[str, Any]]:
    return [
        _role(account, "boss", ["*"]),
        _role(account, "center", CENTER),
        _role(account, "stacks", SETS),
        _role(account, "change", ["cloudformation:UpdateStackSet"]),
        _role(account, "roots", ["sts:AssumeRoot"]),
        _role(account, "tagged", ["sso:CreateAccountAssignment"], team="own"),
    ]


def _of_main() -> dict[Any, Any]:
    services = {DELEGATED: ["sso.amazonaws.com", STACKS, "iam.amazonaws.com"]}
    sets = {"Admin": SET, "Own": OWN_SET}
    named = {arn: name for name, arn in sets.items()}
    where = {SET: [MEMBER], OWN_SET: [MAIN]}
    return {
        **_iam(
            *_callers(MAIN),
            _role(MAIN, OWN.partition("role/")[2], ["s3:ListAllMyBuckets"]),
        ),
        ("organizations", "ListRoots"): {"Roots": [{"Id": "r-1", "Name": "Root"}]},
        ("organizations", "ListAccountsForParent"): {
            "Accounts": [{"Id": one, "Name": one} for one in (MAIN, DELEGATED, MEMBER)]
        },
        ("organizations", "ListDelegatedAdministrators"): {
            "DelegatedAdministrators": [{"Id": DELEGATED}]
        },
        ("organizations", "ListDelegatedServicesForAccount"): lambda asked: {
            "DelegatedServices": [
                {"ServicePrincipal": name} for name in services[asked["AccountId"]]
            ]
        },
        ("organizations", "ListAWSServiceAccessForOrganization"): {
            "EnabledServicePrincipals": [
                {"ServicePrincipal": STACKS},
                {"ServicePrincipal": "sso.amazonaws.com"},
            ]
        },
        ("iam", "ListOrganizationsFeatures"): {"EnabledFeatures": ["RootSessions"]},
        ("sso-admin", "ListInstances"): {
            "Instances": [
                {"InstanceArn": INSTANCE, "IdentityStoreId": "d-1", "OwnerAccountId": MAIN}
            ]
        },
        ("sso-admin", "ListPermissionSets"): {"PermissionSets": sorted(named)},
        ("sso-admin", "DescribePermissionSet"): lambda asked: {
            "PermissionSet": {"Name": named[asked["PermissionSetArn"]]}
        },
        ("sso-admin", "ListTagsForResource"): lambda asked: {
            "Tags": [{"Key": "team", "Value": named[asked["ResourceArn"]].lower()}]
        },
        ("sso-admin", "ListAccountsForProvisionedPermissionSet"): lambda asked: {
            "AccountIds": where[asked["PermissionSetArn"]]
        },
        ("sso-admin", "ListAccountAssignments"): lambda asked: {
            "AccountAssignments": [{"PrincipalType": "GROUP", "PrincipalId": "g-1"}]
            if asked["AccountId"] == MEMBER
            else []
        },
        ("cloudformation", "ListStackSets"): {
            "Summaries": [{"StackSetName": "base", "PermissionModel": "SERVICE_MANAGED"}]
        },
        ("cloudformation", "DescribeStackSet"): {
            "StackSet": {
                "StackSetName": "base",
                "StackSetARN": f"arn:aws:cloudformation:eu-west-1:{MAIN}:stackset/base:0a1b",
                "PermissionModel": "SERVICE_MANAGED",
                "Status": "ACTIVE",
            }
        },
    }


def _organization(manager: str) -> dict[Any, Any]:
    return {
        ("organizations", "DescribeOrganization"): {
            "Organization": {"Id": "o-1", "MasterAccountId": manager}
        }
    }


def _estate() -> dict[str, dict[Any, Any]]:
    member = _iam(
        _role(MEMBER, RESERVED.partition("role/")[2], ["s3:ListAllMyBuckets"]),
        _role(MEMBER, "stacksets-exec-0a1b", ["*"]),
        *_callers(MEMBER),
    )
    accounts = {MAIN: _of_main(), DELEGATED: _iam(*_callers(DELEGATED)), MEMBER: member}
    return {account: {**_organization(MAIN), **found} for account, found in accounts.items()}


@pytest.fixture(scope="module")
def collected(
    tmp_path_factory: pytest.TempPathFactory, collecting_in: Callable[..., Any]
) -> Callable[..., Any]:
    """Collects that organization, changed as a test likes; each change once."""
    return lambda estate=None, **options: collecting_in(
        estate or _estate(),
        tmp_path_factory.mktemp("organization"),
        assume_roles=tuple(
            f"arn:aws:iam::{account}:role/enter" for account in (DELEGATED, MEMBER)
        ),
        **options,
    )


@pytest.fixture(scope="module")
def whole(collected: Callable[..., Any]) -> Any:
    return collected()


@pytest.fixture(scope="module")
def engine(whole: Any) -> AwsEngine:
    return AwsEngine(Facts(whole.snapshot))


def _hops(engine: AwsEngine, account: str, caller: str) -> dict[tuple[str, str], Pivot]:
    found = engine.pivots(f"arn:aws:iam::{account}:role/{caller}")
    return {(one.rule, one.target): one for one in found}


def test_what_leads_into_members_is_collected(whole: Any) -> None:
    runtimes = {one.id: one for one in whole.snapshot.runtimes}
    assert runtimes[SET].identities == (RESERVED,)
    assert runtimes[OWN_SET].identities == (OWN,)
    assert runtimes[GROUP].identities == (RESERVED,)
    assert (
        runtimes[GROUP].attributes["store"] == f"arn:aws:identitystore::{MAIN}:identitystore/d-1"
    )
    organization = f"arn:aws:organizations::{MAIN}:organization/o-1"
    assert runtimes[organization].identities == (DEPLOYS,)
    assert runtimes[f"arn:aws:organizations::{MAIN}:account/o-1/{MEMBER}"].identities == (ROOT,)
    assert f"arn:aws:organizations::{MAIN}:account/o-1/{MAIN}" not in runtimes
    assert whole.snapshot.gaps == ()


def test_only_the_management_account_is_asked(whole: Any) -> None:
    of_center = {call for call in whole.made if call[0] == "sso-admin"}
    assert len(of_center) == 6
    asked = [p for p in whole.snapshot.coverage if p.kind == "runtimes:sso:permission-set"]
    assert {row.scope for row in asked} == {MAIN}


@pytest.mark.parametrize("account", [MAIN, DELEGATED])
def test_who_administers_identity_center_gets_into_members(
    engine: AwsEngine, account: str
) -> None:
    found = _hops(engine, account, "center")
    assert found.keys() >= {
        ("sso-change-permission-set", f"{RESERVED}#any-policy"),
        ("sso-assign-permission-set", RESERVED),
        ("sso-join-group", RESERVED),
    }
    assert {str(one.strength) for one in found.values()} == {"conditional"}
    assert not engine.permissions(f"{RESERVED}#any-policy").is_empty()


def test_a_set_that_the_management_account_has_is_not_for_delegates(engine: AwsEngine) -> None:
    own = ("sso-assign-permission-set", OWN)
    assert own in _hops(engine, MAIN, "center")
    assert own not in _hops(engine, DELEGATED, "center")


def test_permission_sets_are_told_apart_by_their_tags(engine: AwsEngine) -> None:
    found = _hops(engine, MAIN, "tagged")
    assert found.keys() == {("sso-assign-permission-set", OWN)}


@pytest.mark.parametrize("account", [MAIN, DELEGATED])
def test_who_makes_sets_of_stacks_deploys_in_members(engine: AwsEngine, account: str) -> None:
    new = _hops(engine, account, "stacks")
    assert str(new["cloudformation-new-organization-stack-set", DEPLOYS].strength) == "certain"
    changed = _hops(engine, account, "change")
    hop = changed["cloudformation-change-organization-stack-set", DEPLOYS]
    assert str(hop.strength) == "conditional"


@pytest.mark.parametrize("account", [MAIN, DELEGATED])
def test_root_users_do_single_tasks(engine: AwsEngine, account: str) -> None:
    found = _hops(engine, account, "roots")
    limited = f"{ROOT}#only-through=sts-assume-root-buckets"
    assert str(found["sts-assume-root-buckets", limited].strength) == "certain"
    assert str(found["sts-assume-root-password", ROOT].strength) == "conditional"
    assert str(engine.decide(limited, "s3:PutBucketPolicy", "arn:aws:s3:::x").verdict) == "allow"
    assert str(engine.decide(limited, "s3:GetObject", "arn:aws:s3:::x/y").verdict) == "deny"
    taken = [one for one in engine.pivots(ROOT) if one.kind == "administer"]
    assert [one.target for one in taken] == [MEMBER]


@pytest.mark.parametrize("caller", ["boss", "center", "stacks", "change", "roots"])
def test_nobody_else_does(engine: AwsEngine, caller: str) -> None:
    rules = {rule for rule, _ in _hops(engine, MEMBER, caller)}
    assert not {one for one in rules if one.startswith(("sso-", "sts-", "cloudformation-"))}


@pytest.mark.parametrize("account", [MAIN, DELEGATED])
def test_an_administrator_of_the_account_gains_the_members(
    engine: AwsEngine, account: str
) -> None:
    ends = {target for rule, target in _hops(engine, account, "boss") if rule}
    assert ends >= {f"{RESERVED}#any-policy", RESERVED, DEPLOYS, ROOT}


def test_in_brief_it_is_the_same(whole: Any) -> None:
    engine = AwsEngine(Facts(whole.snapshot))
    for account in (MAIN, DELEGATED, MEMBER):
        for caller in ("boss", "center", "stacks", "change", "roots"):
            name = f"arn:aws:iam::{account}:role/{caller}"
            told: dict[str, str] = {}
            for hop in sorted(engine.outline(name).every, key=lambda one: _SURE[one.strength]):
                told.setdefault(hop.target, hop.strength)
            found: dict[str, str] = {}
            for pivot in sorted(engine.pivots(name), key=lambda one: _SURE[one.strength]):
                found.setdefault(pivot.target, pivot.strength)
            assert told == found, name


_SURE = {strength: place for place, strength in enumerate(Strength)}


REFUSED = {
    ("sso-admin", "ListInstances"): ("runtimes:sso:permission-set", "sso:ListInstances"),
    ("organizations", "ListAWSServiceAccessForOrganization"): (
        "runtimes:organizations:organization",
        "organizations:ListAWSServiceAccessForOrganization",
    ),
    ("iam", "ListOrganizationsFeatures"): (
        "runtimes:organizations:account",
        "iam:ListOrganizationsFeatures",
    ),
}


def test_what_is_refused_leaves_a_gap(collected: Callable[..., Any], refused: Any) -> None:
    estate = _estate()
    estate[MAIN].update(dict.fromkeys(REFUSED, refused("AccessDeniedException")))
    gaps = {(g.kind, g.permission) for g in collected(estate).snapshot.gaps if g.scope == MAIN}
    assert gaps >= set(REFUSED.values())


def test_an_organization_that_was_not_read_whole_is_a_gap(
    collected: Callable[..., Any], refused: Any
) -> None:
    estate = _estate()
    estate[MAIN]["organizations", "ListAccountsForParent"] = refused("AccessDeniedException")
    estate[MAIN]["sso-admin", "ListInstances"] = {"Instances": []}
    gaps = {(g.kind, g.operation) for g in collected(estate).snapshot.gaps if g.scope == MAIN}
    listing = "organizations:ListAccountsForParent"
    assert ("runtimes:organizations:organization", listing) in gaps
    assert ("runtimes:organizations:account", listing) in gaps
    # The organization trusts Identity Center, so that there is an instance elsewhere.
    assert ("runtimes:sso:permission-set", "sso-admin:ListInstances") in gaps
    assert ("runtimes:identitystore:group", "sso-admin:ListInstances") in gaps


def test_members_that_were_not_read_are_a_gap(
    tmp_path_factory: pytest.TempPathFactory, collecting_in: Callable[..., Any]
) -> None:
    found = collecting_in(_estate(), tmp_path_factory.mktemp("alone"))
    told = {(gap.kind, gap.scope, gap.reason): gap.message for gap in found.snapshot.gaps}
    sets = told["runtimes:sso:permission-set", MAIN, "not-collected"]
    assert sets == f"its roles in {MEMBER} were not read: collect these accounts, too"
    stacks = told["runtimes:organizations:organization", MAIN, "not-collected"]
    assert f"{DELEGATED}, {MEMBER}" in stacks
