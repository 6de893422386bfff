"""What was read once and is not read now has not become less: no number says that it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]
AGENTS = "123456789012"
BLIND = ("--old-snapshot", "estate.snap.json", "--new-snapshot", "blind.json")
SEEN = ("--old-snapshot", "blind.json", "--new-snapshot", "estate.snap.json")


@pytest.fixture
def blind(place: Path) -> None:
    """The same estate, of which the buckets of one account could not be listed."""
    found = json.loads((place / "estate.snap.json").read_bytes())
    gone = {
        one["id"]
        for one in found["resources"]
        if one["kind"] == "s3:bucket" and one["scope"] == AGENTS
    }
    found["resources"] = [one for one in found["resources"] if one["id"] not in gone]
    found["attachments"] = [one for one in found["attachments"] if one["target"] not in gone]
    for row in found["coverage"]:
        if (row["kind"], row["scope"]) == ("s3:bucket", AGENTS):
            row["complete"] = False
    found["gaps"].append(
        {
            "provider": "aws",
            "scope": AGENTS,
            "kind": "s3:bucket",
            "operation": "s3:ListAllMyBuckets",
            "permission": "s3:ListAllMyBuckets",
            "reason": "denied",
            "message": "denied",
        }
    )
    (place / "blind.json").write_text(json.dumps(found))


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize(("estates", "sides"), [(BLIND, (0, 2)), (SEEN, (2, 0))])
def test_what_one_side_cannot_tell_is_counted_apart(
    call: Call, estates: tuple[str, ...], sides: tuple[int, int]
) -> None:
    done = call("diff", "v1.yaml", "v1.yaml", *estates, "--format", "json")
    summary = json.loads(done.out)["summary"]
    assert (summary["old"]["unseen"], summary["new"]["unseen"]) == sides
    assert {summary["old"]["resources"], summary["new"]["resources"]} == {1, 3}
    told = call("diff", "v1.yaml", "v1.yaml", *estates).out
    (line,) = [line for line in told.splitlines() if line.startswith("  resources ")]
    assert line.endswith("   ?2")


@pytest.mark.usefixtures("blind")
def test_the_matrix_says_of_what_it_cannot_tell(call: Call) -> None:
    done = call("diff", "v1.yaml", "v1.yaml", *BLIND, "--format", "json")
    cells = json.loads(done.out)["summary"]["matrix"]
    storage = [cell for cell in cells if cell["resource_class"] == "storage"]
    assert storage
    assert all(cell["old"] == cell["new"] + cell["unknown"] for cell in storage)


@pytest.mark.usefixtures("blind")
def test_other_forms_say_it_as_well(call: Call, place: Path) -> None:
    files = [word for name in ("x.md", "x.html") for word in ("-o", name)]
    call("diff", "v2.yaml", "v2.yaml", *BLIND, *files)
    comment = (place / "x.md").read_text()
    assert "| resources | 9 | 6 | ? 3 |" in comment
    assert "| of them sensitive | 5 | 4 | ? 1 |" in comment
    page = (place / "x.html").read_text()
    assert '<small class="unsure">? 3</small>' in page
    assert "▼" not in page
    assert '<a href="#unread">Not read</a>: 2 things, which count as unknown' in page
    assert "read, was allowed, now unknown" in page
    ticket = call("ticket", "v2.yaml", "v2.yaml", *BLIND).out
    assert "| resources | 9 | 6, and 3 of which it cannot be told |" in ticket


def test_what_is_told_has_nothing_beside_it(call: Call) -> None:
    both = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json")
    told = call("diff", *both).out
    assert "?" not in told.partition("Reach ")[2].partition("What changed")[0]


@pytest.mark.usefixtures("blind")
def test_what_was_not_read_is_not_said_to_be_undeclared(call: Call) -> None:
    told = call("diff", "v1.yaml", "v1.yaml", *BLIND).out
    assert "  data exposure       unknown  not read: part of the reach (2 gaps" in told
