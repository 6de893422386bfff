"""What an identity can show to clusters of AKS: the credentials that it may fetch from Azure.

The credentials of the cluster's administrator are those of a local account that no authoriser asks
about; turned off, nobody has them.
https://learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Verdict
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import decide
from modelreach.policy.azure.in_clusters import in_clusters
from modelreach.policy.engine import Support, Token

_ADMIN = "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action"


def of_clusters(asker: Asker) -> Iterator[Token]:
    """Give what an identity can show to each cluster of AKS."""
    yield from in_clusters(asker)
    for cluster in asker.estate.clusters:
        if cluster.attributes.get("local_accounts") is False:
            continue
        decision = decide(asker, _ADMIN, cluster.id)
        if decision.verdict is not Verdict.DENY:
            support = Support(asker.name, _ADMIN, cluster.id, decision.allowed_by)
            yield Token(
                issuer=f"aks:{cluster.id.lower()}",
                subject="clusterAdmin",
                claims={"groups": ("system:masters",)},
                support=(support,),
                when=decision.residual,
            )
