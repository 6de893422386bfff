"""Everything that a model's estate is made of, over HTTP to facts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach.policy.undecided import undecided
from modelreach.snapshot import Credential, Facts, Resource, Runtime, encode
from modelreach_aws.calls_estate import ESTATE_CALLS
from modelreach_aws.calls_organization import ORGANIZATION_CALLS

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/runs"
TARGET = f"arn:aws:iam::{ACCOUNT}:role/target"
NODES = f"arn:aws:iam::{ACCOUNT}:role/nodes"
NEVER_ASKED = {"includeValues": "false"}


def runtimes(whole: Any, kind: str) -> list[Runtime]:
    found = [one for one in whole.snapshot.runtimes if one.kind == kind]
    assert found, kind
    return found


def credentials(whole: Any, kind: str) -> list[Credential]:
    found = [one for one in whole.snapshot.credentials if one.kind == kind]
    assert found, kind
    return found


def resources(whole: Any, kind: str) -> list[Resource]:
    return [one for one in whole.snapshot.resources if one.kind == kind]


def test_every_call_is_really_made(whole: Any) -> None:
    table = (*ESTATE_CALLS, *ORGANIZATION_CALLS)
    assert {(call.service, call.operation) for call in table} <= whole.made


def test_nothing_is_missing(whole: Any) -> None:
    assert not whole.snapshot.gaps


def test_no_value_is_kept(whole: Any) -> None:
    kept = b"".join(path.read_bytes() for path in whole.recording.rglob("*") if path.is_file())
    assert b"runs" in kept
    assert b"hush-canary-value" not in kept
    assert b"hush-canary-value" not in encode(whole.snapshot)


def test_values_are_not_asked_for(whole: Any) -> None:
    (asked,) = [p for _, operation, p in whole.parameters if operation == "GetApiKeys"]
    assert asked["includeValues"] == "false"


@pytest.mark.parametrize(
    ("kind", "runs_as"),
    [
        ("apprunner:service", ROLE),
        ("batch:job-definition", ROLE),
        ("states:state-machine", ROLE),
        ("codebuild:project", ROLE),
        ("glue:job", ROLE),
        ("glue:dev-endpoint", ROLE),
        ("cloudformation:stack", ROLE),
        ("cloudformation:stack-set", ROLE),
        ("scheduler:schedule", ROLE),
        ("datapipeline:pipeline", ROLE),
        ("eks:nodegroup", NODES),
        ("eks:pod-identity-association", TARGET),
        ("ecs:service", ROLE),
        ("ecs:task", ROLE),
    ],
)
def test_runtime_runs_as(whole: Any, kind: str, runs_as: str) -> None:
    for one in runtimes(whole, kind):
        assert one.identities == (runs_as,)
        assert one.id.startswith("arn:aws:")
        assert [r.id for r in resources(whole, kind) if r.id == one.id] == [one.id]


def test_pages_without_a_paginator_are_all_read(whole: Any) -> None:
    assert [one.name for one in runtimes(whole, "apprunner:service")] == ["web1", "web2"]


def test_what_only_the_platform_uses_is_no_identity(whole: Any) -> None:
    (job,) = runtimes(whole, "batch:job-definition")
    assert job.attributes["execution_role"] == TARGET
    assert job.attributes["environment"] == ("TOKEN",)
    (profile,) = runtimes(whole, "eks:fargate-profile")
    assert profile.identities == ()
    assert profile.attributes["execution_role"] == TARGET
    (cluster,) = runtimes(whole, "eks:cluster")
    assert cluster.identities == ()
    assert cluster.attributes["cluster_role"] == TARGET
    assert cluster.attributes["administrators"] == (ROLE,)
    assert cluster.attributes["access_entries"] == (f"{ROLE}|ops|deployers,readers",)
    assert cluster.attributes["access_policies"] == (f"{ROLE}|AmazonEKSClusterAdminPolicy|",)


def test_state_machine_keeps_what_it_calls_and_nothing_else(whole: Any) -> None:
    (machine,) = runtimes(whole, "states:state-machine")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tool"
    assert [(link.kind, link.target) for link in machine.links] == [("invokes", function)]


def test_groups_and_templates(whole: Any) -> None:
    (template,) = runtimes(whole, "ec2:launch-template")
    assert template.identities == (NODES, ROLE), "of the default version and of the latest"
    assert template.attributes["imds_hop_limit"] == 2
    groups = {one.name: one for one in runtimes(whole, "autoscaling:group")}
    assert groups["fleet"].identities == (NODES,), "it launches the latest version"
    assert groups["old"].identities == (NODES,)
    assert groups["old"].attributes["launch_configuration"] == "lc"


def test_commands_may_be_run_in_services(whole: Any) -> None:
    (service,) = runtimes(whole, "ecs:service")
    (task,) = runtimes(whole, "ecs:task")
    assert service.attributes["enable_execute_command"] is True
    assert task.attributes["enable_execute_command"] is False


def test_pod_identity(whole: Any) -> None:
    (one,) = runtimes(whole, "eks:pod-identity-association")
    assert one.name == "ml/agent"
    assert one.attributes["role"] == ROLE
    assert one.attributes["target_role"] == TARGET
    assert one.attributes["external_id"] == "x"
    assert one.attributes["session_tags"] is False
    (session,) = [a for a in whole.snapshot.attachments if a.target == one.id]
    assert session.kind == "session"
    document = json.loads(bytes(whole.snapshot.documents[session.document]))
    assert document["Statement"][0]["Action"] == "s3:GetObject"
    (link,) = one.links
    (nodes,) = runtimes(whole, "eks:nodegroup")
    assert (link.kind, link.target) == ("runs-on", nodes.id)
    assert nodes.attributes["imds_hop_limit"] == 1


def test_service_accounts_that_roles_trust(whole: Any) -> None:
    found = {one.identities[0].rpartition("/")[2]: one for one in runtimes(whole, _ACCOUNTS)}
    assert found["pods"].name == "ml/agent"
    assert "any_pod" not in found["pods"].attributes
    assert found["every-pod"].name == "*/*"
    assert found["every-pod"].attributes["any_pod"] is True
    assert found["some-pods"].name == "ml/*"
    assert found["some-pods"].attributes["any_pod"] is True


_ACCOUNTS = "eks:service-account"


def test_keys_of_users(whole: Any) -> None:
    (certificate,) = credentials(whole, "signing-certificate")
    assert certificate.principal == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert (certificate.status, certificate.created) == ("active", "2024-01-01T00:00:00Z")
    (key,) = credentials(whole, "ssh-key")
    assert (key.status, key.expires) == ("inactive", "never")


def test_api_keys(whole: Any) -> None:
    gateway, *graphql = sorted(credentials(whole, "api-key"), key=lambda one: one.id)
    assert gateway.expires == "never"
    assert gateway.principal == f"arn:aws:apigateway:{REGION}::/restapis/api1/stages/prod"
    api = f"arn:aws:appsync:{REGION}:{ACCOUNT}:apis/a1"
    assert [one.principal for one in graphql] == [api, api]
    assert {one.expires for one in graphql} == {"2027-01-01T00:00:00Z"}
    assert len({one.id for one in graphql}) == 2


def test_ways_in_from_outside(whole: Any) -> None:
    (metadata,) = credentials(whole, "saml-metadata")
    assert metadata.expires == "2027-01-01T00:00:00Z"
    (anywhere,) = credentials(whole, "roles-anywhere")
    assert (anywhere.principal, anywhere.status) == (ROLE, "active")
    profile = anywhere.attributes["profile"]
    assert [a.kind for a in whole.snapshot.attachments if a.target == profile] == ["session"]
    pools = {one.attributes["how"]: one for one in credentials(whole, "identity-pool")}
    assert pools["unauthenticated"].principal == ROLE
    assert pools["unauthenticated"].status == "active"
    assert pools["authenticated"].principal == TARGET


def test_delegated_administrators(whole: Any) -> None:
    scopes = {one.id: one for one in whole.snapshot.scopes}
    found = scopes["444455556666"].attributes["delegated_administrator"]
    assert found == ("guardduty.amazonaws.com",)
    assert "delegated_administrator" not in scopes[ACCOUNT].attributes


def test_all_that_is_collected_is_decided_about(whole: Any) -> None:
    assert undecided(Facts(whole.snapshot)) == ()


@pytest.mark.parametrize("kind", ["rolesanywhere:trust-anchor", "rolesanywhere:profile"])
def test_entrances_have_their_tags(whole: Any, kind: str) -> None:
    (found,) = resources(whole, kind)
    assert found.tags == {"team": "ml"}


def test_identity_providers_have_their_tags(whole: Any) -> None:
    (found,) = (one for one in whole.snapshot.principals if one.kind == "saml-provider")
    assert found.tags == {"team": "ml"}
    assert found.created == "2020-01-01T00:00:00Z"
