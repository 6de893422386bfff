"""Waivers: what they cover, when they end, who may write them, and what stays visible."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.gate import waiver_file, waivers
from modelreach.gate.verdict import GateOptions, gate
from modelreach.gate.waivers import Waiver, Waivers
from modelreach.model import InputError
from modelreach.report import DiffReport, FindingRow

TODAY = date(2026, 11, 25)


def waiver_for(row: FindingRow, **more: Any) -> Waiver:
    fields: dict[str, Any] = {
        "finding": row.fingerprint,
        "rule": row.rule,
        "identity": row.identity,
        "resource": row.subject,
        "reason": "bucket moves",
        "owner": "ml",
        "approved_by": "secops",
        "expires": "2027-02-01",
    }
    return Waiver(**{**fields, **more})


def file_of(*listed: Waiver) -> bytes:
    raw = b""
    for one in listed:
        raw = waiver_file.added(raw, one, place="w.yaml", today=TODAY)
    return raw


@pytest.fixture
def first(report: DiffReport) -> FindingRow:
    return report.findings[0]


def _applied(report: DiffReport, *listed: Waiver, today: date = TODAY) -> tuple[FindingRow, ...]:
    return waivers.apply(report.findings, Waivers(listed, today))


def test_a_waived_finding_stays_visible_and_does_not_count(
    report: DiffReport, first: FindingRow
) -> None:
    found = _applied(report, waiver_for(first))
    assert len(found) == len(report.findings)
    assert found[0].waived is not None
    assert found[0].waived.reason == "bucket moves"
    all_waived = _applied(report, *(waiver_for(row) for row in report.findings))
    assert gate(all_waived, 0, GateOptions()).exit_code == 0
    assert gate(found, 0, GateOptions()).exit_code == 1
    assert gate(all_waived, 0, GateOptions(fail_on="low", fail_on_all=True)).verdict == "pass"


def test_the_last_day_counts_and_the_next_brings_the_finding_back(
    report: DiffReport, first: FindingRow
) -> None:
    waiver = waiver_for(first, expires="2027-02-01")
    assert _applied(report, waiver, today=date(2027, 2, 1))[0].waived
    back = _applied(report, waiver, today=date(2027, 2, 2))[0]
    assert back.waived is None
    assert back.returned == "its waiver (owner ml) expired 2027-02-01"


def test_a_grant_that_changes_brings_the_finding_back(
    report: DiffReport, first: FindingRow
) -> None:
    waiver = waiver_for(first)
    wider = replace(first, fingerprint="mr1:0000000000000000")
    (back, *_) = waivers.apply([wider], Waivers((waiver,), TODAY))
    assert back.waived is None
    assert "no longer fits" in back.returned


def test_a_waiver_is_for_its_rule_only(report: DiffReport, first: FindingRow) -> None:
    found = _applied(report, waiver_for(first, rule="MR999"))[0]
    assert found.waived is None
    assert "MR999" in found.returned


def test_unused_waivers_are_named(report: DiffReport, first: FindingRow) -> None:
    stray = waiver_for(first, finding="mr1:ffffffffffffffff", resource="", owner="somebody")
    (name,) = waivers.unused(report.findings, Waivers((waiver_for(first), stray), TODAY))
    assert name == "mr1:ffffffffffffffff (MR101, owner somebody, expires 2027-02-01)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expires": "2027-11-26"}, "more than 365 days ahead"),
        ({"expires": "soon"}, "is not a day"),
        ({"approved_by": "ML "}, "a waiver of their own"),
        ({"approved_by": "jo", "author": "Jo"}, "a waiver of their own"),
        ({"approved_by": " "}, "`approved_by` is empty"),
        ({"reason": "\t"}, "`reason` is empty"),
    ],
)
def test_a_waiver_that_nobody_should_write_is_refused(
    first: FindingRow, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        file_of(waiver_for(first, **changes))


def test_a_year_ahead_is_the_longest(first: FindingRow) -> None:
    assert file_of(waiver_for(first, expires="2027-11-25"))


def test_the_owner_may_approve_what_somebody_else_wrote(first: FindingRow) -> None:
    assert file_of(waiver_for(first, author="jo", approved_by="ml"))


@pytest.mark.parametrize("missing", ["expires", "owner", "approved_by", "reason", "finding"])
def test_nothing_that_is_required_may_be_missing(first: FindingRow, missing: str) -> None:
    lines = file_of(waiver_for(first)).decode().splitlines()
    kept = [line for line in lines if not line.lstrip("- ").startswith(f"{missing}:")]
    if missing == "finding":
        kept = [line.replace("    rule:", "  - rule:") for line in kept]
    with pytest.raises(InputError, match=f"`{missing}`"):
        waiver_file.decode("\n".join(kept).encode(), place="w.yaml", today=TODAY)


def test_a_finding_cannot_be_waived_twice(first: FindingRow) -> None:
    with pytest.raises(InputError, match="waived twice"):
        file_of(waiver_for(first), waiver_for(first))


def test_adding_keeps_comments_and_order(report: DiffReport, first: FindingRow) -> None:
    raw = b"""# why this file is here
version: 1
waivers:
  # until the bucket has moved
  - finding: mr1:1111111111111111
    rule: MR101   # sensitive
    reason: moves
    owner: ml
    approved_by: secops
    expires: 2027-01-01

# the end
"""
    text = waiver_file.added(raw, waiver_for(first), place="w", today=TODAY).decode()
    before, after = text.split(f'  - finding: "{first.fingerprint}"\n')
    assert raw.decode().startswith(before.rstrip())
    assert after.endswith("\n\n# the end\n")
    found = waiver_file.decode(text.encode(), place="w", today=TODAY)
    assert [w.finding for w in found.waivers] == ["mr1:1111111111111111", first.fingerprint]


@pytest.mark.parametrize(
    "raw", [b"version: 1\n", b"version: 1\nwaivers: []\n", b"version: 1\nwaivers:\n", b""]
)
def test_adding_to_a_file_without_entries(first: FindingRow, raw: bytes) -> None:
    if raw == b"version: 1\n":
        raw += b"waivers: []\n"
    text = waiver_file.added(raw, waiver_for(first), place="w", today=TODAY)
    assert len(waiver_file.decode(text, place="w", today=TODAY).waivers) == 1


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_text_survives_as_a_reason(reason: str) -> None:
    waiver = Waiver(
        finding="mr1:0",
        rule="R",
        reason=reason,
        owner="o",
        approved_by="a",
        expires="2027-01-01",
    )
    raw = waiver_file.added(b"", waiver, place="w", today=TODAY)
    assert waiver_file.decode(raw, place="w", today=TODAY).waivers == (waiver,)
