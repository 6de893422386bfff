"""Modules of Python that libraries import and short runs never use: they are put off until then.

Looking for source code, say, is a tenth of the start of a program that never looks for any. The
loader that Python has for this may show a module half made to a second thread.
https://docs.python.org/3/library/importlib.html#importlib.util.LazyLoader
https://github.com/python/cpython/issues/114763
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    """Stands for a module until something in it is asked for, and gives what the module has."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def put_off(*names: str) -> None:
    """Have these modules imported when they are first used; those that are there already stay."""
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = _Late(name)
