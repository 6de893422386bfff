"""Who may come in, and what every answer carries.

Whoever is let in by a proxy that authenticates is named in a header, which counts only on
connections from that proxy: https://owasp.org/www-community/attacks/HTTP_Header_Injection is what
happens otherwise. The name in `Host` is checked, so that no web site can make a browser read from
here by a name of its own (DNS rebinding).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelreach.model import InputError

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_POLICY: Final = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]{1,2000})"')
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": f"{_NOTHING}; frame-ancestors 'none'",
}


class Door(msgspec.Struct, frozen=True):
    """Who is let in. `hosts` are names under which this is reached, besides those of loopback;
    `header` is where a proxy of `proxies` writes who asks. Without `header` all are let in."""

    hosts: tuple[str, ...] = ()
    header: str = ""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    @staticmethod
    def of(hosts: Sequence[str], header: str, proxies: Sequence[str]) -> Door:
        """Read what the options say. Raises `InputError`."""
        if bool(header) != bool(proxies):
            raise InputError(
                "a header tells who asks only where it is known who may write it",
                place="--trust-header",
                hint="give both: --trust-header X-Forwarded-Email --trusted-proxy 10.0.0.7",
            )
        return Door(tuple(one.lower() for one in hosts), header, tuple(map(_network, proxies)))

    def may_open(self, address: str) -> None:
        """Raise `InputError` for an address that others can reach, when all are let in."""
        if not self.header and not _is_loopback(address):
            raise InputError(
                f"everybody who can reach {address} could read what your models reach",
                place="--host",
                hint="serve on 127.0.0.1, or behind a proxy that authenticates: --trust-header …",
            )

    def refusal(self, scope: Scope) -> Response | None:
        """Give the answer to somebody who is not let in; None to who is."""
        headers = Headers(scope=scope)
        if _name(headers.get("host", "")) not in (*_LOOPBACK, *self.hosts):
            return PlainTextResponse("this is not served under that name (--public-host)\n", 421)
        if not self.header:
            return None
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._is_proxy(peer):
            return PlainTextResponse("this is served to the proxy only\n", 403)
        if not headers.get(self.header, "").strip():
            return PlainTextResponse("the proxy did not say who asks\n", 401)
        return None

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.proxies)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise InputError(
            f"`{text}` is no address and no network", place="--trusted-proxy"
        ) from None


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _name(host: str) -> str:
    """Give the name in a `Host` header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


class Guard:
    """Lets in whom the door lets in, and puts the headers of safety on every answer."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._door.refusal(scope)
        await (refusal or self._app)(scope, receive, _Guarded(send))


class _Guarded:
    """Sends an answer with the headers that it needs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
        await self._send(message)


def policy_of(page: bytes) -> str:
    """Give the content security policy of an answer: what a page states in its head, and that
    nobody may frame it."""
    found = _POLICY.search(page[:4096])
    stated = unescape(found[1].decode()) if found else _NOTHING
    return f"{stated}; frame-ancestors 'none'"
