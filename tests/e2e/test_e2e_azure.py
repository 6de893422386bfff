"""Azure from the wire to the difference: two releases of an agent, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
sys.path.insert(0, str(FIXTURES))

from azure_agent import estate  # noqa: E402
from azure_agent.builder import guid  # noqa: E402
from azure_agent.server import Fault, serve  # noqa: E402

AGENT = FIXTURES / "azure_agent"
OLD, NEW = AGENT / "v1.yaml", AGENT / "v2.yaml"
TENANT = guid("tenant")
AGENTS, DATA = (str(row["id"]) for row in estate.build().subscriptions)
NOW = "2026-11-23T09:00:00Z"
GET_SECRET = "data:Microsoft.KeyVault/vaults/secrets/getSecret/action"
READ_BLOB = "data:Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
Report = dict[str, Any]
Collect = Callable[..., Path]


@pytest.fixture(scope="session")
def collect(command: Any, tmp_path_factory: pytest.TempPathFactory) -> Collect:
    """Serve the tenant, with faults, and collect it over HTTP by the installed command."""

    def run(*faults: Fault) -> Path:
        cloud = estate.build()
        cloud.faults.extend(faults)
        out = tmp_path_factory.mktemp("azure") / "estate.snap"
        with serve(cloud) as endpoint:
            options = (f"--endpoint-url={endpoint}", f"--now={NOW}", "-o", out, "--quiet")
            done = command("collect", "azure", *options)
        assert done.code in (0, 3), done.err
        return out

    return run


@pytest.fixture(scope="session")
def snapshot(collect: Collect) -> Path:
    return collect()


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newer release without its connector, which takes the whole tenant over."""
    out = tmp_path_factory.mktemp("quiet") / "v2.yaml"
    lines = NEW.read_text(encoding="utf-8").splitlines(keepends=True)
    out.write_text("".join(li for li in lines if "id: connector" not in li), encoding="utf-8")
    return out


@pytest.fixture(scope="session")
def compare(command: Any) -> Callable[..., Report]:
    def run(old: Path, new: Path, *options: object) -> Report:
        done = command("diff", old, new, *options, "--format", "json")
        assert done.code in (0, 1), done.err
        report: Report = done.json
        return report

    return run


@pytest.fixture(scope="session")
def report(compare: Any, snapshot: Path) -> Report:
    found: Report = compare(OLD, NEW, "--snapshot", snapshot)
    return found


@pytest.fixture(scope="session")
def without(compare: Any, snapshot: Path, quiet: Path) -> Report:
    found: Report = compare(OLD, quiet, "--snapshot", snapshot)
    return found


def _rows(report: Report) -> set[tuple[str, str, str, str]]:
    names = {
        row["id"]: row["name"] for row in (*report["identities_old"], *report["identities_new"])
    }
    return {
        (
            change["kind"],
            names[change["identity"]],
            change["resource_name"].rsplit("/", 1)[-1],
            change["capability"],
        )
        for change in report["changes"]
    }


def _change(report: Report, name: str, action: str, kind: str = "gained") -> Report:
    (found,) = (
        change
        for change in report["changes"]
        if change["kind"] == kind
        and change["resource_name"].rsplit("/", 1)[-1] == name
        and action in change["actions"]
    )
    return dict(found)


def test_what_the_newer_release_reaches_on_top(without: Report) -> None:
    agent = "acme-foundry-support-AgentIdentity"
    assert {row for row in _rows(without) if row[3] != "list"} >= {
        ("gained", "id-support-v2", "rg-exports", "administer"),
        ("gained", "id-support-v2", "kv-payments", "read"),
        ("gained", "id-support-v2", "acmecustomers", "read"),
        ("widened", agent, "acme-search", "write"),
    }
    assert not [row for row in _rows(without) if row[0] == "unknown"]


def test_secrets_of_a_subscription(without: Report) -> None:
    change = _change(without, "kv-payments", GET_SECRET)
    hop = change["witness"][-1]
    assert (change["verdict"], change["sensitivity"]) == ("allow", "high")
    assert (hop["layer"], hop["policy"]) == ("binding", "Key Vault Secrets User")
    assert hop["target"].startswith("/subscriptions/")
    assert hop["target"].count("/") == 2


def test_a_vault_with_access_policies_is_not_reached(without: Report) -> None:
    assert not [row for row in _rows(without) if row[2] == "kv-legacy"]


def test_one_container_by_a_condition(without: Report) -> None:
    change = _change(without, "acmecustomers", READ_BLOB)
    assert change["verdict"] == "allow"
    assert [part.rsplit("/", 1)[-1] for part in change["within"]] == ["transcripts"]
    assert change["witness"][-1]["policy"] == "Storage Blob Data Reader"


def test_an_owner_without_data_actions_has_the_keys(
    command: Any, quiet: Path, snapshot: Path
) -> None:
    done = command("scan", quiet, "--snapshot", snapshot, "--format", "json")
    takeover = next(row for row in done.json["admin_of"] if row["scope"].endswith("/rg-exports"))
    assert takeover["witness"][-1]["policy"] == "Owner"
    (key,) = (f for f in done.json["findings"] if f["subject_kind"] == "storage-key")
    assert "can list it" in key["message"]
    assert any("past the roles" in line for line in key["evidence"])


def test_the_keys_are_what_gives_the_data(command: Any, snapshot: Path) -> None:
    group = f"{AGENTS}/resourcegroups/rg-exports"
    account = f"{group}/providers/microsoft.storage/storageaccounts/acmeexports"
    identity = f"{AGENTS}/resourcegroups/rg-support/providers/microsoft.managedidentity/"
    asked = (identity + "userassignedidentities/id-support-v2", READ_BLOB, account)
    denied = command("can", *asked, "--snapshot", snapshot, "--format", "json")
    assert denied.json["verdict"] == "deny"
    asked = (asked[0], "Microsoft.Storage/storageAccounts/listKeys/action", account)
    assert (
        command("can", *asked, "--snapshot", snapshot, "--format", "json").json["verdict"]
        == "allow"
    )


def test_a_permission_to_consent_takes_the_tenant_over(report: Report) -> None:
    (row,) = (row for row in report["admin_of_new"] if row["scope"] == TENANT)
    hop = row["witness"][-1]
    assert hop["pivot"] == "azure-graph-app-role-assignment"
    assert hop["policy"] == "AppRoleAssignment.ReadWrite.All"
    assert not [row for row in report["admin_of_old"] if row["scope"] == TENANT]


def test_a_secret_that_never_expires_is_found(report: Report) -> None:
    (found,) = (f for f in report["findings"] if f["subject_kind"] == "client-secret")
    assert (found["rule"], found["state"]) == ("MR301", "new")
    assert "has no expiry" in found["message"]


def test_keys_of_unknown_age_are_said_to_be(report: Report) -> None:
    (found,) = (f for f in report["findings"] if f["subject_kind"] == "cognitive-key")
    assert "its age is not known" in found["evidence"]


def test_the_agent_starts_as_itself(report: Report) -> None:
    starts = {row["name"]: row["kind"] for row in report["identities_new"] if row["start"]}
    assert starts["acme-foundry-support-AgentIdentity"] == "agent-identity"
    assert "acme-foundry-support-AgentIdentity" not in {
        row["name"] for row in report["identities_old"]
    }


# --- what is refused -----------------------------------------------------------------------


def _refusals() -> Iterator[Any]:
    yield pytest.param(Fault("/v1.0/servicePrincipals", 403), id="graph: service principals")
    yield pytest.param(Fault("^/v1.0/", 403), id="graph")
    yield pytest.param(Fault("appRoleAssigned", 403), id="graph: app roles")
    yield pytest.param(Fault(f"^{DATA}"), id="one subscription")
    yield pytest.param(Fault("denyAssignments"), id="deny assignments")


@pytest.mark.parametrize("fault", [*_refusals()])
def test_what_is_refused_is_never_gone(
    compare: Any, collect: Collect, snapshot: Path, quiet: Path, fault: Fault
) -> None:
    """The same release, read well and then badly: nothing of it has been lost."""
    refused = collect(fault)
    found = compare(quiet, quiet, "--old-snapshot", snapshot, "--new-snapshot", refused)
    kinds = {change["kind"] for change in found["changes"]}
    assert not kinds & {"lost", "narrowed"}, found["changes"]
    assert found["gaps"]
    assert not [f for f in found["findings"] if f["state"] == "gone"]


def test_what_is_refused_is_never_new(
    compare: Any, collect: Collect, snapshot: Path, quiet: Path
) -> None:
    refused = collect(Fault(f"^{DATA}"))
    found = compare(quiet, quiet, "--old-snapshot", refused, "--new-snapshot", snapshot)
    assert not {change["kind"] for change in found["changes"]} & {"gained", "widened"}


def test_a_store_gives_what_the_file_gives(command: Any, snapshot: Path, tmp_path: Path) -> None:
    store = tmp_path / "estate.mrdb"
    assert command("convert", snapshot, "-o", store).code == 0
    lines = [command("survey", OLD, NEW, "--snapshot", s, "-q").out for s in (snapshot, store)]
    assert lines[0] == lines[1]
    assert lines[0].count("\n") == 2
    scans = [
        command("scan", NEW, "--snapshot", place, "--format", "json").json
        for place in (snapshot, store)
    ]
    for part in ("grants", "identities", "admin_of", "findings", "credentials", "gaps"):
        assert scans[0][part] == scans[1][part], part


def test_where_to_cut_counts_who_takes_over_from_above(command: Any, snapshot: Path) -> None:
    """What a connector has by taking the tenant over, cutting a role of another leaves to it."""
    words = ("chokepoints", NEW, "--snapshot", snapshot)
    above, beside = "administer (azure-graph-app-role-assignment)", "policy Key Vault Secrets User"
    only = command(*words, "--to", "kv-legacy").out
    assert above in only
    assert beside not in only
    both = command(*words, "--to", "kv-payments").out
    assert above in both
    assert beside in both
    groups = [one for one in command(*words).out.split("so that ") if "/rg-exports cannot" in one]
    assert [(above in one, "revoke 2 hops" in one) for one in groups] == [(True, True)]
    asked = command("can", guid("sp/connector"), GET_SECRET, "kv-legacy", "--snapshot", snapshot)
    assert f"but can take    {TENANT} over: allowed, 1 hop" in asked.out
