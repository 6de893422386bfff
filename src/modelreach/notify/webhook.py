"""Generic webhooks: a CloudEvent for each telling, signed so that its sender can be checked.

CloudEvents 1.0, structured JSON: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/
formats/json-format.md. Signature as Standard Webhooks has it: HMAC-SHA256 over
`ID.TIMESTAMP.BODY`, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/
standard-webhooks.md. `webhook-id` is the same whenever the same notification is sent.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import new as hmac
from typing import Final
from urllib.parse import quote

import msgspec

from modelreach.model import InputError
from modelreach.notify.posting import check_address, post
from modelreach.state import Telling

_TYPE: Final = "modelreach.audit.told.v1"
_PREFIX: Final = "whsec_"
#: Standard Webhooks: a key of at least 24 bytes.
_SHORTEST: Final = 24


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook. `url` and `secret` are not shown; `clock` gives seconds since 1970 UTC, for
    receivers that refuse what is too old.

    Raises `InputError` for an address or a secret that cannot be used, and names `place`.
    """

    target: str
    url: str = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    secret: str = field(default="", repr=False)
    place: str = ""

    def __post_init__(self) -> None:
        check_address(self.url, self.place)
        if self.secret:
            _key(self.secret, self.place)

    def send(self, telling: Telling, key: str) -> None:
        """Send one telling. Raises `NotDelivered`."""
        body = cloud_event(telling, key)
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "modelreach",
            "Idempotency-Key": key,
            "webhook-id": key,
        }
        if self.secret:
            moment = str(int(self.clock()))
            signed = signature(_key(self.secret, self.place), key, moment, body)
            headers |= {"webhook-timestamp": moment, "webhook-signature": signed}
        post(self.url, body, headers)


def cloud_event(telling: Telling, key: str) -> bytes:
    """Give a telling as a CloudEvent in structured JSON."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": key,
            "source": f"/modelreach/deployments/{quote(telling.deployment, safe='')}",
            "type": _TYPE,
            "subject": telling.audit,
            "time": telling.at,
            "datacontenttype": "application/json",
            "data": telling,
        }
    )


def signature(key: bytes, identity: str, moment: str, body: bytes) -> str:
    """Give the value of `webhook-signature`."""
    signed = hmac(key, f"{identity}.{moment}.".encode() + body, sha256).digest()
    return f"v1,{b64encode(signed).decode()}"


def _key(secret: str, place: str) -> bytes:
    """Give the bytes of a secret: base64 after `whsec_`, as Standard Webhooks writes them, or
    the text itself."""
    try:
        text = secret.removeprefix(_PREFIX)
        key = b64decode(text, validate=True) if text != secret else secret.encode()
    except NotBase64:
        key = b""
    if len(key) < _SHORTEST:
        raise InputError(
            f"a secret for signatures has at least {_SHORTEST} bytes",
            place=place,
            hint=f"make one: echo {_PREFIX}$(openssl rand -base64 32)",
        )
    return key
