"""The page in a real browser, from disk: nothing is fetched or refused, and everything works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from modelreach.report import DiffReport, Report
from modelreach_reports import html
from modelreach_reports.explore import PATHS, explorer
from modelreach_reports.naming import Names

Wide = Callable[[int], DiffReport]

#: What a column may hold.
BUDGET = 12
WATCH = """addEventListener("securitypolicyviolation", (event) => console.error(
    `refused: ${event.violatedDirective} ${event.blockedURI}`))"""


@dataclass
class Opened:
    """A page with what the browser had to say of it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def words(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def shown(self, selector: str) -> int:
        return self.page.locator(f"{selector}:visible").count()


Open = Callable[..., Opened]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report at an anchor, so wide, and with further options of the browser."""
    contexts = []

    def start(report: Report, anchor: str = "", width: int = 1280, **options: Any) -> Opened:
        path = tmp_path / "review.html"
        path.write_bytes(html.render(report))
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.set_default_timeout(120_000)
        found.page.add_init_script(WATCH)
        found.page.on("console", lambda said: found.complaints.append(said.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("request", lambda asked: found.requests.append(asked.url))
        found.page.goto(path.as_uri() + anchor)
        return found

    yield start
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    "paths", [40, 5000, pytest.param(50_000, marks=pytest.mark.soak)], ids="{} paths".format
)
def test_opens_from_disk_in_silence_and_draws_little(
    paths: int, wide_report: Wide, opened: Open
) -> None:
    page = opened(wide_report(paths))
    assert page.complaints == []
    assert page.requests == [page.page.url]
    drawn = [page.count(f".column:nth-of-type({place}) button.node") for place in range(1, 7)]
    assert drawn[:4] == [1, 1, 1, min(BUDGET, 10)] if paths > 40 else sum(drawn) > 20
    assert max(drawn) <= BUDGET
    page.page.locator("#explore-columns path").first.wait_for(state="attached")
    assert f"{paths:,} paths" in page.words("#explore-count")[0]
    measured = "performance.getEntriesByName('modelreach-graph').length"
    assert page.page.evaluate(measured) == 1


def test_a_click_leaves_the_paths_through_it_until_escape(wide_report: Wide, opened: Open) -> None:
    page = opened(wide_report(40))
    page.page.locator("button.node", has_text="team-7").first.click()
    assert page.words("#explore-count")[0].startswith("4 paths")
    page.page.locator("button.node", has_text="worker-17").first.click()
    assert page.words("#explore-crumbs .crumb") == ["All", "4 × role", "worker-17"]
    assert page.count("#explore-paths li") == 1
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Escape")
    assert page.words("#explore-crumbs .crumb") == ["All"]
    assert "40 paths" in page.words("#explore-count")[0]


def test_every_path_of_a_large_report_is_found_by_clicking(
    wide_report: Wide, opened: Open
) -> None:
    page = opened(wide_report(700))
    seen = []
    for _ in range(40):
        seen.append(int(page.words("#explore-count")[0].split(" ")[0].replace(",", "")))
        if seen[-1] == 1:
            break
        page.page.locator(".column:last-child button.node").last.click()
    assert seen[0] == 700
    assert seen[-1] == 1
    assert seen == sorted(set(seen), reverse=True)


def test_what_is_beyond_the_paths_of_a_page_is_counted(wide_report: Wide) -> None:
    report = wide_report(PATHS + 1000)
    told = explorer(report, Names(report))["paths"]
    assert PATHS < len(told) < PATHS + 1000
    assert sum(path[2] for path in told) == PATHS + 1000


def test_keys_alone_reach_a_path(wide_report: Wide, opened: Open) -> None:
    page = opened(wide_report(40))
    focused = "document.activeElement.getAttribute('aria-label')"
    page.page.locator("button.node").first.focus()
    steps = ("Tool", "Runs as", "Becomes")
    for key, column in (*(("ArrowRight", step) for step in steps), ("End", "Becomes")):
        page.page.keyboard.press(key)
        assert page.page.evaluate(focused).startswith(column)
    page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate(focused).startswith("May")
    page.page.keyboard.press("Enter")
    assert page.page.evaluate(focused).startswith("May")
    assert page.count("#explore-crumbs .crumb") == 2


def test_filters_narrow_findings_and_changes(wide_report: Wide, opened: Open) -> None:
    page = opened(wide_report(400))
    rows = "#finding-list > article"
    before = page.shown(rows)
    page.page.locator(".search input").first.fill("bucket-300")
    assert (before, page.shown(rows)) == (16, 1)
    assert page.words(".search output")[0] == "1 of 16"
    page.page.locator(".search select[data-field=severity]").select_option("low")
    assert page.shown(rows) == 0
    page.page.locator("select[data-field=kind]").select_option("unknown")
    assert page.shown("#changes > tr") == page.count("#changes > tr[data-kind=unknown]") == 66
    page.page.locator("#explore-fate").select_option("unknown")
    assert page.words("#explore-count")[0].startswith("66 paths")


def test_links_lead_to_a_finding_and_to_its_path(diff_report: DiffReport, opened: Open) -> None:
    page = opened(diff_report, "#path=F03")
    assert "F03" in page.words("#explore-crumbs")[0]
    assert page.count("button.node") == 7
    assert page.words("#explore-paths a") == ["F03"]
    page.page.locator("#f-F01 a.on-graph").click()
    # The browser tells the page of its new address a moment after the click.
    page.page.locator("#explore-paths a", has_text="F01").wait_for()
    assert page.words("#explore-paths a") == ["F01"]
    page.page.locator("#explore-paths a").click()
    page.page.wait_for_url("**/*#f-F01")


def test_a_link_to_what_a_filter_hides_shows_it(diff_report: DiffReport, opened: Open) -> None:
    page = opened(diff_report)
    page.page.locator("#finding-list + *, .search input").first.wait_for(state="attached")
    page.page.locator(".search input").first.fill("nothing like that")
    assert page.shown("#f-F01") == 0
    page.page.goto(page.page.url.split("#")[0] + "#f-F01")
    page.page.locator("#f-F01").wait_for()
    assert page.shown("#f-F01") == 1


@pytest.mark.parametrize("side", ["diff", "radius"])
def test_without_javascript_the_picture_and_all_tables_are_there(
    side: str, gated_report: DiffReport, radius_report: Report, opened: Open
) -> None:
    report = gated_report if side == "diff" else radius_report
    page = opened(report, java_script_enabled=False)
    assert page.shown(".picture svg") == 1
    assert page.shown("#explore") == 0
    assert page.shown(".search") == 0
    assert page.shown("#changes > tr") == page.count("#changes > tr") > 10
    assert page.shown(".sign table") == 1


def test_on_paper_the_map_stands_for_the_columns(gated_report: DiffReport, opened: Open) -> None:
    page = opened(gated_report)
    assert page.shown(".picture svg") == 0
    page.page.emulate_media(media="print")
    assert page.shown(".picture svg") == 1
    assert page.shown(":is(#explore, .search, body > nav)") == 0
    assert page.shown(".proof li") == page.count(".proof li") > 3
    assert page.page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_audit_of_accessibility_finds_nothing(
    scheme: Any, gated_report: DiffReport, opened: Open
) -> None:
    page = opened(gated_report, color_scheme=scheme)
    page.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    found = Axe().run(page.page).response["violations"]
    told = {
        (rule["id"], node["html"][:160], node["failureSummary"][:300])
        for rule in found
        for node in rule["nodes"]
    }
    assert not told


def test_a_narrow_page_scrolls_only_within_its_parts(
    gated_report: DiffReport, opened: Open
) -> None:
    page = opened(gated_report, width=390)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_a_change_is_because_of_has_room(gated_report: DiffReport, opened: Open) -> None:
    """The statement is the widest of a row; in a narrow column it broke in the middle of words."""
    page = opened(gated_report).page
    widths = page.evaluate(
        "[...document.querySelectorAll('#changes > tr:first-child > td')]"
        ".map(cell => cell.getBoundingClientRect().width)"
    )
    assert len(widths) == 6
    assert widths[4] > 0.2 * sum(widths)
    sought = page.locator(".search input").first
    hint = "e => e.scrollWidth <= e.clientWidth && e.clientWidth >= 200"
    assert sought.evaluate(hint)


NAMES = {
    "</script><img src=x onerror=alert(1)>": "</script><img",
    "\u202etxt.exe\n\x1b[31m[/red]": "\\u202etxt",
    "\"'><svg onload=alert(1)> ${7*7} {{7*7}}": "\"'><svg",
    "n" * 4000: "nnnnn",
}


@pytest.mark.parametrize("name", NAMES, ids=["tag", "controls", "quotes", "long"])
def test_hostile_names_do_nothing_in_a_browser(
    name: str, poison: Callable[[str, str], Report], opened: Open
) -> None:
    page = opened(poison("diff", name))
    page.page.locator("button.node").last.click()
    assert page.complaints == []
    assert page.requests == [page.page.url]
    assert page.count("img, iframe, object, embed, body svg svg") == 0
    assert NAMES[name] in page.words("#explore-columns")[0]
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 1280
