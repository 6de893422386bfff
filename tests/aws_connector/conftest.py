"""A moto server over HTTP, a wire before it that can refuse, and an account with everything."""

from __future__ import annotations

import http.client
import io
import json
import logging
import re
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_aws import AwsConnector

NOW = "2026-11-24T00:00:00Z"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
CANARY = "hush-canary-value"

Answer = tuple[int, dict[str, str], bytes]
Key = tuple[str, str]
#: The clients that sign with a name which is not their own.
SIGNING = {
    "bedrock": ("bedrock-agent", "bedrock"),
    "bedrock-agentcore": ("bedrock-agentcore-control",),
    "states": ("stepfunctions",),
    "access-analyzer": ("accessanalyzer",),
    "es": ("opensearch",),
    "aoss": ("opensearchserverless",),
    "tagging": ("resourcegroupstaggingapi",),
}
#: What an endpoint answers that does not know an operation.
UNKNOWN = frozenset({404, 500, 501})


class Operations:
    """Tells an operation from a request, by the SDK's own models.

    One for all wires: reading the models takes longer than most tests.
    """

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._rest: dict[str, list[tuple[str, re.Pattern[str], set[str], str]]] = {}

    def protocol(self, service: str) -> str:
        return str(self._session.get_service_model(service).metadata["protocol"])

    def of(self, handler: BaseHTTPRequestHandler, body: bytes) -> Key:
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", handler.headers["Authorization"])
        assert scope, "a request that is not signed"
        services = SIGNING.get(scope[1], (scope[1],))
        return next(filter(None, (self._in(one, handler, body) for one in services)))

    def _in(self, service: str, handler: BaseHTTPRequestHandler, body: bytes) -> Key | None:
        if found := re.search(r"/operation/(\w+)$", handler.path):
            return service, found[1]
        if target := handler.headers.get("X-Amz-Target"):
            return service, target.rpartition(".")[2]
        if self.protocol(service) in ("query", "ec2"):
            return service, parse_qs(body.decode())["Action"][0]
        operation = self._rest_operation(service, handler)
        return (service, operation) if operation else None

    def _rest_operation(self, service: str, handler: BaseHTTPRequestHandler) -> str:
        url = urlsplit(handler.path)
        given = set(parse_qs(url.query, keep_blank_values=True))
        best = ""
        most = -1
        for method, pattern, query, name in self._models(service):
            fits = method == handler.command and pattern.fullmatch(url.path) and query <= given
            if fits and len(query) > most:
                best, most = name, len(query)
        return best

    def _models(self, service: str) -> list[tuple[str, re.Pattern[str], set[str], str]]:
        if service not in self._rest:
            model: Any = self._session.get_service_model(service)
            rows = []
            for name in model.operation_names:
                spec = model.operation_model(name).http
                path, _, query = spec["requestUri"].partition("?")
                pattern = re.sub(r"\\\{\w+(\\\+)?\\\}", "[^/]+", re.escape(path.rstrip("/")))
                keys = set(parse_qs(query, keep_blank_values=True))
                rows.append((spec["method"], re.compile(pattern + "/?"), keys, name))
            # Of several that fit, the SDK's own spelling is what the collection uses.
            self._rest[service] = sorted(rows, key=lambda row: (-len(row[1].pattern), row[3]))
        return self._rest[service]


OPERATIONS = Operations()


@dataclass
class Quota:
    """A bucket of tokens, as AWS keeps for each service: filled at a rate, up to a burst.

    `granted` and `refused` count calls, `first` and `last` are when one was granted.
    """

    rate: float
    burst: int
    error: Answer
    granted: int = 0
    refused: int = 0
    first: float = 0.0
    last: float = 0.0
    _tokens: float = -1.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> Answer | None:
        """Give nothing when a call may pass, else the refusal."""
        with self._lock:
            now = time.monotonic()
            if self._tokens < 0:
                self._tokens, self.first, self.last, self._filled = self.burst, now, now, now
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            if self._tokens < 1:
                self.refused += 1
                return self.error
            self._tokens -= 1
            self.granted, self.last = self.granted + 1, now
            return None

    _filled: float = 0.0

    @property
    def bound(self) -> float:
        """The least time in seconds in which so many calls can be granted."""
        return max(0.0, (self.granted - self.burst) / self.rate)


@dataclass
class Wire:
    """A server before moto: it keeps what was asked, and answers some of it itself."""

    upstream: str
    url: str = ""
    operations: Operations = field(default_factory=lambda: OPERATIONS)
    made: list[Key] = field(default_factory=list)
    bodies: dict[Key, list[bytes]] = field(default_factory=dict)
    answers: dict[Key, Callable[[], Answer]] = field(default_factory=dict)
    quotas: dict[str, Quota] = field(default_factory=dict)
    #: Nobody waits any more for what is late.
    ended: threading.Event = field(default_factory=threading.Event)
    #: Answer what moto does not know as if there were nothing.
    complete: bool = False

    def refuse(self, service: str, operation: str, code: str, status: int = 400) -> None:
        """Answer an operation with an error, in the form of the service's protocol."""
        message = f"refused by the test: {operation}"
        answer = _error(self.operations.protocol(service), code, status, message)
        self.answers[service, operation] = lambda: answer

    def say(self, service: str, operation: str, body: Any, status: int = 200) -> None:
        """Answer an operation with JSON, or with the text as it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        answer = (
            status,
            _typed("text/xml" if text.startswith("<") else "application/json"),
            text.encode(),
        )
        self.answers[service, operation] = lambda: answer

    def nothing(self, service: str, operation: str) -> Answer:
        """Answer as where there is nothing."""
        if self.operations.protocol(service) in ("query", "ec2"):
            inner = f"<{operation}Result/>"
            text = f"<{operation}Response>{inner}</{operation}Response>"
            return 200, _typed("text/xml"), text.encode()
        return 200, _typed("application/json"), b"{}"

    def stall(self, service: str, operation: str, seconds: float) -> None:
        """Answer an operation late."""

        def late() -> Answer:
            self.ended.wait(seconds)
            return 200, _typed("application/json"), b"{}"

        self.answers[service, operation] = late

    def limit(self, service: str, rate: float, burst: int) -> Quota:
        """Throttle a service: it answers so many calls at once, and then so many a second."""
        error = _error(self.operations.protocol(service), "Throttling", 400, "Rate exceeded")
        self.quotas[service] = Quota(rate, burst, error)
        return self.quotas[service]

    def count(self, service: str, operation: str) -> int:
        return self.made.count((service, operation))


def _typed(kind: str) -> dict[str, str]:
    return {"Content-Type": kind, "x-amzn-RequestId": "0123"}


def _error(protocol: str, code: str, status: int, message: str) -> Answer:
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    match protocol:
        case "query":
            text = f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>"
        case "ec2":
            text = f"<Response><Errors><Error>{inner}</Error></Errors></Response>"
        case "rest-xml":
            text = f"<Error>{inner}</Error>"
        case _:
            body = json.dumps({"__type": code, "code": code, "message": message})
            return status, _typed("application/json"), body.encode()
    return status, _typed("text/xml"), text.encode()


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # A connection that is kept would be waited for at the end.
        protocol_version = "HTTP/1.0"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = wire.operations.of(self, body)
            wire.made.append(key)
            wire.bodies.setdefault(key, []).append(body)
            quota = wire.quotas.get(key[0])
            throttled = quota.take() if quota else None
            made = wire.answers.get(key) if throttled is None else lambda: throttled
            status, headers, content = made() if made else self._forward(body)
            if wire.complete and status in UNKNOWN and b"<!doctype" in content[:40].lower():
                status, headers, content = wire.nothing(*key)
            try:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower().startswith(("x-amz", "content-type")):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve

        def _forward(self, body: bytes) -> Answer:
            place = urlsplit(wire.upstream)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=300)
            try:
                headers = dict(self.headers.items())
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                content = response.read()
                return response.status, dict(response.headers.items()), content
            finally:
                connection.close()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as inherited
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    """Ends with its threads, also those that wait on a connection that a client keeps open."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


@pytest.fixture(scope="session")
def moto_url(environment: None) -> Iterator[str]:
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def environment(calling_aws: Callable[..., Any]) -> Iterator[None]:
    """Credentials for nobody, and nothing of the machine's own configuration."""
    with calling_aws("testing", REGION):
        yield


@contextmanager
def _serving(upstream: str) -> Iterator[Wire]:
    found = Wire(upstream)
    server = _Server(("127.0.0.1", 0), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def wire(moto_url: str) -> Iterator[Wire]:
    """A wire before moto that keeps and refuses what this test wants."""
    with _serving(moto_url) as found:
        yield found


@dataclass
class Cloud:
    """Clients of moto, as one account."""

    url: str
    account: str
    credentials: dict[str, str] = field(default_factory=dict)
    made: list[Any] = field(default_factory=list)

    def __call__(self, service: str, region: str = REGION) -> Any:
        create: Any = boto3.client
        found = create(service, region_name=region, endpoint_url=self.url, **self.credentials)
        self.made.append(found)
        return found

    def other(self, account: str) -> Cloud:
        """Give another account, entered through a role."""
        role = f"arn:aws:iam::{account}:role/enter"
        given = self("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        credentials = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        return Cloud(self.url, account, credentials, self.made)

    def close(self) -> None:
        for one in self.made:
            one.close()


@pytest.fixture(scope="session")
def cloud(moto_url: str) -> Iterator[Cloud]:
    """The account that has one of everything."""
    found = Cloud(moto_url, ACCOUNT)
    yield found
    found.close()


_ACCOUNTS = count(210000000001)


@pytest.fixture
def stranger(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """An account of this test's own, which the collection finds itself in."""
    found = cloud.other(str(next(_ACCOUNTS)))
    for name, value in found.credentials.items():
        monkeypatch.setenv(name.upper(), value)
    return found


@pytest.fixture
def fresh(cloud: Cloud) -> Callable[[], Cloud]:
    """Makes further empty accounts."""
    return lambda: cloud.other(str(next(_ACCOUNTS)))


Collect = Callable[..., Snapshot]


def _options(wire: Wire, **options: Any) -> CollectOptions:
    wanted: dict[str, Any] = {
        "now": NOW,
        "endpoint_url": wire.url,
        "regions": (REGION,),
        "timeout": 30.0,
    }
    return CollectOptions(**(wanted | options))


@pytest.fixture
def options(wire: Wire) -> Callable[..., CollectOptions]:
    """Gives options of a collection through the wire."""
    return lambda **more: _options(wire, **more)


@pytest.fixture
def collect(wire: Wire) -> Collect:
    """Collects through the wire, in one region, believing a refusal at the second time."""

    def run(**options: Any) -> Snapshot:
        return AwsConnector(attempts=2).collect(_options(wire, **options))

    return run


@dataclass
class Run:
    """A collection of the account that has one of everything."""

    snapshot: Snapshot
    recording: Path
    made: frozenset[Key]
    progress: list[str]


def _run(moto_url: str, recording: Path, prepare: Callable[[Wire], None]) -> Run:
    lines: list[str] = []
    with _serving(moto_url) as wire:
        prepare(wire)
        options = _options(wire, record=recording, progress=lines.append)
        snapshot = AwsConnector(attempts=2).collect(options)
        return Run(snapshot, recording, frozenset(wire.made), lines)


@pytest.fixture(scope="session")
def plain(moto_url: str, estate: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What moto itself answers."""
    return _run(moto_url, tmp_path_factory.mktemp("plain") / "recording", lambda _: None)


def allow(action: str, resource: str = "*", **more: Any) -> str:
    """A policy of one statement, as text."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    """A trust policy for a service, as text."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): pass")
    return buffer.getvalue()


def _identities(client: Cloud) -> str:
    iam = client("iam")
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    managed = iam.create_policy(PolicyName="reads", PolicyDocument=allow("s3:GetObject"))
    iam.create_policy_version(
        PolicyArn=managed["Policy"]["Arn"], PolicyDocument=allow("s3:Get*"), SetAsDefault=True
    )
    iam.create_group(GroupName="team")
    iam.put_group_policy(
        GroupName="team", PolicyName="team-inline", PolicyDocument=allow("sns:Publish")
    )
    iam.create_user(UserName="ann", Path="/people/", Tags=[{"Key": "team", "Value": "ml"}])
    iam.add_user_to_group(GroupName="team", UserName="ann")
    iam.create_access_key(UserName="ann")
    iam.create_login_profile(UserName="ann", Password=CANARY + "-1A!")
    role = iam.create_role(
        RoleName="agent",
        AssumeRolePolicyDocument=trust("bedrock.amazonaws.com"),
        PermissionsBoundary=boundary,
        Tags=[{"Key": "stage", "Value": "prod"}],
    )
    iam.put_role_policy(
        RoleName="agent",
        PolicyName="secrets",
        PolicyDocument=allow("secretsmanager:GetSecretValue"),
    )
    iam.attach_role_policy(RoleName="agent", PolicyArn=managed["Policy"]["Arn"])
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="agent")
    iam.create_open_id_connect_provider(
        Url="https://oidc.example.org", ClientIDList=["sts.amazonaws.com"], ThumbprintList=[]
    )
    iam.create_account_alias(AccountAlias="ml-prod")
    return str(role["Role"]["Arn"])


def _data(client: Cloud, role: str) -> None:
    key = client("kms").create_key(Policy=allow("kms:*"), Tags=[{"TagKey": "k", "TagValue": "v"}])
    key_id = key["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=key_id)
    client("kms").create_grant(KeyId=key_id, GranteePrincipal=role, Operations=["Decrypt"])
    s3 = client("s3")
    s3.create_bucket(
        Bucket="training-data", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    s3.put_bucket_policy(Bucket="training-data", Policy=allow("s3:*", Principal="*"))
    s3.put_bucket_tagging(
        Bucket="training-data", Tagging={"TagSet": [{"Key": "data-class", "Value": "pii"}]}
    )
    s3.put_public_access_block(
        Bucket="training-data", PublicAccessBlockConfiguration={"BlockPublicPolicy": True}
    )
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/data"}
    s3.put_bucket_encryption(
        Bucket="training-data",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    secret = client("secretsmanager").create_secret(
        Name="prod/db", SecretString=CANARY, Tags=[{"Key": "class", "Value": "secret"}]
    )
    client("secretsmanager").put_resource_policy(
        SecretId=secret["ARN"], ResourcePolicy=allow("secretsmanager:GetSecretValue")
    )
    client("ssm").put_parameter(Name="/prod/token", Value=CANARY, Type="SecureString")
    client("ssm").put_parameter(Name="plain", Value=CANARY, Type="String", Tier="Advanced")
    client("dynamodb").create_table(
        TableName="customers",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "t", "Value": "1"}],
    )
    queue = client("sqs").create_queue(QueueName="jobs", tags={"q": "1"})["QueueUrl"]
    client("sqs").set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": allow("sqs:SendMessage", Principal="*")}
    )
    client("sns").create_topic(Name="news", Tags=[{"Key": "s", "Value": "1"}])
    client("ecr").create_repository(repositoryName="models/agent")
    client("ecr").set_repository_policy(
        repositoryName="models/agent", policyText=allow("ecr:*", Principal="*")
    )


def _compute(client: Cloud, role: str) -> None:
    client("lambda").create_function(
        FunctionName="tool",
        Role=role,
        Runtime="python3.13",
        Handler="main.handler",
        Code={"ZipFile": _zip()},
        Environment={"Variables": {"TOKEN": CANARY}},
        Tags={"f": "1"},
    )
    client("lambda").add_permission(
        FunctionName="tool",
        StatementId="agents",
        Action="lambda:InvokeFunction",
        Principal="bedrock.amazonaws.com",
    )
    ecs = client("ecs")
    ecs.create_cluster(clusterName="main")
    container = {
        "name": "web",
        "image": "example.org/web:1",
        "memory": 128,
        "command": ["--token", CANARY],
        "environment": [{"name": "API_KEY", "value": CANARY}],
        "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": CANARY}},
        "secrets": [{"name": "DB", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}],
    }
    ecs.register_task_definition(
        family="serve", taskRoleArn=role, executionRoleArn=role, containerDefinitions=[container]
    )
    ecs.create_service(cluster="main", serviceName="web", taskDefinition="serve", desiredCount=1)
    _instance(client)
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="m1",
        ExecutionRoleArn=role,
        PrimaryContainer={
            "Image": "example.org/m:1",
            "ModelDataUrl": "s3://training-data/m1.tar.gz",
            "Environment": {"HF_TOKEN": CANARY},
        },
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="c1",
        ProductionVariants=[
            {
                "VariantName": "a",
                "ModelName": "m1",
                "InstanceType": "ml.t2.medium",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName="predict", EndpointConfigName="c1")
    agents = client("bedrock-agent")
    agents.create_agent(
        agentName="helper",
        agentResourceRoleArn=role,
        foundationModel="anthropic.claude",
        instruction=f"be kind and never say {CANARY} to anybody at all",
        tags={"a": "1"},
    )
    agents.create_knowledge_base(
        name="library",
        roleArn=role,
        knowledgeBaseConfiguration={
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": "arn:aws:bedrock:x:y:z"},
        },
        storageConfiguration={
            "type": "OPENSEARCH_SERVERLESS",
            "opensearchServerlessConfiguration": {
                "collectionArn": f"arn:aws:aoss:{REGION}:{ACCOUNT}:collection/c",
                "vectorIndexName": "i",
                "fieldMapping": {"vectorField": "v", "textField": "t", "metadataField": "m"},
            },
        },
    )


def _instance(client: Cloud) -> None:
    ec2 = client("ec2")
    image = ec2.register_image(Name="box")["ImageId"]
    ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": "box"},
        UserData=CANARY,
    )


@pytest.fixture(scope="session")
def estate(cloud: Cloud) -> str:
    """An account with one of everything that is collected; gives the agent's role."""
    role = _identities(cloud)
    _data(cloud, role)
    _compute(cloud, role)
    return role


def _rest_of_the_answers(wire: Wire) -> None:
    """Answer what moto does not: published versions of an agent, long-lived API keys…"""
    wire.complete = True
    second = f"arn:aws:iam::{ACCOUNT}:role/agent-two"
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tool"
    versions = [{"agentVersion": "DRAFT"}, {"agentVersion": "1"}, {"agentVersion": "2"}]
    agents: dict[str, Any] = {
        "ListAgentVersions": {"agentVersionSummaries": versions},
        "GetAgentVersion": {
            "agentVersion": {
                "agentName": "helper",
                "agentResourceRoleArn": second,
                "foundationModel": "m",
                "instruction": CANARY,
                "guardrailConfiguration": {"guardrailIdentifier": "g1"},
            }
        },
        "ListAgentAliases": {
            "agentAliasSummaries": [
                {
                    "agentAliasId": "LIVE",
                    "agentAliasName": "live",
                    "routingConfiguration": [{"agentVersion": "2"}],
                }
            ]
        },
        "ListAgentActionGroups": {"actionGroupSummaries": [{"actionGroupId": "AG1"}]},
        "GetAgentActionGroup": {
            "agentActionGroup": {
                "actionGroupExecutor": {"lambda": function},
                "actionGroupState": "ENABLED",
                "apiSchema": {"payload": CANARY},
            }
        },
        "ListAgentKnowledgeBases": {
            "agentKnowledgeBaseSummaries": [
                {"knowledgeBaseId": "KB1", "knowledgeBaseState": "ENABLED"}
            ]
        },
        "ListAgentCollaborators": {
            "agentCollaboratorSummaries": [
                {"agentDescriptor": {"aliasArn": "arn:aws:bedrock:x:y:agent-alias/B/C"}}
            ]
        },
        "ListDataSources": {
            "dataSourceSummaries": [{"knowledgeBaseId": "KB1", "dataSourceId": "DS1"}]
        },
        "GetDataSource": {
            "dataSource": {
                "dataSourceConfiguration": {
                    "type": "S3",
                    "s3Configuration": {"bucketArn": "arn:aws:s3:::training-data"},
                }
            }
        },
    }
    for operation, body in agents.items():
        wire.say("bedrock-agent", operation, body)
    tasks = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
    wire.say("ecs", "ListTasks", {"taskArns": [f"{tasks}:task/main/1"]})
    task = {
        "taskDefinitionArn": f"{tasks}:task-definition/serve:1",
        "clusterArn": f"{tasks}:cluster/main",
        "overrides": {"containerOverrides": [{"environment": [{"value": CANARY}]}]},
    }
    wire.say("ecs", "DescribeTasks", {"tasks": [task]})
    wire.say("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": [{"AuthType": "NONE"}]})
    wire.say(
        "ssm", "GetResourcePolicies", {"Policies": [{"PolicyId": "p", "Policy": allow("ssm:*")}]}
    )
    wire.say(
        "account",
        "ListRegions",
        {"Regions": [{"RegionName": REGION, "RegionOptStatus": "ENABLED"}]},
    )
    wire.say(
        "iam",
        "ListServiceSpecificCredentials",
        "<ListServiceSpecificCredentialsResponse><ListServiceSpecificCredentialsResult>"
        "<ServiceSpecificCredentials><member><UserName>ann</UserName><Status>Active</Status>"
        "<ServiceName>bedrock.amazonaws.com</ServiceName>"
        "<CreateDate>2026-01-02T03:04:05Z</CreateDate>"
        "<ServiceSpecificCredentialId>ACCA1</ServiceSpecificCredentialId></member>"
        "</ServiceSpecificCredentials><IsTruncated>false</IsTruncated>"
        "</ListServiceSpecificCredentialsResult></ListServiceSpecificCredentialsResponse>",
    )


@pytest.fixture(scope="session")
def whole(moto_url: str, estate: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What an endpoint that knows every operation answers."""
    folder = tmp_path_factory.mktemp("whole") / "recording"
    return _run(moto_url, folder, _rest_of_the_answers)


@pytest.fixture
def policy_text() -> Callable[..., str]:
    return allow


@pytest.fixture
def trust_text() -> Callable[[str], str]:
    return trust
