"""From a tenant on the wire to facts: each kind of fact, whole and in its spelling."""

from __future__ import annotations

from typing import Any

import msgspec

from azure_agent import estate
from azure_agent.builder import GRAPH_APP, guid
from modelreach.snapshot import Credential, Principal, Runtime, encode


def by_id(facts: Any) -> dict[str, Any]:
    return {fact.id: fact for fact in facts}


def test_nothing_is_missing(read: Any) -> None:
    assert read.snapshot.gaps == ()
    assert [row for row in read.snapshot.coverage if not row.complete] == []


def test_pages_of_two_give_what_one_page_gives(read: Any, collect: Any, fresh: Any) -> None:
    assert encode(collect(fresh.cloud, max_workers=1)) == encode(read.snapshot)


def test_scopes_are_a_tree_up_to_the_tenant(read: Any) -> None:
    scopes = by_id(read.snapshot.scopes)
    chain = [read.whole.of("Microsoft.KeyVault/vaults", "kv-ml").partition("/providers/")[0]]
    while scopes[chain[-1]].parent:
        chain.append(scopes[chain[-1]].parent)
    assert [scopes[name].kind for name in chain] == [
        "resource-group",
        "subscription",
        "management-group",
        "management-group",
        "root",
        "tenant",
    ]
    assert chain[-1] == read.whole.cloud.tenant
    assert scopes[read.whole.data].tags == {"data-class": "confidential"}
    assert scopes[chain[0]].attributes["locks"] == ("CanNotDelete",)
    unit = scopes[f"/administrativeunits/{guid('unit')}"]
    assert unit.attributes == {"members": (guid("sp/connector"),), "restricted": True}
    tenant = scopes[read.whole.cloud.tenant]
    assert tenant.attributes["restricted_credentials"] == ("application:passwordAddition",)


def test_a_lock_on_what_is_not_listed_is_kept(read: Any) -> None:
    network = by_id(read.snapshot.resources)[
        read.whole.of("Microsoft.Network/virtualNetworks", "net")
    ]
    assert network.kind == "microsoft.network/virtualnetworks"
    assert network.attributes["locks"] == ("ReadOnly",)


def principal(read: Any, name: str) -> Principal:
    found: Principal = by_id(read.snapshot.principals)[guid(name)]
    return found


def test_principals_are_told_apart(read: Any) -> None:
    kinds = {
        "identity/id-support": "managed-identity",
        "agent/support": "agent-identity",
        "blueprint/support/principal": "agent-blueprint",
        "blueprint/support": "application",
        "sp/connector": "service-principal",
        "app/connector": "application",
        "group/readers": "group",
        "agent user": "user",
        "user/late": "user",
        "deleted identity": "unknown",
    }
    assert {name: principal(read, name).kind for name in kinds} == kinds


def test_a_managed_identity_names_its_resource(read: Any) -> None:
    about = principal(read, "identity/id-support").attributes
    assert about["resource"] == read.whole.of(
        "Microsoft.ManagedIdentity/userAssignedIdentities", "id-support"
    )
    assert about["managed"] == "user"
    workspace = f"{read.whole.group}/providers/Microsoft.MachineLearningServices/workspaces/ml"
    assert principal(read, f"system/{workspace}").attributes["managed"] == "system"


def test_an_agent_names_its_blueprint_and_who_may_be_it(read: Any) -> None:
    agent = principal(read, "agent/support").attributes
    assert agent["blueprint"] == guid("blueprint/support/app")
    assert agent["blueprint_principal"] == guid("blueprint/support/principal")
    assert principal(read, "agent user").attributes["parent"] == guid("agent/support")
    assert principal(read, "blueprint/support").attributes["agent_blueprint"] is True


def test_groups_within_groups_are_followed_and_bystanders_are_not(read: Any) -> None:
    assert principal(read, "group/nested").groups == (guid("group/readers"),)
    assert principal(read, "sp/connector").groups == (guid("group/nested"),)
    assert principal(read, "group/readers").attributes["role_assignable"] is True
    assert principal(read, "group/readers").attributes["owners"] == (guid("user/dev"),)
    assert principal(read, "group/nested").attributes["dynamic"] is True
    assert "members_read" not in principal(read, "group/bystanders").attributes
    asked = [path for path in read.whole.cloud.asked if guid("group/bystanders") in path]
    assert asked == []


def test_policies_that_deploy_are_told_with_what_can_be_written_of_them(read: Any) -> None:
    kind = "microsoft.authorization/policyassignments"
    (found,) = [one for one in read.snapshot.runtimes if one.kind == kind]
    models = "/providers/microsoft.management/managementgroups/acme-models"
    ours = f"{models}/providers/microsoft.authorization"
    assert (found.name, found.scope) == ("Baseline / models", models)
    assert found.identities == (guid("policy"),)
    assert {(link.kind, link.target) for link in found.links} == {
        ("deploys", f"{ours}/policysetdefinitions/baseline"),
        ("deploys", f"{ours}/policydefinitions/tag-it"),
    }
    assert found.attributes["enforcement"] == "Default"
    listed = {one.id: one for one in read.snapshot.resources}
    assert listed[f"{ours}/policydefinitions/tag-it"].scope == models


def test_who_may_become_a_member_of_a_group_is_told(read: Any) -> None:
    readers = principal(read, "group/readers").attributes
    assert readers["eligible_members"] == tuple(sorted((guid("user/late"), guid("group/on-call"))))
    assert readers["eligible_owners"] == (guid("user/boss"),)
    assert (principal(read, "user/boss").kind, principal(read, "user/boss").name) == (
        "user",
        "user/boss",
    )
    assert guid("group/on-call") in principal(read, "user/dev").groups, "a group that is eligible"


def test_owners_beyond_the_twentieth_count(read: Any) -> None:
    for name in ("app/crowded", "sp/crowded"):
        owners = principal(read, name).attributes["owners"]
        assert isinstance(owners, tuple)
        assert len(owners) == 21


def test_what_a_manifest_asks_for_is_no_grant(read: Any) -> None:
    asked = f"{GRAPH_APP}/{estate.APP_ROLES['Mail.Read']}"
    assert principal(read, "app/connector").attributes["requested"] == (asked,)
    held = {b.role for b in read.snapshot.bindings if guid("sp/connector") in b.members}
    assert f"/approles/{asked}" not in held


def test_a_foreign_and_disabled_principal_says_so(read: Any) -> None:
    about = principal(read, "sp/partner").attributes
    assert about["enabled"] is False
    assert about["app_owner_tenant"] == guid("another tenant")
    assert principal(read, "app/deployer").attributes["credential_lock"] == (
        "allProperties",
        "credentialsWithUsageSign",
        "credentialsWithUsageVerify",
    )


def test_last_use_is_the_report_s_or_unknown(read: Any) -> None:
    assert principal(read, "sp/connector").last_used == "2026-11-20T10:00:00Z"
    assert principal(read, "sp/partner").last_used == ""


def credential(read: Any, name: str) -> Credential:
    (found,) = [c for c in read.snapshot.credentials if c.id.endswith(name)]
    assert isinstance(found, Credential)
    return found


def test_secrets_and_certificates(read: Any) -> None:
    secret = credential(read, guid("secret/connector"))
    assert (secret.kind, secret.principal) == ("client-secret", guid("sp/connector"))
    assert (secret.created, secret.expires) == ("2024-03-01T10:00:00Z", "never")
    assert (secret.status, secret.last_used) == ("active", "2026-11-19T10:00:00Z")
    assert secret.attributes["on"] == "application"
    certificate = credential(read, guid("certificate"))
    assert (certificate.kind, certificate.status) == ("certificate", "expired")
    assert certificate.attributes["on"] == "service-principal"
    assert credential(read, guid("second secret")).status == "not-yet-valid"


def test_trusts_of_outsiders(read: Any) -> None:
    documents = read.snapshot.documents
    trusts = {a.name: a for a in read.snapshot.attachments if a.kind == "trust"}
    assert trusts["pods"].target == guid("identity/id-support")
    assert trusts["platform"].target == guid("blueprint/support/principal")
    # An application without a service principal here.
    assert trusts["ci"].target == guid("app/deployer")
    flexible = msgspec.json.decode(documents[trusts["ci"].document])
    assert flexible["claimsMatchingExpression"]["languageVersion"] == 1
    assert credential(read, "/federated/ci").kind == "federated"
    assert credential(read, "/federatedidentitycredentials/pods").expires == "never"


def test_keys_with_their_age_or_unknown(read: Any) -> None:
    group = "storageaccounts"
    assert credential(read, f"{group}/acmeexports/keys/key1").created == "2025-10-07T09:00:00Z"
    unset = credential(read, f"{group}/acmecustomers/keys/key1")
    assert (unset.created, unset.attributes["age"]) == ("", "unknown")
    assert credential(read, f"{group}/acmesupportkb/keys/key2").status == "disabled"
    cognitive = credential(read, "accounts/acme-foundry/keys/key1")
    assert (cognitive.status, cognitive.attributes["age"]) == ("active", "unknown")
    aml = credential(read, "onlineendpoints/rank/keys/primary")
    assert (aml.kind, aml.expires) == ("aml-key", "never")
    assert credential(read, "serverlessendpoints/phi/keys/secondary").status == "active"
    stored = credential(read, "accounts/acme-foundry/connections/partner")
    assert stored.attributes["target"] == "https://api.partner.example"


def test_role_assignments(read: Any) -> None:
    held = [b for b in read.snapshot.bindings if b.role.endswith(estate.OWNER)]
    by_member = {b.members[0]: b for b in held if b.status == "active"}
    active = by_member[guid("user/dev")]
    assert active.attributes["end"] == "2026-11-24T08:00:00Z"
    assert active.target == read.whole.agents
    customers = next(b for b in read.snapshot.bindings if b.condition)
    assert customers.condition == estate.CONTAINER
    assert customers.attributes["condition_version"] == "2.0"
    targets = {b.target for b in read.snapshot.bindings if b.role.endswith(estate.READER)}
    assert targets == {
        "/",
        "/providers/microsoft.management/managementgroups/acme-models",
        read.whole.data,
    }


def test_eligible_delegated_and_foreign_are_not_active(read: Any) -> None:
    statuses = {b.id.rpartition("/")[2]: b.status for b in read.snapshot.bindings}
    assert statuses["could-be"] == "eligible"
    assert statuses["one#0"] == "active"
    assert statuses["one#1"] == "eligible"
    assert statuses["Mail.Send"] == "delegated"
    (foreign,) = [b for b in read.snapshot.bindings if b.id.endswith("one#0")]
    assert foreign.attributes["managing_tenant"] == guid("another tenant")
    assert (foreign.target, foreign.members) == (read.whole.data, (guid("foreign operators"),))


def test_directory_roles_by_what_they_are_over(read: Any) -> None:
    targets = {b.id.rpartition("/")[2]: b.target for b in read.snapshot.bindings}
    assert targets["first-administrator"] == read.whole.cloud.tenant
    assert targets["over-a-unit"] == f"/administrativeunits/{guid('unit')}"
    assert targets["over-an-app"] == guid("app/crowded")


def test_roles_keep_their_blocks_apart_with_conditions(read: Any) -> None:
    policies = by_id(read.snapshot.managed_policies)
    role = policies[f"/providers/microsoft.authorization/roledefinitions/{guid('role/guarded')}"]
    document = msgspec.json.decode(read.snapshot.documents[role.versions["current"]])
    first, second = document["permissions"]
    assert "condition" not in first
    assert second["conditionVersion"] == "2.0"
    assert document["type"] == "CustomRole"
    wide = estate.APP_ROLES["AppRoleAssignment.ReadWrite.All"]
    assert policies[f"/approles/{GRAPH_APP}/{wide}"].name == "AppRoleAssignment.ReadWrite.All"


def test_deny_assignments_and_access_policies_are_documents(read: Any) -> None:
    found = {a.kind: a for a in read.snapshot.attachments if a.kind != "trust"}
    denied = msgspec.json.decode(read.snapshot.documents[found["deny"].document])
    assert denied["permissions"][0]["actions"] == ["*/delete"]
    assert denied["excludePrincipals"] == [{"id": guid("group/nested"), "type": "Group"}]
    given = msgspec.json.decode(read.snapshot.documents[found["access-policy"].document])
    assert given["accessPolicies"][0]["permissions"]["secrets"] == ["Get", "List"]
    assert found["access-policy"].target.endswith("/vaults/kv-legacy")


def test_resources_say_what_decides_access(read: Any) -> None:
    resources = {fact.name: fact for fact in read.snapshot.resources}
    assert resources["acmeexports"].attributes["shared_key_access"] is True
    assert resources["acmesupportkb"].attributes["shared_key_access"] is False
    assert resources["kv-payments"].attributes["rbac"] is True
    assert resources["kv-legacy"].attributes["rbac"] is False
    assert resources["acme-foundry"].attributes["local_auth"] is True
    assert resources["acme-foundry"].attributes["public_network"] == "selected"
    assert resources["db"].attributes["local_auth"] is False
    assert resources["aks"].attributes["oidc_issuer"] == "https://oidc.example/aks/"
    assert resources["aks"].attributes["admin_groups"] == (guid("admins"),)
    assert resources["sign"].attributes == {"enabled": False, "expires": "2027-01-01T00:00:00Z"}
    assert resources["transcripts"].kind.endswith("/containers")
    assert resources["acmecustomers"].tags == {"data-class": "pii"}


def runtime(read: Any, name: str) -> Runtime:
    (found,) = [r for r in read.snapshot.runtimes if r.name == name]
    assert isinstance(found, Runtime)
    return found


def test_runtimes_run_as_object_ids(read: Any) -> None:
    shared = (guid("identity/id-support"),)
    assert runtime(read, "vm").identities == shared
    assert runtime(read, "api").identities == shared
    assert runtime(read, "rank").identities == shared
    assert runtime(read, "blue").identities == shared
    assert runtime(read, "support-agent").identities == (guid("agent/support"),)
    project = f"{read.whole.group}/providers/Microsoft.CognitiveServices/accounts/acme-foundry"
    own = guid(f"system/{project}/projects/support")
    assert runtime_of_project(read).identities == (own,)
    assert runtime(read, "gpt-support").identities == runtime(read, "acme-foundry").identities


def test_an_agent_runs_as_itself_or_as_its_project(read: Any) -> None:
    agents = {r.name: r for r in read.snapshot.runtimes if r.kind.endswith("/projects/agents")}
    assert agents["support-v2"].identities == (guid("agent/support"),)
    assert agents["support-v2"].attributes["agent_blueprint"] == guid(
        "blueprint/support/principal"
    )
    assert agents["support"].identities == runtime_of_project(read).identities
    assert agents["support"].version == "4"
    assert agents["support"].attributes["model"] == "gpt-support"
    links = {(k.kind, k.target.rpartition("/")[2]) for k in agents["support-v2"].links}
    assert links == {("uses", "search"), ("uses", "gpt-support"), ("invokes", "mcp")}


def runtime_of_project(read: Any) -> Runtime:
    (found,) = [r for r in read.snapshot.runtimes if r.kind.endswith("/accounts/projects")]
    assert isinstance(found, Runtime)
    return found


def test_what_an_agent_is_told_is_dropped(read: Any) -> None:
    for path in read.recording.rglob("foundry.json"):
        assert b"Answer from" not in path.read_bytes()


def test_runtimes_are_wired(read: Any) -> None:
    project = runtime_of_project(read)
    links = {(k.kind, k.target.rpartition("/")[2]) for k in project.links}
    assert links == {("uses", "search"), ("stores-in", "acme-search"), ("stores-in", "partner")}
    assert [k.kind for k in runtime(read, "rank").links] == ["routes-to"]
    api = runtime(read, "api")
    assert {(k.kind, k.target) for k in api.links} == {
        ("pulls", "acme.azurecr.io/api:1"),
        ("reads", "https://kv-payments.vault.azure.net/secrets/a"),
    }
    assert api.attributes["environment"] == ("CRM_TOKEN",)
    assert api.attributes["secrets"] == ("crm", "pay")
    assert runtime(read, "blue").version == "7"
    assert runtime(read, "gpt-support").attributes["model"] == "gpt-5.1"


def test_each_runtime_is_a_resource(read: Any) -> None:
    assert {r.id for r in read.snapshot.runtimes} <= {r.id for r in read.snapshot.resources}


def test_ids_are_lower_case(read: Any) -> None:
    for section in (read.snapshot.resources, read.snapshot.runtimes, read.snapshot.scopes):
        assert [fact.id for fact in section if fact.id != fact.id.lower()] == []


def test_inside_cosmos(read: Any) -> None:
    (held,) = [b for b in read.snapshot.bindings if "/sqlroleassignments/" in b.id]
    assert held.target == read.whole.of("Microsoft.DocumentDB/databaseAccounts", "db")
    assert held.role in by_id(read.snapshot.managed_policies)


def test_no_secret_value_is_kept(read: Any) -> None:
    kept = msgspec.json.encode(read.snapshot)
    assert b"hush-canary" not in kept
    for path in read.recording.rglob("*.json"):
        assert b"hush-canary" not in path.read_bytes()


def test_nothing_is_asked_that_would_hand_out_keys(read: Any) -> None:
    """Every request is a GET, but for queries; none of the actions that give secrets is called."""
    hands_out = ("listkeys", "listsecrets", "listcredential", "appsettings", "/list", "getsecret")
    asked = [path.lower() for path in read.whole.cloud.asked]
    assert [path for path in asked if path.endswith(hands_out)] == []


def test_progress_is_told_by_place(read: Any) -> None:
    assert any(line.startswith("azure graph …") for line in read.progress)
    assert any(read.whole.agents in line for line in read.progress)


def test_one_subscription_is_asked_about_when_one_is_named(collect: Any, fresh: Any) -> None:
    guid_of_data = fresh.data.rpartition("/")[2]
    found = collect(fresh.cloud, scopes=(guid_of_data.upper(),))
    places = {b.target for b in found.bindings if b.target.startswith("/subscriptions/")}
    assert all(place.startswith(fresh.data) for place in places)
    assert {row.scope for row in found.coverage if row.kind == "locks"} == {fresh.data}
    stores = [row for row in found.coverage if row.kind == "microsoft.storage/storageaccounts"]
    assert [row.scope for row in stores] == [fresh.data]
