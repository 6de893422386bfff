"""Facts that nobody here knows: said to be unknown, or refused, by whatever reads them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
AGENT = "arn:aws:iam::123456789012:role/support-agent"
OCI = "ocid1.user.oc1..aaaa"


@pytest.fixture
def estate(place: Path) -> str:
    """The demo's estate, and beside it facts that a stranger's connector would have written."""
    found = json.loads((place / "estate.snap.json").read_bytes())
    account = found["principals"][0]["scope"]
    found["scopes"].append({"id": "ocid1.tenancy", "provider": "oci", "kind": "tenancy"})
    found["principals"].append(
        {"id": OCI, "provider": "oci", "kind": "user", "scope": "ocid1.tenancy", "name": "eve"}
    )
    found["resources"].append(
        {
            "id": f"arn:aws:quantum:eu-west-1:{account}:thing/x",
            "provider": "aws",
            "kind": "quantum:thing",
            "scope": account,
        }
    )
    (place / "strange.snap").write_text(json.dumps(found))
    return "strange.snap"


def _gaps(done: Any) -> list[tuple[str, str, str]]:
    rows = json.loads(done.out)["gaps"]
    return [(r["provider"], r["kind"], r["reason"]) for r in rows if r["reason"] == "unsupported"]


@pytest.mark.parametrize("stored", [False, True])
def test_a_report_has_a_gap_for_what_nobody_knows(call: Call, estate: str, stored: bool) -> None:
    if stored:
        assert call("convert", estate, "-o", "strange.mrdb").code == 0
        estate = "strange.mrdb"
    expected = [("aws", "quantum:thing", "unsupported"), ("oci", "provider", "unsupported")]
    done = call("scan", "v1.yaml", "--snapshot", estate, "--format", "json")
    assert _gaps(done) == expected
    done = call("diff", "v1.yaml", "v2.yaml", "--snapshot", estate, "--format", "json")
    assert _gaps(done) == expected
    told = " ".join(call("scan", "v1.yaml", "--snapshot", estate).out.split())
    assert "oci: provider unsupported; unknown: everything of it" in told


def test_nothing_is_said_of_what_is_known(call: Call) -> None:
    done = call("scan", "v1.yaml", "--snapshot", "estate.snap.json", "--format", "json")
    assert _gaps(done) == []


@pytest.mark.parametrize(
    "words",
    [
        ("can", "AGENT", "s3:GetObject", "arn:aws:s3:::acme-support-kb/x"),
        ("survey", "v1.yaml", "-o", "x.jsonl"),
        ("discover", "--list"),
        ("chokepoints", "v1.yaml"),
    ],
)
def test_commands_without_gaps_say_so_beside(
    call: Call, estate: str, place: Path, words: tuple[str, ...]
) -> None:
    found = json.loads((place / estate).read_bytes())
    agent = next(p["id"] for p in found["principals"] if p["kind"] == "role")
    said = (agent if word == "AGENT" else word for word in words)
    done = call(*said, "--snapshot", estate)
    assert "nothing here decides for `oci`" in done.err
    assert "nothing here decides about resources of kind `quantum:thing`" in done.err


@pytest.mark.parametrize("name", [OCI, "eve"])
def test_who_is_of_an_unknown_provider_is_not_said_to_be_absent(
    call: Call, estate: str, name: str
) -> None:
    done = call("can", name, "oci:read", "thing", "--snapshot", estate)
    assert done.code == 2
    assert f"`{OCI}` is of `oci`, for which nothing here decides" in done.err


def test_who_has_no_listed_scope_is_decided_all_the_same(call: Call, place: Path) -> None:
    found = json.loads((place / "estate.snap.json").read_bytes())
    agent = next(p["id"] for p in found["principals"] if p["kind"] == "role")
    found["scopes"] = []
    (place / "bare.snap").write_text(json.dumps(found))
    words = (agent, "s3:GetObject", "arn:aws:s3:::acme-support-kb/x")
    with_them = call("can", *words, "--snapshot", "estate.snap.json")
    without = call("can", *words, "--snapshot", "bare.snap")
    assert (with_them.code, without.code) == (0, 0)
    assert without.out.splitlines()[:3] == with_them.out.splitlines()[:3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "modelreach.snapshot/2"}, "it is of the version `modelreach.snapshot/2`"),
        ({"powers": []}, "unknown field `powers`"),
    ],
)
def test_another_form_is_refused(
    call: Call, place: Path, change: dict[str, Any], said: str
) -> None:
    found = json.loads((place / "estate.snap.json").read_bytes()) | change
    (place / "other.snap").write_text(json.dumps(found))
    done = call("scan", "v1.yaml", "--snapshot", "other.snap")
    assert done.code == 2
    assert said in done.err


def test_a_store_with_a_section_that_is_not_known_is_refused(call: Call, place: Path) -> None:
    assert call("convert", "estate.snap.json", "-o", "x.mrdb").code == 0
    with sqlite3.connect(place / "x.mrdb") as db:
        db.execute(
            "INSERT INTO manifest SELECT snapshot, part, 'powers', digest, facts FROM manifest"
            " WHERE section = 'scopes'"
        )
    db.close()
    done = call("scan", "v1.yaml", "--snapshot", "x.mrdb")
    assert done.code == 2
    assert "a section `powers`, which is not known" in done.err
