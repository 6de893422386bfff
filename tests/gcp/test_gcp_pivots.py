"""Hops that rules in the common form cannot say, and what is left out as told already."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from modelreach.graph import WEAKNESS
from modelreach.model import Strength
from modelreach.policy.engine import Pivot, Token
from modelreach.snapshot import Credential

ORG, FOLDER, PROJECT, OTHER = "organizations/1", "folders/2", "projects/p", "projects/q"
CREATOR = "roles/iam.serviceAccountTokenCreator"
ALL = "principalSet://goog/public:all"


def hops(estate: Any, who: str) -> dict[str, Pivot]:
    """Hops by where they lead: of several the surest."""
    found = sorted(estate.engine().pivots(who), key=lambda p: -WEAKNESS[p.strength])
    return {pivot.target: pivot for pivot in found}


def resource_of(account: str, project: str = "p") -> str:
    return f"//iam.googleapis.com/projects/{project}/serviceAccounts/{account.partition(':')[2]}"


def test_delegation_needs_a_chain(estate: Any) -> None:
    """G34: to delegate by an account gives nothing of it; only what it may mint further on."""
    a, b, c, d = (estate.account(name) for name in "abcd")
    delegator = estate.role("roles/d", ["iam.serviceAccounts.implicitDelegation"])
    minter = estate.role("roles/m", ["iam.serviceAccounts.getAccessToken"])
    estate.bind(resource_of(b), delegator, a)
    assert hops(estate, a) == {}
    estate.bind(resource_of(c), minter, b)
    found = hops(estate, a)
    assert found.keys() == {c}
    assert [(s.subject, s.object) for s in found[c].support] == [(a, b), (b, c)]
    assert found[c].via == b
    estate.bind(resource_of(c), delegator, b)
    estate.bind(resource_of(d), minter, c)
    assert [(s.subject, s.object) for s in hops(estate, a)[d].support] == [(a, b), (b, c), (c, d)]


def test_to_act_as_an_account_is_not_to_be_it(estate: Any) -> None:
    """G35: something that runs as it has to be deployed."""
    a, b = estate.account("a"), estate.account("b")
    estate.bind(resource_of(b), estate.role("roles/u", ["iam.serviceAccounts.actAs"]), a)
    estate.covered("constraint")
    assert hops(estate, a) == {}
    estate.bind(PROJECT, estate.role("roles/r", ["run.services.create"]), a)
    assert hops(estate, a)[b].strength is Strength.CERTAIN


@pytest.mark.parametrize(
    ("permission", "strength"),
    [
        ("iam.serviceAccounts.getAccessToken", Strength.CERTAIN),
        ("iam.serviceAccounts.signJwt", Strength.CERTAIN),
        ("iam.serviceAccounts.signBlob", Strength.CERTAIN),
        ("iam.serviceAccounts.getOpenIdToken", Strength.INFLUENCE),
    ],
)
def test_what_may_be_minted_tells_how_far_one_is_it(
    estate: Any, permission: str, strength: Strength
) -> None:
    """G32, G33: whatever signs as it is it; an identity token alone is for one audience."""
    a, b = estate.account("a"), estate.account("b")
    estate.bind(resource_of(b), estate.role("roles/m", [permission]), a)
    assert hops(estate, a)[b].strength is strength


def test_some_services_deploy_without_the_callers_leave(estate: Any) -> None:
    """G37: nobody asks whether the caller may act as it, but whether the service's agent may."""
    a, b = estate.account("a"), estate.account("b")
    estate.bind(PROJECT, estate.role("roles/d", ["deploymentmanager.deployments.create"]), a)
    assert hops(estate, a)[b].strength is Strength.CONDITIONAL


def test_accounts_of_another_project(estate: Any) -> None:
    """G36: forbidden unless a constraint is lifted; not known where constraints were not read."""
    a, b = estate.account("a"), estate.account("b", OTHER)
    estate.bind(resource_of(b, "q"), estate.role("roles/u", ["iam.serviceAccounts.actAs"]), a)
    estate.bind(PROJECT, estate.role("roles/r", ["run.services.create"]), a)
    assert hops(estate, a)[b].strength is Strength.UNKNOWN
    estate.covered("constraint", ORG)
    assert hops(estate, a) == {}
    name = "iam.disableCrossProjectServiceAccountUsage"
    estate.attach(ORG, "constraint", {"spec": {"rules": [{"enforce": False}]}}, name)
    assert hops(estate, a)[b].strength is Strength.CERTAIN
    tagged = [{"enforce": False, "condition": {"expression": "x"}}, {"enforce": True}]
    estate.attach(OTHER, "constraint", {"spec": {"rules": tagged}}, name)
    assert hops(estate, a)[b].strength is Strength.UNKNOWN


def test_disabled_accounts_lead_nowhere(estate: Any) -> None:
    """G40: neither as who acts nor as whom somebody would act."""
    a, b = estate.account("a"), estate.account("b", disabled=True)
    estate.bind(PROJECT, CREATOR, a, b)
    assert hops(estate, a) == {}
    assert hops(estate, b) == {}


def test_a_deny_policy_stops_impersonation_unless_excepted(estate: Any) -> None:
    a, b = estate.account("a"), estate.account("b")
    estate.bind(PROJECT, CREATOR, a)
    assert hops(estate, a).keys() == {b}
    rule = {
        "deniedPrincipals": [ALL],
        "deniedPermissions": [
            f"iam.googleapis.com/serviceAccounts.{verb}"
            for verb in (
                *("getAccessToken", "getOpenIdToken", "implicitDelegation"),
                *("signBlob", "signJwt"),
            )
        ],
    }
    estate.deny(FOLDER, rule)
    assert hops(estate, a) == {}
    estate.attachments.clear()
    spared = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{a.partition(':')[2]}"
    estate.deny(FOLDER, {**rule, "exceptionPrincipals": [spared]})
    assert hops(estate, a).keys() == {b}


def test_scopes_below_one_that_is_taken_over_are_told_with_it(estate: Any) -> None:
    a = estate.account("a")
    estate.account("b")
    far = estate.account("far", OTHER)
    owner = estate.role(
        "roles/all",
        [
            *(f"resourcemanager.{kind}.setIamPolicy" for kind in ("organizations", "projects")),
            *("resourcemanager.folders.setIamPolicy", "iam.serviceAccounts.getAccessToken"),
        ],
    )
    estate.bind(FOLDER, owner, a)
    assert hops(estate, a).keys() == {FOLDER}
    estate.bind(OTHER, "roles/viewer", "serviceAccount:b@p.iam.gserviceaccount.com")
    assert hops(estate, a).keys() == {FOLDER, "serviceAccount:b@p.iam.gserviceaccount.com"}
    estate.bind(ORG, owner, a)
    assert hops(estate, a).keys() == {ORG}
    assert far not in hops(estate, a)


def test_a_conditional_takeover_hides_nothing(estate: Any) -> None:
    a, b = estate.account("a"), estate.account("b")
    limited = (
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/x'])"
    )
    estate.bind(PROJECT, "roles/owner", a, condition=limited)
    estate.bind(PROJECT, CREATOR, a)
    found = hops(estate, a)
    assert found[PROJECT].strength is Strength.CONDITIONAL
    assert found[b].strength is Strength.CERTAIN


def test_editing_a_custom_role_that_one_holds(estate: Any) -> None:
    a, other = estate.account("a"), estate.account("other")
    role = estate.role("projects/p/roles/mine", ["storage.objects.get"])
    editor = estate.role("roles/editor-of-roles", ["iam.roles.update"])
    estate.bind(PROJECT, editor, a, other)
    assert hops(estate, a) == {}
    estate.bind(OTHER, role, a)
    assert hops(estate, a)[OTHER].rule == "gcp-edit-custom-role"
    assert hops(estate, other) == {}


POOL = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/ci"


def test_writing_a_provider_of_a_pool(estate: Any) -> None:
    a, b = estate.account("a"), estate.account("b")
    member = f"principalSet:{POOL}/attribute.repository/acme/api"
    user = estate.role("roles/iam.workloadIdentityUser", ["iam.serviceAccounts.getAccessToken"])
    estate.bind(resource_of(b), user, member)
    assert hops(estate, a) == {}
    writer = estate.role("roles/w", ["iam.workloadIdentityPoolProviders.update"])
    estate.bind(OTHER, writer, a)
    assert hops(estate, a) == {}
    estate.bind(PROJECT, writer, a)
    found = hops(estate, a)[b]
    assert (found.rule, found.via) == ("gcp-edit-pool-provider", POOL)


PEOPLE = "//iam.googleapis.com/locations/global/workforcePools/staff"


@pytest.mark.parametrize(
    ("pool", "noun", "place"),
    [(POOL, "workloadIdentityPoolProviders", PROJECT), (PEOPLE, "workforcePoolProviders", ORG)],
)
@pytest.mark.parametrize(
    "member",
    [
        "principal:{}/subject/bot",
        "principalSet:{}/attribute.team/ml",
        "principalSet:{}/group/admins",
        "principalSet:{}/*",
    ],
)
def test_writing_a_provider_of_a_pool_whose_identities_have_something(
    estate: Any, pool: str, noun: str, place: str, member: str
) -> None:
    """Bindings on a bucket name identities of the pool, and no account."""
    a, data = estate.account("a"), estate.bucket("data")
    estate.resource(pool, "iam.googleapis.com/WorkforcePool", place)
    estate.bind(data, "roles/storage.objectViewer", member.format(pool))
    estate.bind(place, estate.role("roles/w", [f"iam.{noun}.create"]), a)
    engine = estate.engine()
    (found,) = engine.pivots(a)
    assert (found.kind, found.rule, found.via) == ("federate", "gcp-edit-pool-provider", pool)
    assert str(engine.decide(found.target, "storage.objects.get", data).verdict) == "allow"
    assert {grant.resource for grant in engine.grants(found.target)} == {data}


def test_writing_a_provider_of_a_pool_that_has_nothing(estate: Any) -> None:
    a = estate.account("a")
    estate.resource(POOL, "iam.googleapis.com/WorkloadIdentityPool", PROJECT)
    writer = estate.role("roles/w", ["iam.workloadIdentityPoolProviders.create"])
    estate.bind(PROJECT, writer, a)
    assert hops(estate, a) == {}


@pytest.mark.parametrize(
    ("constraints", "lifts"),
    [
        (["iam.disableServiceAccountKeyCreation", "iam.disableServiceAccountKeyUpload"], True),
        (["iam.disableServiceAccountKeyCreation"], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("permission", ["orgpolicy.policy.set", "orgpolicy.policies.update"])
def test_lifting_a_constraint_that_forbids_keys(
    estate: Any, constraints: list[str], lifts: bool, permission: str
) -> None:
    """What keys one may make then, the rule says."""
    a, b = estate.account("a"), estate.account("b")
    for name in constraints:
        estate.attach(FOLDER, "constraint", {"spec": {"rules": [{"enforce": True}]}}, name)
    estate.covered("constraint")
    keys = estate.role("roles/keys", ["iam.serviceAccountKeys.create"])
    estate.bind(PROJECT, keys, a)
    assert (b in hops(estate, a)) is (len(constraints) < 2)
    estate.bind(ORG, estate.role("roles/policies", [permission]), a)
    changed = f"{a}#no-constraint={PROJECT}"
    found = hops(estate, a)
    assert (changed in found) is lifts
    if lifts:
        assert found[changed].rule == "gcp-lift-constraint"
        assert b in {one.target for one in estate.engine().pivots(changed)}


@pytest.mark.parametrize(("spec", "open_"), [({"reset": True}, True), ({}, False)])
def test_a_policy_that_resets_a_constraint_lifts_those_above(
    estate: Any, spec: dict[str, Any], open_: bool
) -> None:
    a, b = estate.account("a"), estate.account("b")
    estate.bind(PROJECT, estate.role("roles/keys", ["iam.serviceAccountKeys.create"]), a)
    enforced = {"spec": {"rules": [{"enforce": True}]}}
    for name in ("iam.disableServiceAccountKeyCreation", "iam.disableServiceAccountKeyUpload"):
        estate.attach(FOLDER, "constraint", enforced, name)
        estate.attach(PROJECT, "constraint", {"spec": spec}, name)
    estate.covered("constraint")
    assert (b in hops(estate, a)) is open_


def test_editing_what_limits_oneself(estate: Any) -> None:
    a = estate.account("a")
    data = estate.bucket("data")
    estate.bind(PROJECT, "roles/storage.admin", a)
    editor = estate.role("roles/deny-admin", ["iam.denypolicies.update"])
    estate.bind(ORG, editor, a)
    assert hops(estate, a) == {}
    estate.deny(
        PROJECT,
        {"deniedPrincipals": [ALL], "deniedPermissions": ["storage.googleapis.com/objects.get"]},
    )
    (name,) = hops(estate, a)
    assert name == f"{a}#no-deny-policy={PROJECT}"
    engine = estate.engine()
    assert engine.principal(name) is not None
    assert str(engine.decide(a, "storage.objects.get", data).verdict) == "deny"
    assert str(engine.decide(name, "storage.objects.get", data).verdict) == "allow"
    assert {g.principal for g in engine.grants(name)} == {name}
    assert hops(estate, name) == {}


def test_editing_a_boundary(estate: Any) -> None:
    a = estate.account("a")
    far = estate.bucket("far", OTHER)
    estate.bind(ORG, "roles/storage.admin", a)
    policy = "organizations/1/locations/global/principalAccessBoundaryPolicies/fence"
    estate.boundary(PROJECT, PROJECT, name=policy)
    assert hops(estate, a) == {}
    editor = estate.role("roles/pab", ["iam.principalaccessboundarypolicies.update"])
    estate.bind(ORG, editor, a)
    (name,) = hops(estate, a)
    assert str(estate.engine().decide(name, "storage.objects.get", far).verdict) == "allow"
    assert str(estate.engine().decide(a, "storage.objects.get", far).verdict) == "deny"


def test_attaching_the_tag_that_a_role_waits_for(estate: Any) -> None:
    """G17: who may create tag bindings can meet a condition on tags."""
    a = estate.account("a")
    data = estate.bucket("data")
    waiting = "resource.matchTag('1/env', 'prod')"
    estate.bind(PROJECT, "roles/storage.admin", a, condition=waiting)
    tagger = estate.role("roles/tag", ["storage.buckets.createTagBinding"])
    estate.bind(data, tagger, a)
    assert hops(estate, a) == {}
    user = estate.role("roles/tag-user", ["resourcemanager.tagValueBindings.create"])
    estate.bind(ORG, user, a)
    (name,) = hops(estate, a)
    assert name == f"{a}#any-tag={data}"
    assert str(estate.engine().decide(name, "storage.objects.get", data).verdict) == "allow"
    assert str(estate.engine().decide(a, "storage.objects.get", data).verdict) == "deny"


def test_reading_an_api_key_that_acts_as_an_account(estate: Any) -> None:
    """G44: bound keys act as their account, for Vertex AI."""
    a, b = estate.account("a"), estate.account("b")
    key = "//apikeys.googleapis.com/projects/11/locations/global/keys/k"
    estate.credentials.append(
        Credential(id=key, provider="gcp", kind="api-key", principal=b, scope=PROJECT)
    )
    estate.bind(PROJECT, estate.role("roles/k", ["apikeys.keys.getKeyString"]), a)
    assert hops(estate, a)[b].strength is Strength.CONDITIONAL


def test_secrets_that_open_somebody(estate: Any) -> None:
    a, b = estate.account("a"), estate.account("b")
    secret = estate.secret("key-of-b")
    estate.bind(secret, "roles/secretmanager.secretAccessor", a)
    from modelreach.policy.gcp.engine import GcpEngine
    from modelreach.snapshot import Facts

    engine = GcpEngine(Facts(estate.snapshot()), opens=(("*/secrets/key-of-*", b),))
    (pivot,) = engine.pivots(a)
    assert (pivot.target, pivot.via, pivot.kind) == (b, secret, "credential")


@pytest.mark.parametrize("kind", ["service-agent", "service-account"])
def test_service_agents_are_led_to_as_others_are(estate: Any, kind: str) -> None:
    """G38: who may mint their tokens acts as them."""
    a = estate.account("a")
    agent = estate.account("service-11@gcp-sa-aiplatform", kind=kind, service="gcp-sa-aiplatform")
    estate.bind(PROJECT, CREATOR, a)
    assert hops(estate, a)[agent].strength is Strength.CERTAIN


# --- tokens of others ------------------------------------------------------------------------

CI = "token.actions.githubusercontent.com"


def provider(estate: Any, **attributes: Any) -> str:
    name = f"{POOL}/providers/github"
    given = {
        "pool": POOL,
        "issuer": f"https://{CI}",
        "attribute_mapping": (
            "google.subject=assertion.sub",
            "attribute.repository=assertion.repository",
        ),
        **attributes,
    }
    made: str = estate.resource(name, "iam.googleapis.com/WorkloadIdentityPoolProvider", **given)
    return made


TOKEN = Token(
    CI, "repo:acme/api:main", (f"https:{POOL}/providers/github",), {"repository": ("acme/api",)}
)


def test_a_pool_lets_a_token_in_and_on_to_an_account(estate: Any) -> None:
    b = estate.account("b")
    user = estate.role("roles/iam.workloadIdentityUser", ["iam.serviceAccounts.getAccessToken"])
    estate.bind(resource_of(b), user, f"principalSet:{POOL}/attribute.repository/acme/api")
    provider(estate, attribute_condition="assertion.repository.startsWith('acme/')")
    engine = estate.engine()
    (hop,) = engine.admits(TOKEN, "somebody")
    assert hop.target == f"principal:{POOL}/subject/repo:acme/api:main"
    assert hop.strength is Strength.CERTAIN
    assert [p.target for p in engine.pivots(hop.target)] == [b]


@pytest.mark.parametrize(
    "attributes",
    [
        {"issuer": "https://elsewhere.example"},
        {"audiences": ("another",)},
        {"attribute_condition": "assertion.repository == 'acme/other'"},
        {"attribute_mapping": ()},
        {"attribute_mapping": ("google.subject=assertion.nothing",)},
        {"attribute_mapping": ("google.subject=((",)},
        {"disabled": True},
    ],
)
def test_a_pool_that_does_not_let_a_token_in(estate: Any, attributes: dict[str, Any]) -> None:
    provider(estate, **attributes)
    assert list(estate.engine().admits(TOKEN, "somebody")) == []


def test_a_claim_that_is_not_told_leaves_it_open(estate: Any) -> None:
    provider(estate, attribute_condition="assertion.environment == 'prod'")
    (hop,) = estate.engine().admits(TOKEN, "somebody")
    assert hop.strength is Strength.CONDITIONAL


def test_an_account_of_a_cluster_comes_by_the_pool_of_its_project(estate: Any) -> None:
    """G28: by the same name, whichever cluster it is in."""
    b = estate.account("b")
    user = estate.role("roles/iam.workloadIdentityUser", ["iam.serviceAccounts.getAccessToken"])
    estate.bind(resource_of(b), user, "serviceAccount:p.svc.id.goog[ml/app]")
    engine = estate.engine()
    (hop,) = engine.admits(Token("p.svc.id.goog", "ns/ml/sa/app"), "pod")
    assert [p.target for p in engine.pivots(hop.target)] == [b]
    assert list(engine.admits(Token("elsewhere.svc.id.goog", "ns/ml/sa/app"), "pod")) == []


def test_a_service_account_shows_its_identity_token(estate: Any) -> None:
    a = estate.account("a")
    assert list(estate.engine().tokens(a)) == []
    estate.principals[a] = msgspec.structs.replace(estate.principals[a], unique_id="117")
    (token,) = estate.engine().tokens(a)
    assert (token.issuer, token.subject) == ("accounts.google.com", "117")
