"""Tokens of others that identity pools let in, and those that a service account shows elsewhere.

A provider of a pool takes the tokens of one issuer for its audiences, and maps their claims, by
CEL, to a subject and attributes; its condition has to hold. Who comes in is a `principal://` of
the pool.
https://docs.cloud.google.com/iam/docs/workload-identity-federation
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modelreach.policy.engine import Pivot, Support, Token
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import FALSE, TRUE, Expr
from modelreach.policy.gcp.cel import Surroundings, condition, value_of
from modelreach.policy.gcp.estate import Estate
from modelreach.snapshot import Principal, Resource

_GOOGLE = "accounts.google.com"
#: What an AWS provider maps where nothing says otherwise.
#: https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
_OF_AWS = ("google.subject=assertion.arn", "attribute.account=assertion.account")


def tokens(principal: Principal) -> Iterator[Token]:
    """Give the identity token of a service account, good for any audience."""
    if principal.kind in ("service-account", "service-agent") and principal.unique_id:
        claims = {"email": (principal.id.partition(":")[2],), "azp": (principal.unique_id,)}
        yield Token(_GOOGLE, principal.unique_id, claims=claims)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody who is let in, and the hop there."""

    principal: Principal
    pivot: Pivot


def admits(estate: Estate, token: Token, source: str) -> Iterator[Admitted]:
    """Give everybody that the holder of a token comes in as."""
    if token.issuer.endswith(".svc.id.goog"):
        yield from _of_gke(estate, token, source)
        return
    for provider in estate.providers:
        if provider.attributes.get("disabled") or not _takes(provider, token):
            continue
        yield from _mapped(estate, provider, token, source)


def _of_gke(estate: Estate, token: Token, source: str) -> Iterator[Admitted]:
    """Accounts of a cluster whose pool is a project's: no provider has to be made."""
    project = f"projects/{token.issuer.removesuffix('.svc.id.goog')}"
    _, namespace, _, account = (*token.subject.split("/"), "", "", "", "")[:4]
    if project not in estate.facts.scopes or not account:
        return
    name = f"serviceAccount:{token.issuer}[{namespace}/{account}]"
    found = estate.principal(name) or _federated(name, project, {})
    yield _hop(token, source, found, TRUE, token.issuer)


def _takes(provider: Resource, token: Token) -> bool:
    """Does a provider take tokens of the issuer, for an audience that it knows?

    https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#Oidc
    """
    issuer = str(provider.attributes.get("issuer", ""))
    if token.issuer.startswith("aws:"):
        aws = provider.attributes.get("federation") == "aws"
        return aws and token.issuer.removeprefix("aws:") == issuer
    if issuer.removeprefix("https://").rstrip("/") != token.issuer:
        return False
    named = provider.attributes.get("audiences", ())
    own = provider.id.removeprefix("//")
    taken = set(named) if isinstance(named, tuple) and named else {f"//{own}", f"https://{own}"}
    return not token.audiences or not taken.isdisjoint(token.audiences)


def _mapped(estate: Estate, provider: Resource, token: Token, source: str) -> Iterator[Admitted]:
    pool = str(provider.attributes.get("pool", "")) or provider.id.partition("/providers/")[0]
    claims = {"sub": token.subject, **{name: v[0] for name, v in token.claims.items() if v}}
    attributes = _attributes(provider, claims)
    subject = attributes.get("google.subject", "")
    when = _condition(provider, claims, attributes)
    if not subject or when == FALSE:
        return
    name = f"principal:{pool}/subject/{subject}"
    found = estate.principal(name) or _federated(name, provider.scope, attributes)
    yield _hop(token, source, found, when, provider.id)


def _attributes(provider: Resource, claims: Mapping[str, str]) -> dict[str, str]:
    written = provider.attributes.get("attribute_mapping", ())
    rules = written if isinstance(written, tuple) else ()
    if not rules and provider.attributes.get("federation") == "aws":
        rules = _OF_AWS
    found: dict[str, str] = {}
    for rule in rules:
        name, _, expression = rule.partition("=")
        value = value_of(expression, {"assertion": claims})
        if value is not None:
            found[name] = value
    return found


def _condition(
    provider: Resource, claims: Mapping[str, str], attributes: Mapping[str, str]
) -> Expr:
    text = str(provider.attributes.get("attribute_condition", ""))
    fixed = {f"assertion.{name}": value for name, value in claims.items()} | dict(attributes)
    return condition(text, Surroundings(fixed=tuple(sorted(fixed.items()))))


def _federated(name: str, scope: str, attributes: Mapping[str, str]) -> Principal:
    own = {key: value for key, value in attributes.items() if key.startswith("attribute.")}
    return Principal(id=name, provider="gcp", kind="federated", scope=scope, attributes={**own})


def _hop(token: Token, source: str, target: Principal, when: Expr, via: str) -> Admitted:
    support = Support(token.subject, "", target.id, (), f"a token of {token.issuer}")
    note = "its token is let in by the identity pool"
    pivot = Pivot(
        "federation",
        source,
        target.id,
        strength_of(when),
        when,
        (*token.support, support),
        via=via,
        note=note,
    )
    return Admitted(target, pivot)
