"""Choosing a renderer by file name or format, and drawing on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from modelreach import plugins
from modelreach.cli.files import InFolder, write_all
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.report import Report


#: Endings that are not the name of their format.
ENDINGS = {
    ".txt": "text",
    ".htm": "html",
    ".markdown": "md",
    ".gv": "dot",
    ".xml": "junit",
    ".ocsf.json": "ocsf",
    ".ocsf-detection.json": "ocsf-detection",
    ".opengraph.json": "opengraph",
    ".graph.pdf": "graph-pdf",
    ".opengraph-extension.json": "opengraph-extension",
    ".cdx.json": "cyclonedx",
    "/": "neo4j",
}


def format_of(output: str) -> tuple[str, str]:
    """Give format and path of an `-o` value: `FORMAT:FILE`, or a name whose ending tells."""
    known = plugins.names(plugins.RENDERERS)
    head, colon, rest = output.partition(":")
    if colon and head in known:
        return head, rest
    name = output.lower()
    endings = {f".{form}": form for form in known} | ENDINGS
    for ending in sorted(endings, key=len, reverse=True):
        if name.endswith(ending):
            return endings[ending], output
    raise InputError(
        f"the format of `{output}` cannot be told from its name",
        place="-o",
        hint=f"use one of {', '.join(sorted(endings))}, or FORMAT:FILE",
    )


def rendered(report: Report, outputs: Iterable[str]) -> dict[str, bytes]:
    """Render everything before anything is written."""
    files: dict[str, bytes] = {}
    for form, path in map(format_of, outputs):
        files |= drawn(report, form, path)
    return files


def drawn(report: Report, form: str, path: str) -> dict[str, bytes]:
    """Render one form: a file, or the files of a folder."""
    made = plugins.renderer(form)(report)
    if isinstance(made, bytes):
        return {path: made}
    if path == "-":
        raise InputError(
            f"format `{form}` is a folder of files, which standard output cannot take",
            hint=f"-o {form}:FOLDER/",
        )
    folder = path.rstrip("/") or "/"
    return {InFolder(f"{folder}/{name}"): content for name, content in made.items()}


def emit(
    report: Report,
    outputs: Sequence[str],
    form: str | None,
    *,
    color: str,
    ascii_only: bool,
    show_all: bool,
    following: Sequence[str] = (),
    gated: bool = True,
) -> None:
    """Write the files asked for, and the report to standard output: as text unless a format was
    asked for, there or as `FORMAT:-`. `gated` says that the program exits as the gate says."""
    files = rendered(report, outputs)
    if form is None or form == "text":
        content = plugins.terminal("report")(
            report,
            **terminal(color=color, ascii_only=ascii_only),
            show_all=show_all,
            next_commands=following,
            gated=gated,
        )
    else:
        content = drawn(report, form, "-")["-"]
    write_all({"-": content, **files})


def terminal(*, color: str, ascii_only: bool) -> dict[str, object]:
    """Give the drawing options that this terminal calls for.

    Honours NO_COLOR, FORCE_COLOR, TERM=dumb, COLUMNS, and an encoding without Unicode.
    """
    import shutil

    width = shutil.get_terminal_size((80, 24)).columns if _is_terminal() else 80
    if os.environ.get("COLUMNS", "").isdigit():
        width = int(os.environ["COLUMNS"])
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return {
        "width": max(40, min(width, 160)),
        "color": _colored(color),
        "ascii_only": ascii_only or not encoding.replace("-", "").startswith("utf"),
    }


def _colored(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return _is_terminal() and os.environ.get("TERM") != "dumb"


def _is_terminal() -> bool:
    return sys.stdout.isatty()
