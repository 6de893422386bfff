"""Laying out and drawing DOT, without a `dot` program: the engine is the one in `pygraphviz`.

The wheels of pygraphviz carry Graphviz whole, yet their extension module loads only where the
system has glib and X11, which a minimal Debian lacks. There, what SVG needs of the wheel is used
without the rest: see `modelreach_reports.plain_layout`.

The two differ in one thing. The extension measures texts with the machine's fonts, so boxes
differ by some points from one machine to another. The plain way measures by Graphviz's own table
for Arial, everywhere the same, where characters outside ASCII count as narrow ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from modelreach.model import MissingExtra, ModelreachError
from modelreach_reports import plain_layout

#: Takes DOT and the name of a Graphviz output format, and gives the drawing.
Engine = Callable[[bytes, str], bytes]

INSTALL = "apt-get install libexpat1 libglib2.0-0 libx11-6 libxext6 libxrender1 fonts-dejavu-core"


class Form(StrEnum):
    """What can be drawn, by the name that Graphviz has for it."""

    SVG = "svg"
    PNG = "png"


class MissingLibraries(MissingExtra):
    """The extra is installed, but this machine lacks libraries that its engine loads."""

    def __init__(self, form: Form, reason: str) -> None:
        ModelreachError.__init__(
            self,
            f"format `{form}` needs libraries that this machine lacks: {reason}",
            hint=f"on Debian or Ubuntu: {INSTALL}"
            + ("; or write .svg instead" if form is Form.PNG else ""),
        )
        self.extra = "graph"


def draw(dot: str, form: Form, engine: Engine | None = None) -> bytes:
    """Lay out a graph in DOT from left to right as it asks, and give the drawing.

    The same DOT gives the same bytes on the same machine. `engine` is the first of those that
    work here unless given. Raises `MissingExtra` without pygraphviz, `MissingLibraries` where
    it cannot be used, and `ModelreachError` for a PNG on a machine without a font.
    """
    chosen = engine or engine_for(form)
    with _quiet():
        if form is Form.PNG and not _has_font(chosen):
            raise ModelreachError(
                "format `png` draws text, and this machine has no font",
                hint=f"on Debian or Ubuntu: {INSTALL}; or write .svg instead",
            )
        return chosen(dot.encode(), form.value)


def engine_for(form: Form) -> Engine:
    """Give the engine that this machine has for a form. Raises `MissingExtra`."""
    try:
        import pygraphviz
    except ModuleNotFoundError as error:
        raise MissingExtra("graph", f"format `{form}`") from error
    except ImportError as error:
        return _plain(form, str(error), error)
    return _extension(pygraphviz)


def _plain(form: Form, reason: str, cause: ImportError) -> Engine:
    if form is not Form.SVG:
        raise MissingLibraries(form, reason) from cause
    try:
        return plain_layout.load()
    except plain_layout.NotUsable as error:
        raise MissingLibraries(form, f"{reason}; {error}") from error


def _extension(pygraphviz: Any) -> Engine:
    def engine(dot: bytes, form: str) -> bytes:
        drawn: Any = pygraphviz.AGraph(string=dot.decode())
        try:
            return bytes(drawn.draw(format=form, prog="dot"))
        finally:
            drawn.close()

    return engine


_PROBE = 'graph { node [shape=plain, fontname=Helvetica] iiii WWWW "\ue123\ue123\ue123\ue123" }'


def _has_font(engine: Engine) -> bool:
    """Is there a font? Without one every character is the same empty box, an `i` as wide as a
    character that no font has."""
    lines = engine(_PROBE.encode(), "plain").decode().splitlines()
    return len({line.split()[4] for line in lines if line.startswith("node ")}) > 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep fontconfig's remarks on the machine's own configuration off the terminal; they come
    from C and can be caught nowhere else. Errors of the layout are exceptions all the same."""
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
