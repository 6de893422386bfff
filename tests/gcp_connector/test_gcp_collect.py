"""From the wire to facts: everything once, whatever the pages and the order of answers."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from google_cloud.everything import CANARY, everything
from google_cloud.server import LocalGoogle, serving
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_gcp.calls import CALLS

AGENT = "serviceAccount:agent@ml-prod.iam.gserviceaccount.com"
AI = "//aiplatform.googleapis.com/projects/1001/locations/us-central1"
BUCKET = "//storage.googleapis.com/projects/_/buckets/ml-data"
SECRET = "//secretmanager.googleapis.com/projects/1001/secrets/token"
RUN = "//run.googleapis.com/projects/ml-prod/locations/us-central1"


@pytest.fixture(scope="module")
def facts(whole: Any) -> Snapshot:
    snapshot: Snapshot = whole.snapshot
    return snapshot


def one(section: Any, ident: str) -> Any:
    (found,) = [fact for fact in section if fact.id == ident]
    return found


def test_the_look_alike_answers_in_googles_words(whole: Any) -> None:
    assert whole.local.strange == set()


def test_nothing_is_missing_but_the_role_that_does_not_exist(facts: Snapshot) -> None:
    (gap,) = facts.gaps
    assert (gap.kind, gap.subject, gap.reason) == ("roles", "roles/new.role2027", "not-collected")
    assert "gcloud iam roles describe roles/new.role2027 --format=json" in gap.message
    assert {row.complete for row in facts.coverage if row.kind != "roles"} == {True}
    assert [row.complete for row in facts.coverage if row.kind == "roles"] == [False]


def test_no_value_is_kept(whole: Any) -> None:
    assert CANARY.encode() not in encode(whole.snapshot)
    for path in whole.recording.rglob("*.json"):
        assert CANARY not in path.read_text(), path


def test_scopes_with_tags_and_labels(facts: Snapshot) -> None:
    project = one(facts.scopes, "projects/ml-prod")
    assert (project.kind, project.parent, project.tags) == (
        "project",
        "folders/222",
        {"team": "ml"},
    )
    assert project.attributes["number"] == "1001"
    assert project.attributes["effective_tags"] == ("111/env/prod",)
    assert "tags" not in project.attributes
    assert one(facts.scopes, "folders/222").attributes["tag_ids"] == (
        "tagKeys/env=tagValues/env-prod",
    )
    assert one(facts.scopes, "organizations/111").attributes == {"customer": "C01"}


def test_perimeters_that_are_enforced(facts: Snapshot) -> None:
    project = one(facts.scopes, "projects/ml-prod")
    assert project.attributes["perimeters"] == ("ml",)
    assert project.attributes["restricted_services"] == ("storage.googleapis.com",)
    assert "perimeters" not in one(facts.scopes, "projects/other").attributes


def test_tags_are_inherited_by_resources(facts: Snapshot) -> None:
    bucket = one(facts.resources, BUCKET)
    assert bucket.attributes["tags"] == ("111/team/red",)
    assert bucket.attributes["effective_tags"] == ("111/env/prod", "111/team/red")
    assert bucket.attributes["uniform_access"] is False
    assert str(bucket.attributes["kms_key"]).startswith(
        "//cloudkms.googleapis.com/projects/ml-prod"
    )
    assert bucket.tags == {"classification": "restricted"}


def test_a_nearer_tag_overrides_one_from_above(local: LocalGoogle, collect: Any) -> None:
    """Whatever the order in which they are told."""
    local.cloud.assets["//storage.googleapis.com/ml-data"].tags = ["env/test"]
    local.cloud.assets["//cloudresourcemanager.googleapis.com/organizations/111"].tags = ["env/x"]
    snapshot = collect()
    assert one(snapshot.resources, BUCKET).attributes["effective_tags"] == ("111/env/test",)
    project = one(snapshot.scopes, "projects/ml-prod")
    assert project.attributes["effective_tags"] == ("111/env/prod",)
    assert one(snapshot.scopes, "projects/other").attributes["effective_tags"] == ("111/env/x",)


def test_a_location_that_is_no_name_is_not_made_a_host(local: LocalGoogle, collect: Any) -> None:
    local.cloud.locations += ["evil.example/", "us-central1@evil", "a:1"]
    collect()
    assert not [p for _, p in local.made if "evil" in str(p) and "locations.list" not in str(p)]


def test_principals_by_kind(facts: Snapshot) -> None:
    kinds = {fact.id: fact.kind for fact in facts.principals}
    assert kinds == {
        AGENT: "service-account",
        "serviceAccount:off@ml-prod.iam.gserviceaccount.com": "service-account",
        "serviceAccount:helper@other.iam.gserviceaccount.com": "service-account",
        "serviceAccount:far@elsewhere.iam.gserviceaccount.com": "service-account",
        "serviceAccount:1001-compute@developer.gserviceaccount.com": "service-account",
        agent("gcp-sa-aiplatform-cc"): "service-agent",
        agent("gcp-sa-aiplatform-re"): "service-agent",
        "serviceAccount:ml-prod.svc.id.goog[ns/app]": "federated",
        "principal://iam.googleapis.com/projects/1001/locations/global/workloadIdentityPools/ci"
        "/subject/repo": "federated",
        "principal://agents.global.org-111.system.id.goog/resources/aiplatform/projects/1001"
        "/locations/us-central1/reasoningEngines/identified": "agent-identity",
        "group:team@acme.example": "group",
        "group:inner@acme.example": "group",
        "group:denied@acme.example": "group",
        "user:ann@acme.example": "user",
        "user:ben@acme.example": "user",
        "user:boss@acme.example": "user",
    }


def test_groups_nest(facts: Snapshot) -> None:
    assert one(facts.principals, AGENT).groups == (
        "group:inner@acme.example",
        "group:team@acme.example",
    )
    assert one(facts.principals, "group:inner@acme.example").groups == ("group:team@acme.example",)


def test_accounts(facts: Snapshot) -> None:
    agent = one(facts.principals, AGENT)
    assert agent.scope == "projects/ml-prod"
    assert len(agent.unique_id) == 21
    assert agent.attributes["disabled"] is False
    off = one(facts.principals, "serviceAccount:off@ml-prod.iam.gserviceaccount.com")
    assert off.attributes["disabled"] is True
    far = one(facts.principals, "serviceAccount:far@elsewhere.iam.gserviceaccount.com")
    assert far.attributes["foreign"] is True
    compute = one(facts.principals, "serviceAccount:1001-compute@developer.gserviceaccount.com")
    assert (compute.scope, compute.attributes["default"]) == ("projects/ml-prod", "compute")


def test_keys_of_accounts(facts: Snapshot) -> None:
    prefix = "//iam.googleapis.com/projects/ml-prod/serviceAccounts/agent@ml-prod.iam"
    keys = {key.id.rpartition("/")[2]: key for key in facts.credentials if prefix in key.id}
    assert set(keys) == {"old", "leaked"}, "keys that Google rotates are not long-lived"
    old, leaked = keys["old"], keys["leaked"]
    assert (old.principal, old.status, old.expires) == (AGENT, "active", "never")
    assert old.last_used == "2026-11-20T08:00:00Z"
    assert (leaked.status, leaked.expires) == ("disabled", "2027-01-01T00:00:00Z")
    assert leaked.attributes["exposed"] is True
    assert leaked.attributes["origin"] == "USER_PROVIDED"
    assert leaked.last_used == "", "not seen is not known"


def test_api_keys_and_hmac_keys(facts: Snapshot) -> None:
    by_name = {key.id.rpartition("/")[2]: key for key in facts.credentials}
    bound, limited, hmac = by_name["bound"], by_name["limited"], by_name["GOOG1E"]
    assert (bound.kind, bound.principal) == ("api-key", AGENT)
    assert bound.attributes["restricted"] is False
    assert limited.principal == ""
    assert limited.attributes["api_targets"] == (
        "aiplatform.googleapis.com",
        "translate.googleapis.com:Get*",
    )
    assert limited.attributes["caller_restriction"] == "server"
    assert (hmac.kind, hmac.principal, hmac.status) == ("hmac-key", AGENT, "active")


def test_usage_of_accounts(facts: Snapshot) -> None:
    (usage,) = facts.usage
    assert (usage.principal, usage.last_used) == (AGENT, "never")
    assert usage.window_start == "2026-01-01T00:00:00Z"


def test_bindings(facts: Snapshot) -> None:
    by_target = {(one.target, one.role): one for one in facts.bindings}
    conditional = by_target[BUCKET, "roles/storage.objectViewer"]
    assert conditional.condition == 'resource.name.startsWith("x")'
    assert "allUsers" in conditional.members
    assert any(member.startswith("deleted:") for member in conditional.members)
    account = "//iam.googleapis.com/projects/ml-prod/serviceAccounts/agent@ml-prod"
    assert (f"{account}.iam.gserviceaccount.com", "roles/viewer") in by_target
    assert ("organizations/111", "roles/viewer") in by_target
    targets = {fact.id for fact in facts.scopes} | {fact.id for fact in facts.resources}
    assert {one.target for one in facts.bindings} <= targets


def test_roles(facts: Snapshot) -> None:
    roles = {role.id: role for role in facts.managed_policies}
    assert set(roles) == {
        "roles/viewer",
        "roles/storage.objectViewer",
        "projects/ml-prod/roles/own",
        "organizations/111/roles/gone",
    }
    gone = json.loads(bytes(facts.documents[roles["organizations/111/roles/gone"].versions["1"]]))
    assert gone == {"includedPermissions": [], "stage": "GA", "deleted": True}
    assert roles["projects/ml-prod/roles/own"].scope == "projects/ml-prod"


def test_policies_that_are_no_allow_policies(facts: Snapshot) -> None:
    found = {one.kind: one for one in facts.attachments}
    assert {kind: one.target for kind, one in found.items()} == {
        "deny": "projects/ml-prod",
        "boundary": "projects/ml-prod",
        "access-policy": "projects/ml-prod",
        "constraint": "organizations/111",
    }
    documents = {
        kind: json.loads(bytes(facts.documents[one.document])) for kind, one in found.items()
    }
    rule = documents["deny"]["rules"][0]["denyRule"]
    assert rule["exceptionPrincipals"] == ["principal://goog/subject/boss@acme.example"]
    boundary = documents["boundary"]
    assert boundary["policy"]["details"]["enforcementVersion"] == "4"
    assert boundary["binding"]["condition"]["expression"].startswith("principal.type")
    assert documents["access-policy"]["policy"]["details"]["rules"][0]["effect"] == "ALLOW"
    assert found["constraint"].policy == "iam.disableServiceAccountKeyCreation"


def test_pools_and_providers(facts: Snapshot) -> None:
    pool = "//iam.googleapis.com/projects/ml-prod/locations/global/workloadIdentityPools/ci"
    provider = one(facts.resources, f"{pool}/providers/github").attributes
    assert provider["pool"] == pool
    assert provider["issuer"] == "https://token.actions.githubusercontent.com"
    assert provider["audiences"] == ("acme",)
    assert provider["attribute_mapping"] == ("google.subject=assertion.sub",)
    assert provider["attribute_condition"] == 'assertion.repository == "acme/agent"'
    staff = "//iam.googleapis.com/locations/global/workforcePools/staff/providers/github"
    assert one(facts.resources, staff).kind == "iam.googleapis.com/WorkforcePoolProvider"


def agent(service: str) -> str:
    return f"serviceAccount:service-1001@{service}.iam.gserviceaccount.com"


COMPUTE = "serviceAccount:1001-compute@developer.gserviceaccount.com"
WHO = {
    f"{AI}/endpoints/own": (AGENT,),
    f"{AI}/endpoints/pooled": (AGENT,),
    f"{AI}/endpoints/google": (),
    f"{AI}/models/m1": (),
    f"{AI}/deploymentResourcePools/shared": (AGENT,),
    f"{AI}/reasoningEngines/account": (AGENT,),
    f"{AI}/reasoningEngines/default": (agent("gcp-sa-aiplatform-re"),),
    f"{AI}/reasoningEngines/identified": (
        "principal://agents.global.org-111.system.id.goog/resources/aiplatform/projects/1001"
        "/locations/us-central1/reasoningEngines/identified",
    ),
    f"{AI}/customJobs/c1": (agent("gcp-sa-aiplatform-cc"),),
    f"{AI}/hyperparameterTuningJobs/h1": (AGENT,),
    f"{AI}/trainingPipelines/t1": (AGENT,),
    f"{AI}/pipelineJobs/p1": (COMPUTE,),
    f"{AI}/schedules/s1": (AGENT,),
    f"{AI}/batchPredictionJobs/b1": (),
    f"{AI}/persistentResources/r1": (AGENT,),
    f"{AI}/notebookRuntimeTemplates/nt": (AGENT,),
    f"{AI}/notebookRuntimes/nr": ("user:ann@acme.example",),
    f"{RUN}/services/one": (AGENT,),
    f"{RUN}/jobs/one": (COMPUTE,),
    f"{RUN}/workerPools/one": (COMPUTE,),
    "//composer.googleapis.com/projects/ml-prod/locations/us-central1/environments/one": (AGENT,),
    "//dataproc.googleapis.com/projects/ml-prod/locations/us-central1/clusters/one": (COMPUTE,),
    "//bigqueryconnection.googleapis.com/projects/ml-prod/locations/us-central1/connections/one": (
        AGENT,
    ),
    "//cloudfunctions.googleapis.com/projects/ml-prod/locations/us-central1/functions/one": (
        AGENT,
    ),
    "//notebooks.googleapis.com/projects/ml-prod/locations/us-central1/instances/one": (AGENT,),
    "//compute.googleapis.com/projects/ml-prod/zones/us-central1-a/instances/vm": (COMPUTE,),
    "//container.googleapis.com/projects/ml-prod/locations/us-central1/clusters/gke": (COMPUTE,),
}


def test_as_whom_everything_runs(facts: Snapshot) -> None:
    assert {fact.id: fact.identities for fact in facts.runtimes} == WHO


def test_jobs_that_have_ended_run_as_nobody(whole: Any) -> None:
    assert f"{AI}/customJobs/ended" not in {fact.id for fact in whole.snapshot.runtimes}


def test_what_runtimes_are_wired_to(facts: Snapshot) -> None:
    links = {fact.id: {(one.kind, one.target) for one in fact.links} for fact in facts.runtimes}
    assert links[f"{AI}/endpoints/own"] == {("routes-to", f"{AI}/models/m1@3")}
    assert ("uses", f"{AI}/deploymentResourcePools/shared") in links[f"{AI}/endpoints/pooled"]
    assert links[f"{AI}/reasoningEngines/account"] == {("reads", SECRET), ("pulls", BUCKET)}
    assert ("reads", SECRET) in links[f"{RUN}/services/one"]
    assert ("pulls", BUCKET) in links[f"{AI}/models/m1"]
    assert ("writes", "//bigquery.googleapis.com/projects/ml-prod/datasets/facts") in links[
        f"{AI}/batchPredictionJobs/b1"
    ]
    attributes = {fact.id: fact.attributes for fact in facts.runtimes}
    assert attributes[f"{AI}/endpoints/google"]["runs_as"] == "google-managed"
    assert attributes[f"{AI}/reasoningEngines/account"]["environment"] == ("MODE", "TOKEN")
    cluster = "//container.googleapis.com/projects/ml-prod/locations/us-central1/clusters/gke"
    assert attributes[cluster]["workload_pool"] == "ml-prod.svc.id.goog"


def test_calls_that_are_made_are_calls_of_the_table(whole: Any) -> None:
    made = Counter(method for method, _ in whole.local.made)
    assert made["iam.roles.get"] >= 4
    assert made["cloudasset.searchAllResources"] > 1, "pages of two"
    # What the inventory has is not asked for again.
    assert made["run.projects.locations.services.list"] == 0
    assert made["iam.projects.serviceAccounts.list"] == 0
    # Vertex AI is disabled in one project, which is found out once.
    assert sum(count for name, count in made.items() if name.startswith("aiplatform.")) < 40


@pytest.mark.parametrize("size", [1, 1000])
def test_pages_make_no_difference(whole: Any, size: int, collect: Any, local: LocalGoogle) -> None:
    local.page_size = size
    assert encode(collect()) == encode(whole.snapshot)


def test_one_worker_or_many_make_no_difference(whole: Any, collect: Any) -> None:
    assert encode(collect(max_workers=1)) == encode(whole.snapshot)


def test_a_project_is_read_with_what_is_above_it(collect: Any) -> None:
    facts = collect(scopes=("projects/ml-prod",))
    assert {fact.id for fact in facts.scopes} == {
        "projects/ml-prod",
        "folders/222",
        "organizations/111",
    }
    targets = {one.target for one in facts.bindings}
    assert {"organizations/111", "folders/222", "projects/ml-prod", BUCKET} <= targets
    assert {one.kind for one in facts.attachments} >= {"deny", "boundary", "constraint"}


def test_a_project_by_number_is_the_same(collect: Any) -> None:
    by_name, by_number = collect(scopes=("projects/ml-prod",)), collect(scopes=("projects/1001",))
    assert by_number.bindings == by_name.bindings
    assert by_number.principals == by_name.principals


def test_regions_may_be_chosen(collect: Any, local: LocalGoogle) -> None:
    collect(regions=("europe-west4",))
    asked = {str(p.get("parent")) for name, p in local.made if "reasoningEngines" in name}
    assert asked == {"projects/ml-prod/locations/europe-west4"}


def test_without_a_scope_all_that_is_visible_is_read(collect: Any) -> None:
    assert {fact.id for fact in collect(scopes=()).scopes} >= {
        "organizations/111",
        "projects/other",
    }


def test_progress_says_how_long_the_slow_reads_take(local: LocalGoogle, collect: Any) -> None:
    lines: list[str] = []
    collect(progress=lines.append)
    (slow,) = [line for line in lines if "five a minute" in line]
    assert slow.startswith("gcp deny policies and boundaries: 9 reads or more")
    assert "--cache FILE" in slow


def test_every_stage_is_of_a_call() -> None:
    assert {call.stage for call in CALLS} == set(type(CALLS[0].stage))


def test_a_served_estate_ends_with_its_connections() -> None:
    with serving(LocalGoogle(everything())) as first, serving(LocalGoogle(everything())) as second:
        assert first.url != second.url
    assert CollectOptions(now="").endpoint_url == ""
