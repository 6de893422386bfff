"""Halves that are left, and trusts that are wider than the workload, as findings of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from modelreach import deployment
from modelreach.judge.finding import Finding
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Estates, Release, Side, evaluate
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    Coverage,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_id,
    merge,
)

NOW = "2026-11-25T00:00:00Z"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/model"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
SA = "k8s/prod/system:serviceaccount:ml:app"
TENANT = "11111111-0000-0000-0000-000000000000"
APP = "22222222-0000-0000-0000-000000000000"
OBJECT = "33333333-0000-0000-0000-000000000000"
POOL = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/k8s"


def snapshot(**sections: Any) -> Snapshot:
    return Snapshot(schema=SCHEMA, taken_at=NOW, **sections)


def cluster(*names: str, **attributes: Any) -> Snapshot:
    """A cluster whose account `app` has the attributes; the others have none."""
    return snapshot(
        scopes=(
            Scope(
                id="k8s/prod",
                provider="kubernetes",
                kind="cluster",
                attributes={"issuer": f"https://{ISSUER}"},
            ),
        ),
        principals=tuple(
            Principal(
                id=f"k8s/prod/system:serviceaccount:ml:{name}",
                provider="kubernetes",
                kind="service-account",
                scope="k8s/prod/ml",
                attributes=attributes if name == "app" else {},
            )
            for name in ("app", *names)
        ),
    )


def account(
    subject: str = "system:serviceaccount:ml:app",
    *,
    condition: Any = None,
    role: bool = True,
    read: bool = True,
    gaps: Iterable[Gap] = (),
) -> Snapshot:
    """An account with a role that lets a subject of the cluster in."""
    exact = {"StringLike": {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}}
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": OIDC},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": exact if condition is None else condition,
        }
    }
    raw = json.dumps(trust).encode()
    provider = Principal(
        id=OIDC,
        provider="aws",
        kind="oidc-provider",
        scope=ACCOUNT,
        attributes={"client_ids": ("sts.amazonaws.com",)},
    )
    owner = Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT, name="model")
    return snapshot(
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(provider, owner) if role else (provider,),
        attachments=(Attachment(target=ROLE, kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
        coverage=(Coverage(provider="aws", scope=ACCOUNT, kind="principals", complete=read),),
        gaps=tuple(gaps),
    )


def side(*parts: Snapshot, principal: str = SA) -> Side:
    whole = merge(parts, taken_at=NOW, tool="")
    release = Release(deployment.of_principal(principal, "kubernetes"), whole)
    return evaluate(release, JudgePolicy(), Estates())


def found(rule: str, *parts: Snapshot, principal: str = SA) -> list[Finding]:
    return [one for one in side(*parts, principal=principal).findings if one.rule == rule]


# --- AWS -----------------------------------------------------------------------------------


def test_both_halves_are_no_finding() -> None:
    both = side(cluster(role_arn=ROLE), account())
    assert ROLE in both.radius.identities
    assert both.findings == ()


def test_an_annotation_that_its_role_does_not_let_in() -> None:
    (one,) = found("MR401", cluster(role_arn=ROLE), account("system:serviceaccount:web:app"))
    assert (one.subject, str(one.severity)) == (SA, "low")
    assert "stale annotation" in one.message
    assert one.evidence[0] == f"annotated eks.amazonaws.com/role-arn: {ROLE}"


def test_an_annotation_of_a_role_that_does_not_exist() -> None:
    (one,) = found("MR401", cluster(role_arn=ROLE), account(role=False))
    assert "there is no such identity" in one.message
    assert str(one.severity) == "medium"


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (account(role=False, read=False),),
        (
            account(
                "another",
                gaps=[Gap(provider="aws", scope=ACCOUNT, kind="principals", reason="denied")],
            ),
        ),
        (
            account(
                "another",
                gaps=[
                    Gap(
                        provider="aws",
                        scope=ACCOUNT,
                        kind="details",
                        reason="denied",
                        subject=OIDC,
                    )
                ],
            ),
        ),
    ],
    ids=["not collected", "roles not read", "providers not read", "one provider not read"],
)
def test_what_was_not_read_is_unknown_and_never_stale(parts: tuple[Snapshot, ...]) -> None:
    unread = side(cluster(role_arn=ROLE), *parts)
    assert unread.findings == ()
    (gap,) = (gap for gap in unread.gaps if gap.kind == "identity")
    assert (gap.provider, gap.subject, gap.reason) == ("aws", ROLE, "not-collected")


def test_a_trust_in_an_account_that_says_nothing() -> None:
    (one,) = found("MR401", cluster(), account())
    assert (one.subject, str(one.severity)) == (ROLE, "medium")
    assert "trust is left" in one.message
    assert one.path is not None
    assert [pivot.target for pivot in one.path.pivots] == [ROLE]
    assert one.granted_by[0].layer == "trust"


def test_a_trust_in_another_workload_is_none_of_this_release() -> None:
    assert side(cluster("other"), account("system:serviceaccount:ml:other")).findings == ()


@pytest.mark.parametrize(
    ("subject", "severity", "words"),
    [
        ("system:serviceaccount:*", "high", "any service account of the cluster"),
        ("system:serviceaccount:ml:*", "medium", "any service account of namespace `ml`"),
    ],
)
@pytest.mark.parametrize("said", [True, False], ids=["used", "not yet used"])
def test_a_trust_in_a_pattern(subject: str, severity: str, words: str, said: bool) -> None:
    both = side(cluster(**({"role_arn": ROLE} if said else {})), account(subject))
    (one,) = both.findings
    assert (one.rule, one.subject, str(one.severity)) == ("MR402", ROLE, severity)
    assert words in one.message
    assert "name it in statement 1 of trust policy" in one.fix
    assert (ROLE in both.radius.identities) is said


def test_a_trust_without_a_condition_on_the_subject() -> None:
    bare = account(condition={"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}})
    (one,) = found("MR402", cluster(role_arn=ROLE), bare)
    assert str(one.severity) == "high"


def test_a_trust_that_lets_strangers_in_under_a_condition_is_low() -> None:
    pod = {f"{ISSUER}:kubernetes.io/pod": "p"}
    wide = {"StringLike": {f"{ISSUER}:sub": "system:serviceaccount:*"}, "StringEquals": pod}
    (one,) = found("MR402", cluster(role_arn=ROLE), account(condition=wide))
    assert str(one.severity) == "low"
    assert "under conditions" in one.message


# --- Azure ---------------------------------------------------------------------------------


def tenant(
    subject: str = "system:serviceaccount:ml:app", *, expression: str = "", read: bool = True
) -> Snapshot:
    """A tenant with an identity that lets a subject of the cluster in."""
    trust: dict[str, Any] = {
        "issuer": f"https://{ISSUER}",
        "audiences": ["api://AzureADTokenExchange"],
    }
    if expression:
        trust["claimsMatchingExpression"] = {"value": expression}
    else:
        trust["subject"] = subject
    raw = json.dumps(trust).encode()
    return snapshot(
        scopes=(Scope(id=TENANT, provider="azure", kind="tenant"),),
        principals=(
            Principal(
                id=OBJECT,
                provider="azure",
                kind="managed-identity",
                scope=TENANT,
                name="model",
                attributes={"app_id": APP},
            ),
        ),
        attachments=(Attachment(target=OBJECT, kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
        coverage=(Coverage(provider="azure", scope=TENANT, kind="principals", complete=read),),
    )


def test_azure_lets_its_client_in() -> None:
    both = side(cluster(azure_client_id=APP), tenant())
    assert OBJECT in both.radius.identities
    assert both.findings == ()


def test_azure_annotation_and_credential_are_left_in_turn() -> None:
    (one,) = found("MR401", cluster(azure_client_id=APP), tenant("system:serviceaccount:a:b"))
    assert "stale annotation" in one.message
    (other,) = found("MR401", cluster(), tenant())
    assert other.subject == OBJECT
    assert "trust is left" in other.message


def test_azure_expression_that_matches_all() -> None:
    wide = "claims['sub'] matches 'system:serviceaccount:*'"
    (one,) = found("MR402", cluster(azure_client_id=APP), tenant(expression=wide))
    assert (one.subject, str(one.severity)) == (OBJECT, "high")


# --- Google Cloud --------------------------------------------------------------------------


def project(member: str, *, condition: str = "", provider: bool = True) -> Snapshot:
    """A project whose pool maps the subjects of the cluster, and who may read its bucket."""
    kind = "iam.googleapis.com/WorkloadIdentityPoolProvider"
    attributes: dict[str, Any] = {
        "federation": "oidc",
        "issuer": f"https://{ISSUER}",
        "attribute_mapping": (
            "google.subject=assertion.sub",
            "attribute.namespace=assertion.sub.extract('serviceaccount:{namespace}:')",
        ),
        "attribute_condition": condition,
        "audiences": ("sts.amazonaws.com",),
    }
    raw = json.dumps({"includedPermissions": ["storage.objects.get"]}).encode()
    bucket = "//storage.googleapis.com/projects/_/buckets/b"
    place: dict[str, Any] = {"provider": "gcp", "scope": "projects/p"}
    name = f"{POOL}/providers/eks".replace("/11/", "/p/")
    resources = [Resource(id=bucket, kind="storage.googleapis.com/Bucket", name="b", **place)]
    if provider:
        resources.append(Resource(id=name, kind=kind, attributes=attributes, **place))
    return snapshot(
        scopes=(
            Scope(id="projects/p", provider="gcp", kind="project", attributes={"number": "11"}),
        ),
        resources=tuple(resources),
        bindings=(
            Binding(id="b", provider="gcp", target=bucket, role="roles/viewer", members=(member,)),
        ),
        managed_policies=(
            ManagedPolicy(
                id="roles/viewer",
                provider="gcp",
                scope="",
                default_version="1",
                versions={"1": document_id(raw)},
            ),
        ),
        documents={document_id(raw): msgspec.Raw(raw)},
        coverage=tuple(
            Coverage(provider="gcp", scope="projects/p", kind=one)
            for one in ("bindings", "principals", kind)
        ),
    )


EXACT = f"principal:{POOL}/subject/system:serviceaccount:ml:app"
POD = cluster(role_arn=ROLE)


def test_a_pool_that_holds_the_workload_to_its_name_is_no_finding() -> None:
    both = side(POD, account(), project(EXACT))
    assert EXACT in both.radius.identities
    assert [one for one in both.findings if one.subject != ROLE] == []


def test_a_binding_for_a_whole_pool_is_wide() -> None:
    mounted = project(f"principalSet:{POOL}/*")
    (one,) = found("MR402", POD, account(), mounted)
    assert str(one.severity) == "high"
    assert "any service account of the cluster" in one.message


def test_a_binding_for_a_namespace_is_wide_beside_it() -> None:
    mounted = project(f"principalSet:{POOL}/attribute.namespace/ml")
    (one,) = found("MR402", POD, account(), mounted)
    assert str(one.severity) == "medium"
    assert "any service account of namespace `ml`" in one.message


def test_a_condition_of_the_provider_narrows_it() -> None:
    narrow = "assertion.sub == 'system:serviceaccount:ml:app'"
    whole = project(f"principalSet:{POOL}/*", condition=narrow)
    assert found("MR402", POD, account(), whole) == []


def test_a_binding_without_a_provider_is_left() -> None:
    (one,) = found("MR401", POD, account(), project(EXACT, provider=False))
    assert "binding is left" in one.message
    assert one.granted_by[0].policy == "roles/viewer"


def test_a_pool_without_a_binding_is_left() -> None:
    other = project(f"principal:{POOL}/subject/system:serviceaccount:web:app")
    (one,) = found("MR401", POD, account(), other)
    assert "pool is left" in one.message


def test_trusts_that_name_others_are_passed_over_and_patterns_are_not() -> None:
    """A trust is told by its letters only where it has nothing but letters."""
    for operator, subject, found_there in (
        ("StringEquals", "system:serviceaccount:ml:app", True),
        ("StringEquals", "system:serviceaccount:ml:ap", False),
        ("StringLike", "system:serviceaccount:ml:a*", True),
        ("StringNotEquals", "system:serviceaccount:ml:other", True),
        ("StringEqualsIfExists", "system:serviceaccount:ml:app", True),
    ):
        trust = account(condition={operator: {f"{ISSUER}:sub": subject}})
        left = found("MR401", cluster(), trust) + found("MR402", cluster(), trust)
        assert bool(left) is found_there, (operator, subject)


def test_a_second_statement_may_let_in_whom_the_first_does_not() -> None:
    exact = account("system:serviceaccount:ml:other", condition={
        "StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:ml:other"}
    })  # fmt: skip
    (trust,) = exact.attachments
    first = json.loads(bytes(exact.documents[trust.document]))["Statement"]
    both = {"Statement": [first, {key: first[key] for key in first if key != "Condition"}]}
    raw = json.dumps(both).encode()
    whole = msgspec.structs.replace(
        exact,
        attachments=(msgspec.structs.replace(trust, document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    assert found("MR402", cluster(), whole)
    assert not found("MR402", cluster(), exact)
