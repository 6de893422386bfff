"""A pod's account becomes a role of a cloud where both sides say so, and not where one does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from modelreach.policy.providers import engines
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Facts,
    Principal,
    Runtime,
    Scope,
    Snapshot,
    document_id,
    merge,
)

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/model"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
EXACT = {f"{ISSUER}:sub": "system:serviceaccount:ml:app", f"{ISSUER}:aud": "sts.amazonaws.com"}


def account(
    condition: Any = EXACT,
    *,
    operator: str = "StringEquals",
    clients: Any = ("sts.amazonaws.com",),
) -> Snapshot:
    """An account whose role lets tokens of the cluster in."""
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": condition},
        }
    }
    raw = json.dumps(trust).encode()
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-25T00:00:00Z",
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(
            Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT, name="model"),
            Principal(
                id=PROVIDER,
                provider="aws",
                kind="oidc-provider",
                scope=ACCOUNT,
                attributes={"client_ids": clients},
            ),
        ),
        attachments=(Attachment(target=ROLE, kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )


def radius(*parts: Snapshot, start: str) -> BlastRadius:
    whole = merge(parts, taken_at="2026-11-25T00:00:00Z", tool="")
    return reach([start], engines(Facts(whole)))


@pytest.fixture
def pod(cluster: Any) -> Callable[..., str]:
    """The service account of the model, annotated as asked, in a cluster with an issuer."""

    def make(name: str = "app", **attributes: Any) -> str:
        cluster.attributes.update(issuer=f"https://{ISSUER}", arn=CLUSTER)
        return str(cluster.account(name, **attributes))

    return make


def test_both_halves_make_a_hop(cluster: Any, pod: Any) -> None:
    sa = pod(role_arn=ROLE)
    found = radius(cluster.snapshot, account(), start=sa)
    assert set(found.identities) == {sa, ROLE}
    (hop,) = found.identities[ROLE].path.pivots
    assert (hop.kind, str(hop.strength)) == ("federation", "certain")
    trusts, says = hop.support
    assert says.note == f"annotated eks.amazonaws.com/role-arn: {ROLE}"
    assert trusts.statements[0].layer == "trust"


@pytest.mark.parametrize(
    ("condition", "attributes"),
    [
        (EXACT, {}),
        (EXACT, {"role_arn": ROLE.replace("model", "other")}),
        (EXACT | {f"{ISSUER}:sub": "system:serviceaccount:web:app"}, {"role_arn": ROLE}),
        (EXACT | {f"{ISSUER}:aud": "somebody-else"}, {"role_arn": ROLE}),
        (EXACT, {"role_arn": ROLE, "audience": "somebody-else"}),
    ],
    ids=[
        "no annotation",
        "another role",
        "another account",
        "another audience",
        "asks for another",
    ],
)
def test_half_a_federation_leads_nowhere(
    cluster: Any, pod: Any, condition: Any, attributes: Any
) -> None:
    sa = pod(**attributes)
    assert set(radius(cluster.snapshot, account(condition), start=sa).identities) == {sa}


def test_a_provider_that_does_not_take_the_audience_lets_nobody_in(cluster: Any, pod: Any) -> None:
    sa = pod(role_arn=ROLE)
    found = radius(cluster.snapshot, account(clients=("somebody-else",)), start=sa)
    assert set(found.identities) == {sa}


def test_a_token_that_is_mounted_needs_no_annotation(cluster: Any, pod: Any) -> None:
    sa = pod()
    cluster.runtime("pods", "p", sa, token_audiences=("sts.amazonaws.com",))
    assert set(radius(cluster.snapshot, account(), start=sa).identities) == {sa, ROLE}


def test_a_condition_on_what_is_not_known_is_told(cluster: Any, pod: Any) -> None:
    sa = pod(role_arn=ROLE)
    trust = account(EXACT | {f"{ISSUER}:kubernetes.io/pod": "p"})
    assert (
        str(radius(cluster.snapshot, trust, start=sa).identities[ROLE].path.strength) != "certain"
    )


def test_an_association_of_eks_needs_no_annotation(cluster: Any, pod: Any) -> None:
    sa, other = pod(), pod("other")
    association = Runtime(
        id=f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/prod/a-1",
        provider="aws",
        kind="eks:pod-identity-association",
        scope=ACCOUNT,
        identities=(ROLE,),
        attributes={"cluster": CLUSTER, "namespace": "ml", "service_account": "app"},
    )
    aws = msgspec.structs.replace(account({}), runtimes=(association,))
    aws = msgspec.structs.replace(aws, attachments=(), documents={})
    assert set(radius(cluster.snapshot, aws, start=sa).identities) == {sa, ROLE}
    assert set(radius(cluster.snapshot, aws, start=other).identities) == {other}


def test_a_way_through_the_cluster_ends_in_the_cloud(cluster: Any, pod: Any) -> None:
    """An account that may run pods acts as the other, whose token the role lets in."""
    start = pod("start")
    sa = pod(role_arn=ROLE)
    cluster.let(start, "create", "pods", namespace="ml")
    path = radius(cluster.snapshot, account(), start=start).identities[ROLE].path
    assert [(p.kind, p.target) for p in path.pivots] == [("run-code", sa), ("federation", ROLE)]
