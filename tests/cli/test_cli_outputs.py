"""Any number of files in one run, the format told by the name, from manifests or a saved one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from modelreach import plugins
from modelreach.cli.rendering import format_of
from modelreach.model import InputError

BOTH = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json")
#: Every ending that users are told of; pictures are drawn elsewhere, as they take their time.
NAMES = (
    *("r.html", "r.md", "r.json", "r.csv", "r.parquet", "r.xlsx", "r.sarif", "r.ocsf.json"),
    *("r.opengraph.json", "r.graphml", "r.gexf", "r.dot", "r.xml", "r.prom", "r.cdx.json"),
    *("r.opengraph-extension.json", "graph/"),
)
FOLDER = {"nodes.csv", "relationships.csv", "load.cypher", "README.txt"}


def written(place: Path) -> dict[str, bytes]:
    found = [one for one in place.rglob("*") if one.is_file()]
    return {str(one.relative_to(place)): one.read_bytes() for one in found}


def outputs(folder: str) -> list[str]:
    return [part for name in NAMES for part in ("-o", f"{folder}/{name}")]


def test_one_run_writes_every_form_and_a_second_the_same_bytes(call: Any, place: Path) -> None:
    for folder in ("first", "second", "saved"):
        (place / folder).mkdir()
    for folder in ("first", "second"):
        assert call("report", *BOTH, *outputs(folder)).code == 0
    first = written(place / "first")
    assert first == written(place / "second")
    assert set(first) == {n for n in NAMES if n[-1] != "/"} | {f"graph/{n}" for n in FOLDER}
    assert all(first.values())
    again = call("report", "first/r.json", *outputs("saved"))
    assert (again.code, written(place / "saved")) == (0, first)


def test_a_radius_has_the_same_forms(call: Any, place: Path) -> None:
    for folder in ("scanned", "saved"):
        (place / folder).mkdir()
    done = call("scan", "v2.yaml", *BOTH[2:], "--fail-on", "never", *outputs("scanned"))
    assert done.code == 0, done.err
    assert call("report", "scanned/r.json", *outputs("saved")).code == 0
    assert written(place / "saved") == written(place / "scanned")


def test_the_format_can_be_named(call: Any, place: Path) -> None:
    done = call("report", *BOTH, "-o", "neo4j:out", "-o", "cyclonedx:bill", "-o", "junit:a.txt")
    assert done.code == 0
    assert {one.name for one in (place / "out").iterdir()} == FOLDER
    assert (place / "bill").read_text().startswith("{")
    assert (place / "a.txt").read_text().startswith("<?xml")


@pytest.mark.parametrize("name", plugins.names(plugins.RENDERERS))
def test_every_format_has_an_ending_that_its_renderer_knows(name: str) -> None:
    for suffix in plugins.renderer(name).suffixes:
        assert format_of(f"some.folder/name{suffix}") == (name, f"some.folder/name{suffix}")


def test_what_is_no_format_says_which_there_are() -> None:
    with pytest.raises(InputError) as caught:
        format_of("some.json/name.what")
    assert ".cdx.json" in caught.value.hint


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", *BOTH, "-o", "neo4j:-"),
        ("diff", *BOTH, "--format", "neo4j"),
        ("decide", *BOTH, "--format", "neo4j"),
    ],
)
def test_a_folder_does_not_go_to_standard_output(call: Any, arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "folder" in done.err


def test_a_failing_run_leaves_no_folder(call: Any, place: Path) -> None:
    before = written(place)
    assert call("report", *BOTH, "-o", "made/", "-o", "nowhere/b.json").code == 2
    assert not (place / "made").exists()
    assert call("report", *BOTH, "-o", "nowhere/deep/").code == 2
    assert written(place) == before


def test_a_folder_that_is_there_keeps_what_else_is_in_it(call: Any, place: Path) -> None:
    (place / "graph").mkdir()
    (place / "graph" / "mine.txt").write_text("mine")
    assert call("report", *BOTH, "-o", "graph/").code == 0
    assert {one.name for one in (place / "graph").iterdir()} == FOLDER | {"mine.txt"}


def test_every_format_is_in_the_reference() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in row.split("|")[1].replace("`", "").split(", ")}
    assert set(plugins.names(plugins.RENDERERS)) <= {name.strip() for name in told}


def test_a_file_whose_name_is_no_text(call: Any, place: Path) -> None:
    """Names of files are bytes; what is written of them is text."""
    odd = os.fsdecode(b"v2-\xff.yaml")
    (place / "v2.yaml").rename(place / odd)
    (place / "estate.snap.json").rename(place / (snapshot := os.fsdecode(b"\xfe.snap")))
    files = [argument for name in ("r.json", "r.html", "r.csv") for argument in ("-o", name)]
    done = call("diff", "v1.yaml", odd, "--snapshot", snapshot, *files)
    assert done.code == 1, done.err
    found = json.loads((place / "r.json").read_text(encoding="utf-8"))
    assert found["new"]["manifest"] == "v2-\ufffd.yaml"


@pytest.mark.parametrize("asked", [("scan", *BOTH[1:]), ("diff", *BOTH)])
def test_the_command_that_comes_next_is_about_the_finding_that_is_shown_first(
    call: Any, asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many findings that is the one about a whole scope, whatever its number."""
    monkeypatch.setattr("modelreach.report.MANY_FINDINGS", 1)
    shown = call(*asked).out
    first = shown.partition("\nFindings ")[2].splitlines()[1].split()[1]
    assert first == "F05"
    assert f"next:  modelreach explain {first} " in shown
