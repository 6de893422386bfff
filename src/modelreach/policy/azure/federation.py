"""Tokens of others that identities let in, and those that an identity shows elsewhere.

A federated credential lets a token in whose issuer and subject it names, letter by letter, or
whose claims meet its expression. A managed identity may be let in by an application of its own
tenant.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelreach.policy.azure.estate import Estate, Trust
from modelreach.policy.engine import Distance, Pivot, Stranger, Support, Token
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of
from modelreach.policy.glob import match
from modelreach.snapshot import Principal

#: A claim that only tokens of managed identities have.
_MANAGED = "xms_mirid"
_ACTS = ("managed-identity", "service-principal", "agent-identity")
_TEST = re.compile(r"\s*claims\['([\w.:/-]+)'\]\s+(eq|matches)\s+'([^']*)'\s*\Z")


def tokens(estate: Estate, principal: Principal) -> Iterator[Token]:
    """An identity shows elsewhere who it is by a token of its tenant, for any audience; one that
    is disabled gets none.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    if principal.kind not in _ACTS or not estate.tenant:
        return
    if principal.attributes.get("enabled") is False:
        return
    app = str(principal.attributes.get("app_id", "")) or principal.unique_id
    claims: dict[str, tuple[str, ...]] = {"oid": (principal.id,), "tid": (estate.tenant,)}
    if groups := estate.groups_of(principal):
        claims["groups"] = groups
    if app:
        claims["azp"] = claims["appid"] = (app,)
    if principal.kind == "managed-identity":
        claims[_MANAGED] = (str(principal.attributes.get("resource", "")),)
    nobody = "00000000-0000-0000-0000-000000000000"
    other: dict[str, tuple[str, ...]] = {"oid": (nobody,), "tid": (estate.tenant,)}
    if _MANAGED in claims:
        other[_MANAGED] = ("",)
    stranger = Stranger(nobody, "any identity of the tenant", Distance.PLACE, other)
    for issuer in _issuers(estate.tenant):
        yield Token(issuer, principal.id, claims=claims, strangers=(stranger,))


def _issuers(tenant: str) -> tuple[str, str]:
    return f"login.microsoftonline.com/{tenant}/v2.0", f"sts.windows.net/{tenant}"


def admits(estate: Estate, token: Token, source: str) -> Iterator[Pivot]:
    """Give a hop to each identity that lets a token in."""
    within = token.issuer.rstrip("/") in _issuers(estate.tenant)
    if within and _MANAGED not in token.claims:
        return
    for trust in estate.trusts_of(token.issuer):
        residual = all_of((token.when, _met(trust, token)))
        target = estate.facts.principals.get(trust.target)
        if residual == FALSE or target is None or trust.target == source:
            continue
        if target.attributes.get("enabled") is False or not _aimed(token, target):
            continue
        note = f"a token of {token.issuer} with subject {token.subject}"
        shown = Support(token.subject, "", trust.target, (trust.reference,), note)
        yield Pivot(
            "federation",
            source,
            trust.target,
            strength_of(residual),
            residual,
            (shown, *token.support),
            note=f"its token of {token.issuer} is let in by a federated credential",
        )


def _aimed(token: Token, target: Principal) -> bool:
    names = {target.id, target.unique_id.lower(), str(target.attributes.get("app_id", "")).lower()}
    return not token.aims or token.aims.lower() in names


def _met(trust: Trust, token: Token) -> Expr:
    if token.audiences and not set(trust.audiences) & set(token.audiences):
        return FALSE
    if trust.subject:
        return TRUE if trust.subject == token.subject else FALSE
    return _expression(trust.expression, token)


def _expression(text: str, token: Token) -> Expr:
    """What a flexible expression comes to: tests of claims, all of which have to hold."""
    tests = [_TEST.match(part) for part in text.split(" and ")]
    if not text or any(test is None for test in tests):
        return Atom(AtomKind.OPAQUE, "the expression of a federated credential", "", (text[:200],))
    claims = {"sub": (token.subject,), **token.claims}
    return all_of(_claim(test[1], test[2], test[3], claims.get(test[1])) for test in tests if test)


def _claim(name: str, operator: str, value: str, known: tuple[str, ...] | None) -> Expr:
    if known is None:
        return Atom(AtomKind.CONTEXT, f"claim {name}", operator, (value,))
    met = any(match(value, one) if operator == "matches" else value == one for one in known)
    return TRUE if met else FALSE
