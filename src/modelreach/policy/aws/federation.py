"""Tokens of others that roles let in, and those that a role shows elsewhere.

A role lets a token in where its trust policy names the identity provider of the token's issuer and
its conditions hold of the token's claims. An association of EKS needs no trust in an issuer: the
service itself hands the role to the pods of the account that it names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.model import Strength, Verdict
from modelreach.policy.aws.acts_as import acts_as
from modelreach.policy.aws.asker import Fixed
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.estate import Estate, is_ours
from modelreach.policy.aws.layers import Request
from modelreach.policy.aws.principals import Caller
from modelreach.policy.decision import Decision
from modelreach.policy.engine import SESSION, Distance, Pivot, Stranger, Support, Token
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import TRUE
from modelreach.snapshot import Principal, Runtime

_ACTION = "sts:AssumeRoleWithWebIdentity"
_ASSOCIATION = "eks:pod-identity-association"
#: Issuers that roles name without an identity provider of the account's own.
_GOOGLE = "accounts.google.com"
_WELL_KNOWN = frozenset({_GOOGLE, "www.amazon.com", "graph.facebook.com"})


def admits(estate: Estate, token: Token, source: str, fixed: Fixed) -> Iterator[Pivot]:
    """Give a hop to each role that lets the holder of a token in. AWS takes no identity token of
    its own: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_getting_started.html
    """
    if is_ours(token.issuer):
        return
    yield from _associated(estate, token, source)
    for provider, issuer in _providers(estate, token):
        shown = replace(token, issuer=issuer)
        for name in estate.named.trusts.get(provider, ()):
            role = estate.facts.principals.get(name)
            if role is None or role.kind != "role" or token.aims not in ("", name):
                continue
            if not token.aims and _names_others(estate, role, shown):
                continue
            decision = _best(estate, shown, provider, role, fixed)
            if decision.verdict is not Verdict.DENY:
                yield _hop(source, token, role, decision)


def _names_others(estate: Estate, role: Principal, token: Token) -> bool:
    """Does a role's trust name subjects letter by letter, and not this one? Asked first, as a
    cluster has many accounts and an account many roles."""
    for trust in estate.facts.attachments.get(role.id, ()):
        if trust.kind == "trust":
            raw = bytes(estate.facts.snapshot.documents.get(trust.document, b""))
            named = _subjects(raw, token.issuer)
            if named is None or token.subject in named:
                return False
    return True


class _Statement(msgspec.Struct):
    Effect: str
    Principal: dict[str, str | list[str]]
    Condition: dict[str, dict[str, str | list[str]]] = {}


class _Trust(msgspec.Struct):
    Statement: _Statement | list[_Statement]


@lru_cache(1 << 12)
def _subjects(raw: bytes, issuer: str) -> frozenset[str] | None:
    """Give the subjects of an issuer that a trust lets in, where each statement that lets tokens
    in holds them to such letter by letter; None where one does not."""
    try:
        written = msgspec.json.decode(raw, type=_Trust).Statement
    except (msgspec.MsgspecError, RecursionError):
        return None
    found: set[str] = set()
    for statement in written if isinstance(written, list) else [written]:
        if statement.Effect != "Allow" or "Federated" not in statement.Principal:
            continue
        values = statement.Condition.get("StringEquals", {}).get(f"{issuer}:sub", ())
        texts = [values] if isinstance(values, str) else values
        if not texts or any("$" in text for text in texts):
            return None
        found.update(texts)
    return frozenset(found)


def _best(estate: Estate, token: Token, provider: str, role: Principal, fixed: Fixed) -> Decision:
    """The best answer over the audiences that a token may carry: one that may carry any carries
    what the identity provider takes."""
    known = estate.facts.principals.get(provider)
    clients = known.attributes.get("client_ids") if known is not None else ()
    taken = clients if isinstance(clients, tuple) else ()
    several = [audience for audience in token.audiences if audience in taken] or token.audiences
    decisions = [
        _decided(estate, replace(token, audiences=(audience,)), provider, role, fixed)
        for audience in several or taken
    ]
    return min(
        decisions or [_decided(estate, token, provider, role, fixed)],
        key=lambda decision: _ORDER[decision.verdict],
    )


_ORDER = {Verdict.ALLOW: 0, Verdict.CONDITIONAL: 1, Verdict.UNKNOWN: 2, Verdict.DENY: 3}


def _providers(estate: Estate, token: Token) -> Iterator[tuple[str, str]]:
    """The identity providers of a token's issuer that take its audience, as trusts name them, each
    with the issuer as it spells it: that of Entra ID's older tokens ends in a slash.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    if token.issuer in _WELL_KNOWN:
        yield token.issuer, token.issuer
    for issuer in (token.issuer, f"{token.issuer}/"):
        for name in _taking(estate, issuer, token.audiences):
            yield name, issuer


def _taking(estate: Estate, issuer: str, audiences: tuple[str, ...]) -> Iterator[str]:
    for name in estate.named.issuers.get(issuer, ()):
        principal = estate.facts.principals[name]
        clients = principal.attributes.get("client_ids")
        taken = (
            not isinstance(clients, tuple) or not audiences or bool(set(clients) & set(audiences))
        )
        if taken:
            yield principal.id


def _decided(
    estate: Estate, token: Token, provider: str, role: Principal, fixed: Fixed
) -> Decision:
    caller = Caller.of(provider)
    nobody = Principal(id=provider, provider="aws", kind="federated", scope="")
    claims = {f"{token.issuer}:sub": (token.subject,), **_claims(token)}
    context = estate.context(caller, nobody, role.id, role.scope, {**claims, **fixed})
    layers = estate.resource_layers(role.id, role.scope)
    return decide(Request(caller, _ACTION, role.id, role.scope, context), layers)


def _claims(token: Token) -> dict[str, tuple[str, ...]]:
    """The claims as conditions call them: of Google's tokens, `aud` is for whom they were made
    out (`azp`), and `oaud` their audience.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    """
    found = {f"{token.issuer}:{name}": values for name, values in token.claims.items()}
    made_out = token.claims.get("azp") if token.issuer == _GOOGLE else None
    if made_out is not None:
        found[f"{token.issuer}:aud"] = made_out
    if len(token.audiences) == 1:
        found[f"{token.issuer}:{'oaud' if made_out else 'aud'}"] = token.audiences
    return found


def _hop(source: str, token: Token, role: Principal, decision: Decision) -> Pivot:
    trust = Support(token.subject, _ACTION, role.id, decision.allowed_by)
    return Pivot(
        "federation",
        source,
        role.id,
        strength_of(decision.residual),
        decision.residual,
        (trust, *token.support),
        note=f"its token of {token.issuer} is let in by the role's trust",
    )


def _associated(estate: Estate, token: Token, source: str) -> Iterator[Pivot]:
    """Roles that an association of EKS gives to the pods of a service account."""
    if not token.issuer.startswith("eks:"):
        return
    account = token.issuer.split(":")[5] if token.issuer.count(":") >= 6 else ""
    for runtime in estate.runtimes_of(account, _ASSOCIATION):
        for name in acts_as(estate, runtime) if _named(runtime, token) else ():
            yield Pivot(
                "federation",
                source,
                name,
                Strength.CERTAIN,
                TRUE,
                (Support(token.subject, "eks-auth:AssumeRoleForPodIdentity", runtime.id, ()),),
                via=runtime.id,
                note="an EKS association gives the role to its pods",
            )


def _named(runtime: Runtime, token: Token) -> bool:
    about = runtime.attributes
    subject = f"system:serviceaccount:{about.get('namespace')}:{about.get('service_account')}"
    return f"eks:{about.get('cluster')}" == token.issuer and subject == token.subject


def tokens(principal: Principal) -> Iterator[Token]:
    """Who signs a request to STS shows by it who it is: a user its ARN, a role that of a session,
    whose name whoever opens it gives.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
    """
    if principal.kind not in ("role", "user"):
        return
    arn, unique = principal.id, principal.unique_id
    partition, account = arn.split(":")[1], principal.scope
    session = principal.kind == "role"
    if session:
        name = principal.name or arn.rsplit("/", 1)[-1]
        arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{SESSION}"
        unique = unique and f"{unique}:{SESSION}"
    claims = {"arn": (arn,), "account": (account,)} | ({"userid": (unique,)} if unique else {})
    yield Token(
        issuer=f"aws:{account}",
        subject=arn,
        claims=claims,
        strangers=_strangers(partition, account),
        session=session,
    )


def _strangers(partition: str, account: str) -> tuple[Stranger, ...]:
    arn = f"arn:{partition}:sts::{account}:assumed-role/modelreach-probe/{SESSION}"
    claims = {"arn": (arn,), "account": (account,)}
    words = f"any role of account {account}"
    return (Stranger(arn, words, Distance.BESIDE, claims),)
