"""The look-alike of Google Cloud over HTTP and gRPC, and runs of the connector against it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from google_cloud.everything import everything
from google_cloud.server import LocalGoogle, serving
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_gcp import GcpConnector
from modelreach_gcp.live import Patience
from modelreach_gcp.pace import Pacer

NOW = "2026-11-24T00:00:00Z"
ROOT = "organizations/111"

Collect = Callable[..., Snapshot]


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No credentials of anybody's: neither files nor a metadata server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_GCE_CHECK", "true")
        patch.setenv("CLOUDSDK_CONFIG", str(tmp_path_factory.mktemp("gcloud")))
        patch.setenv("NO_PROXY", "127.0.0.1")
        for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def local() -> Iterator[LocalGoogle]:
    """A server with one of everything, for this test alone."""
    with serving(LocalGoogle(everything())) as one:
        yield one


def unpaced() -> Pacer:
    """A pacer that does not wait."""
    return Pacer(sleep=lambda _: None)


def connector(**more: Any) -> GcpConnector:
    """A connector that is not patient."""
    given: dict[str, Any] = {"seconds": 1.0, "first_pause": 0.01, "pacer": unpaced} | more
    return GcpConnector(patience=Patience(**given))


@pytest.fixture
def collect(local: LocalGoogle) -> Collect:
    """Collect from the server."""

    def run(patience: dict[str, Any] | None = None, **options: Any) -> Snapshot:
        given = {"now": NOW, "scopes": (ROOT,), "endpoint_url": local.url} | options
        return connector(**patience or {}).collect(CollectOptions(**given))

    return run


@dataclass(frozen=True)
class Run:
    """One run, with its recording."""

    snapshot: Snapshot
    recording: Path
    local: LocalGoogle


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over everything, in pages of two, which is not refused anything."""
    folder = tmp_path_factory.mktemp("recording") / "whole"
    with serving(LocalGoogle(everything(), page_size=2)) as local:
        options = CollectOptions(now=NOW, scopes=(ROOT,), endpoint_url=local.url, record=folder)
        return Run(connector().collect(options), folder, local)


@pytest.fixture(scope="session")
def replay() -> Callable[..., Snapshot]:
    """Read files instead of a cloud."""

    def run(*sources: Path, **options: Any) -> Snapshot:
        given = {"now": "2030-01-01T00:00:00Z", "sources": sources} | options
        return GcpConnector().collect(CollectOptions(**given))

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Give every file below a folder."""
    return {
        os.path.relpath(path, folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
