"""What moto's server implements of models' runtimes, made by its API and collected over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_aws import AwsConnector

REGION = "eu-west-1"
TRUST = '{"Version":"2012-10-17","Statement":[]}'


@pytest.fixture(scope="module")
def url(environment: None) -> Iterator[str]:
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def role(url: str) -> str:
    """Make one of each, and give the role that all run as."""

    def client(service: str) -> Any:
        create: Any = boto3.client
        return create(service, region_name=REGION, endpoint_url=url)

    made = client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=TRUST)
    arn = str(made["Role"]["Arn"])
    _agentcore(client("bedrock-agentcore-control"), arn)
    _sagemaker(client("sagemaker"), arn)
    return arn


def _agentcore(core: Any, arn: str) -> None:
    core.create_agent_runtime(
        agentRuntimeName="support",
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": "example.org/a:1"}},
        roleArn=arn,
        networkConfiguration={"networkMode": "PUBLIC"},
        environmentVariables={"TOKEN": "hush-canary-value"},
    )
    core.create_gateway(name="tools", roleArn=arn, protocolType="MCP", authorizerType="AWS_IAM")


def _sagemaker(sage: Any, arn: str) -> None:
    sage.create_notebook_instance(
        NotebookInstanceName="lab", InstanceType="ml.t3.medium", RoleArn=arn
    )
    sage.create_model(
        ModelName="m1",
        ExecutionRoleArn=arn,
        PrimaryContainer={"Image": "example.org/m:1", "ModelDataUrl": "s3://faq/m1.tar.gz"},
    )
    sage.create_endpoint_config(
        EndpointConfigName="c1",
        ProductionVariants=[
            {
                "VariantName": "v",
                "ModelName": "m1",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
            }
        ],
    )
    sage.create_endpoint(EndpointName="scorer", EndpointConfigName="c1")
    sage.create_pipeline(
        PipelineName="train",
        RoleArn=arn,
        ClientRequestToken="a" * 32,
        PipelineDefinition='{"Version":"2020-12-01"}',
    )


@pytest.fixture(scope="module")
def snapshot(url: str, role: str) -> Snapshot:
    options = CollectOptions(
        now="2026-11-24T00:00:00Z", regions=(REGION,), endpoint_url=url, timeout=30.0
    )
    return AwsConnector(attempts=2).collect(options)


@pytest.mark.parametrize(
    "runtime",
    [
        "bedrock-agentcore:runtime",
        "bedrock-agentcore:gateway",
        "sagemaker:notebook-instance",
        "sagemaker:model",
        "sagemaker:endpoint",
        "sagemaker:pipeline",
    ],
)
def test_runs_as_its_role(runtime: str, role: str, snapshot: Snapshot) -> None:
    found = [one for one in snapshot.runtimes if one.kind == runtime]
    assert found, [(gap.operation, gap.reason, gap.message) for gap in snapshot.gaps]
    assert {one.identities for one in found} == {(role,)}


def test_what_moto_does_not_answer_is_a_gap(snapshot: Snapshot) -> None:
    gaps = {gap.operation for gap in snapshot.gaps}
    for operation in ("ListCodeInterpreters", "ListApiKeyCredentialProviders", "ListHarnesses"):
        assert f"bedrock-agentcore-control:{operation}" in gaps
