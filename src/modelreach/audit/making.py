"""The making of one audit: compare, judge, tell, keep."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec.structs import replace

from modelreach.audit import judged, turns
from modelreach.audit.reached import Reached
from modelreach.deployment import Deployment
from modelreach.gate.verdict import gate, is_blind
from modelreach.pipeline import Side, radius_report
from modelreach.pipeline.compare import unread
from modelreach.report import DiffReport, Gate, RadiusReport
from modelreach.state import (
    ApprovalRow,
    AuditRow,
    DeploymentRow,
    Event,
    Notification,
    Standing,
    Telling,
)
from modelreach.state.bodies import packed

if TYPE_CHECKING:
    from modelreach.audit.auditor import Auditor

#: Which comparison is judged: that with the baseline where there is one, unless told otherwise.
Against = Literal["", "approved", "last"]
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_WEIGHT: Final = {"critical": 4, "high": 3, "medium": 2, "low": 1}


class Outcome(msgspec.Struct, frozen=True):
    """What one audit gave. `again` says that it was there already, from the same input.

    `drift` is the difference to the baseline, `change` that to the audit before; `report` is the
    one that was judged, or what is reached where there is nothing to compare with.
    """

    audit: AuditRow
    events: tuple[Event, ...]
    radius: RadiusReport
    drift: DiffReport | None
    change: DiffReport | None
    approval: ApprovalRow | None
    gate: Gate
    again: bool = False
    against: Against = ""

    @property
    def report(self) -> DiffReport | RadiusReport:
        """What is written and drawn."""
        judged_one = self.change if self.against == "last" else self.drift or self.change
        found = judged_one or self.radius
        return replace(found, gate=self.gate)


def key_of(deployment: Deployment) -> str:
    """Give the name of a deployment in a state: its own, with its environment if it has one."""
    metadata = deployment.metadata
    return f"{metadata.name}/{metadata.environment}" if metadata.environment else metadata.name


class Making(msgspec.Struct):
    """One audit that was not there yet."""

    auditor: Auditor
    side: Side
    deployment: Deployment
    row: DeploymentRow | None
    previous: AuditRow | None
    approval: ApprovalRow | None
    key: str
    now: str
    _differences: dict[str, DiffReport] = msgspec.field(default_factory=dict[str, DiffReport])
    _wholes: dict[str, bool] = msgspec.field(default_factory=dict[str, bool])

    def run(self) -> Outcome:
        state, previous = self.auditor.state, self.previous
        radius = radius_report(self.side, self.auditor.options, self.auditor.waivers)
        drift = self._since(self.approval.audit) if self.approval else None
        change = self._since(previous.id) if previous else None
        answer = self._gate(drift, change, radius)
        number = previous.number + 1 if previous else 1
        id_ = self._id(number)
        events, standing, clear = self._told(radius, answer, id_)
        audit = self._row(id_, number, radius, drift, change, answer, len(events))
        place = DeploymentRow(
            deployment=key_of(self.deployment),
            name=self.deployment.metadata.name,
            environment=self.deployment.metadata.environment or "",
            owner=self.deployment.owner,
            last=id_,
            clear=clear,
        )
        note = _notification(audit, events) if events else None
        state.record(place, audit, events, standing, note, self.auditor.targets)
        return Outcome(
            audit=audit,
            events=events,
            radius=radius,
            drift=drift,
            change=change,
            approval=self.approval,
            gate=answer,
            against=self.auditor.against,
        )

    def _since(self, audit: str) -> DiffReport:
        """Compare an earlier audit with this one, once."""
        if audit not in self._differences:
            found = self._kept(audit)
            self._differences[audit] = self.auditor.difference(found, self.side)
        return self._differences[audit]

    def _kept(self, audit: str) -> AuditRow:
        found = self.auditor.state.audit(audit)
        assert found is not None  # what is referred to is never pruned
        return found

    def _id(self, number: int) -> str:
        parts = (key_of(self.deployment), str(number), self.key, self.now)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def _whole(self, audit: str) -> bool:
        """Does this audit read all that an earlier one read?"""
        if audit not in self._wholes:
            old = self.auditor.side(self._kept(audit))
            self._wholes[audit] = not unread(self.side, old)
        return self._wholes[audit]

    # --- judging -----------------------------------------------------------------------------

    def _gate(
        self, drift: DiffReport | None, change: DiffReport | None, radius: RadiusReport
    ) -> Gate:
        options = self.auditor.options
        judged_one = change if self.auditor.against == "last" else drift or change
        blind = is_blind(radius.figures, radius.gaps)
        alone = gate((), len(self.side.gaps), options, blind=blind)
        answer = judged_one.gate if judged_one else alone
        if self.auditor.against == "last" or self.approval is None:
            return answer
        if not self.approval.expired(self.now):
            return answer
        reasons = (*answer.reasons, turns.expired(self.approval))
        code = 0 if options.exit_zero else 1
        return replace(answer, verdict="fail", exit_code=code, reasons=reasons)

    # --- telling -----------------------------------------------------------------------------

    def _told(
        self, radius: RadiusReport, answer: Gate, id_: str
    ) -> tuple[tuple[Event, ...], tuple[Standing, ...], str]:
        """Give what is told, what stands, and the clear audit from now on."""
        before = self.auditor.state.standing(key_of(self.deployment))
        expired, lapsed = turns.expiry(self.approval, before, self.now)
        events = [*turns.baseline(self.approval, self.previous), *([expired] if expired else ())]
        standing = [lapsed] if lapsed else []
        if self.previous is None or self.row is None:
            return tuple(events), (*standing, *judged.opened(radius.findings, id_)), id_
        if self.previous.approval and self.approval:
            # Without a baseline the verdict is about one change, and passes with the next audit.
            events += turns.verdict(self.previous.verdict, answer.verdict, answer.reasons)
        old = self.auditor.side(self.previous)
        came, went = unread(self.side, old), unread(old, self.side)
        events += turns.gaps(came, went, self.previous.id)
        known = {one.item: one for one in before if one.kind == "reach"}
        reached = Reached(id_, self.row.clear, self._since, self._whole, known)
        reached.run()
        standing += [one for _, one in sorted(reached.standing.items())]
        open_ones = [one for one in before if one.kind == "finding"]
        judgements = list(
            judged.judged(radius.findings, open_ones, id_, self.previous.id, self._since)
        )
        events += sorted((event for event, _ in judgements if event), key=_worst_first)
        events += sorted(reached.events, key=_worst_first)
        standing += [one for _, one in judgements if one]
        return tuple(events), tuple(standing), reached.clear

    # --- keeping -----------------------------------------------------------------------------

    def _row(
        self,
        id_: str,
        number: int,
        radius: RadiusReport,
        drift: DiffReport | None,
        change: DiffReport | None,
        answer: Gate,
        events: int,
    ) -> AuditRow:
        put = self.auditor.state.blobs.put
        open_ones = [row for row in radius.findings if row.waived is None]
        ages = [row.age_days for row in radius.credentials if row.age_days is not None]
        release, figures = radius.release, radius.figures
        chain = self.auditor.state.approvals()
        return AuditRow(
            id=id_,
            deployment=key_of(self.deployment),
            number=number,
            key=self.key,
            at=self.now,
            version=release.version,
            model=release.model,
            manifest=release.manifest_digest,
            manifest_name=release.manifest,
            snapshot=release.snapshot_digest,
            taken_at=release.taken_at,
            baseline=self.approval.audit if self.approval else "",
            previous=self.previous.id if self.previous else "",
            approval=self.approval.number if self.approval else 0,
            verdict=answer.verdict,
            exit_code=answer.exit_code,
            reasons=answer.reasons,
            resources=figures.resources,
            sensitive=figures.sensitive,
            identities=figures.identities,
            scopes=figures.scopes,
            administers=figures.administers,
            patterns=figures.patterns,
            credentials=figures.credentials,
            longest_chain=figures.longest_chain,
            **{name: sum(r.severity == name for r in open_ones) for name in _SEVERITIES},
            waived=len(radius.findings) - len(open_ones),
            gaps=len(radius.gaps),
            oldest_key_days=max(ages, default=-1),
            drifted=len(drift.changes) if drift else 0,
            changed=len(change.changes) if change else 0,
            events=events,
            radius=put(packed(radius)),
            drift=put(packed(drift)) if drift else "",
            change=put(packed(change)) if change else "",
            approvals_head=chain[-1].digest if chain else "",
        )


def _worst_first(event: Event) -> int:
    return -_WEIGHT.get(event.severity, 0)


def _notification(audit: AuditRow, events: tuple[Event, ...]) -> Notification:
    """Give what is told of an audit, under an id that is the same whenever it is sent."""
    id_ = f"{audit.deployment}:{audit.id}"
    telling = Telling(
        schema="modelreach.notification/1",
        id=id_,
        deployment=audit.deployment,
        version=audit.version,
        audit=audit.id,
        at=audit.at,
        taken_at=audit.taken_at,
        baseline=audit.baseline,
        previous=audit.previous,
        verdict=audit.verdict,
        reasons=audit.reasons,
        events=events,
    )
    return Notification(
        id=id_, deployment=audit.deployment, audit=audit.id, at=audit.at, telling=telling
    )
