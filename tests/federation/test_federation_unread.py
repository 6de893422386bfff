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
    SCHEMA,
    Attachment,
    AttachmentKind,
    Binding,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_id,
)

CLUSTER, ACCOUNT, TENANT, PROJECT = "k8s/prod", "111122223333", "tenant", "projects/p"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/F00D"
TOKENS = "a1b2c3d4-0000-4000-8000-000000000000.tokens.sts.global.api.aws"
POD = f"{CLUSTER}/system:serviceaccount:ml:desk"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/desk"
MODEL = "33333333-0000-0000-0000-000000000000"
POOL = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/aws"
PROVIDER = "iam.googleapis.com/WorkloadIdentityPoolProvider"
BUCKET = "//storage.googleapis.com/projects/_/buckets/b"


class _Estate:
    """A pod's account has a role of AWS, whose tokens an identity of Azure and a pool of Google
    Cloud let in."""

    def __init__(self) -> None:
        self.documents: dict[str, msgspec.Raw] = {}

    def _kept(self, said: dict[str, Any]) -> str:
        raw = json.dumps(said).encode()
        self.documents[document_id(raw)] = msgspec.Raw(raw)
        return document_id(raw)

    def _attached(self, target: str, kind: AttachmentKind, said: dict[str, Any]) -> Attachment:
        return Attachment(target=target, kind=kind, document=self._kept(said), name=kind)

    def made(self) -> Snapshot:
        oidc = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
        exact = {f"{ISSUER}:sub": "system:serviceaccount:ml:desk"}
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": oidc},
            "Condition": {"StringEquals": exact},
        }
        own = {"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*"}
        accepted = {
            "issuer": f"https://{TOKENS}",
            "subject": ROLE,
            "audiences": ["api://AzureADTokenExchange"],
        }
        mapping = ("google.subject=assertion.sub",)
        return Snapshot(
            schema=SCHEMA,
            taken_at="2026-11-25T00:00:00Z",
            scopes=(
                Scope(
                    id=CLUSTER,
                    provider="kubernetes",
                    kind="cluster",
                    attributes={"issuer": f"https://{ISSUER}"},
                ),
                Scope(id=f"{CLUSTER}/ml", provider="kubernetes", kind="namespace", parent=CLUSTER),
                Scope(
                    id=ACCOUNT,
                    provider="aws",
                    kind="account",
                    attributes={"issues_tokens": True, "token_issuer": f"https://{TOKENS}"},
                ),
                Scope(id=TENANT, provider="azure", kind="tenant"),
                Scope(id=PROJECT, provider="gcp", kind="project", attributes={"number": "11"}),
            ),
            principals=(
                Principal(
                    id=POD,
                    provider="kubernetes",
                    kind="service-account",
                    scope=f"{CLUSTER}/ml",
                    attributes={"role_arn": ROLE},
                ),
                Principal(id=oidc, provider="aws", kind="oidc-provider", scope=ACCOUNT),
                Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT, name="desk"),
                Principal(id=MODEL, provider="azure", kind="managed-identity", scope=TENANT),
            ),
            resources=(
                Resource(
                    id=f"{POOL}/providers/sts",
                    provider="gcp",
                    kind=PROVIDER,
                    scope=PROJECT,
                    attributes={
                        "federation": "oidc",
                        "issuer": f"https://{TOKENS}",
                        "attribute_mapping": mapping,
                    },
                ),
                Resource(
                    id=BUCKET, provider="gcp", kind="storage.googleapis.com/Bucket", scope=PROJECT
                ),
            ),
            attachments=(
                self._attached(ROLE, "trust", {"Statement": [trust]}),
                self._attached(ROLE, "identity", {"Statement": [own]}),
                self._attached(MODEL, "trust", accepted),
            ),
            bindings=(
                Binding(
                    id="b",
                    provider="gcp",
                    target=BUCKET,
                    role="roles/r",
                    members=(f"principal:{POOL}/subject/{ROLE}",),
                ),
            ),
            managed_policies=(
                ManagedPolicy(
                    id="roles/r",
                    provider="gcp",
                    scope="",
                    default_version="1",
                    versions={"1": self._kept({"includedPermissions": ["storage.objects.get"]})},
                ),
            ),
            documents=self.documents,
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


FULL = _Estate().made()
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
        _without(FULL, "attachments", MODEL, "trust"),
        _gap("azure", TENANT, "trust", MODEL),
    ),
    "principals-of-azure": (
        _without(FULL, "principals", MODEL),
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
    assert {ROLE, MODEL} <= radius.identities.keys()
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
