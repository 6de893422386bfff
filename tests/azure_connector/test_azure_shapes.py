"""The look-alike speaks as ARM does: Microsoft's own clients read the same from it as we do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest
from azure.mgmt.storage import StorageManagementClient

from azure_agent.builder import guid
from azure_agent.server import serve
from modelreach_azure.calls import CALLS


class Token:
    """A credential that is none."""

    def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        return AccessToken("local", 4102444800)


class Sign(SansIOHTTPPolicy[Any, Any]):
    """azure-core's own policy sends no token over plain http."""

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = "Bearer local"


@pytest.fixture(scope="module")
def endpoint(read: Any) -> Iterator[str]:
    with serve(read.whole.cloud) as url:
        yield url


def client(kind: Any, read: Any, endpoint: str) -> Any:
    return kind(
        Token(),
        read.whole.agents.rpartition("/")[2],
        base_url=endpoint,
        credential_scopes=["https://management.azure.com/.default"],
        authentication_policy=Sign(),
    )


def bindings(read: Any, part: str) -> dict[str, Any]:
    return {b.id: b for b in read.snapshot.bindings if part in b.id}


def test_role_assignments(read: Any, endpoint: str) -> None:
    ours = bindings(read, "/roleassignments/")
    authorization = client(AuthorizationManagementClient, read, endpoint)
    found = list(authorization.role_assignments.list_for_subscription())
    assert len(found) > 5
    for one in found:
        mine = ours[one.id.lower()]
        assert mine.target == one.scope.lower()
        assert mine.members == (one.principal_id,)
        assert mine.role.endswith(one.role_definition_id.rpartition("/")[2])
        assert mine.condition == (one.condition or "")
        assert mine.attributes["principal_type"] == one.principal_type


def test_role_definitions(read: Any, endpoint: str) -> None:
    authorization = client(AuthorizationManagementClient, read, endpoint)
    found = {one.role_name: one for one in authorization.role_definitions.list("")}
    ours = {role.name for role in read.snapshot.managed_policies}
    assert found.keys() <= ours
    assert found["Owner"].permissions[0].actions == ["*"]


def test_deny_assignments(read: Any, endpoint: str) -> None:
    authorization = client(AuthorizationManagementClient, read, endpoint)
    (one,) = list(authorization.deny_assignments.list())
    (mine,) = [a for a in read.snapshot.attachments if a.kind == "deny"]
    assert (mine.policy, mine.target, mine.name) == (
        one.id.lower(),
        one.scope.lower(),
        one.deny_assignment_name,
    )
    assert one.exclude_principals[0].id == guid("group/nested")


def test_eligibility(read: Any, endpoint: str) -> None:
    authorization = client(AuthorizationManagementClient, read, endpoint)
    instances = authorization.role_eligibility_schedule_instances
    (one,) = list(instances.list_for_scope(read.whole.agents.strip("/")))
    mine = bindings(read, "/roleeligibilityscheduleinstances/")[one.id.lower()]
    assert (mine.status, mine.target) == ("eligible", one.scope.lower())
    assert mine.members == (one.principal_id,)


def test_accounts_deployments_projects_and_connections(read: Any, endpoint: str) -> None:
    cognitive = client(CognitiveServicesManagementClient, read, endpoint)
    place = ("rg-support", "acme-foundry")
    ours = {runtime.id: runtime for runtime in read.snapshot.runtimes}
    (deployment,) = list(cognitive.deployments.list(*place))
    mine = ours[deployment.id.lower()]
    assert mine.attributes["model"] == deployment.properties.model.name
    assert mine.version == deployment.properties.model.version
    assert mine.attributes["rai_policy"] == deployment.properties.rai_policy_name
    (project,) = list(cognitive.projects.list(*place))
    assert ours[project.id.lower()].identities == (project.identity.principal_id,)
    resources = {resource.id: resource for resource in read.snapshot.resources}
    (connection,) = list(cognitive.project_connections.list(*place, "support"))
    told = resources[connection.id.lower()].attributes
    assert told["category"] == connection.properties.category
    assert told["auth_type"] == connection.properties.auth_type
    assert told["target"] == connection.properties.target


def test_vaults_secrets_and_containers(read: Any, endpoint: str) -> None:
    ours = {resource.id: resource for resource in read.snapshot.resources}
    vaults = client(KeyVaultManagementClient, read, endpoint)
    keys = list(vaults.keys.list("rg-support", "kv-ml"))
    assert [ours[key.id.lower()].attributes["enabled"] for key in keys] == [False]
    storage = client(StorageManagementClient, read, endpoint)
    containers = list(storage.blob_containers.list("rg-support", "acmesupportkb"))
    assert [ours[one.id.lower()].attributes["public_access"] for one in containers] == [False]


def test_trusts_of_a_managed_identity(read: Any, endpoint: str) -> None:
    identities = client(ManagedServiceIdentityClient, read, endpoint)
    (one,) = list(identities.federated_identity_credentials.list("rg-support", "id-support"))
    (mine,) = [c for c in read.snapshot.credentials if c.id == one.id.lower()]
    assert mine.attributes["issuer"] == one.issuer
    assert mine.attributes["subject"] == one.subject


def test_queries(read: Any, endpoint: str) -> None:
    graph = ResourceGraphClient(
        Token(),
        base_url=endpoint,
        credential_scopes=["https://management.azure.com/.default"],
        authentication_policy=Sign(),
    )
    (text,) = [c.body["query"] for c in CALLS if c.operation == "resources" and c.body]
    answer: Any = graph.resources(QueryRequest(query=text))
    assert answer.count == read.whole.cloud.page
    assert answer.total_records > answer.count
    assert answer.skip_token
    ours = {resource.id for resource in read.snapshot.resources}
    assert {row["id"].lower() for row in answer.data} <= ours
