"""The picture of a report: DOT by `graphviz`, SVG and PNG by `modelreach_reports.layout`.

Nothing in the output depends on when it was made.
"""

from __future__ import annotations

import html
import re
from itertools import count
from typing import TYPE_CHECKING

from modelreach.model import MissingExtra
from modelreach.report import DiffReport, Report
from modelreach_reports import Format
from modelreach_reports.layout import Engine, Form, draw
from modelreach_reports.naming import Names
from modelreach_reports.picture import Edge, Fate, Node, Picture, compose, scopes_of
from modelreach_reports.safe import end, middle, visible

if TYPE_CHECKING:
    from graphviz import Digraph

_SIGN = {Fate.SAME: "", Fate.NEW: "+", Fate.GONE: "−", Fate.CHANGED: "~", Fate.UNKNOWN: "?"}
_WORD = {
    Fate.SAME: "",
    Fate.NEW: "new",
    Fate.GONE: "removed",
    Fate.CHANGED: "changed",
    Fate.UNKNOWN: "unknown",
}
#: Line, fill and text colours; all texts have a contrast of at least 4.5 on their fill.
_INK = {
    Fate.SAME: ("#1f5a8c", "#eaf2fb"),
    Fate.NEW: ("#b42318", "#fdeceb"),
    Fate.GONE: ("#5c6773", "#f0f2f4"),
    Fate.CHANGED: ("#8a5300", "#fff3dc"),
    Fate.UNKNOWN: ("#6941c6", "#f3ecff"),
}
_LINE = {Fate.GONE: "dashed", Fate.UNKNOWN: "dotted"}
#: One family, as the engine has widths only for such; whoever shows the SVG may have another.
_FONT = "Arial"
_FAMILIES = "Arial,Helvetica,sans-serif"
_LONGEST = 30


def _missing(error: ImportError, form: str) -> MissingExtra:
    missing = MissingExtra("graph", f"format `{form}`")
    missing.__cause__ = error
    return missing


def _label(
    text: str, size: int = 0, *, bold: bool = False, color: str = "", width: int = _LONGEST
) -> str:
    """Give a text for an HTML-like label; `\\` too, which DOT would read as an escape."""
    inner = html.escape(middle(text, width)).replace("\\", "&#92;") or "&#160;"
    inner = f"<B>{inner}</B>" if bold else inner
    attributes = (f' POINT-SIZE="{size}"' if size else "") + (f' COLOR="{color}"' if color else "")
    return f"<FONT{attributes}>{inner}</FONT>" if attributes else inner


def _attributes(fate: Fate) -> dict[str, str]:
    line, _ = _INK[fate]
    return {"color": line, "fontcolor": line, "class": fate.value}


def _node_label(node: Node) -> str:
    name = ("! " if node.sensitive else "") + node.label
    fate = " ".join(part for part in (_SIGN[node.fate], _WORD[node.fate]) if part)
    rest = len(node.findings) - 2
    findings = " ".join(node.findings[:2]) + (f" +{rest}" if rest > 0 else "")
    more = f"and {node.also:,} more" if node.also else ""
    lines = [(middle(node.kind, 26), fate, "" if more else findings), (more, findings)]
    under = [" · ".join(part for part in line if part) for line in lines[: 2 if more else 1]]
    told = "".join(f"<BR/>{_label(line, 10, width=44)}" for line in under)
    return f"<{_label(name, bold=True, color='#16202a')}{told}>"


def _put(graph: Digraph, name: str, node: Node) -> None:
    _, fill = _INK[node.fate]
    style = "rounded,filled" + (f",{_LINE[node.fate]}" if node.fate in _LINE else "")
    heavy = 2.6 if node.sensitive else 1.6 if node.fate is Fate.NEW else 1.0
    extra = {"fillcolor": fill, "style": style, "penwidth": str(heavy)}
    graph.node(name, label=_node_label(node), **_attributes(node.fate), **extra)


def _edge_label(edge: Edge) -> str:
    sign = f"{_SIGN[edge.fate]} " if edge.fate is not Fate.SAME else ""
    lines = [_label(part, 10, width=30) for part in _stacked(sign + edge.label)]
    if edge.proviso:
        lines.append(_label(end(edge.proviso, 28), 10))
    # The padding keeps the text off the line, which the engine draws through the label's edge.
    table = '<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="4"><TR><TD>{}</TD></TR></TABLE>'
    return f"<{table.format('<BR/>'.join(lines))}>"


def _stacked(label: str) -> list[str]:
    """Break a label where it reads well: long ones make the picture wide and its text small."""
    for joint in (", ", " and ", ": "):
        if joint in label:
            first, rest = label.split(joint, 1)
            return [f"{first}{joint.rstrip()}", *_stacked(rest)]
    service, colon, action = label.partition(":")
    if colon and len(label) > 20 and " " not in service.lstrip("+−~? "):
        return [f"{service}:", action]
    return [label]


def _connect(graph: Digraph, source: str, target: str, edge: Edge) -> None:
    style = "dotted" if edge.doubt == "unknown" else _LINE.get(edge.fate, "solid")
    weight = "2.0" if edge.fate is Fate.NEW else "1.1"
    extra = {"style": style, "penwidth": weight, "arrowhead": "normal"}
    if edge.doubt == "conditional":
        extra["arrowhead"] = "onormal"
    graph.edge(source, target, label=_edge_label(edge), **_attributes(edge.fate), **extra)


def _title(report: Report, picture: Picture) -> str:
    if isinstance(report, DiffReport):
        versions = f"{middle(visible(report.old.version), 24)} → "
        head = f"{versions}{middle(visible(report.new.version), 24)}"
        name, what = report.new.name, "What the release changes"
    else:
        head = middle(visible(report.release.version), 24)
        name, what = report.release.name, "What the release reaches"
    lines = [
        _wide(name, head),
        _plain(" ", 4, "#ffffff"),
        _plain(what, 11, "#16202a"),
        _legend(report),
    ]
    if picture.left_out:
        told = f"{picture.left_out:,} of less weight left out; the page and the JSON have them"
        lines.append(_plain(told, 11, "#b42318"))
    return "<" + "<BR/>".join(lines) + "<BR/>>"


def _wide(name: str, head: str) -> str:
    return _plain(f"{middle(visible(name), 60)}  {head}", 18, "#16202a", bold=True)


def _plain(text: str, size: int, color: str, *, bold: bool = False) -> str:
    inner = html.escape(text).replace("\\", "&#92;")
    inner = f"<B>{inner}</B>" if bold else inner
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{inner}</FONT>'


def _legend(report: Report) -> str:
    fates = (Fate.NEW, Fate.GONE, Fate.CHANGED, Fate.UNKNOWN)
    shown = fates if isinstance(report, DiffReport) else (Fate.UNKNOWN,)
    parts = [_plain(f"{_SIGN[fate]} {_WORD[fate]}", 11, _INK[fate][0]) for fate in shown]
    return "   ".join([*parts, _plain("! sensitive", 11, "#16202a")])


def _document(report: Report) -> tuple[Digraph, dict[str, str]]:
    """Give the DOT, and the full name that each of its ids stands for."""
    from graphviz import Digraph

    picture, names = compose(report), Names(report)
    graph = Digraph("reach")
    graph.attr("graph", rankdir="LR", labelloc="t", label=_title(report, picture), fontname=_FONT)
    graph.attr("graph", nodesep="0.18", ranksep="0.35", pad="0.2", bgcolor="white")
    graph.attr("node", shape="box", fontname=_FONT, fontsize="12", margin="0.12,0.06")
    graph.attr("edge", fontname=_FONT, arrowsize="0.7")
    ids = {node.key: f"n{number}" for number, node in enumerate(picture.nodes, start=1)}
    _clusters(graph, picture, ids, names)
    for edge in picture.edges:
        _connect(graph, ids[edge.source], ids[edge.target], edge)
    _left_out(graph, picture, ids)
    return graph, {name: visible(key) for key, name in ids.items()}


def _clusters(graph: Digraph, picture: Picture, ids: dict[str, str], names: Names) -> None:
    """One cluster for each account, project, subscription, cluster; in it those of its parts."""
    for node in picture.nodes:
        if not node.scope:
            _put(graph, ids[node.key], node)
    scopes = scopes_of(picture.nodes)
    holders = {scope: names.holder(scope) for scope in scopes}
    numbers = count(1)
    for top in sorted({holders[scope] or scope for scope in scopes}):
        outer = _cluster(next(numbers), top, picture, ids, names)
        for scope in scopes:
            if holders[scope] == top:
                outer.subgraph(_cluster(next(numbers), scope, picture, ids, names))
        graph.subgraph(outer)


def _cluster(
    number: int, scope: str, picture: Picture, ids: dict[str, str], names: Names
) -> Digraph:
    from graphviz import Digraph

    cluster = Digraph(f"cluster_{number}")
    cluster.attr(
        label=f"<{_label(names.scope(scope), 11, bold=True, color='#3d4852')}>",
        labeljust="l",
        style="rounded,filled",
        color="#9aa5b1",
        fillcolor="#fafbfc",
        margin="14",
        **{"class": "scope"},
    )
    for node in picture.nodes:
        if node.scope == scope:
            _put(cluster, ids[node.key], node)
    return cluster


def _left_out(graph: Digraph, picture: Picture, ids: dict[str, str]) -> None:
    numbers = count(1)
    for key, missing in picture.omitted:
        if key in ids:
            name = f"more{next(numbers)}"
            label = f"<{_label(f'… {missing} more', 10)}>"
            graph.node(name, label=label, shape="plaintext", fontcolor="#5c6773", **_MORE)
            graph.edge(ids[key], name, style="dotted", color="#5c6773", arrowhead="none")


_MORE = {"class": "more"}


def _dot(report: Report) -> bytes:
    try:
        graph, _ = _document(report)
    except ImportError as error:
        raise _missing(error, "dot") from error
    source: str = graph.source
    return source.encode()


def _laid_out(
    report: Report, form: Form, engine: Engine | None = None, **graph_attributes: str
) -> tuple[bytes, dict[str, str]]:
    try:
        graph, titles = _document(report)
    except ImportError as error:
        raise _missing(error, form) from error
    graph.attr("graph", **graph_attributes)
    return draw(graph.source, form, engine), titles


_PROLOGUE = re.compile(rb"\A.*?(?=<svg)", re.DOTALL)
_COMMENT = re.compile(rb"<!--.*?-->\n?", re.DOTALL)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def drawing(report: Report, engine: Engine | None = None) -> str:
    """Give the `<svg>` element alone, to be put into a page. Raises `MissingExtra`."""
    raw, titles = _laid_out(report, Form.SVG, engine)
    body = _COMMENT.sub(b"", _PROLOGUE.sub(b"", raw)).decode()
    body = body.replace(f' font-family="{_FONT}"', f' font-family="{_FAMILIES}"')
    return _TITLE.sub(lambda match: _titled(match.group(1), titles), body)


def _titled(title: str, titles: dict[str, str]) -> str:
    """Replace the ids of our DOT, which a browser shows as a hint, by what they stand for."""
    ends = [titles.get(part, "") for part in html.unescape(title).split("->")]
    shown = " → ".join(middle(end, 300) for end in ends if end)
    return f"<title>{html.escape(shown, quote=False)}</title>" if shown else ""


#: Opened by itself, a picture fits the window; it keeps its size for what embeds it.
_FITTING = ' style="max-width:100%;height:auto"'


def _svg(report: Report) -> bytes:
    fitting = drawing(report).replace("<svg", f"<svg{_FITTING}", 1)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + fitting.encode()


def _png(report: Report) -> bytes:
    return _laid_out(report, Form.PNG, dpi="120")[0]


render_dot = Format((".dot", ".gv"), _dot)
render_svg = Format((".svg",), _svg)
render_png = Format((".png",), _png)
