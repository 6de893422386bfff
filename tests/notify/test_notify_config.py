"""Targets as a configuration and the environment name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelreach.cli.config import load
from modelreach.cli.notifying import notifiers_of
from modelreach.model import InputError

ENVIRONMENT = {"CHAT": "https://hooks.example.org/T/s3cr3t", "KEY": "k" * 24, "PASS": "p"}
WHOLE = """\
version: 1
notify:
  - {name: board, slack: CHAT}
  - {name: siem, webhook: CHAT, secret: KEY}
  - name: owners
    mail: {to: [a@example.org], from: r@example.org, server: "smtp:587", user: r, password: PASS}
"""


def targets(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "modelreach.yaml"
    path.write_text(text)
    return tuple(one.target for one in notifiers_of(load(str(path)), ENVIRONMENT))


def test_each_kind(tmp_path: Path) -> None:
    assert targets(tmp_path, WHOLE) == ("slack:board", "webhook:siem", "mail:owners")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{name: a, slack: NOWHERE}", "NOWHERE is not set"),
        ("{name: a, slack: 'https://hooks.example.org/s3cr3t'}", "do not stand in the config"),
        ("{name: a, slack: CHAT, webhook: CHAT}", "one of slack, webhook and mail"),
        ("{name: a}", "one of slack, webhook and mail"),
        ("{name: a, slack: PASS}", "not an address of HTTP"),
        ("{name: a, webhook: CHAT, secret: PASS}", "at least 24 bytes"),
        ("{name: a, slack: CHAT}\n  - {name: a, slack: CHAT}", "two targets are called `a`"),
        ("{name: a, mail: {to: [], from: r, server: 'h:1'}}", "a mail has receivers"),
        ("{name: a, mail: {to: [b], from: r, server: h}}", "a mail has receivers"),
        (
            "{name: a, mail: {to: [b], from: r, server: 'h:1', tls: none, user: u}}",
            "sent unprotected",
        ),
    ],
)
def test_what_cannot_work_is_told_before_there_is_something_to_tell(
    tmp_path: Path, entry: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as raised:
        targets(tmp_path, f"version: 1\nnotify:\n  - {entry}\n")
    assert "s3cr3t" not in str(raised.value)
