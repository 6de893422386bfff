"""Commands of the Azure CLI that take something away.

A role assignment cannot be denied to somebody by a command, so it is deleted. What it said, its
condition too, is kept in a file first, from which it is put back under its own name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from modelreach.gate.commands.shell import Commands, Provider, Step, is_plain, line
from modelreach.report import CredentialRow

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ARM = "https://management.azure.com"
_GRAPH = "https://graph.microsoft.com/v1.0"
_SCOPE = re.compile(r"/|/(?:subscriptions|providers/microsoft\.management)/.+")
_KINDS = ("secret", "key", "certificate", "storage")


def _deny(step: Step) -> Commands | None:
    said = _read(step.statement)
    if not is_plain(step.target, step.sid, step.subject):
        return None
    if step.layer == "access-policy":
        return _access_policy(step, said)
    if "actions" in said or "dataActions" in said:
        return _assignment(step)
    if "value" in said:
        return _app_role(step)
    return _directory_role(step) if "allowedResourceActions" in said else None


def _read(statement: str) -> Mapping[str, Any]:
    try:
        found: object = json.loads(statement)
    except (ValueError, RecursionError):
        return {}
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _assignment(step: Step) -> Commands | None:
    """https://learn.microsoft.com/rest/api/authorization/role-assignments"""
    if not (_SCOPE.fullmatch(step.target) and _UUID.fullmatch(step.sid)):
        return None
    scope = step.target.rstrip("/")
    name = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{step.sid}"
    url = f"--url={_ARM}{name}?api-version=2022-04-01"
    kept = ("roleDefinitionId", "principalId", "principalType", "condition", "conditionVersion")
    query = ", ".join(f"{one}: properties.{one}" for one in kept)
    return _kept(
        f"modelreach-cut-{step.number}.json",
        ("--method=get", url, f"--query={{properties: {{{query}}}}}"),
        ("--method=delete", url),
        ("--method=put", url),
        f"Azure, {step.target}",
    )


def _app_role(step: Step) -> Commands | None:
    """https://learn.microsoft.com/graph/api/serviceprincipal-delete-approleassignedto"""
    if not (_UUID.fullmatch(step.target) and _NAME.fullmatch(step.sid)):
        return None
    listed = f"{_GRAPH}/servicePrincipals/{step.target}/appRoleAssignedTo"
    return _of_graph(step, listed, ("principalId", "resourceId", "appRoleId"))


def _directory_role(step: Step) -> Commands | None:
    """https://learn.microsoft.com/graph/api/unifiedroleassignment-delete"""
    if not _NAME.fullmatch(step.sid):
        return None
    listed = f"{_GRAPH}/roleManagement/directory/roleAssignments"
    return _of_graph(step, listed, ("principalId", "roleDefinitionId", "directoryScopeId"))


def _of_graph(step: Step, listed: str, kept: tuple[str, ...]) -> Commands:
    one = f"--url={listed}/{step.sid}"
    query = ", ".join(f"{name}: {name}" for name in kept)
    return _kept(
        f"modelreach-cut-{step.number}.json",
        ("--method=get", one, f"--query={{{query}}}"),
        ("--method=delete", one),
        ("--method=post", f"--url={listed}"),
        "Entra ID",
    )


def _kept(
    file: str, get: tuple[str, ...], delete: tuple[str, ...], put: tuple[str, ...], where: str
) -> Commands:
    """Keep what there is in a file, take it away; put it back from the file."""
    rest = ("az", "rest")
    return Commands(
        revoke=(f"{line(*rest, *get, '--output=json')} > {file}", line(*rest, *delete)),
        undo=(line(*rest, *put, f"--body=@{file}"),),
        where=where,
    )


def _access_policy(step: Step, said: Mapping[str, Any]) -> Commands | None:
    """https://learn.microsoft.com/cli/azure/keyvault#az-keyvault-set-policy"""
    parts = step.target.split("/")
    whom = str(said.get("objectId") or "")
    given = said.get("permissions")
    if len(parts) != 9 or not _UUID.fullmatch(whom) or not isinstance(given, dict):
        return None
    vault = [f"--subscription={parts[2]}", f"--name={parts[8]}", f"--object-id={whom}"]
    if said.get("applicationId"):
        vault.append(f"--application-id={said['applicationId']}")
    lists = cast("dict[str, list[object]]", given)
    back: list[str] = []
    for kind in _KINDS:
        verbs = [str(verb) for verb in lists.get(kind if kind == "storage" else f"{kind}s") or ()]
        back += [f"--{kind}-permissions", *verbs] if verbs else []
    if not back or not is_plain(*vault, *back):
        return None
    return Commands(
        revoke=(line("az", "keyvault", "delete-policy", *vault),),
        undo=(line("az", "keyvault", "set-policy", *vault, *back),),
        where=f"Azure, {step.target}",
    )


def _stop(identity: str) -> Commands | None:
    """A principal that is disabled gets no tokens; those that it has run out.

    https://learn.microsoft.com/entra/identity/enterprise-apps/disable-user-sign-in-portal
    """
    if not _UUID.fullmatch(identity):
        return None
    update = ("az", "ad", "sp", "update", f"--id={identity}", "--set")
    return Commands(
        revoke=(line(*update, "accountEnabled=false"),),
        undo=(line(*update, "accountEnabled=true"),),
        where="Entra ID",
    )


def _key(row: CredentialRow) -> Commands | None:
    """A secret of an application can only be removed; keys of an account are refused, all of them,
    until that is taken back.

    https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent
    """
    if not is_plain(row.id, row.principal):
        return None
    if row.kind in ("client-secret", "certificate"):
        return _of_application(row)
    account = row.principal
    if not account.startswith("/subscriptions/"):
        return None
    if row.kind == "storage-key":
        update = ("az", "storage", "account", "update", f"--ids={account}")
        revoke, undo = (f"--allow-shared-key-access={word}" for word in ("false", "true"))
    elif row.kind == "cognitive-key":
        update = ("az", "resource", "update", f"--ids={account}", "--set")
        revoke, undo = (f"properties.disableLocalAuth={word}" for word in ("true", "false"))
    else:
        return None
    return Commands((line(*update, revoke),), (line(*update, undo),), f"Azure, {account}")


def _of_application(row: CredentialRow) -> Commands | None:
    """Which of the two holds a credential is told where it is not the principal itself."""
    holder, _, key = row.id.partition("/credentials/")
    if holder == row.principal or not (_UUID.fullmatch(holder) and _UUID.fullmatch(key)):
        return None
    named = [f"--id={holder}", f"--key-id={key}"]
    named += ["--cert"] if row.kind == "certificate" else []
    return Commands(
        revoke=(line("az", "ad", "app", "credential", "delete", *named),), where="Entra ID"
    )


AZURE = Provider(_deny, _stop, _key)
