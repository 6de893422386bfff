"""Identity tokens of STS: by which principals of AWS show outside of it who they are.

An account that has them turned on is an issuer of its own, whose tokens name the role or user
that asked for one: of a session its role, whatever the session is called. Whoever asks needs
`sts:GetWebIdentityToken`, which policies may hold to audiences. AWS itself takes no such token.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.model import Verdict
from modelreach.policy.audiences import bare
from modelreach.policy.aws.asker import Asker, Fixed
from modelreach.policy.aws.estate import Estate
from modelreach.policy.decision import Decision, StatementRef
from modelreach.policy.engine import INNER, Distance, Stranger, Support, Token
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, all_of
from modelreach.snapshot import Principal

ACTION: Final = "sts:GetWebIdentityToken"
_ACTS: Final = ("role", "user")
_CLAIMS: Final = f"https://sts.amazonaws.com/{INNER}"
#: The shortest and the longest time that a token may be good for, in seconds.
_WAYS: Final[tuple[Fixed, ...]] = tuple(
    {**tags, "sts:DurationSeconds": (seconds,)}
    for tags in ({"aws:TagKeys": ()}, {})
    for seconds in ("60", "3600")
)


def outbound(asker: Asker) -> Iterator[Token]:
    """Give the tokens that a principal gets, each for all audiences that it gets it for alike:
    of those that trusts elsewhere ask for."""
    estate, principal = asker.estate, asker.principal
    issuers = tuple(_issuers(estate, principal))
    # Most get none whatever they ask for, and are asked about once.
    if not issuers or asker.decide(ACTION, "*", "", principal.scope).verdict is Verdict.DENY:
        return
    for issuer, known in issuers:
        alike: dict[tuple[Expr, tuple[StatementRef, ...]], list[str]] = {}
        for audience in sorted(estate.asked_elsewhere[issuer]):
            decision = _asked(asker, audience)
            if decision.verdict is not Verdict.DENY:
                when = all_of((known, decision.residual))
                alike.setdefault((when, decision.allowed_by), []).append(audience)
        for (when, refs), audiences in alike.items():
            support = Support(asker.name, ACTION, principal.scope, refs, f"a token of {issuer}")
            yield _token(estate, principal, issuer, tuple(audiences), when, (support,))


def missing(asker: Asker) -> Iterator[Token]:
    """Give the tokens that trusts elsewhere ask for and a principal does not get: as its account
    has them turned off, or its policies do not let it."""
    estate, principal = asker.estate, asker.principal
    if not estate.asked_elsewhere or principal.kind not in _ACTS:
        return
    got = {(token.issuer, audience) for token in outbound(asker) for audience in token.audiences}
    on, own = _told(estate, principal.scope)
    if on is None or (on and not own):
        return
    issuers = (own,) if own else estate.unclaimed_issuers
    for issuer in issuers:
        wanted = sorted(estate.asked_elsewhere.get(issuer, ()))
        left = tuple(one for one in wanted if (issuer, one) not in got)
        if left:
            yield _token(estate, principal, issuer, left, TRUE, ())


def _issuers(estate: Estate, principal: Principal) -> Iterator[tuple[str, Expr]]:
    """Give whose tokens a principal may get, as far as trusts elsewhere name the issuer, and what
    has to hold for its account to be that issuer."""
    if not estate.asked_elsewhere or principal.kind not in _ACTS:
        return
    account = principal.scope
    on, own = _told(estate, account)
    if on and own in estate.asked_elsewhere:
        yield own, TRUE
    for issuer in () if on is False or own else estate.unclaimed_issuers:
        yield issuer, Atom(AtomKind.GAP, f"whether account {account} is the issuer {issuer}")


def _told(estate: Estate, account: str) -> tuple[bool | None, str]:
    """Give whether an account issues tokens (None where it was not read), and as whom."""
    scope = estate.facts.scopes.get(account)
    on = scope.attributes.get("issues_tokens") if scope is not None else None
    own = bare(scope.attributes.get("token_issuer", "")) if scope is not None else ""
    return (on if isinstance(on, bool) else None), own


def _asked(asker: Asker, audience: str) -> Decision:
    """Decide on a token for one audience. What else is asked for the caller says: the shortest
    time, or where that is not allowed the longest; no tags, or where there have to be some any."""
    asks = {
        "sts:IdentityTokenAudience": (audience,),
        "sts:SigningAlgorithm": ("RS256",),
        "sts:SubjectMode": ("AWSIdentity",),
    }
    account = asker.principal.scope
    decisions = (asker.decide(ACTION, "*", "", account, {**asks, **way}) for way in _WAYS)
    first = next(decisions)
    given = (one for one in (first, *decisions) if one.verdict is not Verdict.DENY)
    return next(given, first)


def _token(
    estate: Estate,
    principal: Principal,
    issuer: str,
    audiences: tuple[str, ...],
    when: Expr,
    support: tuple[Support, ...],
) -> Token:
    partition, account = principal.id.split(":")[1], principal.scope
    claims: dict[str, tuple[str, ...]] = {
        f"{_CLAIMS}aws_account": (account,),
        f"{_CLAIMS}principal_id": (principal.id,),
    }
    organization, paths = estate.organization(account)
    if organization:
        claims[f"{_CLAIMS}org_id"] = (organization,)
    if paths:
        claims[f"{_CLAIMS}ou_path"] = paths
    other = f"arn:{partition}:iam::{account}:role/modelreach-probe"
    words = f"any role of account {account} that gets tokens"
    of_other = {**claims, f"{_CLAIMS}principal_id": (other,)}
    stranger = Stranger(other, words, Distance.BESIDE, of_other)
    return Token(
        issuer,
        principal.id,
        audiences,
        claims,
        strangers=(stranger,),
        support=support,
        when=when,
    )
