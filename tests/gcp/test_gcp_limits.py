"""Deny policies, boundaries, access policies and conditions."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.model import Capability, Verdict
from modelreach.policy.expr import conjuncts
from modelreach.policy.gcp.enforcement import blocks, qualified

ORG, FOLDER, PROJECT, OTHER = "organizations/1", "folders/2", "projects/p", "projects/q"
VIEWER = "roles/storage.objectViewer"
GET = "storage.objects.get"
ALL = "principalSet://goog/public:all"


def v2(member: str) -> str:
    return f"principal://iam.googleapis.com/projects/-/serviceAccounts/{member.partition(':')[2]}"


@pytest.fixture
def ml(estate: Any) -> str:
    """An account with everything on storage, everywhere."""
    member: str = estate.account("ml")
    estate.bind(ORG, "roles/storage.admin", member)
    return member


# --- deny policies ---------------------------------------------------------------------------


def test_deny_comes_before_allow_and_is_inherited(estate: Any, ml: str) -> None:
    """G04: an owner is denied as well, and so is everything below."""
    data = estate.bucket("data")
    estate.bind(ORG, "roles/owner", ml)
    estate.deny(
        ORG,
        {"deniedPrincipals": [ALL], "deniedPermissions": ["storage.googleapis.com/objects.get"]},
    )
    decision = estate.engine().decide(ml, GET, data)
    assert decision.verdict is Verdict.DENY
    assert [ref.target for ref in decision.denied_by] == [ORG]
    assert "guard" in " ".join(estate.engine().explain(decision))
    assert estate.verdict(ml, "storage.objects.list", data) == "allow"


@pytest.mark.parametrize(
    ("pattern", "permission", "denied"),
    [
        ("storage.googleapis.com/objects.get", GET, True),
        ("storage.googleapis.com/objects.*", GET, True),
        ("storage.googleapis.com/*.*", GET, True),
        ("storage.googleapis.com/*.get", GET, True),
        ("storage.googleapis.com/buckets.*", GET, False),
        ("storage.objects.get", GET, False),
        ("secretmanager.googleapis.com/*.*", GET, False),
    ],
)
def test_permissions_of_deny_policies(
    estate: Any, ml: str, pattern: str, permission: str, denied: bool
) -> None:
    """G05, G09: qualified names, and groups of permissions: of these only what deny policies
    support is denied, which is not known here."""
    data = estate.bucket("data")
    estate.deny(PROJECT, {"deniedPrincipals": [ALL], "deniedPermissions": [pattern]})
    expected = "unknown" if "*" in pattern else "deny"
    assert estate.verdict(ml, permission, data) == (expected if denied else "allow")


def test_some_services_have_another_name_in_deny_policies() -> None:
    assert qualified("iam.serviceAccountKeys.create") == (
        "iam.googleapis.com/serviceAccountKeys.create"
    )
    assert qualified("resourcemanager.projects.get") == (
        "cloudresourcemanager.googleapis.com/projects.get"
    )
    assert qualified("serviceusage.apiKeys.list") == "apikeys.googleapis.com/apikeys.list"


@pytest.mark.parametrize("spelling", ["account", "group", "customer", "scope", "deleted", "user"])
def test_principals_of_deny_policies(estate: Any, spelling: str) -> None:
    """G06: other spellings than in allow policies."""
    ml = estate.account("ml", groups=["group:g@x.com"])
    estate.bind(ORG, "roles/storage.admin", ml)
    data = estate.bucket("data")
    members = {
        "account": v2(ml),
        "group": "principalSet://goog/group/g@x.com",
        "customer": "principalSet://goog/cloudIdentityCustomerId/C01",
        "scope": "principalSet://cloudresourcemanager.googleapis.com/projects/11/type/ServiceAccount",
        "deleted": f"deleted:{v2(ml)}?uid=1",
        "user": "principal://goog/subject/ml@p.iam.gserviceaccount.com",
    }
    rule = {
        "deniedPrincipals": [members[spelling]],
        "deniedPermissions": ["storage.googleapis.com/objects.get"],
    }
    estate.deny(PROJECT, rule)
    expected = "deny" if spelling in ("account", "group", "scope") else "allow"
    assert estate.verdict(ml, GET, data) == expected


def test_exceptions_of_deny_policies(estate: Any, ml: str) -> None:
    """G07: principals and permissions that a rule spares."""
    data = estate.bucket("data")
    other = estate.account("other")
    estate.bind(ORG, "roles/storage.admin", other)
    estate.deny(
        ORG,
        {
            "deniedPrincipals": [ALL],
            "exceptionPrincipals": [v2(ml)],
            "deniedPermissions": [
                "storage.googleapis.com/*.*",
                "storage.googleapis.com/objects.get",
            ],
            "exceptionPermissions": ["storage.googleapis.com/objects.list"],
        },
    )
    assert estate.verdict(ml, GET, data) == "allow"
    assert estate.verdict(other, GET, data) == "deny"
    assert estate.verdict(other, "storage.objects.list", data) == "allow"
    sure = {g.actions for g in estate.engine().grants(other) if str(g.verdict) == "allow"}
    assert sure == {("storage.objects.list",)}


def test_a_deny_condition_looks_at_effective_tags(estate: Any, ml: str) -> None:
    """G08: a rule whose condition is not met does not apply; each rule is by itself."""
    test, live = estate.bucket("test", tags=("1/env/test",)), estate.bucket("live")
    rule = {
        "deniedPrincipals": [ALL],
        "deniedPermissions": ["storage.googleapis.com/objects.get"],
        "denialCondition": {"expression": "!resource.matchTag('1/env', 'test')"},
    }
    estate.deny(PROJECT, rule)
    assert estate.verdict(ml, GET, test) == "allow"
    assert estate.verdict(ml, GET, live) == "deny"
    estate.gap("tags", PROJECT)
    assert estate.verdict(ml, GET, live) == "unknown"
    estate.deny(PROJECT, {key: value for key, value in rule.items() if key != "denialCondition"})
    assert estate.verdict(ml, GET, test) == "deny"


def test_a_deny_policy_that_is_malformed_may_deny_anything(estate: Any, ml: str) -> None:
    data = estate.bucket("data")
    estate.attach(PROJECT, "deny", b'{"rules": [{"denyRule": {"deniedPrincipals": 5}}]}', "bad")
    assert estate.verdict(ml, GET, data) == "unknown"


def test_deny_policies_that_were_refused_leave_it_unknown(estate: Any, ml: str) -> None:
    """What was not asked for is noted; what was refused is unknown."""
    data = estate.bucket("data")
    estate.gap("deny", FOLDER)
    decision = estate.engine().decide(ml, GET, data)
    assert decision.verdict is Verdict.UNKNOWN
    assert "folders/2" in " ".join(conjuncts(decision.residual))
    assert {str(g.verdict) for g in estate.engine().grants(ml)} == {"unknown"}
    estate.gaps.clear()
    estate.gap("deny", FOLDER, reason="not-collected")
    decision = estate.engine().decide(ml, GET, data)
    assert decision.verdict is Verdict.ALLOW
    assert "deny policies of folders/2" in decision.assumes[0]


def test_a_deny_policy_further_down_stays_in_the_pattern(estate: Any, ml: str) -> None:
    rule = {"deniedPrincipals": [ALL], "deniedPermissions": ["storage.googleapis.com/objects.get"]}
    estate.deny(PROJECT, rule)
    patterns = estate.engine().unlisted(estate.engine().permissions(ml), ORG)
    (reading,) = (g for g in patterns if g.actions == (GET,))
    assert reading.resource == "organizations/1/*"
    assert conjuncts(reading.residual) == ("not (it lies in projects/p)",)
    estate.deny(ORG, rule)
    patterns = estate.engine().unlisted(estate.engine().permissions(ml), ORG)
    assert not [g for g in patterns if GET in g.actions]


# --- boundaries ------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "verdict"), [("4", "deny"), ("1", "allow"), ("9", "deny")])
def test_a_boundary_blocks_what_its_version_can(estate: Any, version: str, verdict: str) -> None:
    """G10: outside of what it lists; `storage.objects.create` can be blocked since version 2."""
    ml = estate.account("ml")
    estate.bind(ORG, "roles/storage.admin", ml)
    data, far = estate.bucket("data"), estate.bucket("far", OTHER)
    estate.boundary(PROJECT, PROJECT, version=version)
    assert estate.verdict(ml, "storage.objects.create", data) == "allow"
    assert estate.verdict(ml, "storage.objects.create", far) == verdict


def test_what_a_version_to_come_blocks_is_not_known(estate: Any) -> None:
    ml = estate.account("ml")
    estate.bind(ORG, estate.role("roles/x", ["newservice.things.get"]), ml)
    thing = estate.resource("//newservice.googleapis.com/projects/q/things/t", "n/Thing", OTHER)
    estate.boundary(PROJECT, PROJECT, version="9")
    assert estate.verdict(ml, "newservice.things.get", thing) == "unknown"


def test_permissions_and_enforcement_versions() -> None:
    """As the page of blocked permissions lists them."""
    since = {
        "storage.objects.get": 1,
        "storage.objects.create": 2,
        "iam.serviceAccounts.actAs": 3,
        "secretmanager.versions.access": 4,
        "cloudkms.cryptoKeyVersions.useToDecrypt": 3,
        "resourcemanager.projects.setIamPolicy": 2,
        "aiplatform.endpoints.predict": 1,
        "pubsub.subscriptions.consume": 3,
        "run.services.get": 1,
        "workflows.executions.create": 3,
    }
    for permission, first in since.items():
        assert [blocks(permission, n) for n in (1, 2, 3, 4)] == [n >= first for n in (1, 2, 3, 4)]
    for never in ("compute.instances.get", "iam.serviceAccounts.createTagBinding"):
        assert not any(blocks(never, n) for n in (1, 2, 3, 4))


def test_several_boundaries_are_put_together(estate: Any) -> None:
    """G11: what any of them lists is eligible; the bindings may have conditions."""
    ml, other = estate.account("ml"), estate.account("other")
    for who in (ml, other):
        estate.bind(ORG, "roles/storage.admin", who)
    data, far = estate.bucket("data"), estate.bucket("far", OTHER)
    estate.boundary(PROJECT, PROJECT, name="one")
    mail = other.partition(":")[2]
    estate.boundary(ORG, OTHER, name="two", condition=f"principal.subject == '{mail}'")
    assert [estate.verdict(ml, GET, b) for b in (data, far)] == ["allow", "deny"]
    assert [estate.verdict(other, GET, b) for b in (data, far)] == ["allow", "allow"]


def test_boundaries_come_before_deny_and_allow(estate: Any, ml: str) -> None:
    """G12: without one, everything is eligible; with one, no binding helps."""
    far = estate.bucket("far", OTHER)
    assert estate.verdict(ml, GET, far) == "allow"
    estate.boundary(PROJECT, FOLDER)
    decision = estate.engine().decide(ml, GET, far)
    assert decision.verdict is Verdict.DENY
    assert [ref.policy for ref in decision.denied_by] == ["fence"]
    assert "fence" in " ".join(estate.engine().explain(decision))
    assert not [g for g in estate.engine().grants(ml) if g.resource == far]
    patterns = estate.engine().unlisted(estate.engine().permissions(ml), ORG)
    reading = next(g for g in patterns if GET in g.actions)
    assert conjuncts(reading.residual) == ("it lies in folders/2",)


def test_a_boundary_does_not_bind_who_is_not_in_its_set(estate: Any) -> None:
    far = estate.account("far", OTHER)
    estate.bind(ORG, "roles/storage.admin", far)
    data = estate.bucket("data")
    estate.boundary(FOLDER, FOLDER)
    estate.boundary(PROJECT, PROJECT)
    assert estate.verdict(far, GET, estate.bucket("b", OTHER)) == "allow"
    assert estate.verdict(far, GET, data) == "allow"


def test_boundaries_that_were_not_read(estate: Any, ml: str) -> None:
    far = estate.bucket("far", OTHER)
    estate.gap("boundary", ORG)
    assert estate.verdict(ml, GET, far) == "unknown"
    estate.gaps.clear()
    estate.attach(PROJECT, "boundary", {"binding": {}}, "unread")
    assert estate.verdict(ml, GET, far) == "unknown"


# --- access policies -------------------------------------------------------------------------


def test_access_policies_allow_and_deny(estate: Any) -> None:
    """G13: a further source of access (IAM v3)."""
    ml = estate.account("ml")
    bus = estate.resource(
        "//eventarc.googleapis.com/projects/p/locations/eu/messageBuses/b",
        "eventarc.googleapis.com/MessageBus",
    )
    publish = "eventarc.messageBuses.publish"
    rule = {
        "effect": "ALLOW",
        "principals": [v2(ml)],
        "operation": {"permissions": ["eventarc.googleapis.com/messageBuses.publish"]},
    }
    assert estate.verdict(ml, publish, bus) == "deny"
    estate.attach(bus, "access-policy", {"policy": {"details": {"rules": [rule]}}}, "open")
    decision = estate.engine().decide(ml, publish, bus)
    assert decision.verdict is Verdict.ALLOW
    assert [ref.policy for ref in decision.allowed_by] == ["open"]
    assert [g.resource for g in estate.engine().grants(ml)] == [bus]
    shut = {**rule, "effect": "DENY", "excludedPrincipals": []}
    estate.attach(PROJECT, "access-policy", {"policy": {"details": {"rules": [shut]}}}, "shut")
    assert estate.verdict(ml, publish, bus) == "deny"
    estate.attachments.clear()
    estate.attach(bus, "access-policy", {"binding": {}}, "unread")
    assert estate.verdict(ml, publish, bus) == "unknown"


@pytest.mark.parametrize("target", [PROJECT, FOLDER, ORG])
def test_access_policies_of_a_scope_are_told_on_what_is_below(estate: Any, target: str) -> None:
    ml = estate.account("ml")
    kind, publish = "eventarc.googleapis.com/MessageBus", "eventarc.messageBuses.publish"
    bus, far = (
        estate.resource(f"//eventarc.googleapis.com/{scope}/messageBuses/b", kind, scope)
        for scope in (PROJECT, OTHER)
    )
    rule = {
        "effect": "ALLOW",
        "principals": [v2(ml)],
        "operation": {"permissions": ["eventarc.googleapis.com/messageBuses.publish"]},
    }
    estate.attach(target, "access-policy", {"policy": {"details": {"rules": [rule]}}}, "open")
    found = {grant.resource: grant.actions for grant in estate.engine().grants(ml)}
    below = {bus, far} if target == ORG else {bus}
    assert found == dict.fromkeys(below, (publish,))


# --- conditions ------------------------------------------------------------------------------


def conditional(estate: Any, text: str, target: str = PROJECT) -> str:
    ml: str = estate.account("ml")
    estate.bindings.clear()
    estate.bind(target, "roles/storage.admin", ml, condition=text)
    return ml


BUCKETS = "resource.name.startsWith('projects/_/buckets/prod-')"


def test_conditions_are_three_valued(estate: Any) -> None:
    """G14: true, false, or open; never one of the first two in silence."""
    prod, test = estate.bucket("prod-x"), estate.bucket("test-x")
    ml = conditional(estate, BUCKETS)
    assert estate.verdict(ml, "storage.buckets.get", prod) == "allow"
    assert estate.verdict(ml, "storage.buckets.get", test) == "deny"
    ml = conditional(estate, "request.path == '/x'")
    decision = estate.engine().decide(ml, GET, prod)
    assert decision.verdict is Verdict.CONDITIONAL
    assert conjuncts(decision.residual) == ("request.path == '/x'",)
    told = estate.engine(**{"request.path": ("/x",)}).decide(ml, GET, prod)
    assert told.verdict is Verdict.ALLOW
    other = estate.engine().decide(ml, GET, prod, {"request.path": ("/y",)})
    assert other.verdict is Verdict.DENY


def test_time_is_that_of_the_snapshot_unless_told(estate: Any) -> None:
    """G15: what has ended gives nothing; what has not is given for a time."""
    data = estate.bucket("data")
    ml = conditional(estate, "request.time < timestamp('2027-01-01T00:00:00Z')")
    decision = estate.engine().decide(ml, GET, data)
    assert decision.verdict is Verdict.ALLOW
    assert decision.assumes == (
        "for a time only: request.time < timestamp('2027-01-01T00:00:00Z')",
    )
    later = {"request.time": ("2027-01-02T00:00:00Z",)}
    assert estate.engine().decide(ml, GET, data, later).verdict is Verdict.DENY
    estate.taken_at = "2027-02-01T00:00:00Z"
    assert estate.verdict(ml, GET, data) == "deny"
    ml = conditional(estate, "request.time.getHours('Europe/Berlin') < 18")
    assert estate.verdict(ml, GET, data) == "conditional"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("destination.port == 22 || resource.type == 'storage.googleapis.com/Bucket'", "allow"),
        ("destination.port == 22 && resource.type == 'x'", "deny"),
        ("destination.port == 22 || resource.type == 'x'", "conditional"),
        ("resource.name > 5 || true", "allow"),
        ("resource.name > 5 && false", "deny"),
        ("resource.name > 5", "unknown"),
        ("!(resource.name > 5)", "unknown"),
        ("resource.type == 'x' ? destination.port == 22 : true", "allow"),
    ],
)
def test_what_is_open_is_absorbed_as_in_cel(estate: Any, text: str, verdict: str) -> None:
    """G16: `true || error` is true and `false && error` is false."""
    data = estate.bucket("data")
    ml = conditional(estate, text)
    assert estate.verdict(ml, "storage.buckets.get", data) == verdict


def test_tags_are_inherited_and_overridden(estate: Any) -> None:
    """G17: conditions look at effective tags."""
    data, own = estate.bucket("data"), estate.bucket("own", tags=("1/env/test",))
    estate.scope(FOLDER, "folder", ORG, effective_tags=("1/env/prod",))
    ml = conditional(estate, "resource.matchTag('1/env', 'prod')")
    assert [estate.verdict(ml, GET, b) for b in (data, own)] == ["allow", "deny"]
    estate.scope(FOLDER, "folder", ORG, tag_ids=("tagKeys/1=tagValues/2",))
    ml = conditional(estate, "resource.matchTagId('tagKeys/1', 'tagValues/2')")
    assert estate.verdict(ml, GET, data) == "allow"
    ml = conditional(estate, "resource.hasTagKeyId('tagKeys/9')")
    assert estate.verdict(ml, GET, data) == "deny"
    estate.gap("tags", FOLDER)
    assert estate.verdict(ml, GET, data) == "unknown"


def test_names_are_told_for_some_services_only(estate: Any) -> None:
    """G18: listing is asked of the project, which has another name; others stay open."""
    data = estate.bucket("prod-x")
    service = estate.resource(
        "//run.googleapis.com/projects/p/locations/eu/services/s", "run.googleapis.com/Service"
    )
    ml = conditional(estate, BUCKETS)
    assert estate.verdict(ml, "storage.buckets.list", PROJECT) == "deny"
    assert estate.verdict(ml, "storage.buckets.list", data) == "deny"
    estate.role("roles/run.viewer", ["run.services.get"])
    estate.bind(PROJECT, "roles/run.viewer", ml, condition="resource.name.endsWith('/s')")
    assert estate.verdict(ml, "run.services.get", service) == "conditional"


def test_a_condition_narrows_a_bucket_to_a_part(estate: Any) -> None:
    data = estate.bucket("data")
    inside = "resource.name.startsWith('projects/_/buckets/data/objects/reports/')"
    ml = conditional(estate, inside)
    grants = {g.capability: g for g in estate.engine().grants(ml)}
    assert grants[Capability.READ].within == (f"{data}/objects/reports/*",)
    assert grants[Capability.READ].verdict is Verdict.ALLOW
    assert estate.verdict(ml, GET, f"{data}/objects/reports/x") == "allow"
    assert estate.verdict(ml, GET, f"{data}/objects/other/x") == "deny"
    assert estate.verdict(ml, GET, data) == "conditional"
    ml = conditional(estate, f"{inside} && request.path == '/x'")
    grants = {g.capability: g for g in estate.engine().grants(ml)}
    assert grants[Capability.READ].verdict is Verdict.CONDITIONAL
    assert grants[Capability.READ].within == (f"{data}/objects/reports/*",)


@pytest.mark.parametrize(
    "text",
    [
        *("a &&", "((((", "\x00", "resource.", "1/0 == 1", "resource.matchTag('x')"),
        *("foo(1)", "{'a': 1}", "'x'", "true && " * 5000 + "true", "(" * 400 + "x" + ")" * 400),
        *("resource.name.matches('(z+)+$')", "x" * 20_000, "[1, 2].all(x, x > resource.n)"),
        *(
            "resource.name['a']",
            "-resource.name == 1",
            "a.b{c: 1}",
            "timestamp('x') < request.time",
        ),
    ],
)
def test_hostile_conditions_never_widen(estate: Any, text: str) -> None:
    data = estate.bucket("data")
    ml = conditional(estate, text)
    assert estate.verdict(ml, GET, data) != "allow"
    for grant in estate.engine().grants(ml):
        assert grant.verdict is not Verdict.ALLOW
    estate.engine().unlisted(estate.engine().permissions(ml), PROJECT)
