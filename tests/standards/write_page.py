"""Write `docs/reference/standards.md` anew: `python tests/standards/write_page.py`."""

from __future__ import annotations

from pathlib import Path

from modelreach.gate.catalogue import DEMANDS, TRIGGERS
from modelreach.judge.rules import ALL
from modelreach.standards.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "standards.md"


def titles() -> dict[str, str]:
    """Give the titles of everything that carries standards."""
    return {
        **{rule.ID: rule.TITLE for rule in ALL},
        **{kind.id: kind.title for kind in TRIGGERS},
        **{demand.value: title for demand, title in DEMANDS.items()},
    }


if __name__ == "__main__":
    PAGE.write_text(page(titles()), encoding="utf-8")
