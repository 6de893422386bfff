"""Service accounts, nodes, and whoever else some binding names."""

from __future__ import annotations

from modelreach.collect.facts import attributes
from modelreach.snapshot import Principal
from modelreach_kubernetes.estate import Object
from modelreach_kubernetes.parse.facts import PROVIDER, Facts, Named, mappings, text


def take(item: Object, facts: Facts) -> None:
    """Take an account or a node."""
    about = Named.of(item)
    if about.kind == "ServiceAccount":
        _account(item, about, facts)
    elif about.kind == "Node":
        _node(item, about, facts)


def _account(item: Object, about: Named, facts: Facts) -> None:
    said = about.annotations
    automount = item.get("automountServiceAccountToken")
    name = facts.account(about.namespace or "default", about.name)
    facts.principals[name] = Principal(
        id=name,
        provider=PROVIDER,
        kind="service-account",
        scope=facts.scope(about.namespace or "default"),
        name=about.name,
        tags=about.labels,
        created=about.created,
        attributes=attributes(
            automount=automount if isinstance(automount, bool) else None,
            role_arn=said.get("eks.amazonaws.com/role-arn"),
            audience=said.get("eks.amazonaws.com/audience"),
            gcp_service_account=said.get("iam.gke.io/gcp-service-account"),
            azure_client_id=said.get("azure.workload.identity/client-id"),
            azure_tenant_id=said.get("azure.workload.identity/tenant-id"),
            secrets=_names(item.get("secrets")),
            image_pull_secrets=_names(item.get("imagePullSecrets")),
        ),
    )


def _names(found: object) -> tuple[str, ...]:
    return tuple(sorted(text(one.get("name")) for one in mappings(found)))


def _node(item: Object, about: Named, facts: Facts) -> None:
    spec = item.get("spec")
    provider = text(spec.get("providerID")) if isinstance(spec, dict) else ""
    name = f"{facts.cluster}/user:system:node:{about.name}"
    facts.principals[name] = Principal(
        id=name,
        provider=PROVIDER,
        kind="node",
        scope=facts.cluster,
        name=about.name,
        tags=about.labels,
        created=about.created,
        attributes=attributes(provider_id=provider),
    )


def complete(facts: Facts) -> None:
    """Add everybody that a binding names, or something runs as, and no object tells of."""
    named = {member for binding in facts.bindings for member in binding.members}
    named |= {name for runtime in facts.runtimes for name in runtime.identities}
    for name in sorted(named - facts.principals.keys()):
        facts.principals[name] = _named(name, facts)


def _named(name: str, facts: Facts) -> Principal:
    rest = name.removeprefix(facts.cluster + "/")
    if rest.startswith("system:serviceaccount:"):
        _, _, namespace, short = rest.split(":", 3)
        kind, scope = "service-account", facts.scope(namespace)
    else:
        kind, _, short = rest.partition(":")
        scope = facts.cluster
    if kind == "user" and short.startswith("system:node:"):
        kind = "node"
    return Principal(id=name, provider=PROVIDER, kind=kind, scope=scope, name=short)
