"""An audit from end to end: evaluate, compare, judge, tell, keep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelreach.audit.estates import Evaluated
from modelreach.audit.making import Against, Making, Outcome, key_of
from modelreach.gate.verdict import GateOptions
from modelreach.gate.waivers import Waivers
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import Side, diff_report
from modelreach.pipeline.gated import NO_WAIVERS, GateInput
from modelreach.report import DiffReport, Gate
from modelreach.snapshot import Snapshot
from modelreach.state import ApprovalRow, AuditRow, SnapshotRow
from modelreach.store import whole_of

if TYPE_CHECKING:
    from modelreach.state.database import State


@dataclass
class Auditor:
    """Audits deployments into a state, by one policy. `against` chooses what is judged: the
    baseline where there is one, unless told otherwise. The state is held by the caller."""

    state: State
    policy: JudgePolicy
    options: GateOptions
    waivers: Waivers = NO_WAIVERS
    against: Against = ""
    targets: tuple[str, ...] = ()
    _evaluated: Evaluated = field(init=False)
    _kept: tuple[Snapshot, SnapshotRow] | None = None

    def __post_init__(self) -> None:
        self._evaluated = Evaluated(self.state, self.policy)

    def audit(self, name: str, raw: bytes, snapshot: Snapshot, now: str) -> Outcome:
        """Audit the deployment of a manifest (its file's name and bytes) in an estate. Of one in a
        store, what `scan`, `diff` and audits found before is taken where it holds.

        The same input again gives the audit that is there. An identity that the audit before had
        in its manifest, and that is not there any more, is a finding, and what it reached is lost.
        Raises `InputError` when another one should be in the snapshot and is not; nothing is kept
        then but the snapshot.
        """
        manifest = self.state.blobs.put(raw)
        deployment = self._evaluated.deployment(name, raw, manifest)
        kept = self._keep(snapshot)
        self._evaluated.know(kept.digest, snapshot)
        row = self.state.deployment(key_of(deployment))
        previous = self.state.audit(row.last) if row else None
        were_there = self._evaluated.identities(previous)
        side = self._evaluated.side(name, raw, manifest, kept.digest, were_there)
        approval = self.state.approved(key_of(deployment))
        key = self._key(manifest, kept.digest, approval, now)
        if previous is not None and previous.key == key:
            return self._again(previous, side, approval)
        return Making(self, side, deployment, row, previous, approval, key, now).run()

    def _keep(self, snapshot: Snapshot) -> SnapshotRow:
        """Keep a snapshot; several deployments are audited in one."""
        if self._kept is None or self._kept[0] is not snapshot:
            self._kept = snapshot, self.state.keep_snapshot(whole_of(snapshot))
        return self._kept[1]

    def difference(self, old: AuditRow | Side, new: Side) -> DiffReport:
        """Compare an audit that is kept with a side, by the rules of today."""
        first = old if isinstance(old, Side) else self._evaluated.of(old)
        return diff_report(first, new, self.options, GateInput(waivers=self.waivers))

    def side(self, audit: AuditRow) -> Side:
        """Evaluate what an audit saw."""
        return self._evaluated.of(audit)

    def _key(self, manifest: str, snapshot: str, approval: ApprovalRow | None, now: str) -> str:
        """Digest all that an audit hangs on; of the time only the day, for what expires."""
        head = approval.digest if approval else ""
        rules = repr((self.policy, self.options, self.waivers.digest, self.against))
        parts = (manifest, snapshot, head, now[:10], rules)
        return "sha256:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _again(self, audit: AuditRow, side: Side, approval: ApprovalRow | None) -> Outcome:
        return Outcome(
            audit=audit,
            events=tuple(event for _, event in self.state.events(audit.id)),
            radius=self.state.radius(audit),
            drift=self.state.drift(audit),
            change=self.state.change(audit),
            approval=approval,
            gate=_gate_of(audit, self.options),
            again=True,
            against=self.against,
        )


def _gate_of(audit: AuditRow, options: GateOptions) -> Gate:
    return Gate(
        verdict=audit.verdict,  # type: ignore[arg-type]  # one of the three, as it was kept
        exit_code=audit.exit_code,
        fail_on=options.fail_on,
        fail_on_incomplete=options.fail_on_incomplete,
        reasons=audit.reasons,
    )
