"""Witnesses on Azure and Google Cloud, decided anew in the estate that they were found in."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.cli import run
from modelreach.report_file import decode
from modelreach_reference.azure_snapshot import AzureSnapshot
from modelreach_reference.gcp_snapshot import GcpSnapshot
from modelreach_reference.witness import Outcome, check

Json = dict[str, Any]
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
AGENTS = {"azure": "azure_agent", "gcp": "vertex_agent"}


def told(*arguments: object) -> tuple[int, str]:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = run([str(argument) for argument in arguments])
    out.flush()
    raw = out.buffer
    assert isinstance(raw, io.BytesIO)
    return code, raw.getvalue().decode()


@dataclass(frozen=True)
class Compared:
    """A provider's example: where its files are, its snapshot, its diff."""

    provider: str
    place: Path
    snapshot: Json
    report: Json

    @property
    def both(self) -> tuple[object, ...]:
        folder = FIXTURES / AGENTS[self.provider]
        snapshot = self.place / "estate.snap"
        return (folder / "v1.yaml", folder / "v2.yaml", "--snapshot", snapshot)

    def witnesses(self) -> Iterator[list[Json]]:
        report = self.report
        for row in (*report["changes"], *report["findings"]):
            if row.get("new_verdict") != "deny" and row.get("state") != "gone":
                yield row["witness"]
        for row in (*report["identities_new"], *report["admin_of_new"]):
            yield row["witness"]


@pytest.fixture(scope="module", params=sorted(AGENTS))
def compared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    provider: str = request.param
    place = tmp_path_factory.mktemp(provider)
    recording = FIXTURES / AGENTS[provider] / "recording"
    code, _ = told("collect", provider, f"--from={recording}", "-o", place / "estate.snap")
    assert code == 0
    snapshot = json.loads((place / "estate.snap").read_bytes())
    found = Compared(provider, place, snapshot, {})
    _, shown = told("diff", *found.both, "--format", "json")
    report = msgspec.json.decode(msgspec.json.encode(decode(shown)))
    return Compared(provider, place, snapshot, report)


def outcomes(compared: Compared, witness: list[Json]) -> set[Outcome]:
    return {one.outcome for one in check(compared.snapshot, witness)}


def test_every_witness_holds(compared: Compared) -> None:
    checked = [one for way in compared.witnesses() for one in check(compared.snapshot, way)]
    assert len(checked) > 20
    assert [one for one in checked if one.outcome is not Outcome.HOLDS] == []


def granted(compared: Compared) -> list[Json]:
    """A witness that ends in a grant by a statement."""
    return next(
        copy.deepcopy(way) for way in compared.witnesses() if way and way[-1]["kind"] == "grant"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("statement", '{"actions":["*"]}'),
        ("statement", "no json"),
        ("statement", "null"),
        ("target", "/subscriptions/elsewhere"),
        ("action", "Microsoft.Authorization/locks/delete"),
        ("action", "resourcemanager.projects.delete"),
    ],
)
def test_what_was_tampered_with_does_not_hold(compared: Compared, field: str, value: str) -> None:
    way = granted(compared)
    if field == "action" and ("/" in value) != (compared.provider == "azure"):
        value = "Microsoft.X/y/write" if compared.provider == "azure" else "a.b.c"
    way[-1][field] = value
    assert Outcome.FAILS in outcomes(compared, way)


def test_another_subject_does_not_hold(compared: Compared) -> None:
    way = granted(compared)
    stranger = {"azure": ME, "gcp": "user:ann@acme.example"}[compared.provider]
    way[-1]["subject"] = stranger
    assert Outcome.FAILS in outcomes(compared, way)


def test_a_disabled_account_does_not_hold(compared: Compared) -> None:
    if compared.provider == "azure":
        return
    way = granted(compared)
    snapshot = copy.deepcopy(compared.snapshot)
    for row in snapshot["principals"]:
        if row["id"] == way[-1]["subject"]:
            row.setdefault("attributes", {})["disabled"] = True
    assert Outcome.FAILS in {one.outcome for one in check(snapshot, way)}


def test_a_record_is_verified_whole(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(compared.place)
    asked = (*compared.both, "--now", "2026-11-23T09:00:00Z", "--record", "decision.json")
    assert told("decide", *asked)[0] == 1
    old, new, *rest = compared.both
    code, shown = told("verify", "decision.json", "--old", old, "--new", new, *rest)
    assert "failed" not in shown
    assert code == 3, shown
    unchecked = [line for line in shown.splitlines() if line.startswith("not checked")]
    assert unchecked == ["not checked  envelope: it is not signed"]


# --- by hand ---------------------------------------------------------------------------------

ME, VAULT = "00000000-0000-0000-0000-0000000000a1", "/subscriptions/s/resourcegroups/g/providers/v"
TEAM = "00000000-0000-0000-0000-0000000000b1"


def _vault(**policy: Any) -> tuple[AzureSnapshot, Json]:
    said = {"objectId": TEAM, "permissions": {"secrets": ["get"]}} | policy
    snapshot = {
        "principals": [{"id": ME, "groups": [TEAM]}, {"id": TEAM}],
        "resources": [{"id": VAULT, "attributes": {"rbac": False}}],
        "attachments": [{"target": VAULT, "kind": "access-policy", "document": "d"}],
        "documents": {"d": {"accessPolicies": [said]}},
    }
    hop = {
        "subject": ME,
        "object": VAULT,
        "action": "data:Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "layer": "access-policy",
        "target": VAULT,
        "statement": json.dumps(said),
    }
    return AzureSnapshot(snapshot, {}), hop


def test_an_access_policy_gives_what_it_lists_to_whom_it_lists() -> None:
    estate, hop = _vault()
    assert estate.stands(hop)
    assert estate.answers(hop) == {"allow"}
    assert estate.answers(hop | {"subject": "someone"}) == {"deny"}
    listing, hop = _vault(permissions={"secrets": ["list"]})
    assert listing.answers(hop) == {"deny"}
    through, hop = _vault(applicationId="an application")
    assert through.answers(hop) is None


@pytest.mark.parametrize(("enabled", "answer"), [(True, "allow"), (False, "deny")])
def test_a_permission_of_graph_is_held_by_whom_it_is_assigned_to(
    enabled: bool, answer: str
) -> None:
    snapshot = {
        "principals": [{"id": ME}],
        "managed_policies": [
            {"id": "/approles/g/1", "default_version": "c", "versions": {"c": "d"}}
        ],
        "bindings": [{"id": "x", "target": "sp", "role": "/approles/g/1", "members": [ME]}],
        "documents": {"d": {"value": "Mail.Read", "isEnabled": enabled}},
    }
    estate = AzureSnapshot(snapshot, {})
    hop = {"subject": ME, "object": "tenant", "action": "graph:Mail.Read"}
    assert estate.answers(hop) == {answer}
    assert estate.answers(hop | {"action": "graph:Mail.ReadWrite"}) == {"deny"}
    assert estate.answers(hop | {"action": "microsoft.directory/users/delete"}) is None


def _project(**more: Any) -> GcpSnapshot:
    bound = {"target": "projects/p", "role": "roles/r", "members": ["serviceAccount:a"]}
    snapshot = {
        "taken_at": "2026-06-01T00:00:00Z",
        "scopes": [{"id": "projects/p", "provider": "gcp", "kind": "project"}],
        "principals": [
            {"id": "serviceAccount:a", "kind": "service-account", "scope": "projects/p"}
        ],
        "managed_policies": [
            {"id": "roles/r", "default_version": "1", "versions": {"1": "d"}},
        ],
        "bindings": [bound | more.pop("bound", {})],
        "documents": {"d": {"includedPermissions": ["a.b.c", "storage.objects.get"]}},
    }
    return GcpSnapshot(snapshot | more, {})


PAST = {"condition": "request.time < timestamp('2020-01-01T00:00:00Z')"}
RULED = {"target": "projects/p", "kind": "access-policy", "document": "e"}


@pytest.mark.parametrize(
    ("estate", "answer"),
    [
        (_project(), {"allow"}),
        (_project(bound={"members": ["serviceAccount:b"]}), {"deny"}),
        (
            _project(bound={"condition": "request.time < timestamp('2020-01-01T00:00:00Z')"}),
            {"deny"},
        ),
        (_project(bound={"condition": "resource.type == 'x'"}), None),
        (_project(bound={"members": ["principalSet://iam.googleapis.com/x"]}), None),
        (_project(bound={"role": "roles/unread"}), {"allow", "deny"}),
        (
            _project(
                attachments=[{"target": "projects/p", "kind": "access-policy", "document": "e"}]
            ),
            None,
        ),
    ],
)
def test_what_is_not_known_is_not_decided(estate: GcpSnapshot, answer: set[str] | None) -> None:
    hop = {"subject": "serviceAccount:a", "object": "projects/p/*", "action": "a.b.c"}
    assert estate.answers(hop) == answer


def test_a_binding_stands_only_as_it_is_said() -> None:
    estate = _project(bound={"condition": "true"})
    said = {"role": "roles/r", "members": ["serviceAccount:a"], "condition": "true"}
    hop = {"target": "projects/p", "statement": json.dumps(said)}
    assert estate.stands(hop)
    for other in ({"condition": "false"}, {"members": ["user:x"]}, {"role": "roles/q"}):
        assert not estate.stands(hop | {"statement": json.dumps(said | other)})
