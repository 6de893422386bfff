"""What a person sees on a terminal, whole; and the laws it keeps."""

from __future__ import annotations

import os
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach.report import DecisionRow, DiffReport, Gate, RadiusReport, StatementRow
from modelreach_reports import html, phrases, text, words
from modelreach_reports.lines import Look
from modelreach_reports.naming import Names
from modelreach_reports.story import items
from modelreach_reports.tree import Tree
from modelreach_reports.witness import render_decision, render_finding, render_witness

GOLDEN = Path(__file__).parent / "golden"
SCREEN = 51


def golden(name: str, shown: bytes) -> None:
    """Compare with the kept picture; MODELREACH_RENEW=1 keeps this one instead."""
    path = GOLDEN / name
    if os.environ.get("MODELREACH_RENEW"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(shown)
    assert shown.decode() == path.read_text(encoding="utf-8")


def test_the_difference(diff_report: DiffReport) -> None:
    golden("diff.txt", text.render(diff_report))


def test_the_difference_in_ascii(diff_report: DiffReport) -> None:
    golden("diff-ascii.txt", text.render(diff_report, ascii_only=True))


def test_the_radius(radius_report: RadiusReport) -> None:
    golden("radius.txt", text.render(radius_report))


def test_a_finding_hop_by_hop(diff_report: DiffReport) -> None:
    golden("finding.txt", render_finding(diff_report, diff_report.findings[2]))


def test_a_decision() -> None:
    allowed = StatementRow(
        effect="Allow",
        layer="identity",
        policy="agent-access",
        target="arn:aws:iam::111122223333:role/support-agent",
        sid="Reads",
        text='{"Effect":"Allow","Action":"s3:*","Resource":"*"}',
    )
    decision = DecisionRow(
        principal="arn:aws:iam::111122223333:role/support-agent",
        action="s3:GetObject",
        resource="arn:aws:s3:::customer-exports/a.csv",
        verdict="conditional",
        outcome="conditional",
        depends_on=("StringEquals aws:SourceVpce vpce-1",),
        allowed_by=(allowed,),
        assumes=("service control policies were not read",),
    )
    golden("decision.txt", render_decision(decision))


def test_versions_that_are_times_are_told_apart(diff_report: DiffReport) -> None:
    """`discover` names the version of a draft after the time of its runtime."""
    times = ("2026-11-20T09:00:00Z", "2026-11-23T09:00:00Z")
    old, new = diff_report.old, diff_report.new
    report = msgspec.structs.replace(
        diff_report,
        old=msgspec.structs.replace(old, version=times[0]),
        new=msgspec.structs.replace(new, version=times[1]),
    )
    assert " → ".join(times) in text.render(report).decode().splitlines()[0]
    assert len(text.render(report, width=60).decode().splitlines()[0]) <= 60


def test_what_matters_fits_one_screen(diff_report: DiffReport) -> None:
    lines = text.render(diff_report).decode().splitlines()
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= 80
    assert lines[-2].startswith(" FAIL ")
    assert lines[-1].startswith("next:")


@pytest.mark.parametrize("width", [40, 80])
def test_what_shares_a_line_keeps_its_name(diff_report: DiffReport, width: int) -> None:
    """Though nothing beside it is as long as how many more there are."""
    item = next(one for one in items(diff_report) if one.resource.endswith("lake-orders"))
    alone = msgspec.structs.replace(item, also=4)
    *_, line = Tree(diff_report, Names(diff_report), Look(width)).lines([alone])
    shown = "".join(word for word, _ in line).partition(" and 4 more")[0]
    assert shown.split()[-1].startswith("la")


def test_a_narrow_terminal_is_told_the_same(gated_report: DiffReport) -> None:
    """What has no room goes below, and of several reasons the last go, not half of one."""
    lines = text.render(gated_report, width=60).decode().splitlines()
    assert lines[0] == "support-agent  1.4.0 → 2.0.0"
    assert lines[1] == "both in the estate of 2026-11-23 11:00Z"
    (incomplete,) = [at for at, line in enumerate(lines) if line.startswith("Incomplete")]
    assert lines[incomplete + 1].startswith("             not as zero.")
    change = gated_report.security_change
    assert change is not None
    ids = {row.id for row in change.triggers}
    (start,) = [at for at, line in enumerate(lines) if line.startswith("Security change")]
    for line in lines[start + 1 : start + 5]:
        told, _, more = line[31:].partition(" +")
        assert {word.split(" ")[-1] for word in told.split(", ")} <= ids | {""}
        assert not more or more.isdigit()


def test_unknown_and_conditional_are_words(diff_report: DiffReport) -> None:
    shown = text.render(diff_report).decode()
    assert "only if StringEquals aws:SourceVpce vpce-0a1b2c3d" in shown
    assert "unknown: ssm:DescribeParameters denied" in shown
    assert "Counted as unknown, not as zero." in shown
    assert f"modelreach permissions aws --missing {diff_report.new.snapshot}" in shown


def test_the_rule_at_the_left_goes_on_beside_a_condition_that_is_wrapped(
    diff_report: DiffReport,
) -> None:
    depends = f"StringEquals aws:SourceVpce {'vpce-0a1b2c3d ' * 12}".strip()
    changes = tuple(
        msgspec.structs.replace(row, depends_on=(depends,)) if row.depends_on else row
        for row in diff_report.changes
    )
    shown = text.render(msgspec.structs.replace(diff_report, changes=changes), show_all=True)
    lines = shown.decode().splitlines()
    first = next(place for place, line in enumerate(lines) if "only if StringEquals" in line)
    beneath = [line for line in lines[first : first + 4] if "vpce-0a1b2c3d" in line]
    assert len(beneath) > 2
    assert {line[: line.index("│") + 1] for line in beneath} == {
        lines[first].partition("│")[0] + "│"
    }


def test_colour_changes_no_word(diff_report: DiffReport) -> None:
    plain = text.render(diff_report).decode()
    coloured = text.render(diff_report, color=True).decode()
    assert "\x1b[" in coloured
    assert coloured != plain


def test_next_commands_are_the_callers(diff_report: DiffReport) -> None:
    shown = text.render(diff_report, next_commands=["modelreach explain F03 a.yaml b.yaml"])
    assert b"next:  modelreach explain F03 a.yaml b.yaml" in shown


def test_many_changes_are_summed_up(diff_report: DiffReport) -> None:
    template = diff_report.changes[5]
    many = tuple(
        msgspec.structs.replace(
            template,
            resource=f"{template.resource}-{number}",
            resource_name=f"table-{number:04}",
            findings=(),
        )
        for number in range(500)
    )
    report = msgspec.structs.replace(diff_report, changes=diff_report.changes + many)
    shown = text.render(report).decode()
    assert "and 50" in shown
    assert len(shown.splitlines()) <= SCREEN
    everything = text.render(report, show_all=True).decode()
    assert all(f"table-{number:04}" in everything for number in range(500))


def test_no_change_says_so(diff_report: DiffReport) -> None:
    same = msgspec.structs.replace(
        diff_report, changes=(), findings=(), gaps=(), admin_of_new=diff_report.admin_of_old
    )
    shown = text.render(same).decode()
    assert "No change of reach" in shown
    assert "What changed" not in shown


def test_identities_that_come_and_go_are_both_counted(diff_report: DiffReport) -> None:
    swapped = msgspec.structs.replace(
        diff_report,
        identities_old=diff_report.identities_new[1:],
        identities_new=diff_report.identities_new[:2],
    )
    row = next(
        line
        for line in text.render(swapped).decode().splitlines()
        if line.startswith("  identities")
    )
    assert row.endswith("+1 −2")


@pytest.mark.parametrize("verdict", ["pass", "fail", "unknown"])
def test_the_verdict_comes_with_its_exit_code(diff_report: DiffReport, verdict: str) -> None:
    code = {"pass": 0, "fail": 1, "unknown": 3}[verdict]
    gate = msgspec.convert(
        {
            **msgspec.to_builtins(diff_report.gate),
            "verdict": verdict,
            "exit_code": code,
            "reasons": (),
        },
        type(diff_report.gate),
    )
    shown = text.render(msgspec.structs.replace(diff_report, gate=gate)).decode()
    assert f" {verdict.upper()} " in shown
    assert f"(exit {code})" in shown


def test_a_run_without_a_gate_says_what_it_would_do(diff_report: DiffReport) -> None:
    shown = " ".join(text.render(diff_report, gated=False).decode().split())
    assert "(the gate would exit 1)" in shown


@pytest.mark.parametrize("side", ["old", "new", "both"])
def test_the_snapshot_that_has_the_gap_is_named(diff_report: DiffReport, side: str) -> None:
    named = msgspec.structs.replace(
        diff_report,
        old=msgspec.structs.replace(diff_report.old, snapshot="it's old.json"),
        new=msgspec.structs.replace(diff_report.new, snapshot="new.json"),
        gaps=(msgspec.structs.replace(diff_report.gaps[0], side=side),),
    )
    quoted = "'it'\"'\"'s old.json'" if side == "old" else "new.json"
    for shown in (text.render(named).decode(), unescape(html.render(named).decode())):
        assert f"modelreach permissions aws --missing {quoted}" in shown


@pytest.mark.parametrize("name", ["", "a\x1b[2Jb", "n" * 500])
def test_a_snapshot_that_cannot_be_named_is_a_place_to_fill(
    diff_report: DiffReport, name: str
) -> None:
    new = msgspec.structs.replace(diff_report.new, snapshot=name)
    shown = text.render(msgspec.structs.replace(diff_report, new=new)).decode()
    assert "modelreach permissions aws --missing SNAPSHOT\n" in shown


def test_a_bare_principal_is_where_its_witness_begins(radius_report: RadiusReport) -> None:
    start = radius_report.identities[0]
    release = msgspec.structs.replace(radius_report.release, name=start.id, version="")
    alone = msgspec.structs.replace(radius_report, release=release)
    shown = render_witness(alone, start.witness + radius_report.grants[-3].witness[1:]).decode()
    assert "runs as" not in shown
    assert shown.startswith(" 1  support-agent-runtime")


@pytest.mark.parametrize(
    ("verdict", "fail_on", "told", "shown"),
    [
        ("pass", "high", "no finding fails it; the limit is high", "; limit: --fail-on high"),
        ("pass", "never", "no finding fails it; no limit is set", "; limit: --fail-on never"),
        ("unknown", "high", "no reason given; all of it has to be read", "--fail-on-incomplete"),
    ],
)
def test_only_a_terminal_is_told_of_options(
    verdict: Any, fail_on: str, told: str, shown: str
) -> None:
    """A board runs no command."""
    gate = Gate(
        verdict=verdict, exit_code=0, fail_on=fail_on, fail_on_incomplete=False, reasons=()
    )
    assert phrases.gate_reasons(gate) == told
    assert phrases.gate_options(gate).endswith(shown)


def test_what_no_policy_says_is_no_statement_of_one() -> None:
    assert words.where_words("service", "mounts", "k8s/prod/ml/pods/p", "") == "p: mounts"


def shared(report: RadiusReport) -> RadiusReport:
    """Where two more tools act as the identity of the one that there is."""
    (tool,) = report.tools
    more = [msgspec.structs.replace(tool, id=name, effect="read") for name in ("a\x1bsk", "book")]
    return msgspec.structs.replace(report, tools=(tool, *more))


def test_tools_of_one_identity_are_named_where_its_reach_is_told_once(
    radius_report: RadiusReport,
) -> None:
    report = shared(radius_report)
    lines = text.render(report).decode().splitlines()
    (told,) = [line.strip("│ ") for line in lines if "also used by" in line]
    assert told == "also used by a\\x1bsk, book"
    assert len(lines) == len(text.render(radius_report).decode().splitlines()) + 1
    page = html.render(report).decode()
    assert page.count("resources: 3, sensitive: 2, takes over: 1") == 1
    assert page.count('rowspan="3"') == 2
