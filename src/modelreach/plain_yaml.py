"""The plain part of YAML, in which most manifests are written, read without a YAML library.

Loading one takes as long as all else that a short command loads. So what is plain beyond doubt is
read here: printable ASCII, mappings and sequences in blocks or within one line, words, whole
numbers and simple decimals, quotes without escapes, comments. Of all else nothing is said: then
`strict_yaml` reads it, and says what is wrong. It is what this is held to in the tests: whatever
is read here, it reads as the same.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

_T = TypeVar("_T")

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS: Final = "0123456789"
#: What an unquoted word may be made of within brackets, and outside of them.
_INNER: Final = _LETTERS + _DIGITS + "_-./@+*=: "
_OUTER: Final = _INNER + ",();$~"
_KEY: Final = _LETTERS + _DIGITS + "_-."
_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
#: Words that are no words; what else begins with a letter is one.
_MEANT: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL")),
}
_LONGEST: Final = 1000
_DEEPEST: Final = 40


class Plain(msgspec.Struct, frozen=True):
    """What a text says, and on which line each value begins, by a path such as `$.spec.tools`."""

    value: dict[str, Any]
    lines: dict[str, int]


class _Doubtful(Exception):
    """It is not plain."""


def read(raw: bytes) -> Plain | None:
    """Give what a mapping in YAML says; None where it takes more than this to tell."""
    if not raw.isascii():
        return None
    try:
        return _Reader(raw.decode("ascii")).whole()
    except _Doubtful:
        return None


def converted(raw: bytes, type_: type[_T]) -> _T | None:
    """Give what plain YAML says as a type; None where it is not plain, or says something else."""
    plain = read(raw)
    try:
        return None if plain is None else msgspec.convert(plain.value, type_)
    except msgspec.ValidationError:
        return None


class _Line(msgspec.Struct, frozen=True):
    number: int
    indent: int
    text: str


class _Reader:
    def __init__(self, text: str) -> None:
        self._lines = [line for line in map(_line, *_numbered(text)) if line is not None]
        self._at = 0
        self._depth = 0
        self.found: dict[str, int] = {}

    def whole(self) -> Plain:
        if self._lines and self._lines[0].text == "---" and not self._lines[0].indent:
            self._at = 1
        first = self._next()
        _sure(first is not None and not first.text.startswith("- "))
        value = self._mapping(0, "$")
        _sure(self._next() is None)
        return Plain(value, self.found)

    def _next(self) -> _Line | None:
        return self._lines[self._at] if self._at < len(self._lines) else None

    # --- blocks ------------------------------------------------------------------------------

    def _mapping(self, indent: int, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._deeper()
        while (line := self._next()) is not None and line.indent == indent:
            if line.text.startswith("- "):
                break
            key, rest = _key(line.text)
            _sure(key not in found)
            found[key] = self._value(line, len(line.text) - len(rest), indent, f"{path}.{key}")
        _sure(line is None or line.indent <= indent)
        self._depth -= 1
        return found

    def _sequence(self, indent: int, path: str) -> list[Any]:
        found: list[Any] = []
        self._deeper()
        while (line := self._next()) is not None and line.indent == indent:
            if not line.text.startswith("- "):
                break
            found.append(self._item(line, f"{path}[{len(found)}]"))
        _sure(line is None or line.indent <= indent)
        self._depth -= 1
        return found

    def _item(self, line: _Line, path: str) -> Any:
        """What follows a dash: a mapping that begins there, or a value."""
        rest = line.text[2:].lstrip(" ")
        _sure(not rest.startswith("- "))
        if _begins_mapping(rest):
            indent = line.indent + len(line.text) - len(rest)
            self._lines[self._at] = _Line(line.number, indent, rest)
            self.found[path] = line.number
            return self._mapping(indent, path)
        self._at += 1
        return self._inline(line, len(line.text) - len(rest), path)

    def _value(self, line: _Line, at: int, indent: int, path: str) -> Any:
        """What follows a key: on its line, or in the lines below."""
        self._at += 1
        if not _is_over(line.text, at):
            return self._inline(line, at, path)
        below = self._next()
        _sure(below is not None and below.indent >= indent)
        assert below is not None
        self.found[path] = below.number
        if below.text.startswith("- "):
            return self._sequence(below.indent, path)
        _sure(below.indent > indent)
        return self._mapping(below.indent, path)

    def _deeper(self) -> None:
        self._depth += 1
        _sure(self._depth < _DEEPEST)

    # --- within a line -----------------------------------------------------------------------

    def _inline(self, line: _Line, at: int, path: str) -> Any:
        text = line.text
        self.found[path] = line.number
        if text[at] in "{[\"'":
            value, at = self._bracketed(text, at, path, line.number)
            _sure(_is_over(text, at))
            return value
        word = text[at:].partition(" #")[0].rstrip(" ")
        _sure(not word.strip(_OUTER) and ": " not in word and word[-1] != ":")
        return _meant(word)

    def _bracketed(self, text: str, at: int, path: str, number: int) -> tuple[Any, int]:
        """A value in brackets or quotes, or a word between brackets; and where it ends."""
        self.found[path] = number
        match text[at]:
            case "{":
                return self._braces(text, at + 1, path, number)
            case "[":
                return self._squares(text, at + 1, path, number)
            case "'" | '"':
                return _quoted(text, at)
            case _:
                word, at = _word(text, at)
                return _meant(word), at

    def _braces(self, text: str, at: int, path: str, number: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        self._deeper()
        at = _past_spaces(text, at)
        while text[at] != "}":
            in_quotes = text[at] in "\"'"
            key, at = _quoted(text, at) if in_quotes else _word(text, at)
            _sure(in_quotes or isinstance(_meant(key), str))
            _sure(bool(key) and key not in found and text[at : at + 2] == ": ")
            at = _past_spaces(text, at + 2)
            found[key], at = self._bracketed(text, at, f"{path}.{key}", number)
            at = _past_comma(text, at, "}")
        self._depth -= 1
        return found, at + 1

    def _squares(self, text: str, at: int, path: str, number: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        self._deeper()
        at = _past_spaces(text, at)
        while text[at] != "]":
            value, at = self._bracketed(text, at, f"{path}[{len(found)}]", number)
            found.append(value)
            at = _past_comma(text, at, "]")
        self._depth -= 1
        return found, at + 1


def _sure(plain: bool) -> None:
    if not plain:
        raise _Doubtful


def _numbered(text: str) -> tuple[range, list[str]]:
    lines = text.split("\n")
    return range(1, len(lines) + 1), lines


def _line(number: int, text: str) -> _Line | None:
    """Give a line that says something."""
    _sure(not text.strip(_PRINTABLE) and len(text) < _LONGEST)
    said = text.strip(" ")
    if not said or said[0] == "#":
        return None
    return _Line(number, len(text) - len(text.lstrip(" ")), said)


def _key(text: str) -> tuple[str, str]:
    """Give the key that a line begins with, and what is behind its colon."""
    name, colon, rest = text.partition(":")
    _sure(bool(name and colon) and not name.strip(_KEY) and name[0] in _LETTERS)
    _sure(name not in _MEANT and (not rest or rest[0] == " "))
    return name, rest.lstrip(" ")


def _begins_mapping(text: str) -> bool:
    name, colon, rest = text.partition(":")
    return bool(colon) and not name.strip(_KEY) and (not rest or rest[0] == " ")


def _is_over(text: str, at: int) -> bool:
    """Is there nothing more than a comment?"""
    rest = text[at:]
    said = rest.lstrip(" ")
    return not said or (said[0] == "#" and (text[at - 1] == " " or rest[0] == " "))


def _past_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at] == " ":
        at += 1
    _sure(at < len(text))
    return at


def _past_comma(text: str, at: int, end: str) -> int:
    """Give where the next one begins, or the bracket that closes."""
    at = _past_spaces(text, at)
    if text[at] == ",":
        at = _past_spaces(text, at + 1)
        _sure(text[at] not in ",]}")
        return at
    _sure(text[at] == end)
    return at


def _quoted(text: str, at: int) -> tuple[str, int]:
    end = text.find(text[at], at + 1)
    word = text[at + 1 : end]
    _sure(end > 0 and "\\" not in word and text[end : end + 2] != "''")
    return word, end + 1


def _word(text: str, at: int) -> tuple[str, int]:
    """Give the word between brackets that begins here, and where it ends."""
    end = at
    while end < len(text) and text[end] in _INNER and text[end : end + 2] != ": ":
        end += 1
    word = text[at:end].rstrip(" ")
    _sure(bool(word) and word[-1] != ":" and text[end : end + 1] != "#")
    return word, at + len(word)


def _meant(word: str) -> Any:
    """Give the value of an unquoted word: itself where it begins with a letter or as a path, but
    for a few, and where it is a date or digest; of digits their number."""
    first = word[0]
    if first in _LETTERS or first == "/":
        return _MEANT.get(word, word)
    if word == "0" or (first in "123456789" and word.isdecimal() and len(word) < 19):
        return int(word)
    if first in _DIGITS and (_is_digest(word) or _is_date(word)):
        return word
    whole, point, rest = word.partition(".")
    _sure(bool(point) and len(word) < 16 and whole.isdecimal() and rest.isdecimal())
    _sure(whole == "0" or whole[0] != "0")
    return float(word)


def _is_digest(word: str) -> bool:
    """Is it written in sixteen digits, and in no way a number (`0b1`, `1e5`)?"""
    return not word.strip(_DIGITS + "abcdef") and bool(word.strip(_DIGITS + "be"))


def _is_date(word: str) -> bool:
    return "-" in word and not word.strip(_DIGITS + "-")
