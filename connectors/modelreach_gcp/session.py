"""Who asks: Application Default Credentials, a service account to read as, and clients."""

from __future__ import annotations

import ipaddress
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import google.auth
import grpc
from google.auth import credentials as auth_credentials
from google.auth import impersonated_credentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport import requests as auth_requests
from requests.adapters import HTTPAdapter

from modelreach.model import InputError, NothingCollected
from modelreach.plugins import CollectOptions
from modelreach_gcp.ask import Wire, client_class

#: Cloud Identity has a scope of its own; the services take the platform's, and only read here.
SCOPES: Final = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/cloud-identity.groups.readonly",
)
_HINT: Final = "sign in with `gcloud auth application-default login`, or name a key file or "
_HINT_2: Final = "federation in GOOGLE_APPLICATION_CREDENTIALS"
#: An answer may take this many times as long as a connection.
_READING: Final = 6
#: Assets come with everything that is known of them.
_LARGEST: Final = 64 * 1024 * 1024


class Source:
    """One set of credentials, and what is made of it. `project` is the one that it is of."""

    def __init__(
        self, options: CollectOptions, credentials: Any, project: str, quota: str = ""
    ) -> None:
        self.project, self.quota = project, quota
        self._options = options
        self._credentials = _with_quota(credentials, quota)
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._channels: list[grpc.Channel] = []
        self._lock = Lock()
        self.session = _authorized(self._credentials)
        self.session.headers["User-Agent"] = "modelreach"
        _widen(self.session, options.max_workers)

    def wire(self, *, patience: float, first_pause: float) -> Wire:
        """Give what calls are made with."""
        return Wire(
            self.session,
            self._client,
            self._address,
            timeout=self._options.timeout * _READING,
            patience=patience,
            first_pause=first_pause,
        )

    def close(self) -> None:
        """Close all connections."""
        self.session.close()
        for channel in self._channels:
            channel.close()

    def _address(self, host: str) -> tuple[str, dict[str, str]]:
        """Give the base URL of a host. An endpoint of one's own is told for which it stands."""
        if self._options.endpoint_url:
            return self._options.endpoint_url.rstrip("/"), {"Host": host}
        return f"https://{host}", {}

    def _client(self, module: str, name: str, host: str) -> Any:
        key = module, name, host
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._made(client_class(module, name), host)
            return self._clients[key]

    def _made(self, kind: Any, host: str) -> Any:
        if not self._options.endpoint_url:
            return kind(credentials=self._credentials)
        channel = _channel(self._options.endpoint_url, host)
        self._channels.append(channel)
        transport = kind.get_transport_class("grpc")
        return kind(transport=transport(channel=channel))


def _with_quota(credentials: Any, quota: str) -> Any:
    if not quota or not hasattr(credentials, "with_quota_project"):
        return credentials
    return credentials.with_quota_project(quota)


def _authorized(credentials: Any) -> Any:
    make: Any = auth_requests.AuthorizedSession
    return make(credentials)


def _nobody() -> Any:
    make: Any = auth_credentials.AnonymousCredentials
    return make()


def _widen(session: Any, workers: int) -> None:
    adapter = HTTPAdapter(pool_connections=32, pool_maxsize=max(10, workers))
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)


def _channel(url: str, host: str) -> grpc.Channel:
    """Give a channel to an endpoint of the user's own, which is told for whom it stands."""
    place = urlsplit(url)
    options = [
        ("grpc.default_authority", host),
        ("grpc.max_receive_message_length", _LARGEST),
        ("grpc.enable_http_proxy", 0),
    ]
    port = place.port or (443 if place.scheme == "https" else 80)
    target = f"{place.hostname}:{port}"
    if place.scheme == "https":
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options=options)
    return grpc.insecure_channel(target, options=options)


def sources(options: CollectOptions) -> tuple[Source, ...]:
    """Give the credentials to collect with: one source for each project that pays.

    Raises `NothingCollected` when there are none.
    """
    credentials, project = _credentials(options)
    if email := next(iter(options.settings.get("impersonate", ())), ""):
        credentials = _impersonated(credentials, email, options.endpoint_url)
    quotas = options.settings.get("quota-project", ()) or ("",)
    return tuple(Source(options, credentials, project, quota) for quota in quotas)


def _credentials(options: CollectOptions) -> tuple[Any, str]:
    """Give Application Default Credentials; an endpoint without encryption on another machine is
    sent none."""
    if not may_carry_a_token(options.endpoint_url):
        return _nobody(), ""
    try:
        found: tuple[Any, str | None] = google.auth.default(scopes=list(SCOPES))
    except DefaultCredentialsError as error:
        if options.endpoint_url:
            return _nobody(), ""
        why = str(error).splitlines()[0].rstrip(".")
        raise NothingCollected(
            f"nothing could be collected from Google Cloud ({why})", hint=_HINT + _HINT_2
        ) from None
    return found[0], found[1] or ""


def may_carry_a_token(url: str) -> bool:
    """May credentials be sent there: to Google, over an encrypted way, or to this machine?"""
    place = urlsplit(url)
    if not url or place.scheme == "https" or place.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(place.hostname or "").is_loopback
    except ValueError:
        return False


def _impersonated(base: Any, email: str, endpoint: str) -> Any:
    if "@" not in email:
        raise InputError(
            f"`{email}` is not the e-mail address of a service account", place="--impersonate"
        )
    path = f"/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    own: dict[str, Any] = {}
    if endpoint:
        own["iam_endpoint_override"] = endpoint.rstrip("/") + path
    make: Any = impersonated_credentials.Credentials
    return make(base, target_principal=email, target_scopes=list(SCOPES), **own)
