"""One POST over HTTP: who answers, what counts as taken, and how a failure reads.

An address may be a secret by itself (that of a chat's webhook is), so no message has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from time import sleep
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as NoAnswer

from modelreach.audit.outbox import NotDelivered
from modelreach.model import InputError

#: Tried again within one delivery: throttled, or a server that is not well.
_AGAIN: Final = (429, 500, 502, 503, 504)
#: It will never take this notification, however often it comes.
_NEVER: Final = (400, 413, 415, 422)
#: Seconds between tries.
_PAUSES: Final = (0.2, 1.0)
_TIMEOUT: Final = urllib3.Timeout(connect=10, read=20)


def check_address(url: str, place: str) -> None:
    """Raise `InputError` unless what is sent to the address is protected on its way."""
    scheme, host = _parts(url)
    if not host or scheme not in ("http", "https"):
        raise InputError(
            "what it holds is not an address of HTTP", place=place, hint="https://HOST/PATH"
        )
    if scheme == "http" and not _is_here(host):
        raise InputError(
            "what a model reaches would be sent over the network unprotected",
            place=place,
            hint="use https://; plain http:// goes to this machine only",
        )


def _parts(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return "", ""


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send. Raises `NotDelivered` unless it was taken (2xx). Redirects are not followed: they
    would take what is told, and how it is signed, somewhere else."""
    status = 0
    for pause in (*_PAUSES, None):
        status = _once(url, body, headers)
        if status not in _AGAIN or pause is None:
            break
        sleep(pause)
    if not 200 <= status < 300:
        raise NotDelivered(_said(status), permanent=status in _NEVER)


def _once(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Give the status. The library's own way to try again is not used: it logs the address."""
    try:
        with urllib3.PoolManager(timeout=_TIMEOUT) as pool:
            answer = pool.request(
                "POST", url, body=body, headers=dict(headers), retries=False, redirect=False
            )
    except (HTTPError, LocationParseError) as error:
        raise NotDelivered(_why(error)) from None
    return answer.status


def _said(status: int) -> str:
    more = " (redirects are not followed)" if 300 <= status < 400 else ""
    return f"it answered {status}{more}"


def _why(error: Exception) -> str:
    if isinstance(error, SSLError):
        return "its certificate or TLS was not accepted"
    if isinstance(error, NoAnswer) and not isinstance(error, NewConnectionError):
        return "it did not answer in time"
    return "no connection could be made"
