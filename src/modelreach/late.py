"""Modules of Python that libraries import and short runs never use: they are put off until then.

Looking for source code, say, is a tenth of the start of a program that never looks for any. The
loader that Python has for this may show a module half made to a second thread.
https://docs.python.org/3/library/importlib.html#importlib.util.LazyLoader
https://github.com/python/cpython/issues/114763
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    """Stands for a module until something in it is asked for, and gives what the module has.
    Attributes that are set on it are answered without that."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":
            # `from … import` asks whether it is a package: none that is put off is one.
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


def _real(name: str) -> ModuleType:
    if isinstance(sys.modules.get(name), _Late):
        sys.modules.pop(name, None)  # another thread may have come before
    return import_module(name)


def called_late(module: str, *functions: str) -> dict[str, Callable[..., Any]]:
    """Give functions of a module that is put off, which is imported when one of them is called:
    those who take them by name need not use them."""

    def late(function: str) -> Callable[..., Any]:
        return lambda *given: getattr(_real(module), function)(*given)

    return {function: late(function) for function in functions}


def put_off(*names: str, **answers: dict[str, Any]) -> None:
    """Have these modules (no packages) imported when they are first used; those that are there
    already stay. Of those that have `answers`, what these say is known without the module."""
    for name in (*names, *answers):
        if name not in sys.modules:
            sys.modules[name] = late = _Late(name)
            vars(late).update(answers.get(name, {}))
