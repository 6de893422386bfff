"""Receivers on this machine: one of HTTP, one of mail. They keep what came."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from modelreach.state import Event, Telling


@dataclass
class Receiver:
    """Answers with `answers` in turn, the last one for ever."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(200, {})])
    bodies: list[bytes] = field(default_factory=list[bytes])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def answer(self) -> tuple[int, dict[str, str]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            found.headers.append({key.lower(): value for key, value in self.headers.items()})
            status, headers = found.answer()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object, **__: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/T000/s3cr3t"
        yield found
        server.shutdown()
        thread.join()


@dataclass
class Mailbox:
    port: int = 0
    answer: str = "250 OK"
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found.port = free.getsockname()[1]
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    yield found
    controller.stop()


def told(message: str = "`agent` gained read on `ledger`", **more: Any) -> Event:
    given: dict[str, Any] = {"kind": "gained", "item": "gained:ledger", "message": message}
    return Event(**{**given, **more})


@pytest.fixture
def telling() -> Any:
    def make(*events: Event, **more: Any) -> Telling:
        given: dict[str, Any] = {
            "schema": "modelreach.notification/1",
            "id": "sha256:1234",
            "deployment": "support-agent/prod",
            "version": "2.0.0",
            "audit": "3f9c2a51be07",
            "at": "2026-11-26T03:00:00Z",
            "taken_at": "2026-11-26T02:59:00Z",
            "baseline": "aaaaaaaaaaaa",
            "previous": "bbbbbbbbbbbb",
            "verdict": "fail",
            "reasons": ("1 critical finding",),
            "events": events or (told(),),
        }
        return Telling(**{**given, **more})

    make.told = told  # type: ignore[attr-defined]
    return make
