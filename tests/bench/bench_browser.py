"""How long the script of a page takes until the access graph is drawn, in the system's Chromium.

Run by `make bench`. Prints medians; asserts only that it was drawn, as machines differ.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from modelreach_reports import html

GIVEN = Path(__file__).resolve().parents[1] / "reports" / "conftest.py"
RUNS = 5
DRAWN = "performance.getEntriesByName('modelreach-graph')[0].duration"


def _given() -> Any:
    spec = importlib.util.spec_from_file_location("reports_as_given", GIVEN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("paths", [40, 5000, 50_000])
def bench_first_draw(paths: int, tmp_path: Path) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium here")
    page = tmp_path / "review.html"
    page.write_bytes(html.render(_given().build_wide(paths)))
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        taken = []
        for _ in range(RUNS):
            tab = browser.new_page()
            tab.goto(page.as_uri())
            assert tab.locator("button.node").count() > 20
            taken.append(tab.evaluate(DRAWN))
            tab.close()
        browser.close()
    size = page.stat().st_size / 1024
    print(f"\n{paths:>6} paths: drawn in {statistics.median(taken):4.0f} ms, {size:6.0f} KiB")
