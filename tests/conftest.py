"""What all tests share: generated examples are the same in every run, and slow machines count.

`make test` tries a few dozen examples of each law, always the same; `make soak` tries thousands,
others each time (`--hypothesis-profile long`).
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

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


def pytest_collection_finish() -> None:
    """Leave what was imported until now out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the system's own Chromium."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is here; `.ci/run` installs one on Debian")
    with sync_playwright() as driver:
        # Chromium's sandbox does not work for root, who runs this in containers.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = driver.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()
