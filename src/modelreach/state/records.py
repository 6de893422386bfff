"""The rows of a state, as values. What is kept as JSON within a row is decoded here."""

from __future__ import annotations

from typing import Literal

import msgspec

EventKind = Literal[
    "gained",
    "lost",
    "widened",
    "narrowed",
    "rerouted",
    "unknown",
    "seen-again",
    "revealed",
    "finding-new",
    "finding-gone",
    "finding-unknown",
    "finding-seen-again",
    "not-read",
    "read-again",
    "gate-failed",
    "gate-passed",
    "gate-unknown",
    "approved",
    "approval-expired",
]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all rows."""


class Event(Record, frozen=True):
    """One thing that an audit tells, once.

    Changes of reach have the kind of `ChangeRow.kind`; `unknown` says that what was there before
    cannot be seen now, `seen-again` that it is there as it was, `revealed` that something shows of
    which nobody can say how long it has been there. `finding-*` are findings by their
    fingerprint, `not-read` and `read-again` gaps, `gate-*` a turn of the gate's verdict.

    `item` names the thing over all audits; `since` is the audit that it was compared with.
    `recovery` says that something is well again. `caused_by` are gaps, as text.
    """

    kind: EventKind
    item: str
    message: str
    severity: str = ""
    recovery: bool = False
    subject: str = ""
    subject_kind: str = ""
    subject_name: str = ""
    provider: str = ""
    identity: str = ""
    capability: str = ""
    actions: tuple[str, ...] = ()
    verdict: str = ""
    rule: str = ""
    caused_by: tuple[str, ...] = ()
    since: str = ""


class Standing(Record, frozen=True):
    """What the next audit of a deployment has to know of the ones before it.

    `kind` is `finding` (one that is open), `reach` (something that is hidden by a gap, or was
    told while another gap was open) or `approval` (an expiry that was told). `seen_in` is the
    last audit in which it was to be seen; `hidden` says that it is not now, though nothing says
    that it has gone; `told` is what has been told of it since then.
    """

    kind: Literal["finding", "reach", "approval"]
    item: str
    seen_in: str
    hidden: bool = False
    severity: str = ""
    title: str = ""
    told: tuple[str, ...] = ()


class SnapshotRow(Record, frozen=True):
    """A snapshot that is kept. `digest` is that of its canonical JSON; `facts` is the blob, which
    is the same JSON with `taken_at` and `tool` empty: an estate that did not change is kept once.
    """

    digest: str
    facts: str
    taken_at: str
    tool: str
    bytes: int


class DeploymentRow(Record, frozen=True):
    """A deployment that is audited, by the name and environment of its manifest.

    `last` is its last audit. `clear` is the last one since which nothing more went unread than
    before: against it is compared what shows again after a gap.
    """

    deployment: str
    name: str
    environment: str
    owner: str
    last: str
    clear: str


class AuditRow(Record, frozen=True):
    """One audit of one deployment. Times are RFC 3339 UTC, digests `sha256:…`.

    `number` counts the audits of a deployment from 1. `at` is when it was made, `taken_at` when
    its snapshot was. `baseline` and `previous` are the audits it was compared with ("" for none),
    `approval` the number of the approval in force (0 for none). `verdict` and `exit_code` are the
    gate's, over the comparison with the baseline, or with the previous one where there is none.
    `radius`, `drift` and `change` are blobs: what it reaches, the difference to the baseline, and
    that to the previous audit ("" where there is none). `approvals_head` is the digest of the last
    approval, of whatever deployment, when it was made. `oldest_key_days` is -1 without a key.
    """

    id: str
    deployment: str
    number: int
    key: str
    at: str
    version: str
    model: str
    manifest: str
    manifest_name: str
    snapshot: str
    taken_at: str
    baseline: str
    previous: str
    approval: int
    verdict: str
    exit_code: int
    reasons: tuple[str, ...]
    resources: int
    sensitive: int
    identities: int
    scopes: int
    administers: int
    patterns: int
    credentials: int
    longest_chain: int
    critical: int
    high: int
    medium: int
    low: int
    waived: int
    gaps: int
    oldest_key_days: int
    drifted: int
    changed: int
    events: int
    radius: str
    drift: str
    change: str
    approvals_head: str


class ApprovalRow(Record, frozen=True):
    """That somebody accepted an audit as the baseline of its deployment.

    `number` counts all approvals of the state from 1. `until` is the last day on which it holds
    ("" without end). `digest` covers everything else in the row, `before` too: the digest of the
    approval before it.
    """

    number: int
    deployment: str
    audit: str
    version: str
    snapshot: str
    manifest: str
    approved_by: str
    approved_at: str
    until: str
    why: str
    before: str
    digest: str

    def expired(self, day: str) -> bool:
        """Does it hold no longer on that day (`YYYY-MM-DD`, or a time)?"""
        return bool(self.until) and day[:10] > self.until


class Telling(Record, frozen=True):
    """What a notification says: the audit it is of, and its events. This is what is sent."""

    schema: Literal["modelreach.notification/1"] = msgspec.field(name="schema")
    id: str
    deployment: str
    version: str
    audit: str
    at: str
    taken_at: str
    baseline: str
    previous: str
    verdict: str
    reasons: tuple[str, ...]
    events: tuple[Event, ...]


class Notification(Record, frozen=True):
    """A telling that is kept until it is delivered. Its id is the idempotency key."""

    id: str
    deployment: str
    audit: str
    at: str
    telling: Telling


class DeliveryRow(Record, frozen=True):
    """That a notification is due at a target, or was delivered there. `status` is `pending`,
    `delivered` or `given-up`; `next_at` is not before when it is tried again."""

    notification: str
    target: str
    status: Literal["pending", "delivered", "given-up"]
    attempts: int
    last_at: str
    next_at: str
    error: str
