"""Allow policies: inheritance, roles, members. Each test names the rule that it is for."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.model import Capability, Verdict

ORG, FOLDER, PROJECT, OTHER = "organizations/1", "folders/2", "projects/p", "projects/q"
VIEWER = "roles/storage.objectViewer"
GET = "storage.objects.get"


def test_bindings_are_inherited_down_the_hierarchy(estate: Any) -> None:
    """G01: organization, folder, project, resource: the union of all."""
    ml = estate.account("ml")
    data, far = estate.bucket("data"), estate.bucket("far", OTHER)
    estate.bind(FOLDER, VIEWER, ml)
    assert estate.verdict(ml, GET, data) == "allow"
    assert estate.verdict(ml, GET, far) == "deny"
    estate.bind(ORG, VIEWER, ml)
    assert estate.verdict(ml, GET, far) == "allow"
    grants = {g.resource: g for g in estate.engine().grants(ml) if g.capability == Capability.READ}
    assert grants.keys() == {data, far}
    assert {ref.target for ref in grants[data].statements} == {ORG, FOLDER}


def test_a_policy_further_down_takes_nothing_away(estate: Any) -> None:
    """G02: a child's policy without the binding changes nothing."""
    ml, other = estate.account("ml"), estate.account("other")
    data = estate.bucket("data")
    estate.bind(ORG, VIEWER, ml)
    estate.bind(PROJECT, VIEWER, other)
    estate.bind(data, VIEWER, other)
    assert estate.verdict(ml, GET, data) == "allow"


def test_moving_a_project_changes_reach_without_any_edit(estate: Any) -> None:
    """G03: the same bindings, another parent."""
    ml = estate.account("ml")
    far = estate.bucket("far", OTHER)
    estate.bind(FOLDER, VIEWER, ml)
    assert not [g for g in estate.engine().grants(ml) if g.resource == far]
    estate.scope(OTHER, "project", FOLDER, number="22")
    assert [g.resource for g in estate.engine().grants(ml) if g.capability is Capability.READ] == [
        far
    ]


def test_basic_roles_are_what_their_definitions_say(estate: Any) -> None:
    """G20: an editor may make keys and act as accounts, and may not edit the project's policy."""
    ml = estate.account("ml")
    estate.bind(PROJECT, "roles/editor", ml)
    assert estate.verdict(ml, "iam.serviceAccountKeys.create", PROJECT) == "allow"
    assert estate.verdict(ml, "resourcemanager.projects.setIamPolicy", PROJECT) == "deny"


@pytest.mark.parametrize("state", [{"deleted": True}, {"stage": "DISABLED"}])
def test_custom_roles_that_are_gone_give_nothing(estate: Any, state: dict[str, object]) -> None:
    """G21: a custom role that is deleted or disabled gives no access."""
    ml, data = estate.account("ml"), estate.bucket("data")
    role = estate.role("projects/p/roles/reader", [GET])
    estate.bind(PROJECT, role, ml)
    assert estate.verdict(ml, GET, data) == "allow"
    estate.role("projects/p/roles/reader", [GET], **state)
    assert estate.verdict(ml, GET, data) == "deny"
    assert estate.engine().grants(ml) == ()


def test_a_role_without_a_definition_is_unknown_and_not_empty(estate: Any) -> None:
    """G22: and so is one whose definition cannot be read; G19: as is one `_withcond_`."""
    ml, data = estate.account("ml"), estate.bucket("data")
    estate.bind(PROJECT, "roles/new.role2027", ml)
    decision = estate.engine().decide(ml, GET, data)
    assert decision.verdict is Verdict.UNKNOWN
    assert "roles/new.role2027" in repr(decision.residual)
    patterns = estate.engine().unlisted(estate.engine().permissions(ml), PROJECT)
    assert [(g.resource, g.kind, g.actions, str(g.verdict)) for g in patterns] == [
        ("projects/p/*", "*", ("*",), "unknown")
    ]
    estate.roles["roles/new.role2027"] = b'{"includedPermissions": 5}'
    assert estate.verdict(ml, GET, data) == "unknown"
    estate.bindings.clear()
    estate.bind(PROJECT, "roles/storage.admin_withcond_0123456789abcdef", ml)
    assert estate.verdict(ml, GET, data) == "unknown"


def test_convenience_members_mean_holders_of_the_basic_role(estate: Any) -> None:
    """G23: not of a custom role with the same permissions, nor of a basic role elsewhere."""
    ml, twin, far = estate.account("ml"), estate.account("twin"), estate.account("far", OTHER)
    data = estate.bucket("data")
    estate.bind(PROJECT, "roles/editor", ml)
    estate.bind(PROJECT, estate.role("projects/p/roles/twin", ["storage.buckets.list"]), twin)
    estate.bind(OTHER, "roles/editor", far)
    estate.bind(data, "roles/storage.legacyBucketOwner", "projectEditor:p", "projectOwner:p")
    create = "storage.objects.create"
    assert estate.verdict(ml, create, data) == "allow"
    assert estate.verdict(twin, create, data) == "deny"
    assert estate.verdict(far, create, data) == "deny"
    inherited = estate.account("inherited")
    estate.bind(FOLDER, "roles/owner", inherited)
    assert estate.verdict(inherited, create, data) == "unknown"


def test_convenience_members_by_project_number(estate: Any) -> None:
    ml, data = estate.account("ml"), estate.bucket("data")
    estate.bind(PROJECT, "roles/viewer", ml)
    estate.bind(data, VIEWER, "projectViewer:11")
    assert estate.verdict(ml, GET, data) == "allow"


def test_everybody_and_everybody_with_an_account(estate: Any) -> None:
    """G24: federated and agent identities are no Google accounts."""
    ml = estate.account("ml")
    pool = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/ci"
    runner = estate.account(f"principal:{pool}/subject/runner", kind="federated")
    agent = estate.account(AGENT, kind="agent-identity")
    data, public = estate.bucket("data"), estate.bucket("public")
    estate.bind(data, VIEWER, "allAuthenticatedUsers")
    estate.bind(public, VIEWER, "allUsers")
    assert [estate.verdict(who, GET, data) for who in (ml, runner, agent)] == [
        *("allow", "deny", "deny")
    ]
    assert {estate.verdict(who, GET, public) for who in (ml, runner, agent)} == {"allow"}


AGENT = (
    "principal://agents.global.org-1.system.id.goog/resources/aiplatform/projects/11"
    "/locations/eu/reasoningEngines/7"
)


def test_groups_nest(estate: Any) -> None:
    """G25: a service account in a group in a group."""
    ml = estate.account("ml", groups=["group:inner@x.com"])
    estate.account("group:inner@x.com", ORG, "group", groups=["group:outer@x.com"])
    estate.account("group:outer@x.com", ORG, "group")
    data = estate.bucket("data")
    estate.bind(data, VIEWER, "group:outer@x.com")
    assert estate.verdict(ml, GET, data) == "allow"
    (grant,) = (g for g in estate.engine().grants(ml) if g.capability is Capability.READ)
    assert "group:outer@x.com" in grant.statements[0].text


@pytest.mark.parametrize("unread", ["group:inner@x.com", "group:outer@x.com", ""])
def test_membership_that_was_not_read_is_unknown(estate: Any, unread: str) -> None:
    """G25: of the group that is bound, of one nested in it, or of all groups."""
    ml = estate.account("ml")
    estate.account("group:inner@x.com", ORG, "group", groups=["group:outer@x.com"])
    estate.account("group:outer@x.com", ORG, "group")
    data = estate.bucket("data")
    estate.bind(data, VIEWER, "group:outer@x.com")
    assert estate.verdict(ml, GET, data) == "deny"
    estate.gap("groups", ORG, unread)
    assert estate.verdict(ml, GET, data) == "unknown"


def test_groups_that_nobody_asked_for_are_unknown(estate: Any) -> None:
    ml, data = estate.account("ml"), estate.bucket("data")
    estate.bind(data, VIEWER, "group:readers@x.com")
    estate.coverage.clear()
    assert estate.verdict(ml, GET, data) == "unknown"


def test_domains_mean_users(estate: Any) -> None:
    """G26: not service accounts, whatever their address."""
    ml, data = estate.account("ml"), estate.bucket("data")
    ann = estate.account("user:ann@x.com", ORG, "user")
    odd = estate.account("serviceAccount:ml@x.com")
    estate.bind(data, VIEWER, "domain:x.com")
    assert [estate.verdict(who, GET, data) for who in (ann, odd, ml)] == ["allow", "deny", "deny"]


def test_deleted_members_mean_nobody(estate: Any) -> None:
    """G27: a new account of the same address does not get what the old one had."""
    ml, data = estate.account("ml"), estate.bucket("data")
    estate.bind(data, VIEWER, f"deleted:{ml}?uid=123456789012345678901")
    assert estate.verdict(ml, GET, data) == "deny"
    assert estate.engine().grants(ml) == ()


def test_kubernetes_accounts_have_two_spellings(estate: Any) -> None:
    """G28: both mean the account of that name in every cluster of the pool."""
    old = "serviceAccount:p.svc.id.goog[prod/api]"
    pool = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/p.svc.id.goog"
    new = f"principal:{pool}/subject/ns/prod/sa/api"
    estate.account(old, kind="federated")
    one, two, three = (estate.bucket(name) for name in ("one", "two", "three"))
    estate.bind(one, VIEWER, old)
    estate.bind(two, VIEWER, new)
    estate.bind(three, VIEWER, f"principalSet:{pool}/namespace/prod")
    assert [estate.verdict(old, GET, b) for b in (one, two, three)] == ["allow"] * 3
    assert [estate.verdict(new, GET, b) for b in (one, two, three)] == ["allow"] * 3
    estate.principals.clear()
    estate.account(new, kind="federated")
    assert [estate.verdict(old, GET, b) for b in (one, two, three)] == ["allow"] * 3
    assert {g.resource for g in estate.engine().grants(new)} == {one, two, three}


def test_sets_of_a_pool(estate: Any) -> None:
    """G29: all of it, and those with an attribute, as far as that is known."""
    pool = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/ci"
    runner = estate.account(f"principal:{pool}/subject/runner", kind="federated")
    known = estate.account(
        f"principal:{pool}/subject/known",
        kind="federated",
        **{"attribute.repository": "acme/api"},
    )
    one, two, three = (estate.bucket(name) for name in ("one", "two", "three"))
    estate.bind(one, VIEWER, f"principalSet:{pool}/*")
    estate.bind(two, VIEWER, f"principalSet:{pool}/attribute.repository/acme/api")
    estate.bind(three, VIEWER, f"principalSet:{pool}-other/*")
    assert [estate.verdict(runner, GET, b) for b in (one, two, three)] == [
        *("allow", "conditional", "deny")
    ]
    assert estate.verdict(known, GET, two) == "allow"
    grants = {g.resource: str(g.verdict) for g in estate.engine().grants(runner)}
    assert grants == {one: "allow", two: "conditional"}


def test_agent_identities_and_their_sets(estate: Any) -> None:
    """G30: by itself, with all of its project, and with all of its trust domain."""
    agent = estate.account(AGENT, kind="agent-identity")
    domain = "principalSet://agents.global.org-1.system.id.goog"
    members = (
        AGENT,
        f"{domain}/*",
        f"{domain}/attribute.platformContainer/aiplatform/projects/11",
    )
    buckets = [estate.bucket(f"b{n}") for n in range(4)]
    for place, member in zip(buckets, members, strict=False):
        estate.bind(place, VIEWER, member)
    estate.bind(buckets[3], VIEWER, f"{domain}/attribute.platformContainer/aiplatform/projects/22")
    assert [estate.verdict(agent, GET, b) for b in buckets] == ["allow"] * 3 + ["deny"]


def test_service_accounts_of_a_scope(estate: Any) -> None:
    """Sets by kind and place, whatever the project's name or number."""
    ml, agent = estate.account("ml"), estate.account("service-11@gcp-sa-x", kind="service-agent")
    far = estate.account("far", OTHER)
    sets = "principalSet://cloudresourcemanager.googleapis.com"
    one, two, three = (estate.bucket(name) for name in ("one", "two", "three"))
    estate.bind(one, VIEWER, f"{sets}/projects/11/type/ServiceAccount")
    estate.bind(two, VIEWER, f"{sets}/folders/2/type/ServiceAccount")
    estate.bind(three, VIEWER, f"{sets}/organizations/1/type/ServiceAgent")
    assert [estate.verdict(ml, GET, b) for b in (one, two, three)] == ["allow", "allow", "deny"]
    assert [estate.verdict(agent, GET, b) for b in (one, two, three)] == ["deny", "deny", "allow"]
    assert [estate.verdict(far, GET, b) for b in (one, two, three)] == ["deny"] * 3


def test_a_disabled_account_does_nothing(estate: Any) -> None:
    """G40: its tokens are refused; what it is bound to sleeps."""
    ml, data = estate.account("ml", disabled=True), estate.bucket("data")
    estate.bind(data, VIEWER, ml)
    decision = estate.engine().decide(ml, GET, data)
    assert decision.verdict is Verdict.DENY
    assert "disabled" in " ".join(estate.engine().explain(decision))
    assert estate.engine().grants(ml) == ()
    assert estate.engine().permissions(ml).is_empty()


def test_default_accounts_hold_what_they_are_bound_to_and_no_more(estate: Any) -> None:
    """G39: whether a default account is an editor is read from the policy, never assumed."""
    compute = estate.account(
        "serviceAccount:11-compute@developer.gserviceaccount.com", default="compute"
    )
    estate.bucket("data")
    assert estate.verdict(compute, "storage.buckets.list", PROJECT) == "deny"
    estate.bind(PROJECT, "roles/editor", compute)
    assert estate.verdict(compute, "storage.buckets.list", PROJECT) == "allow"


def test_an_allow_policy_that_was_refused_is_unknown(estate: Any) -> None:
    ml, data = estate.account("ml"), estate.bucket("data")
    estate.gap("bindings", ORG)
    assert estate.verdict(ml, GET, data) == "unknown"


def test_what_is_not_listed_may_be_anywhere(estate: Any) -> None:
    ml = estate.account("ml")
    gone = "//storage.googleapis.com/projects/_/buckets/not-listed"
    assert estate.verdict(ml, GET, gone) == "deny"
    estate.bind(PROJECT, VIEWER, ml)
    assert estate.verdict(ml, GET, gone) == "unknown"
    there = "//secretmanager.googleapis.com/projects/11/secrets/not-listed"
    estate.bind(PROJECT, "roles/secretmanager.secretAccessor", ml)
    assert estate.verdict(ml, "secretmanager.versions.access", there) == "allow"


@pytest.mark.parametrize(
    "member", ["", "serviceAccount:", "principalSet://", "group:", "*", "user:\udc80"[:5], "x" * 9]
)
def test_odd_members_mean_nobody(estate: Any, member: str) -> None:
    ml, data = estate.account("ml"), estate.bucket("data")
    estate.bind(data, VIEWER, member)
    assert estate.verdict(ml, GET, data) == "deny"
