"""Which audiences trusts take of a token, and what all trusts of a snapshot ask of whose tokens.

A token is made for an audience, and the side that makes it may be allowed some only: it has to
know what it will be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from modelreach.snapshot import Facts, Resource

#: What a federated credential takes that names none.
#: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
_EXCHANGE: Final = "api://AzureADTokenExchange"
POOL_PROVIDER: Final = "iam.googleapis.com/WorkloadIdentityPoolProvider"


class _Trust(msgspec.Struct):
    issuer: str = ""
    audiences: list[str] | None = None


def bare(issuer: object) -> str:
    """Give an issuer without scheme and last slash."""
    return str(issuer).removeprefix("https://").rstrip("/")


def of_credential(audiences: Iterable[str] | None) -> tuple[str, ...]:
    """Give what a federated credential of Azure takes, from what it names."""
    return tuple(audiences or ()) or (_EXCHANGE,)


def of_provider(provider: Resource) -> frozenset[str]:
    """Give what a provider of a workload identity pool takes: where it names none, its own name.

    https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#Oidc
    """
    named = provider.attributes.get("audiences", ())
    if isinstance(named, tuple) and named:
        return frozenset(named)
    own = provider.id.removeprefix("//")
    return frozenset({f"//{own}", f"https://{own}"})


def asked(facts: Facts, besides: str) -> Mapping[str, frozenset[str]]:
    """Give the audiences that trusts of all providers but one ask for, by issuer (`bare`)."""
    found: dict[str, set[str]] = {}
    for scope in facts.scopes.values():
        if scope.provider != besides:
            for issuer, audiences in _in(facts, scope.id):
                found.setdefault(issuer, set()).update(audiences)
    return {issuer: frozenset(audiences) for issuer, audiences in found.items()}


def _in(facts: Facts, scope: str) -> Iterator[tuple[str, Iterable[str]]]:
    for attachment in facts.section(scope, "attachments"):
        if attachment.kind == "trust":
            raw = bytes(facts.snapshot.documents.get(attachment.document, b""))
            try:
                written = msgspec.json.decode(raw, type=_Trust)
            except (msgspec.MsgspecError, RecursionError):
                continue
            yield bare(written.issuer), of_credential(written.audiences)
    for resource in facts.section(scope, "resources"):
        if resource.kind == POOL_PROVIDER:
            yield bare(resource.attributes.get("issuer", "")), of_provider(resource)
