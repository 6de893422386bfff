"""What a state keeps, as pages: all deployments, one over time, one audit. No script at all."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from modelreach.state.records import ApprovalRow, AuditRow, Event
from modelreach.state.views import AuditView, DeploymentView, Overview, Timeline
from modelreach_reports.charts import Chart, Clock, chart, spark
from modelreach_reports.html import asset, style_policy
from modelreach_reports.safe import full

#: So many audits and events are listed; the charts show all.
_LISTED: Final = 400
_MEASURES: Final = (
    ("Resources reached", "resources"),
    ("Sensitive ones", "sensitive"),
    ("Identities it can be", "identities"),
    ("Critical and high findings", "grave"),
    ("Age of the oldest key, in days", "oldest_key_days"),
    ("Differences to what was approved", "drifted"),
    ("Things not read", "gaps"),
)
_VERDICTS: Final = {"pass": "PASS", "fail": "FAIL", "unknown": "UNKNOWN"}
_WHAT: Final = (
    ("reach", "What it reached"),
    ("drift", "What became of what was approved"),
    ("change", "What changed since the audit before"),
)


def overview(view: Overview) -> bytes:
    """Give the page of all deployments."""
    rows = [_deployment(one) for one in view.deployments]
    return _page("overview", title="Deployments", state=full(view.state), rows=rows)


def timeline(view: Timeline) -> bytes:
    """Give the page of one deployment over time. It opens from disk, too."""
    audits = view.audits
    listed = audits[-_LISTED:][::-1]
    approved = {one.audit for one in view.approvals}
    return _page(
        "timeline",
        title=full(view.deployment.deployment),
        owner=full(view.deployment.owner),
        served=view.served,
        last=_audit(audits[-1], approved) if audits else None,
        approval=_approval(view.approvals[-1]) if view.approvals else None,
        charts=_charts(audits, view.approvals),
        begin=audits[0].at if audits else "",
        end=audits[-1].at if audits else "",
        audits=[_audit(one, approved) for one in listed],
        more=len(audits) - len(listed) + view.left_out,
        groups=_by_audit(view.events[-_LISTED:], {one.id: one for one in audits}),
        more_events=max(0, len(view.events) - _LISTED),
        approvals=[_approval(one) for one in reversed(view.approvals)],
    )


def audit(view: AuditView) -> bytes:
    """Give the page of one audit, with its reports to open and to take along."""
    one = view.audit
    there = {"reach": one.radius, "drift": one.drift, "change": one.change}
    return _page(
        "audit",
        title=full(f"{one.deployment} {one.version}"),
        audit=_audit(one, {row.audit for row in view.approvals}),
        deployment=_path(one.deployment),
        deployment_name=full(one.deployment),
        baseline=_audit(view.baseline, set()) if view.baseline else None,
        previous=_audit(view.previous, set()) if view.previous else None,
        events=[_event(event) for event in view.events],
        approvals=[_approval(row) for row in view.approvals],
        reports=[(name, words) for name, words in _WHAT if there[name]],
        forms=view.forms,
        snapshot=one.snapshot,
        manifest=one.manifest,
        taken_at=one.taken_at,
    )


def problem(title: str, words: str) -> bytes:
    """Give a page that says what cannot be shown, and why."""
    return _page("problem", title=title, words=full(words))


# --- parts ---------------------------------------------------------------------------------


def _deployment(view: DeploymentView) -> dict[str, Any]:
    return {
        "path": _path(view.deployment.deployment),
        "name": full(view.deployment.deployment),
        "owner": full(view.deployment.owner),
        "last": _audit(view.last, set()),
        "approval": _approval(view.approval) if view.approval else None,
        "expired": view.expired,
        "spark": spark(view.recent),
        "spark_label": (
            f"sensitive resources over {len(view.recent)} audits: "
            f"{view.recent[0]} to {view.recent[-1]}"
            if view.recent
            else ""
        ),
    }


def _audit(one: AuditRow, approved: set[str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.number,
        "at": one.at,
        "version": full(one.version),
        "model": full(one.model),
        "verdict": one.verdict,
        "words": _VERDICTS.get(one.verdict, one.verdict.upper()),
        "reasons": [full(reason) for reason in one.reasons],
        "resources": one.resources,
        "sensitive": one.sensitive,
        "identities": one.identities,
        "administers": one.administers,
        "grave": _grave(one),
        "critical": one.critical,
        "high": one.high,
        "lower": one.medium + one.low,
        "waived": one.waived,
        "gaps": one.gaps,
        "key": f"{one.oldest_key_days} days" if one.oldest_key_days >= 0 else "none",
        "drifted": one.drifted,
        "judged": bool(one.baseline),
        "events": one.events,
        "approved": one.id in approved,
    }


def _grave(one: AuditRow) -> int:
    return one.critical + one.high


def _approval(one: ApprovalRow) -> dict[str, Any]:
    return {
        "number": one.number,
        "audit": one.audit,
        "version": full(one.version),
        "by": full(one.approved_by),
        "at": one.approved_at,
        "until": one.until,
        "why": full(one.why),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "severity": event.severity if event.rule else "",
        "rule": full(event.rule),
        "message": full(event.message),
        "recovery": event.recovery,
        "caused_by": [full(one) for one in event.caused_by],
    }


def _by_audit(
    events: tuple[tuple[str, Event], ...], audits: dict[str, AuditRow]
) -> list[dict[str, Any]]:
    """Give what was told, audit by audit, the last one first."""
    groups = [
        {"id": audit, "number": audits[audit].number, "at": audits[audit].at, "events": [*told]}
        for audit, told in groupby(events, itemgetter(0))
    ]
    return [
        {**group, "events": [_event(event) for _, event in group["events"]]}
        for group in reversed(groups)
    ]


def _charts(audits: tuple[AuditRow, ...], approvals: tuple[ApprovalRow, ...]) -> list[Chart]:
    if len(audits) < 2:
        return []
    clock = Clock.over([one.at for one in audits])
    places = [clock.place(one.at) for one in audits]
    marks = [clock.place(one.approved_at) for one in approvals if one.approved_at >= audits[0].at]
    blind = _blind(audits, places)
    found = (
        chart(title, [*zip(places, _values(audits, name), strict=True)], marks, blind)
        for title, name in _MEASURES
    )
    return [one for one in found if one is not None]


def _values(audits: tuple[AuditRow, ...], name: str) -> list[int]:
    if name == "grave":
        return [_grave(one) for one in audits]
    if name == "drifted":
        return [one.drifted if one.baseline else -1 for one in audits]
    return [getattr(one, name) for one in audits]


def _blind(audits: tuple[AuditRow, ...], places: list[int]) -> list[tuple[int, int]]:
    """Give the stretches, as place and width, in which something was not read."""
    found: list[tuple[int, int]] = []
    ends = [*places[1:], places[-1]]
    for one, begin, end in zip(audits, places, ends, strict=True):
        if not one.gaps:
            continue
        if found and sum(found[-1]) >= begin:
            begin = found.pop()[0]
        found.append((begin, max(2, end - begin)))
    return found


def _path(deployment: str) -> str:
    """Give a deployment as one part of a path."""
    return quote(deployment, safe="")


# --- the page ------------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _page(kind: str, **context: Any) -> bytes:
    css = asset("page.css") + asset("state.css")
    template = _environment().from_string(asset("state.html"))
    made = template.render(
        kind=kind,
        css=Markup(css),  # noqa: S704 - ours
        csp=style_policy(css),
        **context,
    )
    return made.strip().encode() + b"\n"
