"""Four wires: a cluster, two accounts of AWS and a project of Google Cloud, federated in a row.

A pod's account has a role of one account, which may assume one of the other, which an identity
pool lets into Google Cloud, where it may act as an account that reads what customers have stored.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from google_cloud.cloud import Cloud
from google_cloud.server import LocalGoogle, serving
from kubernetes_api.server import ApiServer
from modelreach.cli import run as run_command

Json = dict[str, Any]
REGION = "eu-west-1"
RUN, BRIDGE = "611111111111", "622222222222"
HOST = f"oidc.eks.{REGION}.amazonaws.com/id/F00D"
NUMBER = "3001"
POOL = f"projects/{NUMBER}/locations/global/workloadIdentityPools/from-aws"
READER = "records-reader@records-prod.iam.gserviceaccount.com"
BUCKET = "//storage.googleapis.com/projects/_/buckets/customer-records"
DESK = f"arn:aws:iam::{RUN}:role/desk"
ACROSS = f"arn:aws:iam::{BRIDGE}:role/across"
ACCOUNT = "k8s/prod/system:serviceaccount:ml:desk"
NOW = "2026-11-25T00:00:00Z"


def trust(principal: Json, action: str = "sts:AssumeRole", **condition: Json) -> str:
    statement: Json = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def web_identity(subject: str = "system:serviceaccount:ml:desk") -> str:
    """The trust of the role in the tokens of the cluster."""
    provider = {"Federated": f"arn:aws:iam::{RUN}:oidc-provider/{HOST}"}
    exact = {f"{HOST}:sub": subject, f"{HOST}:aud": "sts.amazonaws.com"}
    return trust(provider, "sts:AssumeRoleWithWebIdentity", StringEquals=exact)


def allow(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# --- the cluster ---------------------------------------------------------------------------


def annotated(api: ApiServer, role: str) -> None:
    """Write the account of the pod, with the role that it says it has."""
    said = {"eks.amazonaws.com/role-arn": role} if role else {}
    api.objects["ServiceAccount"] = []
    api.add("ServiceAccount", "desk", "ml", metadata={"annotations": said})


def cluster(api: ApiServer) -> None:
    api.add("Namespace", "ml")
    annotated(api, DESK)
    spec = {"serviceAccountName": "desk", "containers": [{"name": "c", "image": "i"}]}
    api.add("Pod", "desk-0", "ml", spec=spec)


# --- the accounts --------------------------------------------------------------------------


def clients(url: str, number: str) -> tuple[Callable[[str], Any], dict[str, str]]:
    """Give clients in an account of the server, and the environment that enters it."""
    where: Json = {"endpoint_url": url, "region_name": REGION}
    sts: Any = boto3.client(
        "sts", aws_access_key_id="local", aws_secret_access_key="local", **where
    )
    role = f"arn:aws:iam::{number}:role/reader"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session: Any = boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    environment = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    return cache(lambda service: session.client(service, **where)), environment


def accounts(run: Callable[[str], Any], bridge: Callable[[str], Any]) -> None:
    run("iam").create_open_id_connect_provider(
        Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )
    run("iam").create_role(RoleName="desk", AssumeRolePolicyDocument=web_identity())
    run("iam").put_role_policy(
        RoleName="desk", PolicyName="go", PolicyDocument=allow("sts:AssumeRole", ACROSS)
    )
    bridge("iam").create_role(RoleName="across", AssumeRolePolicyDocument=trust({"AWS": DESK}))


# --- the project ---------------------------------------------------------------------------


def project() -> Cloud:
    made = Cloud("333", "acme.example", "C03")
    place = made.project("records-prod", NUMBER, made.root)
    made.pools[place] = [{"name": POOL, "state": "ACTIVE"}]
    provider: Json = {"name": f"{POOL}/providers/aws", "state": "ACTIVE"}
    made.providers[POOL] = [provider | {"aws": {"accountId": BRIDGE}}]
    made.account(place, "records-reader")
    made.role(
        "roles/iam.workloadIdentityUser",
        "Workload Identity User",
        ("iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"),
    )
    made.role("roles/storage.objectViewer", "Viewer", ("storage.objects.get",))
    bucket = {"name": "customer-records", "labels": {"data-class": "pii"}}
    labels = {"data-class": "pii"}
    made.add("storage.googleapis.com/Bucket", BUCKET, bucket, place, labels=labels)
    made.bind(BUCKET, "roles/storage.objectViewer", f"serviceAccount:{READER}")
    let_in(made, "across")
    return made


def let_in(made: Cloud, role: str) -> None:
    """Let a role of the second account act as the reader; none, when it is empty."""
    arn = f"arn:aws:sts::{BRIDGE}:assumed-role/{role}"
    member = f"principalSet://iam.googleapis.com/{POOL}/attribute.aws_role/{arn}"
    made.account_asset(READER).policy = []
    if role:
        made.bind(READER, "roles/iam.workloadIdentityUser", member)


# --- the wires -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Wires:
    """Everything that answers, and how to collect it."""

    api: ApiServer
    google: LocalGoogle
    moto: str
    run: Callable[[str], Any]
    bridge: Callable[[str], Any]

    def collect(self, out: Path, *more: str, live: str = "aws gcp kubernetes") -> None:
        """Collect all three into a file: those of `live` from their wires."""
        urls = {"aws": self.moto, "gcp": self.google.url, "kubernetes": self.api.url}
        code = run_command(
            [
                *("collect", "aws", "gcp", "kubernetes", "-o", str(out), "--quiet"),
                *(f"--endpoint-url={name}={urls[name]}" for name in live.split()),
                *("--region", REGION, "--assume-role", f"arn:aws:iam::{BRIDGE}:role/reader"),
                *("--project", "records-prod", "--cluster", "prod", "--now", NOW, *more),
            ]
        )
        assert code == 0


@pytest.fixture(scope="module")
def wires() -> Iterator[Wires]:
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    api = ApiServer(f"https://{HOST}")
    with pytest.MonkeyPatch.context() as patch, serving(LocalGoogle(project())) as google:
        for name in ("AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("NO_GCE_CHECK", "true")
        patch.setenv("NO_PROXY", "127.0.0.1")
        run, environment = clients(url, RUN)
        bridge, _ = clients(url, BRIDGE)
        for name, value in environment.items():
            patch.setenv(name, value)
        cluster(api)
        accounts(run, bridge)
        yield Wires(api, google, url, run, bridge)
    api.close()
    server.stop()
