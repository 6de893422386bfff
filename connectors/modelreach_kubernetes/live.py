"""A cluster, asked through the official client: its configuration, its credentials, its pool.

Objects are taken as the server wrote them: the typed models of the client change from release to
release and refuse answers that lack a field.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject

from modelreach.model import InputError, NothingCollected
from modelreach.plugins import CollectOptions
from modelreach_kubernetes.estate import Object, Read, Refusal
from modelreach_kubernetes.keep import kept
from modelreach_kubernetes.kinds import ENTRY_KIND, ENTRY_PATH, KINDS, TOKENS, Kind

_PAGE: Final = 500
_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_RETRIED: Final = (429, 500, 502, 503, 504)


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def read_cluster(options: CollectOptions) -> Read:
    """Ask a cluster for everything in the table. What is refused becomes a gap.

    Raises `NothingCollected` when no kind could be read, `InputError` for a configuration that
    cannot be used.
    """
    server = _Server.of(options)
    context = next(iter(options.settings.get("context", ())), "")
    name = next(iter(options.settings.get("cluster", ())), "") or context or _current(options)
    found = Read(name.replace("/", "-") or "cluster", options.now)
    found.about.update(_about(server))
    there = _groups(server)
    namespaces = options.settings.get("namespace", ())
    for kind in KINDS:
        if kind.optional and there is not None and kind.group not in there:
            continue
        options.progress(f"kubernetes: {kind.qualified}")
        for namespace in namespaces if kind.namespaced and namespaces else ("",):
            _read(server, kind, namespace, found)
    if _of_eks(found, options):
        _read_entry(server, found)
    _mark_tokens(found)
    if not found.objects:
        why = found.refusals[0].message if found.refusals else "it answered nothing"
        raise NothingCollected(
            f"nothing of the cluster `{found.cluster}` could be read: {why}",
            hint="check the context (`--context`) and its credentials with `kubectl auth whoami`",
        )
    return found


def _current(options: CollectOptions) -> str:
    if options.endpoint_url:
        return ""
    files = _kubeconfig()
    try:
        _, current = config.list_kube_config_contexts(files) if files else (None, None)
    except config.ConfigException:
        return ""
    return str(current.get("name", "")) if isinstance(current, dict) else ""


@dataclass(frozen=True, slots=True)
class _Server:
    """The API server, and how it is asked."""

    configuration: Configuration
    pool: urllib3.PoolManager
    timeout: float

    @staticmethod
    def of(options: CollectOptions) -> _Server:
        configuration = configured(options)
        rest = RESTClientObject(configuration)
        return _Server(configuration, rest.pool_manager, options.timeout)

    def get(self, path: str, query: dict[str, str], accept: str) -> dict[str, Any]:
        """Give the answer. Raises `_Refused`; status 0 means that there was none."""
        url = f"{self.configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self.pool.request(
                "GET",
                url,
                headers={"Accept": accept, **self._authorization()},
                timeout=urllib3.Timeout(connect=self.timeout, read=max(self.timeout, 30.0)),
                retries=urllib3.Retry(
                    total=4,
                    connect=1,
                    status_forcelist=_RETRIED,
                    backoff_factor=0.2,
                    raise_on_status=False,
                    redirect=False,
                ),
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _Refused(0, _said(error)) from None
        return _decoded(answer.status, answer.data)

    def _authorization(self) -> dict[str, str]:
        settings: dict[str, Any] = dict(self.configuration.auth_settings())
        token = settings.get("BearerToken", {}).get("value")
        return {"Authorization": str(token)} if token else {}


def configured(options: CollectOptions) -> Configuration:
    """Give where the cluster is and as whom it is asked: by address, by kubeconfig, or in a pod.

    Raises `NothingCollected` where there is none of these, `InputError` where one cannot be used.
    """
    configuration = Configuration()
    if options.endpoint_url:
        configuration.host = options.endpoint_url.rstrip("/")
        return configuration
    context = next(iter(options.settings.get("context", ())), None)
    files = _kubeconfig()
    try:
        if files:
            # It would be written back where a token was renewed.
            config.load_kube_config(files, context, configuration, persist_config=False)
        else:
            config.load_incluster_config(configuration)
    except config.ConfigException as error:
        hint = "set KUBECONFIG, name a context with `--context`, or run within the cluster"
        if not files:
            raise NothingCollected(
                "there is no kubeconfig, and this does not run in a cluster", hint=hint
            ) from None
        raise InputError(
            f"no configuration of a cluster can be used ({_said(error)})",
            place="--context",
            hint=hint,
        ) from None
    return configuration


def _kubeconfig() -> str:
    """Give the files with the configuration, as `kubectl` finds them; "" where there are none.

    https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
    """
    named = os.environ.get("KUBECONFIG") or str(Path("~", ".kube", "config"))
    files = [Path(one).expanduser() for one in named.split(os.pathsep) if one]
    return os.pathsep.join(str(one) for one in files if one.exists())


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _decoded(status: int, raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if status >= 400:
        message = found.get("message") if isinstance(found, dict) else None
        raise _Refused(status, str(message or f"status {status}")[:300])
    if not isinstance(found, dict):
        raise _Refused(-1, "the answer is not a JSON object")
    return found


def _about(server: _Server) -> dict[str, str]:
    """Give version and issuer, as far as they are to be had: neither decides anything alone.

    Raises `NothingCollected` when there is no server.
    """
    found: dict[str, str] = {}
    for path, key, name in (
        ("/version", "gitVersion", "version"),
        ("/.well-known/openid-configuration", "issuer", "issuer"),
    ):
        try:
            value = server.get(path, {}, "application/json").get(key)
        except _Refused as refused:
            if refused.status == 0:
                raise NothingCollected(
                    f"no API server answers at {server.configuration.host} ({refused.message})",
                    hint="check the context (`--context`), the network and any proxy",
                ) from None
            continue
        if isinstance(value, str) and value:
            found[name] = value
    return found


def _groups(server: _Server) -> set[str] | None:
    """Give the groups that the server has; None when it does not say."""
    try:
        found = server.get("/apis", {}, "application/json").get("groups")
    except _Refused:
        return None
    groups = found if isinstance(found, list) else []
    return {str(one.get("name")) for one in groups if isinstance(one, dict)}


def _read(server: _Server, kind: Kind, namespace: str, found: Read) -> None:
    try:
        for item in _items(server, kind, namespace):
            found.objects.append(item)
    except _Refused as refused:
        if kind.optional and refused.status == 404:
            return
        reason = _REASONS.get(refused.status, "unreachable")
        found.refusals.append(Refusal(kind, reason, refused.message, namespace))
        return
    found.whole.add((kind.qualified + kind.selector, namespace))


def _of_eks(found: Read, options: CollectOptions) -> bool:
    """Is it a cluster of EKS, as far as its issuer or whoever collects it says?"""
    said = next(iter(options.settings.get("cluster-id", ())), "")
    return said.startswith("arn:") or ".eks." in found.about.get("issuer", "")


def _read_entry(server: _Server, found: Read) -> None:
    """Read who of AWS enters the cluster; that it has no such config map is an answer, too."""
    try:
        item = server.get(ENTRY_PATH, {}, "application/json")
    except _Refused as refused:
        if refused.status != 404:
            reason = _REASONS.get(refused.status, "unreachable")
            found.refusals.append(Refusal(ENTRY_KIND, reason, refused.message, "kube-system"))
        return
    found.objects.append(kept({**item, "apiVersion": "v1", "kind": "ConfigMap"}))


_REASONS = {-1: "malformed", 401: "denied", 403: "denied", 404: "unsupported", 429: "throttled"}


def _items(server: _Server, kind: Kind, namespace: str) -> Iterator[Object]:
    """Give every object of a kind, page by page. A list that expired is begun again, once.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
    """
    for attempt in (1, 2):
        try:
            yield from list(_pages(server, kind, namespace))
            return
        except _Refused as refused:
            if refused.status != 410 or attempt == 2:
                raise


def _pages(server: _Server, kind: Kind, namespace: str) -> Iterator[Object]:
    path = kind.within(namespace) if namespace else kind.path
    accept = f"{_METADATA},application/json;q=0.1" if kind.metadata else "application/json"
    query = {"limit": str(_PAGE)}
    if kind.selector:
        query["fieldSelector"] = kind.selector
    seen: set[str] = set()
    while True:
        page = server.get(path, query, accept)
        items = page.get("items")
        if not isinstance(items, list):
            raise _Refused(-1, "the answer has no list of items")
        for item in items:
            if isinstance(item, dict):
                yield _reduced(item, kind)
        metadata = page.get("metadata")
        token = metadata.get("continue") if isinstance(metadata, dict) else None
        if not token:
            return
        if token in seen:
            raise _Refused(-1, "the pages of the list come to no end")
        seen.add(str(token))
        query["continue"] = str(token)


def _reduced(item: dict[str, Any], kind: Kind) -> Object:
    """Items of a list do not say their kind; those of metadata say that they are metadata."""
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    named = {**item, "apiVersion": version, "kind": kind.name}
    return kept(named, is_token=kind.selector == TOKENS)


def _mark_tokens(found: Read) -> None:
    """A secret comes once in the list of all, and again among the tokens: the latter says more."""
    best: dict[tuple[str, ...], Object] = {}
    for item in found.objects:
        metadata = item["metadata"]
        named = (str(metadata.get(part, "")) for part in ("namespace", "name"))
        key = (item["apiVersion"], item["kind"], *named)
        if key not in best or "type" in item or "data" in item:
            best[key] = item
    found.objects[:] = best.values()
