"""Telling people and programs what an audit found: chat, webhooks, mail.

Each target takes a `Telling` of `modelreach.state` and the key under which it may come again. The
outbox of `modelreach.audit` decides what is due and when it is tried again. Addresses and secrets
come from the caller and are in no message of this package.
"""

from modelreach.notify.chat import Chat
from modelreach.notify.mail import Mail, MailServer
from modelreach.notify.webhook import Webhook

__all__ = ["Chat", "Mail", "MailServer", "Webhook"]
