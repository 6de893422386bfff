"""The pages and reports of a state, by address.

| address | what |
|---|---|
| `/` | all deployments |
| `/deployments/NAME` | one over time |
| `/audits/ID` | one audit |
| `/audits/ID/reach.FORM`, `drift.FORM`, `change.FORM` | its reports, in every form |
| `/deployments.json`, `/deployments/NAME/audits.json` | rows of the state, as JSON |
| `/healthz` | 200 while the state can be read |
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelreach import plugins
from modelreach.model import MissingExtra, ModelreachError
from modelreach.state import AuditRow
from modelreach.state.database import State
from modelreach.state.views import audit_view, overview, timeline
from modelreach.web.guard import Door, Guard, policy_of

#: Audits drawn in a timeline: a year of four a day.
_DRAWN: Final = 1_500
#: Reports kept ready. Audits never change, so they are never stale.
_READY: Final = 32
_HTML: Final = "text/html; charset=utf-8"
_MEDIA: Final = {
    "html": _HTML,
    "json": "application/json",
    "sarif": "application/json",
    "md": "text/markdown; charset=utf-8",
    "text": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
}
_LINKED: Final = ("pdf", "md", "json", "csv", "xlsx", "svg", "sarif", "opengraph", "cyclonedx")
_ELSE: Final = "application/octet-stream"


def application(opened: Callable[[], State], door: Door, today: Callable[[], str]) -> Starlette:
    """Give the application. `opened` opens the state to read; `today` gives the day."""
    app = _App(opened, today)
    return Starlette(
        routes=[
            Route("/", app.overview),
            Route("/healthz", app.healthz),
            Route("/deployments.json", app.deployments_json),
            Route("/deployments/{name:path}/audits.json", app.audits_json),
            Route("/deployments/{name:path}", app.timeline),
            Route("/audits/{id}", app.audit),
            Route("/audits/{id}/{what}.{form}", app.report),
        ],
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={
            HTTPException: app.http_problem,
            ModelreachError: app.problem,
        },
    )


class _App:
    """Answers requests. Each opens the state anew: a server that runs for months holds nothing
    that a database could have closed, or that a migration has changed."""

    def __init__(self, opened: Callable[[], State], today: Callable[[], str]) -> None:
        self._opened, self._today = opened, today
        self._rendered = lru_cache(maxsize=_READY)(self._render)

    # --- pages -------------------------------------------------------------------------------

    def overview(self, request: Request) -> Response:
        with self._opened() as state:
            return _answer(request, plugins.state_page("overview")(overview(state, self._today())))

    def timeline(self, request: Request) -> Response:
        with self._opened() as state:
            name = _known(state, request)
            view = timeline(state, name, last=_DRAWN, served=True)
            return _answer(request, plugins.state_page("timeline")(view))

    def audit(self, request: Request) -> Response:
        with self._opened() as state:
            view = audit_view(state, _audit(state, request), _shown_forms())
            return _answer(request, plugins.state_page("audit")(view))

    def report(self, request: Request) -> Response:
        what, form = request.path_params["what"], request.path_params["form"]
        if what not in ("reach", "drift", "change") or form not in _forms():
            raise HTTPException(404, "there is no such report")
        with self._opened() as state:
            audit = _audit(state, request)
        made = self._rendered(audit, what, form)
        name = f"{audit.deployment}-{audit.number}-{what}.{form}"
        return _answer(request, made, _MEDIA.get(form, _ELSE), "" if form == "html" else name)

    def _render(self, audit: AuditRow, what: str, form: str) -> bytes:
        with self._opened() as state:
            find = {"reach": state.radius, "drift": state.drift, "change": state.change}[what]
            report = find(audit)
        if report is None:
            raise HTTPException(404, "there was nothing to compare this audit with")
        made = plugins.renderer(form)(report)
        if not isinstance(made, bytes):
            raise HTTPException(
                404, "a folder of files cannot be sent; `history show -o` writes it"
            )
        return made

    # --- data --------------------------------------------------------------------------------

    def deployments_json(self, request: Request) -> Response:
        with self._opened() as state:
            found = overview(state, self._today()).deployments
        return _answer(request, msgspec.json.encode(found), _MEDIA["json"])

    def audits_json(self, request: Request) -> Response:
        with self._opened() as state:
            found = state.audits(_known(state, request))
        return _answer(request, msgspec.json.encode(found), _MEDIA["json"])

    def healthz(self, request: Request) -> Response:
        with self._opened() as state:
            count = len(state.deployments())
        return _answer(request, f"ok, {count} deployments\n".encode(), _MEDIA["text"])

    # --- what goes wrong -----------------------------------------------------------------------

    def http_problem(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = error.detail if error.detail != "Not Found" else "There is nothing here."
        return _problem(error.status_code, words)

    def problem(self, request: Request, error: Exception) -> Response:
        if isinstance(error, MissingExtra):
            return _problem(501, f"{error.message}: {error.hint}")
        return _problem(503, str(error))


def _forms() -> tuple[str, ...]:
    return plugins.names(plugins.RENDERERS)


def _shown_forms() -> tuple[str, ...]:
    """Give the forms that a page links to; the others are there, too."""
    return tuple(form for form in _LINKED if form in _forms())


def _known(state: State, request: Request) -> str:
    name: str = request.path_params["name"]
    if state.deployment(name) is None:
        raise HTTPException(404, "no such deployment was ever audited")
    return name


def _audit(state: State, request: Request) -> AuditRow:
    found = state.audit(request.path_params["id"])
    if found is None:
        raise HTTPException(404, "there is no such audit; it may have been pruned")
    return found


def _answer(request: Request, body: bytes, media: str = _HTML, download: str = "") -> Response:
    """Give an answer that a browser keeps until it differs."""
    mark = f'"{sha256(body).hexdigest()}"'
    headers = {"ETag": mark, "Content-Security-Policy": policy_of(body if media == _HTML else b"")}
    if download:
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in download)
        headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    asked = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if mark in asked:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media, headers=headers)


def _problem(status: int, words: str) -> Response:
    titles = {404: "Not here", 501: "Not installed", 503: "The state cannot be read now"}
    page = plugins.state_problem()(titles.get(status, "Not possible"), words)
    headers = {"Content-Security-Policy": policy_of(page)}
    return Response(page, status_code=status, media_type=_HTML, headers=headers)
