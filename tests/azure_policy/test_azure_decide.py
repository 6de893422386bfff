"""The decision: one test for each rule of Azure's and Entra's that is easily got wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from modelreach.model import Verdict
from modelreach.policy.decision import Layer, Outcome
from modelreach.policy.expr import conjuncts

_FOUNDRY_MANAGER = {
    "permissions": [
        {"actions": ["Microsoft.CognitiveServices/accounts/*/read"]},
        {
            "actions": ["Microsoft.Authorization/roleAssignments/write"],
            "condition": (
                "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
                "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
                "ForAnyOfAnyValues:GuidEquals{53ca6127db724b80b1b0d745d6d5456d, "
                "acdd72a7-3385-48ef-bd42-f606fba81ae7}))"
            ),
            "conditionVersion": "2.0",
        },
    ],
    "type": "BuiltInRole",
}
_NAME = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]"


def _container(blobs: str, test: str = "StringEquals 'x'") -> str:
    return f"((!(ActionMatches{{'{blobs}/read'}})) OR ({_NAME} {test}))"


# --- scopes and roles ----------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["/", "mg", "sub", "rg", "storage"])
def test_a_role_holds_for_everything_below_its_scope(tenant: Any, scope: str) -> None:
    place = getattr(tenant, scope, scope)
    tenant.assign("Reader", place)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "allow"


@pytest.mark.parametrize("scope", ["sub2", "rg2", "vault"])
def test_a_role_does_not_hold_beside_its_scope(tenant: Any, scope: str) -> None:
    tenant.assign("Reader", getattr(tenant, scope))
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "deny"


def test_a_scope_is_not_another_whose_name_it_begins_with(tenant: Any) -> None:
    tenant.assign("Reader", tenant.rg[:-1])
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "deny"


def test_roles_add_up(tenant: Any) -> None:
    tenant.assign("Reader", tenant.sub).assign("Contributor", tenant.rg)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "allow"
    assert tenant.verdict("Microsoft.Storage/storageAccounts/write", tenant.storage) == "allow"


def test_what_one_role_leaves_out_another_gives(tenant: Any) -> None:
    tenant.assign("Contributor", tenant.sub)
    assert tenant.verdict(tenant.assign_roles, tenant.rg) == "deny"
    tenant.assign("User Access Administrator", tenant.sub)
    assert tenant.verdict(tenant.assign_roles, tenant.rg) == "allow"


def test_an_owner_has_no_data_actions_but_the_keys(tenant: Any) -> None:
    tenant.assign("Owner", tenant.storage)
    assert tenant.verdict(tenant.read_blob, tenant.storage) == "deny"
    assert tenant.verdict(tenant.list_keys, tenant.storage) == "allow"


def test_data_actions_are_no_control_plane_actions(tenant: Any) -> None:
    tenant.assign("anything", tenant.sub, document={"permissions": [{"dataActions": ["*"]}]})
    assert tenant.verdict(tenant.read_blob, tenant.storage) == "allow"
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "deny"


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "Microsoft.X/y/write", "allow"),
        ("Microsoft.X/*", "Microsoft.X/y/z/write", "allow"),
        ("*/read", "Microsoft.X/y/z/read", "allow"),
        ("*/read", "Microsoft.X/y/z/write", "deny"),
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Authorization/roleAssignments/read",
            "allow",
        ),
        ("Microsoft.X/*/z/action", "Microsoft.X/a/b/z/action", "allow"),
        ("Microsoft.X/y", "Microsoft.X/y/read", "deny"),
        ("Microsoft.X/y?/read", "Microsoft.X/yy/read", "deny"),
        ("MICROSOFT.x/Y/Read", "microsoft.X/y/rEAD", "allow"),
    ],
)
def test_wildcards(tenant: Any, pattern: str, action: str, expected: str) -> None:
    tenant.assign("custom", tenant.sub, document={"permissions": [{"actions": [pattern]}]})
    engine = tenant.engine()
    found = engine.decide(tenant.model, action, tenant.storage)
    if found.verdict is Verdict.UNKNOWN:  # a made-up action may be one of either plane
        assert expected == "allow"
        assert found.allowed_by
    else:
        assert found.verdict == expected


def test_an_action_that_may_be_of_either_plane_is_not_guessed(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub)
    found = tenant.decide("Microsoft.New/things/frob/action", tenant.rg)
    assert found.verdict is Verdict.UNKNOWN
    assert "whether" in conjuncts(found.residual)[0]


def test_case_makes_no_difference(tenant: Any) -> None:
    tenant.assign("Foundry User", tenant.sub)
    action = "MICROSOFT.cognitiveservices/ACCOUNTS/ListKeys/Action"
    assert tenant.verdict(action, tenant.openai.upper()) == "allow"


@pytest.mark.parametrize("role", ["Managed Identity Operator", "Contributor", "Owner"])
def test_a_star_can_be_a_segment_of_an_action(tenant: Any, role: str) -> None:
    tenant.assign(role, tenant.sub)
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"
    assert tenant.verdict(action, tenant.uami) == "allow"


def test_the_segment_is_not_left_out(tenant: Any) -> None:
    tenant.assign("Managed Identity Operator", tenant.sub)
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    assert tenant.decide(action, tenant.uami).allowed_by == ()


def test_a_condition_of_one_block_binds_no_other(tenant: Any) -> None:
    tenant.assign("Foundry Project Manager", tenant.openai, document=_FOUNDRY_MANAGER)
    action = "Microsoft.CognitiveServices/accounts/deployments/read"
    assert tenant.verdict(action, tenant.openai) == "allow"
    key = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    engine = tenant.engine()

    def assigning(role: str) -> str:
        found = engine.decide(tenant.model, tenant.assign_roles, tenant.openai, {key: (role,)})
        return str(found.verdict)

    assert assigning("53CA6127-DB72-4B80-B1B0-D745D6D5456D") == "allow"
    assert assigning("8e3af657-a8ff-443c-a75c-2fe8c4bcb635") == "deny"
    assert tenant.verdict(tenant.assign_roles, tenant.openai) == "conditional"


def test_a_role_that_was_not_read_is_not_empty(tenant: Any) -> None:
    tenant.assign("/providers/microsoft.authorization/roledefinitions/unread", tenant.sub)
    found = tenant.decide("Microsoft.Storage/storageAccounts/read", tenant.storage)
    assert found.verdict is Verdict.UNKNOWN
    assert "definition of role" in conjuncts(found.residual)[0]


@pytest.mark.parametrize(
    "document",
    [
        {"permissions": [{"actions": "Microsoft.Storage/*"}]},
        {"permissions": {"actions": ["*"]}},
        {"permissions": ["*"]},
        [],
        "text",
        {"permissions": [{"actions": [1]}]},
    ],
)
def test_a_malformed_role_is_not_understood(tenant: Any, document: object) -> None:
    tenant.assign("broken", tenant.sub, document=document)
    found = tenant.decide("Microsoft.Storage/storageAccounts/read", tenant.storage)
    assert found.verdict is Verdict.UNKNOWN
    assert tenant.engine().grants(tenant.model) is not None


# --- conditions ----------------------------------------------------------------------------


def test_a_condition_singles_a_container_out(tenant: Any) -> None:
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=_container(tenant.blobs))
    inside = f"{tenant.storage}/blobServices/default/containers"
    assert tenant.verdict(tenant.read_blob, f"{inside}/x") == "allow"
    assert tenant.verdict(tenant.read_blob, f"{inside}/x/blobs/report.csv") == "allow"
    assert tenant.verdict(tenant.read_blob, f"{inside}/y") == "deny"
    assert tenant.verdict(tenant.read_blob, tenant.storage) == "conditional"


def test_a_condition_leaves_other_actions_alone(tenant: Any) -> None:
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=_container(tenant.blobs))
    action = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
    assert tenant.verdict(action, tenant.storage) == "allow"


def test_a_condition_on_what_is_not_known_stays_open(tenant: Any) -> None:
    test = "NOT @Environment[isPrivateLink] BoolEquals false"
    condition = f"((!(ActionMatches{{'{tenant.blobs}/read'}})) OR ({test}))"
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=condition)
    found = tenant.decide(tenant.read_blob, tenant.storage)
    assert found.verdict is Verdict.CONDITIONAL
    context = {"@Environment[isPrivateLink]": ("true",)}
    settled = tenant.engine().decide(tenant.model, tenant.read_blob, tenant.storage, context)
    assert settled.verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "condition",
    ["(", "@Resource[x] Frobs 'y'", "a AND b", "@Resource[x] StringEquals", "(" * 9_000, "'\\"],
)
def test_a_condition_that_is_not_understood_neither_grants_nor_denies(
    tenant: Any, condition: str
) -> None:
    tenant.assign("Reader", tenant.sub, condition=condition)
    action = "Microsoft.Storage/storageAccounts/read"
    assert tenant.verdict(action, tenant.storage) == "unknown"


# --- deny assignments and locks ------------------------------------------------------------

EVERYBODY = "00000000-0000-0000-0000-000000000000"


def test_a_deny_assignment_beats_every_role(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub).deny(tenant.rg, ["*/delete"], [EVERYBODY])
    found = tenant.decide("Microsoft.Storage/storageAccounts/delete", tenant.storage)
    assert (found.verdict, found.outcome) == (Verdict.DENY, Outcome.EXPLICIT_DENY)
    assert found.denied_by[0].layer is Layer.DENY
    assert "deny assignment" in tenant.engine().explain(found)[0]
    assert tenant.verdict("Microsoft.Storage/storageAccounts/write", tenant.storage) == "allow"


def test_a_deny_assignment_spares_whom_it_excepts(tenant: Any) -> None:
    excepted = [{"id": tenant.model, "type": "ServicePrincipal"}]
    tenant.assign("Owner", tenant.sub).assign("Owner", tenant.sub, tenant.other)
    tenant.deny(tenant.rg, ["*/delete"], [EVERYBODY], excludePrincipals=excepted)
    action = "Microsoft.Storage/storageAccounts/delete"
    assert tenant.verdict(action, tenant.storage) == "allow"
    assert tenant.verdict(action, tenant.storage, tenant.other) == "deny"


def test_a_deny_assignment_may_be_for_its_scope_only(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub)
    tenant.deny(tenant.rg, ["*"], [tenant.model], doNotApplyToChildScopes=True)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/delete", tenant.storage) == "allow"
    assert tenant.verdict("Microsoft.Resources/tags/write", tenant.rg) == "deny"


def test_what_a_deny_assignment_leaves_out_is_not_denied(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub)
    tenant.deny(tenant.rg, ["*"], [EVERYBODY], block={"notActions": ["*/read"]})
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "allow"
    assert tenant.verdict("Microsoft.Storage/storageAccounts/write", tenant.storage) == "deny"


def test_a_deny_assignment_of_a_group_is_for_its_members(tenant: Any) -> None:
    tenant.principal(tenant.team, "group").principal(tenant.strong, "user", [tenant.team])
    tenant.assign("Owner", tenant.sub, tenant.strong).deny(tenant.rg, ["*"], [tenant.team])
    action = "Microsoft.Storage/storageAccounts/delete"
    assert tenant.verdict(action, tenant.storage, tenant.strong) == "deny"


def test_a_deny_assignment_that_cannot_be_read_may_deny(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub).attach(tenant.rg, "deny", {"principals": "x"})
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "unknown"


def _locked(tenant: Any, level: str) -> str:
    account = f"{tenant.rg}/providers/microsoft.storage/storageaccounts/locked"
    tenant.resource(account, locks=(level,))
    return account


@pytest.mark.parametrize(
    ("level", "action", "expected"),
    [
        ("ReadOnly", "Microsoft.Storage/storageAccounts/listKeys/action", "deny"),
        ("ReadOnly", "Microsoft.Storage/storageAccounts/read", "allow"),
        ("ReadOnly", "Microsoft.Storage/storageAccounts/write", "deny"),
        ("CanNotDelete", "Microsoft.Storage/storageAccounts/listKeys/action", "allow"),
        ("CanNotDelete", "Microsoft.Storage/storageAccounts/delete", "deny"),
    ],
)
def test_locks_stop_what_they_stop(tenant: Any, level: str, action: str, expected: str) -> None:
    account = _locked(tenant, level)
    tenant.assign("Contributor", tenant.sub)
    assert tenant.verdict(action, account) == expected


def test_who_may_take_a_lock_away_may_do_so_first(tenant: Any) -> None:
    account = _locked(tenant, "ReadOnly")
    tenant.assign("Owner", tenant.sub)
    found = tenant.decide(tenant.list_keys, account)
    assert found.verdict is Verdict.CONDITIONAL
    assert "taken away first" in conjuncts(found.residual)[0]


def test_locks_do_not_bind_data(tenant: Any) -> None:
    account = _locked(tenant, "ReadOnly")
    tenant.assign("Storage Blob Data Reader", tenant.sub)
    assert tenant.verdict(tenant.read_blob, account) == "allow"


# --- who holds a role ----------------------------------------------------------------------


def _nested(tenant: Any) -> None:
    tenant.principal(tenant.outer, "group").principal(tenant.team, "group", [tenant.outer])
    tenant.principal(tenant.strong, "managed-identity", [tenant.team])


def test_azure_roles_are_held_through_nested_groups(tenant: Any) -> None:
    _nested(tenant)
    tenant.assign("Reader", tenant.sub, tenant.outer)
    action = "Microsoft.Storage/storageAccounts/read"
    assert tenant.verdict(action, tenant.storage, tenant.strong) == "allow"


def test_app_roles_are_not_held_through_nested_groups(tenant: Any) -> None:
    _nested(tenant)
    tenant.permit("Mail.Read", tenant.outer).permit("Files.Read.All", tenant.team)
    assert tenant.verdict("graph:Mail.Read", tenant.graph, tenant.strong) == "deny"
    assert tenant.verdict("graph:Files.Read.All", tenant.graph, tenant.strong) == "allow"


def test_groups_that_hold_each_other_end(tenant: Any) -> None:
    tenant.principal(tenant.outer, "group", [tenant.team])
    tenant.principal(tenant.team, "group", [tenant.outer])
    tenant.principal(tenant.strong, "user", [tenant.team])
    tenant.assign("Reader", tenant.sub, tenant.outer)
    action = "Microsoft.Storage/storageAccounts/read"
    assert tenant.verdict(action, tenant.storage, tenant.strong) == "allow"


def test_a_group_whose_members_were_not_read_may_have_anybody(tenant: Any) -> None:
    tenant.principal(tenant.team, "group").gap("groups", tenant.tenant, tenant.team)
    tenant.assign("Reader", tenant.sub, tenant.team)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "unknown"


def test_what_an_unread_group_is_in_is_open_too(tenant: Any) -> None:
    tenant.principal(tenant.outer, "group").principal(tenant.team, "group", [tenant.outer])
    tenant.gap("groups", tenant.tenant, tenant.team)
    tenant.assign("Reader", tenant.sub, tenant.outer)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "unknown"


@pytest.mark.parametrize("status", ["eligible", "delegated"])
def test_what_is_only_eligible_or_delegated_is_not_held(tenant: Any, status: str) -> None:
    tenant.assign("Owner", tenant.sub, status=status)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "deny"
    assert tenant.pivots() == {}


def test_a_requested_permission_is_none(tenant: Any) -> None:
    tenant.principal(tenant.strong, "application", requested=("Mail.Read",))
    assert tenant.verdict("graph:Mail.Read", tenant.graph, tenant.strong) == "deny"


def test_a_permission_of_another_application_is_not_graphs(tenant: Any) -> None:
    tenant.permit("Mail.Read", app="70000000-0000-0000-0000-000000000000")
    assert tenant.verdict("graph:Mail.Read", tenant.graph) == "deny"
    action = "app:70000000-0000-0000-0000-000000000000/Mail.Read"
    assert tenant.verdict(action, tenant.graph) == "allow"


# --- Entra ---------------------------------------------------------------------------------

RESET = "microsoft.directory/users/password/update"


def _unit(tenant: Any) -> str:
    unit = "/administrativeunits/80000000-0000-0000-0000-000000000001"
    tenant.scope(unit, "administrative-unit", tenant.tenant, members=(tenant.ann,))
    return unit


def test_a_directory_role_holds_for_the_tenant(tenant: Any) -> None:
    tenant.directory("helpdesk", [RESET])
    assert tenant.verdict(RESET, tenant.ann) == "allow"


def test_a_directory_role_of_a_unit_holds_for_its_members(tenant: Any) -> None:
    tenant.directory("helpdesk", [RESET], target=_unit(tenant))
    tenant.principal(tenant.strong, "user")
    assert tenant.verdict(RESET, tenant.ann) == "allow"
    assert tenant.verdict(RESET, tenant.strong) == "deny"
    assert tenant.verdict(RESET, tenant.tenant) == "deny"


def test_a_directory_role_of_one_object_holds_for_that(tenant: Any) -> None:
    action = "microsoft.directory/applications/credentials/update"
    tenant.directory("app-admin", ["microsoft.directory/applications/*"], target=tenant.app)
    assert tenant.verdict(action, tenant.app) == "allow"
    assert tenant.verdict(action, tenant.tenant) == "deny"


def test_a_directory_role_may_be_for_owners_only(tenant: Any) -> None:
    action = "microsoft.directory/applications/credentials/update"
    tenant.directory("user", [action], condition="$SubjectIsOwner")
    tenant.principal(tenant.strong, "application", owners=(tenant.model,))
    assert tenant.verdict(action, tenant.strong) == "allow"
    assert tenant.verdict(action, tenant.app) == "deny"


def test_a_directory_role_says_nothing_of_azure(tenant: Any) -> None:
    tenant.directory("global", ["microsoft.directory/*", "*"])
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", tenant.storage) == "deny"


# --- vaults and clusters -------------------------------------------------------------------


def _vault(tenant: Any, **attributes: Any) -> str:
    vault = f"{tenant.rg}/providers/microsoft.keyvault/vaults/second"
    tenant.resource(vault, tenant=tenant.tenant, **attributes)
    return vault


def test_a_vault_with_access_policies_ignores_roles(tenant: Any) -> None:
    vault = _vault(tenant, rbac=False)
    tenant.assign("Key Vault Secrets User", tenant.sub)
    assert tenant.verdict(tenant.get_secret, tenant.vault) == "allow"
    assert tenant.verdict(tenant.get_secret, vault) == "deny"


def test_a_vault_with_roles_ignores_access_policies(tenant: Any) -> None:
    tenant.policy(tenant.model, secrets=["get"])
    assert tenant.verdict(tenant.get_secret, tenant.vault) == "deny"


@pytest.mark.parametrize(
    ("words", "action", "expected"),
    [
        (["get"], "secrets/getSecret/action", "allow"),
        (["Get", "List"], "secrets/readMetadata/action", "allow"),
        (["list"], "secrets/getSecret/action", "deny"),
        (["all"], "secrets/purge/action", "allow"),
        (["get"], "keys/read", "deny"),
    ],
)
def test_an_access_policy_gives_what_it_says(
    tenant: Any, words: list[str], action: str, expected: str
) -> None:
    vault = _vault(tenant, rbac=False)
    tenant.policy(tenant.model, vault=vault, secrets=words)
    assert tenant.verdict(f"data:Microsoft.KeyVault/vaults/{action}", vault) == expected


def test_an_access_policy_of_another_tenant_is_ignored(tenant: Any) -> None:
    vault = _vault(tenant, rbac=False)
    tenant.policy(tenant.model, "90000000-0000-0000-0000-000000000000", vault, secrets=["get"])
    assert tenant.verdict(tenant.get_secret, vault) == "deny"


def test_an_access_policy_that_names_an_application_wants_a_user(tenant: Any) -> None:
    vault = _vault(tenant, rbac=False)
    for name in (tenant.model, tenant.ann):
        entry = {"tenantId": tenant.tenant, "objectId": name, "applicationId": "x"}
        policy = {**entry, "permissions": {"secrets": ["get"]}}
        tenant.attach(vault, "access-policy", {"accessPolicies": [policy]})
    assert tenant.verdict(tenant.get_secret, vault) == "deny"
    assert tenant.verdict(tenant.get_secret, vault, tenant.ann) == "conditional"


def test_a_vault_of_which_the_model_is_not_known_is_unknown(tenant: Any) -> None:
    vault = _vault(tenant)
    tenant.assign("Key Vault Secrets User", tenant.sub)
    assert tenant.verdict(tenant.get_secret, vault) == "unknown"


@pytest.mark.parametrize(("rbac", "expected"), [(True, "allow"), (False, "deny")])
def test_one_secret_of_a_vault_is_asked_about_as_the_vault_says(
    tenant: Any, rbac: bool, expected: str
) -> None:
    secret = f"{_vault(tenant, rbac=rbac)}/secrets/key"
    tenant.assign("Key Vault Secrets User", secret)
    assert tenant.verdict(tenant.get_secret, secret) == expected


def test_a_cluster_without_azure_roles_ignores_them(tenant: Any) -> None:
    cluster = f"{tenant.rg}/providers/microsoft.containerservice/managedclusters/aks"
    tenant.resource(cluster, azure_rbac=False)
    tenant.assign("all data", tenant.sub, document={"permissions": [{"dataActions": ["*"]}]})
    action = "data:Microsoft.ContainerService/managedClusters/secrets/read"
    assert tenant.verdict(action, cluster) == "deny"


# --- what was not read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "scope", "subject"),
    [("bindings", "sub", ""), ("bindings", "mg", ""), ("subscription", "tenant", "sub")],
)
def test_where_assignments_were_not_read_nothing_is_denied(
    tenant: Any, kind: str, scope: str, subject: str
) -> None:
    about = getattr(tenant, subject) if subject else ""
    tenant.gap(kind, getattr(tenant, scope), about)
    action = "Microsoft.Storage/storageAccounts/read"
    assert tenant.verdict(action, tenant.storage) == "unknown"
    assert tenant.verdict(action, tenant.sub2 + "/resourcegroups/x") == "deny"


def test_what_was_not_read_in_entra_is_unknown(tenant: Any) -> None:
    tenant.gap("app-roles", tenant.tenant).gap("directory-roles", tenant.tenant)
    assert tenant.verdict("graph:Mail.Read", tenant.graph) == "unknown"
    assert tenant.verdict(RESET, tenant.ann) == "unknown"


def test_an_unknown_hierarchy_leaves_management_groups_open(tenant: Any) -> None:
    tenant.gap("hierarchy", tenant.tenant).assign("Reader", tenant.mg)
    action = "Microsoft.Storage/storageAccounts/read"
    assert tenant.verdict(action, tenant.storage) == "allow"
    assert tenant.verdict(action, f"{tenant.sub2}/resourcegroups/x") == "unknown"


@pytest.mark.parametrize("kind", ["deny", "locks"])
def test_unread_limits_are_noted(tenant: Any, kind: str) -> None:
    tenant.gap(kind, tenant.sub).assign("Reader", tenant.sub)
    found = tenant.decide("Microsoft.Storage/storageAccounts/read", tenant.storage)
    assert found.verdict is Verdict.ALLOW
    assert kind in found.assumes[0]


# --- hostile names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "/",
        "//",
        "*",
        "/subscriptions",
        "/subscriptions/*",
        "/providers/",
        "\x00",
        "a" * 10_000,
    ],
)
def test_odd_resources_are_denied_without_a_crash(tenant: Any, resource: str) -> None:
    tenant.assign("Owner", tenant.rg)
    assert tenant.verdict("Microsoft.Storage/storageAccounts/read", resource) == "deny"


def test_a_huge_role_is_read(tenant: Any) -> None:
    actions = [f"Microsoft.Made{n}/things/read" for n in range(20_000)]
    tenant.assign("huge", tenant.sub, document={"permissions": [{"actions": actions}]})
    decide: Callable[..., Any] = tenant.decide
    found = decide("Microsoft.Made19999/things/read", tenant.rg)
    assert found.allowed_by
