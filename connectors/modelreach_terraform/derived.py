"""What follows for things that a plan does not name: who else runs as somebody it changes.

An instance runs as whoever is in its profile, a pod as a role that trusts its account, a deployed
model as its account's identities: these change although their own resources do not. A registry's
policy applies to a repository that is new there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from modelreach.snapshot import Attachment, AttributeValue, Link, Runtime
from modelreach_terraform.aws.storage import OF_REGISTRY
from modelreach_terraform.edits import Attach
from modelreach_terraform.values import texts
from modelreach_terraform.world import World

_PREFIX: Final = "system:serviceaccount:"
_PODS: Final = "eks:service-account"
_ACCOUNTS: Final = "microsoft.cognitiveservices/accounts"


def derive(world: World, touched: set[str]) -> None:
    """Let what follows from the things that were touched be so."""
    _profiles(world)
    _pods(world, touched)
    _deployments(world, touched)
    _registries(world, touched)


def _registries(world: World, touched: set[str]) -> None:
    """Let the policy of a registry apply to a repository that is new in it, as to the others."""
    found = [one for one in world.resources.values() if one.kind == "ecr:repository"]
    for new in [one for one in found if one.id in touched and not _of_registry(world, one.id)]:
        for other in sorted(found, key=lambda one: one.id):
            there = _of_registry(world, other.id)
            if there and (other.scope, other.region) == (new.scope, new.region):
                document = world.document(there[0].document)
                world.add(Attach(new.id, "resource", document, OF_REGISTRY))
                break


def _of_registry(world: World, repository: str) -> list[Attachment]:
    return [one for one in world.attachments(repository) if one.name == OF_REGISTRY]


def _profiles(world: World) -> None:
    """Of every instance whose profile somebody is in; where nobody was read, nothing is known."""
    members: dict[str, set[str]] = {}
    for principal in world.principals.values():
        for profile in _tuple(principal.attributes.get("instance_profiles")):
            members.setdefault(profile, set()).add(principal.id)
    for name, runtime in list(world.runtimes.items()):
        told = str(runtime.attributes.get("instance_profile", ""))
        if runtime.kind == "ec2:instance" and told in members:
            found = tuple(sorted(members[told]))
            world.runtimes[name] = replace(runtime, identities=found)


def _deployments(world: World, touched: set[str]) -> None:
    for name, runtime in list(world.runtimes.items()):
        account = world.runtimes.get(name.partition("/deployments/")[0])
        if account and account.kind == _ACCOUNTS and account.id in touched - {name}:
            world.runtimes[name] = replace(runtime, identities=account.identities)


def _pods(world: World, touched: set[str]) -> None:
    """Roles that trust the tokens of a cluster (IRSA): a runtime for each, and each account.

    https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
    """
    for name, runtime in list(world.runtimes.items()):
        if runtime.kind == _PODS and name.rpartition("#")[2] in touched:
            del world.runtimes[name]
    clusters = {
        str(one.attributes["oidc_issuer"]): one
        for one in world.runtimes.values()
        if one.kind == "eks:cluster" and one.attributes.get("oidc_issuer")
    }
    for role in touched & world.principals.keys() if clusters else ():
        for attachment in world.attachments(role):
            if attachment.kind == "trust":
                document = world.document(attachment.document)
                for issuer, account in _service_accounts(document):
                    if cluster := clusters.get(issuer):
                        made = _pod(world, cluster, account, role)
                        world.runtimes[made.id] = made


def _pod(world: World, cluster: Runtime, account: str, role: str) -> Runtime:
    namespace, _, name = account.removeprefix(_PREFIX).partition(":")
    nodes = [
        Link(kind="runs-on", target=one.id)
        for one in world.runtimes.values()
        if one.kind == "eks:nodegroup" and one.attributes.get("cluster") == cluster.id
    ]
    told: dict[str, AttributeValue] = {"cluster": cluster.id}
    told |= {"namespace": namespace} if namespace else {}
    told |= {"service_account": name} if name else {}
    told |= {"any_pod": True} if "*" in account else {}
    return Runtime(
        id=f"{cluster.id}#{account}#{role}",
        provider="aws",
        kind=_PODS,
        scope=cluster.scope,
        region=cluster.region,
        name=f"{namespace}/{name}" if name else account,
        identities=(role,),
        links=tuple(sorted(nodes, key=lambda one: one.target)),
        attributes=told,
    )


def _service_accounts(document: object) -> Iterator[tuple[str, str]]:
    """Give the issuers that a trust policy names, with the accounts that it lets in; without a
    condition on the subject every pod of the cluster is."""
    policy: Any = document if isinstance(document, dict) else {}
    statements = policy.get("Statement", ())
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        for arn in texts(principal.get("Federated") if isinstance(principal, dict) else None):
            _, found, issuer = arn.partition(":oidc-provider/")
            for account in _subjects(statement, issuer) if found else ():
                yield issuer, account


def _subjects(statement: dict[str, Any], issuer: str) -> list[str]:
    found: list[str] = []
    conditions = statement.get("Condition")
    for tests in conditions.values() if isinstance(conditions, dict) else ():
        for key, values in tests.items() if isinstance(tests, dict) else ():
            if str(key).lower() == f"{issuer}:sub".lower():
                found.extend(one for one in texts(values) if one.startswith(_PREFIX))
    return found or [f"{_PREFIX}*:*"]


def _tuple(value: AttributeValue | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
