"""Slack, and what takes the same messages (Mattermost, Rocket.Chat, Discord at `/slack`).

Names come from clouds, and chats act on what they contain: mentions, links, markup. All of it
stands in a code block, with the three characters that Slack reads escaped and no backtick left:
https://api.slack.com/reference/surfaces/formatting#escaping
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from modelreach.notify.posting import check_address, post
from modelreach.notify.words import headline, lines
from modelreach.state import Telling

#: Slack cuts a message at 4,000 characters, Discord at 2,000.
_MOST_LINES: Final = 12
_LONGEST: Final = 1_900
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"})


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat's incoming webhook. Its address is a secret and is not shown.

    Raises `InputError` for an address that cannot be used, and names `place`.
    """

    target: str
    url: str = field(repr=False)
    place: str = ""

    def __post_init__(self) -> None:
        check_address(self.url, self.place)

    def send(self, telling: Telling, key: str) -> None:
        """Send one telling. Raises `NotDelivered`."""
        body = msgspec.json.encode({"text": message(telling)})
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "modelreach",
            "Idempotency-Key": key,
        }
        post(self.url, body, headers)


def message(telling: Telling) -> str:
    """Give the text: the headline, what stands against it, and the gravest of what is told."""
    text = "\n".join([headline(telling), "", *lines(telling, _MOST_LINES)])
    shown, rest = text.translate(_ESCAPES), "\n…"
    if len(shown) > _LONGEST:
        # Never in the middle of an escape: back to the end of a line.
        head, line, _ = shown[:_LONGEST].rpartition("\n")
        shown = (head if line else shown[:_LONGEST].rpartition("&")[0]) + rest
    return f"```\n{shown}\n```"
