"""Write docs/reference/escalation from the rules: `python tests/escalation/write_pages.py`."""

from __future__ import annotations

from pathlib import Path

from modelreach.policy.aws.escalation_pages import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "escalation"

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        FOLDER.joinpath(name).write_text(text, encoding="utf-8")
