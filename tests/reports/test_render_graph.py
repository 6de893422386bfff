"""The picture: everything in it that should be, no `dot` program, the same bytes each time."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from modelreach.model import MissingExtra
from modelreach.report import DiffReport, RadiusReport, Report, ScopeRow
from modelreach_reports import graph
from modelreach_reports.layout import MissingLibraries
from modelreach_reports.picture import LIMIT, Fate, compose

Read = Callable[[bytes], dict[str, Any]]

CONFTEST = Path(__file__).parent / "conftest.py"


def fates(report: Report) -> dict[str, Fate]:
    return {node.label: node.fate for node in compose(report).nodes}


def test_every_fate_is_told_apart(diff_report: DiffReport) -> None:
    told = fates(diff_report)
    assert told["support-agent"] is Fate.SAME
    assert told["support-agent-runtime"] is Fate.SAME
    assert told["lake-reader"] is Fate.NEW
    assert told["prod/payments/stripe-live"] is Fate.NEW
    assert told["acme-tickets"] is Fate.CHANGED
    assert told["orders-archive"] is Fate.GONE
    assert told["parameter/prod/feature-flags"] is Fate.UNKNOWN


def test_fate_shows_as_colour_line_and_sign(diff_report: DiffReport, read_dot: Read) -> None:
    seen = {
        (node["class"], node["color"], "dashed" in node["style"], "dotted" in node["style"])
        for node in read_dot(graph.render_dot(diff_report))["nodes"].values()
    }
    assert len({(color, dashed, dotted) for _, color, dashed, dotted in seen}) == len(Fate)
    source = graph.render_dot(diff_report).decode()
    assert all(f"{sign} {word}" in source for sign, word in zip("+−~?", WORDS, strict=True))


WORDS = ("new", "removed", "changed", "unknown")


def test_one_cluster_an_account(diff_report: DiffReport, read_dot: Read) -> None:
    dot = read_dot(graph.render_dot(diff_report))
    labels = [cluster["label"] for cluster in dot["clusters"]]
    assert len(labels) == 2
    assert "aws data-lake 444455556666" in labels[1]
    outside = set(dot["nodes"]) - {
        node for cluster in dot["clusters"] for node in cluster["nodes"]
    }
    assert len(outside) == 2, "the deployment and its tool are in no account"


def test_parts_of_a_cluster_lie_within_it(diff_report: DiffReport, read_dot: Read) -> None:
    """Namespaces lie in their cluster, as resource groups do in their subscription."""
    pod = msgspec.structs.replace(
        diff_report.changes[3],
        resource="k8s/main/secrets/pay/token",
        resource_kind="kubernetes:secrets",
        resource_name="token",
        scope="k8s/main/pay",
    )
    scopes = (
        ScopeRow(id="k8s/main", provider="kubernetes", kind="cluster", name="main"),
        ScopeRow(id="k8s/main/pay", provider="kubernetes", kind="namespace", name="pay"),
    )
    report = msgspec.structs.replace(
        diff_report,
        changes=(*diff_report.changes, pod),
        scopes=(*diff_report.scopes, *scopes),
    )
    clusters = read_dot(graph.render_dot(report))["clusters"]
    found = {cluster["label"]: cluster for cluster in clusters}
    outer = next(one for label, one in found.items() if "kubernetes main" in label)
    inner = next(one for label, one in found.items() if "kubernetes pay" in label)
    assert inner["_gvid"] in outer["subgraphs"]
    assert set(inner["nodes"]) <= set(outer["nodes"])


def test_hops_carry_their_actions_and_conditions(diff_report: DiffReport) -> None:
    edges = {edge.label: edge for edge in compose(diff_report).edges}
    assert "sts:AssumeRole" in edges
    assert edges["s3:GetObject"].doubt == "conditional"
    assert "iam:PassRole and lambda:CreateFunction" in edges


def test_svg_needs_no_dot_program(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    tree = ElementTree.fromstring(graph.render_svg(diff_report))
    words = " ".join(tree.itertext())
    assert "lake-reader" in words
    assert "arn:aws:iam::444455556666:role/lake-reader" in words


def test_png_is_drawn_or_says_what_it_needs(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch, draws_pixels: bool
) -> None:
    monkeypatch.setenv("PATH", "")
    if not draws_pixels:
        with pytest.raises(MissingLibraries) as raised:
            graph.render_png(diff_report)
        assert "apt-get install" in raised.value.hint
        return
    png = graph.render_png(diff_report)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert 500 < width < 4000
    assert 300 < height < 4000


def test_nothing_volatile_is_left(diff_report: DiffReport) -> None:
    raw = graph.render_svg(diff_report)
    assert b"<!--" not in raw
    assert b"DOCTYPE" not in raw
    assert b"graphviz version" not in raw


def large(report: DiffReport, count: int) -> DiffReport:
    template = report.changes[5]
    rows = tuple(
        msgspec.structs.replace(
            template,
            resource=f"{template.resource}-{number}",
            resource_name=f"thing-{number}",
            identity=f"arn:aws:iam::444455556666:role/r{number}",
            witness=(
                *template.witness[:-1],
                msgspec.structs.replace(
                    template.witness[-1],
                    subject=f"arn:aws:iam::444455556666:role/r{number}",
                ),
            ),
        )
        for number in range(count)
    )
    return msgspec.structs.replace(report, changes=report.changes + rows)


def test_a_large_picture_is_cut_and_says_so(diff_report: DiffReport) -> None:
    report = large(diff_report, 400)
    picture = compose(report)
    assert len(picture.nodes) <= LIMIT
    assert "prod/payments/stripe-live" in {node.label for node in picture.nodes}
    assert picture.left_out > 300
    assert f"{picture.left_out} of less weight left out" in graph.render_dot(report).decode()


def test_more_of_a_kind_and_their_findings_stand_on_a_line_of_their_own(
    wide_report: Callable[[int], DiffReport],
) -> None:
    dot = graph.render_dot(wide_report(2000)).decode()
    assert "s3 bucket · + new<" in dot
    assert re.search(r">and \d+ more · F\d+ F\d+ \+\d+<", dot)
    assert re.search(r"1,\d{3} of less weight left out; the page and the JSON have them", dot)


def test_a_picture_by_itself_fits_its_window(diff_report: DiffReport) -> None:
    svg = graph.render_svg(diff_report)
    assert b'<svg style="max-width:100%;height:auto" width="' in svg
    assert b"style=" not in graph.drawing(diff_report).encode()


def test_without_changes_the_findings_are_drawn(diff_report: DiffReport) -> None:
    judged = msgspec.structs.replace(
        diff_report,
        changes=(),
        admin_of_new=(),
        findings=tuple(
            msgspec.structs.replace(row, state="unchanged") for row in diff_report.findings
        ),
    )
    told = fates(judged)
    assert told["prod/payments/stripe-live-a1B2c3"] is Fate.SAME


def test_a_radius_has_a_picture_too(radius_report: RadiusReport) -> None:
    assert Fate.NEW not in fates(radius_report).values()
    assert len(compose(radius_report).nodes) > 10


@pytest.mark.parametrize("absent", ["pygraphviz", "graphviz"])
def test_a_missing_package_names_the_extra(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtra) as raised:
        graph.render_svg(diff_report)
    assert raised.value.hint == "pip install 'modelreach[graph]'"


PROGRAM = """
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("reports_as_given", sys.argv[1])
given = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = given
spec.loader.exec_module(given)
from modelreach import plugins
from modelreach_reports.layout import MissingLibraries
for name in plugins.names(plugins.RENDERERS):
    render = plugins.renderer(name)
    for report in (given.build_diff(), given.build_radius()):
        try:
            made = render(report)
            parts = [made] if isinstance(made, bytes) else [c for _, c in sorted(made.items())]
            print(name, hashlib.sha256(b"".join(parts)).hexdigest())
        except MissingLibraries as error:
            print(name, error)
"""


def test_all_forms_give_the_same_bytes_in_every_run(draws_pixels: bool) -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(CONFTEST)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.count("\n") == 2 * len(entry_points(group="modelreach.renderers"))
    assert runs[0].stdout.count("libraries") == (0 if draws_pixels else 2)
    assert runs[0].stderr == ""


NO_FONTS = '<?xml version="1.0"?><fontconfig><dir>/nonexistent</dir></fontconfig>'
PICTURES = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("reports_as_given", sys.argv[1])
given = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = given
spec.loader.exec_module(given)
from modelreach.model import ModelreachError
from modelreach_reports import graph
from modelreach_reports.layout import MissingLibraries
print(b"lake-reader" in graph.render_svg(given.build_diff()).replace(b"&#45;", b"-"))
try:
    graph.render_png(given.build_diff())
except ModelreachError as error:
    print(error.message, error.hint, sep="\\n")
"""


def test_a_machine_without_fonts_gets_no_picture_of_empty_boxes(
    tmp_path: Path, draws_pixels: bool
) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text(NO_FONTS)
    run = subprocess.run(
        [sys.executable, "-c", PICTURES, str(CONFTEST)],
        env={**os.environ, "FONTCONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
        check=True,
    )
    svg, message, hint = run.stdout.splitlines()
    assert svg == "True"
    lacks = "draws text, and this machine has no font" if draws_pixels else "needs libraries"
    assert message.startswith(f"format `png` {lacks}")
    assert "write .svg instead" in hint
    assert run.stderr == ""


def test_what_shares_a_box_is_in_one_account(diff_report: DiffReport) -> None:
    """A box stands in the box of its account, and what it stands for is there with it."""
    (row, *_) = [change for change in diff_report.changes if change.findings]
    accounts = ("111122223333", "444455556666")
    changes = tuple(
        msgspec.structs.replace(
            row,
            resource=f"arn:aws:secretsmanager:eu-west-1:{account}:secret:s{number}",
            resource_name=f"s{number}",
            scope=account,
            findings=(),
        )
        for account in accounts
        for number in range(6)
    )
    nodes = compose(msgspec.structs.replace(diff_report, changes=changes, findings=())).nodes
    told = Counter[str]()
    for node in nodes:
        if ":secret:" in node.key:
            told[node.scope] += 1 + node.also
    assert told == dict.fromkeys(accounts, 6)
