"""Policy variables: `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from modelreach.policy import glob

_VARIABLE = re.compile(r"\$\{([^${}]*|[$*?])\}")
_INSIDE = re.compile(r"\s*(?P<key>[^,]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?")
_SPECIAL = {"*", "?", "$"}


class Variable(msgspec.Struct, frozen=True, gc=False):
    """A reference to a context key, with the text to use when the key is absent."""

    key: str
    default: str | None = None

    def __str__(self) -> str:
        return f"${{{self.key}}}" if self.default is None else f"${{{self.key}, '{self.default}'}}"


class Template(msgspec.Struct, frozen=True, gc=False):
    """A value with variables in it. Text parts are globs when the value is one, else plain."""

    parts: tuple[str | Variable, ...]
    wild: bool

    @staticmethod
    def of(parts: Iterable[str | Variable], wild: bool) -> Template:
        """Give the template of the parts, neighbouring texts made one."""
        found: list[str | Variable] = []
        for part in parts:
            if isinstance(part, str) and found and isinstance(found[-1], str):
                found[-1] += part
            elif part != "":
                found.append(part)
        return Template(tuple(found), wild)

    def names(self) -> tuple[str, ...]:
        """Give the keys of the variables, each once, in order."""
        named = (part.key for part in self.parts if isinstance(part, Variable))
        return tuple(dict.fromkeys(named))

    def filled(self, value: Callable[[Variable], str | None]) -> str | None:
        """Give the text with every variable replaced by plain text; None if one has none."""
        texts: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            text = value(part)
            if text is None:
                return None
            texts.append(glob.escape(text) if self.wild else text)
        return "".join(texts)

    def __str__(self) -> str:
        return "".join(
            str(part) if isinstance(part, Variable) else written(part) for part in self.parts
        )


def written(text: str) -> str:
    """Give plain text or a glob as a policy with variables would write it."""
    text = text.replace("${", "${$}{")
    return text.replace(glob.escape("*"), "${*}").replace(glob.escape("?"), "${?}")


@lru_cache(65536)
def template(value: str, wild: bool, variables: bool) -> Template:
    """Take a value of a policy apart. Without `variables` (version 2008) all of it is text."""
    if not variables or "${" not in value:
        return Template((value,), wild)
    parts: list[str | Variable] = []
    place = 0
    for found in _VARIABLE.finditer(value):
        parts += [value[place : found.start()], _part(found[1], wild)]
        place = found.end()
    return Template.of([*parts, value[place:]], wild)


def _part(inside: str, wild: bool) -> str | Variable:
    if inside in _SPECIAL:
        return glob.escape(inside) if wild else inside
    found = _INSIDE.fullmatch(inside)
    return Variable(found["key"], found["default"]) if found else Variable(inside)
