"""Two wires: a tenant of Azure and a cluster of AKS, whose identity holds data actions in it and
lets identity tokens of an account of AWS in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azure_agent.builder import Builder, guid
from azure_agent.server import Cloud, serve
from kubernetes_api.server import ApiServer
from modelreach.cli import run
from modelreach.policy.engine import Token
from modelreach.policy.providers import engines
from modelreach.reach import reach
from modelreach.snapshot import Facts, decode

ISSUER = "https://oidc.example/aks"
TOKENS = "a1b2c3d4-0000-4000-8000-000000000000.tokens.sts.global.api.aws"
ROLE = "arn:aws:iam::111122223333:role/desk"
ACTION = "Microsoft.ContainerService/managedClusters/secrets/read"


def tenant() -> tuple[Cloud, str, str]:
    """A tenant, its cluster, and an identity that reads secrets of one namespace."""
    cloud = Cloud(tenant=guid("tenant"))
    make = Builder(cloud)
    group = make.group(make.subscription("run"), "rg-run")
    about = {
        "oidcIssuerProfile": {"enabled": True, "issuerURL": f"{ISSUER}/"},
        "aadProfile": {"enableAzureRBAC": True},
        "disableLocalAccounts": True,
    }
    kind = "Microsoft.ContainerService/managedClusters"
    cluster = make.resource(group, kind, "prod", properties=about)
    identity, principal = make.identity(group, "id-desk")
    block = {"actions": [], "notActions": [], "dataActions": [ACTION], "notDataActions": []}
    reads = make.role(guid("role/aks"), "AKS Secret Reader", block, custom=True)
    make.assign(f"{cluster}/namespaces/ml", reads, principal)
    make.part(
        identity,
        "federatedIdentityCredentials",
        "from-aws",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        {
            "issuer": f"https://{TOKENS}",
            "subject": ROLE,
            "audiences": ["api://AzureADTokenExchange"],
        },
    )
    return cloud, cluster, principal


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    cloud, cluster, principal = tenant()
    api = ApiServer(ISSUER)
    for namespace in ("ml", "web"):
        api.add("Namespace", namespace)
        api.add("Secret", "db", namespace, type="Opaque")
    out: Path = tmp_path_factory.mktemp("wires") / "estate.snap.json"
    with serve(cloud) as azure:
        code = run(
            [
                *("collect", "azure", "kubernetes", "-o", str(out), "--quiet"),
                *(f"--endpoint-url=azure={azure}", f"--endpoint-url=kubernetes={api.url}"),
                *("--cluster", "prod", "--now", "2026-11-25T00:00:00Z"),
            ]
        )
    api.close()
    assert code == 0
    return Facts(decode(out.read_bytes(), place=str(out))), cluster.lower(), principal


def test_data_actions_count_in_a_namespace(found: Any) -> None:
    facts, cluster, principal = found
    radius = reach([principal], engines(facts))
    read = {one.grant.resource for one in radius.accesses if one.grant.provider == "kubernetes"}
    assert read == {"k8s/prod/ml/secrets/db"}
    (hop,) = radius.identities[f"k8s/prod/user:{principal}"].path.pivots
    assert hop.via == cluster
    assert hop.support[0].action == f"data:{ACTION}"
    assert hop.support[0].statements[0].target == f"{cluster}/namespaces/ml"


def test_a_credential_takes_the_issuer_of_an_account_of_aws(found: Any) -> None:
    facts, _, principal = found
    shown = Token(TOKENS, ROLE, ("api://AzureADTokenExchange",))
    (hop,) = engines(facts)["azure"].admits(shown, ROLE)
    assert (hop.target, str(hop.strength)) == (principal, "certain")
