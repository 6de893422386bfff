"""A way from a pod through two accounts of AWS into Google Cloud, collected from four wires.

The whole is collected once; where a half is taken away, its own wire is read again, and the others
from the recording.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.cli import run
from modelreach.report_file import decode

Json = dict[str, Any]
MANIFEST = """\
apiVersion: modelreach/v1
kind: ModelDeployment
metadata: {name: desk, version: "1", owner: ml}
spec:
  model: {provider: self-hosted, id: m}
  identities:
    - {id: pod, cloud: kubernetes, principal: "system:serviceaccount:ml:desk", cluster: prod}
"""
POD = "k8s/prod/system:serviceaccount:ml:desk"
DESK, ACROSS = "arn:aws:iam::611111111111:role/desk", "arn:aws:iam::622222222222:role/across"
POOLED = (
    "principal://iam.googleapis.com/projects/3001/locations/global/workloadIdentityPools/from-aws"
    "/subject/arn:aws:sts::622222222222:assumed-role/across/*"
)
READER = "serviceAccount:records-reader@records-prod.iam.gserviceaccount.com"
BUCKET = "//storage.googleapis.com/projects/_/buckets/customer-records"


@dataclass(frozen=True)
class Whole:
    """What was collected from all wires, the recording of it, and the manifest."""

    wires: Any
    snapshot: Path
    recording: Path
    manifest: Path

    def scan(self, snapshot: Path) -> Json:
        out = snapshot.with_suffix(".json")
        run(["scan", str(self.manifest), "--snapshot", str(snapshot), "-o", str(out)])
        report: Json = msgspec.json.decode(msgspec.json.encode(decode(out.read_bytes())))
        return report

    def again(self, folder: Path, *, live: str) -> Json:
        """Collect anew from the wire of one provider, and scan."""
        replayed = (name for name in ("aws", "gcp", "kubernetes") if name != live)
        sources = (f"--from={name}={self.recording / name}" for name in replayed)
        self.wires.collect(folder / "all.snap", *sources, live=live)
        return self.scan(folder / "all.snap")


@pytest.fixture(scope="module")
def whole(wires: Any, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("wires")
    manifest = folder / "v1.yaml"
    manifest.write_text(MANIFEST)
    wires.collect(folder / "all.snap", "--record", str(folder / "recording"))
    return Whole(wires, folder / "all.snap", folder / "recording", manifest)


@pytest.fixture
def undone() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Have something done at the end."""
    waiting: list[Callable[[], Any]] = []
    yield waiting.append
    for undo in waiting:
        undo()


def reached(report: Json) -> set[str]:
    return {row["id"] for row in report["identities"]}


def halves(report: Json) -> list[tuple[str, str]]:
    found = [row for row in report["findings"] if row["rule"] == "MR401"]
    return [(row["subject"], row["message"]) for row in found]


def test_one_witness_leads_through_all_four(whole: Whole) -> None:
    report = whole.scan(whole.snapshot)
    (finding,) = report["findings"]
    assert (finding["rule"], finding["severity"]) == ("MR101", "critical")
    assert finding["subject"] == BUCKET
    hops = finding["witness"]
    assert [hop["object"] for hop in hops] == [POD, DESK, ACROSS, POOLED, READER, BUCKET]
    assert {hop["strength"] for hop in hops} == {"certain"}
    assert [hop["kind"] for hop in hops[1:4]] == ["federation", "assume-role", "federation"]
    says = [also["note"] for also in hops[1]["also"]]
    assert f"annotated eks.amazonaws.com/role-arn: {DESK}" in says
    assert "provider `aws` of pool `from-aws`" in hops[3]["note"]


def test_the_witness_is_shown_hop_by_hop(whole: Whole, capfd: pytest.CaptureFixture[str]) -> None:
    run(["explain", "F01", str(whole.manifest), "--snapshot", str(whole.snapshot)])
    shown = capfd.readouterr().out
    names = ("ml/desk  service", "desk  role", "across  role", "across/*  federated", "! customer")
    places = [shown.index(name) for name in names]
    assert places == sorted(places)


def test_without_the_annotation_the_trust_is_left(
    whole: Whole, tmp_path: Path, undone: Any
) -> None:
    accounts = whole.wires.api.objects["ServiceAccount"]
    undone(lambda: whole.wires.api.objects.update(ServiceAccount=accounts))
    bare = {"metadata": {"name": "desk", "namespace": "ml"}}
    whole.wires.api.objects["ServiceAccount"] = [bare]
    report = whole.again(tmp_path, live="kubernetes")
    assert reached(report) == {POD}
    (half,) = halves(report)
    assert half[0] == DESK
    assert half[1].startswith("trust is left: `desk` lets `system:serviceaccount:ml:desk` in")


def test_without_the_trust_the_annotation_is_left(
    whole: Whole, tmp_path: Path, undone: Any
) -> None:
    iam = whole.wires.run("iam")
    before = iam.get_role(RoleName="desk")["Role"]["AssumeRolePolicyDocument"]

    def trust(document: Json) -> None:
        iam.update_assume_role_policy(RoleName="desk", PolicyDocument=json.dumps(document))

    undone(lambda: trust(before))
    text = json.dumps(before).replace("ml:desk", "ml:another")
    trust(json.loads(text))
    report = whole.again(tmp_path, live="aws")
    assert reached(report) == {POD}
    assert halves(report) == [
        (POD, "stale annotation: `k8s/prod/system:serviceaccount:ml:desk` says that it is `desk`, "
         "but it does not let its token in"),
    ]  # fmt: skip


def test_without_the_provider_of_the_pool_the_binding_is_left(
    whole: Whole, tmp_path: Path, undone: Any
) -> None:
    providers = whole.wires.google.cloud.providers
    before = dict(providers)
    undone(lambda: providers.update(before))
    providers.clear()
    report = whole.again(tmp_path, live="gcp")
    assert reached(report) == {POD, DESK, ACROSS}
    ((subject, message),) = halves(report)
    assert subject.endswith("/serviceAccounts/" + READER.removeprefix("serviceAccount:"))
    assert "binding is left" in message
    assert "assumed-role/across" in message


def test_without_the_binding_the_pool_is_left(whole: Whole, tmp_path: Path, undone: Any) -> None:
    asset = whole.wires.google.cloud.account_asset(READER.removeprefix("serviceAccount:"))
    before = list(asset.policy)
    undone(lambda: asset.policy.extend(before))
    asset.policy.clear()
    report = whole.again(tmp_path, live="gcp")
    assert reached(report) == {POD, DESK, ACROSS, POOLED}
    ((subject, message),) = halves(report)
    assert subject.endswith("/workloadIdentityPools/from-aws/providers/aws")
    assert "lets `across` in, as somebody who holds nothing" in message
