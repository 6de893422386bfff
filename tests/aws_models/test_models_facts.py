"""What the facts say of each kind of runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelreach import snapshot
from modelreach.policy.undecided import undecided

ARN = "arn:aws:{}:eu-west-1:111122223333:{}"
FUNCTION = ARN.format("lambda", "function:refunds")
SECRET = ARN.format("secretsmanager", "secret:prod/refunds-AbCdEf")

Facts = Callable[[str, str], tuple[Any, dict[str, Any]]]


def core(resource: str) -> str:
    return ARN.format("bedrock-agentcore", resource)


def bedrock(resource: str) -> str:
    return ARN.format("bedrock", resource)


def sagemaker(resource: str) -> str:
    return ARN.format("sagemaker", resource)


def role(name: str) -> str:
    return f"arn:aws:iam::111122223333:role/{name}"


def linked(runtime: Any, kind: str) -> list[str]:
    return [link.target for link in runtime.links if link.kind == kind]


def test_alias_routes_to_one_version(facts: Facts) -> None:
    _, old = facts("bedrock-agent", "old")
    _, new = facts("bedrock-agent", "new")
    agent, alias = bedrock("agent/AGENTONE"), bedrock("agent-alias/AGENTONE/ALIASONE")
    assert (old[alias].kind, old[alias].version) == ("bedrock:agent-alias", "3")
    assert linked(old[alias], "routes-to") == [f"{agent}:3"]
    assert linked(new[alias], "routes-to") == [f"{agent}:4"]
    assert new[alias].identities == (role("after"),)
    assert new[alias].attributes["model"] == new[f"{agent}:4"].attributes["model"]
    assert (new[agent].kind, new[agent].version) == ("bedrock:agent", "DRAFT")
    assert new[agent].identities == (role("unused"),), "the draft has its own role"
    assert new[f"{agent}:4"].kind == "bedrock:agent-version"


def test_action_groups_of_an_agent(facts: Facts) -> None:
    _, found = facts("bedrock-agent", "new")
    three, four = (found[bedrock(f"agent/AGENTONE:{n}")] for n in (3, 4))
    assert linked(four, "invokes") == [FUNCTION]
    assert linked(four, "pulls") == ["arn:aws:s3:::faq/schema.json"]
    assert linked(four, "guarded-by") == [bedrock("guardrail/guard1:2")]
    assert linked(three, "invokes") == [], "control is returned, and code is run apart"
    assert three.attributes["returns_control"] == ("gback",)
    assert three.attributes["code_interpreter"] is True


def test_knowledge_base_and_collaborator(facts: Facts) -> None:
    _, found = facts("bedrock-knowledge-and-collaborator", "new")
    agent = found[bedrock("agent/AGENTONE:1")]
    base = found[bedrock("knowledge-base/KBLEDGER")]
    assert linked(agent, "reads") == [base.id]
    assert linked(agent, "collaborates") == [bedrock("agent-alias/AGENTTWO/ALIASTWO")]
    assert base.identities == (role("after"),)
    assert set(linked(base, "reads")) == {"arn:aws:s3:::ledger", SECRET}
    assert base.attributes["store"] == "PINECONE"
    assert base.attributes["sources"] == ("CONFLUENCE", "S3")


def test_flow_nodes_inside_of_a_loop(facts: Facts) -> None:
    _, found = facts("bedrock-flow", "new")
    flow = bedrock("flow/FLOWONE")
    assert linked(found[f"{flow}/alias/FALIAS"], "routes-to") == [f"{flow}:2"]
    assert found[f"{flow}/alias/FALIAS"].kind == "bedrock:flow-alias"
    assert linked(found[f"{flow}:2"], "invokes") == [FUNCTION]
    assert linked(found[f"{flow}:2"], "writes") == ["arn:aws:s3:::faq"]
    assert found[flow].identities == (role("unused"),)


def test_bedrock_has_models_guardrails_and_logging(facts: Facts) -> None:
    snapshot, found = facts("bedrock-batch-job", "new")
    things = {one.kind: one for one in snapshot.resources}
    assert things["bedrock:guardrail"].name == "polite"
    assert things["bedrock:custom-model"].attributes["kms_key"] == ARN.format("kms", "key/0a1b")
    assert things["bedrock:custom-model"].attributes["sources"] == (
        "arn:aws:s3:::faq/train.jsonl",
    )
    assert things["bedrock:imported-model"].attributes["sources"] == ("arn:aws:s3:::faq/weights/",)
    logging = things["bedrock:model-invocation-logging"].attributes
    assert logging["log_group"] == ARN.format("logs", "log-group:/bedrock/calls")
    assert logging["buckets"] == ("arn:aws:s3:::faq/calls",)
    assert logging["images"] is False
    (attached,) = [one for one in snapshot.attachments if ":guardrail/" in one.target]
    assert attached.kind == "resource"
    job = found[bedrock("model-invocation-job/job000000001")]
    assert linked(job, "writes") == ["arn:aws:s3:::faq/out/"]


def test_endpoint_of_a_runtime_has_the_role_of_its_version(facts: Facts) -> None:
    _, found = facts("agentcore-runtime", "new")
    runtime = core("runtime/support-abc")
    live = found[f"{runtime}/runtime-endpoint/live"]
    default = found[f"{runtime}/runtime-endpoint/DEFAULT"]
    assert live.kind == "bedrock-agentcore:runtime-endpoint"
    assert linked(live, "routes-to") == [f"{runtime}:2"]
    assert live.identities == (role("after"),)
    assert default.identities == (role("unused"),)
    assert found[runtime].version == "3"
    assert found[runtime].identities == default.identities
    assert found[f"{runtime}:1"].kind == "bedrock-agentcore:runtime-version"
    assert linked(found[f"{runtime}:2"], "pulls") == [
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/support:2"
    ]
    assert found[runtime].attributes["environment"] == ("LOG_LEVEL",)


def test_harness(facts: Facts) -> None:
    _, found = facts("agentcore-harness", "new")
    harness = core("harness/desk-abc")
    assert found[f"{harness}/harness-endpoint/live"].identities == (role("after"),)
    one = found[f"{harness}:2"]
    assert one.attributes["model"] == "gpt-5"
    assert one.attributes["environment"] == ("TOKEN",)
    assert linked(one, "invokes") == ["https://wiki.example/mcp"]
    assert linked(one, "writes") == [ARN.format("sns", "audit")]
    assert core("token-vault/default/apikeycredentialprovider/crm") in linked(one, "uses")


def test_gateway_names_what_it_calls_and_with_what(facts: Facts) -> None:
    _, found = facts("agentcore-gateway", "new")
    gateway = found[core("gateway/tools-abc")]
    assert set(linked(gateway, "invokes")) == {FUNCTION, "https://tickets.example/mcp"}
    assert set(linked(gateway, "pulls")) == {"s3://faq/crm.json", "s3://faq/tools.json"}
    assert linked(gateway, "uses") == [
        core("token-vault/default/apikeycredentialprovider/crm"),
        core("token-vault/default/oauth2credentialprovider/tickets"),
    ]
    assert gateway.attributes["credentials"] == ("API_KEY", "GATEWAY_IAM_ROLE", "OAUTH")
    assert gateway.attributes["authorizer"] == "AWS_IAM"


def test_stored_keys_of_third_parties(facts: Facts) -> None:
    snapshot, _ = facts("agentcore-gateway", "new")
    found = {one.kind: one for one in snapshot.credentials}
    key, client = found["stored-api-key"], found["stored-oauth2-client"]
    assert key.id == core("token-vault/default/apikeycredentialprovider/crm")
    assert (key.principal, key.created, key.rotated) == ("crm", "2025-09-01T00:00:00Z", "")
    assert key.expires == "", "AgentCore does not know when the other party lets it expire"
    assert "bedrock-agentcore-identity!default/apikey/crm" in key.attributes["secret"]
    assert client.principal == "tickets"
    assert client.rotated == "2026-11-01T09:00:00Z"
    assert client.attributes["client"] == "support-agent"
    assert client.attributes["issuer"].startswith("https://login.tickets.example/")
    things = {one.kind: one for one in snapshot.resources}
    assert things["bedrock-agentcore:api-key-credential-provider"].id == key.id
    assert things["bedrock-agentcore:oauth2-credential-provider"].tags == {"owner": "support"}


def test_tools_with_a_role(facts: Facts) -> None:
    _, codes = facts("agentcore-code-interpreter", "new")
    _, browsers = facts("agentcore-browser", "new")
    code, browser = (
        codes[core("code-interpreter-custom/t-abc")],
        browsers[core("browser-custom/t-abc")],
    )
    for one in (code, browser):
        assert one.identities == (role("after"),)
        assert one.attributes["network"] == "PUBLIC"
    assert linked(browser, "writes") == ["arn:aws:s3:::faq/recordings"]


def test_memory_tells_where_it_writes(facts: Facts) -> None:
    _, found = facts("agentcore-memory", "new")
    memory = found[core("memory/notes-a1b2c3d4e5")]
    assert memory.name == "notes"
    assert linked(memory, "writes") == ["arn:aws:s3:::faq", ARN.format("sns", "memories")]


def test_endpoint_runs_as_the_roles_of_all_its_models(facts: Facts) -> None:
    _, found = facts("sagemaker-endpoint", "new")
    endpoint = found[sagemaker("endpoint/scorer")]
    assert endpoint.version == "c2"
    assert endpoint.identities == (role("after"), role("before"))
    assert "s3://faq/new.tar.gz" in linked(endpoint, "pulls")
    assert "111122223333.dkr.ecr.eu-west-1.amazonaws.com/scorer:latest" in linked(
        endpoint, "pulls"
    )
    assert endpoint.attributes["network_isolation"] is False
    assert endpoint.attributes["environment"] == ("TOKEN",)
    assert endpoint.tags == {"team": "risk"}
    assert found[sagemaker("model/old")].identities == (role("before"),)


def test_component_has_its_model_s_role_and_its_endpoint_s(facts: Facts) -> None:
    _, found = facts("sagemaker-inference-component", "new")
    part, endpoint = (
        found[sagemaker("inference-component/part")],
        found[sagemaker("endpoint/scorer")],
    )
    assert part.identities == (role("after"), role("before"))
    assert endpoint.identities == part.identities, "the endpoint serves it"
    assert endpoint.id in linked(part, "uses")


def test_notebook(facts: Facts) -> None:
    _, found = facts("sagemaker-notebook", "new")
    notebook = found[sagemaker("notebook-instance/lab")]
    assert notebook.attributes == {
        "status": "InService",
        "root_access": False,
        "direct_internet": True,
    }


def test_profile_without_a_role_has_the_domain_s(facts: Facts) -> None:
    _, found = facts("sagemaker-user-profile", "new")
    ann, bob = (found[sagemaker(f"user-profile/d-abc/{name}")] for name in ("ann", "bob"))
    assert (ann.identities, bob.identities) == ((role("unused"),), (role("after"),))
    assert bob.attributes["inherited"] is True
    assert "inherited" not in ann.attributes
    assert found[sagemaker("domain/d-abc")].identities == (role("after"),)


def test_jobs_and_the_registry(facts: Facts) -> None:
    _, found = facts("sagemaker-training-job", "new")
    fit, clean = found[sagemaker("training-job/fit")], found[sagemaker("processing-job/clean")]
    score = found[sagemaker("transform-job/score")]
    assert linked(fit, "reads") == ["arn:aws:s3:::faq/in/"]
    assert linked(fit, "writes") == ["arn:aws:s3:::faq/out/"]
    assert fit.attributes["environment"] == ("TOKEN",)
    assert (fit.attributes["network_isolation"], clean.attributes["network_isolation"]) == (
        False,
        True,
    )
    assert score.identities == (role("after"),), "a transform job runs as its model"
    snapshot, _ = facts("sagemaker-pipeline", "new")
    things = {one.kind: one for one in snapshot.resources}
    assert things["sagemaker:model-package"].name == "scorers/3"
    group = things["sagemaker:model-package-group"]
    assert [one.kind for one in snapshot.attachments if one.target == group.id] == ["resource"]


def test_all_that_is_collected_is_decided_about(replay: Any, account: Path) -> None:
    assert undecided(snapshot.Facts(replay(account))) == ()
