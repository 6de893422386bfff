"""What is kept of answers: names, never values, and nothing that nobody needs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach_azure.needed import address
from modelreach_azure.redact import redacted

HUSH = "hush-value"


def kept(operation: str, properties: Any) -> str:
    response = {"value": [{"id": "/x", "type": "t", "properties": properties}]}
    return json.dumps(redacted(operation, response))


@pytest.mark.parametrize(
    "properties",
    [
        {"anything": HUSH},
        {"siteConfig": {"connectionStrings": [{"connectionString": HUSH}]}},
        {"template": {"containers": [{"env": [{"name": "A", "value": HUSH}]}], "scale": HUSH}},
        {"template": {"containers": [{"command": [HUSH], "args": [HUSH], "probes": [HUSH]}]}},
        {"configuration": {"secrets": [{"name": "a", "value": HUSH}], "registries": [HUSH]}},
        {"containers": [{"properties": {"environmentVariables": [{"secureValue": HUSH}]}}]},
        {"volumes": [{"secret": {"file": HUSH}}]},
        {"encryption": {"accountKey": HUSH}},
        {"scriptContent": HUSH, "arguments": HUSH, "outputs": {"a": HUSH}},
        {"definition": {"actions": HUSH}, "parameters": {"p": HUSH}},
    ],
)
def test_resources_keep_no_values(properties: Any) -> None:
    assert HUSH not in kept("resources", properties)


@pytest.mark.parametrize("operation", ["accounts.connections", "workspaces.connections"])
def test_connections_keep_where_they_lead(operation: str) -> None:
    text = kept(
        operation,
        {
            "authType": "SAS",
            "target": f"https://user:{HUSH}@store.example/c?sig={HUSH}#{HUSH}",
            "credentials": {"sas": HUSH},
            "metadata": {"ResourceId": "/r", "note": HUSH},
            "error": HUSH,
        },
    )
    assert HUSH not in text
    assert "https://store.example/c" in text
    assert "/r" in text


def test_agents_keep_where_their_tools_lead() -> None:
    tool = {
        "type": "mcp",
        "server_url": f"https://mcp.example/a?key={HUSH}",
        "headers": {"Authorization": HUSH},
        "openapi": {"spec": {"info": HUSH}, "auth": {"connection_id": "c"}},
    }
    definition = {
        "kind": "hosted",
        "model": "m",
        "instructions": HUSH,
        "tools": [tool, HUSH],
        "environment_variables": {"TOKEN": HUSH},
    }
    latest = {"version": "1", "metadata": {"m": HUSH}, "definition": definition}
    row = {"id": "a", "name": "a", "versions": {"latest": latest}, "agent_card": HUSH}
    text = json.dumps(redacted("projects.agents", {"value": [row]}))
    assert HUSH not in text
    for told in ("https://mcp.example/a", "connection_id", "TOKEN", "mcp"):
        assert told in text


@pytest.mark.parametrize(
    "name", ["secretText", "adminPassword", "primaryKey", "sasToken", "key", "clientSecret"]
)
def test_what_looks_like_a_secret_is_none_anywhere(name: str) -> None:
    assert HUSH not in kept("applications", {"deep": [{name: HUSH}]})


def test_tags_are_names_that_people_gave() -> None:
    response = {"value": [{"tags": {"key": "kept", "secret": "kept"}}]}
    assert redacted("resources", response) == response


def test_permissions_on_secrets_are_no_secrets() -> None:
    text = kept("resources", {"accessPolicies": [{"permissions": {"secrets": ["Get"]}}]})
    assert "Get" in text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("https://a.example/b", "https://a.example/b"),
        ("a.example/b?c", "a.example/b"),
        ("http://[", ""),
        (None, None),
        ("", ""),
    ],
)
def test_addresses(given: Any, told: Any) -> None:
    assert address(given) == told
