"""The connector as the program knows it: collect or replay, list its calls, give its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modelreach.collect.extras import needing
from modelreach.collect.recording import prepare
from modelreach.model import InputError
from modelreach.plugins import CallPermission, CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_azure import recording, sources
from modelreach_azure.answers import Answer
from modelreach_azure.calls import CALLS
from modelreach_azure.parse import parse

#: App id of Microsoft Graph, whose application permissions these are, in every tenant.
_GRAPH: Final = "00000003-0000-0000-c000-000000000000"
_DATA: Final = frozenset(call.permission for call in CALLS if call.data)


@dataclass(frozen=True, slots=True)
class AzureConnector:
    """Azure and Entra ID. `attempts` is how often a call is made in all before its refusal is
    believed."""

    name: str = "azure"
    attempts: int = 8

    def collect(self, options: CollectOptions) -> Snapshot:
        """Read the tenant, or replay `options.sources`. Refused calls become gaps.

        Raises `NothingCollected` when nothing answered, `InputError` for unusable sources or
        endpoints, `MissingExtra` when Azure is to be asked and its libraries are not installed.
        """
        if options.record:
            prepare(options.record)
        if options.sources:
            taken_at, answers = sources.read(options.sources, now=options.now)
        else:
            taken_at, answers = options.now, self._live(options)
        if options.record:
            recording.write(options.record, answers, taken_at=taken_at)
        return parse(answers, taken_at)

    def _live(self, options: CollectOptions) -> tuple[Answer, ...]:
        with needing("azure", "collecting from Azure"):
            from modelreach_azure.live import read_estate
        return read_estate(options, attempts=self.attempts)

    def calls(self) -> Sequence[CallPermission]:
        """Every call that `collect` may make, once for each permission that it needs."""
        return tuple(
            CallPermission(call.service.value, call.operation, permission, call.feeds)
            for call in CALLS
            for permission in call.permissions
        )

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """The least-privilege read access: custom roles as `az role definition create` takes
        them, and application permissions of Microsoft Graph.

        Given permissions, only these; `InputError` for one that no call needs.
        """
        needed = {permission for call in CALLS for permission in call.permissions}
        wanted = needed if permissions is None else set(permissions)
        for unknown in sorted(wanted - needed):
            raise InputError(
                f"`{unknown}` is not a permission of this connector",
                hint="`modelreach permissions azure` lists them",
            )
        graph = sorted(one for one in wanted if "/" not in one)
        found: dict[str, object] = {
            "customRole": _role(
                "modelreach reader",
                "/providers/Microsoft.Management/managementGroups/TENANT-ID",
                actions=sorted(one for one in wanted - _DATA if "/" in one),
            )
        }
        if wanted & _DATA:
            # A role with data actions cannot be assigned on a management group:
            # https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-limits
            found["customDataRole"] = _role(
                "modelreach agent reader",
                "/subscriptions/SUBSCRIPTION-ID",
                data_actions=sorted(wanted & _DATA),
            )
        return {
            **found,
            "graphApplicationPermissions": {"resourceAppId": _GRAPH, "permissions": graph},
        }


def _role(
    name: str, scope: str, *, actions: Sequence[str] = (), data_actions: Sequence[str] = ()
) -> dict[str, object]:
    return {
        "Name": name,
        "Description": "What modelreach reads: no keys, no secret values.",
        "Actions": list(actions),
        "NotActions": [],
        "DataActions": list(data_actions),
        "NotDataActions": [],
        "AssignableScopes": [scope],
    }
