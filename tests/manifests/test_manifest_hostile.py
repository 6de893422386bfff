"""Files made to harm: an error that names the file, in a moment, and quotes nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.deployment import decode
from modelreach.draft.files import parsed
from modelreach.draft.write import flow
from modelreach.model import InputError
from modelreach.strict_yaml import Loader

Drafted = Callable[..., str]
Program = Callable[..., tuple[int, str, str]]

BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)
)
MERGED = b"a0: &a0 {x: 1}\n" + b"".join(
    b"a%d: &a%d {<<: [%s]}\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)
)
JUNK = {
    "nothing.json": b"{",
    "bomb.yaml": BOMB,
    "merged.yaml": MERGED,
    "loop.yaml": b"a: &a [*a]\n",
    "deep.json": b'{"a":' * 50_000,
    "deep.yaml": b"[" * 50_000,
    "deeper.yaml": b"a: " + b"[" * 200 + b"]" * 200,
    "deep.toml": b"a = " + b"[" * 5_000,
    "deep.tf": b"a = " + b"[" * 2_000,
    "large.json": b'{"a": "' + b"x" * (9 << 20) + b'"}',
    "many.json": b'{"a": [' + b"1," * 450_000 + b"1]}",
    "utf16.json": '{"mcpServers": {}}'.encode("utf-16"),
    "not-utf8.yaml": b"kind: \xff\xfe",
    "twice.json": b'{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}',
    "twice-in-comments.json": b'{"a": {"b": 1, "b": 2,}, // c\n}',
    "twice.yaml": b"kind: Pod\nkind: Pod\n",
    "twice.toml": b"a = 1\na = 2\n",
    "tag.yaml": b"a: !!python/object/apply:os.system [x]\n",
    "number.json": b'{"a": ' + b"9" * 10_000 + b"}",
    "number.yaml": b"a: " + b"9" * 10_000,
}


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_an_error_that_names_the_file(name: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(name, JUNK[name])
    assert name in caught.value.place
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b'{"mcpServers": {"a": {"command": ["x"], "args": {"b": 1}, "env": [1], "url": 7}}}',
        b'{"mcpServers": {"a": {"command": "x", "args": [1, null], "autoApprove": {"b": 1}}}}',
        b'{"tools": [{"name": "a", "inputSchema": {}, "annotations": [1]}]}',
        b'{"agent": {"agentName": "a", "actionGroups": {"b": 1}, "guardrailConfiguration": 3}}',
        b'{"agentRuntimeArn": "x", "environmentVariables": [1], "roleArn": {"a": 1}}',
        b'{"bomFormat": "CycloneDX", "components": [1, {"type": "machine-learning-model"}]}',
        b'{"bomFormat": "CycloneDX", "services": [{"endpoints": [1]}], "metadata": []}',
        b'{"graphs": {"": "a:b"}}',
        b'{"name": "a", "skills": [1], "capabilities": {}, "url": "::::"}',
        b'{"Resources": {"A": {"Type": "AWS::Bedrock::Agent", "Properties": ["x"]}}}',
        b'{"Resources": {"A": {"Type": "AWS::Bedrock::Agent"}}}',
        b'{"kind": "List", "apiVersion": "v1", "items": [{"kind": "Pod", "apiVersion": "v1"}]}',
        b'{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"env": [{"name": 1}]}]}}',
    ],
)
def test_a_wrong_shape_is_passed_over(drafted: Drafted, raw: bytes) -> None:
    decode(drafted({"x.json": raw}).encode(), place="draft")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_names_are_text_whatever_they_hold(drafted: Drafted, name: str, version: str) -> None:
    """A name cannot end its line, its comment or its quotes."""
    import json

    card = {"name": f"a{name}", "version": version, "url": "https://a.example", "skills": []}
    servers = {f"a{name}": {"command": f"x{name}", "env": {version: "secret"}}}
    raw = json.dumps(card | {"capabilities": {}, "mcpServers": servers}).encode()
    found = decode(drafted({"card.json": raw}).encode(), place="draft")
    shown = "".join("�" if 0xD800 <= ord(c) < 0xE000 else c for c in f"a{name}")
    assert found.metadata.name == shown
    assert [tool.id for tool in found.spec.tools or ()] == [shown]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_a_value_is_written_as_it_is(value: object) -> None:
    loader = Loader(f"a: {flow(value)}")
    assert loader.get_single_data() == {"a": value}


def test_a_hostile_file_is_told_of_safely(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(
        '{"mcpServers": {"\\u001b[31mred": {"command": "x", "env": {"\\u202eKEY": "v"}}}}'
    )
    code, out, err = program("manifest", "import", path)
    assert code == 0
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err
