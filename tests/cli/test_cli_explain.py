"""What `explain` can be asked about, with one manifest and with two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]

ESTATE = ("--snapshot", "estate.snap.json")
KNOWLEDGE = "arn:aws:s3:::acme-support-kb"


@pytest.mark.parametrize("manifests", [("v1.yaml",), ("v1.yaml", "v1.yaml")])
@pytest.mark.parametrize("subject", [KNOWLEDGE, "acme-support-kb"])
def test_what_did_not_change_is_explained_as_reached(
    call: Call, subject: str, manifests: tuple[str, ...]
) -> None:
    done = call("explain", subject, *manifests, *ESTATE)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("reached: list (s3:ListBucket)\n")
    assert "statement ReadKnowledge" in done.out


def test_what_changed_is_explained_by_the_change(call: Call) -> None:
    done = call("explain", KNOWLEDGE, "v1.yaml", "v2.yaml", *ESTATE)
    assert done.out.startswith("widened: read (s3:GetObjectVersion)\n")


def test_ids_are_those_that_scan_gives(call: Call) -> None:
    scanned = call("scan", "v2.yaml", *ESTATE).out
    explained = call("explain", "F05", "v2.yaml", *ESTATE).out
    assert "F05 MR102  tool-runner can take over account acme-sandbox 345678901234" in scanned
    assert "tool-runner can take over account acme-sandbox 345678901234" in explained
    assert "rule MR102: route to administration\n" in explained
    compared = call("explain", "F05", "v1.yaml", "v2.yaml", *ESTATE).out
    assert "rule MR102: route to administration; new\n" in compared


@pytest.mark.parametrize("which", ["--old-snapshot", "--new-snapshot"])
def test_one_release_takes_its_estate_by_any_of_the_options(call: Call, which: str) -> None:
    assert call("explain", "F01", "v2.yaml", which, "estate.snap.json").code == 0


def test_an_identity_is_explained_by_how_it_is_become(call: Call) -> None:
    done = call("explain", "tool-runner", "v2.yaml", *ESTATE)
    assert done.out.startswith("identity: allow, ")
    assert "pass a role to a new function and have it run" in done.out


def test_an_account_is_explained_by_its_name(call: Call) -> None:
    named = call("explain", "acme-sandbox", "v2.yaml", *ESTATE)
    assert named.out == call("explain", "345678901234", "v2.yaml", *ESTATE).out
    assert named.out.startswith("F05  CRITICAL  tool-runner can take over account acme-sandbox")


def test_a_tool_is_explained_by_what_is_reached_by_it(call: Call) -> None:
    done = call("explain", "build_tool", "v2.yaml", *ESTATE)
    first, *_ = [line for line in done.out.splitlines() if line.startswith("reached: ")]
    assert first == "reached: read acme-support-transcripts (s3:GetObject), conditional"
    assert done.out.endswith("more; --all shows them\n")
    whole = call("explain", "build_tool", "v2.yaml", *ESTATE, "--all").out
    assert "support-agent-runtime-v2" in whole and " more; --all" not in whole


def test_a_tool_that_shares_its_identity_is_explained_too(call: Call) -> None:
    done = call("explain", "pay_refund", "v2.yaml", *ESTATE)
    head = "pay_refund reaches this as build_tool does, which is likelier to\n\nreached: read "
    assert done.out.startswith(head), done.err


def test_a_witness_is_not_told_twice(call: Call) -> None:
    done = call("explain", "arn:aws:s3:::acme-customer-records", "v2.yaml", *ESTATE)
    assert done.out.count("may s3:GetObject\n") == 1
    assert done.out.count("may s3:ListBucket\n") == 1


def test_what_is_not_here_says_what_is(call: Call) -> None:
    done = call("explain", "nothing", "v1.yaml", *ESTATE)
    assert done.code == 2
    assert "`nothing` is no finding, and nothing that is reached here" in done.err
    assert "findings here: F01;" in done.err


def test_a_witness_is_drawn_by_itself(call: Call, place: Path) -> None:
    drawn = [f"f05.{ending}" for ending in ("svg", "dot", "pdf")]
    outputs = [part for name in drawn for part in ("-o", name)]
    done = call("explain", "F05", "v1.yaml", "v2.yaml", *ESTATE, *outputs)
    assert (done.code, done.err) == (0, "")
    svg, dot, pdf = ((place / name).read_bytes() for name in drawn)
    assert b"tool-runner" in svg.replace(b"&#45;", b"-")
    assert b"can be taken over" in dot
    assert b"stripe-live" not in dot
    assert pdf.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("subject", "there"), [("F12", "support-agent-legacy"), ("tool-runner", "tool-builder")]
)
def test_a_picture_shows_what_did_not_change_and_how_somebody_is_become(
    call: Call, place: Path, subject: str, there: str
) -> None:
    assert call("explain", subject, "v1.yaml", "v2.yaml", *ESTATE, "-o", "one.dot").code == 0
    dot = (place / "one.dot").read_text()
    assert there in dot
    assert "stripe-live" not in dot


def test_what_draws_nothing_is_refused_before_anything_is_read(call: Call) -> None:
    done = call("explain", "F05", "--in", "absent.json", "-o", "f05.csv")
    assert done.code == 2
    assert "`f05.csv` is no picture" in done.err


def test_a_resource_is_explained_with_its_finding_and_what_to_revoke(call: Call) -> None:
    done = call("explain", "acme-customer-records", "v1.yaml", "v2.yaml", *ESTATE)
    assert done.out.startswith("F02  CRITICAL  etl-reader can read acme-customer-records")
    assert "Fix       take `s3:GetObject` on `acme-customer-records` out of statement" in done.out
    last = done.out.splitlines()[-1]
    assert last.startswith(
        "next:  modelreach chokepoints v2.yaml --snapshot estate.snap.json --to"
    )
    assert call(*last.split()[2:]).out.startswith("so that arn:aws:s3:::acme-customer-records can")


@pytest.mark.parametrize("subject", ["tool-runner", "acme-sandbox"])
def test_what_is_become_or_taken_over_is_explained_with_what_to_revoke(
    call: Call, subject: str
) -> None:
    *_, last = call("explain", subject, "v2.yaml", *ESTATE).out.splitlines()
    assert last.startswith("next:  modelreach chokepoints v2.yaml --snapshot")
    assert call(*last.split()[2:]).code == 0


def test_what_a_release_runs_as_is_not_to_be_revoked(call: Call) -> None:
    assert "next:" not in call("explain", "support-agent-legacy", "v2.yaml", *ESTATE).out


def test_what_is_lost_needs_no_revoking(call: Call) -> None:
    done = call("explain", "acme-support-exports", "v1.yaml", "v2.yaml", *ESTATE)
    assert done.out.startswith("lost: ")
    assert "next:" not in done.out


def test_what_a_principal_reaches_is_explained_without_a_manifest(call: Call) -> None:
    whose = ("--principal", "support-agent-runtime-v2", *ESTATE)
    assert call("scan", *whose).out.endswith(
        "next:  modelreach explain F01 --principal support-agent-runtime-v2 --snapshot"
        " estate.snap.json\n"
    )
    done = call("explain", "acme-customer-records", *whose)
    assert (done.code, done.err) == (0, "")
    assert " 1  support-agent-runtime-v2  role" in done.out
    assert call("explain", "F01", *whose[:2]).err.startswith("error: --snapshot: no snapshot is")
    assert call("explain", "F01", "v2.yaml", *whose).code == 2
