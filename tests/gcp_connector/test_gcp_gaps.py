"""What is refused is a gap that says why and what would close it; the run goes on."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import pytest

from google_cloud.server import LocalGoogle
from modelreach.model import NothingCollected
from modelreach.snapshot import Gap, Snapshot, encode

ROOT = "organizations/111"
ML = "projects/ml-prod"
#: Method, the kind that is missing, its scope, and the permission that would close it.
DENIED = (
    (
        "cloudasset.searchAllIamPolicies",
        "bindings",
        ROOT,
        "cloudasset.assets.searchAllIamPolicies",
    ),
    ("cloudasset.searchAllResources", "tags", ROOT, "cloudasset.assets.searchAllResources"),
    ("iam.policies.listPolicies", "deny", ML, "iam.denypolicies.list"),
    ("iam.policies.get", "deny", ML, "iam.denypolicies.get"),
    (
        "iam.principalAccessBoundaryPolicies.list",
        "boundary",
        ROOT,
        "iam.principalaccessboundarypolicies.list",
    ),
    (
        "iam.principalAccessBoundaryPolicies.searchPolicyBindings",
        "boundary",
        ROOT,
        "iam.principalaccessboundarypolicies.searchPolicyBindings",
    ),
    ("iam.accessPolicies.list", "access-policy", ML, "iam.accesspolicies.list"),
    ("iam.roles.get", "roles", ROOT, "iam.roles.get"),
    ("cloudidentity.groups.lookup", "groups", ROOT, "groups (Cloud Identity): view"),
    (
        "cloudidentity.groups.memberships.list",
        "groups",
        ROOT,
        "groups (Cloud Identity): view members",
    ),
    ("iam.projects.serviceAccounts.keys.list", "credentials", ML, "iam.serviceAccountKeys.list"),
    ("storage.projects.hmacKeys.list", "credentials", ML, "storage.hmacKeys.list"),
    ("apikeys.projects.locations.keys.list", "credentials", ML, "apikeys.keys.list"),
    (r"orgpolicy\.\w+\.policies.list", "constraint", ROOT, "orgpolicy.policies.list"),
    (
        "accesscontextmanager.accessPolicies.list",
        "perimeters",
        ROOT,
        "accesscontextmanager.policies.list",
    ),
    (
        "policyanalyzer.projects.locations.activityTypes.activities.query",
        "usage",
        ML,
        "policyanalyzer.serviceAccountLastAuthenticationActivities.query",
    ),
    (
        "aiplatform.projects.locations.reasoningEngines.list",
        "runtimes:aiplatform.googleapis.com/ReasoningEngine",
        ML,
        "aiplatform.reasoningEngines.list",
    ),
)


def gaps(snapshot: Snapshot, kind: str, scope: str = "") -> list[Gap]:
    return [gap for gap in snapshot.gaps if gap.kind == kind and scope in ("", gap.scope)]


def complete(snapshot: Snapshot, kind: str, scope: str) -> set[bool]:
    return {row.complete for row in snapshot.coverage if (row.kind, row.scope) == (kind, scope)}


@pytest.mark.parametrize(("method", "kind", "scope", "permission"), DENIED)
def test_a_refusal_is_a_gap(
    local: LocalGoogle, collect: Any, method: str, kind: str, scope: str, permission: str
) -> None:
    local.fail(method, 403)
    snapshot = collect()
    found = [gap for gap in gaps(snapshot, kind, scope) if gap.permission == permission]
    assert found, snapshot.gaps
    assert {gap.reason for gap in found} == {"denied"}
    assert False in complete(snapshot, kind, scope)
    assert snapshot.runtimes, "the run goes on"


def test_each_group_that_is_refused_is_a_gap_of_its_own(local: LocalGoogle, collect: Any) -> None:
    local.fail("cloudidentity.groups.memberships.list", match="ginner")
    found = gaps(collect(), "groups")
    assert [(gap.subject, gap.reason) for gap in found] == [("group:inner@acme.example", "denied")]


def test_a_role_that_is_refused_says_how_to_export_it(local: LocalGoogle, collect: Any) -> None:
    local.fail("iam.roles.get", match="roles/own")
    (own, new) = sorted(gaps(collect(), "roles"), key=lambda gap: gap.subject)
    assert (own.subject, own.reason, own.scope) == ("projects/ml-prod/roles/own", "denied", ML)
    assert "gcloud iam roles describe own --project=ml-prod --format=json" in own.message
    assert new.subject == "roles/new.role2027"


def test_a_bound_policy_that_is_not_read_is_kept_as_a_binding(
    local: LocalGoogle, collect: Any
) -> None:
    whole = collect()
    local.cloud.boundaries[0] = {**local.cloud.boundaries[0], "name": "organizations/111/x"}
    local.cloud.policy_bindings[0]["policy"] = "organizations/111/x"
    assert {one.kind for one in whole.attachments} == {one.kind for one in collect().attachments}


def test_without_the_organization_what_is_above_is_a_gap(local: LocalGoogle, collect: Any) -> None:
    local.fail(r"cloudresourcemanager\.(organizations|folders)\..*", 403)
    local.fail("iam.policies.listPolicies", 403, match="organizations")
    snapshot = collect(scopes=(ML,))
    denied = {(gap.scope, gap.kind) for gap in snapshot.gaps if gap.reason == "denied"}
    assert {("folders/222", "bindings"), ("folders/222", "scopes")} <= denied
    assert complete(snapshot, "bindings", "folders/222") == {False}
    assert complete(snapshot, "bindings", ML) == {True}


# -- other answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["iam.roles.get", "storage.projects.hmacKeys.list"])
@pytest.mark.parametrize("status", [429, 503])
def test_what_is_busy_is_asked_again(
    local: LocalGoogle, collect: Any, whole: Any, method: str, status: int
) -> None:
    """Over gRPC and over REST."""
    local.fail(method, status, times=2)
    assert encode(collect()) == encode(whole.snapshot)


@pytest.mark.parametrize(
    ("method", "kind"),
    [("iam.roles.get", "roles"), ("storage.projects.hmacKeys.list", "credentials")],
)
def test_what_stays_busy_is_throttled(
    local: LocalGoogle, collect: Any, method: str, kind: str
) -> None:
    local.fail(method, 429)
    found = gaps(collect({"seconds": 0.1}), kind)
    assert {gap.reason for gap in found} == {"throttled"}
    assert {gap.permission for gap in found} == {""}, "no permission would close it"


def test_a_later_page_that_is_refused_keeps_the_earlier_ones(
    local: LocalGoogle, collect: Any
) -> None:
    local.page_size = 2
    local.fail("cloudasset.searchAllIamPolicies", match='"pageToken": "2"')
    snapshot = collect()
    assert snapshot.bindings
    assert complete(snapshot, "bindings", ROOT) == {False}
    assert gaps(snapshot, "bindings", ROOT)[0].reason == "denied"


@pytest.mark.parametrize(
    "body", [b'{"items": [{"acce', b"[1]", b"<html>login</html>", b"", b'{"items": 3}']
)
def test_a_broken_answer_is_malformed(local: LocalGoogle, collect: Any, body: bytes) -> None:
    local.fail("storage.projects.hmacKeys.list", 0, body=body)
    (gap, *_) = gaps(collect(), "credentials", ML)
    assert gap.reason == "malformed"


def _impatient(local: LocalGoogle, collect: Any, method: str, match: str) -> Snapshot:
    """Collect with one answer that comes too late: it alone, however slow the machine is."""
    for timeout in (0.05, 0.5, 5.0):
        local.faults.clear()
        local.fail(method, 0, wait=14 * timeout, match=match)
        with suppress(NothingCollected):
            snapshot: Snapshot = collect({"seconds": 10 * timeout}, timeout=timeout)
            late = {gap.subject for gap in snapshot.gaps if gap.reason == "unreachable"}
            if len(late) == 1:
                return snapshot
    raise AssertionError("everything is late")


def test_a_slow_answer_is_waited_for_and_then_given_up(local: LocalGoogle, collect: Any) -> None:
    snapshot = _impatient(local, collect, "storage.projects.hmacKeys.list", "ml-prod")
    found = gaps(snapshot, "credentials", ML)
    assert {gap.reason for gap in found} == {"unreachable"}


def test_a_slow_answer_over_grpc_is_given_up_too(local: LocalGoogle, collect: Any) -> None:
    snapshot = _impatient(local, collect, "iam.roles.get", "objectViewer")
    assert {gap.subject: gap.reason for gap in gaps(snapshot, "roles")} == {
        "roles/storage.objectViewer": "unreachable",
        "roles/new.role2027": "not-collected",
    }


def test_a_service_that_is_not_enabled_has_nothing(local: LocalGoogle, collect: Any) -> None:
    local.cloud.disabled.add(("storage", "ml-prod"))
    snapshot = collect()
    assert not gaps(snapshot, "credentials")
    assert complete(snapshot, "credentials", ML) == {True}
    assert not [key for key in snapshot.credentials if key.kind == "hmac-key"]


def test_a_service_that_the_paying_project_lacks_was_not_asked(
    local: LocalGoogle, collect: Any
) -> None:
    """The error names another project than the one that was asked about."""
    local.fail("policyanalyzer.*", 403, "SERVICE_DISABLED")
    (gap, *_) = gaps(collect(), "usage", ML)
    assert gap.reason == "unsupported"


def test_a_key_that_went_away_meanwhile(local: LocalGoogle, collect: Any) -> None:
    local.fail("iam.projects.serviceAccounts.keys.list", 404)
    assert {gap.reason for gap in gaps(collect(), "credentials")} == {"not-collected"}


def test_locations_that_did_not_answer_are_gaps(
    local: LocalGoogle, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"instances": [], "unreachable": ["projects/ml-prod/locations/us-east1"]}'
    local.fail("notebooks.projects.locations.instances.list", 0, body=body)
    kind = "runtimes:notebooks.googleapis.com/Instance"
    (gap,) = gaps(collect(), kind)
    assert (gap.reason, gap.scope) == ("unreachable", ML)
    assert "us-east1" in gap.message


def test_what_the_endpoint_does_not_know_is_unsupported(local: LocalGoogle, collect: Any) -> None:
    local.fail("orgpolicy.*", 400)
    assert {gap.reason for gap in gaps(collect(), "constraint")} == {"unsupported"}


# -- nothing at all --------------------------------------------------------------------------


def test_nothing_when_everything_is_refused(local: LocalGoogle, collect: Any) -> None:
    local.fail(".*", 403)
    with pytest.raises(NothingCollected, match="Google Cloud") as raised:
        collect()
    assert "modelreach permissions gcp" in raised.value.hint


def test_nothing_without_credentials_is_found_out_early(local: LocalGoogle, collect: Any) -> None:
    local.fail(".*", 401)
    with pytest.raises(NothingCollected):
        collect()
    assert len(local.made) < 10


def test_nothing_when_nobody_is_there(collect: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NothingCollected, match="could not be reached"):
            collect({"seconds": 0.5}, endpoint_url=url)
