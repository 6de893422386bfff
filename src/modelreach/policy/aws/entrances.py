"""Through what outsiders enter an account as its roles: identity providers that speak SAML, trust
anchors and profiles of Roles Anywhere.

Who may change such an entrance, or make one that a role's trust lets in, comes in by it and says
itself who it is: what a trust asks of the assertion or the certificate is then no obstacle.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_saml.html
https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.model import Verdict
from modelreach.policy.aws.asker import Fixed
from modelreach.policy.aws.became import SEVERAL, Became, How
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.escalation import Target, Through
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Request
from modelreach.policy.aws.needs import Aim, Questions
from modelreach.policy.aws.principals import Caller
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Support
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, assign
from modelreach.policy.glob import is_literal, match
from modelreach.snapshot import Credential, Principal

_ANYWHERE: Final = "rolesanywhere.amazonaws.com"
_SAML: Final = ":saml-provider/"
#: What the trust of a role has to allow Roles Anywhere.
_BY_CERTIFICATE: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
_BY_ASSERTION: Final = ("sts:AssumeRoleWithSAML",)
#: Condition keys that the assertion, or the certificate, is asked for.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml
_CHOSEN: Final = (
    *("saml:", "sts:rolesessionname", "sts:sourceidentity"),
    *("aws:principaltag/", "aws:requesttag/", "aws:tagkeys"),
)
_SOURCE: Final = "aws:sourcearn"
#: The id of a trust anchor that is yet to be made: AWS gives it, and no policy can name it.
_NEW: Final = "trust-anchor/00000000-0000-4000-8000-000000000000"


def entered(target: Target, questions: Questions) -> Iterator[Aim]:
    """Give each role of the caller's account with each entrance that it may be entered through."""
    account = questions.asker.principal.scope
    match target.through:
        case Through.SAML:
            yield from _by_provider(questions, account, there=True)
        case Through.NO_SAML:
            yield from _by_provider(questions, account, there=False)
        case Through.ANCHOR:
            yield from _by_anchor(questions, account)
        case Through.PROFILE:
            for opened in _profiles(questions, account):
                yield _aim(questions, opened.principal, profile=_profile_of(opened))
        case _:
            for name in questions.asker.estate.named.trusting_in(account, _ANYWHERE):
                yield _aim(questions, name)


def _aim(questions: Questions, role: str, entrance: str = "", profile: str = "") -> Aim:
    principal = questions.asker.estate.facts.principals.get(role)
    return Aim(role, principal, linked=entrance, profile=profile)


def _by_provider(questions: Questions, account: str, *, there: bool) -> Iterator[Aim]:
    """Providers that are there, or that roles trust and are not; either, where that was not
    read."""
    estate = questions.asker.estate
    known = {one.id for one in estate.principals_of(account, "saml-provider")}
    named = {name for name in estate.named.trusted_in(account) if _SAML in name}
    own = {name for name in named if name.split(":")[4] == account}
    unread = not questions.collected("principals")
    for provider in sorted(own if unread else own & known if there else own - known):
        for role in estate.named.trusting_in(account, provider):
            yield _aim(questions, role, provider)


def _by_anchor(questions: Questions, account: str) -> Iterator[Aim]:
    facts = questions.asker.estate.facts
    for anchor in questions.asker.estate.listed(account, "rolesanywhere:trust-anchor"):
        if facts.resources[anchor].attributes.get("enabled") is False:
            continue
        for opened in _profiles(questions, account):
            yield _aim(questions, opened.principal, anchor, _profile_of(opened))


def _profiles(questions: Questions, account: str) -> Iterator[Credential]:
    """What profiles open: a role each, by a profile that is not turned off."""
    for one in questions.asker.estate.credentials_of(account, "roles-anywhere"):
        if one.status != "inactive":
            yield one


def _profile_of(opened: Credential) -> str:
    return str(opened.attributes.get("profile", ""))


def within_profile(estate: Estate, profile: str, name: str) -> str:
    """Give the name of a role within the session policy of the profile that opens it."""
    attached = estate.facts.attachments.get(profile, ()) if profile else ()
    digests = sorted({one.document for one in attached if one.kind == "session"})
    return Became(name, How.SESSION, SEVERAL.join(digests)).name if digests else name


# --- the trust -------------------------------------------------------------------------------


def enters(
    target: Target, questions: Questions, aim: Aim
) -> Iterator[tuple[Support | None, Expr]]:
    """Give that a profile has the role, where one is asked for, and that its trust lets in who
    comes by the entrance."""
    if aim.profile:
        note = "the profile has the role"
        yield Support(_ANYWHERE, "rolesanywhere:CreateSession", aim.profile, (), note), TRUE
    yield _let_in(target, questions, aim)


def _let_in(target: Target, questions: Questions, aim: Aim) -> tuple[Support | None, Expr]:
    """Give that the trust lets it in, and what is left of what it asks; no support when it does
    not."""
    role = aim.principal
    if role is None or role.kind != "role":
        return None, TRUE
    saml = target.through in (Through.SAML, Through.NO_SAML)
    who = aim.linked if saml else _ANYWHERE
    known: Fixed = {"aws:SourceArn": (aim.linked,)} if target.through is Through.ANCHOR else {}
    actions = _BY_ASSERTION if saml else _BY_CERTIFICATE
    decisions = [_decided(questions, who, action, role, known) for action in actions]
    if any(decision.verdict is Verdict.DENY for decision in decisions):
        return None, TRUE
    residual = all_of(_left(decision.residual, role.scope) for decision in decisions)
    if residual == FALSE:
        return None, TRUE
    if saml and not questions.collected("principals"):
        residual = all_of((residual, Atom(AtomKind.GAP, f"whether there is {who}")))
    note = "the role's trust lets in who comes by it"
    return Support(who, actions[0], role.id, decisions[0].allowed_by, note), residual


def _decided(
    questions: Questions,
    who: str,
    action: str,
    role: Principal,
    known: Fixed,
) -> Decision:
    estate = questions.asker.estate
    caller = Caller.of(who)
    context = estate.entering(caller, role, {**questions.asker.fixed, **known})
    layers = estate.resource_layers(role.id, role.scope)
    return decide(Request(caller, action, role.id, role.scope, context), layers)


def _left(residual: Expr, account: str) -> Expr:
    """Give what is left of what a trust asks, when the caller says what it likes of itself."""

    def settled(atom: Atom) -> bool | None:
        key = atom.key.lower()
        if atom.kind is AtomKind.CONTEXT and key == _SOURCE:
            return any(_names_new(value, account) for value in atom.values)
        return True if atom.kind is AtomKind.CONTEXT and key.startswith(_CHOSEN) else None

    return assign(residual, settled)


def _names_new(pattern: str, account: str) -> bool:
    """May a pattern mean a trust anchor of the account that is yet to be made?"""
    fields = pattern.split(":", 5)
    if len(fields) < 6:
        return match(pattern, f"arn:aws:rolesanywhere:eu-west-1:{account}:{_NEW}")
    region = fields[3] if is_literal(fields[3]) else "eu-west-1"
    partition = fields[1] if is_literal(fields[1]) else "aws"
    return match(pattern, f"arn:{partition}:rolesanywhere:{region}:{account}:{_NEW}")
