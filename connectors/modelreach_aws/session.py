"""Who asks: sessions of the SDK's own credential chain, one for each account, and its clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError, ProfileNotFound, UnknownRegionError
from botocore.loaders import Loader, create_loader

from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach_aws.ask import believe_early, check_form
from modelreach_aws.calls import CALLS
from modelreach_aws.pace import Pace

_SESSION_NAME: Final = "modelreach"
_DEFAULT_REGION: Final = "us-east-1"
#: The service that every region has.
_EVERYWHERE: Final = "ec2"
#: An answer may take this many times as long as a connection.
_READING: Final = 3
#: The part of a service model that lists its operations.
_OPERATIONS: Final = "service-2"
#: Services that the SDK itself gets credentials from.
_CREDENTIALS: Final = frozenset({"sts", "sso", "sso-oidc", "signin"})


@dataclass(slots=True)
class Source:
    """One set of credentials: the chain, a profile, or a role assumed with the first of these.

    `home` is the region where calls go that are not about a region. Clients are made by one
    thread only, and used by many: https://docs.aws.amazon.com/boto3/latest/guide/clients.html
    """

    label: str
    session: boto3.session.Session
    home: str
    config: Config
    endpoint_url: str = ""
    role: str = ""
    attempts: int = 10
    _paces: dict[str, Pace] = field(default_factory=dict[str, Pace])
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])

    def client(self, service: str, region: str = "") -> Any:
        """Give the client of a service in a region, or at home."""
        key = service, region or self.home
        if key not in self._clients:
            make: Any = self.session.client
            client = make(
                service,
                region_name=key[1],
                endpoint_url=self.endpoint_url or None,
                config=self.config,
            )
            pace = self._paces.setdefault(service, Pace(self.attempts))
            client.meta.events.register_first("needs-retry", pace.needs_retry)
            client.meta.events.register_first("needs-retry", believe_early)
            client.meta.events.register("before-send", pace.before_send)
            client.meta.events.register_first("before-parse", check_form)
            self._clients[key] = client
        return self._clients[key]

    def close(self) -> None:
        """Close the connections of all clients."""
        for client in self._clients.values():
            client.close()

    def lacks(self, service: str, region: str) -> bool:
        """Does the SDK know the region, and that it does not have the service?

        False for a region it does not know, which may be new or mistyped: not reaching that is
        for people to see.
        """
        try:
            partition = self.session.get_partition_for_region(region)
        except UnknownRegionError:
            return False

        def has(name: str) -> bool:
            return region in self.session.get_available_regions(name, partition_name=partition)

        return has(_EVERYWHERE) and not has(service)

    @property
    def parameters(self) -> Mapping[str, str]:
        """What names these credentials in an answer about them."""
        return {"RoleArn": self.role} if self.role else {"Profile": self.label}


def sources(options: CollectOptions, *, attempts: int) -> Iterator[Source]:
    """Give the credentials to collect with: profiles or the chain, then the roles to assume.

    Raises `InputError` for a profile that is not configured.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=options.timeout,
        read_timeout=options.timeout * _READING,
        max_pool_connections=max(10, options.max_workers),
        user_agent_extra="modelreach",
    )
    bases: list[Source] = []
    for profile in options.profiles or ("",):
        session = _session(profile)
        base = _source(profile or "default", session, options, config)
        base.attempts = attempts
        bases.append(base)
    yield from bases
    for role in options.assume_roles:
        session = _assumed(bases[0], role, options.external_id)
        source = _source(role, session, options, config, home=bases[0].home, role=role)
        source.attempts = attempts
        yield source


def _source(
    label: str,
    session: botocore.session.Session,
    options: CollectOptions,
    config: Config,
    *,
    home: str = "",
    role: str = "",
) -> Source:
    first = options.regions[0] if options.regions else ""
    region = home or first or session.get_config_variable("region") or _DEFAULT_REGION
    session.register_component("data_loader", _models(session.get_config_variable("data_path")))
    wrapped = boto3.session.Session(botocore_session=session, region_name=region)
    return Source(label, wrapped, region, config, options.endpoint_url, role)


@cache
def _models(search_path: str | None) -> Loader:
    """Give what reads the service models. Doing so takes a second: once is enough for all."""
    return _OnlyOurs(create_loader(search_path).search_paths)


class _OnlyOurs(Loader):
    """Service models that hold no operation but those of the table of calls.

    So no client can do anything else, by whatever mistake; and a client of EC2 is not made with
    seven hundred methods. Services that give out credentials stay whole: the SDK's chain calls
    them in its own ways.
    """

    def __init__(self, search_paths: list[str]) -> None:
        super().__init__(search_paths, include_default_search_paths=False)

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> dict[str, Any]:
        model: dict[str, Any] = super().load_service_model(service_name, type_name, api_version)
        ours = _operations().get(service_name)
        if ours is None or type_name != _OPERATIONS:
            return model
        kept = {name: model["operations"][name] for name in sorted(ours & {*model["operations"]})}
        return {**model, "operations": kept}


@cache
def _operations() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for call in CALLS:
        if call.service not in _CREDENTIALS:
            found.setdefault(call.service, set()).add(call.operation)
    return found


def _session(profile: str) -> botocore.session.Session:
    try:
        session = botocore.session.Session(profile=profile or None)
        session.get_scoped_config()
    except ProfileNotFound:
        known = botocore.session.Session().available_profiles
        raise InputError(
            f"there is no AWS profile `{profile or 'AWS_PROFILE'}`",
            hint=f"known: {', '.join(sorted(known)) or 'none'}",
        ) from None
    return session


class _AssumedRole(CredentialProvider):
    """Credentials of a role, renewed when they run out."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> Any:
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)


def _assumed(base: Source, role: str, external_id: str) -> botocore.session.Session:
    arguments = {"RoleSessionName": _SESSION_NAME}
    if external_id:
        arguments["ExternalId"] = external_id
    make: Any = base.session.client
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(
            make,
            region_name=base.home,
            endpoint_url=base.endpoint_url or None,
            config=base.config,
        ),
        source_credentials=_Lazily(base),
        role_arn=role,
        extra_args=arguments,
    )
    session = botocore.session.Session()
    resolver: Any = session.get_component("credential_provider")
    resolver.providers.insert(0, _AssumedRole(fetcher))
    return session


class _Lazily:
    """The base credentials, looked up when they are needed and refused there."""

    def __init__(self, base: Source) -> None:
        self._base = base

    def get_frozen_credentials(self) -> Any:
        credentials = self._base.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return credentials.get_frozen_credentials()
