"""What all tests share: generated examples are the same in every run, and slow machines count.

`make test` tries a few dozen examples of each law, always the same; `make soak` tries thousands,
others each time (`--hypothesis-profile long`).
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=1_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# As in the program itself (see `modelreach.__main__`): what tests import and keep for a session is
# no garbage, and looking through all of it over and over took a sixth of their time.
gc.set_threshold(100_000, 50, 50)
# Nobody looks at the hundreds of machine images that moto would make for each account.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


class Worlds:
    """What is in moto's clouds, for each room of tests apart.

    All its servers of a process share one world, in which rooms that have accounts of the same
    number would find each other's things: or not, by the order in which they happen to run.
    """

    def __init__(self) -> None:
        self._room = Path()
        self._left: dict[Path, list[tuple[Any, dict[str, Any]]]] = {}

    def enter(self, room: Path) -> None:
        """Take away what other rooms made, and put back what this one did."""
        moto: Any = sys.modules.get("moto.core.base_backend")
        if moto is None or room == self._room:
            return
        with moto.backend_lock:
            parts = [part for one in moto.BackendDict._instances for part in _parts(one)]
            self._left[self._room] = [(part, dict(part)) for part in parts]
            for part in parts:
                part.clear()
            for part, content in self._left.pop(room, ()):
                part.update(content)
        self._room = room


def _parts(service: Any) -> Iterator[dict[str, Any]]:
    """Give the accounts of a service, and what S3 knows besides: whose each bucket is."""
    yield service
    if hasattr(service, "bucket_accounts"):
        yield service.bucket_accounts


WORLDS = Worlds()


ROOMS: list[Path] = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each room has a world of its own, whoever was here before."""
    room = item.path.parent
    WORLDS.enter(room)
    if ROOMS[-1:] != [room]:
        ROOMS.append(room)
        _keep()


def pytest_collection_finish() -> None:
    """Leave what was imported until now out of every later search for garbage."""
    _keep()


def _keep() -> None:
    """Have what is there now, but is no garbage, never looked through again.

    A wide scan looks for garbage itself: in what all rooms before left, that took a second each.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def calling_aws(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], AbstractContextManager[None]]:
    """Calls of AWS's SDK are made with the key of this id and in this region, and with nothing of
    the machine's own configuration."""
    empty = tmp_path_factory.mktemp("aws")

    @contextmanager
    def set_up(key_id: str, region: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
                patch.delenv(name, raising=False)
            patch.setenv("AWS_ACCESS_KEY_ID", key_id)
            patch.setenv("AWS_SECRET_ACCESS_KEY", "local")
            patch.setenv("AWS_DEFAULT_REGION", region)
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("AWS_CONFIG_FILE", str(empty / "config"))
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(empty / "credentials"))
            patch.setenv("NO_PROXY", "127.0.0.1")
            yield

    return set_up


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the system's own Chromium."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=120_000)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is here; `.ci/run` installs one on Debian")
    with sync_playwright() as driver:
        # Chromium's sandbox does not work for root, who runs this in containers.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=found, args=arguments, timeout=180_000)
        yield started
        started.close()
