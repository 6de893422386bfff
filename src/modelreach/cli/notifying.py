"""Who is told what an audit found, by the configuration and the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from modelreach.cli.config import Config, MailConfig, NotifyConfig
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.audit import Notifier


def notifiers_of(config: Config, environment: Mapping[str, str]) -> tuple[Notifier, ...]:
    """Give the targets of `notify`, in their order. Raises `InputError` for one that cannot be
    used: better at once than when there is something to tell."""
    names = [one.name for one in config.notify]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"two targets are called `{name}`",
                place="notify",
                hint="what was told is kept by name: give each its own",
            )
    return tuple(_Made(one, environment).notifier() for one in config.notify)


class _Made:
    """One target, made from its entry and the environment variables that it names."""

    def __init__(self, entry: NotifyConfig, environment: Mapping[str, str]) -> None:
        self._entry, self._environment = entry, environment
        self._place = f"notify: {entry.name}"

    def notifier(self) -> Notifier:
        kinds = [*self._kinds()]
        if len(kinds) != 1 or not self._entry.name:
            raise InputError(
                "a target has a name, and one of slack, webhook and mail", place=self._place
            )
        return kinds[0]

    def _kinds(self) -> Iterator[Notifier]:
        import time

        from modelreach.notify import Chat, Webhook

        entry = self._entry
        if entry.slack:
            yield Chat(f"slack:{entry.name}", self._held(entry.slack), f"${entry.slack}")
        if entry.webhook:
            yield Webhook(
                f"webhook:{entry.name}",
                self._held(entry.webhook),
                time.time,
                self._held(entry.secret) if entry.secret else "",
                f"${entry.webhook}",
            )
        if entry.mail:
            yield self._mail(entry.mail)

    def _mail(self, mail: MailConfig) -> Notifier:
        from modelreach.notify import Mail, MailServer

        host, colon, port = mail.server.rpartition(":")
        if not colon or not port.isdigit() or not mail.to:
            raise InputError(
                "a mail has receivers, and a server as HOST:PORT",
                place=self._place,
                hint="mail: {to: […], from: …, server: 'smtp.example.org:587'}",
            )
        password = self._held(mail.password) if mail.password else ""
        server = MailServer(host, int(port), mail.tls, mail.user, password)
        if mail.tls == "none" and mail.user:
            raise InputError("a password would be sent unprotected", place=self._place)
        return Mail(f"mail:{self._entry.name}", server, mail.sender, mail.to)

    def _held(self, variable: str) -> str:
        """Give what an environment variable holds. The message never has it."""
        if "/" in variable or "." in variable:
            raise InputError(
                "addresses and secrets do not stand in the configuration",
                place=self._place,
                hint="name the environment variable that holds it",
            )
        value = self._environment.get(variable, "").strip()
        if not value:
            raise InputError(
                f"the environment variable {variable} is not set",
                place=self._place,
                hint="set it where audits run, from the scheduler's secrets",
            )
        return value
