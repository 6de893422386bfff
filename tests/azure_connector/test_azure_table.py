"""The table of calls against itself, the calls really made, and what it is printed as."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelreach.model import InputError
from modelreach_azure import AzureConnector
from modelreach_azure.call import Call, Service, Where
from modelreach_azure.calls import CALLS
from modelreach_azure.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "azure-permissions.md"
#: Actions that read and hand out what opens something.
HANDS_OUT = re.compile(r"list.*key|secret.*/(get|list)|credential|appsettings|getsecret", re.I)


def identifier(call: Call) -> str:
    return f"{call.service.value}:{call.operation}"


def test_operations_are_told_apart() -> None:
    names = [call.operation for call in CALLS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_a_refusal_would_leave_a_gap(call: Call) -> None:
    assert bool(call.kinds) != bool(call.facet), "one of the two says what is missing"
    assert not call.facet or call.subject, "a facet is of something"
    assert (call.where is Where.THING) == bool(call.subject)


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_each_call_only_reads(call: Call) -> None:
    for permission in call.permissions:
        if call.service is Service.GRAPH:
            assert re.fullmatch(r"\w+\.Read(\.\w+)?(\.All)?", permission), permission
        else:
            assert permission.startswith("Microsoft.")
            assert permission.endswith("/read")
            assert "*" not in permission
        assert not HANDS_OUT.search(permission.removesuffix("federatedIdentityCredentials/read"))
    assert (call.body is not None) == (call.service is Service.RESOURCE_GRAPH)


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_parents_are_in_the_table(call: Call) -> None:
    assert set(call.after) <= {one.operation for one in CALLS}
    assert (call.where is Where.THING) == bool(call.after or call.lastly)
    written = " ".join((call.path, *call.query.values()))
    names = set(re.findall(r"{(\w+)}", written)) - {"place", "tenant"}
    thing = "endpoint" if call.service is Service.FOUNDRY else "id"
    assert names == ({thing} if call.where is Where.THING else set())


def test_every_call_of_the_table_is_made(read: Any) -> None:
    made = {
        (file["service"], answer["operation"])
        for file in (json.loads(p.read_bytes()) for p in read.recording.glob("azure/**/*.json"))
        for answer in file["answers"]
    }
    assert made == {(call.service.value, call.operation) for call in CALLS}


def test_the_role_is_the_table_s() -> None:
    policy: Any = AzureConnector().policy()
    graph = policy["graphApplicationPermissions"]["permissions"]
    needed = {permission for call in CALLS for permission in call.permissions}
    role, of_data = policy["customRole"], policy["customDataRole"]
    assert {*role["Actions"], *of_data["DataActions"], *graph} == needed
    assert role["DataActions"] == of_data["Actions"] == []
    assert of_data["DataActions"] == [
        "Microsoft.CognitiveServices/accounts/AIServices/agents/read"
    ]
    assert "Microsoft.KeyVault/vaults/secrets/read" in policy["customRole"]["Actions"]
    assert "Application.Read.All" in graph


def test_the_role_fits_into_a_custom_role() -> None:
    """Of 2,000 actions and 128 kB: https://learn.microsoft.com/azure/role-based-access-control/custom-roles"""
    role: Any = AzureConnector().policy()["customRole"]
    assert len(role["Actions"]) < 2000
    assert set(role) >= {"Name", "Description", "Actions", "AssignableScopes"}


def test_policy_for_single_permissions() -> None:
    policy: Any = AzureConnector().policy(["AuditLog.Read.All", "Microsoft.KeyVault/vaults/read"])
    assert policy["customRole"]["Actions"] == ["Microsoft.KeyVault/vaults/read"]
    assert policy["graphApplicationPermissions"]["permissions"] == ["AuditLog.Read.All"]
    assert "customDataRole" not in policy
    with pytest.raises(InputError, match="is not a permission"):
        AzureConnector().policy(["Directory.ReadWrite.All"])


def test_what_is_printed_is_the_policy() -> None:
    program = Path(sys.executable).with_name("modelreach")
    done = subprocess.run([program, "permissions", "azure"], capture_output=True, check=True)
    assert json.loads(done.stdout) == AzureConnector().policy()


def test_reference_page_is_the_table_s() -> None:
    assert PAGE.read_text() == page()
