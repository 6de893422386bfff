"""Namespaces, and what lies in them by name: secrets, config maps, claims, webhooks."""

from __future__ import annotations

from typing import Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, Resource, Scope
from modelreach_kubernetes.estate import Object
from modelreach_kubernetes.kinds import ADMISSION, KINDS
from modelreach_kubernetes.parse.entries import entries
from modelreach_kubernetes.parse.facts import PROVIDER, Facts, Named, text

_TOKEN: Final = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
_ACCOUNT: Final = "kubernetes.io/service-account.name"
#: https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-legacy-token-last-used
_LAST_USED: Final = "kubernetes.io/legacy-token-last-used"
_INVALID: Final = "kubernetes.io/legacy-token-invalid-since"
_LISTED = {kind.name: kind for kind in KINDS if kind.metadata or kind.group == ADMISSION}


def take(item: Object, facts: Facts) -> None:
    """Take a namespace or a thing that is listed by name."""
    about = Named.of(item)
    if about.kind == "Namespace":
        facts.scopes.append(
            Scope(
                id=facts.scope(about.name),
                provider=PROVIDER,
                kind="namespace",
                name=about.name,
                parent=facts.cluster,
                tags=about.labels,
            )
        )
    elif about.kind == "Secret":
        _secret(item, about, facts)
    elif about.kind in _LISTED:
        _thing(item, about, facts)


def _thing(item: Object, about: Named, facts: Facts) -> None:
    kind = _LISTED[about.kind]
    namespace = (about.namespace or "default") if kind.namespaced else ""
    facts.resources.append(
        Resource(
            id=facts.id(namespace, kind.qualified, about.name),
            provider=PROVIDER,
            kind=f"kubernetes:{kind.qualified}",
            scope=facts.scope(namespace),
            name=about.name,
            tags=about.labels,
            created=about.created,
            attributes=attributes(access_entries=entries(item.get("data"))),
        )
    )


def _secret(item: Object, about: Named, facts: Facts) -> None:
    namespace = about.namespace or "default"
    name = facts.id(namespace, "secrets", about.name)
    owner = about.annotations.get(_ACCOUNT, "")
    token = text(item.get("type")) == _TOKEN
    account = facts.account(namespace, owner) if token and owner else ""
    facts.resources.append(
        Resource(
            id=name,
            provider=PROVIDER,
            kind="kubernetes:secrets",
            scope=facts.scope(namespace),
            name=about.name,
            tags=about.labels,
            created=about.created,
            attributes=attributes(
                type=text(item.get("type")),
                service_account=account,
                legacy_last_used=about.labels.get(_LAST_USED),
                legacy_invalid_since=about.labels.get(_INVALID),
            ),
        )
    )
    if account:
        used = about.labels.get(_LAST_USED, "")
        facts.credentials.append(
            Credential(
                id=name,
                provider=PROVIDER,
                kind="service-account-token",
                principal=account,
                scope=facts.scope(namespace),
                status="inactive" if about.labels.get(_INVALID) else "active",
                created=about.created,
                last_used=f"{used}T00:00:00Z" if used else "",
                expires="never",
            )
        )
