"""How a watch is doing, over HTTP on loopback: `/healthz` for a probe, `/metrics` for Prometheus.

The exposition format is Prometheus' text format 0.0.4:
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import msgspec

from modelreach.cli.auditing import Audited, AuditReport
from modelreach.model import InputError

#: A watch is not well when its last good round is older than so many times its interval.
_OVERDUE = 2.0


class Health:
    """What is known of the rounds so far; written by the watch, read by requests."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._good = self._begun = time.monotonic()
        self._rounds = {"ok": 0, "error": 0}
        self._last: AuditReport | None = None
        self._audits: dict[str, Audited] = {}
        self._error, self._at, self._seconds = "", "", 0.0

    def went(self, report: AuditReport, seconds: float) -> None:
        """Take a round that went well (whatever the gate said)."""
        with self._lock:
            self._rounds["ok"] += 1
            self._good, self._last, self._error = time.monotonic(), report, ""
            self._at, self._seconds = report.at, seconds
            for one in report.audits:
                if one.audit is not None:
                    self._audits[one.audit.deployment] = one

    def failed(self, at: str, error: str, seconds: float) -> None:
        """Take a round that could not be."""
        with self._lock:
            self._rounds["error"] += 1
            self._error, self._at, self._seconds = error, at, seconds

    # --- answers -----------------------------------------------------------------------------

    def healthz(self) -> tuple[int, bytes]:
        """Give status and body of a probe: 200 while rounds go well and come in time."""
        with self._lock:
            overdue = time.monotonic() - self._good > self._interval * _OVERDUE
            well = not self._error and not overdue
            body = {
                "status": "ok" if well else "error",
                "last_round": self._at,
                "error": self._error or ("no round went well for too long" if overdue else ""),
            }
        return (200 if well else 503), msgspec.json.encode(body) + b"\n"

    def metrics(self) -> bytes:
        """Give the numbers of all rounds and of every deployment's last audit."""
        with self._lock:
            return "".join(f"{line}\n" for line in self._lines()).encode()

    def _lines(self) -> Iterator[str]:
        yield "# TYPE modelreach_rounds_total counter"
        for result, count in sorted(self._rounds.items()):
            yield f'modelreach_rounds_total{{result="{result}"}} {count}'
        yield "# TYPE modelreach_round_seconds gauge"
        yield f"modelreach_round_seconds {self._seconds:.3f}"
        waiting = self._last.deliveries if self._last else ()
        yield "# TYPE modelreach_notifications_waiting gauge"
        for row in waiting:
            label = f'target="{_label(row.target)}"'
            yield f"modelreach_notifications_waiting{{{label}}} {row.waiting}"
        for name in _GAUGES:
            yield f"# TYPE modelreach_audit_{name} gauge"
            for deployment, one in sorted(self._audits.items()):
                label = f'deployment="{_label(deployment)}"'
                yield f"modelreach_audit_{name}{{{label}}} {getattr(one.audit, name)}"
        yield "# TYPE modelreach_audit_exit_code gauge"
        for deployment, one in sorted(self._audits.items()):
            yield (
                f'modelreach_audit_exit_code{{deployment="{_label(deployment)}"}} {one.exit_code}'
            )

    @contextmanager
    def served(self, address: str | None) -> Generator[str]:
        """Answer requests on `HOST:PORT` until the end; gives the address, "" for none.

        Raises `InputError` when it is not on loopback, or taken.
        """
        if address is None:
            yield ""
            return
        server = _server(address, self)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            host, port = server.server_address[:2]
            yield f"{host!s}:{port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


_GAUGES = (
    *("resources", "sensitive", "identities", "administers", "credentials", "longest_chain"),
    *("critical", "high", "medium", "low", "waived", "gaps", "oldest_key_days", "drifted"),
)


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _server(address: str, book: Health) -> ThreadingHTTPServer:
    host, _, port = address.rpartition(":")
    try:
        where = ip_address(host or "127.0.0.1")
        if not where.is_loopback:
            raise InputError(
                "health is only served on loopback", place="--health", hint="127.0.0.1:9911"
            )
        return ThreadingHTTPServer((str(where), int(port)), _handler(book))
    except (ValueError, OSError, OverflowError) as error:
        raise InputError(
            f"`{address}` cannot be served on ({error})", place="--health", hint="127.0.0.1:9911"
        ) from None


def _handler(book: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                status, body = book.healthz()
                self._answer(status, "application/json", body)
            elif self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", book.metrics())
            else:
                self._answer(404, "text/plain", b"/healthz or /metrics\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    return Handler
