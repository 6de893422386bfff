"""What an identity can show to clusters of AKS: what data actions let it do there, and the
credentials that it may fetch from Azure.

The credentials of the cluster's administrator are those of a local account that no authoriser asks
about; turned off, nobody has them. Where a cluster lets no identities of Entra in, those of its
user are as good, and commands are run as the administrator; else whoever runs one signs in.

Who takes over a place in which a cluster lies may give itself any role there, and has what that
role gives.
https://learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad
https://learn.microsoft.com/azure/aks/control-kubeconfig-access
https://learn.microsoft.com/azure/aks/access-private-cluster
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.became import Became, How
from modelreach.policy.azure.decide import decide
from modelreach.policy.azure.ids import ROOT, is_arm
from modelreach.policy.azure.in_clusters import in_clusters
from modelreach.policy.azure.pivots import takeovers
from modelreach.policy.engine import Pivot, Support, Token
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
    clusters = asker.estate.clusters
    if not clusters or asker.estate.abroad.is_empty:
        return
    own = tuple(_to(asker, clusters))
    yield from own
    sure = [_shown(token) for token in own if token.when == TRUE]
    for pivot in takeovers(asker):
        yield from (token for token in _taken(asker, pivot) if _shown(token) not in sure)


def _to(asker: Asker, clusters: Iterable[Resource]) -> Iterator[Token]:
    for cluster in clusters:
        yield from in_clusters(asker, cluster)
        found = tuple(_administering(asker, cluster))
        sure = next((token for token in found if token.when == TRUE), None)
        yield from found if sure is None else (sure,)


def _taken(asker: Asker, pivot: Pivot) -> Iterator[Token]:
    """What it can show once it has any role in a place that it takes over. Whoever administers a
    tenant takes over what is at its root.

    https://learn.microsoft.com/azure/role-based-access-control/elevate-access-global-admin
    """
    place = pivot.target if is_arm(pivot.target) else ROOT
    within = [one for one in asker.estate.clusters if place in asker.estate.scopes_of(one.id)]
    if not within:
        return
    name = Became(asker.principal.id, How.ANY_ROLE, place).name
    for token in _to(Asker.of(asker.estate, name, asker.fixed), within):
        when = all_of((pivot.residual, token.when))
        if when != FALSE:
            yield replace(token, support=pivot.support, when=when)


def _shown(token: Token) -> tuple[object, ...]:
    return token.issuer, token.subject, tuple(sorted(token.claims.items()))


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
