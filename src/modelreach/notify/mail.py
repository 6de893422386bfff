"""E-mail, by a server that takes it over TLS."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Literal

from modelreach.audit.outbox import NotDelivered
from modelreach.notify.words import headline, lines
from modelreach.state import Telling

_TIMEOUT: Final = 30
_MOST_LINES: Final = 200
_SUBJECT: Final = 150


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `tls`: `starttls` (as on port 587), `tls` (465) or `none`, for a
    relay on this machine. The password is not shown."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to some people for each telling."""

    target: str
    server: MailServer
    sender: str
    to: tuple[str, ...]
    trust: ssl.SSLContext | None = field(default=None, repr=False)

    def send(self, telling: Telling, key: str) -> None:
        """Send one telling. Raises `NotDelivered`; a server that refuses the message itself, or
        all who should get it, will not be asked again."""
        try:
            with self._connected() as connection:
                connection.send_message(written(telling, key, self.sender, self.to))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            raise NotDelivered(_why(error), permanent=_forever(error)) from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(_why(error)) from None

    def _connected(self) -> smtplib.SMTP:
        server, trust = self.server, self.trust or ssl.create_default_context()
        if server.tls == "tls":
            made: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=_TIMEOUT, context=trust
            )
        else:
            made = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT)
        try:
            if server.tls == "starttls":
                made.starttls(context=trust)
            if server.user:
                made.login(server.user, server.password)
        except BaseException:
            made.close()
            raise
        return made


def written(telling: Telling, key: str, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Give the mail. Sent again it has the same Message-ID, so that readers show it once."""
    mail = EmailMessage(SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = f"modelreach: {headline(telling)}"[:_SUBJECT]
    mail["Message-ID"] = f"<{key.replace(':', '.')}@modelreach.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_body(telling))
    return mail


def _body(telling: Telling) -> str:
    compared = telling.baseline or telling.previous or "nothing: it is the first"
    facts = (
        headline(telling),
        "",
        *lines(telling, _MOST_LINES),
        "",
        f"audit {telling.audit} of {telling.at}, estate of {telling.taken_at}",
        f"judged against {compared}",
        f"the whole of it: modelreach history show {telling.audit}",
    )
    return "\n".join(facts) + "\n"


def _forever(error: smtplib.SMTPException) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and 500 <= error.smtp_code < 600


def _why(error: Exception) -> str:
    """Say why without the server's words, which may repeat what was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server did not accept user and password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the mail server refused all who should get it"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, ssl.SSLError):
        return "the mail server's certificate or TLS was not accepted"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server offers no TLS, or no login"
    return "no connection to the mail server"
