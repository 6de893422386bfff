"""What an identity can show to clusters of AKS: the credentials that it may fetch from Azure.

The credentials of the cluster's administrator are those of a local account that no authoriser asks
about; turned off, nobody has them. Where a cluster lets no identities of Entra in, those of its
user are as good, and commands are run as the administrator; else whoever runs one signs in.
https://learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad
https://learn.microsoft.com/azure/aks/control-kubeconfig-access
https://learn.microsoft.com/azure/aks/access-private-cluster
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import decide
from modelreach.policy.azure.in_clusters import in_clusters
from modelreach.policy.engine import Support, Token
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of
from modelreach.snapshot import Resource

_CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"
#: What makes somebody the administrator, and what the cluster has to be like for that.
_WAYS: Final[tuple[tuple[str, dict[str, bool]], ...]] = (
    ("listClusterAdminCredential/action", {"local_accounts": True}),
    ("accessProfiles/listCredential/action", {"local_accounts": True}),
    ("listClusterUserCredential/action", {"local_accounts": True, "entra": False}),
    ("runCommand/action", {"entra": False}),
)
_WORDS: Final = {
    "local_accounts": "whether {} has local accounts",
    "entra": "whether {} lets identities of Entra in",
}


def of_clusters(asker: Asker) -> Iterator[Token]:
    """Give what an identity can show to each cluster of AKS."""
    yield from in_clusters(asker)
    for cluster in asker.estate.clusters:
        found = tuple(_administering(asker, cluster))
        sure = next((token for token in found if token.when == TRUE), None)
        yield from found if sure is None else (sure,)


def _administering(asker: Asker, cluster: Resource) -> Iterator[Token]:
    for name, like in _WAYS:
        given = all_of(_is(cluster, attribute, value) for attribute, value in like.items())
        if given == FALSE:
            continue
        action = f"{_CLUSTERS}/{name}"
        decision = decide(asker, action, cluster.id)
        when = all_of((given, decision.residual))
        if when != FALSE:
            yield Token(
                issuer=f"aks:{cluster.id.lower()}",
                subject="clusterAdmin",
                claims={"groups": ("system:masters",)},
                support=(Support(asker.name, action, cluster.id, decision.allowed_by),),
                when=when,
            )


def _is(cluster: Resource, attribute: str, value: bool) -> Expr:
    told = cluster.attributes.get(attribute)
    if isinstance(told, bool):
        return TRUE if told is value else FALSE
    return Atom(AtomKind.GAP, _WORDS[attribute].format(cluster.id))
