"""Tokens of others that identity pools let in, and those that a service account shows elsewhere.

A provider of a pool takes the tokens of one issuer for its audiences, and maps their claims, by
CEL, to a subject and attributes; its condition has to hold. Who comes in is a `principal://` of
the pool.
https://docs.cloud.google.com/iam/docs/workload-identity-federation
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.policy.audiences import POOL_PROVIDER, bare, of_provider
from modelreach.policy.engine import INNER, SESSION, Pivot, Support, Token
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of
from modelreach.policy.gcp import members
from modelreach.policy.gcp.asker import Held
from modelreach.policy.gcp.cel import Surroundings, at, condition, value_of
from modelreach.policy.gcp.estate import WORKFORCE, Estate, mapping
from modelreach.snapshot import Principal, Resource

_GOOGLE = "accounts.google.com"
#: How many bytes a subject may have: a token that comes to more is not let in.
#: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
_LONGEST = 127


def tokens(principal: Principal, groups: Iterable[str] = ()) -> Iterator[Token]:
    """Give the identity token of a service account, good for any audience; of one that is disabled
    none. The groups that it is in are not in it: clusters look them up."""
    if principal.attributes.get("disabled"):
        return
    if principal.kind in ("service-account", "service-agent") and principal.unique_id:
        email = principal.id.partition(":")[2]
        claims: dict[str, tuple[str, ...]] = {"email": (email,), "azp": (principal.unique_id,)}
        if named := tuple(sorted(group.partition(":")[2] for group in groups)):
            claims["groups"] = named
        yield Token(_GOOGLE, principal.unique_id, claims=claims)


class Admitted(msgspec.Struct, frozen=True):
    """Somebody who is let in, and the hop there."""

    principal: Principal
    pivot: Pivot


def admits(estate: Estate, token: Token, source: str) -> Iterator[Admitted]:
    """Give everybody that the holder of a token comes in as."""
    if token.issuer.endswith(".svc.id.goog"):
        yield from _of_gke(estate, token, source)
        return
    for provider in estate.providers:
        if _off(estate, provider) or not _takes(provider, token):
            continue
        for one, when in _sessions(estate, provider, token):
            yield from _mapped(estate, provider, one, source, when)


def _off(estate: Estate, provider: Resource) -> bool:
    """Is a provider, or its whole pool, disabled or deleted?"""
    pool = estate.facts.resources.get(provider.id.partition("/providers/")[0])
    both = (provider, pool) if pool is not None else (provider,)
    return any(
        one.attributes.get("disabled") or one.attributes.get("state") == "DELETED" for one in both
    )


def _sessions(estate: Estate, provider: Resource, token: Token) -> Iterator[tuple[Token, Expr]]:
    """A token as it is, on condition that its own side gives it; and one whose session has a name
    that the pool asks for, on condition that it is called so. Who assumes a role names the
    session.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    yield token, token.when
    if not token.session:
        return
    start = token.subject.removesuffix(SESSION)
    texts = (
        str(provider.attributes.get("attribute_condition", "")),
        *estate.members_by_pool.get(estate.pool_of(provider), ()),
    )
    named = {found[1] for text in texts for found in _named(start).finditer(text)}
    for name in sorted(named):
        when = Atom(AtomKind.CONTEXT, "the name of the session", "is", (name,))
        claims = {
            key: tuple(value.replace(SESSION, name) for value in values)
            for key, values in token.claims.items()
        }
        yield replace(token, subject=start + name, claims=claims, session=False), when


@lru_cache(256)
def _named(start: str) -> re.Pattern[str]:
    return re.compile(re.escape(start) + r"([\w+=,.@-]{2,64})")


def naming(estate: Estate, token: Token) -> Iterator[Support]:
    """Give the bindings that name whom a token is of, by its subject or by what only it claims,
    in a pool that does not let it in, as far as its providers were read."""
    named = _own(token)
    admitted = {
        found.pool
        for one in admits(estate, token, "")
        if (found := members.pooled(one.principal.id)) is not None
    }
    for pool, of in sorted(estate.members_by_pool.items()):
        if WORKFORCE in pool or pool in admitted:
            continue
        if not estate.collected(estate.scope_of(pool), POOL_PROVIDER):
            continue
        for member in of:
            _, _, value = member.partition(f":{pool}/")[2].partition("/")
            for binding in estate.bound_to.get(member, ()) if value in named else ():
                ref = Held(binding, TRUE, member).ref
                yield Support(member, binding.role, binding.target, (ref,))


def _own(token: Token) -> frozenset[str]:
    """The values by which a token differs from those of all strangers."""
    found = {token.subject, token.subject.removesuffix(f"/{SESSION}")}
    for name, values in token.claims.items():
        shared = {value for one in token.strangers for value in one.claims.get(name, ())}
        found |= {value.removesuffix(f"/{SESSION}") for value in values if value not in shared}
    return frozenset(found)


def _of_gke(estate: Estate, token: Token, source: str) -> Iterator[Admitted]:
    """Accounts of a cluster whose pool is a project's: no provider has to be made."""
    project = f"projects/{token.issuer.removesuffix('.svc.id.goog')}"
    _, namespace, _, account = (*token.subject.split("/"), "", "", "", "")[:4]
    if project not in estate.facts.scopes or not account:
        return
    name = f"serviceAccount:{token.issuer}[{namespace}/{account}]"
    found = estate.principal(name) or _federated(name, project, {})
    yield _hop(token, source, found, token.when, token.issuer)


def _takes(provider: Resource, token: Token) -> bool:
    """Does a provider take tokens of the issuer, for an audience that it knows?"""
    issuer = str(provider.attributes.get("issuer", ""))
    if token.issuer.startswith("aws:"):
        aws = provider.attributes.get("federation") == "aws"
        return aws and token.issuer.removeprefix("aws:") == issuer
    if bare(issuer) != token.issuer:
        return False
    return not token.audiences or not of_provider(provider).isdisjoint(token.audiences)


def _mapped(
    estate: Estate, provider: Resource, token: Token, source: str, given: Expr
) -> Iterator[Admitted]:
    pool = estate.pool_of(provider)
    claims = {"sub": token.subject, **{name: v[0] for name, v in token.claims.items() if v}}
    attributes = _attributes(provider, claims)
    subject = attributes.get("google.subject", "")
    when = all_of((given, _condition(provider, claims, attributes)))
    if not subject or len(subject.encode()) > _LONGEST or when == FALSE:
        return
    name = f"principal:{pool}/subject/{subject}"
    found = estate.principal(name)
    if found is None or name in estate.admitted:
        others = (estate.mapped(pool) or frozenset()) - {
            r.partition("=")[0] for r in mapping(provider)
        }
        found = _federated(name, provider.scope, {**dict.fromkeys(others, ""), **attributes})
    yield _hop(token, source, found, when, provider.id)


def _attributes(provider: Resource, claims: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule in mapping(provider):
        name, _, expression = rule.partition("=")
        value = value_of(expression, "assertion", claims)
        if value is not None:
            found[name] = value
    return found


def _condition(
    provider: Resource, claims: Mapping[str, str], attributes: Mapping[str, str]
) -> Expr:
    text = str(provider.attributes.get("attribute_condition", ""))
    fixed = {at("assertion", *name.split(INNER)): value for name, value in claims.items()}
    fixed |= attributes
    return condition(text, Surroundings(fixed=tuple(sorted(fixed.items()))))


def _federated(name: str, scope: str, attributes: Mapping[str, str]) -> Principal:
    own = {key: value for key, value in attributes.items() if key.startswith("attribute.")}
    return Principal(id=name, provider="gcp", kind="federated", scope=scope, attributes={**own})


def _hop(token: Token, source: str, target: Principal, when: Expr, via: str) -> Admitted:
    support = Support(token.subject, "", target.id, (), f"a token of {token.issuer}")
    pool, found, provider = via.rpartition("/providers/")
    by = f"provider `{provider}` of pool `{pool.rpartition('/')[2]}`" if found else f"pool `{via}`"
    pivot = Pivot(
        "federation",
        source,
        target.id,
        strength_of(when),
        when,
        (support, *token.support),
        via=via,
        note=f"its token is let in by {by}",
    )
    return Admitted(target, pivot)
