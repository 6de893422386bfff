"""What is told of a principal: grants, what it can take over, whom it is as good as."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from msgspec.structs import replace

from modelreach.deployment import Deployment, Metadata, Model, Spec, of_principal
from modelreach.graph import explore
from modelreach.judge.finding import Case
from modelreach.judge.policy import JudgePolicy
from modelreach.model import Capability, Strength, Verdict
from modelreach.pipeline import GateOptions, Release, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates, Side
from modelreach.policy.azure.engine import AzureEngine
from modelreach.policy.engine import Token
from modelreach.policy.expr import conjuncts
from modelreach.reach import reach
from modelreach.snapshot import Credential, Facts, Link

_NAME = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]"


# --- grants --------------------------------------------------------------------------------


def test_an_owner_reaches_data_by_the_accounts_keys(tenant: Any) -> None:
    found = tenant.assign("Owner", tenant.sub).grants(tenant.storage)
    grant = found[tenant.read_blob]
    assert (grant.verdict, grant.capability) == (Verdict.ALLOW, Capability.READ)
    assert "an account key opens all data" in grant.assumes[0]
    assert grant.statements[0].policy == "Owner"


def test_keys_that_are_turned_off_open_nothing(tenant: Any) -> None:
    account = f"{tenant.rg}/providers/microsoft.storage/storageaccounts/closed"
    block = {"actions": ["Microsoft.Storage/storageAccounts/listKeys/action"]}
    tenant.resource(account, shared_key_access=False)
    tenant.assign("keys", tenant.sub, document={"permissions": [block]})
    assert tenant.list_keys in tenant.grants(account)
    assert tenant.read_blob not in tenant.grants(account)


def test_who_may_turn_keys_on_may_do_so_first(tenant: Any) -> None:
    account = f"{tenant.rg}/providers/microsoft.storage/storageaccounts/closed"
    tenant.resource(account, shared_key_access=False).assign("Contributor", tenant.sub)
    grant = tenant.grants(account)[tenant.read_blob]
    assert grant.verdict is Verdict.CONDITIONAL
    assert "turns keys on first" in conjuncts(grant.residual)[0]


def test_a_read_only_lock_keeps_the_keys_but_for_who_may_lift_it(tenant: Any) -> None:
    account = f"{tenant.rg}/providers/microsoft.storage/storageaccounts/locked"
    tenant.resource(account, locks=("ReadOnly",)).assign("Contributor", tenant.sub)
    assert tenant.read_blob not in tenant.grants(account)
    tenant.assign("Owner", tenant.sub)
    assert tenant.grants(account)[tenant.read_blob].verdict is Verdict.CONDITIONAL


@pytest.mark.parametrize(("local_auth", "reached"), [(True, True), (None, True), (False, False)])
def test_keys_of_a_model_account(tenant: Any, local_auth: bool | None, reached: bool) -> None:
    account = f"{tenant.rg}/providers/microsoft.cognitiveservices/accounts/second"
    attributes = {} if local_auth is None else {"local_auth": local_auth}
    block = {"actions": ["Microsoft.CognitiveServices/accounts/listKeys/action"]}
    tenant.resource(account, **attributes)
    tenant.assign("keys", tenant.sub, document={"permissions": [block]})
    action = "data:Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
    assert (action in tenant.grants(account)) is reached


def test_who_may_write_a_vaults_policies_may_write_one_for_itself(tenant: Any) -> None:
    vault = f"{tenant.rg}/providers/microsoft.keyvault/vaults/old"
    tenant.resource(vault, rbac=False).assign("Contributor", tenant.sub)
    assert "may write one for itself" in tenant.grants(vault)[tenant.get_secret].assumes[0]
    assert tenant.get_secret not in tenant.grants(tenant.vault)


def test_a_workspace_hands_out_the_key_of_its_storage(tenant: Any) -> None:
    workspace = f"{tenant.rg}/providers/microsoft.machinelearningservices/workspaces/w"
    tenant.runtime(workspace, [tenant.other])
    facts = tenant.sections["runtimes"]
    facts[0] = replace(facts[0], links=(Link(kind="reads", target=tenant.storage),))
    block = {"actions": ["Microsoft.MachineLearningServices/workspaces/listKeys/action"]}
    tenant.assign("keys", workspace, document={"permissions": [block]})
    grant = tenant.grants(tenant.storage)[tenant.read_blob]
    assert "w keeps a key of it" in grant.assumes[0]


def test_a_condition_narrows_a_grant_to_the_containers_it_names(tenant: Any) -> None:
    condition = (
        f"((!(ActionMatches{{'{tenant.blobs}/read'}})) OR ({_NAME} StringEquals 'a' OR "
        f"{_NAME} StringEquals 'b'))"
    )
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=condition)
    grant = tenant.grants(tenant.storage)[tenant.read_blob]
    assert grant.verdict is Verdict.ALLOW
    assert [part.rsplit("/", 1)[-1] for part in grant.within] == ["a", "b"]


def test_a_condition_by_pattern_stays_a_condition(tenant: Any) -> None:
    condition = (
        f"((!(ActionMatches{{'{tenant.blobs}/read'}})) OR ({_NAME} StringEquals 'a' OR "
        f"{_NAME} StringLike 'b*'))"
    )
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=condition)
    grant = tenant.grants(tenant.storage)[tenant.read_blob]
    assert (grant.verdict, grant.within) == (Verdict.CONDITIONAL, ())


@pytest.mark.parametrize(
    "test", ["StringNotEquals 'a'", "ForAnyOfAllValues:StringNotEquals {'a', 'b'}"]
)
def test_a_condition_that_leaves_a_container_out_stays_a_condition(tenant: Any, test: str) -> None:
    """All others alone would read as the whole account."""
    condition = f"((!(ActionMatches{{'{tenant.blobs}/read'}})) OR ({_NAME} {test}))"
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=condition)
    grant = tenant.grants(tenant.storage)[tenant.read_blob]
    assert (grant.verdict, grant.within) == (Verdict.CONDITIONAL, ())


def test_no_container_has_a_name_in_capital_letters(tenant: Any) -> None:
    """Unless a condition says that case does not matter, none is meant."""
    for operator, within in (("StringEquals", 0), ("StringEqualsIgnoreCase", 1)):
        condition = f"({_NAME} {operator} 'A')"
        tenant.assign("Storage Blob Data Reader", tenant.sub, condition=condition)
        found = tenant.grants(tenant.storage).get(tenant.read_blob)
        assert len(found.within if found else ()) == within


def test_a_container_speaks_for_itself_where_a_role_is_held_on_it(tenant: Any) -> None:
    container = f"{tenant.storage}/blobservices/default/containers/c"
    tenant.resource(container).assign("Storage Blob Data Reader", container)
    assert tenant.grants(container)[tenant.read_blob].verdict is Verdict.ALLOW
    assert tenant.grants(tenant.storage) == {}


def test_a_container_is_spoken_for_by_its_account(tenant: Any) -> None:
    container = f"{tenant.storage}/blobservices/default/containers/c"
    tenant.resource(container).assign("Storage Blob Data Reader", tenant.sub)
    assert tenant.grants(container) == {}


def test_stored_connections_speak_for_themselves(tenant: Any) -> None:
    connection = f"{tenant.openai}/projects/p/connections/serp"
    tenant.resource(connection).assign("Contributor", tenant.sub)
    action = "Microsoft.CognitiveServices/accounts/projects/connections/listsecrets/action"
    assert tenant.grants(connection)[action].capability is Capability.READ


@pytest.mark.parametrize("role", ["Owner", "Contributor", "Reader", "Key Vault Secrets User"])
def test_answering_for_resources_together_is_answering_for_each(tenant: Any, role: str) -> None:
    storage = f"{tenant.rg}/providers/microsoft.storage/storageaccounts/"
    vault = f"{tenant.rg}/providers/microsoft.keyvault/vaults/"
    listed: list[tuple[str, dict[str, Any]]] = [
        *((f"{storage}{name}", {}) for name in ("one", "two")),
        (f"{storage}closed", {"shared_key_access": False}),
        (f"{storage}locked", {"locks": ("ReadOnly",)}),
        (f"{vault}roles", {"rbac": True}),
        (f"{vault}policies", {"rbac": False, "tenant": tenant.tenant}),
        (f"{vault}bare", {"rbac": False}),
        (f"{vault}unknown", {}),
    ]
    alone: dict[str, Any] = {}
    for name, attributes in listed:
        only = copy.deepcopy(tenant).resource(name, **attributes).assign(role, tenant.sub)
        only.policy(tenant.model, vault=f"{vault}policies", secrets=["get"])
        alone[name] = only.grants(name)
        tenant.resource(name, **attributes)
    tenant.assign(role, tenant.sub)
    tenant.policy(tenant.model, vault=f"{vault}policies", secrets=["get"])
    for name, _ in listed:
        assert tenant.grants(name) == alone[name], name


def test_an_action_that_only_a_role_names_is_told(tenant: Any) -> None:
    action = "Microsoft.Storage/storageAccounts/brandNew/action"
    tenant.assign("new", tenant.sub, document={"permissions": [{"actions": [action]}]})
    assert action in tenant.grants(tenant.storage)


@pytest.mark.parametrize(
    ("value", "place"),
    [("Mail.Read", "mail"), ("Files.Read.All", "files"), ("Sites.FullControl.All", "sites")],
)
def test_permissions_of_graph_are_told_by_what_they_open(
    tenant: Any, value: str, place: str
) -> None:
    found = tenant.permit(value).grants(f"graph://{tenant.tenant}/{place}")
    assert found[f"graph:{value}"].kind == f"microsoft.graph/{place}"


# --- the symbolic set ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("Microsoft.Storage/storageAccounts/write", "storage", True),
        ("Microsoft.Authorization/roleAssignments/write", "sub", False),
        ("data:Microsoft.Storage/storageAccounts/blobServices/x/read", "storage", False),
        ("Microsoft.Storage/storageAccounts/write", "sub2", False),
    ],
)
def test_what_is_held_symbolically(
    tenant: Any, action: str, resource: str, expected: bool
) -> None:
    held = tenant.assign("Contributor", tenant.mg).engine().permissions(tenant.model)
    assert held.contains(action, getattr(tenant, resource)) is expected


def test_a_condition_parts_the_actions_of_a_set(tenant: Any) -> None:
    condition = f"((!(ActionMatches{{'{tenant.blobs}/read'}})) OR ({_NAME} StringEquals 'a'))"
    tenant.assign("Storage Blob Data Reader", tenant.sub, condition=condition)
    held = tenant.engine().permissions(tenant.model)
    free = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
    assert held.contains(free, tenant.storage)
    assert not held.contains(tenant.read_blob, tenant.storage)
    assert conjuncts(held.condition_for(tenant.read_blob, tenant.storage))


def test_a_deny_assignment_is_taken_out_of_a_set(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub).deny(tenant.rg, ["*/delete"], [tenant.model])
    held = tenant.engine().permissions(tenant.model)
    action = "Microsoft.Storage/storageAccounts/delete"
    assert not held.contains(action, tenant.storage)
    assert held.contains(action, tenant.rg2)


def test_types_that_were_collected_whole_speak_for_themselves(tenant: Any) -> None:
    tenant.assign("Key Vault Secrets User", tenant.sub)
    engine = tenant.engine()
    patterns = engine.unlisted(engine.permissions(tenant.model), tenant.tenant)
    assert {grant.kind for grant in patterns} == {"microsoft.keyvault/vaults"}
    assert patterns[0].resource == f"{tenant.sub}/*"
    engine = tenant.cover("microsoft.keyvault/vaults", tenant.sub).engine()
    assert engine.unlisted(engine.permissions(tenant.model), tenant.tenant) == ()


def _patterns(tenant: Any) -> list[Any]:
    engine = tenant.engine()
    return list(engine.unlisted(engine.permissions(tenant.model), tenant.tenant))


def test_a_pattern_is_told_with_what_a_deny_assignment_takes_out(tenant: Any) -> None:
    """What is left of a reader stays one, and names what it may not read."""
    tenant.assign("Reader", tenant.sub)
    tenant.deny(tenant.rg2, ["Microsoft.Storage/*"], [tenant.model])
    told = {grant.actions: grant for grant in _patterns(tenant)}
    assert {grant.capability for grant in told.values()} == {Capability.LIST}
    assert told["*/read",].within == ("except microsoft.storage/*",)
    limits = ("only */read", f"except {tenant.rg2}/*")
    assert told["microsoft.storage/*",].within == limits


def test_a_pattern_is_told_for_each_plane(tenant: Any) -> None:
    block = {"actions": ["*"], "dataActions": ["*"], "notDataActions": ["Microsoft.Storage/*"]}
    tenant.assign("all", tenant.sub, document={"permissions": [block]})
    told = {grant.actions: grant.within for grant in _patterns(tenant)}
    assert told == {("*",): (), ("data:*",): ("except data:Microsoft.Storage/*",)}


# --- taking over ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Owner", "User Access Administrator"])
@pytest.mark.parametrize("place", ["sub", "rg", "mg"])
def test_who_may_assign_roles_takes_the_scope_over(tenant: Any, role: str, place: str) -> None:
    scope = getattr(tenant, place)
    pivot = tenant.assign(role, scope).pivots()[scope]
    assert (pivot.kind, pivot.strength) == ("administer", Strength.CERTAIN)
    assert pivot.support[0].statements[0].policy == role


def test_a_contributor_takes_nothing_over(tenant: Any) -> None:
    assert tenant.assign("Contributor", tenant.sub).pivots() == {}


def test_what_lies_below_is_not_told_again(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub).assign("Owner", tenant.rg)
    assert list(tenant.pivots()) == [tenant.sub]


def test_who_may_assign_some_roles_has_these(tenant: Any) -> None:
    condition = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
        "ForAnyOfAnyValues:GuidEquals{2a2b9908-6ea1-4ae2-8e65-a410df84e7d1}))"
    )
    tenant.role("Storage Blob Data Reader")
    tenant.assign("User Access Administrator", tenant.sub, condition=condition)
    (name,) = tenant.pivots()
    assert name.startswith(f"{tenant.model}#roles@")
    engine = tenant.engine()
    assert engine.principal(name).kind == "escalated"
    assert engine.decide(name, tenant.read_blob, tenant.storage).verdict is Verdict.ALLOW
    assert engine.decide(tenant.model, tenant.read_blob, tenant.storage).verdict is Verdict.DENY


_BUT_OWNER = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
    "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
    "ForAnyOfAllValues:GuidNotEquals{8e3af657-a8ff-443c-a75c-2fe8c4bcb635, "
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9}))"
)


def test_a_list_of_roles_not_to_assign_holds_by_itself(tenant: Any) -> None:
    document = {"permissions": [{"actions": [tenant.assign_roles]}]}
    tenant.assign("assigner", tenant.sub, condition=_BUT_OWNER, document=document)
    assert tenant.sub not in tenant.pivots()


def test_a_new_role_is_on_no_list(tenant: Any) -> None:
    define = "Microsoft.Authorization/roleDefinitions/write"
    document = {"permissions": [{"actions": [tenant.assign_roles, define]}]}
    tenant.assign("assigner", tenant.sub, condition=_BUT_OWNER, document=document)
    pivot = tenant.pivots()[tenant.sub]
    assert pivot.rule == "azure-define-and-assign-role"
    assert [support.action for support in pivot.support] == [define, tenant.assign_roles]


def test_who_may_rewrite_a_role_that_it_holds_has_everything(tenant: Any) -> None:
    define = {"actions": ["Microsoft.Authorization/roleDefinitions/write"]}
    custom = {
        "permissions": [define],
        "type": "CustomRole",
        "assignableScopes": [tenant.sub.upper()],
    }
    pivot = tenant.assign("own", tenant.sub, document=custom).pivots()[tenant.sub]
    assert pivot.rule == "azure-rewrite-own-role"


def test_a_role_of_azures_own_cannot_be_rewritten(tenant: Any) -> None:
    define = {"actions": ["Microsoft.Authorization/roleDefinitions/write"]}
    document = {"permissions": [define], "type": "BuiltInRole", "assignableScopes": ["/"]}
    assert tenant.assign("theirs", tenant.sub, document=document).pivots() == {}


def test_the_owner_of_one_resource_may_do_what_there_is_to_be_done(tenant: Any) -> None:
    tenant.assign("Owner", tenant.storage)
    (name,) = tenant.pivots()
    engine = tenant.engine()
    assert engine.decide(name, tenant.read_blob, tenant.storage).verdict is Verdict.ALLOW
    assert engine.decide(name, tenant.get_secret, tenant.vault).verdict is Verdict.DENY
    assert [p for p in engine.pivots(name) if p.target not in (name, tenant.model)] == []


def test_a_deny_assignment_keeps_a_scope(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub)
    tenant.deny(tenant.sub, ["Microsoft.Authorization/*"], [tenant.model])
    assert tenant.sub not in tenant.pivots()


def test_whom_an_owner_could_become_is_told_where_it_leads_out(tenant: Any) -> None:
    tenant.principal(tenant.strong, "managed-identity").runtime(tenant.vm, [tenant.strong])
    tenant.assign("Owner", tenant.sub).assign("Reader", tenant.rg, tenant.strong)
    assert tenant.strong not in tenant.pivots()
    tenant.assign("Reader", tenant.sub2, tenant.strong)
    assert tenant.strong in tenant.pivots()


# --- who is as good as whom ----------------------------------------------------------------


def test_an_application_is_its_service_principal(tenant: Any) -> None:
    assert tenant.pivots(tenant.app)[tenant.other].rule == "azure-application"


def test_a_person_who_owns_an_application_has_its_credentials(tenant: Any) -> None:
    tenant.principal(
        tenant.strong, "application", owners=(tenant.ann,), service_principal=tenant.other
    )
    assert tenant.pivots(tenant.ann)[tenant.other].rule == "azure-owner"


def test_an_application_that_owns_another_needs_a_permission(tenant: Any) -> None:
    tenant.principal(tenant.strong, "service-principal", owners=(tenant.model,))
    tenant.assign("Reader", tenant.sub, tenant.strong)
    assert tenant.pivots() == {}
    tenant.permit("Application.ReadWrite.OwnedBy")
    assert tenant.strong in tenant.pivots()


@pytest.mark.parametrize("whose", ["strong", "tenant"])
def test_where_owners_were_not_read_it_may_be_one(tenant: Any, whose: str) -> None:
    tenant.principal(tenant.strong, "service-principal").permit("Application.ReadWrite.OwnedBy")
    tenant.assign("Reader", tenant.sub, tenant.strong)
    assert tenant.strong not in tenant.pivots()
    subject = tenant.strong if whose == "strong" else ""
    tenant.gap("owners", tenant.tenant, subject)
    assert tenant.pivots()[tenant.strong].strength is Strength.UNKNOWN


def test_a_blueprint_gets_tokens_as_its_agents(tenant: Any) -> None:
    child = "30000000-0000-0000-0000-0000000000aa"
    tenant.principal(tenant.strong, "agent-blueprint", app_id="b-1")
    tenant.principal(child, "agent-identity", blueprint="b-1")
    assert tenant.pivots(tenant.strong)[child].rule == "azure-blueprint"


def test_an_agent_gets_tokens_as_its_user(tenant: Any) -> None:
    tenant.principal(tenant.strong, "agent-identity")
    tenant.principal(tenant.team, "user", agent_user=True, parent=tenant.strong)
    assert tenant.pivots(tenant.strong)[tenant.team].rule == "azure-agent-user"


def test_a_managed_identity_is_let_in_by_a_federated_credential(tenant: Any) -> None:
    issuer = f"https://login.microsoftonline.com/{tenant.tenant}/v2.0"
    tenant.attach(tenant.other, "trust", {"issuer": issuer, "subject": tenant.model})
    assert list(tenant.admitted()) == [tenant.other]


def test_the_same_subject_of_another_issuer_is_not_let_in(tenant: Any) -> None:
    trust = {"issuer": "https://token.example/", "subject": tenant.model}
    assert tenant.attach(tenant.other, "trust", trust).admitted() == {}


def test_the_subject_is_compared_letter_by_letter(tenant: Any) -> None:
    issuer = f"https://login.microsoftonline.com/{tenant.tenant}/v2.0"
    tenant.attach(tenant.other, "trust", {"issuer": issuer, "subject": tenant.model.upper() + "A"})
    assert tenant.admitted() == {}


@pytest.mark.parametrize(
    ("expression", "strength"),
    [
        ("claims['sub'] matches 'repo:org/*'", "certain"),
        ("claims['sub'] matches 'repo:other/*'", ""),
        ("claims['sub'] eq 'repo:org/app' and claims['job'] eq 'x'", "conditional"),
        ("something else", "unknown"),
    ],
)
def test_a_flexible_credential_lets_in_whom_it_matches(
    tenant: Any, expression: str, strength: str
) -> None:
    issuer = "https://token.actions.example"
    document = {"issuer": issuer, "claimsMatchingExpression": {"value": expression}}
    tenant.attach(tenant.other, "trust", document)
    token = Token("token.actions.example", "repo:org/app")
    found = [str(pivot.strength) for pivot in tenant.engine().admits(token, "somebody")]
    assert found == ([strength] if strength else [])


def test_a_credential_takes_its_audiences_only(tenant: Any) -> None:
    document = {"issuer": "https://i.example", "subject": "s", "audiences": ["a"]}
    engine = tenant.attach(tenant.other, "trust", document).engine()
    assert list(engine.admits(Token("i.example", "s", ("a",)), "x"))
    assert not list(engine.admits(Token("i.example", "s", ("b",)), "x"))


def test_only_managed_identities_are_let_in_by_their_own_tenant(tenant: Any) -> None:
    issuer = f"https://login.microsoftonline.com/{tenant.tenant}/v2.0"
    tenant.principal(tenant.strong, "service-principal")
    tenant.attach(tenant.other, "trust", {"issuer": issuer, "subject": tenant.strong})
    assert tenant.admitted(tenant.strong) == {}


def test_a_clusters_pods_are_whom_they_are_trusted_as(tenant: Any) -> None:
    cluster = f"{tenant.rg}/providers/microsoft.containerservice/managedclusters/aks"
    tenant.resource(cluster, oidc_issuer="https://oidc.example/1/")
    subject = "system:serviceaccount:ns:sa"
    tenant.attach(tenant.other, "trust", {"issuer": "https://oidc.example/1/", "subject": subject})
    assert tenant.pivots() == {}
    pivot = tenant.assign("Contributor", tenant.rg).pivots()[tenant.other]
    assert (pivot.kind, pivot.via) == ("trust", cluster)


@pytest.mark.parametrize(("entra", "strength"), [(False, "certain"), (True, "conditional")])
def test_who_runs_commands_in_a_cluster_with_entra_acts_there_as_itself(
    tenant: Any, entra: bool, strength: str
) -> None:
    """The nodes' identity is had from any pod; those that trust pods, by making these."""
    cluster = f"{tenant.rg}/providers/microsoft.containerservice/managedclusters/aks"
    about = {"oidc_issuer": "https://oidc.example/1/", "entra": entra, "local_accounts": False}
    tenant.resource(cluster, kubelet_identity=tenant.strong, **about)
    tenant.principal(tenant.strong, "managed-identity")
    trust = {"issuer": "https://oidc.example/1/", "subject": "system:serviceaccount:ns:sa"}
    tenant.attach(tenant.other, "trust", trust)
    run = "Microsoft.ContainerService/managedClusters/runCommand/action"
    tenant.assign("runs", tenant.rg, document={"permissions": [{"actions": [run]}]})
    pivots = tenant.pivots()
    assert str(pivots[tenant.strong].strength) == "certain"
    assert str(pivots[tenant.other].strength) == strength


def test_a_group_of_a_clusters_administrators(tenant: Any) -> None:
    cluster = f"{tenant.rg}/providers/microsoft.containerservice/managedclusters/aks"
    about = {"oidc_issuer": "https://oidc.example/1/", "entra": True, "local_accounts": False}
    groups = {"admin_groups": (tenant.outer,), "kubelet_identity": tenant.strong}
    tenant.resource(cluster, **about, **groups)
    tenant.principal(tenant.strong, "managed-identity")
    trust = {"issuer": "https://oidc.example/1/", "subject": "system:serviceaccount:ns:sa"}
    tenant.attach(tenant.other, "trust", trust)
    tenant.principal(tenant.team, "group", groups=(tenant.outer,))
    assert tenant.pivots() == {}
    tenant.principal(tenant.model, "managed-identity", groups=(tenant.team,))
    found = {name: (one.kind, str(one.strength)) for name, one in tenant.pivots().items()}
    assert found == {
        tenant.strong: ("run-code", "certain"),
        tenant.other: ("trust", "certain"),
    }


def test_a_disabled_principal_is_nobody(tenant: Any) -> None:
    tenant.principal(tenant.strong, "application", service_principal=tenant.team)
    tenant.principal(tenant.team, "service-principal", enabled=False)
    assert tenant.pivots(tenant.strong) == {}


def test_the_way_goes_on(tenant: Any) -> None:
    """A machine's identity that may consent to permissions takes the tenant over."""
    tenant.principal(tenant.strong, "managed-identity").runtime(tenant.vm, [tenant.strong])
    tenant.permit("AppRoleAssignment.ReadWrite.All", tenant.strong)
    tenant.assign("VM Contributor", tenant.rg)
    graph = explore([tenant.model], tenant.engine().pivots)
    path = graph.paths[tenant.tenant]
    assert [pivot.rule for pivot in path.pivots] == [
        "azure-vm-run-command",
        "azure-graph-app-role-assignment",
    ]


# --- names and credentials -----------------------------------------------------------------


def test_an_identity_is_found_by_each_of_its_names(tenant: Any) -> None:
    engine = tenant.engine()
    for name in (tenant.model, tenant.model.upper(), tenant.uami):
        assert engine.principal(name).id == tenant.model
    assert engine.principal("a-other").id == tenant.other
    assert engine.principal("nobody") is None


def test_a_credential_opens_its_principal_and_a_key_nobody(tenant: Any) -> None:
    engine = tenant.engine()

    def opened(name: str) -> Any:
        key = Credential(id="k", provider="azure", kind="x", principal=name, scope="")
        return engine.opened_by(key)

    assert opened(tenant.other).principal == tenant.other
    assert opened(tenant.storage).principal == ""


# --- what is easily missed -----------------------------------------------------------------


def test_an_identity_on_two_machines_is_reached_by_either(tenant: Any) -> None:
    tenant.principal(tenant.strong, "managed-identity")
    second = f"{tenant.rg2}/providers/microsoft.compute/virtualmachines/second"
    tenant.runtime(tenant.vm, [tenant.strong]).runtime(second, [tenant.strong])
    tenant.assign("Reader", tenant.sub2, tenant.strong).assign("VM Contributor", second)
    assert tenant.pivots()[tenant.strong].via == second


def test_roles_of_cosmos_are_roles_like_others(tenant: Any) -> None:
    account = f"{tenant.rg}/providers/microsoft.documentdb/databaseaccounts/c"
    role = f"{account}/sqlroledefinitions/1"
    items = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/*"
    tenant.resource(account, local_auth=False)
    tenant.role(role, {"permissions": [{"dataActions": [items]}]})
    tenant.assign(role, account)
    action = items.replace("*", "read")
    assert tenant.verdict(f"data:{action}", account) == "allow"
    assert f"data:{action}" in tenant.grants(account)


def test_what_another_tenant_was_delegated_is_nobodys_here(tenant: Any) -> None:
    tenant.assign("Owner", tenant.sub, "99999999-0000-0000-0000-000000000009")
    assert tenant.pivots() == {}
    assert tenant.engine().principal("99999999-0000-0000-0000-000000000009") is None


def test_an_agent_that_runs_as_its_project_starts_there(tenant: Any) -> None:
    project = f"{tenant.openai}/projects/p"
    tenant.runtime(project, [tenant.model])
    runtime = tenant.engine().runtime(project.upper())
    assert runtime.identities == (tenant.model,)


def test_tools_run_as_what_the_runtime_is_wired_to(tenant: Any) -> None:
    project, other = f"{tenant.openai}/projects/p", f"{tenant.openai}/projects/q"
    tenant.runtime(project, [tenant.model]).runtime(other, [tenant.other])
    facts = tenant.sections["runtimes"]
    facts[0] = replace(facts[0], links=(Link(kind="uses", target=other),))
    (hop,) = tenant.engine().tools(project)
    assert (hop.source, hop.target, hop.via) == (tenant.model, tenant.other, other)


def test_a_secret_that_somebody_says_opens_another_is_a_way(tenant: Any) -> None:
    tenant.assign("Key Vault Secrets User", tenant.sub)
    opens = ((tenant.vault.upper(), tenant.other),)
    engine = AzureEngine(Facts(tenant.snapshot()), {}, opens)
    (pivot,) = engine.pivots(tenant.model)
    assert (pivot.kind, pivot.target, pivot.via) == ("credential", tenant.other, tenant.vault)


def test_the_tenant_stands_above_every_subscription(tenant: Any) -> None:
    """Whoever takes it over may elevate itself at the root."""
    tenant.permit("RoleManagement.ReadWrite.Directory")
    radius = reach([tenant.model], {"azure": tenant.engine()})
    deployment = Deployment(
        api_version="modelreach/v1",
        kind="ModelDeployment",
        metadata=Metadata(name="m", version="1", owner="o"),
        spec=Spec(model=Model(provider="p", id="m"), identities=()),
    )
    facts = Facts(tenant.snapshot())
    case = Case(deployment, radius, facts, {"azure": tenant.engine()}, JudgePolicy())
    for scope in (tenant.rg, tenant.sub, tenant.mg, "/", tenant.tenant):
        taken = case.taken(scope)
        assert taken is not None
        assert taken.scope == tenant.tenant
    assert case.taken("/subscriptions/elsewhere") is None


def test_roles_over_a_part_are_not_lost_where_all_is_taken_over(tenant: Any) -> None:
    """Who gives itself roles over a vault, and then over its whole subscription, has lost none."""
    before = _evaluated(copy.deepcopy(tenant).assign("User Access Administrator", tenant.vault))
    after = _evaluated(tenant.assign("User Access Administrator", tenant.sub))
    part = f"{tenant.model}#any-role@{tenant.vault}"
    assert part in before.radius.identities
    assert part not in after.radius.identities
    there = {row.kind for row in diff_report(before, after, GateOptions()).changes}
    back = {row.kind for row in diff_report(after, before, GateOptions()).changes}
    assert (there, back) == ({"gained", "widened"}, {"lost", "narrowed"})


def _evaluated(tenant: Any) -> Side:
    release = Release(of_principal(tenant.model, "azure"), tenant.snapshot())
    return evaluate(release, JudgePolicy(), Estates())
