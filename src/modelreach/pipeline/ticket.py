"""The change ticket of an update that the gate has answered."""

from __future__ import annotations

from collections.abc import Mapping

from modelreach.deployment import Deployment, Owner
from modelreach.gate.scales import shown, words
from modelreach.pipeline.ruled import revocation
from modelreach.report import DiffReport, NameRow, Rollback, Ticket, ticket_order

_MORE = ("gained", "widened", "unknown")


def ticket(report: DiffReport, new: Deployment, *, made_at: str, check: str) -> Ticket:
    """Give the ticket. `check` is the command that compares again."""
    change = report.security_change
    if change is None:
        raise ValueError("the report has not been classified")
    plan = revocation(report, new)
    owner = new.metadata.owner
    person = owner if isinstance(owner, Owner) else Owner(team=owner)
    reached = sorted((row for row in report.changes if row.kind in _MORE), key=ticket_order)
    return Ticket(
        schema="modelreach.ticket/2",
        id=new.metadata.change_ticket or "",
        made_at=made_at,
        old=report.old,
        new=report.new,
        contact=person.contact or "",
        sponsor=person.sponsor or "",
        gate=report.gate,
        security_change=change,
        summary=report.summary,
        reached=tuple(reached),
        others=len(report.changes) - len(reached),
        findings=report.findings,
        demands=report.demands,
        evidence=report.evidence,
        gaps=report.gaps,
        cuts=plan.cuts,
        uncut=plan.uncut,
        stops=plan.stops,
        rollback=_rollback(new.spec.rollback or {}),
        check=check,
        scopes=report.scopes,
        identities=_names(report),
        summed_up=report.summed_up,
    )


def _names(report: DiffReport) -> tuple[NameRow, ...]:
    known = {
        row.id: NameRow(
            id=row.id, kind=row.kind, name=row.name, scope=row.scope, provider=row.provider
        )
        for row in (*report.identities_old, *report.identities_new)
    }
    return tuple(row for _, row in sorted(known.items()))


def _rollback(declared: Mapping[str, object]) -> Rollback:
    def said(name: str) -> str:
        return shown(declared[name]) if declared.get(name) is not None else ""

    return Rollback(
        to=said("to"),
        tested=said("tested"),
        max_minutes=said("maxMinutes"),
        criteria=words(declared.get("criteria")),
    )
