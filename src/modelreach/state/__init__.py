"""What scheduled audits keep: which audits were made, what they told, what was approved.

A state is a database (one SQLite file, or PostgreSQL) of small rows, and a place of blobs (a
folder, or a prefix of an object store) with snapshots, manifests and reports under their digests.
A blob is written before the row that names it, and an audit is one transaction: whenever a run
dies, there is either all of an audit or nothing.

Approvals are only ever added, each with the digest of the one before. The tables are described in
`docs/reference/state.md`; whoever reads them with other tools may rely on that page.
"""

from modelreach.state.blobs import BlobError, Blobs, PlaceError, open_blobs
from modelreach.state.opening import open_state
from modelreach.state.records import (
    ApprovalRow,
    AuditRow,
    DeliveryRow,
    DeploymentRow,
    Event,
    EventKind,
    Notification,
    SnapshotRow,
    Standing,
    Telling,
)

__all__ = [
    "ApprovalRow",
    "AuditRow",
    "BlobError",
    "Blobs",
    "DeliveryRow",
    "DeploymentRow",
    "Event",
    "EventKind",
    "Notification",
    "PlaceError",
    "SnapshotRow",
    "Standing",
    "Telling",
    "open_blobs",
    "open_state",
]
