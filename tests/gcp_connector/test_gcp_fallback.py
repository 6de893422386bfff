"""Where the inventory may not be read, the services are asked, and say the same."""

from __future__ import annotations

from typing import Any

import pytest

from google_cloud.server import LocalGoogle
from modelreach.snapshot import Snapshot

ROOT = "organizations/111"
INVENTORY = r"cloudasset\..*"
BUCKET = "//storage.googleapis.com/projects/_/buckets/ml-data"


#: Things of which only the inventory tells.
ONLY_THERE = tuple(
    f"//{service}.googleapis.com/projects/ml-prod/locations/us-central1/{name}/one"
    for service, name in (
        ("bigqueryconnection", "connections"),
        ("composer", "environments"),
        ("dataproc", "clusters"),
    )
)


@pytest.fixture
def alone(local: LocalGoogle, collect: Any) -> Snapshot:
    local.fail(INVENTORY, 403)
    snapshot: Snapshot = collect()
    return snapshot


def test_the_tree_is_walked(alone: Snapshot, whole: Any) -> None:
    assert {(one.id, one.parent, one.name) for one in alone.scopes} == {
        (one.id, one.parent, one.name) for one in whole.snapshot.scopes
    }
    assert {one.id: one.attributes.get("number") for one in alone.scopes}[
        "projects/other"
    ] == "1002"


def test_the_same_runs_as_the_same(alone: Snapshot, whole: Any) -> None:
    def runs(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
        return {one.id: one.identities for one in snapshot.runtimes if one.id not in ONLY_THERE}

    assert runs(alone) == runs(whole.snapshot)


def test_the_same_accounts_and_keys(alone: Snapshot, whole: Any) -> None:
    assert alone.credentials == whole.snapshot.credentials
    accounts = {one.id: one.unique_id for one in alone.principals if one.unique_id}
    assert accounts == {
        one.id: one.unique_id for one in whole.snapshot.principals if one.unique_id
    }


def test_the_same_things_without_tags(alone: Snapshot, whole: Any) -> None:
    ended = "//aiplatform.googleapis.com/projects/1001/locations/us-central1/customJobs/ended"
    assert {one.id for one in alone.resources} == {
        one.id for one in whole.snapshot.resources if one.id not in (ended, *ONLY_THERE)
    }
    (bucket,) = [one for one in alone.resources if one.id == BUCKET]
    assert bucket.attributes["uniform_access"] is False
    assert "effective_tags" not in bucket.attributes


def test_policies_of_scopes_accounts_and_buckets_with_their_conditions(
    alone: Snapshot, whole: Any
) -> None:
    """Asked for in version 3: otherwise the roles would have other names, and no condition."""
    assert alone.bindings == whole.snapshot.bindings


def test_what_only_the_inventory_has_is_a_gap(alone: Snapshot) -> None:
    gaps = {(one.kind, one.scope, one.permission) for one in alone.gaps}
    assert ("bindings", ROOT, "cloudasset.assets.searchAllIamPolicies") in gaps
    assert ("tags", ROOT, "cloudasset.assets.searchAllResources") in gaps
    assert {kind for kind, _, _ in gaps} >= {
        "pubsub.googleapis.com/Topic",
        "runtimes:compute.googleapis.com/InstanceTemplate",
        "runtimes:dataproc.googleapis.com/Cluster",
    }
    rows = {(row.kind, row.scope): row.complete for row in alone.coverage}
    assert rows["bindings", ROOT] is False, "policies of other things were not read"
    assert rows["storage.googleapis.com/Bucket", "projects/ml-prod"] is True


def test_a_project_holds_no_others(local: LocalGoogle, collect: Any) -> None:
    local.fail(INVENTORY, 403)
    snapshot = collect(scopes=("projects/ml-prod",))
    assert local.count("cloudresourcemanager.folders.list") == 0
    assert snapshot.runtimes
    assert not [one for one in snapshot.gaps if one.kind == "scopes"]


def test_each_refusal_of_the_inventory_alone(local: LocalGoogle, collect: Any, whole: Any) -> None:
    local.fail("cloudasset.assets.list", 403)
    snapshot = collect()
    assert {one.id for one in snapshot.resources} == {one.id for one in whole.snapshot.resources}
    assert snapshot.bindings == whole.snapshot.bindings
    assert {one.kind for one in snapshot.gaps} == {
        "roles",
        "runtimes:compute.googleapis.com/InstanceTemplate",
        "runtimes:container.googleapis.com/NodePool",
        "runtimes:cloudfunctions.googleapis.com/CloudFunction",
        "runtimes:bigqueryconnection.googleapis.com/Connection",
        "runtimes:composer.googleapis.com/Environment",
        "runtimes:dataproc.googleapis.com/Cluster",
    }


def test_a_policy_without_its_conditions_is_never_looked_up(
    local: LocalGoogle, collect: Any, whole: Any
) -> None:
    for asset in local.cloud.assets.values():
        for binding in asset.policy:
            if binding.pop("condition", None):
                binding["role"] += "_withcond_0a1b2c3d4e5f"
    snapshot = collect()
    (gap,) = [one for one in snapshot.gaps if one.kind == "bindings"]
    assert (gap.reason, gap.subject) == ("malformed", BUCKET)
    assert not [one for one in local.made if "withcond" in str(one)]
    assert not [one for one in snapshot.gaps if "withcond" in one.subject]
