"""Kubernetes clusters of EKS: which roles their service accounts, nodes and pods have.

A service account has a role by an association (Pod Identity), or because the role trusts the
tokens of the cluster (IRSA), which only the role's trust policy tells.
https://docs.aws.amazon.com/eks/latest/userguide/service-accounts.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from modelreach.snapshot import Link
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.compute import add
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.launches import metadata_options
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links

_PREFIX: Final = "system:serviceaccount:"
#: A cluster by account, region and name.
_Cluster = tuple[str, str, str]


def parse_eks(
    answers: Answers, places: Places, versions: dict[tuple[str, str, str, str], Any], facts: Facts
) -> None:
    """Turn what EKS answered into runtimes. `versions` is what launch templates hold."""
    clusters = _clusters(answers, places, facts)
    nodes = _node_groups(answers, versions, clusters, facts)
    _fargate(answers, clusters, facts)
    _associations(answers, clusters, nodes, facts)
    _trusted(answers, clusters, nodes, facts)


def _clusters(answers: Answers, places: Places, facts: Facts) -> dict[_Cluster, str]:
    found: dict[_Cluster, str] = {}
    for one, response in answers.of("eks", "ListClusters"):
        for name in response.get("clusters", ()):
            entry = answers.response(one, "DescribeCluster", {"name": name}).get("cluster", {})
            arn = entry.get("arn") or places.arn(one, "eks", f"cluster/{name}")
            found[one.account, one.region, name] = arn
            add(
                facts,
                one,
                arn,
                "eks:cluster",
                name,
                tags=entry.get("tags"),
                created=entry.get("createdAt"),
                version=entry.get("version", ""),
                # What the control plane acts as; nothing in the cluster can have it.
                cluster_role=entry.get("roleArn"),
                oidc_issuer=_issuer(entry),
                authentication=(entry.get("accessConfig") or {}).get("authenticationMode"),
                public_endpoint=(entry.get("resourcesVpcConfig") or {}).get(
                    "endpointPublicAccess"
                ),
                administrators=_administrators(answers, one, name),
                access_entries=_entries(answers, one, name),
                access_policies=_policies(answers, one, name),
            )
    return found


def _issuer(cluster: dict[str, Any]) -> str:
    issuer = ((cluster.get("identity") or {}).get("oidc") or {}).get("issuer") or ""
    return str(issuer).removeprefix("https://")


def _administrators(answers: Answers, one: Answer, cluster: str) -> list[str]:
    """Whom an access entry makes an administrator of the whole cluster."""
    entries = answers.response(one, "ListAccessEntries", {"clusterName": cluster})
    found: list[str] = []
    for principal in entries.get("accessEntries", ()):
        asked = {"clusterName": cluster, "principalArn": principal}
        given = answers.response(one, "ListAssociatedAccessPolicies", asked)
        if any(_administers(policy) for policy in given.get("associatedAccessPolicies", ())):
            found.append(principal)
    return found


def _entries(answers: Answers, one: Answer, cluster: str) -> list[str]:
    """Who may enter: `PRINCIPAL|USER|GROUP,GROUP`. Without an answer of its own an entry has the
    user that EKS gives by default.

    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
    """
    entries = answers.response(one, "ListAccessEntries", {"clusterName": cluster})
    found: list[str] = []
    for principal in entries.get("accessEntries", ()):
        asked = {"clusterName": cluster, "principalArn": principal}
        about = answers.response(one, "DescribeAccessEntry", asked).get("accessEntry", {})
        groups = ",".join(sorted(about.get("kubernetesGroups") or ()))
        found.append(f"{principal}|{about.get('username') or principal}|{groups}")
    return sorted(found)


def _policies(answers: Answers, one: Answer, cluster: str) -> list[str]:
    """What those who enter may do: `PRINCIPAL|POLICY|` and the namespaces, or none for all."""
    entries = answers.response(one, "ListAccessEntries", {"clusterName": cluster})
    found: list[str] = []
    for principal in entries.get("accessEntries", ()):
        asked = {"clusterName": cluster, "principalArn": principal}
        given = answers.response(one, "ListAssociatedAccessPolicies", asked)
        for policy in given.get("associatedAccessPolicies", ()):
            scope = policy.get("accessScope") or {}
            whole = scope.get("type") == "cluster"
            places = "" if whole else ",".join(sorted(scope.get("namespaces") or ("?",)))
            name = str(policy.get("policyArn", "")).rpartition("/")[2]
            found.append(f"{principal}|{name}|{places}")
    return sorted(found)


def _administers(policy: dict[str, Any]) -> bool:
    whole = (policy.get("accessScope") or {}).get("type") == "cluster"
    return whole and str(policy.get("policyArn", "")).endswith(
        ("/AmazonEKSClusterAdminPolicy", "/AmazonEKSAdminPolicy")
    )


def _of_cluster(one: Answer, clusters: dict[_Cluster, str]) -> str:
    return clusters.get((one.account, one.region, str(one.parameters["clusterName"])), "")


def _node_groups(
    answers: Answers,
    versions: dict[tuple[str, str, str, str], Any],
    clusters: dict[_Cluster, str],
    facts: Facts,
) -> dict[str, list[str]]:
    """Add the node groups; give those of each cluster."""
    found: dict[str, list[str]] = {}
    for one, response in answers.of("eks", "DescribeNodegroup"):
        entry = response.get("nodegroup", {})
        cluster = _of_cluster(one, clusters)
        if arn := entry.get("nodegroupArn"):
            found.setdefault(cluster, []).append(arn)
            template = entry.get("launchTemplate") or {}
            key = one.account, one.region, str(template.get("id", ""))
            data = versions.get((*key, str(template.get("version", "$Default"))), {})
            add(
                facts,
                one,
                arn,
                "eks:nodegroup",
                entry.get("nodegroupName", ""),
                runs_as=identities(entry.get("nodeRole")),
                tags=entry.get("tags"),
                created=entry.get("createdAt"),
                cluster=cluster,
                launch_template=template.get("id"),
                **metadata_options(data),
            )
    return found


def _fargate(answers: Answers, clusters: dict[_Cluster, str], facts: Facts) -> None:
    """The role of a profile pulls images and writes logs; pods do not have it.

    https://docs.aws.amazon.com/eks/latest/userguide/pod-execution-role.html
    """
    for one, response in answers.of("eks", "DescribeFargateProfile"):
        entry = response.get("fargateProfile", {})
        if arn := entry.get("fargateProfileArn"):
            add(
                facts,
                one,
                arn,
                "eks:fargate-profile",
                entry.get("fargateProfileName", ""),
                tags=entry.get("tags"),
                created=entry.get("createdAt"),
                cluster=_of_cluster(one, clusters),
                execution_role=entry.get("podExecutionRoleArn"),
                namespaces=[
                    selector.get("namespace", "") for selector in entry.get("selectors") or ()
                ],
            )


def _associations(
    answers: Answers,
    clusters: dict[_Cluster, str],
    nodes: dict[str, list[str]],
    facts: Facts,
) -> None:
    """With a target role, the pods get that role, by way of the other; and the session policy is
    that of the role they get.

    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
    """
    for one, response in answers.of("eks", "DescribePodIdentityAssociation"):
        entry = response.get("association", {})
        cluster = _of_cluster(one, clusters)
        if arn := entry.get("associationArn"):
            role, target = entry.get("roleArn"), entry.get("targetRoleArn")
            add(
                facts,
                one,
                arn,
                "eks:pod-identity-association",
                f"{entry.get('namespace', '')}/{entry.get('serviceAccount', '')}",
                runs_as=identities(target or role),
                wired=_on_nodes(cluster, nodes),
                tags=entry.get("tags"),
                created=entry.get("createdAt"),
                cluster=cluster,
                namespace=entry.get("namespace"),
                service_account=entry.get("serviceAccount"),
                role=role,
                target_role=target,
                external_id=entry.get("externalId"),
                session_tags=not entry.get("disableSessionTags"),
            )
            if policy := entry.get("policy"):
                facts.apply(
                    one.account, arn, "session", policy, name="session policy", region=one.region
                )


def _on_nodes(cluster: str, nodes: dict[str, list[str]]) -> tuple[Link, ...]:
    return links(*(("runs-on", group) for group in nodes.get(cluster, ())))


def _trusted(
    answers: Answers,
    clusters: dict[_Cluster, str],
    nodes: dict[str, list[str]],
    facts: Facts,
) -> None:
    """Add a runtime for each role and service account (or pattern of them) that it trusts."""
    issuers = dict(_issuers(answers, clusters))
    for attachment in tuple(facts.attachments):
        if attachment.kind != "trust":
            continue
        for issuer, account in _service_accounts(facts.text(attachment.document)):
            for one, cluster in issuers.get(issuer, ()):
                namespace, _, name = account.removeprefix(_PREFIX).partition(":")
                add(
                    facts,
                    one,
                    f"{cluster}#{account}#{attachment.target}",
                    "eks:service-account",
                    f"{namespace}/{name}" if name else account,
                    runs_as=identities(attachment.target),
                    wired=_on_nodes(cluster, nodes),
                    resource=False,
                    cluster=cluster,
                    namespace=namespace,
                    service_account=name,
                    any_pod=("*" in account) or None,
                )


def _issuers(
    answers: Answers, clusters: dict[_Cluster, str]
) -> Iterator[tuple[str, list[tuple[Answer, str]]]]:
    found: dict[str, list[tuple[Answer, str]]] = {}
    for one, response in answers.of("eks", "DescribeCluster"):
        name = str(one.parameters["name"])
        issuer = _issuer(response.get("cluster", {}))
        if issuer:
            place = one, clusters.get((one.account, one.region, name), "")
            found.setdefault(issuer, []).append(place)
    yield from found.items()


def _service_accounts(document: bytes) -> Iterator[tuple[str, str]]:
    """Give the issuers that a trust policy names, with the service accounts that it lets in.

    Without a condition on the subject every pod of the cluster is let in. Whether the other
    conditions hold is the engine's to say.
    """
    policy: Any = {}
    with suppress(ValueError, RecursionError):
        policy = json.loads(document)
    statements = policy.get("Statement", ()) if isinstance(policy, dict) else ()
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            for issuer in _federated(statement):
                for account in _subjects(statement, issuer):
                    yield issuer, account


def _federated(statement: dict[str, Any]) -> Iterator[str]:
    principal = statement.get("Principal")
    named = principal.get("Federated", ()) if isinstance(principal, dict) else ()
    for arn in _listed(named):
        _, found, issuer = arn.partition(":oidc-provider/")
        if found:
            yield issuer


def _subjects(statement: dict[str, Any], issuer: str) -> list[str]:
    found: list[str] = []
    conditions = statement.get("Condition")
    for tests in conditions.values() if isinstance(conditions, dict) else ():
        for key, values in tests.items() if isinstance(tests, dict) else ():
            if str(key).lower() == f"{issuer}:sub".lower():
                found.extend(value for value in _listed(values) if value.startswith(_PREFIX))
    return found or [f"{_PREFIX}*:*"]


def _listed(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return [one for one in values if isinstance(one, str)]
