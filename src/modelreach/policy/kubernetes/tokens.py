"""The tokens that a service account's pods can show outside of the cluster.

A pod has a token for a cloud where its account says so (an annotation that the cloud's webhook
acts on), where it mounts one for another audience, or where the cloud's own service vouches for
its pods. All of these are halves: whether anybody lets the token in is the cloud's to say.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection
https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity
https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from modelreach.policy.engine import Distance, Stranger, Support, Token
from modelreach.policy.kubernetes.estate import BOUND, OUTWARD, Estate
from modelreach.policy.kubernetes.names import Object, cluster_of
from modelreach.snapshot import Principal

_AWS = "sts.amazonaws.com"
_AZURE = "api://AzureADTokenExchange"


def tokens(estate: Estate, account: Principal) -> Iterator[Token]:
    """Give every token that a service account's pods can show."""
    if account.kind != "service-account" or account.id.endswith(BOUND):
        return
    if account.id.endswith(OUTWARD):
        itself = estate.principal(account.id.removesuffix(OUTWARD))
        yield from tokens(estate, itself) if itself is not None else ()
        return
    found = Object.parse(account.id)
    subject = f"system:serviceaccount:{found.namespace}:{found.name}"
    scope = estate.facts.scopes.get(cluster_of(account.id))
    cluster = dict(scope.attributes) if scope is not None else {}
    issuer = str(cluster.get("issuer", "")).removeprefix("https://").rstrip("/")
    strangers = _strangers(found.namespace)
    if issuer:
        yield from _annotated(account, issuer, subject, strangers)
        for audience in _audiences(estate, account):
            yield Token(issuer, subject, (audience,), strangers=strangers)
    cloud = estate.cloud_of(cluster_of(account.id))
    own = cloud.id if cloud is not None and cloud.kind == "eks:cluster" else ""
    if arn := cluster.get("arn") or own:
        yield Token(f"eks:{arn}", subject)
    told = cloud.fact.attributes.get("workload_pool") if cloud is not None else None
    if pool := cluster.get("workload_pool") or told:
        yield Token(
            issuer=str(pool),
            subject=f"ns/{found.namespace}/sa/{found.name}",
            aims=_member(account.attributes.get("gcp_service_account")),
            to="gcp",
            strangers=tuple(replace(one, subject=_of_pool(one.subject)) for one in strangers),
            support=_says(account, "iam.gke.io/gcp-service-account", "gcp_service_account"),
        )


def possible(estate: Estate, account: Principal) -> Iterator[Token]:
    """Give what its pods could show besides: whoever writes a pod may mount a token for any
    audience.

    https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
    """
    if account.kind != "service-account" or account.id.endswith((BOUND, OUTWARD)):
        return
    found = Object.parse(account.id)
    scope = estate.facts.scopes.get(cluster_of(account.id))
    issuer = str(scope.attributes.get("issuer", "")) if scope is not None else ""
    if issuer:
        yield Token(
            issuer.removeprefix("https://").rstrip("/"),
            f"system:serviceaccount:{found.namespace}:{found.name}",
            strangers=_strangers(found.namespace),
        )


def _strangers(namespace: str) -> tuple[Stranger, ...]:
    """Accounts that are surely not this one: of any namespace, and of its own."""
    other = "system:serviceaccount:modelreach-probe:modelreach-probe"
    beside = f"system:serviceaccount:{namespace}:modelreach-probe"
    return (
        Stranger(other, "any service account of the cluster", Distance.PLACE),
        Stranger(beside, f"any service account of namespace `{namespace}`", Distance.BESIDE),
    )


def _of_pool(subject: str) -> str:
    """A subject as the workload pool of a cluster spells it."""
    _, _, namespace, name = subject.split(":")
    return f"ns/{namespace}/sa/{name}"


def _annotated(
    account: Principal, issuer: str, subject: str, strangers: tuple[Stranger, ...]
) -> Iterator[Token]:
    about = account.attributes
    if role := about.get("role_arn"):
        audience = str(about.get("audience", "")) or _AWS
        support = _says(account, "eks.amazonaws.com/role-arn", "role_arn")
        yield Token(
            issuer,
            subject,
            (audience,),
            aims=str(role),
            to="aws",
            strangers=strangers,
            support=support,
        )
    if client := about.get("azure_client_id"):
        support = _says(account, "azure.workload.identity/client-id", "azure_client_id")
        yield Token(
            issuer,
            subject,
            (_AZURE,),
            aims=str(client).lower(),
            to="azure",
            strangers=strangers,
            support=support,
        )


def _says(account: Principal, annotation: str, name: str) -> tuple[Support, ...]:
    value = account.attributes.get(name)
    if not value:
        return ()
    return (Support(account.id, "", account.id, (), f"annotated {annotation}: {value}"),)


def _member(email: object) -> str:
    return f"serviceAccount:{email}" if email else ""


def _audiences(estate: Estate, account: Principal) -> tuple[str, ...]:
    """Audiences of tokens that the account's pods mount for others."""
    found: set[str] = set()
    for runtime in estate.runtimes_of.get(account.id, ()):
        audiences = runtime.attributes.get("token_audiences")
        found |= set(audiences) if isinstance(audiences, tuple) else set()
    return tuple(sorted(found))
