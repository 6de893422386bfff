"""No secret of an imported file is in the draft, in what the program says, or in an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.deployment import decode
from modelreach.draft.secrets import clean_url, looks_secret
from modelreach.model import ModelreachError

FILES = Path(__file__).resolve().parents[2] / "fixtures" / "manifests"
Program = Callable[..., tuple[int, str, str]]
Drafted = Callable[..., str]

#: Nothing else that a test writes holds this letter.
SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30).map(
    lambda text: f"Ω{text}Ω"
)
TOKENS = st.from_regex(r"sk-[A-Za-z0-9]{24,40}", fullmatch=True)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="Ω\x00"), min_size=1, max_size=12)


def kept_out(drafted: Drafted, file: str, raw: bytes, *secrets: str) -> None:
    try:
        text = drafted({file: raw})
        decode(text.encode(), place=file)
    except ModelreachError as error:
        text = f"{error.message} {error.hint}"
    for secret in secrets:
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text


@st.composite
def servers(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    secret = draw(SECRETS)
    server: dict[str, Any] = {
        "env": {draw(NAMES): secret},
        "headers": {draw(NAMES): f"Bearer {secret}"},
        "oauth": {"clientSecret": secret},
    }
    quoted = secret.encode().hex() + "Ω"
    if draw(st.booleans()):
        server["url"] = draw(
            st.sampled_from(
                [
                    f"https://me:{quoted}@mcp.example/x",
                    f"https://{quoted}@mcp.example/x",
                    f"https://mcp.example/x?key={quoted}&b=1",
                    f"https://mcp.example/x?{quoted}",
                    f"https://mcp.example/x#{quoted}",
                    f"//me:{quoted}@mcp.example",
                    f"x:y:{quoted}@z?{quoted}",
                ]
            )
        )
        # A token that is the user or a parameter is no name: it is told by neither.
        server["url"] = server["url"].replace("Ω", "")
        return {draw(NAMES): server}, secret
    server["command"] = draw(st.sampled_from(["npx", "uvx", "docker", "node", "/bin/x"]))
    arguments = draw(
        st.permutations(["-y", "--token", secret, f"--api-key={secret}", f"K={secret}", "pkg"])
    )
    # Where a package is named, a package is meant.
    server["args"] = ["run", "-e", f"KEY={secret}", "image", *arguments]
    return {draw(NAMES): server}, secret


@settings(max_examples=60, deadline=None)
@given(servers(), st.sampled_from(["mcpServers", "servers", "mcp_servers", "context_servers"]))
def test_servers(drafted: Drafted, given_: tuple[dict[str, Any], str], key: str) -> None:
    configured, secret = given_
    raw = json.dumps({key: configured}).encode()
    hexed = secret.encode().hex()
    kept_out(drafted, "mcp.json", raw, secret, hexed)


@settings(max_examples=30, deadline=None)
@given(TOKENS)
def test_tokens_in_addresses(token: str) -> None:
    for url in (f"https://mcp.example/s/{token}/mcp", f"https://mcp.example/?{token}=1"):
        address, left_out = clean_url(url, "url")
        assert token not in address + "".join(left_out)
        assert left_out


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_an_address_is_always_cleaned(text: str) -> None:
    address, _ = clean_url(text, "url")
    assert "?" not in address
    assert "#" not in address
    assert "@" not in address.partition("//")[2].partition("/")[0]
    assert clean_url(address, "url")[0] == address


@pytest.mark.parametrize(
    "name",
    ["claude-sonnet-4-5-20250929-v1", "server-filesystem", "awslabs.iam-mcp-server", "run_query"],
)
def test_a_name_is_no_secret(name: str) -> None:
    assert not looks_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "xoxb-17653672481-19874698323",
        "sk-proj-abcdef123",
    ],
)
def test_a_token_is_one(text: str) -> None:
    assert looks_secret(text)


@settings(max_examples=40, deadline=None)
@given(SECRETS)
def test_pods(drafted: Drafted, secret: str) -> None:
    container = {
        "args": ["--api-key", secret, f"--token={secret}", "--model", f"https://{secret}@h/m"],
        "env": [{"name": "KEY", "value": secret}],
        "storageUri": f"https://u:{secret.encode().hex()}@h/m?sig={secret.encode().hex()}",
    }
    pod = {"containers": [container], "model": container}
    for kind, spec in (("Pod", pod), ("InferenceService", {"predictor": pod})):
        found = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
        raw = yaml.safe_dump(found, allow_unicode=True).encode()
        kept_out(drafted, "pod.yaml", raw, secret, secret.encode().hex())


@settings(max_examples=40, deadline=None)
@given(SECRETS)
def test_environments_of_runtimes(drafted: Drafted, secret: str) -> None:
    environment = {"KEY": secret, "MODEL_ID": secret}
    arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/x"
    runtime = {"agentRuntimeArn": arn, "environmentVariables": environment}
    graph = {"graphs": {"a": "./a.py:graph"}, "env": environment}
    deployment = {
        "endpoint_name": "x",
        "model": "azureml:x:1",
        "environment_variables": environment,
    }
    template = {
        "Parameters": {"Key": {"Default": secret}},
        "Resources": {
            "R": {
                "Type": "AWS::BedrockAgentCore::Runtime",
                "Properties": {
                    "EnvironmentVariables": environment,
                    "AgentRuntimeName": {"Ref": "Key"},
                },
            }
        },
    }
    for found in (runtime, graph, deployment, template):
        kept_out(drafted, "x.json", json.dumps(found).encode(), secret)


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.iterdir()))
def test_no_part_of_a_file_tells_a_secret(drafted: Drafted, name: str) -> None:
    """Also cut short, or with a byte that does not belong there."""
    raw = (FILES / name).read_bytes()
    for part in range(1, 25):
        cut = len(raw) * part // 24
        for piece in (raw[:cut], raw[:cut] + b"\xff" + raw[cut:], raw[:cut] + b"}" + raw[cut:]):
            try:
                text = drafted({name: piece})
            except ModelreachError as error:
                text = f"{error.message} {error.hint}"
                assert "\n" not in text
                assert name in text
            assert "made-up" not in text


def test_the_program_says_no_secret(program: Program, tmp_path: Path) -> None:
    names = sorted(path.name for path in FILES.iterdir())
    for result in program("manifest", "import", *names)[1:]:
        assert "made-up" not in result
