"""Approvals as a chain: each carries the digest of the one before, so that none can be changed,
taken out or slipped in without all that follow telling so.

What a chain cannot tell by itself is that its end was cut off. That is what audits are for: each
names the head of the chain as it was then; and whoever writes a head down elsewhere can hold the
state against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import asdict, replace

from modelreach.state.records import ApprovalRow, AuditRow


def digest_of(approval: ApprovalRow) -> str:
    """Give the digest over everything in an approval but its digest."""
    fields = {name: value for name, value in asdict(approval).items() if name != "digest"}
    raw = msgspec.json.encode(fields, order="sorted")
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def next_approval(chain: Sequence[ApprovalRow], approval: ApprovalRow) -> ApprovalRow:
    """Give an approval its number, the digest of the one before it, and its own."""
    before = chain[-1].digest if chain else ""
    linked = replace(approval, number=len(chain) + 1, before=before, digest="")
    return replace(linked, digest=digest_of(linked))


def broken(chain: Sequence[ApprovalRow]) -> Iterator[str]:
    """Say what is wrong with a chain, in words; nothing when it holds."""
    before = ""
    for place, approval in enumerate(chain, start=1):
        if approval.number != place:
            yield f"approval {place} is missing"
            return
        if approval.digest != digest_of(approval):
            yield f"approval {place} was changed: its content has another digest"
        if approval.before != before:
            yield f"approval {place} does not follow the one before it"
        before = approval.digest


def cut(chain: Sequence[ApprovalRow], audits: Iterable[AuditRow], head: str = "") -> Iterator[str]:
    """Say which heads are known, and are not in the chain: those that audits saw, and `head`."""
    known = {"", *(approval.digest for approval in chain)}
    told: set[str] = set()
    for audit in audits:
        if audit.approvals_head not in known and audit.approvals_head not in told:
            told.add(audit.approvals_head)
            yield f"audit {audit.id} saw the approval {audit.approvals_head}, which is gone"
    if head and head not in known:
        yield f"there is no approval {head}"
