"""Which cluster of a cloud a cluster is, and what the cloud's facts tell of it.

What the cluster was said to be when it was collected comes first; else the issuer of its tokens
tells, which no two clusters share.
"""

from __future__ import annotations

import msgspec

from modelreach.snapshot import AttributeValue, Facts, Resource, Runtime, Scope

_KINDS = {
    "eks:cluster": "arn",
    "container.googleapis.com/Cluster": "resource_name",
    "microsoft.containerservice/managedclusters": "resource_id",
}
#: How GKE names its issuers: by the cluster.
#: https://docs.cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters/getJwks
_OF_GKE = "container.googleapis.com/v1/"


class CloudCluster(msgspec.Struct, frozen=True):
    """A cluster as its cloud lists it: its id there, and what is told of it. `mapped` are those
    whom the cluster itself says that it lets in, by a config map."""

    cluster: str
    id: str
    kind: str
    fact: Runtime | Resource
    mapped: tuple[str, ...] = ()

    @property
    def gates_set(self) -> bool:
        """May anybody set its feature gates: its owner, or Google for all clusters of a version?

        https://docs.cloud.google.com/kubernetes-engine/docs/concepts/feature-gates
        """
        return self.kind.startswith("container.")

    def listed(self, name: str) -> tuple[str, ...]:
        """Give the texts of an attribute."""
        found: AttributeValue = self.fact.attributes.get(name, ())
        return found if isinstance(found, tuple) else ()


def issuer_of(scope: Scope) -> str:
    """Give the issuer of a cluster's tokens, without scheme."""
    return _bare(scope.attributes.get("issuer", ""))


def _bare(issuer: object) -> str:
    return str(issuer).removeprefix("https://").rstrip("/")


def matched(scope: Scope, facts: Facts) -> CloudCluster | None:
    """Give the cloud's cluster that a cluster is; None when none is known to be."""
    issuer = issuer_of(scope)
    declared = {str(scope.attributes.get(name, "")).lower() for name in _KINDS.values()} - {""}
    things: tuple[tuple[Runtime | Resource, ...], ...]
    things = (facts.snapshot.runtimes, facts.snapshot.resources)
    for fact in (one for group in things for one in group if one.kind in _KINDS):
        if declared:
            same = fact.id.lower() in declared
        else:
            same = bool(issuer) and issuer in (
                _bare(fact.attributes.get("oidc_issuer", "")),
                _gke(fact),
            )
        if same:
            return CloudCluster(scope.id, fact.id, fact.kind, fact, _mapped(scope, facts))
    return None


def _mapped(scope: Scope, facts: Facts) -> tuple[str, ...]:
    found = facts.resources.get(f"{scope.id}/kube-system/configmaps/aws-auth")
    entries = found.attributes.get("access_entries") if found is not None else ()
    return entries if isinstance(entries, tuple) else ()


def _gke(fact: Runtime | Resource) -> str:
    """The issuer of a cluster of GKE; zones are written as locations there."""
    rest = fact.id.removeprefix("//container.googleapis.com/").replace("/zones/", "/locations/")
    return f"{_OF_GKE}{rest}" if fact.kind.startswith("container.") else ""
