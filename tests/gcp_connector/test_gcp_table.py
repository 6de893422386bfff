"""The table of calls against Google's own description of its interfaces, and the calls made."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from google_cloud.discovery import document, methods
from modelreach.model import InputError
from modelreach_gcp import GcpConnector
from modelreach_gcp.ask import client_class
from modelreach_gcp.call import Call, Stage
from modelreach_gcp.calls import CALLS
from modelreach_gcp.kept import KEPT
from modelreach_gcp.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "gcp-permissions.md"
#: The third version of IAM's interface is described in its typed clients alone.
DESCRIBED = tuple(call for call in CALLS if call.service != "iam.v3")
TYPED = tuple(call for call in CALLS if call.typed)
#: Where the inventory's description of a type is that of another version than is asked here.
OTHER_VERSIONS = {
    "run.googleapis.com/Service": ("metadata.", "spec."),
    "run.googleapis.com/Job": ("metadata.", "spec."),
    "notebooks.googleapis.com/Instance": ("serviceAccount",),
    "bigquery.googleapis.com/Dataset": ("defaultEncryptionConfiguration",),
}


def identifier(call: Call) -> str:
    return f"{call.service}:{call.method}"


def described(call: Call) -> dict[str, Any]:
    """Give Google's description of a call: the method with its path."""
    shape = re.sub(r"{\+?\w+}", "{}", call.path)
    prefix = document(call.service)["servicePath"]
    found = [
        one
        for one in methods(call.service)
        if one["httpMethod"] == call.http
        and shape in (_shape(prefix + one["path"]), _flat(one, prefix))
        and (
            call.method.rpartition(".")[2] in ("list", one["id"].rpartition(".")[2])
            or "Authentication" in call.method
        )
    ]
    assert found, f"{identifier(call)} is not in {call.service}"
    fitting = [one for one in found if one["id"].endswith(call.method)]
    return (fitting or found)[0]


def _shape(path: str) -> str:
    return re.sub(r"{\+?\w+}", "{}", path)


def _flat(one: dict[str, Any], prefix: str) -> str:
    """Give the shape of a path of which the first part is fixed: `locations/global`."""
    shape = _shape(prefix + one["path"])
    return shape.replace("v1/{}/workforcePools", "v1/locations/global/workforcePools")


@cache
def schema(service: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document(service)["schemas"][name]
    return found


@pytest.mark.parametrize("call", DESCRIBED, ids=identifier)
def test_method_and_parameters_are_googles(call: Call) -> None:
    method = described(call)
    known = set(method["parameters"])
    if "request" in method:
        known |= set(schema(call.service, method["request"]["$ref"])["properties"])
    assert set(call.fixed) <= known
    in_path = set(re.findall(r"{\+?(\w+)}", call.path))
    assert in_path <= known
    for name in in_path:
        assert method["parameters"][name]["location"] == "path"


@pytest.mark.parametrize("call", DESCRIBED, ids=identifier)
def test_the_list_is_in_the_answer(call: Call) -> None:
    if call.items and "*" not in call.items:
        answer = schema(call.service, described(call)["response"]["$ref"])["properties"]
        assert answer[call.items]["type"] == "array"
        assert "nextPageToken" in answer or call.service in ("container.v1", "iam.v1")


@pytest.mark.parametrize(
    "call", [call for call in DESCRIBED if call.asset], ids=lambda call: call.asset
)
def test_fields_that_are_kept_exist(call: Call) -> None:
    item = {"$ref": described(call)["response"]["$ref"]}
    if call.items and "*" not in call.items:
        item = schema(call.service, item["$ref"])["properties"][call.items]["items"]
    if "*" in call.items:
        item = {"$ref": "Instance"}
    foreign = OTHER_VERSIONS.get(call.asset, ())
    for path in KEPT[call.asset]:
        if not path.startswith(foreign or ("\0",)):
            assert _has(call.service, item, path.rstrip("!").split(".")), path


def _has(service: str, field: dict[str, Any], path: list[str]) -> bool:
    if not path:
        return True
    if "$ref" in field:
        field = schema(service, field["$ref"])
    if path[0] == "[]":
        return field.get("type") == "array" and _has(service, field["items"], path[1:])
    if field.get("type") == "any":
        return True
    inside = field.get("properties", {})
    return path[0] in inside and _has(service, inside[path[0]], path[1:])


@pytest.mark.parametrize("call", TYPED, ids=identifier)
def test_typed_clients_have_the_method(call: Call) -> None:
    module, _, name = call.typed.partition(":")
    kind, _, method = name.partition(".")
    assert callable(getattr(client_class(module, kind), method))


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_a_refusal_would_leave_a_gap(call: Call) -> None:
    # The list in bulk says itself what nothing else tells of.
    assert call.kinds or call.key == ("cloudasset.v1", "assets.list")


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_every_call_is_made_for_something(call: Call) -> None:
    keys = {one.key for one in CALLS}
    assert set(call.after) <= keys
    assert call.each or call.after or call.stage is Stage.ROOTS
    assert len(keys) == len(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_permission_reads_only(call: Call) -> None:
    verb = call.permission.rpartition(".")[2]
    reads = ("list", "get", "search", "query", "listResource")
    assert verb.startswith(reads) or call.service == "cloudidentity.v1"


def test_no_permission_reads_a_secret_value() -> None:
    values = {
        "secretmanager.versions.access",
        "storage.objects.get",
        "bigquery.tables.getData",
        "apikeys.keys.getKeyString",
        "iam.serviceAccountKeys.create",
        "iam.serviceAccounts.getAccessToken",
        "run.revisions.get",
    }
    assert values.isdisjoint(call.permission for call in CALLS)


def test_policy_is_the_tables() -> None:
    policy: Any = GcpConnector().policy()
    permissions = policy["customRole"]["includedPermissions"]
    assert set(permissions) | set(policy["inTheDirectory"]) == {call.permission for call in CALLS}
    assert permissions == sorted(set(permissions))
    assert not [one for one in permissions if "*" in one]
    assert set(policy["orPredefinedRoles"]) == {call.role for call in CALLS if call.role}


def test_policy_for_single_permissions() -> None:
    policy: Any = GcpConnector().policy(["iam.denypolicies.get"])
    assert policy["customRole"]["includedPermissions"] == ["iam.denypolicies.get"]
    assert policy["orPredefinedRoles"] == ["roles/iam.denyReviewer"]
    with pytest.raises(InputError, match=r"iam\.roles\.create"):
        GcpConnector().policy(["iam.roles.create"])


def test_reference_page_is_the_tables() -> None:
    assert PAGE.read_text() == page()
