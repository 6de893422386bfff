"""What `gcloud` writes, handed over by somebody who has access."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from google_cloud.everything import CANARY, everything
from google_cloud.handlers import HANDLERS
from modelreach.model import InputError
from modelreach.snapshot import Snapshot, encode

ROOT = "organizations/111"
ML = "projects/ml-prod"
AGENT = "serviceAccount:agent@ml-prod.iam.gserviceaccount.com"

Asked = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def asked() -> Asked:
    """What a method gives for a scope, all pages."""
    cloud = everything()

    def ask(method: str, **parameters: Any) -> list[Any]:
        found = HANDLERS[method](cloud, parameters)
        assert isinstance(found, tuple)
        return found[1]

    return ask


@pytest.fixture
def exports(asked: Asked, tmp_path: Path) -> Callable[..., Path]:
    """The files of a team: assets a line, search results and roles."""

    def write(scope: str = ROOT, *, without: tuple[str, ...] = ()) -> Path:
        content = {
            "policies.json": json.dumps(asked("cloudasset.searchAllIamPolicies", scope=scope)),
            "resources.json": json.dumps(asked("cloudasset.searchAllResources", scope=scope)),
            "assets.ndjson": "".join(
                json.dumps(asset) + "\n" for asset in asked("cloudasset.assets.list", parent=scope)
            ),
            "roles.json": json.dumps({"roles": asked("iam.roles.list", view="FULL")}),
        }
        for name, text in content.items():
            if name not in without:
                (tmp_path / name).write_text(text)
        return tmp_path

    return write


def test_policies_resources_assets_and_roles(exports: Any, replay: Any, whole: Any) -> None:
    snapshot: Snapshot = replay(exports())
    live: Snapshot = whole.snapshot
    assert snapshot.bindings == live.bindings
    assert snapshot.taken_at == "2030-01-01T00:00:00Z", "exports do not say when they were taken"

    def tree(one: Snapshot) -> Any:
        return {(scope.id, scope.parent, scope.attributes.get("number")) for scope in one.scopes}

    assert tree(snapshot) == tree(live)
    assert {role.id for role in snapshot.managed_policies} == {
        "roles/viewer",
        "roles/storage.objectViewer",
    }
    runs = {one.id: one.identities for one in snapshot.runtimes}
    assert runs == {one.id: one.identities for one in live.runtimes}
    accounts = {(one.id, one.unique_id) for one in live.principals if one.unique_id}
    assert {(one.id, one.unique_id) for one in snapshot.principals if one.unique_id} == accounts


def test_no_value_of_an_export_is_kept(exports: Any, replay: Any, tmp_path: Path) -> None:
    folder = exports()
    assert CANARY in (folder / "assets.ndjson").read_text()
    kept = tmp_path.parent / f"{tmp_path.name}-kept"
    assert CANARY.encode() not in encode(replay(folder, record=kept))
    for path in kept.rglob("*.json"):
        assert CANARY not in path.read_text()


def test_what_was_not_handed_over_is_a_gap(exports: Any, replay: Any) -> None:
    snapshot = replay(exports(without=("roles.json", "resources.json")))
    gaps = {(gap.kind, gap.scope): gap for gap in snapshot.gaps if gap.reason == "not-collected"}
    assert {("deny", ROOT), ("access-policy", ROOT), ("tags", ROOT), ("credentials", ROOT)} <= set(
        gaps
    )
    assert "gcloud asset search-all-resources" in gaps["tags", ROOT].message
    roles = {gap.subject: gap.message for gap in snapshot.gaps if gap.kind == "roles"}
    assert roles["roles/viewer"].endswith("gcloud iam roles describe roles/viewer --format=json")
    assert roles["projects/ml-prod/roles/own"].endswith(
        "gcloud iam roles describe own --project=ml-prod --format=json"
    )
    assert roles["organizations/111/roles/gone"].endswith(
        "gcloud iam roles describe gone --organization=111 --format=json"
    )
    assert ("bindings", ROOT) not in gaps


def test_searches_alone_tell_which_account_is_which(exports: Any, replay: Any) -> None:
    """The inventory has accounts by number; whether one is disabled is not part of a search."""
    folder = exports(without=("assets.ndjson",))
    snapshot = replay(folder)
    account = "//iam.googleapis.com/projects/ml-prod/serviceAccounts/agent@ml-prod"
    assert f"{account}.iam.gserviceaccount.com" in {one.target for one in snapshot.bindings}
    (agent,) = [one for one in snapshot.principals if one.id == AGENT]
    assert len(agent.unique_id) == 21
    assert "disabled" not in agent.attributes
    assert not [gap for gap in snapshot.gaps if "serviceAccounts/" in gap.subject]
    (folder / "resources.json").unlink()
    gaps = [gap for gap in replay(folder).gaps if "serviceAccounts/" in gap.subject]
    assert [(gap.kind, gap.reason, gap.scope) for gap in gaps] == [
        ("principals", "not-collected", ML)
    ]


def test_an_export_of_a_project_says_nothing_of_what_is_above(exports: Any, replay: Any) -> None:
    snapshot = replay(exports(ML))
    missing = {gap.scope for gap in snapshot.gaps if gap.kind == "bindings"}
    assert missing == {"folders/222", ROOT}
    rows = {row.scope: row.complete for row in snapshot.coverage if row.kind == "bindings"}
    assert rows == {ML: True}


def test_an_export_by_type_without_its_scope_covers_nothing(
    asked: Asked, replay: Any, tmp_path: Path
) -> None:
    found = [
        one
        for one in asked("cloudasset.searchAllIamPolicies", scope=ROOT)
        if one["assetType"].startswith("storage.")
    ]
    (tmp_path / "buckets.json").write_text(json.dumps(found))
    snapshot = replay(tmp_path / "buckets.json")
    assert len(snapshot.bindings) == 1
    assert not [row for row in snapshot.coverage if row.kind == "bindings"]
    assert [gap.kind for gap in snapshot.gaps if gap.scope.startswith("projects/1001")] == [
        "bindings"
    ]


def test_an_export_of_policies_as_assets(asked: Asked, replay: Any, tmp_path: Path) -> None:
    found = asked("cloudasset.assets.list", parent=ROOT, contentType="IAM_POLICY")
    (tmp_path / "policies.ndjson").write_text("\n".join(map(json.dumps, found)))
    snapshot = replay(tmp_path / "policies.ndjson")
    assert {(one.target, one.role) for one in snapshot.bindings} >= {(ROOT, "roles/viewer")}
    assert {row.complete for row in snapshot.coverage if row.kind == "bindings"} == {True}
    # The other export, of what things are like, goes beside it.
    resources = asked("cloudasset.assets.list", parent=ROOT, contentType="RESOURCE")
    (tmp_path / "resources.ndjson").write_text("\n".join(map(json.dumps, resources)))
    both = replay(tmp_path / "policies.ndjson", tmp_path / "resources.ndjson")
    assert both.bindings
    assert both.runtimes
    with pytest.raises(InputError, match="already in"):
        (tmp_path / "more.ndjson").write_text(json.dumps(resources[-1]))
        replay(tmp_path / "policies.ndjson", tmp_path / "resources.ndjson", _with_root(tmp_path))


def _with_root(folder: Path) -> Path:
    """Give an export of the same organization that says something else."""
    lines = (folder / "resources.ndjson").read_text().splitlines()
    (folder / "other.ndjson").write_text("\n".join(lines[:-1]))
    return folder / "other.ndjson"


@pytest.mark.parametrize("single", [True, False])
def test_roles_as_gcloud_describes_them(
    asked: Asked, exports: Any, replay: Any, single: bool
) -> None:
    folder = exports(without=("roles.json",))
    role = {
        "name": "projects/ml-prod/roles/own",
        "title": "Own",
        "stage": "GA",
        "includedPermissions": ["aiplatform.endpoints.predict"],
    }
    (folder / "own.json").write_text(json.dumps(role if single else [role]))
    snapshot = replay(folder)
    assert [one.id for one in snapshot.managed_policies] == ["projects/ml-prod/roles/own"]
    assert "projects/ml-prod/roles/own" not in {gap.subject for gap in snapshot.gaps}


def test_roles_that_do_not_say_what_they_may_do_are_refused(
    asked: Asked, replay: Any, tmp_path: Path
) -> None:
    (tmp_path / "roles.json").write_text(json.dumps(asked("iam.roles.list")))
    with pytest.raises(InputError, match="do not say what they may do") as raised:
        replay(tmp_path / "roles.json")
    assert "view=FULL" in raised.value.hint


def test_a_deny_policy_as_gcloud_gives_it(exports: Any, replay: Any) -> None:
    folder = exports()
    (policy,) = everything().deny_policies[ML]
    (folder / "deny.json").write_text(json.dumps(policy))
    (deny,) = [one for one in replay(folder).attachments if one.kind == "deny"]
    assert deny.target == ML


@pytest.mark.parametrize(
    "content", ["{}", "[]", "[1]", '[{"name": "x"}]', '{"schema": "modelreach.snapshot/1"}', "3"]
)
def test_what_is_not_recognised_is_an_error(tmp_path: Path, replay: Any, content: str) -> None:
    (tmp_path / "foreign.json").write_text(content)
    with pytest.raises(InputError, match=r"foreign\.json: this file is not recognised") as raised:
        replay(tmp_path / "foreign.json")
    assert "gcloud asset" in raised.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hello", b"", b"[" * 100_000])
def test_what_is_not_json_is_an_error(tmp_path: Path, replay: Any, content: bytes) -> None:
    (tmp_path / "foreign.json").write_bytes(content)
    with pytest.raises(InputError, match=r"foreign\.json.*not JSON"):
        replay(tmp_path / "foreign.json")


def test_a_cut_line_is_an_error_with_its_place(exports: Any, replay: Any) -> None:
    path = exports() / "assets.ndjson"
    path.write_bytes(path.read_bytes()[:-40])
    lines = path.read_bytes().count(b"\n") + 1
    with pytest.raises(InputError, match=rf"assets\.ndjson:{lines}:\d+: .*cut off"):
        replay(path)


HOSTILE = "\u202e<script>alert(1)</script>\x1b[31m\ud800`;rm -rf /`"


def test_hostile_names_are_facts_like_others(asked: Asked, replay: Any, tmp_path: Path) -> None:
    found = json.loads(json.dumps(asked("cloudasset.searchAllIamPolicies", scope=ROOT)))
    for item in found:
        item["resource"] = item["resource"].replace("ml-data", HOSTILE)
        for binding in item["policy"]["bindings"]:
            binding["members"].append(f"user:{HOSTILE}@x")
            binding["role"] = binding["role"].replace("roles/new", f"roles/{HOSTILE}")
    (tmp_path / "policies.json").write_text(json.dumps(found))
    snapshot = replay(tmp_path / "policies.json")
    assert encode(snapshot)
    assert any("\\ud800" in one.target for one in snapshot.bindings)
    (gap,) = [gap for gap in snapshot.gaps if "role2027" in gap.subject]
    assert gap.message.count("'") == 2, "a command that is copied does what it says"


@pytest.mark.parametrize("value", [None, 3, "x", [], [None], {"x": []}, [[]], True])
def test_answers_of_the_wrong_form_do_not_end_the_run(
    exports: Any, replay: Any, asked: Asked, value: Any
) -> None:
    """Each field of an export replaced, one after the other kind of it."""
    found = json.loads(json.dumps(asked("cloudasset.assets.list", parent=ROOT)))
    for asset in found:
        data = asset["resource"]["data"]
        for name in list(data):
            if name not in ("name", "projectId", "email"):
                data[name] = value
    folder = exports(without=("assets.ndjson",))
    (folder / "assets.ndjson").write_text("\n".join(map(json.dumps, found)))
    assert replay(folder).bindings
