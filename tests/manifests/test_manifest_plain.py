"""What is read without a YAML library is what that reads: value by value, line by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from modelreach import deployment, plain_yaml, strict_yaml
from modelreach.model import InputError

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = sorted(
    path
    for folder in ("fixtures", "src/modelreach/demo", "tests/manifests/golden")
    for path in (ROOT / folder).rglob("*.yaml")
    if b"kind: ModelDeployment" in path.read_bytes()
)


def slow(raw: bytes) -> tuple[Any, yaml.Node]:
    """Give what the library reads. Raises `InputError` for what is refused."""
    return strict_yaml.decode(raw, dict[str, Any], place="", what="", hint="", fields=())


def agrees(raw: bytes) -> bool:
    """Hold the one to the other; say whether the text was plain."""
    plain = plain_yaml.read(raw)
    if plain is None:
        return False
    value, tree = slow(raw)
    # Not `==`, to which 1, 1.0 and True are the same.
    assert repr(plain.value) == repr(value)
    if not dotted(plain.value):
        for path, line in plain.lines.items():
            assert strict_yaml.line_of(tree, path) == line, path
    return True


def dotted(value: object) -> bool:
    """Has a key a dot, so that paths do not tell what is meant?"""
    if isinstance(value, dict):
        return any("." in key or "[" in key or dotted(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(dotted, value))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: "-".join(path.parts[-2:]))
def test_manifests_are_plain_and_read_alike(path: Path) -> None:
    assert agrees(path.read_bytes())


PIECES = (
    *(
        "a",
        "b",
        "key",
        "x1",
        "/p",
        "true",
        "null",
        "no",
        "on",
        "~",
        "=",
        "<<",
        "a-b",
        "a.b",
        "a: b",
    ),
    *("0", "7", "017", "0x1f", "0b1", "1_0", "1.5", "1.", ".5", "1e5", "1:30", "-1", "2026-01-02"),
    *("5b0d", "0b11", "1be", "1.5e3", "+1", ".inf", "0.0", "00", "1-", "12-3", "9" * 20),
    *(": ", ":", " ", "  ", "   ", "\n", "\n  ", "\n    ", "\n- ", "\n  - ", "- ", "-", "\n\n"),
    *("{", "}", "[", "]", ", ", ",", "{a: b}", "[a, b]", "{}", "[]", "{a: [b, {c: d}]}"),
    *(
        '"',
        "'",
        '"q q"',
        "'s'",
        '"a: b"',
        "''",
        '"\\n"',
        " # c",
        "#",
        "\n# c",
        " #",
        "---\n",
        "\n...",
    ),
    *("|", ">", "&a ", "*a", "!t ", "%", "@", "?", "? ", "\t", "\r\n", "é", "\x07", "\\", "`"),
)
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join)
#: Texts that begin as a manifest does, so that most of them get somewhere.
BEGUN = st.builds(lambda key, rest: f"{key}:{rest}", st.sampled_from(("a", "k2", "---\na")), TEXTS)
WORDS = st.one_of(
    st.sampled_from(PIECES),
    st.text(alphabet="abnt019.-_:/ #,'\"@*", max_size=8),
    st.booleans(),
    st.none(),
    st.integers(-5, 10**6),
    st.floats(0, 1000, width=16),
)
VALUES = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(PIECES[:8]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(raw=TEXTS | BEGUN)
@example(raw="a: b # c\nd: {e: [f, 1, 0.5], g: 'h'}\ni:\n- j: k\n  l: m\n-   n: o\n")
@example(raw="a:\n  b\n")
@example(raw="a: b\n  c\n")
@example(raw="a: [b,\n  c]\n")
@example(raw="a: {b: c}#\n")
@example(raw="a: b\na: c\n")
@example(raw="a: {b: 1, b: 2}\n")
def test_whatever_is_read_without_the_library_is_read_alike(raw: str) -> None:
    agrees(raw.encode())


@given(
    value=st.dictionaries(st.sampled_from(PIECES[:8]), VALUES, min_size=1, max_size=4),
    data=st.data(),
)
def test_values_that_are_written_are_read_alike(
    value: dict[str, Any], data: st.DataObject
) -> None:
    flow = data.draw(st.sampled_from((None, True, False)))
    width = data.draw(st.sampled_from((20, 10_000)))
    agrees(yaml.safe_dump(value, default_flow_style=flow, width=width, sort_keys=False).encode())


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a: b", {"a": "b"}),
        ("a: [1, 0.5, true, null, 'x', \"y z\"] # more", {"a": [1, 0.5, True, None, "x", "y z"]}),
        ("---\n# first\na:\n  - b: c\n    d:\n    - e\n", {"a": [{"b": "c", "d": ["e"]}]}),
        (
            "sha256: 5b0d7e31\nchanged: 2026-05-28\n",
            {"sha256": "5b0d7e31", "changed": "2026-05-28"},
        ),
        ("a: arn:aws:iam::1:role/x", {"a": "arn:aws:iam::1:role/x"}),
        ('a: {"k:1": {}, b: []}', {"a": {"k:1": {}, "b": []}}),
    ],
)
def test_plain_things_are_plain(raw: str, value: dict[str, Any]) -> None:
    assert agrees(raw.encode())
    assert plain_yaml.read(raw.encode()) == plain_yaml.Plain(value, slow_lines(raw))


def slow_lines(raw: str) -> dict[str, int]:
    """Give the lines that the library tells for the paths that are plain."""
    plain = plain_yaml.read(raw.encode())
    assert plain is not None
    tree = strict_yaml.compose(raw.encode(), "")
    return {path: strict_yaml.line_of(tree, path) for path in plain.lines}


@pytest.mark.parametrize(
    "raw",
    [
        *("", "a", "- a", "a:\n", "a: &x b", "a: *x", "a: !t b", "a: |\n  b", "a: 0x1f", "a: 1e5"),
        *(
            "a: 017",
            "a: 1:30",
            "a: '",
            'a: "\\n"',
            "a: é",
            "a:\tb",
            "a: b\r\n",
            "a: {b: c",
            "a: b: c",
        ),
        *("a: [b,]", "true: a", "? a", "a: b\n...\n", "a: b\n---\nc: d", "a: [b]c", "a: 'b'c"),
        "a: " + "[" * 50 + "]" * 50,
        "a: " + "b" * 1000,
    ],
)
def test_of_what_is_not_plain_nothing_is_said(raw: str) -> None:
    assert plain_yaml.read(raw.encode()) is None


def test_what_is_wrong_is_said_as_ever() -> None:
    good = MANIFESTS[0].read_bytes()
    for wrong, said in (
        (good + b"metadata: {}\n", "given twice"),
        (good.replace(b"kind: ModelDeployment", b"knid: ModelDeployment"), "unknown field `knid`"),
    ):
        with pytest.raises(InputError, match=said):
            deployment.decode(wrong, place="m.yaml")
