"""YAML that says more than it shows: an error with its line, in a moment, for every file that a
person gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from modelreach.deployment import decode
from modelreach.draft.files import parsed
from modelreach.gate.policy import decode as policy
from modelreach.gate.waiver_file import decode as waivers
from modelreach.model import InputError

HEAD = """apiVersion: modelreach/v1
kind: ModelDeployment
metadata: {name: a, version: "1", owner: o}
spec:
  identities: [{id: r, cloud: aws, principal: p}]
  autonomy:
    maxSteps: 1
"""


def _doubling(first: str, of: str) -> str:
    """Thirty lines that are a thousand million values."""
    return f"    a0: &a0 {first}\n" + "".join(
        f"    a{n}: &a{n} {of.replace('*', f'*a{n - 1}')}\n" for n in range(1, 30)
    )


BURDENS = {
    "lists": (_doubling("[x]", "[*, *]"), "written out, it holds more than 400,000 values"),
    "mappings": (_doubling("{x: 1}", "{b: *, c: *}"), "written out, it holds more than"),
    "merges": (_doubling("{x: 1}", "{<<: [*, *]}"), "written out, it holds more than"),
    "a loop": ("    a: &a [*a]\n", "something in it holds itself"),
    "depth": (f"    a: {'[' * 110}{']' * 110}\n", "nested too deeply"),
    "half a character": ('    a: "\\ud800"\n', "half of a character is no text"),
    "half a key": ('    "\\udfff": 1\n', "half of a character is no text"),
    "no number": ("    a: .nan\n", "a number that is none, or without end"),
    "without end": ("    a: -.inf\n", "a number that is none, or without end"),
    "overflown": ("    a: 1.0e+999\n", "a number that is none, or without end"),
    "large": ("    a: 9223372036854775808\n", "no whole number is as large"),
    "long": (f"    a: 0x{'f' * 9999}\n", "no number is written with more than 40 characters"),
    "sixties": (f"    a: 1{':59' * 9999}.5\n", "no number is written with more than 40"),
    "a word as a number": ("    a: !!int many\n", "this is no number"),
    "nothing as a number": ("    a: !!float ''\n", "this is no number"),
    "a word as a truth": ("    a: !!bool many\n", "this is neither `true` nor `false`"),
    "a time": ("    a: !!timestamp soon\n", "a value with the tag `timestamp` is not read"),
    "bytes": ("    a: !!binary aGk=\n", "a value with the tag `binary` is not read"),
    "a set": ("    a: !!set {b, c}\n", "a value with the tag `set` is not read"),
    "a call": ("    a: !!python/name:os.system ''\n", "a value with the tag `python/name:os."),
    "no key": ("    b: {null: 1}\n", "a key is text"),
    "a number as a key": ("    b: {1: 1}\n", "a key is text"),
    "a list as a key": ("    b: {[1]: 1}\n", "a key is text"),
}


@pytest.mark.parametrize("name", BURDENS)
def test_a_value_that_nothing_can_hold_is_refused_with_its_line(name: str) -> None:
    text, said = BURDENS[name]
    with pytest.raises(InputError) as caught:
        decode((HEAD + text).encode(), place="m.yaml")
    file, _, line = caught.value.place.partition(":")
    assert (file, said in caught.value.message) == ("m.yaml", True), caught.value.message
    assert 8 <= int(line) <= 37


Read = Callable[[bytes], object]
READERS: dict[str, Read] = {
    "policy": lambda raw: policy(raw, place="x.yaml"),
    "waivers": lambda raw: waivers(raw, place="x.yaml", today=date(2026, 11, 26)),
    "source": lambda raw: parsed("x.yaml", raw),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["lists", "merges", "a loop", "depth", "a word as a truth"])
def test_the_same_goes_for_other_files(reader: str, name: str) -> None:
    with pytest.raises(InputError) as caught:
        READERS[reader](("spec:\n" + BURDENS[name][0]).encode())
    assert caught.value.place.startswith("x.yaml")


def test_what_is_broken_late_in_a_large_file_is_refused_at_once() -> None:
    """PyYAML itself would take half a minute to find better words."""
    with pytest.raises(InputError, match="not valid YAML") as caught:
        decode(
            (HEAD + "    a: '" + "x: y, " * 400_000 + "'\n    b: {c: d: e}\n").encode(), place="m"
        )
    assert caught.value.place == "m:9"
