"""The bill of materials: valid, whole, and honest about what was not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.report import DiffReport, EvidenceRow, RadiusReport, Report, Waived
from modelreach_reports import cyclonedx

Poison = Callable[[str, str], Report]
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def bill(report: Report) -> dict[str, Any]:
    raw = cyclonedx.cyclonedx(report).decode()
    error = VALIDATOR.validate_str(raw)
    assert error is None, str(error)
    found: dict[str, Any] = json.loads(raw)
    return found


def refs(found: dict[str, Any]) -> list[str]:
    parts = [found["metadata"]["component"], *found["components"], *found["services"]]
    return [part["bom-ref"] for part in parts]


@pytest.mark.parametrize("side", ["diff", "radius"])
@settings(max_examples=4, deadline=None)
@given(
    name=st.one_of(st.sampled_from(["", "urn:cdx:x", "\ud800", "x" * 4000]), st.text(max_size=9))
)
def test_it_is_valid_and_names_only_what_is_in_it(side: str, poison: Poison, name: str) -> None:
    found = bill(poison(side, name))
    known = refs(found)
    assert len(set(known)) == len(known)
    mentioned = {one["ref"] for one in found["dependencies"]}
    mentioned |= {on for one in found["dependencies"] for on in one["dependsOn"]}
    mentioned |= {on for one in found["compositions"] for on in one["dependencies"]}
    mentioned |= {to["ref"] for one in found["vulnerabilities"] for to in one["affects"]}
    assert mentioned <= set(known)


def test_the_release_gets_at_every_grant(radius_report: RadiusReport) -> None:
    found = bill(radius_report)
    data = {
        (service["bom-ref"].partition("/")[2], datum["name"], datum["classification"])
        for service in found["services"]
        for datum in service.get("data", ())
    }
    assert data == {
        (row.identity, row.resource, f"sensitivity {row.sensitivity}")
        for row in radius_report.grants
    }


def test_dependencies_lead_from_the_release_to_all_that_it_becomes(
    radius_report: RadiusReport,
) -> None:
    found = bill(radius_report)
    onward = {one["ref"]: one["dependsOn"] for one in found["dependencies"]}
    reached, fresh = set[str](), {"deployment"}
    while fresh:
        reached |= fresh
        fresh = {to for ref in fresh for to in onward.get(ref, ())} - reached
    assert reached == set(refs(found))


def test_what_was_not_read_makes_it_incomplete(radius_report: RadiusReport) -> None:
    assert bill(radius_report)["compositions"][0]["aggregate"] == "incomplete"
    whole = msgspec.structs.replace(radius_report, gaps=())
    assert bill(whole)["compositions"][0]["aggregate"] == "complete"


def test_what_is_gone_is_not_in_it(diff_report: DiffReport) -> None:
    (lost,) = (row for row in diff_report.changes if row.kind == "lost")
    assert lost.resource not in cyclonedx.cyclonedx(diff_report).decode()


def test_findings_are_there_with_what_became_of_them(diff_report: DiffReport) -> None:
    first, second, *others = diff_report.findings
    waived = Waived(reason="moves", owner="ml", approved_by="sec", expires="2027-01-01")
    rows = (
        msgspec.structs.replace(first, waived=waived),
        msgspec.structs.replace(second, state="gone"),
        *others,
    )
    found = bill(msgspec.structs.replace(diff_report, findings=rows))["vulnerabilities"]
    assert [one["id"] for one in found] == [row.rule for row in rows]
    assert found[0]["analysis"]["response"] == ["will_not_fix"]
    assert found[1]["analysis"] == {"state": "resolved"}
    assert {one["analysis"]["state"] for one in found[2:]} == {"exploitable"}


def test_evidence_stands_in_the_model_card(diff_report: DiffReport) -> None:
    row = EvidenceRow(tool="garak", category="jailbreak", verdict="regression", new="9 of 119")
    found = bill(msgspec.structs.replace(diff_report, evidence=(row,)))
    (metric,) = found["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert (metric["slice"], metric["value"]) == ("jailbreak", "9 of 119")


def test_its_number_is_that_of_the_report(
    diff_report: DiffReport, radius_report: RadiusReport
) -> None:
    numbers = [bill(report)["serialNumber"] for report in (diff_report, radius_report)]
    assert numbers[0] == bill(diff_report)["serialNumber"] != numbers[1]
