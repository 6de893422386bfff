"""The pages in a real browser: from all deployments to a witness, in silence, for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect

from modelreach.cli import run

WATCH = """addEventListener("securitypolicyviolation", (event) => console.error(
    `refused: ${event.violatedDirective} ${event.blockedURI}`))"""
Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Goes to an address; fails afterwards for whatever the browser complained of."""
    contexts, complaints, dialogs = [], [], []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    def start(url: str, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(WATCH)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", dismiss)
        page.goto(url)
        return page

    yield start
    for context in contexts:
        context.close()
    assert (complaints, dialogs) == ([], [])


def test_from_all_deployments_to_a_witness(served: Any, visit: Visit) -> None:
    page = visit(served.url)
    page.get_by_role("link", name="agent-00").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("agent-00")
    expect(page.get_by_role("img", name="Resources reached: ")).to_have_count(1)
    page.get_by_role("link", name="Audit 6").first.click()
    page.get_by_role("link", name="What became of what was approved").first.click()
    expect(page.locator(".finding")).not_to_have_count(0)
    page.locator(".finding details summary").first.click()
    assert "policy own of agent-00, statement" in page.locator(".proof").first.inner_text()


def test_hostile_names_are_only_names(served: Any, visit: Visit, audits: list[Any]) -> None:
    for path in ("/", "/deployments/agent-00", f"/audits/{audits[-1]['id']}"):
        page = visit(served.url + path)
        assert page.locator("img, script, b[onclick]").count() == 0
        text = page.locator("body").inner_text()
        assert "\u202e" not in text
    assert "<b onclick=alert(1)>" in visit(served.url).locator("body").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(served: Any, visit: Visit, audits: list[Any], scheme: str) -> None:
    for path in ("/", "/deployments/agent-00", f"/audits/{audits[-1]['id']}"):
        page = visit(served.url + path, color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path


def test_a_timeline_opens_from_disk(state: str, visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "timeline.html"
    given = ["history", "timeline", "agent-00", "--state", state, "-o"]
    assert run([*given, str(path)]) == 0
    assert run([*given, str(tmp_path / "again.html")]) == 0
    assert path.read_bytes() == (tmp_path / "again.html").read_bytes(), "the same state and bytes"
    page = visit(path.as_uri())
    assert page.locator("figure svg").count() == 6
    assert page.locator("a[href^='/']").count() == 0, "nothing is served beside it"
    page.emulate_media(media="print")
    assert page.locator("figure").first.is_visible()
