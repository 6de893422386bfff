"""The way to ARM and Microsoft Graph: azure-core's pipeline with azure-identity's tokens.

azure-core sends no bearer token over plain http. An endpoint of one's own on 127.0.0.1 gets a
placeholder instead, so that no real token leaves by it.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    HeadersPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import DefaultAzureCredential

from modelreach import __version__
from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach_azure.call import Service


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a cloud's services are. `agents` is whom tokens for agents of projects are for, which
    answer at hosts that end in `hosts`."""

    arm: str
    graph: str
    agents: str
    hosts: str


_PUBLIC: Final = Cloud(
    "https://management.azure.com",
    "https://graph.microsoft.com",
    "https://ai.azure.com",
    ".services.ai.azure.com",
)
#: By AZURE_AUTHORITY_HOST, which azure-identity reads too.
#: https://learn.microsoft.com/graph/deployments
_CLOUDS: Final = {
    "login.microsoftonline.us": Cloud(
        "https://management.usgovcloudapi.net",
        "https://graph.microsoft.us",
        "https://ai.azure.us",
        ".services.ai.azure.us",
    ),
    "login.chinacloudapi.cn": Cloud(
        "https://management.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://ai.azure.cn",
        ".services.ai.azure.cn",
    ),
}
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
#: A service may ask for a longer pause than anybody would wait for.
_LONGEST_PAUSE: Final = 120.0
_READING: Final = 6
#: What these say goes into gaps and errors; without a handler it would go to the terminal as well.
for _name in ("azure", "msal"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
#: What is posted is a query, and may be asked again.
_REPEATABLE: Final = frozenset({"GET", "POST"})


class _Patient(RetryPolicy[HttpRequest, HttpResponse]):
    """Retries as the service asks, within reason."""

    def get_retry_after(self, response: Any) -> float | None:
        asked: float | None = super().get_retry_after(response)
        return None if asked is None else min(asked, _LONGEST_PAUSE)


class _Placeholder:
    """What is sent to an endpoint on this machine."""

    def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        """Give a token that is none."""
        return AccessToken("local", int(time.time()) + 3600)

    def close(self) -> None:
        """Nothing to close."""


class _InTenant:
    """The credentials that somebody is signed in with, for one tenant."""

    def __init__(self, inner: DefaultAzureCredential, tenant: str) -> None:
        self._inner, self._tenant = inner, tenant

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        """Give a token of that tenant."""
        if self._tenant:
            more["tenant_id"] = self._tenant
        return self._inner.get_token(*scopes, **more)

    def close(self) -> None:
        """Close the connections of the chain."""
        self._inner.close()


@dataclass(frozen=True, slots=True)
class Wire:
    """A client for each service. Use by many threads is fine.

    `bases` are their addresses; that of agents is "" where each project has its own, at hosts that
    end in `foundry`.
    """

    clients: dict[Service, PipelineClient[HttpRequest, HttpResponse]]
    bases: dict[Service, str]
    foundry: str
    credential: Any
    secure: bool

    def send(self, service: Service, request: HttpRequest) -> HttpResponse:
        """Send a request, with the token of its service; give the response, read whole."""
        return self.clients[service].send_request(
            request, enforce_https=self.secure, retry_on_methods=_REPEATABLE
        )

    def close(self) -> None:
        """Close all connections."""
        for client in self.clients.values():
            client.close()
        self.credential.close()


def connect(options: CollectOptions, *, attempts: int) -> Wire:
    """Make the clients. Raises `InputError` for an endpoint that a token must not be sent to."""
    cloud = _cloud(options.endpoint_url)
    secure = cloud.arm.startswith("https:")
    credential: Any = _signed_in(options.tenant) if secure else _Placeholder()

    def client(base: str, audience: str) -> PipelineClient[HttpRequest, HttpResponse]:
        return PipelineClient(
            base,
            policies=[
                HeadersPolicy(),
                UserAgentPolicy(base_user_agent=f"modelreach/{__version__}"),
                _Patient(
                    retry_total=attempts - 1,
                    retry_connect=min(attempts - 1, 2),
                    retry_read=min(attempts - 1, 2),
                    retry_status=attempts - 1,
                    retry_backoff_factor=0.5,
                    timeout=_LONGEST_PAUSE * attempts,
                ),
                BearerTokenCredentialPolicy(credential, f"{audience}/.default"),
            ],
            connection_timeout=options.timeout,
            read_timeout=options.timeout * _READING,
        )

    arm = client(cloud.arm, cloud.arm)
    clients = {
        Service.ARM: arm,
        Service.RESOURCE_GRAPH: arm,
        Service.GRAPH: client(cloud.graph, cloud.graph),
        Service.FOUNDRY: client(cloud.agents, cloud.agents),
    }
    bases = {
        Service.ARM: cloud.arm,
        Service.RESOURCE_GRAPH: cloud.arm,
        Service.GRAPH: cloud.graph,
        Service.FOUNDRY: options.endpoint_url.rstrip("/"),
    }
    return Wire(clients, bases, cloud.hosts, credential, secure)


def _cloud(endpoint_url: str) -> Cloud:
    if not endpoint_url:
        host = urlsplit(f"//{os.environ.get('AZURE_AUTHORITY_HOST', '').split('//')[-1]}").hostname
        return _CLOUDS.get(host or "", _PUBLIC)
    base = endpoint_url.rstrip("/")
    found = urlsplit(base)
    if found.scheme == "http" and found.hostname not in _LOCAL:
        raise InputError(
            f"`{endpoint_url}` would carry a token in plain text",
            place="--endpoint-url",
            hint="plain http is for an endpoint on 127.0.0.1",
        )
    if found.scheme not in ("http", "https") or not found.hostname:
        raise InputError(f"`{endpoint_url}` is not a URL", place="--endpoint-url")
    return Cloud(base, base, base, "")


def _signed_in(tenant: str) -> _InTenant:
    inner = DefaultAzureCredential(
        exclude_interactive_browser_credential=True, additionally_allowed_tenants=["*"]
    )
    return _InTenant(inner, tenant)
