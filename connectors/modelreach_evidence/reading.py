"""What all readers do: decode with the place in the error, and name cases without quoting them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from modelreach.evidence.attempts import Retest
from modelreach.model import InputError

_T = TypeVar("_T")
_NOT_NUMBERS = re.compile(rb"\b(?:NaN|Infinity)\b")

#: Labels by which a run says what it tested, in whichever place a tool keeps labels.
TARGET_LABELS = ("deployment", "release", "target", "model")
PROMPT_LABEL = "system_prompt_sha256"
GUARDRAILS_LABEL = "guardrails_sha256"


class Row(msgspec.Struct, frozen=True):
    """Base of what a reader reads of a report; everything else in it is passed over."""


def decode(raw: bytes, type_: type[_T], *, place: str, what: str) -> _T:
    """Read JSON into a type. Raises `InputError` with the path within the document."""
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError as error:
        raise wrong(error, place, what) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        if isinstance(error, msgspec.DecodeError) and _NOT_NUMBERS.search(raw):
            return _decode_as_python_writes(raw, type_, place=place, what=what)
        raise wrong(error, place, what) from None


def _decode_as_python_writes(raw: bytes, type_: type[_T], *, place: str, what: str) -> _T:
    """Read what Python's `json` writes for numbers that JSON does not have."""
    try:
        return msgspec.convert(json.loads(raw), type_)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise wrong(error, place, what) from None


def wrong(error: Exception, place: str, what: str) -> InputError:
    """Give the error for something that is not such a report."""
    if isinstance(error, RecursionError):
        problem = "nested too deeply"
    else:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        problem = problem[:1].lower() + problem[1:]
    return InputError(
        f"this is not {what} that can be read ({problem[:300]})",
        place=place,
        hint="write it again with the tool; a file that was cut short cannot be used",
    )


def incomplete(message: str, place: str) -> InputError:
    """Give the error for a report that says itself that something is missing."""
    return InputError(
        message, place=place, hint="let the run finish and save its report again, whole"
    )


def matches(raw: bytes, type_: type[Any]) -> bool:
    """Does the document have the shape of that type? For telling formats apart."""
    try:
        decode(raw, type_, place="", what="")
    except InputError:
        return False
    return True


def digest(*texts: str) -> str:
    """Give a short name for texts that must not be quoted."""
    joined = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:16]


def prompt_digest(text: str) -> str:
    """Give the SHA-256 of a system prompt, as the manifest has it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def labelled(labels: Mapping[str, Any] | None, names: Iterable[str]) -> tuple[str, ...]:
    """Give the texts under these labels, in the order of the names."""
    found = ((labels or {}).get(name) for name in names)
    return tuple(value for value in found if isinstance(value, str) and value)


def distinct(names: Iterable[str | None]) -> tuple[str, ...]:
    """Give the names that are there, each once, in their order."""
    return tuple(dict.fromkeys(name for name in names if name))


def is_number(value: object) -> bool:
    """Is it a finite number, and no truth value?"""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def retests(
    categories: Iterable[str], of: Callable[[str], Retest]
) -> tuple[tuple[str, Retest], ...]:
    """Give what each category tests."""
    return tuple((category, of(category)) for category in sorted(set(categories)))
