"""Objects of a cluster as facts. Nothing here does I/O."""

from __future__ import annotations

from modelreach.snapshot import Scope, Snapshot
from modelreach_kubernetes.estate import Read
from modelreach_kubernetes.parse import accounts, admission, rbac, things, workloads
from modelreach_kubernetes.parse.coverage import coverage_of
from modelreach_kubernetes.parse.facts import PROVIDER, Facts


def parse(found: Read) -> Snapshot:
    """Give the facts of one cluster, as docs/reference/facts-kubernetes.md says them."""
    facts = Facts(f"k8s/{found.cluster}")
    facts.scopes.append(
        Scope(
            id=facts.cluster,
            provider=PROVIDER,
            kind="cluster",
            name=found.cluster,
            attributes=dict(found.about),
        )
    )
    for item in found.objects:
        for part in (things, accounts, admission, rbac, workloads):
            part.take(item, facts)
    accounts.complete(facts)
    admission.complete(facts)
    coverage_of(found, facts)
    return facts.snapshot(taken_at=found.taken_at)
