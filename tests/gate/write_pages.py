"""Write the pages that are made from the gate's own tables: `python tests/gate/write_pages.py`."""

from __future__ import annotations

from pathlib import Path

from modelreach.gate.pages import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

if __name__ == "__main__":
    for name, text in pages().items():
        FOLDER.joinpath(name).write_text(text, encoding="utf-8")
