"""Exports of other tools, as the answers that they are."""

from __future__ import annotations

from typing import Any

from modelreach_azure.answers import Answer


class Exports:
    """What exports said so far."""

    def take(self, content: Any, *, place: str) -> bool:
        """Take an export in; say whether it is one."""
        return False

    def answers(self, tenant: str) -> tuple[Answer, ...]:
        """Give everything as answers."""
        return ()
