"""The committed samples are what the program writes today; `./run samples` renews them."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import pytest

from modelreach import plugins

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "reports" / "samples"
#: Forms that are no text.
BINARY = {"graph-pdf", "parquet", "pdf", "png", "xlsx"}
_SVG = re.compile(rb"<svg\b.*?</svg>", re.DOTALL)


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("samples_renew", SAMPLES / "renew.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


renew = _loaded()


def kept(scenario: str) -> dict[str, bytes]:
    folder = SAMPLES / scenario
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def drawn(raw: bytes) -> Counter[tuple[str, ...]]:
    """What a picture shows, without where: Graphviz places things otherwise in every version."""
    found: Counter[tuple[str, ...]] = Counter()
    for picture in _SVG.findall(raw):
        for element in ElementTree.fromstring(picture).iter():
            found[element.tag, element.get("class", ""), (element.text or "").strip()] += 1
    return found


#: Written by networkx, every version of which has an order of its own.
GRAPHS: dict[str, Callable[..., Any]] = {
    "graph.gexf": nx.read_gexf,
    "graph.graphml": nx.read_graphml,
}


def graph(name: str, raw: bytes) -> tuple[list[object], list[object]]:
    """Nodes and edges with all that is said of them."""
    found = GRAPHS[name](BytesIO(raw))
    edges = [
        (a, b, sorted(item for item in said.items() if item[0] not in ("id", "networkx_key")))
        for a, b, said in found.edges(data=True)
    ]
    nodes = [(node, sorted(said.items())) for node, said in found.nodes(data=True)]
    return sorted(nodes, key=repr), sorted(edges, key=repr)


@pytest.mark.parametrize("scenario", renew.SCENARIOS, ids=lambda scenario: str(scenario.name))
def test_samples_are_up_to_date(scenario: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    made, have = renew.made(scenario), kept(scenario.name)  # type: ignore[attr-defined]
    assert set(made) == set(have), "./run samples"
    for name, content in made.items():
        if name in GRAPHS:
            assert graph(name, content) == graph(name, have[name]), f"{name}: ./run samples"
            continue
        assert _SVG.sub(b"", content) == _SVG.sub(b"", have[name]), f"{name}: ./run samples"
        assert drawn(content) == drawn(have[name]), f"{name}: ./run samples"


def test_every_form_of_text_has_a_sample() -> None:
    assert set(renew.FORMS) == set(plugins.names(plugins.RENDERERS)) - BINARY


def test_every_folder_is_of_a_scenario_and_all_is_small() -> None:
    folders = {path.name for path in SAMPLES.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == {scenario.name for scenario in renew.SCENARIOS}
    files = (path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert sum(path.stat().st_size for path in files) < 3_000_000
