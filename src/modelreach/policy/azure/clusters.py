"""What an identity can show to clusters of AKS: what data actions let it do there, and the
credentials that it may fetch from Azure.

The credentials of the cluster's administrator are those of a local account that no authoriser asks
about; turned off, nobody has them. Where a cluster lets no identities of Entra in, those of its
user are as good, and commands are run as the administrator; else whoever runs one signs in.

Who may write a cluster may turn its local accounts on again, or make a group that it is in the
cluster's administrators. Who may write what Flux is to apply to a cluster applies anything to it.

Who takes over a place in which a cluster lies may give itself any role there, and has what that
role gives.
https://learn.microsoft.com/azure/aks/manage-local-accounts-managed-azure-ad
https://learn.microsoft.com/azure/aks/control-kubeconfig-access
https://learn.microsoft.com/azure/aks/access-private-cluster
https://learn.microsoft.com/azure/aks/enable-authentication-microsoft-entra-id
https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.became import Became, How
from modelreach.policy.azure.decide import decide
from modelreach.policy.azure.ids import ROOT, is_arm
from modelreach.policy.azure.in_clusters import in_clusters
from modelreach.policy.azure.pivots import takeovers
from modelreach.policy.azure.relations import administers
from modelreach.policy.engine import Pivot, Support, Token
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, negate
from modelreach.snapshot import Resource

_CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"
_WRITE: Final = f"{_CLUSTERS}/write"
_LISTED: Final = (
    f"{_CLUSTERS}/listClusterAdminCredential/action",
    f"{_CLUSTERS}/accessProfiles/listCredential/action",
)
_MADE_ADMINISTRATOR: Final = "{}, a group that it is in, is made an administrator of {} first"
_TURNED_ON: Final = "it turns the local accounts of {} on first"


class _Way(NamedTuple):
    """What makes somebody the administrator: actions, what the cluster has to be like for that,
    and what has to be done first."""

    actions: tuple[str, ...]
    like: Mapping[str, bool]
    first: str = ""


_WAYS: Final = (
    *(_Way((listed,), {"local_accounts": True}) for listed in _LISTED),
    _Way(
        (f"{_CLUSTERS}/listClusterUserCredential/action",),
        {"local_accounts": True, "entra": False},
    ),
    _Way((f"{_CLUSTERS}/runCommand/action",), {"entra": False}),
    *(_Way((listed, _WRITE), {"local_accounts": False}, _TURNED_ON) for listed in _LISTED),
    _Way(
        ("Microsoft.KubernetesConfiguration/fluxConfigurations/write",),
        {},
        "Flux is installed in {}, or it installs it first",
    ),
)
_WORDS: Final = {
    "local_accounts": "whether {} has local accounts",
    "entra": "whether {} lets identities of Entra in",
}
#: What of these has to turn out that the words are said of.
_ASKED: Final = {"local_accounts": True, "entra": False}


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
    for way in _WAYS:
        given = all_of(_is(cluster, attribute, value) for attribute, value in way.like.items())
        if way.first:
            given = all_of((given, provided(way.first.format(cluster.id))))
        if given != FALSE:
            yield from _administrator(asker, cluster, way.actions, given)
    if (member := administers(asker, cluster)) != FALSE:
        support = Support(asker.name, "", cluster.id, (), "a group of its administrators")
        yield _as_administrator(cluster, (support,), member)
    if groups := asker.estate.groups_of(asker.principal):
        first = (
            f"{groups[0]}, a group that it is in, is made an administrator of {cluster.id} first"
        )
        yield from _administrator(asker, cluster, (_WRITE,), provided(first))


def _administrator(
    asker: Asker, cluster: Resource, actions: tuple[str, ...], given: Expr
) -> Iterator[Token]:
    """What somebody shows who may do all of these to a cluster."""
    decisions = [(action, decide(asker, action, cluster.id)) for action in actions]
    when = all_of((given, *(decision.residual for _, decision in decisions)))
    if when != FALSE:
        support = (
            Support(asker.name, action, cluster.id, decision.allowed_by)
            for action, decision in decisions
        )
        yield _as_administrator(cluster, tuple(support), when)


def _as_administrator(cluster: Resource, support: tuple[Support, ...], when: Expr) -> Token:
    claims = {"groups": ("system:masters",)}
    return Token(
        f"aks:{cluster.id.lower()}", "clusterAdmin", claims=claims, support=support, when=when
    )


def _is(cluster: Resource, attribute: str, value: bool) -> Expr:
    told = cluster.attributes.get(attribute)
    if isinstance(told, bool):
        return TRUE if told is value else FALSE
    open_ = Atom(AtomKind.GAP, _WORDS[attribute].format(cluster.id))
    return open_ if value is _ASKED[attribute] else negate(open_)
