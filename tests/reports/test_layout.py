"""Both ways to lay out a picture draw it; what is missing is named, and nothing crashes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from modelreach.model import MissingExtra, ModelreachError
from modelreach.report import DiffReport, Report
from modelreach_reports import graph, html, plain_layout
from modelreach_reports.layout import Form, MissingLibraries, draw, engine_for

CONFTEST = Path(__file__).parent / "conftest.py"
SMALL = 'digraph { rankdir=LR a [label="from"] a -> b [label="x"] }'


def words(svg: str) -> Counter[str]:
    return Counter(" ".join(text.split()) for text in ElementTree.fromstring(svg).itertext())


def shapes(svg: str) -> Counter[tuple[str, str]]:
    tree = ElementTree.fromstring(svg)
    return Counter((element.tag, element.get("class", "")) for element in tree.iter())


@pytest.mark.parametrize("side", ["diff", "radius"])
def test_both_ways_draw_the_same_picture(
    side: str, diff_report: Report, radius_report: Report
) -> None:
    report = diff_report if side == "diff" else radius_report
    plain = graph.drawing(report, plain_layout.load())
    other = graph.drawing(report, engine_for(Form.SVG))
    assert words(plain) == words(other)
    assert shapes(plain) == shapes(other)
    assert "lake-reader" in words(plain)


def test_the_plain_way_draws_the_same_bytes_each_time(diff_report: DiffReport) -> None:
    drawn = {graph.drawing(diff_report, plain_layout.load()) for _ in range(3)}
    assert len(drawn) == 1


def test_the_plain_way_gives_its_memory_back() -> None:
    engine = plain_layout.load()
    source = f'digraph {{ a [label="{"x" * 200_000}"] }}'.encode()

    def drawn(times: int) -> int:
        for _ in range(times):
            assert len(engine(source, "svg")) > 200_000
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    before = drawn(5)
    assert drawn(20) - before < 20 * 200_000 / 3


@pytest.mark.parametrize("form", ["png", "nonsense"])
def test_a_form_that_the_plain_way_lacks_is_an_error(form: str) -> None:
    with pytest.raises(ModelreachError, match=f"cannot draw `{form}`"):
        plain_layout.load()(SMALL.encode(), form)


def test_a_text_that_is_not_dot_is_an_error() -> None:
    with pytest.raises(ModelreachError, match="cannot read the picture's DOT"):
        draw("digraph {", Form.SVG, plain_layout.load())


WITHOUT_LIBRARIES = """
import importlib.util, sys

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name == "pygraphviz._graphviz":
            raise ImportError("libX11.so.6: cannot open shared object file")

sys.meta_path.insert(0, Lacking())
spec = importlib.util.spec_from_file_location("reports_as_given", sys.argv[1])
given = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = given
spec.loader.exec_module(given)
from modelreach.model import ModelreachError
from modelreach_reports import graph
sys.stdout.write(graph.drawing(given.build_diff()))
try:
    graph.render_png(given.build_diff())
except ModelreachError as error:
    print(error.message, error.hint, sep="\\n", file=sys.stderr)
"""
NO_FONTS = '<?xml version="1.0"?><fontconfig><dir>/nonexistent</dir></fontconfig>'


def test_a_machine_without_libraries_and_fonts_gets_svg_and_no_png(
    diff_report: DiffReport, tmp_path: Path
) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text(NO_FONTS)
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES, str(CONFTEST)],
        env={**os.environ, "FONTCONFIG_FILE": str(config), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert run.stdout == graph.drawing(diff_report, plain_layout.load())
    message, hint = run.stderr.splitlines()
    assert message.startswith("format `png` needs libraries that this machine lacks: libX11.so.6")
    assert "apt-get install" in hint
    assert "libx11-6" in hint
    assert hint.endswith("write .svg instead")


Break = Callable[[Path], object]


def nothing(folder: Path) -> None:
    """A wheel that carries its libraries elsewhere, or none at all."""


def garbage(folder: Path) -> None:
    for name, abi in plain_layout._LIBRARIES.items():
        (folder / f"{name}-0badcafe.so.{abi}.0.0").write_bytes(b"not a library")


def newer(folder: Path) -> None:
    for path in real().glob("*.so*"):
        shutil.copy(path, folder / path.name.replace(".so.7", ".so.107"))


def doubled(folder: Path) -> None:
    for path in real().glob("*.so*"):
        shutil.copy(path, folder)
        shutil.copy(path, folder / path.name.replace("-", "-0"))


def foreign(folder: Path) -> None:
    """Libraries of the right names without the functions."""
    (whole,) = real().glob("libcdt-*")
    shutil.copy(whole, folder)
    for name, abi in plain_layout._LIBRARIES.items():
        shutil.copy(whole, folder / f"{name}-0badcafe.so.{abi}.0.0")


def real() -> Path:
    spec = importlib.util.find_spec("pygraphviz")
    assert spec
    assert spec.origin
    return Path(spec.origin).parents[1] / "pygraphviz.libs"


BROKEN = [nothing, garbage, newer, doubled, foreign]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_wheel_of_another_make_is_named_and_not_called(
    broken: Break, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, diff_report: DiffReport
) -> None:
    (tmp_path / "pygraphviz").mkdir()
    text = 'raise ImportError("libgobject-2.0.so.0: cannot open shared object file")\n'
    (tmp_path / "pygraphviz" / "__init__.py").write_text(text)
    (tmp_path / "pygraphviz.libs").mkdir()
    broken(tmp_path / "pygraphviz.libs")
    monkeypatch.delitem(sys.modules, "pygraphviz", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingLibraries, match=r"lacks: libgobject-2\.0\.so\.0: .*; ") as raised:
        graph.render_svg(diff_report)
    assert "libglib2.0-0" in raised.value.hint
    page = html.render(diff_report).decode()
    assert "<svg" not in page
    assert "libgobject-2.0.so.0" in page


def test_missing_libraries_are_a_kind_of_missing_extra() -> None:
    assert issubclass(MissingLibraries, MissingExtra)
