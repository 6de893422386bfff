"""Reports as files: what is written is what is read, each thing once, and older files are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.report import (
    ChangeRow,
    DiffReport,
    Hop,
    RadiusReport,
    Report,
    change_order,
    grant_order,
    trigger_order,
)
from modelreach.report_file import decode, encode, packed, writing
from modelreach.state import AuditRow, bodies
from modelreach_reports import graphs, opengraph

OLD = Path(__file__).resolve().parents[2] / "fixtures" / "reports"
NAMES = st.sampled_from(["", "a", "b"])


@st.composite
def hops(draw: st.DrawFn, *, deep: bool = True) -> Hop:
    also = st.lists(hops(deep=False), max_size=2).map(tuple) if deep else st.just(())
    return Hop(
        kind=draw(st.sampled_from(["start", "assume-role", "grant"])),
        subject=draw(NAMES),
        object=draw(NAMES),
        action=draw(st.sampled_from(["", "s3:GetObject"])),
        strength=draw(st.sampled_from(["certain", "conditional"])),
        layer=draw(st.sampled_from(["", "identity"])),
        policy=draw(st.sampled_from(["", "p"])),
        target=draw(NAMES),
        statement=draw(st.sampled_from(["", "{}"])),
        depends_on=draw(st.sampled_from([(), ("mfa",)])),
        also=draw(also),
    )


class Given(NamedTuple):
    """A report of each kind, under a short name for hypothesis."""

    diff: DiffReport
    radius: RadiusReport

    def __repr__(self) -> str:
        return "given"


@pytest.fixture(scope="module")
def both(gated_report: DiffReport, radius_report: RadiusReport) -> Given:
    return Given(gated_report, radius_report)


@given(
    drawn=st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["s3:bucket", "kms:key"]),
            st.lists(hops(), max_size=3).map(tuple),
        ),
        max_size=6,
    )
)
def test_any_witness_is_read_as_it_was(both: Given, in_order: Any, drawn: list[Any]) -> None:
    """Whatever stands for whatever: the same names as subject, object, target and resource, and
    rows that differ in nothing but their witness."""
    rows = tuple(
        replace(
            both.radius.grants[0],
            resource=name,
            resource_kind=kind,
            witness=witness,
        )
        for name, kind, witness in drawn
    )
    report = in_order(replace(both.radius, grants=rows))
    assert decode(encode(report)) == report
    assert decode(packed(report)) == report


def test_rows_that_differ_in_their_witness_alone_have_an_order(both: Given) -> None:
    """In whatever order they come, a table of them has the same bytes."""
    row = both.radius.grants[0]
    last = row.witness[-1]
    rows = [
        replace(row, witness=(*row.witness[:-1], replace(last, policy=name)))
        for name in ("a", "b")
    ]
    change = both.diff.changes[0]
    changes = [replace(change, strength=word) for word in ("certain", "conditional")]
    said = both.diff.security_change
    assert said is not None
    triggers = [replace(said.triggers[0], witness=one.witness) for one in rows]
    orders: list[tuple[list[Any], Any]] = [
        (rows, grant_order),
        (changes, change_order),
        (triggers, trigger_order),
    ]
    for alike, order in orders:
        other = [alike[1], alike[0]]
        assert sorted(other, key=order) == sorted(alike, key=order)


@given(witness=st.lists(hops(), max_size=3).map(tuple))
def test_whatever_a_finding_shows_is_read_as_it_was(
    both: Given, in_order: Any, witness: tuple[Hop, ...]
) -> None:
    findings = tuple(
        replace(row, subject=subject, witness=witness, standards=row.standards[:count])
        for subject, count in (("a", 0), ("b", 9))
        for row in both.diff.findings
    )
    change = both.diff.security_change
    assert change is not None
    triggers = tuple(
        replace(row, subject=subject, witness=witness, demands=row.demands[:count])
        for row in change.triggers
        for subject, count in (("a", 0), ("b", 9))
    )
    change = replace(change, triggers=triggers)
    report = in_order(replace(both.diff, findings=findings, security_change=change))
    assert decode(encode(report)) == report


def many(report: RadiusReport, count: int) -> RadiusReport:
    """The first grant, over so many things."""
    row = report.grants[0]
    last = row.witness[-1]
    assert last.kind == "grant"
    grants = tuple(
        replace(row, resource=name, witness=(*row.witness[:-1], replace(last, object=name)))
        for name in (f"arn:aws:s3:::thing-{number:05}" for number in range(count))
    )
    return replace(report, grants=grants, findings=())


def test_a_thing_more_costs_its_name_and_what_it_is(radius_report: RadiusReport) -> None:
    few, lots = many(radius_report, 10), many(radius_report, 1010)
    assert decode(packed(lots)) == lots
    line, entry = len('"arn:aws:s3:::thing-00000",'), len(msgspec.json.encode(radius_report))
    more = (len(packed(lots)) - len(packed(few))) / 1000
    assert line < more < 300 < entry
    found = msgspec.json.decode(packed(lots))
    assert len(found["grants"]) == 1
    assert len(found["grants"][0]["witness"]) == len(lots.grants[0].witness)
    assert found["hops"] == msgspec.json.decode(packed(few))["hops"]


def test_what_is_left_out_of_a_report_changes_no_key(diff_report: DiffReport) -> None:
    whole = msgspec.json.decode(packed(diff_report))
    part = msgspec.json.decode(packed(replace(diff_report, changes=diff_report.changes[1:])))
    for table in ("hops", "statements"):
        assert part[table].items() <= whole[table].items()
        assert list(whole[table]) == sorted(whole[table])


def test_what_has_the_same_digest_is_told_apart(
    diff_report: DiffReport, in_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_DIGITS", 1)
    monkeypatch.setattr(writing, "_MORE", 1)
    report = in_order(diff_report)
    raw = packed(report)
    assert {len(key.rpartition("-")[2]) for key in msgspec.json.decode(raw)["hops"]} != {1}
    assert decode(raw) == report


def test_a_line_says_itself_what_its_table_does_not(diff_report: DiffReport) -> None:
    first: ChangeRow = diff_report.changes[0]
    other = replace(first, resource_kind="other:kind", verdict="unknown", findings=("F99",))
    report = replace(diff_report, changes=(first, other))
    found = msgspec.json.decode(packed(report))
    assert found["resources"][first.resource]["kind"] == first.resource_kind
    assert [line.get("resource_kind") for line in found["changes"]] == [None, "other:kind"]
    assert decode(packed(report)) == report


@pytest.mark.parametrize("table", ["hops", "resources", "statements", "rules", "finding_evidence"])
def test_a_file_that_lacks_what_it_refers_to_is_refused(
    diff_report: DiffReport, table: str
) -> None:
    found = msgspec.json.decode(packed(diff_report))
    missing = next(iter(found[table]))
    del found[table][missing]
    with pytest.raises(msgspec.ValidationError) as raised:
        decode(msgspec.json.encode(found))
    assert f"`{table}` has no `" in str(raised.value)


@pytest.mark.parametrize("name", ["diff", "radius"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_word_that_is_no_sensitivity_is_refused(
    diff_report: DiffReport, radius_report: RadiusReport, name: str, version: int
) -> None:
    now = packed(diff_report if name == "diff" else radius_report)
    found = msgspec.json.decode(now if version == 2 else (OLD / f"{name}-1.json").read_bytes())
    found["changes" if name == "diff" else "grants"][0]["sensitivity"] = "enormous"
    with pytest.raises(msgspec.ValidationError, match="`enormous` is no sensitivity"):
        decode(msgspec.json.encode(found))


@pytest.mark.parametrize("render", [opengraph.render, graphs.render_graphml])
def test_a_way_that_begins_with_nobody_is_drawn(
    diff_report: DiffReport, render: Callable[[Report], bytes]
) -> None:
    found = msgspec.json.decode(packed(diff_report))
    for hop in found["hops"].values():
        if hop["kind"] == "start":
            hop["object"] = ""
    assert render(decode(msgspec.json.encode(found)))


# --- files of the first version ------------------------------------------------------------

_SIDES = ("old", "new")


@pytest.mark.parametrize(("name", "type_"), [("diff", DiffReport), ("radius", RadiusReport)])
def test_files_of_the_first_version_are_read(name: str, type_: type[Report]) -> None:
    raw = (OLD / f"{name}-1.json").read_bytes()
    report = decode(raw)
    assert isinstance(report, type_)
    assert report.schema == f"modelreach.{name}/2"
    said, found = msgspec.json.decode(raw), msgspec.json.decode(msgspec.json.encode(report))
    numbers = [found["figures"]] if "figures" in found else [found["summary"][s] for s in _SIDES]
    assert [(one.pop("unseen"), one.pop("unseen_sensitive")) for one in numbers] == [
        (0, 0) for _ in numbers
    ]
    assert {key: value for key, value in said.items() if key != "schema"} == {
        key: value for key, value in found.items() if key not in ("schema", "matrix", "no_better")
    }
    again = encode(report)
    assert decode(again) == report
    assert len(again) < 0.65 * len(raw)


def audit() -> AuditRow:
    """An audit of which nothing matters but when its snapshot was taken."""
    blank: dict[type, Any] = {str: "", int: 0}
    fields: dict[str, Any] = {
        field.name: blank.get(field.type, ()) for field in msgspec.structs.fields(AuditRow)
    }
    fields["taken_at"] = "2026-11-01T00:00:00Z"
    return AuditRow(**fields)


def test_what_a_state_kept_in_the_first_version_is_read() -> None:
    row = audit()
    radius = bodies.radius((OLD / "radius-1.json").read_bytes(), row)
    assert radius.grants[0].witness[-1].statement
    assert radius.release.taken_at == row.taken_at
    drift = bodies.difference((OLD / "diff-1.json").read_bytes(), row, row)
    assert drift.changes[0].witness
    assert bodies.radius(bodies.packed(radius), row) == radius
