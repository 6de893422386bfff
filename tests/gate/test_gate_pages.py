"""The pages about triggers and rules are those that the tables give."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelreach.gate.pages import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", pages())
def test_a_page_is_up_to_date(name: str) -> None:
    text = FOLDER.joinpath(name).read_text(encoding="utf-8")
    assert text == pages()[name], "run: python tests/gate/write_pages.py"
