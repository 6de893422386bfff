"""Long-lived credentials of accounts, and runtimes that run as nobody's account."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.deployment import Deployment, Identity, Metadata, Model, Spec
from modelreach.judge.finding import Finding
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.snapshot import Credential, Runtime

PROJECT, ORG = "projects/p", "organizations/1"
ENDPOINT = "//aiplatform.googleapis.com/projects/11/locations/us/endpoints/7"
OLD, FRESH = "2024-01-01T00:00:00Z", "2026-11-20T00:00:00Z"


def _side(estate: Any, principal: str) -> Side:
    deployment = Deployment(
        api_version="modelreach/v1",
        kind="ModelDeployment",
        metadata=Metadata(name="m", version="1", owner="o"),
        spec=Spec(
            model=Model(provider="vertex-ai", id="m"),
            identities=(Identity(id="i", cloud="gcp", principal=principal),),
        ),
    )
    return evaluate(Release(deployment, estate.snapshot()), JudgePolicy(), Estates())


def _found(estate: Any, who: str, **facts: Any) -> list[Finding]:
    told: dict[str, Any] = {
        "kind": "service-account-key",
        "principal": who,
        "status": "active",
        "created": FRESH,
        "expires": "never",
    } | facts
    estate.credentials.append(Credential(id="k", provider="gcp", scope=PROJECT, **told))
    return [one for one in _side(estate, who).findings if one.rule == "MR301"]


@pytest.fixture
def ml(estate: Any) -> str:
    member: str = estate.account("ml")
    return member


@pytest.mark.parametrize(
    ("facts", "severities"),
    [
        ({"created": OLD}, ["high"]),
        ({}, ["medium"]),
        ({"expires": "2026-12-24T00:00:00Z"}, []),
        ({"status": "disabled", "created": OLD}, []),
        ({"created": OLD, "attributes": {"origin": "USER_PROVIDED"}}, ["high"]),
        ({"attributes": {"exposed": True}}, ["critical"]),
        ({"kind": "hmac-key"}, ["medium"]),
        ({"kind": "hmac-key", "status": "disabled"}, []),
        ({"kind": "api-key"}, ["medium"]),
    ],
)
def test_keys_of_an_account(
    estate: Any, ml: str, facts: dict[str, Any], severities: list[str]
) -> None:
    """G41, G42, G44, G45: each kind, old and fresh, disabled, uploaded and exposed."""
    assert [str(one.severity) for one in _found(estate, ml, **facts)] == severities


def test_a_constraint_against_keys_leaves_those_that_there_are(estate: Any, ml: str) -> None:
    """G43: it is not retroactive."""
    rules = {"spec": {"rules": [{"enforce": True}]}}
    estate.attach(ORG, "org-policy", rules, "iam.disableServiceAccountKeyCreation")
    (found,) = _found(estate, ml, created=OLD)
    assert "days old" in found.message


@pytest.mark.parametrize(
    ("facts", "called"),
    [
        ({"attributes": {"restricted": False}}, "unrestricted API key"),
        ({"attributes": {"api_targets": ("aiplatform.googleapis.com",)}}, "API key"),
        ({"attributes": {"api_targets": ("generativelanguage.googleapis.com:G",)}}, "API key"),
        ({"attributes": {"restricted": True, "api_targets": ("maps.googleapis.com",)}}, ""),
        ({"status": "disabled"}, ""),
        ({"expires": "2026-12-24T00:00:00Z"}, ""),
    ],
)
def test_api_keys_of_nobody_beside_the_deployment(
    estate: Any, ml: str, facts: dict[str, Any], called: str
) -> None:
    """G44: they call models, and open no data of an identity."""
    found = _found(estate, ml, kind="api-key", principal="", **facts)
    assert [one.message.partition(" `")[0] for one in found] == ([called] if called else [])
    for one in found:
        assert "calls models in the deployment's project" in one.message
        assert any("key of nobody's" in said for said in one.evidence)


def test_a_runtime_of_googles_own_account_reaches_nothing(estate: Any) -> None:
    """G31: a model that is deployed without an account holds nothing in the project."""
    estate.runtimes.append(
        Runtime(
            id=ENDPOINT,
            provider="gcp",
            kind="aiplatform.googleapis.com/Endpoint",
            scope=PROJECT,
            attributes={"runs_as": "google-managed"},
        )
    )
    estate.bucket("data")
    side = _side(estate, ENDPOINT)
    assert side.case.radius.accesses == ()
    assert side.case.radius.identities == {}
    assert side.gaps == ()


def test_object_access_lists_are_unknown(estate: Any, ml: str) -> None:
    """G46: no role grants it; what the lists of objects say is not collected."""
    open_, uniform = (
        estate.bucket("old", uniform_access=False),
        estate.bucket("new", uniform_access=True),
    )
    assert estate.verdict(ml, "storage.objects.get", open_) == "unknown"
    assert estate.verdict(ml, "storage.objects.get", f"{open_}/objects/a") == "unknown"
    assert estate.verdict(ml, "storage.objects.list", open_) == "deny"
    assert estate.verdict(ml, "storage.objects.get", uniform) == "deny"
    estate.bind(PROJECT, "roles/storage.objectViewer", ml)
    assert estate.verdict(ml, "storage.objects.get", open_) == "allow"


@pytest.mark.parametrize(
    ("services", "noted"),
    [(("storage.googleapis.com",), True), (("bigquery.googleapis.com",), False)],
)
def test_perimeters_are_told_of(
    estate: Any, ml: str, services: tuple[str, ...], noted: bool
) -> None:
    """G47: the reach stays, with a note."""
    estate.scope(
        PROJECT, "project", "folders/2", perimeters=("data",), restricted_services=services
    )
    data = estate.bucket("data")
    estate.bind(PROJECT, "roles/storage.objectViewer", ml)
    decision = estate.engine().decide(ml, "storage.objects.get", data)
    assert decision.verdict == "allow"
    assert any("perimeter data" in note for note in decision.assumes) is noted
    for grant in estate.engine().grants(ml):
        if grant.resource == data:
            assert any("perimeter data" in note for note in grant.assumes) is noted


def test_a_key_of_storage_opens_storage_and_nothing_else(estate: Any, ml: str) -> None:
    """G45: it signs requests for Cloud Storage, not tokens."""
    estate.bucket("data")
    estate.secret("s")
    estate.bind(PROJECT, "roles/storage.objectViewer", ml)
    estate.bind(PROJECT, "roles/secretmanager.secretAccessor", ml)
    (whole,) = _found(estate, ml)
    assert any("sensitive (`s`)" in said for said in whole.evidence)
    estate.credentials.clear()
    (found,) = _found(estate, ml, kind="hmac-key")
    opened = next(said for said in found.evidence if said.startswith("opens"))
    assert opened.startswith("opens 1 resource")
    assert "sensitive" not in opened
