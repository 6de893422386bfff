"""A release that runs in a pipeline reaches what lets its token in, and no more."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.policy.github.subject import read as read_github
from modelreach.policy.gitlab.subject import read as read_gitlab
from modelreach.policy.providers import cloud_of
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_id,
)

NOW = "2026-11-25T00:00:00Z"
GITHUB = "token.actions.githubusercontent.com"
MAIN = "repo:acme/agent:ref:refs/heads/main"
JOB = "project_path:acme/agent:ref_type:branch:ref:main"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"


def manifest(principal: str, cloud: str = "github", **context: str) -> deployment.Deployment:
    identity = {"id": "ci", "cloud": cloud, "principal": principal, "context": context}
    return deployment.decode(
        json.dumps(
            {
                "apiVersion": "modelreach/v1",
                "kind": "ModelDeployment",
                "metadata": {"name": "agent", "version": "1", "owner": "ml"},
                "spec": {"model": {"provider": "p", "id": "m"}, "identities": [identity]},
            }
        ).encode(),
        place="v1.yaml",
    )


def side(snapshot: Snapshot, principal: str = MAIN, cloud: str = "github", **context: str) -> Side:
    release = Release(manifest(principal, cloud, **context), snapshot)
    return evaluate(release, JudgePolicy(), Estates())


def account(issuer: str = GITHUB, **condition: dict[str, str]) -> Snapshot:
    """An account whose role lets tokens of a forge in under a condition."""
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    named = {
        operator: {f"{issuer}:{claim}": value for claim, value in claims.items()}
        for operator, claims in condition.items()
    }
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": named,
        }
    }
    raw = json.dumps(trust).encode()
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(
            Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT, name="deploy"),
            Principal(
                id=provider,
                provider="aws",
                kind="oidc-provider",
                scope=ACCOUNT,
                attributes={"client_ids": ("sts.amazonaws.com",)},
            ),
        ),
        attachments=(Attachment(target=ROLE, kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )


AUD = {"aud": "sts.amazonaws.com"}


def test_a_role_that_trusts_the_branch_is_reached_for_certain() -> None:
    found = side(account(StringEquals={**AUD, "sub": MAIN}))
    path = found.radius.identities[ROLE].path
    assert (path.start, str(path.strength)) == (MAIN, "certain")
    assert found.findings == ()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {**AUD, "sub": "repo:acme/agent:ref:refs/heads/dev"}},
        {"StringLike": {**AUD, "sub": "repo:acme/other:*"}},
        {"StringEquals": {"aud": "another", "sub": MAIN}},
        {"StringEquals": {**AUD, "sub": MAIN, "repository_owner": "other"}},
    ],
    ids=["another branch", "another repository", "another audience", "another claim"],
)
def test_a_role_that_trusts_another_is_not(condition: Any) -> None:
    assert ROLE not in side(account(**condition)).radius.identities


@pytest.mark.parametrize(
    ("declared", "strength"),
    [({}, "conditional"), ({"job_workflow_ref": "ours"}, "certain"),
     ({f"{GITHUB}:job_workflow_ref": "ours"}, "certain"), ({"job_workflow_ref": "theirs"}, "")],
    ids=["not declared", "declared", "as a condition key", "another"],
)  # fmt: skip
def test_a_condition_on_the_workflow_is_decided_by_what_is_declared(
    declared: Any, strength: str
) -> None:
    snapshot = account(StringEquals={**AUD, "sub": MAIN, "job_workflow_ref": "ours"})
    found = side(snapshot, **declared).radius.identities.get(ROLE)
    assert (str(found.path.strength) if found else "") == strength


@pytest.mark.parametrize(
    ("subject", "severity", "words"),
    [
        ("repo:*", "critical", "any repository of anybody on GitHub"),
        ("repo:acme/*", "high", "any repository of `acme`"),
        ("repo:acme/agent:*", "medium", "pull requests of `acme/agent`"),
        ("repo:acme/agent:ref:*", "medium", "any branch of `acme/agent`"),
    ],
)
def test_a_trust_in_a_pattern_is_wide(subject: str, severity: str, words: str) -> None:
    (one,) = side(account(StringLike={**AUD, "sub": subject})).findings
    assert (one.rule, str(one.severity)) == ("MR402", severity)
    assert words in one.message


def test_a_trust_without_a_subject_lets_anybody_in() -> None:
    (one,) = side(account(StringEquals=AUD)).findings
    assert str(one.severity) == "critical"


def test_a_job_of_gitlab_is_let_in_by_its_own_issuer() -> None:
    found = side(account("gitlab.com", StringEquals={**AUD, "sub": JOB}), JOB, "gitlab")
    assert ROLE in found.radius.identities
    own = account("git.acme.example", StringEquals={**AUD, "sub": JOB})
    assert ROLE not in side(own, JOB, "gitlab").radius.identities
    declared = side(own, JOB, "gitlab", iss="https://git.acme.example").radius
    assert ROLE in declared.identities


def tenant(**trust: Any) -> Snapshot:
    issuer = {"issuer": f"https://{GITHUB}", "audiences": ["api://AzureADTokenExchange"]}
    raw = json.dumps({**issuer, **trust}).encode()
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(Scope(id="t", provider="azure", kind="tenant"),),
        principals=(Principal(id="o", provider="azure", kind="service-principal", scope="t"),),
        attachments=(Attachment(target="o", kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )


def test_an_application_lets_the_branch_in() -> None:
    assert "o" in side(tenant(subject=MAIN)).radius.identities
    other = tenant(subject="repo:acme/agent:environment:prod")
    assert "o" not in side(other).radius.identities


def test_an_expression_of_an_application_reads_claims() -> None:
    def expression(text: str) -> Snapshot:
        return tenant(claimsMatchingExpression={"value": text})

    wide = side(expression("claims['sub'] matches 'repo:acme/*'"))
    assert "o" in wide.radius.identities
    assert [str(one.severity) for one in wide.findings] == ["high"]
    text = "claims['sub'] eq 'repo:acme/agent:ref:refs/heads/main' and claims['ref'] eq 'x'"
    assert "o" not in side(expression(text)).radius.identities


POOL = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/ci"
BUCKET = "//storage.googleapis.com/projects/_/buckets/b"


def project(member: str, condition: str = "") -> Snapshot:
    """A project whose pool lets GitHub in, and who may read its bucket."""
    raw = json.dumps({"includedPermissions": ["storage.objects.get"]}).encode()
    mapping = (
        "google.subject=assertion.sub",
        "attribute.repository=assertion.repository",
        "attribute.owner=assertion.repository_owner",
    )
    provider = Resource(
        id=f"{POOL}/providers/github",
        provider="gcp",
        kind="iam.googleapis.com/WorkloadIdentityPoolProvider",
        scope="projects/p",
        attributes={
            "federation": "oidc",
            "issuer": f"https://{GITHUB}",
            "attribute_mapping": mapping,
            "attribute_condition": condition,
        },
    )
    bucket = Resource(
        id=BUCKET, provider="gcp", kind="storage.googleapis.com/Bucket", scope="projects/p"
    )
    role = ManagedPolicy(
        id="roles/viewer",
        provider="gcp",
        scope="",
        default_version="1",
        versions={"1": document_id(raw)},
    )
    binding = Binding(id="b", provider="gcp", target=BUCKET, role=role.id, members=(member,))
    number = {"number": "11"}
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(Scope(id="projects/p", provider="gcp", kind="project", attributes={**number}),),
        resources=(bucket, provider),
        bindings=(binding,),
        managed_policies=(role,),
        documents={document_id(raw): msgspec.Raw(raw)},
    )


def reads(found: Side) -> list[str]:
    return [str(one.verdict) for one in found.radius.accesses if one.grant.resource == BUCKET]


def test_a_pool_lets_a_repository_in() -> None:
    exact = project(f"principalSet:{POOL}/attribute.repository/acme/agent")
    found = side(exact)
    assert reads(found) == ["allow"]
    assert [(one.rule, str(one.severity)) for one in found.findings if one.rule == "MR402"] == [
        ("MR402", "medium")
    ]
    assert reads(side(exact, "repo:acme/other:ref:refs/heads/main")) == []


def test_a_condition_of_the_provider_keeps_others_out() -> None:
    owner = "assertion.repository_owner == 'other'"
    assert reads(side(project(f"principalSet:{POOL}/*", owner))) == []


def test_a_pool_open_to_all_of_github_is_critical() -> None:
    (one,) = (f for f in side(project(f"principalSet:{POOL}/*")).findings if f.rule == "MR402")
    assert str(one.severity) == "critical"


@pytest.mark.parametrize(
    ("subject", "claims"),
    [
        (MAIN, {"repository": ("acme/agent",), "repository_owner": ("acme",),
                "ref": ("refs/heads/main",), "ref_type": ("branch",)}),
        ("repo:acme/agent:pull_request", {"repository": ("acme/agent",),
                                          "repository_owner": ("acme",),
                                          "event_name": ("pull_request",)}),
        ("repo:acme@12/agent@34:environment:prod",
         {"repository": ("acme/agent",), "repository_owner": ("acme",), "environment": ("prod",),
          "repository_id": ("34",), "repository_owner_id": ("12",)}),
    ],
)  # fmt: skip
def test_a_subject_tells_its_claims(subject: str, claims: dict[str, Any]) -> None:
    found = read_github(subject)
    assert found is not None
    assert found.claims == claims
    assert found.name == "acme/agent"


@pytest.mark.parametrize(
    "text", ["", "repo:", "repo:acme", "arn:aws:iam::1:role/x", "x\nrepo:a/b"]
)
def test_what_is_no_subject_is_nobody(text: str) -> None:
    assert read_github(text) is None
    assert read_gitlab(text) is None


def test_a_bare_subject_names_its_forge() -> None:
    assert cloud_of(MAIN, account()) == "github"
    assert cloud_of(JOB, account()) == "gitlab"
    assert cloud_of(ROLE, account()) == "aws"
