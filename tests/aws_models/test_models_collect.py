"""Runtimes of models over real HTTP: pages of one, refusals, and what is never asked or kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from modelreach.snapshot import Snapshot, encode
from modelreach_aws.calls_models import MODEL_CALLS

CANARY = b"hush-canary-value"
SERVICES: Final = ("bedrock", "sagemaker")
TABLE = {(call.service, call.operation): call for call in MODEL_CALLS}
#: What would give a stored secret away.
SECRETS = (
    "GetResourceApiKey",
    "GetResourceOauth2Token",
    "GetWorkloadAccessToken",
    "GetSecretValue",
    "CreatePresignedNotebookInstanceUrl",
    "CreatePresignedDomainUrl",
)

Collect = Callable[..., Any]


def models(snapshot: Snapshot) -> dict[str, bytes]:
    """Give the facts about models and agents: other services are not recorded here."""
    found = {
        "resources": [one for one in snapshot.resources if one.kind.startswith(SERVICES)],
        "runtimes": snapshot.runtimes,
        "credentials": snapshot.credentials,
        "attachments": [
            one for one in snapshot.attachments if one.target.split(":")[2].startswith(SERVICES)
        ],
    }
    return {name: msgspec.json.encode(facts) for name, facts in found.items()}


@pytest.fixture(scope="module")
def everything(collect: Collect) -> Any:
    return collect()


def test_read_over_http_is_what_is_replayed(
    everything: Any, account: Path, replay: Callable[..., Snapshot]
) -> None:
    """Pages hold one thing each, so every list is put together from several."""
    live = models(everything.snapshot)
    assert live == models(replay(account))
    assert live == models(replay(everything.recording))
    assert len(everything.snapshot.runtimes) > 40


def test_no_value_is_kept(everything: Any, account: Path) -> None:
    assert any(CANARY in path.read_bytes() for path in account.iterdir())
    assert CANARY not in encode(everything.snapshot)
    for path in everything.recording.rglob("*.json"):
        assert CANARY not in path.read_bytes(), path


def test_every_row_of_the_table_is_called(everything: Any) -> None:
    assert TABLE.keys() - set(everything.made) == set()


def test_nothing_that_gives_a_secret_is_called(everything: Any) -> None:
    assert {operation for _, operation in everything.made}.isdisjoint(SECRETS)
    permissions = {call.permission.partition(":")[2] for call in MODEL_CALLS}
    assert permissions.isdisjoint(SECRETS)
    assert not [name for name in permissions if "*" in name]


def test_asks_for_lists_page_by_page(everything: Any) -> None:
    made = everything.made
    assert made.count(("bedrock-agentcore-control", "ListGatewayTargets")) == 3
    assert made.count(("bedrock-agentcore-control", "GetGatewayTarget")) == 3
    assert made.count(("bedrock-agentcore-control", "ListGateways")) == 1
    assert made.count(("bedrock-agent", "ListAgents")) >= 2


def test_no_resource_policy_is_an_answer(everything: Any) -> None:
    """The server knows no policy of these, and says so as AWS does."""
    snapshot = everything.snapshot
    gaps = [gap.subject for gap in snapshot.gaps if gap.kind == "resource-policy"]
    assert not [name for name in gaps if name.split(":")[2].startswith(SERVICES)]
    runtime = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/support-abc"
    attached = [one.target for one in snapshot.attachments if one.kind == "resource"]
    assert runtime in attached
    assert f"{runtime}/runtime-endpoint/live" not in attached


# --- refusals ----------------------------------------------------------------------------------

LISTS = sorted(key for key, call in TABLE.items() if not call.after)


@pytest.fixture(scope="module")
def nothing(collect: Collect, refused: Any) -> Any:
    """What is read when every list is refused."""
    no = refused("AccessDeniedException", "not authorized to perform this")
    return collect(dict.fromkeys(LISTS, no))


@pytest.mark.parametrize(("service", "operation"), LISTS)
def test_refused_list_is_a_gap_of_each_of_its_kinds(
    service: str, operation: str, nothing: Any
) -> None:
    call = TABLE[service, operation]
    gaps = [gap for gap in nothing.snapshot.gaps if gap.operation == f"{service}:{operation}"]
    assert {gap.kind for gap in gaps} == set(call.kinds)
    assert {(gap.reason, gap.permission) for gap in gaps} == {("denied", call.permission)}
    covered = {(row.kind, row.region): row.complete for row in nothing.snapshot.coverage}
    for kind in call.kinds:
        assert covered[kind, "eu-west-1"] is False


def test_nothing_is_made_up_where_nothing_was_read(nothing: Any) -> None:
    """Other services are asked by other rows of the table."""
    kinds = {one.kind for one in nothing.snapshot.runtimes}
    assert "lambda:function" in kinds
    assert not [kind for kind in kinds if kind.startswith(SERVICES)]


@pytest.fixture(scope="module")
def partly(collect: Collect, refused: Any) -> Any:
    """What is read when some details are refused, throttled, or refused on a later page."""

    def first_only(sent: dict[str, Any]) -> Any:
        if sent.get("nextToken"):
            return refused("AccessDeniedException", "no more")
        arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:workload-identity-directory/d/a"
        return {
            "workloadIdentities": [{"name": "a", "workloadIdentityArn": arn}],
            "nextToken": "1",
        }

    no = refused("AccessDeniedException", "not authorized")
    core = "bedrock-agentcore-control"
    return collect(
        {
            ("bedrock-agent", "GetAgentVersion"): no,
            (core, "GetGateway"): refused("ThrottlingException", "slow down", 429),
            (core, "GetApiKeyCredentialProvider"): no,
            (core, "ListWorkloadIdentities"): first_only,
            ("sagemaker", "DescribeEndpointConfig"): no,
        }
    )


def gaps_of(run: Any, operation: str) -> Any:
    return [gap for gap in run.snapshot.gaps if gap.operation.endswith(f":{operation}")]


def test_refused_version_leaves_a_gap_and_no_role(partly: Any) -> None:
    alias = next(one for one in partly.snapshot.runtimes if one.kind == "bedrock:agent-alias")
    assert alias.version
    assert alias.identities == ()
    gaps = gaps_of(partly, "GetAgentVersion")
    assert "arn:aws:bedrock:eu-west-1:111122223333:agent/AGENTONE" in {g.subject for g in gaps}
    assert {gap.permission for gap in gaps} == {"bedrock:GetAgentVersion"}
    assert {gap.kind for gap in gaps} == {"runtimes:bedrock:agent", "runtimes:bedrock:agent-alias"}


def test_throttled_details_are_a_gap(partly: Any) -> None:
    arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/tools-abc"
    (gap,) = gaps_of(partly, "GetGateway")
    assert (gap.reason, gap.subject, gap.permission) == ("throttled", arn, "")
    (gateway,) = [one for one in partly.snapshot.runtimes if one.id == arn]
    assert gateway.identities == (), "it is there, though nothing more is known of it"


def test_stored_key_is_known_though_its_secret_is_not(partly: Any) -> None:
    (gap,) = gaps_of(partly, "GetApiKeyCredentialProvider")
    (key,) = [one for one in partly.snapshot.credentials if one.kind == "stored-api-key"]
    assert gap.subject == key.id
    assert key.created == "2025-09-01T00:00:00Z"
    assert "secret" not in key.attributes


def test_refused_configuration_hides_the_role_of_an_endpoint(partly: Any) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/scorer"
    kinds = {gap.kind for gap in gaps_of(partly, "DescribeEndpointConfig")}
    assert kinds == {"runtimes:sagemaker:endpoint", "runtimes:sagemaker:inference-component"}
    assert arn in {one.id for one in partly.snapshot.runtimes}


def test_page_that_is_refused_leaves_the_pages_before_it(partly: Any) -> None:
    kind = "bedrock-agentcore:workload-identity"
    assert [one.name for one in partly.snapshot.resources if one.kind == kind] == ["a"]
    assert [gap.reason for gap in partly.snapshot.gaps if gap.kind == kind] == ["denied"]
