"""Every hop of a case: each token that somebody can show, put before everybody who may take it.

A case is plain data: `clusters`, `accounts` of AWS, a `tenant` of Entra ID, and a `project` of
Google Cloud. What is not known for sure makes a hop `perhaps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

Case = Mapping[str, Any]
Hops = dict[tuple[str, str], str]
EXCHANGE = "api://AzureADTokenExchange"
GOOGLE = "accounts.google.com"
OF_AWS = ".tokens.sts.global.api.aws"


@dataclass(frozen=True)
class Token:
    """What somebody shows. No `audiences`: it is made for whichever is asked. `aims`: for whom
    alone it is shown. `signed`: by which account of AWS a request is that stands for a token."""

    source: str
    issuer: str
    subject: str
    audiences: tuple[str, ...] | None = None
    claims: dict[str, str] = field(default_factory=dict[str, str])
    aims: str = ""
    sure: bool = True
    managed: bool = False


@dataclass(frozen=True)
class Coming:
    """Whom a pool makes of a token, with the attributes that its provider maps."""

    name: str
    pool: str
    attributes: dict[str, str]
    sure: bool


def hops(case: Case) -> Hops:
    """Give every hop by a token, and those from whom a pool lets in to accounts of the project."""
    found: Hops = {}
    for token in _shown(case):
        for target, sure in _let_in(case, token):
            _note(found, token.source, target, sure)
    coming: dict[str, list[Coming]] = {}
    for one in _all_coming(case):
        coming.setdefault(one.name, []).append(one)
    for name, ways in coming.items():
        for account in case["project"]["accounts"]:
            for member in () if account["disabled"] else account["members"]:
                told = _means(case, member, ways)
                if told != "no":
                    _note(found, name, _member(account), sure=told == "yes")
    return found


def _note(found: Hops, source: str, target: str, sure: bool) -> None:
    if source != target:
        known = found.get((source, target))
        found[source, target] = "certain" if sure or known == "certain" else "perhaps"


def _bare(issuer: str) -> str:
    return issuer.removeprefix("https://").rstrip("/")


# --- what is shown -----------------------------------------------------------------------------


def _shown(case: Case) -> Iterator[Token]:
    for cluster in case["clusters"]:
        for account in cluster["accounts"]:
            yield from _of_pods(cluster, account)
    for account in case["accounts"]:
        for role in account["roles"]:
            yield from _of_role(case, account, role)
    yield from _of_tenant(case["tenant"])
    for account in case["project"]["accounts"]:
        if not account["disabled"]:
            claims = {"email": account["email"], "azp": account["uid"]}
            yield Token(_member(account), GOOGLE, account["uid"], claims=claims)


def pod(cluster: Case, account: Case) -> str:
    """Name a service account of a cluster."""
    subject = f"system:serviceaccount:{account['namespace']}:{account['name']}"
    return f"{cluster['name']}/{subject}"


def _member(account: Case) -> str:
    return f"serviceAccount:{account['email']}"


def _of_pods(cluster: Case, account: Case) -> Iterator[Token]:
    """Pods have a token where their account says so, or where they mount one for others.

    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
    https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
    """
    subject = f"system:serviceaccount:{account['namespace']}:{account['name']}"
    plain = Token(pod(cluster, account), _bare(cluster["issuer"]), subject)
    if account["role"]:
        audience = account["audience"] or "sts.amazonaws.com"
        yield replace(plain, audiences=(audience,), aims=account["role"])
    if account["client"]:
        yield replace(plain, audiences=(EXCHANGE,), aims=account["client"])
    for audience in account["mounted"]:
        yield replace(plain, audiences=(audience,))
    if cluster["arn"]:
        yield replace(plain, issuer=f"eks:{cluster['arn']}")
    if cluster["pool"]:
        name = f"{account['namespace']}/{account['name']}"
        yield replace(plain, issuer=cluster["pool"], subject=name)


def _of_role(case: Case, account: Case, role: Case) -> Iterator[Token]:
    """A role signs requests, and asks for identity tokens where its account has these turned on.

    https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
    """
    arn = f"arn:aws:iam::{account['id']}:role/{role['name']}"
    session = f"arn:aws:sts::{account['id']}:assumed-role/{role['name']}/*"
    claims = {"arn": session, "account": account["id"]}
    yield Token(arn, f"aws:{account['id']}", session, claims=claims)
    if role["asks"] is None or account["issues"] is False:
        return
    known = account["issues"] is True and account["issuer"]
    issuers = [account["issuer"]] if known else _unclaimed(case) if not account["issues"] else []
    for issuer in issuers:
        audiences = None if role["asks"] == ["*"] else tuple(role["asks"])
        yield Token(arn, _bare(issuer), arn, audiences, sure=bool(known))


def _unclaimed(case: Case) -> list[str]:
    """Issuers of AWS that somebody trusts, and no account is known to be."""
    trusted = [one["issuer"] for i in case["tenant"]["identities"] for one in i["credentials"]]
    trusted += [one["issuer"] for one in case["project"]["providers"] if not one["aws"]]
    own = {_bare(account["issuer"]) for account in case["accounts"] if account["issuer"]}
    return sorted({_bare(one) for one in trusted if OF_AWS in one} - own)


def _of_tenant(tenant: Case) -> Iterator[Token]:
    """Identities show tokens of their tenant, in an older and a newer form.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    issuers = f"login.microsoftonline.com/{tenant['id']}/v2.0", f"sts.windows.net/{tenant['id']}"
    for one in tenant["identities"]:
        claims = {"oid": one["id"], "tid": tenant["id"], "azp": one["app"], "appid": one["app"]}
        for issuer in issuers if one["enabled"] else ():
            managed = one["kind"] == "managed-identity"
            yield Token(one["id"], issuer, one["id"], claims=claims, managed=managed)


# --- who lets it in ----------------------------------------------------------------------------


def _let_in(case: Case, token: Token) -> Iterator[tuple[str, bool]]:
    for account in case["accounts"]:
        yield from _into_aws(account, token)
    yield from _into_azure(case["tenant"], token)
    for coming in _into_pools(case["project"], token):
        yield coming.name, coming.sure


def _into_aws(account: Case, token: Token) -> Iterator[tuple[str, bool]]:
    """A role lets a token in whose provider its account has, and whose claims its trust asks for.
    AWS takes no token of its own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
    https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
    """
    for one in account["associations"]:
        subject = f"system:serviceaccount:{one['namespace']}:{one['account']}"
        if token.issuer == f"eks:{one['cluster']}" and token.subject == subject:
            yield f"arn:aws:iam::{account['id']}:role/{one['role']}", True
    if OF_AWS in token.issuer or token.issuer.startswith(("aws:", "eks:")):
        return
    for role in account["roles"]:
        arn = f"arn:aws:iam::{account['id']}:role/{role['name']}"
        if token.aims in ("", arn) and _trusted(account, role, token):
            yield arn, token.sure


def _trusted(account: Case, role: Case, token: Token) -> bool:
    """Is there an audience for which its trust lets the token in?"""
    for number, provider in enumerate([*account["providers"], None]):
        if provider is None:
            issuer, audiences = GOOGLE, (token.claims.get("azp", ""),)
        else:
            issuer = _bare(provider["issuer"])
            audiences = tuple(
                one
                for one in provider["clients"]
                if token.audiences is None or one in token.audiences
            )
        if issuer != token.issuer:
            continue
        about = [
            one for one in role["trust"] if one["provider"] == (number if provider else "google")
        ]
        for audience in audiences:
            met = {one["effect"] for one in about if _met(one, token.subject, audience)}
            if met == {"Allow"}:
                return True
    return False


def _met(statement: Case, subject: str, audience: str) -> bool:
    return (
        (statement["sub"] is None or subject in statement["sub"])
        and (statement["like"] is None or fnmatchcase(subject, statement["like"]))
        and (statement["aud"] is None or statement["aud"] == audience)
    )


def _into_azure(tenant: Case, token: Token) -> Iterator[tuple[str, bool]]:
    """A federated credential names issuer, subject and audience, letter by letter, or asks by an
    expression. Of the tenant's own tokens those of managed identities are let in.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation
    https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
    """
    if tenant["id"] in token.issuer and not token.managed:
        return
    for one in tenant["identities"]:
        if not one["enabled"] or token.aims.lower() not in ("", one["app"], one["id"]):
            continue
        for credential in one["credentials"]:
            audiences = credential["audiences"] or [EXCHANGE]
            asked = token.audiences is None or not set(audiences).isdisjoint(token.audiences)
            if _bare(credential["issuer"]) == token.issuer and asked:
                expected = credential["subject"]
                start = credential["starts"]
                if expected == token.subject or (start and token.subject.startswith(start)):
                    yield one["id"], token.sure


def _into_pools(project: Case, token: Token) -> Iterator[Coming]:
    """A pool makes somebody of a token that one of its providers takes.

    https://cloud.google.com/iam/docs/workload-identity-federation
    https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity
    """
    if token.issuer == f"{project['id']}.svc.id.goog":
        name = f"serviceAccount:{token.issuer}[{token.subject}]"
        yield Coming(name, "", {}, token.sure)
    for provider in project["providers"]:
        if not provider["disabled"] and _takes(provider, token):
            yield from _mapped(provider, token)


def _takes(provider: Case, token: Token) -> bool:
    if token.issuer.startswith("aws:") or provider["aws"]:
        return bool(token.issuer == f"aws:{provider['aws']}")
    if _bare(provider["issuer"]) != token.issuer:
        return False
    own = f"{provider['pool']}/providers/{provider['name']}"
    audiences = provider["audiences"] or [own, f"https:{own}"]
    return token.audiences is None or not set(audiences).isdisjoint(token.audiences)


def _mapped(provider: Case, token: Token) -> Iterator[Coming]:
    claims = {"sub": token.subject, **token.claims}
    if provider["aws"]:
        subject, attributes = (
            claims["arn"],
            {"attribute.aws_role": claims["arn"].rpartition("/")[0]},
        )
    else:
        subject = claims.get(provider["subject"], "")
        attributes = {"attribute.who": token.subject} if provider["who"] else {}
    told = _asked(provider["condition"], claims)
    if subject and len(subject.encode()) <= 127 and told != "no":
        name = f"principal:{provider['pool']}/subject/{subject}"
        yield Coming(name, provider["pool"], attributes, token.sure and told == "yes")


def _asked(condition: Case | None, claims: Mapping[str, str]) -> str:
    if condition is None:
        return "yes"
    known = claims.get(condition["claim"])
    if known is None:
        return "perhaps"
    met = known == condition["is"] if "is" in condition else known.startswith(condition["starts"])
    return "yes" if met else "no"


def _all_coming(case: Case) -> Iterator[Coming]:
    for token in _shown(case):
        yield from _into_pools(case["project"], token)


def _means(case: Case, member: str, ways: list[Coming]) -> str:
    """Does a member of a binding mean somebody who comes by a pool, in one or several ways? Whom a
    binding names by the subject may also come by tokens that nobody of the case shows: of such a
    one, any attribute may be true that the pool maps at all.

    https://cloud.google.com/iam/docs/principal-identifiers
    """
    name, pool = ways[0].name, ways[0].pool
    if member == name:
        return "yes"
    kind, _, rest = member.partition(f":{pool}/")
    if kind != "principalSet" or not pool or not rest:
        return "no"
    if rest == "*":
        return "yes"
    attribute, _, value = rest.partition("/")
    if any(name in account["members"] for account in case["project"]["accounts"]):
        return "perhaps" if attribute in _mappable(case, pool) else "no"
    told = [one.attributes.get(attribute) == value for one in ways]
    return "yes" if all(told) else "perhaps" if any(told) else "no"


def _mappable(case: Case, pool: str) -> set[str]:
    own = [one for one in case["project"]["providers"] if one["pool"] == pool]
    by_aws = {"attribute.aws_role" for one in own if one["aws"]}
    return by_aws | {"attribute.who" for one in own if one["who"] and not one["aws"]}
