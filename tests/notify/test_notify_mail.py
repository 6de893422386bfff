"""Mail, handed to a real server."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.audit import NotDelivered
from modelreach.notify import Mail, MailServer


def mail(port: int, tls: Any = "none") -> Mail:
    server = MailServer("127.0.0.1", port, tls)
    return Mail("mail:owners", server, "reach@example.org", ("a@example.org", "b@example.org"))


def test_a_mail_says_what_was_found(mailbox: Any, telling: Any) -> None:
    for _ in range(2):
        mail(mailbox.port).send(telling(), "sha256:1234")
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"] == "<sha256.1234@modelreach.invalid>"
    assert first["Subject"] == "modelreach: support-agent/prod 2.0.0: the gate fails, 1 change"
    assert first["To"] == "a@example.org, b@example.org"
    assert first["Auto-Submitted"] == "auto-generated"
    text = first.get_content()
    assert "gained: `agent` gained read on `ledger`" in text
    assert "judged against aaaaaaaaaaaa" in text


def test_a_name_adds_no_header(mailbox: Any, telling: Any) -> None:
    name = "agent\r\nBcc: everybody@example.org\r\n\r\n<script>"
    mail(mailbox.port).send(telling(telling.told(name), deployment=name), "1")
    (found,) = mailbox.mails
    assert found["Bcc"] is None
    assert "agent\\x0d\\x0aBcc: everybody@example.org" in found["Subject"]
    assert found.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("answer", "permanent"), [("451 later", False), ("554 it repeats s3cr3t words", True)]
)
def test_a_refusal(mailbox: Any, telling: Any, answer: str, permanent: bool) -> None:
    mailbox.answer = answer
    with pytest.raises(NotDelivered) as raised:
        mail(mailbox.port).send(telling(), "1")
    assert raised.value.permanent is permanent
    assert raised.value.reason == f"the mail server answered {answer[:3]}"


def test_a_server_without_tls_gets_nothing(mailbox: Any, telling: Any) -> None:
    with pytest.raises(NotDelivered, match="offers no TLS"):
        mail(mailbox.port, "starttls").send(telling(), "1")
    with pytest.raises(NotDelivered, match="certificate or TLS"):
        mail(mailbox.port, "tls").send(telling(), "1")
    assert mailbox.mails == []


def test_nobody_there(mailbox: Any, telling: Any) -> None:
    with pytest.raises(NotDelivered, match="no connection to the mail server"):
        mail(1).send(telling(), "1")
