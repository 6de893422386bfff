"""The pages of catalogues in the common form are those that the rules give."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelreach.policy.escalation.pages import TITLES, pages
from modelreach.policy.escalation.rules import Service, services
from modelreach.strict_yaml import decode

ROOT = Path(__file__).parents[2]
PAGES = [(provider, name) for provider in TITLES for name in pages(provider)]
FILES = [(p, name) for p in TITLES for name in services(f"modelreach.policy.{p}")]


@pytest.mark.parametrize(("provider", "name"), PAGES)
def test_a_page_is_up_to_date(provider: str, name: str) -> None:
    folder = ROOT / "docs" / "reference" / f"escalation-{provider}"
    text = folder.joinpath(name).read_text(encoding="utf-8")
    assert text == pages(provider)[name], "run: python tests/escalation/write_pages.py"
    assert {path.name for path in folder.iterdir()} == set(pages(provider))


@pytest.mark.parametrize(("provider", "name"), FILES)
def test_the_strict_reader_reads_the_same(provider: str, name: str) -> None:
    """The quick loader does not look for keys that are given twice; the strict one does."""
    raw = (ROOT / f"src/modelreach/policy/{provider}/escalation/{name}.yaml").read_bytes()
    strict, _ = decode(raw, Service, place=name, what="rules", hint="", fields=())
    assert strict == services(f"modelreach.policy.{provider}")[name]
