"""Keys that are a resource's and nobody's: which are found, and what is said of their age."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.deployment import Deployment, Identity, Metadata, Model, Spec
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Estates, Release, evaluate
from modelreach.snapshot import (
    SCHEMA,
    Binding,
    Credential,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

TENANT, SUB = "10000000-0000-0000-0000-000000000001", "/subscriptions/s"
RG = f"{SUB}/resourcegroups/g"
ME = "30000000-0000-0000-0000-000000000001"
STORAGE = f"{RG}/providers/microsoft.storage/storageaccounts/data"
ENDPOINT = f"{RG}/providers/microsoft.machinelearningservices/workspaces/w/onlineendpoints/e"
CONNECTION = f"{RG}/providers/microsoft.cognitiveservices/accounts/a/connections/serp"
ROLE = "/providers/microsoft.authorization/roledefinitions/r"
LIST_KEYS = "Microsoft.Storage/storageAccounts/listKeys/action"


def _findings(key: Credential, actions: list[str]) -> list[Any]:
    raw = document_bytes({"permissions": [{"actions": actions}], "type": "BuiltInRole"})
    role = ManagedPolicy(
        id=ROLE,
        provider="azure",
        scope="/",
        name="Role",
        default_version="current",
        versions={"current": document_id(raw)},
    )
    held = Binding(id="b", provider="azure", target=SUB, role=ROLE, members=(ME,), status="active")
    snapshot = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-25T00:00:00Z",
        scopes=(
            Scope(id=TENANT, provider="azure", kind="tenant"),
            Scope(id=SUB, provider="azure", kind="subscription", parent="/"),
        ),
        principals=(Principal(id=ME, provider="azure", kind="managed-identity", scope=TENANT),),
        resources=(
            Resource(
                id=STORAGE,
                provider="azure",
                kind="microsoft.storage/storageaccounts",
                scope=RG,
                name="data",
            ),
            Resource(
                id=CONNECTION,
                provider="azure",
                kind="microsoft.cognitiveservices/accounts/connections",
                scope=RG,
                name="serp",
            ),
            Resource(id=ENDPOINT, provider="azure", kind="endpoint", scope=RG, name="e"),
        ),
        runtimes=(Runtime(id=ENDPOINT, provider="azure", kind="e", scope=RG, identities=(ME,)),),
        credentials=(key,),
        managed_policies=(role,),
        bindings=(held,),
        documents=documents_of({document_id(raw): raw}),
    )
    deployment = Deployment(
        api_version="modelreach/v1",
        kind="ModelDeployment",
        metadata=Metadata(name="m", version="1", owner="o"),
        spec=Spec(
            model=Model(provider="azure-ml", id="m"),
            identities=(Identity(id="i", cloud="azure", principal=ME),),
        ),
    )
    side = evaluate(Release(deployment, snapshot), JudgePolicy(), Estates())
    return [finding for finding in side.findings if finding.rule == "MR301"]


def _key(kind: str, resource: str, **facts: Any) -> Credential:
    return Credential(
        id=f"{resource}/keys/key1",
        provider="azure",
        kind=kind,
        principal=resource,
        scope=RG,
        **{"status": "active", "expires": "never", **facts},
    )


def test_a_key_that_can_be_listed_is_found() -> None:
    (found,) = _findings(_key("storage-key", STORAGE), [LIST_KEYS])
    assert "can list it" in found.message
    assert "its age is not known" in found.evidence
    assert found.granted_by


def test_an_old_key_weighs_more() -> None:
    key = _key("storage-key", STORAGE, created="2024-01-01T00:00:00Z")
    (found,) = _findings(key, [LIST_KEYS])
    assert found.severity == "high"


@pytest.mark.parametrize(
    ("facts", "actions"),
    [
        ({"status": "disabled"}, [LIST_KEYS]),
        ({}, ["Microsoft.Storage/storageAccounts/read"]),
        ({"created": "2026-11-20T00:00:00Z", "expires": "2026-12-20T00:00:00Z"}, [LIST_KEYS]),
    ],
)
def test_what_opens_nothing_or_is_out_of_reach_or_fresh_is_not(
    facts: dict[str, str], actions: list[str]
) -> None:
    assert _findings(_key("storage-key", STORAGE, **facts), actions) == []


def test_a_key_of_the_models_own_endpoint_is_found_though_nobody_lists_it() -> None:
    (found,) = _findings(_key("aml-key", ENDPOINT), ["*/read"])
    assert "calls the deployment's own model" in found.message


def test_a_stored_credential_that_can_be_fetched_is_found() -> None:
    (found,) = _findings(
        _key("stored-connection", CONNECTION, status=""),
        ["Microsoft.CognitiveServices/accounts/connections/listsecrets/action"],
    )
    assert "stored credential" in found.message
    assert found.subject == CONNECTION


def test_a_secret_that_has_expired_is_not() -> None:
    key = Credential(
        id="s", provider="azure", kind="client-secret", principal=ME, scope=TENANT,
        status="expired", created="2020-01-01T00:00:00Z", expires="2021-01-01T00:00:00Z",
    )  # fmt: skip
    assert _findings(key, ["*/read"]) == []
