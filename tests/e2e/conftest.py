"""A moto server over HTTP, a wire before it that can refuse, two accounts in it with two releases
of an agent, and the installed command."""

from __future__ import annotations

import http.client
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import msgspec
import pytest
from moto.server import ThreadedMotoServer

from modelreach.report_file import decode

REGION = "eu-west-1"
RUN = "411111111111"
DATA = "422222222222"
READER = "reader"
#: 400 days after keys are made, whenever that is: the fixture sets it.
LATER_DAYS = 400

Json = dict[str, Any]


# --- the command ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """What one run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        found = json.loads(self.out)
        if "changes" in found or "grants" in found:
            return msgspec.json.decode(msgspec.json.encode(decode(self.out)))
        return found


Command = Callable[..., Done]

_CLEAN = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_DEFAULT_REGION": REGION,
    "NO_PROXY": "127.0.0.1",
    "NO_COLOR": "1",
    "COLUMNS": "110",
}


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run the installed `modelreach`, by default in an empty folder."""
    program = Path(sys.executable).with_name("modelreach")
    empty = tmp_path_factory.mktemp("nowhere")

    def run(*arguments: object, env: dict[str, str] | None = None, cwd: Path = empty) -> Done:
        base = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MODELREACH_"))}
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            env=base | _CLEAN | (env or {}),
            cwd=cwd,
            capture_output=True,
            check=False,
            timeout=600,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


# --- the cloud -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass(frozen=True)
class Account:
    """One account of the server: clients in it, and the environment that enters it."""

    id: str
    client: Callable[[str], Any]
    env: dict[str, str]

    @property
    def reader(self) -> str:
        return f"arn:aws:iam::{self.id}:role/{READER}"


def _account(url: str, number: str) -> Account:
    where: Json = {"endpoint_url": url, "region_name": REGION}
    first: Any = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")
    sts = first.client("sts", **where)
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{number}:role/{READER}", RoleSessionName="e2e")
    sts.close()
    keys = given["Credentials"]
    session: Any = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    env = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    return Account(number, cache(lambda service: session.client(service, **where)), env)


@pytest.fixture(scope="session")
def enter(moto_url: str) -> Callable[[str], Account]:
    """Give an account by its number."""
    return lambda number: _account(moto_url, number)


def allow(actions: str | list[str], resources: str | list[str], **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusted(**principal: str) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


@dataclass(frozen=True)
class Estate:
    """What was built, by the names that the tests use."""

    run: Account
    data: Account
    names: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.names[name]


def _role(account: Account, name: str, trust: str, *statements: Json, **more: Any) -> str:
    iam = account.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)
    if statements:
        iam.put_role_policy(
            RoleName=name, PolicyName=f"{name}-own", PolicyDocument=document(*statements)
        )
    return str(made["Role"]["Arn"])


def _bucket(account: Account, name: str, policy: str | None = None) -> str:
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if policy:
        s3.put_bucket_policy(Bucket=name, Policy=policy)
    return f"arn:aws:s3:::{name}"


def _secret(account: Account, name: str) -> str:
    made = account.client("secretsmanager").create_secret(Name=name, SecretString="not-to-be-read")
    return str(made["ARN"])


@pytest.fixture(scope="session")
def estate(enter: Callable[[str], Account]) -> Estate:
    """Two releases of an agent.

    Release 1 runs as `agent-1` and as the user `bot`, who is in no group. Release 2 runs as
    `agent-2`, within a boundary, and as the user `clerk`, who is in a group and has a key.
    """
    run, data = enter(RUN), enter(DATA)
    service = trusted(Service="bedrock.amazonaws.com")
    kb, exports = (_bucket(run, f"e2e-{name}") for name in ("kb", "exports"))
    secret = _secret(run, "prod/db")
    _secret(run, "prod/other")
    queue_url = run.client("sqs").create_queue(QueueName="tickets")["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{RUN}:{queue_url.rsplit('/', 1)[-1]}"
    sources_role = f"arn:aws:iam::{DATA}:role/sources"
    ledger, inbox = "arn:aws:s3:::e2e-ledger", "arn:aws:s3:::e2e-inbox"

    common = [
        allow("s3:GetObject", f"{kb}/*", Sid="ReadKnowledge"),
        allow("s3:PutObject", f"{exports}/*", Sid="WriteExports"),
    ]
    agent_1 = _role(run, "agent-1", service, *common)
    limit = run.client("iam").create_policy(
        PolicyName="limit",
        PolicyDocument=document(
            allow(["s3:GetObject", "sts:AssumeRole", "secretsmanager:GetSecretValue"], "*"),
            allow("s3:PutObject", f"{inbox}/*"),
        ),
    )["Policy"]["Arn"]
    agent_2 = _role(
        run,
        "agent-2",
        service,
        *common,
        allow("secretsmanager:GetSecretValue", secret, Sid="ReadDatabaseSecret"),
        allow("sts:AssumeRole", sources_role, Sid="BecomeSources"),
        allow("s3:GetObject", f"{ledger}/*", Sid="ReadLedger"),
        allow("sqs:ReceiveMessage", queue, Sid="TakenAwayByTheBoundary"),
        PermissionsBoundary=limit,
    )
    sources = _role(
        data,
        "sources",
        trusted(AWS=agent_2),
        allow("s3:GetObject", "arn:aws:s3:::e2e-records/*", Sid="ReadRecords"),
    )
    records = _bucket(data, "e2e-records")
    _bucket(
        data,
        "e2e-ledger",
        document(
            allow("s3:GetObject", f"{ledger}/*", Sid="SharedWithAgent", Principal={"AWS": agent_2})
        ),
    )
    _bucket(
        run,
        "e2e-inbox",
        document(
            allow("s3:PutObject", f"{inbox}/*", Sid="LetsAgentIn", Principal={"AWS": agent_2})
        ),
    )
    iam = run.client("iam")
    bot = iam.create_user(UserName="bot")["User"]["Arn"]
    clerk = iam.create_user(UserName="clerk")["User"]["Arn"]
    iam.create_group(GroupName="clerks")
    iam.put_group_policy(
        GroupName="clerks",
        PolicyName="clerks-own",
        PolicyDocument=document(allow("sqs:SendMessage", queue, Sid="FileTickets")),
    )
    iam.add_user_to_group(GroupName="clerks", UserName="clerk")
    key = iam.create_access_key(UserName="clerk")["AccessKey"]["AccessKeyId"]
    names = {
        "agent-1": agent_1,
        "agent-2": agent_2,
        "bot": bot,
        "clerk": clerk,
        "key": key,
        "kb": kb,
        "exports": exports,
        "secret": secret,
        "queue": queue,
        "sources": sources,
        "records": records,
        "ledger": ledger,
        "inbox": inbox,
    }
    return Estate(run, data, names)


# --- a wire that refuses -------------------------------------------------------------------


class Asked:
    """One request as the wire sees it."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        signed = handler.headers.get("Authorization", "")
        self.service = signed.split("Credential=")[-1].split("/")[3] if signed else ""
        url = urlsplit(handler.path)
        self.path = url.path
        self.query = set(parse_qs(url.query, keep_blank_values=True))
        target = handler.headers.get("X-Amz-Target", "").rpartition(".")[2]
        form = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        self.operation = target or form


def _refusal(asked: Asked) -> tuple[str, bytes]:
    said = "refused by the test"
    if asked.service == "s3":
        return (
            "text/xml",
            f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>".encode(),
        )
    if asked.service in ("iam", "sts", "sns", "ec2"):
        inner = f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>"
        return "text/xml", f"<ErrorResponse>{inner}</ErrorResponse>".encode()
    found = {"__type": "AccessDeniedException", "Message": said}
    return "application/x-amz-json-1.1", json.dumps(found).encode()


@dataclass
class Wire:
    """Before moto: answers 403 AccessDenied to what `refuses` says, and passes the rest on."""

    upstream: str
    url: str = ""
    refuses: Callable[[Asked], bool] = lambda _asked: False


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self, body)
            if wire.refuses(asked):
                kind, content = _refusal(asked)
                self._answer(403, {"Content-Type": kind}, content)
                return
            place = urlsplit(wire.upstream)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=300)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            content = response.read()
            self._answer(response.status, dict(response.headers.items()), content)
            connection.close()

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower().startswith(("x-amz", "content-type")):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (as inherited)
            """Say nothing."""

    return Handler


@pytest.fixture(scope="session")
def wire(moto_url: str) -> Iterator[Wire]:
    found = Wire(moto_url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


# --- files ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def later() -> str:
    """The time of collecting: when a key made now is old."""
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(days=LATER_DAYS)).strftime("%Y-%m-%dT00:00:00Z")


Collect = Callable[..., Done]


@pytest.fixture(scope="session")
def collect(command: Command, wire: Wire, estate: Estate, later: str) -> Collect:
    """Collect both accounts through the wire, which refuses what `refuses` says."""

    def run(into: Path, *options: str, refuses: Callable[[Asked], bool] | None = None) -> Done:
        wire.refuses = refuses or (lambda _asked: False)
        try:
            return command(
                *("collect", "aws", "-o", into, f"--endpoint-url={wire.url}"),
                *(f"--region={REGION}", f"--assume-role={estate.data.reader}", f"--now={later}"),
                *options,
                env=estate.run.env,
            )
        finally:
            wire.refuses = lambda _asked: False

    return run


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def snapshot(collect: Collect, work: Path) -> Path:
    """Everything, nothing refused."""
    path = work / "full.snap"
    done = collect(path)
    assert done.code == 0, done.err
    return path


Write = Callable[..., Path]


@pytest.fixture(scope="session")
def write(work: Path) -> Write:
    """Write a manifest with these identities, each `id=principal`."""

    def manifest(version: str, name: str = "", **identities: str) -> Path:
        lines = [
            "apiVersion: modelreach/v1",
            "kind: ModelDeployment",
            f'metadata: {{name: assistant, version: "{version}", owner: ml}}',
            "spec:",
            "  model: {provider: aws-bedrock, id: some-model}",
            "  identities:",
            *(
                f'    - {{id: {name}, cloud: aws, principal: "{principal}"}}'
                for name, principal in identities.items()
            ),
        ]
        path = work / (name or f"v{version}.yaml")
        path.write_text("\n".join(lines) + "\n")
        return path

    return manifest


@dataclass(frozen=True)
class Pair:
    """The manifests of both releases."""

    old: Path
    new: Path


@pytest.fixture(scope="session")
def releases(write: Write, estate: Estate) -> Pair:
    return Pair(
        write("1", runtime=estate["agent-1"], tickets=estate["bot"]),
        write("2", runtime=estate["agent-2"], tickets=estate["clerk"]),
    )


#: kind, resource, capability, actions, verdict, pattern
Row = tuple[str, str, str, tuple[str, ...], str]


def rows_of(report: Json) -> list[Row]:
    return sorted(
        (c["kind"], c["resource"], c["capability"], tuple(c["actions"]), c["verdict"])
        for c in report["changes"]
    )


@pytest.fixture(scope="session")
def rows() -> Callable[[Json], list[Row]]:
    """Give the changes of a diff in the form in which they are expected."""
    return rows_of
