"""Plans of the Google Cloud provider, against a look-alike on which the same is really done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from google_cloud.cloud import Cloud
from google_cloud.server import LocalGoogle, serving
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_gcp import GcpConnector
from modelreach_gcp.live import Patience
from modelreach_gcp.pace import Pacer

Json = dict[str, Any]
NOW = "2026-11-25T00:00:00Z"
ROOT, PROJECT, NUMBER = "organizations/111", "projects/ml-prod", "1001"
AGENT = "agent@ml-prod.iam.gserviceaccount.com"
NEW = "new@ml-prod.iam.gserviceaccount.com"
BUCKET = "//storage.googleapis.com/ml-data"
VIEWER = "roles/storage.objectViewer"
OWN = f"{PROJECT}/roles/own"
CANARY = "hush-canary-value"


def _cloud() -> Cloud:
    made = Cloud("111", "acme.example", "C01")
    made.project("ml-prod", NUMBER, ROOT)
    made.role(VIEWER, "Objects", ["storage.objects.get"])
    made.role("roles/storage.admin", "Storage", ["storage.objects.*", "storage.buckets.delete"])
    made.role(OWN, "Own", ["secretmanager.versions.access"])
    made.role(
        "roles/iam.workloadIdentityUser", "Federated", ["iam.serviceAccounts.getAccessToken"]
    )
    made.account(PROJECT, "agent")
    made.account(PROJECT, "leaving")
    made.add(
        "storage.googleapis.com/Bucket",
        BUCKET,
        {"name": "ml-data", "location": "US"},
        PROJECT,
        location="us",
    )
    secret = f"projects/{NUMBER}/secrets/token"
    name = f"//secretmanager.googleapis.com/{secret}"
    made.add("secretmanager.googleapis.com/Secret", name, {"name": secret}, PROJECT)
    account = f"serviceAccount:{AGENT}"
    made.bind(PROJECT, OWN, account)
    made.bind(PROJECT, "roles/storage.admin", "user:root@acme.example")
    made.bind(BUCKET, VIEWER, "user:ann@acme.example")
    made.bind(AGENT, "roles/iam.workloadIdentityUser", "user:ben@acme.example")
    return made


@pytest.fixture
def cloud() -> Cloud:
    return _cloud()


@pytest.fixture
def collect(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Snapshot]]:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    patience = Patience(seconds=1.0, first_pause=0.01, pacer=lambda: Pacer(sleep=lambda _: None))
    with serving(LocalGoogle(cloud)) as local:

        def run() -> Snapshot:
            options = CollectOptions(now=NOW, scopes=(ROOT,), endpoint_url=local.url)
            return GcpConnector(patience=patience).collect(options)

        yield run


@pytest.fixture
def plan(planned: Any) -> Any:
    return planned("google", project="ml-prod", region="us-central1")


def _member(email: str) -> str:
    return f"serviceAccount:{email}"


def test_members_bindings_and_roles(
    cloud: Cloud, collect: Any, apply: Any, plan: Any, reaches: Any
) -> None:
    """A member adds, a binding is all who hold its role, and a role's permissions change."""
    base = collect()
    plan.change(
        "google_service_account.new",
        "create",
        after={
            "account_id": "new",
            "project": "ml-prod",
            "disabled": False,
            "display_name": "new",
        },
        unknown=dict.fromkeys(("email", "member", "name", "id", "unique_id"), True),
    )
    plan.change(
        "google_project_iam_member.new",
        "create",
        after={"project": "ml-prod", "role": VIEWER, "condition": []},
        unknown={"member": True, "etag": True},
        refers={"member": ["google_service_account.new.member", "google_service_account.new"]},
    )
    binding = {"bucket": "ml-data", "role": VIEWER, "condition": []}
    plan.change(
        "google_storage_bucket_iam_binding.readers",
        "update",
        before={**binding, "members": ["user:ann@acme.example"]},
        after={**binding, "members": [_member(AGENT)]},
    )
    role = {"project": "ml-prod", "role_id": "own", "title": "Own", "stage": "GA"}
    plan.change(
        "google_project_iam_custom_role.own",
        "update",
        before={**role, "permissions": ["secretmanager.versions.access"]},
        after={
            **role,
            "permissions": ["secretmanager.versions.access", "iam.serviceAccounts.getAccessToken"],
        },
    )
    plan.change(
        "google_service_account_key.new",
        "create",
        after={"service_account_id": NEW, "private_key": CANARY},
        unknown={"name": True},
        sensitive={"private_key": True},
    )
    made = apply(plan, base)
    cloud.account(PROJECT, "new")
    cloud.key(NEW, "k1", validAfterTime="2026-11-25T00:00:00Z")
    cloud.bind(PROJECT, VIEWER, _member(NEW))
    cloud.assets[BUCKET].policy[:] = [{"role": VIEWER, "members": [_member(AGENT)]}]
    cloud.role(OWN, "Own", ["secretmanager.versions.access", "iam.serviceAccounts.getAccessToken"])
    after = collect()

    def unkeyed(name: str) -> str:
        return name.partition("/keys/")[0]

    for email in (AGENT, NEW):
        mine = reaches(made, _member(email), unkeyed)
        assert mine == reaches(after, _member(email), unkeyed), email
    assert reaches(made, _member(AGENT), unkeyed) != reaches(base, _member(AGENT), unkeyed)
    assert CANARY.encode() not in encode(made)


def test_a_policy_is_all_there_is_and_what_is_deleted_is_gone(
    cloud: Cloud, collect: Any, apply: Any, plan: Any, reaches: Any
) -> None:
    base = collect()
    data = json.dumps({"bindings": [{"role": VIEWER, "members": [_member(AGENT)]}]})
    plan.change(
        "google_storage_bucket_iam_policy.all",
        "create",
        after={"bucket": "ml-data", "policy_data": data},
    )
    plan.change(
        "google_project_iam_member.root",
        "delete",
        before={
            "project": "ml-prod",
            "role": "roles/storage.admin",
            "member": "user:root@acme.example",
            "condition": [],
        },
    )
    plan.change(
        "google_service_account.leaving",
        "delete",
        before={
            "account_id": "leaving",
            "project": "ml-prod",
            "email": "leaving@ml-prod.iam.gserviceaccount.com",
        },
    )
    plan.change(
        "google_cloud_run_v2_service.web",
        "create",
        after={
            "name": "web",
            "location": "us-central1",
            "project": "ml-prod",
            "template": [
                {
                    "service_account": AGENT,
                    "containers": [
                        {
                            "image": "repo/web:1",
                            "env": [{"name": "PLAIN", "value": CANARY, "value_source": []}],
                        }
                    ],
                    "volumes": [],
                }
            ],
        },
    )
    made = apply(plan, base)
    cloud.assets[BUCKET].policy[:] = [{"role": VIEWER, "members": [_member(AGENT)]}]
    manager = cloud.assets["//cloudresourcemanager.googleapis.com/" + PROJECT]
    manager.policy[:] = [one for one in manager.policy if one["role"] != "roles/storage.admin"]
    leaving = cloud.account_asset("leaving@ml-prod.iam.gserviceaccount.com")
    del cloud.assets[leaving.name]
    name = f"{PROJECT}/locations/us-central1/services/web"
    cloud.add(
        "run.googleapis.com/Service",
        f"//run.googleapis.com/{name}",
        {
            "name": name,
            "template": {
                "serviceAccount": AGENT,
                "containers": [{"image": "repo/web:1", "env": [{"name": "PLAIN"}]}],
            },
        },
        PROJECT,
        location="us-central1",
    )
    after = collect()
    for who in (_member(AGENT), "user:ann@acme.example"):
        if who in {one.id for one in after.principals}:
            assert reaches(made, who) == reaches(after, who), who
    assert not reaches(made, "user:ann@acme.example") & reaches(base, "user:ann@acme.example") - {
        row for row in reaches(base, "user:ann@acme.example") if row[0] == "identity"
    }
    assert [one.identities for one in made.runtimes] == [one.identities for one in after.runtimes]
    assert _member("leaving@ml-prod.iam.gserviceaccount.com") not in {
        one.id for one in made.principals
    }
    assert CANARY.encode() not in encode(made)


def test_federation_and_denial(
    cloud: Cloud, collect: Any, apply: Any, plan: Any, reaches: Any
) -> None:
    base = collect()
    pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/ci"
    plan.change(
        "google_iam_workload_identity_pool.ci",
        "create",
        after={"workload_identity_pool_id": "ci", "project": "ml-prod", "display_name": "Pool"},
        unknown={"name": True, "id": True, "mode": True, "state": True},
    )
    plan.change(
        "google_iam_workload_identity_pool_provider.github",
        "create",
        after={
            "workload_identity_pool_provider_id": "github",
            "project": "ml-prod",
            "display_name": "github",
            "attribute_mapping": {"google.subject": "assertion.sub"},
            "attribute_condition": 'assertion.repository == "acme/agent"',
            "oidc": [{"issuer_uri": "https://token.actions.githubusercontent.com"}],
        },
        unknown={"workload_identity_pool_id": True},
        refers={
            "workload_identity_pool_id": [
                "google_iam_workload_identity_pool.ci.workload_identity_pool_id",
                "google_iam_workload_identity_pool.ci",
            ]
        },
    )
    subject = f"principal://iam.googleapis.com/{pool}/subject/repo"
    plan.change(
        "google_service_account_iam_member.ci",
        "create",
        after={
            "service_account_id": f"{PROJECT}/serviceAccounts/{AGENT}",
            "role": "roles/iam.workloadIdentityUser",
            "member": subject,
            "condition": [],
        },
    )
    parent = f"cloudresourcemanager.googleapis.com%2Fprojects%2F{NUMBER}"
    plan.change(
        "google_iam_deny_policy.stop",
        "create",
        after={
            "parent": parent,
            "name": "stop",
            "display_name": "Stop",
            "rules": [
                {
                    "description": "",
                    "deny_rule": [
                        {
                            "denied_principals": ["principalSet://goog/public:all"],
                            "denied_permissions": ["storage.googleapis.com/objects.get"],
                            "exception_principals": None,
                            "exception_permissions": None,
                            "denial_condition": [],
                        }
                    ],
                }
            ],
        },
    )
    made = apply(plan, base)
    cloud.pools[PROJECT] = [{"name": pool, "state": "ACTIVE", "displayName": "Pool"}]
    cloud.providers[pool] = [
        {
            "name": f"{pool}/providers/github",
            "displayName": "github",
            "state": "ACTIVE",
            "attributeMapping": {"google.subject": "assertion.sub"},
            "attributeCondition": 'assertion.repository == "acme/agent"',
            "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        }
    ]
    cloud.bind(AGENT, "roles/iam.workloadIdentityUser", subject)
    cloud.deny(
        PROJECT,
        "stop",
        "Stop",
        {
            "deniedPrincipals": ["principalSet://goog/public:all"],
            "deniedPermissions": ["storage.googleapis.com/objects.get"],
        },
    )
    after = collect()
    for who in (_member(AGENT), subject, "user:ann@acme.example"):
        assert reaches(made, who) == reaches(after, who), who
    assert reaches(made, "user:ann@acme.example") != reaches(base, "user:ann@acme.example")


def test_a_role_that_nobody_described_is_unknown(
    collect: Any, apply: Any, plan: Any, reaches: Any
) -> None:
    base = collect()
    plan.change(
        "google_project_iam_member.odd",
        "create",
        after={
            "project": "ml-prod",
            "role": "roles/new.role2027",
            "member": _member(AGENT),
            "condition": [],
        },
    )
    made = apply(plan, base)
    (gap,) = set(made.gaps) - set(base.gaps)
    assert (gap.kind, gap.subject) == ("roles", "roles/new.role2027")
    verdicts = {row[-1] for row in reaches(made, _member(AGENT)) if row[0] == "grant"}
    assert "unknown" in verdicts


def test_a_member_that_is_not_known_leaves_the_binding_unknown(
    collect: Any, apply: Any, plan: Any, may: Any
) -> None:
    base = collect()
    plan.change(
        "google_storage_bucket_iam_member.somebody",
        "create",
        after={"bucket": "ml-data", "role": VIEWER, "condition": []},
        unknown={"member": True},
        refers={"member": ["random_pet.who.id", "random_pet.who"]},
    )
    made = apply(plan, base)
    bucket = "//storage.googleapis.com/projects/_/buckets/ml-data"
    secret = f"//secretmanager.googleapis.com/projects/{NUMBER}/secrets/token"
    asked = (_member("leaving@ml-prod.iam.gserviceaccount.com"), "storage.objects.get", bucket)
    assert (may(base, *asked), may(made, *asked)) == ("deny", "unknown")
    other = (asked[0], "secretmanager.versions.access", secret)
    assert may(made, *other) == "deny"
