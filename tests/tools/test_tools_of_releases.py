"""The tools of whole releases: what each opened, in the files and for the gate."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelreach import deployment, snapshot
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, Side, diff_report, evaluate, radius_report
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.many import Many
from modelreach.report import ChangeRow, DiffReport
from modelreach.snapshot import Snapshot

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
DEMO = Path(__file__).resolve().parents[2] / "src" / "modelreach" / "demo"
DESK = FIXTURES / "booking_desk"
GATE = GateOptions(fail_on="high")
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def estate() -> Snapshot:
    return snapshot.decode((DESK / "estate.snap.json").read_bytes(), place="estate")


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    return {name: yaml.safe_load((DESK / f"{name}.yaml").read_text()) for name in ("v1", "v2")}


def side(manifest: Manifest, estate: Snapshot) -> Side:
    found = deployment.decode(yaml.safe_dump(manifest).encode(), place="manifest")
    return evaluate(Release(found, estate), JudgePolicy(), Estates())


@pytest.fixture(scope="module")
def report(manifests: dict[str, Manifest], estate: Snapshot) -> DiffReport:
    return diff_report(side(manifests["v1"], estate), side(manifests["v2"], estate), GATE)


def opened(report: DiffReport) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for row in report.changes:
        if row.kind in ("gained", "widened"):
            key = row.resource.rpartition(":")[2].rpartition("/")[2], row.capability
            found.setdefault(key, set()).update(row.opened_by)
    return found


def test_each_new_reach_is_told_with_the_tool_that_opened_it(report: DiffReport) -> None:
    found = opened(report)
    assert found.pop(("pay-refund", "write")) == {"pay_refund", "run_code"}
    assert found.pop(("refund-payer", "assume")) == {"pay_refund"}
    assert set(map(frozenset, found.values())) == {frozenset({"run_code"})}
    assert {"harbour-passengers", "deployer"} <= {name for name, _ in found}


def test_every_witness_of_a_tool_begins_with_it(report: DiffReport) -> None:
    tools = {tool.id: tool for tool in report.tools}
    now = [row.witness for row in report.changes if row.kind not in ("lost", "narrowed")]
    now += [row.witness for row in report.findings if row.state != "gone"]
    starts = [witness[0] for witness in now if witness]
    starts += [row.witness[0] for row in report.identities_new]
    starts += [row.witness[0] for row in report.admin_of_new]
    assert starts
    for start in starts:
        assert start.kind == "start"
        assert start.subject == f"tool:{start.tool}"
        assert start.object in tools[start.tool].principals


def test_the_rows_of_tools_say_what_is_declared_and_what_is_reached(report: DiffReport) -> None:
    tools = {tool.id: tool for tool in report.tools}
    code = tools["run_code"]
    assert (code.effect, code.approval, code.state) == ("execute", "none", "new")
    assert code.opens >= 4
    assert code.sensitive == 2
    assert tools["find_fares"].state == "changed", "it acts as another role now"
    assert tools["ask_warehouse"].principals == (), "the snapshot tells nothing of its identity"


def test_the_gate_says_what_a_new_tool_opens(report: DiffReport) -> None:
    assert report.security_change is not None
    told = {row.subject: row for row in report.security_change.triggers if row.id == "TOOL-NEW"}
    assert "; opens " in told["run_code"].new
    assert "2 of them sensitive" in told["run_code"].new
    assert told["pay_refund"].new.endswith("; opens 2 things")
    assert "opens" not in told["ask_warehouse"].new


def test_a_release_that_adds_one_tool_gains_what_that_opens(
    manifests: dict[str, Manifest], estate: Snapshot
) -> None:
    """The old release with nothing but the new tool, and its identity, reaches what it opened."""
    old, new = manifests["v1"], copy.deepcopy(manifests["v1"])
    desk = next(i for i in manifests["v2"]["spec"]["identities"] if i["id"] == "desk")
    new["spec"]["identities"].append(desk | {"id": "payer"})
    tool = next(t for t in manifests["v2"]["spec"]["tools"] if t["id"] == "pay_refund")
    new["spec"]["tools"].append(tool | {"runsAs": "payer"})
    found = diff_report(side(old, estate), side(new, estate), GATE)
    gained = [row for row in found.changes if row.kind == "gained"]
    assert gained
    assert {row.opened_by for row in gained} == {("pay_refund",)}
    assert {row.witness[0].tool for row in gained} == {"pay_refund"}


def test_a_wider_policy_is_opened_by_no_tool(
    manifests: dict[str, Manifest], estate: Snapshot
) -> None:
    """The same release in two estates: the grant is new, its tools are not."""
    raw = (DESK / "estate.snap.json").read_bytes()
    wider = snapshot.decode(
        raw.replace(b"harbour-fares/*", b"harbour-passengers/*"), place="wider"
    )
    found = diff_report(side(manifests["v1"], estate), side(manifests["v1"], wider), GATE)
    gained = [row for row in found.changes if row.kind == "gained"]
    assert gained
    assert all(row.tools and not row.opened_by for row in gained)
    swapped = diff_report(side(manifests["v1"], wider), side(manifests["v1"], estate), GATE)
    assert all(not row.opened_by for row in swapped.changes)


def test_a_tool_that_is_gone_takes_its_reach_with_it(
    manifests: dict[str, Manifest], estate: Snapshot
) -> None:
    found = diff_report(side(manifests["v2"], estate), side(manifests["v1"], estate), GATE)
    lost = {row.resource: row for row in found.changes if row.kind == "lost"}
    payer: ChangeRow = lost["arn:aws:iam::444455556666:role/refund-payer"]
    assert payer.opened_by == ("pay_refund",)
    assert {tool.id for tool in found.tools if tool.state == "gone"} >= {"pay_refund", "run_code"}


def test_a_function_that_may_not_be_called_is_not_reached_through(
    manifests: dict[str, Manifest], estate: Snapshot
) -> None:
    """Release 3 may not call the function that pays; that its manifest names it grants nothing."""
    manifest = copy.deepcopy(manifests["v1"])
    tool = next(t for t in manifests["v2"]["spec"]["tools"] if t["id"] == "pay_refund")
    manifest["spec"]["tools"].append(tool)
    reached = side(manifest, estate).radius.identities
    assert not any("refund-payer" in name for name in reached)
    without = dict(tool)
    del without["runsAs"]
    manifest["spec"]["tools"][-1] = without
    assert side(manifest, estate).radius.identities.keys() == reached.keys()


def test_a_function_that_lets_agents_in_is_reached_if_an_agent_calls_it(
    manifests: dict[str, Manifest], estate: Snapshot
) -> None:
    plain = json.loads((DESK / "estate.snap.json").read_bytes())
    pay = next(r["id"] for r in plain["runtimes"] if r["name"] == "pay-refund")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": pay,
    }
    plain["documents"]["sha256:agents"] = {"Version": "2012-10-17", "Statement": [statement]}
    plain["attachments"].append(
        {"target": pay, "kind": "resource", "document": "sha256:agents", "name": "policy"}
    )
    let_in = snapshot.decode(json.dumps(plain).encode(), place="estate")
    manifest = copy.deepcopy(manifests["v1"])
    tool = next(t for t in manifests["v2"]["spec"]["tools"] if t["id"] == "pay_refund")
    manifest["spec"]["tools"].append(tool)
    rows = radius_report(side(manifest, let_in), GATE).identities
    (payer,) = [row for row in rows if row.id.endswith("refund-payer")]
    assert payer.verdict == "conditional"
    assert "agent of Bedrock" in " ".join(payer.witness[-1].depends_on)
    assert payer.witness[-1].tool == "pay_refund"


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_a_survey_counts_what_a_scan_reaches(
    manifests: dict[str, Manifest], estate: Snapshot, name: str
) -> None:
    raw = yaml.safe_dump(manifests[name]).encode()
    found = deployment.decode(raw, place="manifest")
    (row,) = Many(estate, "", JudgePolicy()).survey([(found, "manifest", raw)], lambda _: None)
    assert sum(row.identities.values()) == len(side(manifests[name], estate).radius.identities)


def test_a_release_without_tools_begins_at_its_identities(
    manifests: dict[str, Manifest], estate: Snapshot
) -> None:
    manifest = copy.deepcopy(manifests["v2"])
    del manifest["spec"]["tools"]
    report = radius_report(side(manifest, estate), GATE)
    assert report.tools == ()
    assert all(row.witness[0].subject == "" and row.tools == () for row in report.grants)


def test_the_demo_is_opened_by_the_tool_that_runs_code() -> None:
    found = snapshot.decode((DEMO / "estate.snap.json").read_bytes(), place="demo")
    sides = [
        side(yaml.safe_load((DEMO / f"{name}.yaml").read_text()), found) for name in ("v1", "v2")
    ]
    report = diff_report(sides[0], sides[1], GATE)
    gained = [row for row in report.changes if row.kind in ("gained", "widened")]
    assert gained
    assert {row.opened_by for row in gained} == {("build_tool",)}
