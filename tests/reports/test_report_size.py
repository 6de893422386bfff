"""A page stays small when a deployment can take a whole account over: reach is summed up there."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from modelreach import deployment, report_file
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, evaluate, radius_report
from modelreach.pipeline.evaluate import Estates
from modelreach.report import RadiusReport
from modelreach.report_file import decode, encode, packed
from modelreach_reports import html
from modelreach_reports.pageview import page
from organisations import manifest, plan, whole


@pytest.fixture(scope="module")
def administrator() -> RadiusReport:
    """What a role that administers an account of 3,000 resources reaches."""
    made = whole(plan(principals=20, resources=3000, accounts=1))
    (role,) = [row.id for row in made.principals if row.id.endswith("/landing-zone-admin")]
    release = Release(deployment.decode(manifest(role).encode(), place="m"), made)
    return radius_report(evaluate(release, JudgePolicy(), Estates()), GateOptions())


def test_the_page_of_an_administrator_is_small(administrator: RadiusReport) -> None:
    assert len(administrator.grants) > 1500
    assert administrator.admin_of
    raw = html.render(administrator).decode()
    assert len(re.sub(r"<svg\b.*?</svg>", "", raw, flags=re.DOTALL).encode()) < 500_000


def test_what_is_summed_up_is_counted(administrator: RadiusReport) -> None:
    view = page(administrator)
    rows = view["changes"]
    more = [re.search(r" and ([\d,]+) more$", row["label"]) for row in rows]
    also = sum(int(found[1].replace(",", "")) for found in more if found)
    assert len(rows) + also == len(administrator.grants)
    assert view["changes_tally"] == f"{len(administrator.grants):,}"
    assert "one row for them" in view["changes_note"]
    left_out = re.search(r"(\d+) findings more are left out", view["findings_note"])
    beyond = int(left_out[1]) if left_out else 0
    assert len(view["findings"]) + beyond == len(administrator.findings)


def test_large_json_has_a_line_for_each_row(
    administrator: RadiusReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_file, "_LARGE", 100_000)
    raw = encode(administrator)
    indented = msgspec.json.format(raw, indent=2)
    assert decode(raw) == administrator
    assert list(msgspec.json.decode(raw)) == list(msgspec.json.decode(indented))
    assert len(raw) < 0.9 * len(indented)
    lines = raw.decode().splitlines()
    for name, rows in msgspec.json.decode(raw).items():
        if name in ("grants", "admin_of", "resources", "hops"):
            first = lines.index(f'  "{name}": {"[" if isinstance(rows, list) else "{"}') + 1
            found = [line.strip().removesuffix(",") for line in lines[first : first + len(rows)]]
            assert found == [msgspec.json.encode(row).decode() for row in _told(rows)]
    few = msgspec.structs.replace(administrator, grants=administrator.grants[:1], findings=())
    assert encode(few) == msgspec.json.format(packed(few), indent=2) + b"\n"


@pytest.mark.parametrize("few", [0, 1, 9])
def test_a_report_is_large_by_its_lines(
    administrator: RadiusReport, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """What counts is how long its lines are, not the form that a small one has."""
    report = msgspec.structs.replace(
        administrator, grants=administrator.grants[:few], findings=administrator.findings[:few]
    )
    monkeypatch.setattr(report_file, "_LARGE", 0)
    lines = encode(report)
    monkeypatch.setattr(report_file, "_LARGE", len(lines) - 1)
    assert encode(report) == lines
    monkeypatch.setattr(report_file, "_LARGE", len(lines))
    assert encode(report) == msgspec.json.format(lines, indent=2) + b"\n"


def _told(rows: Any) -> list[Any]:
    return rows if isinstance(rows, list) else [msgspec.Raw(_entry(*one)) for one in rows.items()]


def _entry(key: str, value: Any) -> bytes:
    return msgspec.json.encode(key) + b": " + msgspec.json.encode(value)


def test_a_takeover_itself_always_has_its_row(administrator: RadiusReport) -> None:
    taken = {row["scope"] for row in page(administrator)["takeovers"]}
    assert len(taken) == len({row.scope for row in administrator.admin_of})
