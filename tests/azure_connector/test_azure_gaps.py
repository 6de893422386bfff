"""What is refused, throttled, cut off or late leaves a gap that says what would close it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from azure_agent.builder import guid
from azure_agent.server import Cloud, Fault
from modelreach.collect.answers import Refusal
from modelreach.model import InputError, NothingCollected
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Gap, Snapshot, encode
from modelreach_azure import AzureConnector, sources
from modelreach_azure.ask import ask
from modelreach_azure.calls import CALLS
from modelreach_azure.parse import parse
from modelreach_azure.wire import connect

GRAPH = r"^/(v1\.0|beta)/"


def kinds(snapshot: Snapshot, reason: str = "") -> set[str]:
    return {gap.kind for gap in snapshot.gaps if reason in ("", gap.reason)}


def incomplete(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {(row.scope, row.kind) for row in snapshot.coverage if not row.complete}


def test_graph_refused_whole_leaves_arm(collect: Any, fresh: Any) -> None:
    fresh.cloud.faults.append(Fault(GRAPH, 403, "Authorization_RequestDenied"))
    found = collect(fresh.cloud)
    tenant = fresh.cloud.tenant
    expected = {
        *("principals", "applications", "agents", "groups", "owners", "trust", "credentials"),
        *("directory-roles", "delegated-permissions", "administrative-units", "usage"),
        "credential-restrictions",
    }
    assert expected <= kinds(found, "denied")
    assert {(tenant, kind) for kind in expected} <= incomplete(found)
    assert {gap.permission for gap in found.gaps if gap.kind == "groups"} == {
        "GroupMember.Read.All"
    }
    assert len(found.resources) > 20
    holder = {p.id: p for p in found.principals}[guid("identity/id-support-v2")]
    assert holder.kind == "service-principal", "the assignment says so much"


def test_one_subscription_refused_says_so_of_everything_in_it(collect: Any, fresh: Any) -> None:
    fresh.cloud.faults.append(Fault(f"^{fresh.data}/providers/"))
    found = collect(fresh.cloud)
    of_data = {kind for scope, kind in incomplete(found) if scope == fresh.data}
    assert {"bindings", "deny", "eligible", "locks", "microsoft.keyvault/vaults"} <= of_data
    assert not {kind for scope, kind in incomplete(found) if scope == fresh.agents}
    resources = [g for g in found.gaps if g.scope == fresh.data and g.kind == "resources"]
    assert [gap.permission for gap in resources] == [
        "Microsoft.Authorization/roleAssignments/read"
    ]


def test_a_subscription_that_is_not_shown_is_known_to_exist(collect: Any, fresh: Any) -> None:
    fresh.cloud.subscriptions.pop()
    tables = fresh.cloud.tables
    for name, rows in tables.items():
        tables[name] = [row for row in rows if not row["id"].startswith(fresh.data)]
    found = collect(fresh.cloud)
    (gap,) = [gap for gap in found.gaps if gap.kind == "subscription"]
    assert (gap.subject, gap.reason) == (fresh.data, "denied")
    assert fresh.data in {scope.id for scope in found.scopes}
    assert not [row for row in found.coverage if row.scope == fresh.data]


def test_who_may_become_a_member_is_not_told(collect: Any, fresh: Any) -> None:
    fresh.cloud.faults.append(Fault("/privilegedAccess/group/", 403, "PermissionScopeNotGranted"))
    found = collect(fresh.cloud)
    (gap, *_) = [gap for gap in found.gaps if gap.subject == guid("group/readers")]
    assert (gap.kind, gap.reason) == ("eligible", "denied")
    assert gap.permission == "PrivilegedEligibilitySchedule.Read.AzureADGroup"


@pytest.mark.parametrize("code", ["AadPremiumLicenseRequired", "ResourceNotFound"])
def test_a_group_that_nobody_manages_so_has_nobody_eligible(
    collect: Any, fresh: Any, code: str
) -> None:
    fresh.cloud.faults.append(Fault("/privilegedAccess/group/", 400, code))
    found = collect(fresh.cloud)
    assert not [gap for gap in found.gaps if gap.subject == guid("group/readers")]


def test_a_group_whose_members_are_refused_is_named(collect: Any, fresh: Any) -> None:
    nested = guid("group/nested")
    fresh.cloud.faults.append(Fault(f"/groups/{nested}/members"))
    found = collect(fresh.cloud)
    (gap,) = [gap for gap in found.gaps if gap.kind == "groups"]
    assert (gap.subject, gap.permission) == (nested, "GroupMember.Read.All")
    about = {p.id: p for p in found.principals}[nested].attributes
    assert "members_read" not in about


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.service.value}:{call.operation}")
def test_each_refusal_leaves_a_gap_with_its_permission(
    call: Any, refused: dict[str, list[Gap]]
) -> None:
    gaps = refused[f"{call.service.value}:{call.operation}"]
    assert gaps
    assert {gap.permission for gap in gaps} == {call.permission}
    assert {gap.reason for gap in gaps} == {"denied"}


@pytest.fixture(scope="module")
def refused(read: Any) -> dict[str, list[Gap]]:
    """The gaps of a run of which every answer was a refusal, by operation."""
    _, answers = sources.read([read.recording], now="")
    found: dict[str, list[Gap]] = {}
    for operation in {one.operation for one in answers}:
        changed = [
            msgspec.structs.replace(one, response=None, error=Refusal("denied", "Forbidden"))
            if one.operation == operation.removeprefix("managementGroup.")
            or one.operation == operation
            or one.operation == f"managementGroup.{operation}"
            else one
            for one in answers
        ]
        for gap in parse(changed, "2026-11-24T00:00:00Z").gaps:
            if gap.operation:
                found.setdefault(gap.operation, []).append(gap)
    return found


def test_throttling_is_waited_out(collect: Any, fresh: Any, read: Any) -> None:
    soon = {"x-ms-retry-after-ms": "5"}
    fresh.cloud.faults += [
        Fault("ResourceGraph/resources resources ", 429, "RateLimiting", "", soon, times=2),
        Fault("/v1.0/applications$", 429, "TooManyRequests", "", {"Retry-After": "1"}, times=1),
    ]
    assert encode(collect(fresh.cloud)) == encode(read.snapshot)


def test_throttling_without_end_is_a_gap(collect: Any, fresh: Any) -> None:
    soon = {"x-ms-retry-after-ms": "5"}
    fresh.cloud.faults.append(Fault("/v1.0/oauth2PermissionGrants", 429, "Slow", "", soon))
    found = collect(fresh.cloud)
    assert kinds(found, "throttled") == {"delegated-permissions"}


@pytest.mark.parametrize(
    "body",
    [b'{"value": [{"id": "half', b"<html>hello</html>", b"[]", b'"text"', b"", b"\xff\xfe"],
)
def test_what_only_looks_like_an_answer_is_malformed(
    collect: Any, fresh: Any, body: bytes
) -> None:
    fresh.cloud.faults.append(Fault("/v1.0/groups$", 200, body=body or b" "))
    found = collect(fresh.cloud)
    assert "groups" in kinds(found, "malformed")
    assert (fresh.cloud.tenant, "groups") in incomplete(found)


def test_a_later_page_that_is_refused_keeps_the_first(collect: Any, fresh: Any) -> None:
    fresh.cloud.page = 3
    cloud = _RefusesLater(fresh.cloud, "/v1.0/servicePrincipals$")
    found = collect(cloud)
    assert "principals" in kinds(found, "denied")
    assert any(p.kind == "managed-identity" for p in found.principals)


class _RefusesLater(Cloud):
    """A cloud that gives the first page of a path, and refuses the others, however often either
    is asked for."""

    def __init__(self, cloud: Cloud, path: str) -> None:
        super().__init__(**{name: getattr(cloud, name) for name in cloud.__dataclass_fields__})
        self.path = path

    def fault(self, path: str, page: str = "") -> Fault | None:
        if page and re.search(self.path, path):
            return Fault(self.path, 403, "Authorization_RequestDenied")
        return super().fault(path, page)


def test_tenants_without_the_licence_have_nobody_eligible(collect: Any, fresh: Any) -> None:
    fresh.cloud.faults.append(
        Fault("roleEligibilityScheduleInstances", 400, "AadPremiumLicenseRequired")
    )
    found = collect(fresh.cloud)
    assert found.gaps == ()
    assert not [b for b in found.bindings if b.status == "eligible" and "#" not in b.id]


def test_what_went_away_meanwhile_is_not_read_as_empty(collect: Any, fresh: Any) -> None:
    fresh.cloud.faults.append(
        Fault("/vaults/kv-ml/keys", 404, "ResourceNotFound", "The vault was not found.")
    )
    found = collect(fresh.cloud)
    (gap,) = found.gaps
    assert (gap.kind, gap.reason) == ("microsoft.keyvault/vaults/keys", "not-collected")
    assert gap.subject == fresh.of("Microsoft.KeyVault/vaults", "kv-ml")


def test_what_one_list_has_and_another_does_not_yet(collect: Any, fresh: Any) -> None:
    """Replicas are not in step: a member that the list of principals lacks, a row told twice."""
    graph = fresh.cloud.lists
    graph["/v1.0/serviceprincipals"] = [
        row for row in graph["/v1.0/serviceprincipals"] if row["id"] != guid("sp/connector")
    ]
    graph["/v1.0/groups"].append(graph["/v1.0/groups"][0])
    found = collect(fresh.cloud)
    late = {p.id: p for p in found.principals}[guid("sp/connector")]
    assert late.kind == "service-principal"
    assert late.groups == (guid("group/nested"),)
    ids = [p.id for p in found.principals]
    assert len(ids) == len(set(ids))


def test_a_role_that_nobody_tells_of_is_named(collect: Any, fresh: Any) -> None:
    role = f"/providers/microsoft.authorization/roledefinitions/{guid('role/gone')}"
    fresh.cloud.at_scope["roleassignments"][0]["properties"]["roleDefinitionId"] = role
    fresh.cloud.tables["authorizationresources"] = [
        row
        for row in fresh.cloud.tables["authorizationresources"]
        if row["id"] != fresh.cloud.at_scope["roleassignments"][0]["id"]
    ]
    first = fresh.cloud.at_scope["roleassignments"][0]
    fresh.cloud.tables["authorizationresources"].append({**first, "type": first["type"].lower()})
    found = collect(fresh.cloud)
    assert [(g.kind, g.subject, g.scope) for g in found.gaps] == [("roles", role, "/")]


def test_a_management_group_refused_is_told_by_what_is_below(collect: Any, fresh: Any) -> None:
    group = "^/providers/Microsoft.Management/managementGroups/acme-models/providers/"
    fresh.cloud.faults.append(Fault(group + "Microsoft.Authorization/(?!policySet)"))
    assert collect(fresh.cloud).gaps == ()


def test_more_subscriptions_than_a_query_goes_through(collect: Any, fresh: Any) -> None:
    answer = b'{"data": [], "count": 0, "resultTruncated": "true"}'
    fresh.cloud.faults.append(
        Fault("ResourceGraph/resources authorizationresources", 200, body=answer)
    )
    found = collect(fresh.cloud)
    gaps = {(g.scope, g.kind, g.reason) for g in found.gaps if g.kind == "bindings"}
    assert gaps == {(scope, "bindings", "not-collected") for scope in (fresh.agents, fresh.data)}


def test_nothing_at_all_is_an_error(fresh: Any, collect: Any) -> None:
    fresh.cloud.faults.append(Fault(".", 401, "InvalidAuthenticationToken"))
    with pytest.raises(NothingCollected, match="does not have authorization"):
        collect(fresh.cloud)


def test_an_endpoint_that_is_not_there() -> None:
    options = CollectOptions(now="2026-11-24T00:00:00Z", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(NothingCollected, match="could not be reached"):
        AzureConnector(attempts=1).collect(options)


@pytest.mark.parametrize("url", ["http://azure.example", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_a_token_is_not_sent_in_plain_text(url: str) -> None:
    with pytest.raises(InputError, match="--endpoint-url"):
        AzureConnector().collect(CollectOptions(now="2026-11-24T00:00:00Z", endpoint_url=url))


def test_a_next_page_on_another_host_is_not_followed(collect: Any, fresh: Any) -> None:
    body = b'{"value": [], "@odata.nextLink": "http://127.0.0.1:9/v1.0/groups?more"}'
    fresh.cloud.faults.append(Fault("/v1.0/groups$", 200, body=body))
    found = collect(fresh.cloud)
    (gap,) = [gap for gap in found.gaps if gap.kind == "groups"]
    assert (gap.reason, gap.message) == (
        "malformed",
        "the endpoint gives a next page on another host",
    )


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/api/projects/p",
        "http://acme.services.ai.azure.com/api/projects/p",
        "https://services.ai.azure.com.evil.example/p",
        "",
    ],
)
def test_agents_are_asked_for_at_microsoft_s_hosts_only(endpoint: str) -> None:
    wire = connect(CollectOptions(now="2026-11-24T00:00:00Z"), attempts=1)
    try:
        (call,) = [call for call in CALLS if call.operation == "projects.agents"]
        response, refused = ask(wire, call, "", {"id": "/p", "endpoint": endpoint})
    finally:
        wire.close()
    assert response is None
    assert refused is not None
    assert (refused.reason, refused.code) == ("malformed", "")


def test_a_page_that_leads_to_itself_ends(collect: Any, fresh: Any) -> None:
    body = b'{"data": [], "$skipToken": "again"}'
    fresh.cloud.faults.append(Fault("ResourceGraph/resources resources ", 200, body=body))
    found = collect(fresh.cloud)
    assert "resources" in kinds(found, "malformed")
