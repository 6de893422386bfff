"""The report as one page that opens offline: no request, no inline handler, strict CSP."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from modelreach.model import MissingExtra
from modelreach.report import Report
from modelreach_reports import Format
from modelreach_reports.layout import Engine
from modelreach_reports.pageview import page


def asset(name: str) -> str:
    """Give a file of the page, as text."""
    return files("modelreach_reports").joinpath("page", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["parted"] = _parted
    return made


#: Between the words of a call or a name: `bedrock-agent:|List|Agents`, `Microsoft.Graph/|users`.
_JOINT = re.compile(r"(?<=[:./_])(?=\S)|(?<=[a-z0-9])(?=[A-Z])")


def _parted(text: str) -> Markup:
    """Give a name that a line may break between its words, escaped."""
    return Markup("<wbr>").join(_JOINT.split(text))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def style_policy(css: str, *more: str) -> str:
    """Give the content security policy of a page that holds this style, and nothing else that is
    not allowed by `more`."""
    allowed = [f"style-src {_hash(css)}", *more]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def picture_of(report: Report, engine: Engine | None = None) -> tuple[str, str]:
    """Give the picture as SVG, or why there is none."""
    from modelreach_reports.graph import drawing

    try:
        return drawing(report, engine), ""
    except MissingExtra as missing:
        return "", f"The picture is left out: {missing.message} ({missing.hint})."


def _embedded(value: object) -> Markup:
    """Give JSON that can stand in a script element: nothing in it ends or opens one."""
    raw = msgspec.json.encode(value).decode()
    return Markup(raw.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _render(report: Report) -> bytes:
    css, js = asset("page.css"), asset("graph.js") + asset("page.js")
    svg, note = picture_of(report)
    shown = page(report)
    context: dict[str, Any] = {
        **shown,
        "explorer_data": _embedded(shown["explorer"]),
        # Ours, and drawn by graph.py from escaped names: the only texts not escaped here.
        "css": Markup(css),  # noqa: S704
        "js": Markup(js),  # noqa: S704
        "picture": Markup(svg),  # noqa: S704
        "csp": style_policy(css, f"script-src {_hash(js)}"),
        "picture_note": note,
    }
    return _environment().from_string(asset("page.html")).render(context).strip().encode() + b"\n"


render = Format((".html", ".htm"), _render)
