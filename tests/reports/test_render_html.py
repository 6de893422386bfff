"""The page: complete without JavaScript, closed to the network, small enough to open."""

from __future__ import annotations

import base64
import hashlib
import re
import sys

import msgspec
import pytest

from modelreach.report import DiffReport, EvidenceRow, RadiusReport
from modelreach_reports import html

pytestmark = pytest.mark.filterwarnings("error")


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_our_style_and_script_only(diff_report: DiffReport) -> None:
    page = html.render(diff_report).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == hashed(style)
    assert rules["script-src"] == hashed(script)
    assert "style=" not in page.replace("xml:space", "")


def test_nothing_is_fetched(diff_report: DiffReport) -> None:
    page = html.render(diff_report).decode()
    addresses = set(re.findall(r"https?://[^\"'\s<)]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_verdict_comes_first_and_nothing_is_missing(gated_report: DiffReport) -> None:
    tested = EvidenceRow(
        tool="garak",
        category="dan",
        verdict="regression",
        old="1 of 50",
        new="9 of 50",
        difference=0.16,
        low=0.04,
        high=0.28,
    )
    page = html.render(msgspec.structs.replace(gated_report, evidence=(tested,))).decode()
    assert "+16.0% (+4.0% to +28.0%)" in page
    order = (
        "FAIL: this release does not pass the gate",
        "Resources reached",
        "Where the reach grew",
        "<svg",
        'id="f-F01"',
        "Due before adoption <",
        "What the policy says",
        "What was tested, old and new",
        "Every change of reach",
        "What was read, and what was not",
        'id="waivers"',
        'id="inputs"',
        gated_report.new.snapshot_digest,
        "Sign-off</h2>",
        "How to read it",
    )
    places = [page.index(text) for text in order]
    assert places == sorted(places)


def test_the_verdict_says_what_to_begin_with(diff_report: DiffReport) -> None:
    """The worst of each rule and identity, with its fix: who reads no further knows what to do."""
    page = html.render(diff_report).decode()
    (verdict,) = re.findall(r'<div class="verdict.*?</div>', page, re.DOTALL)
    told = re.findall(r'<li><a href="#f-(F\d+)">\1</a> .*?</li>', verdict)
    known = {finding.id: finding for finding in diff_report.findings}
    assert 1 <= len(told) <= 3
    assert told[0] == "F01"
    assert len({(known[key].rule, known[key].identity) for key in told}) == len(told)
    assert all(known[key].state == "new" for key in told)
    assert verdict.count("<b>Fix:</b>") == len(told)
    passed = msgspec.structs.replace(diff_report.gate, verdict="pass", exit_code=0)
    page = html.render(msgspec.structs.replace(diff_report, gate=passed)).decode()
    assert "Begin with" not in page


def test_every_finding_has_its_witness(diff_report: DiffReport) -> None:
    page = html.render(diff_report).decode()
    with_witness = [finding for finding in diff_report.findings if finding.witness]
    assert page.count('<ol class="strip">') == len(with_witness)
    assert all(finding.fix.split("`")[0] in page for finding in diff_report.findings)


def test_a_radius_is_a_page_too(radius_report: RadiusReport) -> None:
    page = html.render(radius_report).decode()
    assert "Everything that is reached" in page
    assert "Change</th>" not in page


def test_rows_beyond_two_thousand_are_left_out_and_counted(diff_report: DiffReport) -> None:
    changes = tuple(
        msgspec.structs.replace(diff_report.changes[5], resource=f"arn:aws:x:::{number}")
        for number in range(2100)
    )
    findings = tuple(
        msgspec.structs.replace(diff_report.findings[0], id=f"F{number}") for number in range(2300)
    )
    big = msgspec.structs.replace(diff_report, changes=changes, findings=findings, admin_of_new=())
    page = html.render(big).decode()
    assert "100 rows more are left out" in page
    assert "300 findings more are left out" in page
    assert page.count("<article") == 2000
    assert len(page) < 6_000_000


def test_without_the_graph_extra_the_page_says_so(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    page = html.render(diff_report).decode()
    assert "<svg" not in page
    assert "pip install &#39;modelreach[graph]&#39;" in page


def test_the_names_of_calls_break_between_their_words(diff_report: DiffReport) -> None:
    gap = msgspec.structs.replace(
        diff_report.gaps[0], operation="bedrock-agent:ListAgents<b>", permission="Vaults/Read"
    )
    shown = html.render(msgspec.structs.replace(diff_report, gaps=(gap,))).decode()
    assert '<code class="call">bedrock-agent:<wbr>List<wbr>Agents&lt;b&gt;</code>' in shown
    assert '<code class="call">Vaults/<wbr>Read</code>' in shown
