"""A way into other clouds, of which one half could not be read, is neither lost nor gained."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from modelreach.deployment import of_principal
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, Side, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates
from modelreach.snapshot import (
    Attachment,
    Gap,
    Principal,
    Scope,
    Snapshot,
    document_id,
    merge,
)
from organisations.outbound import (
    ACCOUNT,
    ANY,
    BUCKET,
    NOW,
    OBJECT,
    POOL,
    ROLE,
    TENANT,
    account,
    project,
    snapshot,
    tenant,
)

CLUSTER, PROJECT = "k8s/prod", "projects/p"
OIDC = "oidc.eks.eu-west-1.amazonaws.com/id/F00D"
POD = f"{CLUSTER}/system:serviceaccount:ml:desk"
PROVIDER = "iam.googleapis.com/WorkloadIdentityPoolProvider"


def _cluster() -> Snapshot:
    """A pod's account, and the trust of the role that it has."""
    place: dict[str, Any] = {"provider": "kubernetes"}
    oidc = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{OIDC}"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": oidc},
        "Condition": {"StringEquals": {f"{OIDC}:sub": "system:serviceaccount:ml:desk"}},
    }
    raw = json.dumps({"Statement": [trust]}).encode()
    issuer: dict[str, Any] = {"issuer": f"https://{OIDC}"}
    return snapshot(
        scopes=(
            Scope(id=CLUSTER, kind="cluster", attributes=issuer, **place),
            Scope(id=f"{CLUSTER}/ml", kind="namespace", parent=CLUSTER, **place),
        ),
        principals=(
            Principal(
                id=POD,
                kind="service-account",
                scope=f"{CLUSTER}/ml",
                attributes={"role_arn": ROLE},
                **place,
            ),
            Principal(id=oidc, provider="aws", kind="oidc-provider", scope=ACCOUNT),
        ),
        attachments=(Attachment(target=ROLE, kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )


def _side(made: Snapshot) -> Side:
    release = Release(of_principal(POD, "kubernetes"), made)
    return evaluate(release, JudgePolicy(), Estates())


def _gap(provider: str, scope: str, kind: str, subject: str = "") -> Gap:
    return Gap(provider=provider, scope=scope, kind=kind, reason="denied", subject=subject)


def _without(made: Snapshot, section: str, name: str, kind: str = "") -> Snapshot:
    """Leave out what has a name: its id, or its target (of attachments of this kind)."""

    def is_meant(fact: Any) -> bool:
        named = {getattr(fact, "id", None), getattr(fact, "target", None)}
        return name in named and kind in ("", getattr(fact, "kind", ""))

    left: Any = {section: tuple(one for one in getattr(made, section) if not is_meant(one))}
    return replace(made, **left)


def _untold(made: Snapshot, scope: str) -> Snapshot:
    """Leave out what a scope tells of itself."""
    scopes = (replace(one, attributes={}) if one.id == scope else one for one in made.scopes)
    return replace(made, scopes=tuple(scopes))


#: The role's tokens are let in by an identity of Azure and a pool of Google Cloud.
FULL = merge([_cluster(), account(ANY), tenant(), project()], taken_at=NOW, tool="")
UNREAD = {
    "cluster-identity": (_untold(FULL, CLUSTER), _gap("kubernetes", CLUSTER, "cluster-identity")),
    "cluster-accounts": (
        replace(FULL, principals=tuple(replace(p, attributes={}) for p in FULL.principals)),
        _gap("kubernetes", CLUSTER, "cluster-identity"),
    ),
    "trust": (_without(FULL, "attachments", ROLE, "trust"), _gap("aws", ACCOUNT, "trust", ROLE)),
    "identity-policy": (
        _without(FULL, "attachments", ROLE, "identity"),
        _gap("aws", ACCOUNT, "identity-policy", ROLE),
    ),
    "principals": (_without(FULL, "principals", ROLE), _gap("aws", ACCOUNT, "principals")),
    "token-issuer": (_untold(FULL, ACCOUNT), _gap("aws", ACCOUNT, "token-issuer", ACCOUNT)),
    "credentials-of-azure": (
        _without(FULL, "attachments", OBJECT, "trust"),
        _gap("azure", TENANT, "trust", OBJECT),
    ),
    "principals-of-azure": (
        _without(FULL, "principals", OBJECT),
        _gap("azure", TENANT, "principals"),
    ),
    "pool": (
        _without(FULL, "resources", f"{POOL}/providers/sts"),
        _gap("gcp", PROJECT, PROVIDER),
    ),
    "bindings": (_without(FULL, "bindings", "b"), _gap("gcp", PROJECT, "bindings")),
    "roles": (
        _without(FULL, "managed_policies", "roles/r"),
        _gap("gcp", PROJECT, "roles", "roles/r"),
    ),
    "buckets": (
        _without(FULL, "resources", BUCKET),
        _gap("gcp", PROJECT, "storage.googleapis.com/Bucket"),
    ),
}


def test_all_of_it_is_reached() -> None:
    radius = _side(FULL).radius
    assert {ROLE, OBJECT} <= radius.identities.keys()
    assert BUCKET in {one.grant.resource for one in radius.accesses}


@pytest.mark.parametrize("what", sorted(UNREAD))
def test_a_half_that_was_not_read_is_not_lost(what: str) -> None:
    less, gap = UNREAD[what]
    full, poor = _side(FULL), _side(replace(less, gaps=(gap,)))
    there = diff_report(full, poor, GateOptions())
    back = diff_report(poor, full, GateOptions())
    assert {row.kind for row in there.changes} == {"unknown"}
    assert {row.kind for row in back.changes} == {"unknown"}
    assert not [row for row in there.findings if row.state == "gone"]
