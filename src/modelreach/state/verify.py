"""Does a state hold together? Approvals, snapshots and reports against their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from modelreach import snapshot as snapshots
from modelreach.model import InputError
from modelreach.state import chain
from modelreach.state.blobs import BlobError
from modelreach.state.records import ApprovalRow, AuditRow, SnapshotRow

if TYPE_CHECKING:
    from modelreach.state.database import State


class Checked(msgspec.Struct, frozen=True):
    """What was checked, in numbers, and what is wrong, in words."""

    approvals: int
    audits: int
    snapshots: int
    blobs: int
    problems: tuple[str, ...]
    head: str


def _silent(_line: str) -> None:
    return None


def verify(state: State, head: str = "", progress: Callable[[str], None] = _silent) -> Checked:
    """Check everything. `head` is the digest of an approval that must be in the chain."""
    approvals, audits, kept = state.approvals(), state.audits(), state.snapshots()
    problems = [*chain.broken(approvals), *chain.cut(approvals, audits, head)]
    problems += _approved(approvals, {audit.id: audit for audit in audits})
    for row in kept:
        progress(f"snapshot {row.taken_at}")
        problems += _snapshot(state, row)
    of_snapshots = {row.facts for row in kept}
    named = sorted(_named(audits) - of_snapshots)
    for digest in named:
        progress(f"blob {digest[:20]}")
        problems += _blob(state, digest)
    return Checked(
        approvals=len(approvals),
        audits=len(audits),
        snapshots=len(kept),
        blobs=len(named) + len(of_snapshots),
        problems=tuple(problems),
        head=approvals[-1].digest if approvals else "",
    )


def _approved(approvals: Iterable[ApprovalRow], audits: dict[str, AuditRow]) -> Iterator[str]:
    """Hold what an approval says of its audit against the audit."""
    for approval in approvals:
        audit = audits.get(approval.audit)
        if audit is None:
            yield f"approval {approval.number} is of the audit {approval.audit}, which is gone"
            continue
        said = (approval.deployment, approval.version, approval.snapshot, approval.manifest)
        if said != (audit.deployment, audit.version, audit.snapshot, audit.manifest):
            yield f"audit {audit.id} is not what approval {approval.number} approved"


def _named(audits: Iterable[AuditRow]) -> set[str]:
    found = {
        digest for one in audits for digest in (one.manifest, one.radius, one.drift, one.change)
    }
    return found - {""}


def _blob(state: State, digest: str) -> Iterator[str]:
    try:
        state.blobs.get(digest)
    except BlobError as error:
        yield error.message


def _snapshot(state: State, row: SnapshotRow) -> Iterator[str]:
    try:
        raw = snapshots.encode(state.snapshot(row.digest))
    except (BlobError, InputError) as error:
        yield f"snapshot {row.digest}: {error.message}"
        return
    if f"sha256:{hashlib.sha256(raw).hexdigest()}" != row.digest:
        yield f"snapshot {row.digest} was changed: its content has another digest"
