"""Identities of clouds enter clusters, where both the cloud and the cluster are known to agree."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Estates, Release, evaluate
from modelreach.policy.providers import engines
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    Facts,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
    merge,
)
from organisations import aks
from organisations.aks import GROUP, NOW, SPN

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
EKS = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
RBAC = "rbac.authorization.k8s.io"
SECRET = "k8s/prod/ml/secrets/db"


def cluster(*bindings: tuple[str, str, str], issuer: str = ISSUER, **about: Any) -> Snapshot:
    """A cluster with a secret. Bindings are of a role that reads secrets: a member, and where."""
    rules = {"reads": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
    documents = {name: json.dumps({"rules": rule}).encode() for name, rule in rules.items()}
    roles = tuple(
        ManagedPolicy(
            id=f"k8s/prod//clusterroles.{RBAC}/{name}",
            provider="kubernetes",
            scope="k8s/prod",
            name=name,
            default_version="1",
            versions={"1": document_id(raw)},
        )
        for name, raw in documents.items()
    )
    place: dict[str, Any] = {"provider": "kubernetes"}
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(
            Scope(id="k8s/prod", kind="cluster", attributes={"issuer": issuer, **about}, **place),
            Scope(id="k8s/prod/ml", kind="namespace", parent="k8s/prod", **place),
        ),
        resources=(
            Resource(
                id=SECRET, kind="kubernetes:secrets", scope="k8s/prod/ml", name="db", **place
            ),
        ),
        managed_policies=roles,
        bindings=tuple(
            Binding(
                id=f"b{n}",
                target=f"k8s/prod/{where}" if where else "k8s/prod",
                role=f"k8s/prod//clusterroles.{RBAC}/{role}",
                members=(f"k8s/prod/{member}",),
                **place,
            )
            for n, (member, role, where) in enumerate(bindings)
        ),
        documents={document_id(raw): msgspec.Raw(raw) for raw in documents.values()},
    )


def account(
    *policies: str, entry: str = f"{ROLE}|ops|readers", mode: str = "API", **about: Any
) -> Snapshot:
    """An account with a role and a cluster of EKS that the role may enter."""
    attributes: dict[str, Any] = {
        "oidc_issuer": ISSUER.removeprefix("https://"),
        "authentication": mode,
        "access_entries": (entry,),
        "access_policies": tuple(f"{ROLE}|{policy}" for policy in policies),
        **about,
    }
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
        principals=(
            Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT, name="deploy"),
        ),
        runtimes=(
            Runtime(
                id=EKS, provider="aws", kind="eks:cluster", scope=ACCOUNT, attributes=attributes
            ),
        ),
    )


def by_map(*bindings: tuple[str, str, str], entry: str) -> Snapshot:
    """A cluster whose config map lets somebody in."""
    found = cluster(*bindings)
    config = Resource(
        id="k8s/prod/kube-system/configmaps/aws-auth",
        provider="kubernetes",
        kind="kubernetes:configmaps",
        scope="k8s/prod/kube-system",
        attributes={"access_entries": (entry,)},
    )
    return msgspec.structs.replace(found, resources=(*found.resources, config))


def radius(*parts: Snapshot, start: str = ROLE) -> BlastRadius:
    return reach([start], engines(Facts(merge(parts, taken_at=NOW, tool=""))))


def verdicts(found: BlastRadius) -> set[tuple[str, str]]:
    return {
        (str(one.grant.capability), str(one.verdict))
        for one in found.accesses
        if one.grant.resource == SECRET
    }


def test_an_entry_gives_the_groups_that_are_bound() -> None:
    found = radius(cluster(("group:readers", "reads", "ml")), account())
    user = found.identities["k8s/prod/user:ops"]
    (hop,) = user.path.pivots
    assert (hop.kind, hop.via, str(hop.strength)) == ("federation", EKS, "certain")
    assert hop.support[0].note == "access entry: user `ops`; groups readers"
    assert verdicts(found) == {("read", "allow")}


def test_a_user_that_is_bound_by_its_name() -> None:
    assert verdicts(radius(cluster(("user:ops", "reads", "")), account())) == {("read", "allow")}


@pytest.mark.parametrize(
    ("of_cluster", "of_cloud"),
    [
        ({"issuer": "https://elsewhere.example"}, {}),
        ({"issuer": ""}, {}),
        ({"arn": f"{EKS}-2"}, {}),
        ({}, {"mode": "CONFIG_MAP"}),
        ({}, {"entry": f"{ROLE}-2|ops|readers"}),
    ],
    ids=["another issuer", "no issuer", "said to be another", "by config map", "another role"],
)
def test_half_an_entry_leads_nowhere(of_cluster: Any, of_cloud: Any) -> None:
    bound = cluster(("group:readers", "reads", "ml"), **of_cluster)
    assert set(radius(bound, account(**of_cloud)).identities) == {ROLE}


def test_a_cluster_without_an_issuer_is_what_it_was_said_to_be() -> None:
    bound = cluster(("group:readers", "reads", "ml"), issuer="", arn=EKS)
    assert verdicts(radius(bound, account())) == {("read", "allow")}


def test_an_access_policy_over_the_cluster_takes_it_over() -> None:
    found = radius(cluster(), account("AmazonEKSClusterAdminPolicy|"))
    assert set(found.takeovers) == {"k8s/prod"}


def test_an_access_policy_over_a_namespace_stays_in_it() -> None:
    found = radius(cluster(), account("AmazonEKSClusterAdminPolicy|ml"))
    assert set(found.takeovers) == {"k8s/prod/ml"}
    assert set(radius(cluster(), account("AmazonEKSClusterAdminPolicy|web")).takeovers) == {
        "k8s/prod/web"
    }


def test_a_policy_that_sees_all_reads_secrets() -> None:
    found = verdicts(radius(cluster(), account("AmazonEKSAdminViewPolicy|")))
    assert found == {("read", "allow")}


@pytest.mark.parametrize(
    "parts",
    [
        (cluster(("group:readers", "reads", "ml")), account()),
        (by_map(entry=f"{ROLE}|ops|readers"), account(entry="")),
    ],
    ids=["access entry", "config map"],
)
def test_an_entry_lets_in_no_other(parts: Any) -> None:
    assert not _rules(parts, ROLE, "aws") & {"MR401", "MR402"}


def _rules(parts: Any, start: str, cloud: str) -> set[str]:
    whole = merge(parts, taken_at=NOW, tool="")
    release = Release(deployment.of_principal(start, cloud), whole)
    return {finding.rule for finding in evaluate(release, JudgePolicy(), Estates()).findings}


@pytest.mark.parametrize("policy", ["AmazonEKSEditPolicy", "AmazonAIOpsAssistantPolicy"])
def test_a_policy_of_which_the_rules_are_not_known_is_unknown(policy: str) -> None:
    found = radius(cluster(), account(f"{policy}|"))
    assert {verdict for _, verdict in verdicts(found)} == {"unknown"}


def test_an_association_is_found_by_the_issuer() -> None:
    """EKS Pod Identity, with a cluster that was not told its ARN."""
    sa = "k8s/prod/system:serviceaccount:ml:app"
    pod = msgspec.structs.replace(
        cluster(),
        principals=(
            Principal(id=sa, provider="kubernetes", kind="service-account", scope="k8s/prod/ml"),
        ),
    )
    association = Runtime(
        id=f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/prod/a-1",
        provider="aws",
        kind="eks:pod-identity-association",
        scope=ACCOUNT,
        identities=(ROLE,),
        attributes={"cluster": EKS, "namespace": "ml", "service_account": "app"},
    )
    aws = account(entry="")
    aws = msgspec.structs.replace(aws, runtimes=(*aws.runtimes, association))
    assert set(radius(pod, aws, start=sa).identities) == {sa, ROLE}


@pytest.mark.parametrize(
    ("mode", "lets"), [("CONFIG_MAP", True), ("API_AND_CONFIG_MAP", True), ("API", False)]
)
def test_whom_the_config_map_names(mode: str, lets: bool) -> None:
    mapped = by_map(("group:readers", "reads", "ml"), entry=f"{ROLE}|ops|readers")
    found = radius(mapped, account(entry="", mode=mode))
    assert verdicts(found) == ({("read", "allow")} if lets else set())
    if lets:
        (hop,) = found.identities["k8s/prod/user:ops"].path.pivots
        assert hop.support[0].note.startswith("its config map aws-auth: user `ops`")


def test_a_role_of_a_path_is_named_without_it() -> None:
    pathed = ROLE.replace("role/", "role/team/")
    aws = account(entry="", mode="CONFIG_MAP")
    aws = msgspec.structs.replace(
        aws, principals=(msgspec.structs.replace(aws.principals[0], id=pathed),)
    )
    mapped = by_map(entry=f"{ROLE}|ops|system:masters")
    assert set(radius(mapped, aws, start=pathed).takeovers) == {"k8s/prod"}


# --- AKS -----------------------------------------------------------------------------------

READS_GROUP = (f"group:{GROUP}", "reads", "ml")


def tenant(*actions: str, **about: Any) -> Snapshot:
    """A tenant with permissions over the cluster, of which it was not read if it asks Azure."""
    attributes = {"oidc_issuer": ISSUER, "local_accounts": True, **about}
    return aks.tenant(actions=actions, told=False, **attributes)


ADMIN = "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action"


def test_the_credentials_of_the_administrator_take_a_cluster_of_aks_over() -> None:
    found = radius(cluster(), tenant(ADMIN), start=SPN)
    assert set(found.takeovers) == {"k8s/prod"}
    (hop, taking) = found.takeovers["k8s/prod"].path.pivots
    assert hop.support[0].action == ADMIN
    assert taking.kind == "administer"


def test_local_accounts_that_are_turned_off_take_nothing_over() -> None:
    off = tenant(ADMIN, local_accounts=False)
    assert not radius(cluster(), off, start=SPN).takeovers
    assert not radius(cluster(), tenant("Microsoft.Compute/*"), start=SPN).takeovers


_OF_CLUSTERS = "Microsoft.ContainerService/managedClusters"


@pytest.mark.parametrize(
    ("action", "about", "strength"),
    [
        ("accessProfiles/listCredential/action", {}, "certain"),
        ("accessProfiles/listCredential/action", {"local_accounts": False}, ""),
        ("listClusterUserCredential/action", {}, ""),
        ("listClusterUserCredential/action", {"entra": False}, "certain"),
        ("listClusterUserCredential/action", {"entra": False, "local_accounts": False}, ""),
        ("listClusterUserCredential/action", {"entra": ""}, "unknown"),
        ("listClusterAdminCredential/action", {"local_accounts": ""}, "unknown"),
        ("runCommand/action", {}, ""),
        ("runCommand/action", {"entra": False, "local_accounts": False}, "certain"),
        ("*", {"entra": ""}, "certain"),
    ],
)
def test_what_makes_an_administrator_of_aks(action: str, about: Any, strength: str) -> None:
    """Without Entra, the user of a cluster is as good, and commands are run as nobody else."""
    found = radius(cluster(), tenant(f"{_OF_CLUSTERS}/{action}", **about), start=SPN)
    user = found.identities.get("k8s/prod/user:clusterAdmin")
    assert (str(user.path.pivots[-1].strength) if user else "") == strength


def test_a_group_of_entra_that_is_bound() -> None:
    found = radius(cluster(READS_GROUP), tenant(), start=SPN)
    assert verdicts(found) == {("read", "allow")}
    assert verdicts(radius(cluster(READS_GROUP), tenant(entra=False), start=SPN)) == set()
    assert verdicts(radius(cluster(("group:g-2", "reads", "ml")), tenant(), start=SPN)) == set()


# --- GKE -----------------------------------------------------------------------------------

GKE = "//container.googleapis.com/projects/p/locations/eu/clusters/prod"
GKE_ISSUER = "https://container.googleapis.com/v1/projects/p/locations/eu/clusters/prod"
ACTOR = "serviceAccount:bot@p.iam.gserviceaccount.com"


def project(*permissions: str, condition: str = "") -> Snapshot:
    """A project with an account in a group, its permissions, and a cluster."""
    raw = json.dumps({"includedPermissions": list(permissions)}).encode()
    place: dict[str, Any] = {"provider": "gcp"}
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(Scope(id="projects/p", kind="project", attributes={"number": "11"}, **place),),
        principals=(
            Principal(
                id=ACTOR,
                kind="service-account",
                scope="projects/p",
                unique_id="117",
                groups=("group:readers@x.com",),
                **place,
            ),
        ),
        runtimes=(
            Runtime(id=GKE, kind="container.googleapis.com/Cluster", scope="projects/p", **place),
        ),
        bindings=(
            Binding(
                id="gb",
                target="projects/p",
                role="roles/r",
                members=(ACTOR,),
                condition=condition,
                **place,
            ),
        ),
        managed_policies=(
            ManagedPolicy(
                id="roles/r",
                scope="",
                default_version="1",
                versions={"1": document_id(raw)},
                **place,
            ),
        ),
        documents={document_id(raw): msgspec.Raw(raw)},
    )


def gke(*bindings: tuple[str, str, str]) -> Snapshot:
    return cluster(*bindings, issuer=GKE_ISSUER)


def test_permissions_of_iam_count_in_the_cluster() -> None:
    found = radius(gke(), project("container.secrets.get"), start=ACTOR)
    assert verdicts(found) == {("read", "allow")}
    assert verdicts(radius(gke(), project("container.pods.get"), start=ACTOR)) == set()
    elsewhere = cluster(issuer=GKE_ISSUER + "-2")
    assert verdicts(radius(elsewhere, project("container.secrets.get"), start=ACTOR)) == set()


def test_a_condition_of_iam_stays_one_in_the_cluster() -> None:
    condition = "request.host == 'x'"
    found = radius(gke(), project("container.secrets.get", condition=condition), start=ACTOR)
    (access,) = (one for one in found.accesses if one.grant.resource == SECRET)
    assert str(access.verdict) == "conditional"


def test_permissions_to_run_pods_become_whom_they_run_as() -> None:
    found = radius(gke(), project("container.pods.create"), start=ACTOR)
    user = found.identities["k8s/prod/user:bot@p.iam.gserviceaccount.com"]
    assert [pivot.kind for pivot in user.path.pivots] == ["federation"]


def test_an_account_or_a_group_that_is_bound_by_its_name() -> None:
    named = gke(("user:bot@p.iam.gserviceaccount.com", "reads", "ml"))
    assert verdicts(radius(named, project(), start=ACTOR)) == {("read", "allow")}
    grouped = gke(("group:readers@x.com", "reads", "ml"))
    found = radius(grouped, project(), start=ACTOR)
    (access,) = (one for one in found.accesses if one.grant.resource == SECRET)
    assert str(access.verdict) == "conditional"


def test_a_group_of_entra_lets_in_no_other() -> None:
    assert not _rules([cluster(READS_GROUP), tenant()], SPN, "azure") & {"MR401", "MR402"}


def test_a_credential_of_azure_is_no_trust_of_a_role() -> None:
    """A federated credential is no policy, which would be one that anybody might be named in."""
    may = json.dumps(
        {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}
    ).encode()
    lets_in = json.dumps({"issuer": "https://elsewhere.example", "subject": "s"}).encode()
    policies = Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        attachments=(
            Attachment(target=ROLE, kind="identity", document=document_id(may)),
            Attachment(target=SPN, kind="trust", document=document_id(lets_in)),
        ),
        documents={document_id(raw): msgspec.Raw(raw) for raw in (may, lets_in)},
    )
    assert set(radius(account(), tenant(), policies).identities) == {ROLE}


@pytest.mark.parametrize(("mode", "leads"), [("API_AND_CONFIG_MAP", True), ("API", False)])
def test_the_cloud_tells_whether_the_config_map_counts(mode: str, leads: bool) -> None:
    """Which cluster of EKS it is, the issuer tells: nobody has named it."""
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["update"]}]
    raw = json.dumps({"rules": rules}).encode()
    role = f"k8s/prod//clusterroles.{RBAC}/maps"
    who = "k8s/prod/user:ann"
    place: dict[str, Any] = {"provider": "kubernetes"}
    own = Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(Scope(id="k8s/prod", kind="cluster", attributes={"issuer": ISSUER}, **place),),
        principals=(Principal(id=who, kind="user", scope="k8s/prod", **place),),
        managed_policies=(
            ManagedPolicy(role, "kubernetes", "k8s/prod", "maps", "1", {"1": document_id(raw)}),
        ),
        bindings=(Binding(id="b", target="k8s/prod", role=role, members=(who,), **place),),
        runtimes=(
            Runtime(
                id=EKS,
                provider="aws",
                kind="eks:cluster",
                scope=ACCOUNT,
                attributes={"oidc_issuer": ISSUER, "authentication": mode},
            ),
        ),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    found = engines(Facts(own))["kubernetes"].pivots(who)
    assert [(one.target, one.rule) for one in found] == (
        [("k8s/prod", "k8s-aws-auth")] if leads else []
    )
