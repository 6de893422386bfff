"""The layout engine of a pygraphviz wheel without pygraphviz: DOT to SVG by plain libraries.

`import pygraphviz` loads the libraries that draw pixels, and with them glib and X11. SVG needs
neither: the four libraries loaded here ask for nothing but libc, libm, zlib and libexpat, which
come with Debian's python3. They are called as https://graphviz.org/pdf/libguide.pdf describes.

A wheel that is laid out otherwise, or brings a Graphviz with another binary interface than the
one known here, is `NotUsable`: calling it on a guess could crash the process.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CDLL, POINTER, byref, c_char, c_char_p, c_int, c_size_t, c_void_p
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec

from modelreach.model import ModelreachError

#: Each library with the version of its binary interface, in an order in which they load.
_LIBRARIES = {
    "libcgraph": 8,
    "libgvc": 7,
    "libgvplugin_core": 8,
    "libgvplugin_dot_layout": 8,
}
_PLUGINS = ("libgvplugin_core", "libgvplugin_dot_layout")


class NotUsable(Exception):
    """The libraries are not where a wheel has them, or not those that are known here."""


class _Symbol(ctypes.Structure):
    """An entry of the table of built-in plug-ins (`lt_symlist_t`)."""

    _fields_ = (("name", c_char_p), ("address", c_void_p))


class _Graphviz(msgspec.Struct, frozen=True):
    cgraph: CDLL
    gvc: CDLL
    #: The engine keeps a pointer to it, so it lives as long as the libraries do.
    plugins: ctypes.Array[_Symbol]


def load() -> Callable[[bytes, str], bytes]:
    """Give a function that takes DOT and the name of a text format. Raises `NotUsable`."""
    try:
        folder = _folder()
        found = {name: CDLL(str(_path(folder, name, abi))) for name, abi in _LIBRARIES.items()}
        return partial(_draw, _declared(found))
    except (OSError, AttributeError, ValueError) as error:
        raise NotUsable(str(error)) from error


def _folder() -> Path:
    spec = find_spec("pygraphviz")
    if spec is None or spec.origin is None:
        raise NotUsable("pygraphviz is not installed")
    return Path(spec.origin).parents[1] / "pygraphviz.libs"


def _path(folder: Path, name: str, abi: int) -> Path:
    found = sorted(folder.glob(f"{name}-*.so.{abi}.*"))
    if len(found) != 1:
        raise NotUsable(f"pygraphviz brings {len(found) or 'no'} {name}.so.{abi}")
    return found[0]


def _declared(libraries: dict[str, CDLL]) -> _Graphviz:
    """Declare what is called: without it, ctypes would cut pointers down to 32 bits."""
    cgraph, gvc = libraries["libcgraph"], libraries["libgvc"]
    for library, name, result, *arguments in (
        (cgraph, "agmemread", c_void_p, c_char_p),
        (cgraph, "agclose", c_int, c_void_p),
        (gvc, "gvContextPlugins", c_void_p, POINTER(_Symbol), c_int),
        (gvc, "gvLayout", c_int, c_void_p, c_void_p, c_char_p),
        (gvc, "gvRenderData", c_int, *_RENDER),
        (gvc, "gvFreeRenderData", None, c_void_p),
        (gvc, "gvFreeLayout", c_int, c_void_p, c_void_p),
        (gvc, "gvFreeContext", c_int, c_void_p),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return _Graphviz(cgraph, gvc, _plugins(libraries))


_RENDER = (c_void_p, c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t))


def _plugins(libraries: dict[str, CDLL]) -> ctypes.Array[_Symbol]:
    """Give the table that `gvContextPlugins` reads up to its empty last entry."""
    table = (_Symbol * (len(_PLUGINS) + 1))()
    for entry, library in zip(table, _PLUGINS, strict=False):
        symbol = f"{library.removeprefix('lib')}_LTX_library"
        entry.name = symbol.encode()
        entry.address = ctypes.addressof(c_char.in_dll(libraries[library], symbol))
    return table


def _draw(graphviz: _Graphviz, dot: bytes, form: str) -> bytes:
    graph = graphviz.cgraph.agmemread(dot)
    if not graph:
        raise ModelreachError("the layout engine cannot read the picture's DOT")
    context = graphviz.gvc.gvContextPlugins(graphviz.plugins, 0)
    try:
        if not context or graphviz.gvc.gvLayout(context, graph, b"dot"):
            raise ModelreachError("the layout engine cannot lay out the picture")
        try:
            return _rendered(graphviz.gvc, context, graph, form)
        finally:
            graphviz.gvc.gvFreeLayout(context, graph)
    finally:
        graphviz.cgraph.agclose(graph)
        if context:
            graphviz.gvc.gvFreeContext(context)


def _rendered(gvc: CDLL, context: int, graph: int, form: str) -> bytes:
    data, size = c_void_p(), c_size_t()
    failed = gvc.gvRenderData(context, graph, form.encode(), byref(data), byref(size))
    try:
        if failed or data.value is None:
            raise ModelreachError(f"the layout engine cannot draw `{form}`")
        return ctypes.string_at(data, size.value)
    finally:
        gvc.gvFreeRenderData(data)
