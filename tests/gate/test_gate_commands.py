"""The commands of the gate, as a pipeline runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.report_file import decode

BOTH = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json")
SAME = ("v1.yaml", "v1.yaml", *BOTH[2:])
NOW = "--now=2026-11-25T09:00:00Z"
Call = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("decide", *BOTH, NOW), 1),
        (("decide", *SAME, NOW), 0),
        (("decide", *SAME, NOW, "--policy", "strict"), 0),
        (("decide", *BOTH, NOW, "--policy", "advisory"), 0),
        (("decide", *BOTH, NOW, "--policy", "strict", "--fail-on", "never"), 3),
        (("decide", *BOTH, NOW, "--exit-zero"), 0),
        (("decide", *BOTH, NOW, "--policy", "lax"), 2),
        (("decide", *BOTH, "--now=today"), 2),
        (("decide", *BOTH, NOW, "--waivers", "none.yaml"), 2),
        (("diff", *BOTH, "--gate", NOW), 1),
        (("diff", *BOTH, "--policy", "advisory", NOW), 0),
        (("rules", "test"), 0),
        (("rules", "GATE-BLIND"), 0),
        (("rules", "GATE-NOTHING"), 2),
        (("rules", "MR101", "more"), 2),
    ],
)
def test_exit_codes(call: Call, arguments: tuple[str, ...], code: int) -> None:
    assert call(*arguments).code == code


def test_decide_says_the_reasons_and_the_verdict_last(call: Call) -> None:
    done = call("decide", *BOTH, NOW)
    text = done.out
    order = [text.index(part) for part in ("Security change", "Demands", "Policy", " FAIL ")]
    assert order == sorted(order)
    assert "policy default" in text
    assert "(exit 1)" in text
    assert "modelreach ticket v1.yaml v2.yaml" in text


def test_diff_and_decide_are_one_gate(call: Call) -> None:
    gated = json.loads(call("diff", *BOTH, "--gate", NOW, "--format", "json").out)
    decided = json.loads(call("decide", *BOTH, NOW, "--format", "json").out)
    assert gated == decided
    assert gated["demands"]
    assert gated["gate"]["policy"] == "default"


def test_diff_alone_classifies_and_lets_findings_decide(call: Call) -> None:
    found = json.loads(call("diff", *BOTH, "--format", "json").out)
    assert found["security_change"]["verdict"] == "yes"
    assert found["demands"] == found["gate"]["rules"] == []
    assert found["gate"]["reasons"] == ["2 critical findings", "4 high findings"]


def test_a_policy_of_ones_own_decides(call: Call, place: Path) -> None:
    (place / "own.yaml").write_text("""
version: 1
preset: advisory
fail_on: critical
rules:
  - {id: OWN, title: no refunds, severity: critical, each: trigger, message: "{trigger.subject}",
     when: 'trigger.subject == "pay_refund"'}
""")
    done = call("decide", *BOTH, NOW, "--policy", "own.yaml", "--format", "json")
    assert done.code == 1
    assert "no refunds" in json.loads(done.out)["gate"]["reasons"]
    (place / "modelreach.yaml").write_text("version: 1\ngate: {policy: own.yaml}\n")
    assert call("decide", *BOTH, NOW, "--format", "json").out == done.out


def test_a_rule_with_an_error_denies_under_every_preset(call: Call, place: Path) -> None:
    (place / "own.yaml").write_text("""
version: 1
preset: advisory
rules: [{id: OWN, title: own, severity: low, message: m, when: new.spec.nothing == 1}]
""")
    done = call("decide", *SAME, NOW, "--policy", "own.yaml")
    assert done.code == 1
    assert "rule OWN cannot be evaluated (no such member in mapping" in " ".join(done.out.split())


def test_rules_of_ones_own_are_tested(call: Call, place: Path) -> None:
    text = """
version: 1
rules:
  - {id: OWN, title: own, severity: low, message: m, when: 'change.verdict == "yes"',
     hits: [{change: {verdict: "yes"}}], misses: [{change: {verdict: "yes"}}]}
"""
    (place / "own.yaml").write_text(text)
    done = call("rules", "test", "own.yaml")
    assert done.code == 1
    assert "own.yaml: OWN: miss 1 speaks" in done.out


def test_waive_decide_and_back(call: Call, place: Path) -> None:
    call("diff", *BOTH, "-o", "diff.json")
    findings = json.loads((place / "diff.json").read_text())["findings"]
    word = ("--owner", "ml", "--approved-by", "secops", "--reason", "moves")
    for row in findings:
        done = call("waive", row["id"], "--in", "diff.json", "--until=2027-01-31", *word, NOW)
        assert done.code == 0
    done = call("diff", *BOTH, NOW)
    assert done.code == 0
    assert f"{len(findings)} waived" in done.out
    assert call("diff", *BOTH, "--now=2027-01-31T23:00:00Z").code == 0
    late = call("diff", *BOTH, "--now=2027-02-01T00:00:00Z")
    assert late.code == 1
    assert "expired 2027-01-31" in late.out
    assert "unused" in call("diff", *SAME, NOW).out
    scanned = call("scan", "v2.yaml", *BOTH[2:], NOW, "--format", "json")
    assert [row["id"] for row in json.loads(scanned.out)["findings"] if row["waived"]]


def test_a_wider_grant_comes_back(call: Call, place: Path) -> None:
    call("diff", *BOTH, "-o", "diff.json")
    word = ("--until=2027-01-31", "--owner=ml", "--approved-by=secops", "--reason=moves", NOW)
    call("waive", "F01", "--in", "diff.json", *word)
    estate = json.loads((place / "estate.snap.json").read_text())
    for document in estate["documents"].values():
        for statement in document["Statement"]:
            if statement.get("Sid") == "Passengers":
                statement["Action"] = ["s3:GetObject", "s3:DeleteObject"]
    (place / "wider.json").write_text(json.dumps(estate))
    done = call("diff", "v1.yaml", "v2.yaml", "--snapshot", "wider.json", NOW, "--format", "json")
    (row,) = [r for r in json.loads(done.out)["findings"] if "returned" in r]
    assert row["rule"] == "MR101"
    assert "waived" not in row
    assert "no longer fits" in row["returned"]


@pytest.mark.parametrize("finding", ["F99", "mr1:0"])
def test_what_is_no_finding_cannot_be_waived(call: Call, finding: str) -> None:
    call("diff", *BOTH, "-o", "diff.json")
    word = ("--until=2027-01-31", "--owner=ml", "--approved-by=secops", "--reason=moves", NOW)
    done = call("waive", finding, "--in", "diff.json", *word)
    assert done.code == 2
    assert "F01" in done.err
    assert not Path("modelreach-waivers.yaml").exists()


def test_a_broken_waivers_file_is_an_error_and_not_an_empty_one(call: Call, place: Path) -> None:
    (place / "modelreach-waivers.yaml").write_text("version: 1\nwaivers:\n  - {finding: x}\n")
    assert call("diff", *BOTH, NOW).code == 2


def test_evidence_that_the_manifests_name_is_read(call: Call, place: Path) -> None:
    with (place / "v2.yaml").open("a") as file:
        file.write("  evidence: [{kind: garak, path: none.jsonl}]\n")
    done = call("decide", *BOTH, NOW)
    assert done.code == 2
    assert "none.jsonl" in done.err


def test_a_vendors_claim_is_not_read_as_a_report(call: Call, place: Path) -> None:
    with (place / "v2.yaml").open("a") as file:
        file.write("  evidence: [{kind: vendor-claim, path: card.pdf}]\n")
    done = call("decide", *BOTH, NOW, "--format", "json")
    assert done.code == 1
    triggers = json.loads(done.out)["security_change"]["triggers"]
    assert "VENDOR-CLAIM" in {row["id"] for row in triggers}


@pytest.mark.parametrize("form", ["text", "md", "html", "json"])
def test_every_form_says_first_whether_it_is_a_security_change(call: Call, form: str) -> None:
    text = call("diff", *BOTH, "--gate", NOW, "--format", form).out
    words = {"json": '"security_change"', "html": "Security change: yes"}
    assert words.get(form, "Security change") in text
    if form != "json":
        assert text.index("Security change") < text.index("Reach")
        assert "passengers" in text


def test_the_demo_shows_it(call: Call) -> None:
    done = call("demo")
    assert done.out.index("Security change") < done.out.index("Reach  ")


def test_the_same_inputs_give_the_same_bytes(call: Call) -> None:
    runs = {call("decide", *BOTH, NOW, "--format", form).out for form in ("json", "json")}
    assert len(runs) == 1


def test_an_action_is_said_of_who_holds_it(call: Call) -> None:
    """Two identities reach the function, each by an action of its own."""
    changes = msgspec.json.decode(
        msgspec.json.encode(decode(call("diff", *BOTH, "--format", "json").out))
    )["changes"]
    found = {
        (row["identity"].rpartition("/")[2], *row["actions"], row["witness"][-1]["target"])
        for row in changes
        if row["resource"].endswith(":function:pay-refund")
    }
    role = "arn:aws:iam::444455556666:role"
    assert found == {
        ("booking-desk-4", "lambda:InvokeFunction", f"{role}/booking-desk-4"),
        ("deployer", "lambda:UpdateFunctionCode", f"{role}/deployer"),
    }


def test_real_reports_on_both_releases_settle_the_retests(call: Call, place: Path) -> None:
    """The reports are about the demo's models, run with a prompt of this digest."""
    reports = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
    prompt = "52be27178ed63389b3ed8de3bb0c6659b4a8fcff01009397d4402baf092c36bc"
    for name, version in (("v1.yaml", "1.4.0"), ("v2.yaml", "2.0.0")):
        raw = (reports / version / "garak.report.jsonl").read_bytes()
        (place / f"{version}.jsonl").write_bytes(raw)
        text = re.sub("sha256: [0-9a-f]{64}", f"sha256: {prompt}", (place / name).read_text())
        (place / name).write_text(f"{text}  evidence: [{{kind: garak, path: {version}.jsonl}}]\n")
    done = call("decide", *BOTH, NOW, "--format", "json", "--record", "decision.json")
    found = json.loads(done.out)
    demands = {row["id"]: row for row in found["demands"]}
    assert demands["retest-prompt-injection"]["status"] == "refused"
    assert "garak promptinject" in demands["retest-prompt-injection"]["why"]
    assert demands["retest-tool-abuse"]["status"] == "open"
    assert {row["verdict"] for row in found["evidence"]} == {"regression"}
    verified = call("verify", "decision.json")
    assert "ok           evidence 2.0.0.jsonl" in verified.out
    (place / "2.0.0.jsonl").write_bytes(b"{}\n")
    verified = call("verify", "decision.json")
    assert verified.code == 1
    assert "evidence 2.0.0.jsonl: the evidence is not the one decided on" in verified.out


def test_a_report_on_another_prompt_is_refused_as_evidence(call: Call, place: Path) -> None:
    reports = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
    raw = (reports / "2.0.0" / "garak.report.jsonl").read_bytes()
    (place / "run.jsonl").write_bytes(raw)
    with (place / "v2.yaml").open("a") as file:
        file.write("  evidence: [{kind: garak, path: run.jsonl}]\n")
    found = json.loads(call("decide", *BOTH, NOW, "--format", "json").out)
    (row,) = found["evidence"]
    assert row["verdict"] == "refused"
    assert "GATE-EVIDENCE-REFUSED" in {rule["id"] for rule in found["gate"]["rules"]}
    assert (
        "refused: run.jsonl" in {d["id"]: d for d in found["demands"]}["retest-jailbreak"]["why"]
    )
