"""What is refused the second time never reads as lost: the same release, read worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from azure_agent import estate
from azure_agent.builder import Builder, guid
from azure_agent.server import Cloud, Fault
from modelreach.cli import run
from modelreach.report_file import decode
from modelreach.snapshot import encode

MANIFEST = Path(__file__).parents[2] / "fixtures" / "azure_agent" / "v2.yaml"
LESS = {"lost", "narrowed"}


def grown() -> Cloud:
    """The estate, with access through a group on top."""
    cloud = estate.build()
    make = Builder(cloud)
    data = str(cloud.subscriptions[1]["id"])
    outer, inner = guid("group/outer"), guid("group/inner")
    search = next(row for row in cloud.tables["resources"] if row["name"] == "acme-search")
    make.assign(str(search["id"]), estate.role(estate.INDEX_READER), outer, "Group")
    make.assign(f"{data}/resourceGroups/rg-customers", estate.role(estate.READER), outer, "Group")
    make.listed("/v1.0/groups", {"id": outer, "displayName": "o"}, {"id": inner})
    make.listed(
        f"/v1.0/groups/{outer}/members", {"@odata.type": "#microsoft.graph.group", "id": inner}
    )
    make.listed(
        f"/v1.0/groups/{inner}/members",
        {
            "@odata.type": "#microsoft.graph.servicePrincipal",
            "id": guid("identity/id-support-v2"),
        },
    )
    return cloud


def data_subscription() -> str:
    return str(grown().subscriptions[1]["id"])


@pytest.fixture(scope="module")
def before(collect: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("unknown") / "before.snap.json"
    path.write_bytes(encode(collect(grown())))
    return path


def compared(collect: Any, before: Path, tmp_path: Path, cloud: Cloud) -> dict[str, Any]:
    after = tmp_path / "after.snap.json"
    after.write_bytes(encode(collect(cloud)))
    release = tmp_path / "release.yaml"
    # Whoever may consent to anything has it all anyway, and nothing to lose.
    told = MANIFEST.read_text(encoding="utf-8").splitlines(keepends=True)
    release.write_text("".join(line for line in told if "id: connector" not in line))
    written = tmp_path / "diff.json"
    sides = ["--old-snapshot", str(before), "--new-snapshot", str(after)]
    code = run(
        ["diff", str(release), str(release), *sides, "--format", "json", "-o", str(written)]
    )
    assert code in (0, 1, 3)
    report: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(decode(written.read_bytes())))
    return report


FAULTS = {
    "Graph whole": Fault(r"^/(v1\.0|beta)/"),
    "one subscription": Fault(f"^{data_subscription()}/"),
    "role assignments": Fault("ResourceGraph/resources authorizationresources.*roleassignments"),
    "role definitions": Fault("roledefinitions"),
    "members of a group": Fault("/groups/[^/]+/members"),
    "groups": Fault("^/v1.0/groups$"),
    "resources": Fault("ResourceGraph/resources resources "),
    "vault secrets": Fault("/vaults/[^/]+/secrets"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_was_refused_is_unknown_and_not_lost(
    name: str, collect: Any, before: Path, tmp_path: Path
) -> None:
    cloud = grown()
    cloud.faults.append(FAULTS[name])
    report = compared(collect, before, tmp_path, cloud)
    less = [c for c in report["changes"] if c["kind"] in LESS]
    assert [(c["kind"], c["resource"], c["verdict"]) for c in less] == []
    assert report["gaps"]
    gone = [f for f in report["findings"] if f["state"] == "gone"]
    assert [(f["rule"], f["subject"]) for f in gone] == []


def test_a_true_loss_is_still_told(collect: Any, before: Path, tmp_path: Path) -> None:
    cloud = grown()
    kept = [
        row
        for row in cloud.at_scope["roleassignments"]
        if not row["properties"]["roleDefinitionId"].endswith(estate.SECRETS_USER)
    ]
    cloud.at_scope["roleassignments"] = kept
    cloud.tables["authorizationresources"] = [
        row
        for row in cloud.tables["authorizationresources"]
        if not row["properties"].get("roleDefinitionId", "").endswith(estate.SECRETS_USER)
    ]
    report = compared(collect, before, tmp_path, cloud)
    lost = {c["resource"].rpartition("/")[2] for c in report["changes"] if c["kind"] in LESS}
    assert "kv-payments" in lost
