"""Plans as Terraform writes them, estates that they are applied to, and what somebody reaches."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.base_backend import BackendDict, backend_lock
from moto.server import ThreadedMotoServer

from modelreach.deployment import of_principal
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import Release
from modelreach.pipeline.evaluate import Estates, evaluate
from modelreach.plugins import CollectOptions
from modelreach.policy.providers import cloud_of, engines
from modelreach.snapshot import Facts, Snapshot, encode
from modelreach_aws import AwsConnector
from modelreach_terraform import TerraformConnector

PLANS = Path(__file__).parent / "plans"
NOW = "2026-11-25T00:00:00Z"
REGION = "us-east-1"
ACCOUNT = "123456789012"
CANARY = "hush-canary-value"

Json = dict[str, Any]
#: What a provider chooses, and a plan names by its address.
_CHOSEN = (
    (re.compile(r"(:instance/|:key/)[^#/]+$"), r"\1*"),
    (re.compile(r"(:secret:.+)-[\w]{6}$"), r"\1-*"),
    (re.compile(r"^(AKIA\w+|aws_iam_access_key\..+)$"), "AKIA*"),
)


def chosen(name: str) -> str:
    """Give an id without what the provider chooses of it."""
    for pattern, instead in _CHOSEN:
        name = pattern.sub(instead, name)
    return name


Rename = Callable[[str], str]
Reaches = Callable[..., set[tuple[str, ...]]]


@pytest.fixture(scope="session")
def reaches() -> Reaches:
    """Give everything that a principal of a snapshot reaches."""
    return _radius


@pytest.fixture(scope="session")
def may() -> Callable[..., str]:
    """Give the verdict on whether somebody of a snapshot may do something."""

    def verdict(snapshot: Snapshot, principal: str, action: str, thing: str) -> str:
        engine = engines(Facts(snapshot))[cloud_of(principal, snapshot)]
        return str(engine.decide(principal, action, thing, {}).verdict)

    return verdict


@pytest.fixture(scope="session")
def plans() -> Path:
    """The folder of recorded plans."""
    return PLANS


@pytest.fixture
def planned() -> Callable[..., Plan]:
    """Begin a plan of a provider, with what it is configured with."""
    return lambda provider, **configured: Plan(provider, configured)


def _radius(snapshot: Snapshot, principal: str, rename: Rename = chosen) -> set[tuple[str, ...]]:
    """Give everything that a principal reaches: identities, grants, scopes, with verdicts."""
    cloud = cloud_of(principal, snapshot)
    side = evaluate(Release(of_principal(principal, cloud), snapshot), JudgePolicy(), Estates())
    found: set[tuple[str, ...]] = set()
    for one in side.radius.identities.values():
        strength = str(one.path.strength)
        found.add(("identity", rename(one.principal.id), one.principal.kind, strength))
    for access in (*side.radius.accesses, *side.radius.patterns):
        grant = access.grant
        found.add(
            (
                "grant",
                rename(grant.principal),
                rename(grant.resource),
                grant.kind,
                str(grant.capability),
                ",".join(grant.actions),
                str(access.verdict),
            )
        )
    for name, takeover in side.radius.takeovers.items():
        found.add(("scope", name, takeover.provider, str(takeover.path.strength)))
    for name in side.radius.identities:
        for key in side.case.facts.credentials.get(name, ()):
            found.add(("credential", rename(key.id), key.kind, rename(name), key.status))
    return found


# --- plans ----------------------------------------------------------------------------------


@dataclass
class Plan:
    """A plan that is written down change by change, in the form of `terraform show -json`."""

    provider: str
    configured: Json = field(default_factory=dict)
    changes: list[Json] = field(default_factory=list)
    resources: list[Json] = field(default_factory=list)
    prior: list[Json] = field(default_factory=list)

    def change(
        self,
        address: str,
        actions: str,
        *,
        before: Json | None = None,
        after: Json | None = None,
        unknown: Json | None = None,
        sensitive: Json | None = None,
        refers: dict[str, list[str]] | None = None,
        provider: str = "",
    ) -> Plan:
        """Add a change of a resource. `refers` are the references of its attributes."""
        kind, _, rest = address.rpartition(".")[0].rpartition(".")[-1], "", address
        name = rest.rpartition(".")[2].partition("[")[0]
        key: str | int | None = None
        if found := re.search(r"\[(?:(\d+)|\"(.*)\")\]$", rest):
            key = int(found[1]) if found[1] else found[2]
        provider = provider or self.provider
        one: Json = {
            "address": address,
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider_name": f"registry.terraform.io/hashicorp/{provider}",
            "change": {
                "actions": actions.split(","),
                "before": before,
                "after": after,
                "after_unknown": unknown or {},
                "before_sensitive": {} if before else False,
                "after_sensitive": sensitive or ({} if after else False),
            },
        }
        if key is not None:
            one["index"] = key
        self.changes.append(one)
        expressions = _expressions(after or {})
        for path, named in (refers or {}).items():
            expressions[path] = {"references": named}
        self.resources.append(
            {
                "address": f"{kind}.{name}",
                "mode": "managed",
                "type": kind,
                "name": name,
                "provider_config_key": provider,
                "expressions": expressions,
                "schema_version": 0,
            }
        )
        return self

    def write(self, folder: Path) -> Path:
        """Write it to a file."""
        expressions = {name: {"constant_value": value} for name, value in self.configured.items()}
        root: Json = {"resources": self.resources}
        document: Json = {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "resource_changes": self.changes,
            "configuration": {
                "provider_config": {
                    self.provider: {
                        "name": self.provider,
                        "full_name": f"registry.terraform.io/hashicorp/{self.provider}",
                        "expressions": expressions,
                    }
                },
                "root_module": root,
            },
            "timestamp": "2026-11-25T00:00:00Z",
            "applyable": True,
            "complete": True,
            "errored": False,
        }
        if self.prior:
            document["prior_state"] = {
                "format_version": "1.0",
                "values": {"root_module": {"resources": self.prior}},
            }
        path = folder / "plan.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path


def _expressions(values: Json) -> Json:
    """Give the expressions that a configuration has for values: blocks are lists of them."""
    made: Json = {}
    for name, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            made[name] = [_expressions(one) for one in value]
        elif value is not None and value != []:
            made[name] = {"constant_value": value}
    return made


Apply = Callable[..., Snapshot]


@pytest.fixture
def apply(tmp_path: Path) -> Apply:
    """Apply plans to a snapshot."""

    def applied(plan: Plan | Path | list[Path], base: Snapshot | None = None, **more: str) -> Any:
        paths = plan.write(tmp_path) if isinstance(plan, Plan) else plan
        listed = paths if isinstance(paths, list) else [paths]
        settings: dict[str, tuple[str, ...]] = {"plan": tuple(map(str, listed))}
        if base is not None:
            file = tmp_path / "base.snap"
            file.write_bytes(encode(base))
            settings["onto"] = (str(file),)
        settings |= {name: (value,) for name, value in more.items()}
        return TerraformConnector().collect(CollectOptions(now=NOW, settings=settings))

    return applied


# --- AWS ------------------------------------------------------------------------------------


class Aws:
    """An account over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, service: str) -> Any:
        """Give a client."""
        return getattr(self, service)

    def __getattr__(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def forget(self) -> None:
        """Make the account empty; not by moto's reset, which is for everybody's accounts."""
        services: Any = BackendDict
        with backend_lock:
            taken = [one.pop(ACCOUNT) for one in services._instances if ACCOUNT in one]
        for backends in taken:
            backends.reset()

    def collect(self) -> Snapshot:
        """Read the account."""
        options = CollectOptions(now=NOW, regions=(REGION,), endpoint_url=self.url)
        return AwsConnector().collect(options)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """An empty account on a moto server."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "NO_PROXY": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
        server = ThreadedMotoServer(port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield Aws(f"http://{host}:{port}")
        server.stop()
