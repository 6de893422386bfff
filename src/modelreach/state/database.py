"""A state that is open: transactions, the lock, and what can be read and written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from modelreach import snapshot as snapshots
from modelreach.model import InputError, ModelreachError
from modelreach.report import DiffReport, RadiusReport
from modelreach.snapshot import Snapshot
from modelreach.state import bodies, engine, lease, naming, reading, schema, writing
from modelreach.state.blobs import Blobs, open_blobs
from modelreach.state.place import Place
from modelreach.state.records import (
    ApprovalRow,
    AuditRow,
    DeliveryRow,
    DeploymentRow,
    Event,
    Notification,
    SnapshotRow,
    Standing,
)


class StateUnavailable(ModelreachError):
    """The state cannot be used now: it is held, full, or gone. Nothing of it is lost."""

    exit_code = 75


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"no folder can be made for the state ({error.strerror})"
        raise InputError(why, place=str(folder)) from None


class State:
    """What audits keep. Every method that reads gives rows as values, oldest first."""

    def __init__(self, name: str, place: Place, *, make: bool, read_only: bool) -> None:
        self.name, self.place = name, place
        if place.file and make:
            _make(Path(place.file).parent)
        self._engine: Engine = engine.connect(place, read_only=read_only)
        try:
            self.blobs: Blobs = self._opened(place, make=make)
        except BaseException:
            self.close()
            raise

    def _opened(self, place: Place, *, make: bool) -> Blobs:
        with self.writing() if make else self.reading() as db:
            if make:
                schema.migrate(db)
            elif schema.version(db) != len(schema.STEPS):
                raise InputError(
                    "this state is of an older version, or empty",
                    place=self.name,
                    hint="`modelreach audit` or `modelreach history migrate` brings it up to date",
                )
            blobs = open_blobs(self._blobs_of(db, place, make=make))
            if make:
                self._own(db, blobs)
            return blobs

    def _blobs_of(self, db: Connection, place: Place, *, make: bool) -> str:
        """Give where the blobs are: as it is said now, else as it was said at first."""
        query = select(schema.state.c.value).where(schema.state.c.name == "blobs")
        kept = db.execute(query).scalar()
        if place.blobs:
            if kept is None and make and not place.file:
                db.execute(schema.state.insert(), [{"name": "blobs", "value": place.blobs}])
            return place.blobs
        if not kept:
            raise InputError(
                "it is not said where this state keeps its snapshots",
                place="--blobs",
                hint="a folder, s3://bucket/prefix, gs://bucket/prefix, or az://container/prefix",
            )
        return str(kept)

    def _own(self, db: Connection, blobs: Blobs) -> None:
        """See to it that no other state keeps its blobs in the same place."""
        query = select(schema.state.c.value).where(schema.state.c.name == "id")
        mine = str(db.execute(query).scalar_one())
        if blobs.owner(mine) != mine:
            raise InputError(
                "another state keeps its blobs here, and pruning either would harm the other",
                place=blobs.url,
                hint="name another place by --blobs",
            )

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- transactions ------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Open a transaction that sees one moment."""
        with self._named(), self._engine.connect() as db:
            yield db
            if not engine.unchanged(db):
                raise StateUnavailable(
                    f"{self.name}: a run has written to the state while it was read",
                    hint="run the same again",
                )

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Open a transaction that is kept whole at its end, or not at all."""
        with self._named(), self._engine.connect() as db:
            writer = db.execution_options(writes=True)
            with writer.begin():
                yield writer

    @contextmanager
    def _named(self) -> Generator[None]:
        """Turn what the database raises into an error that names the state."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StateUnavailable(
                f"{self.name}: the state cannot be used ({reason})",
                hint="nothing of it is lost; run the same again when it answers",
            ) from None

    @contextmanager
    def lock(self, wait: float, *, since: str) -> Generator[None]:
        """Hold the state against other audits, approvals and prunings until the end; readers
        are not held up. The hold ends with this process, however that ends.

        `wait` is how many seconds to wait for another holder. Raises `StateUnavailable` naming
        it when it is still there then.
        """
        with self._named(), engine.held(self._engine, self.place.file, wait) as got:
            if not got:
                with self.reading() as db:
                    raise StateUnavailable(
                        f"{self.name}: another run holds this state ({lease.holder_of(db)})",
                        hint="wait for it, or give --wait SECONDS",
                    )
            with self.writing() as db:
                lease.take(db, f"process {os.getpid()}", since)
            yield

    # --- blobs -------------------------------------------------------------------------------

    def snapshot(self, digest: str) -> Snapshot:
        """Give a snapshot. Raises `BlobError` when it is not what was kept."""
        row = self.snapshot_row(digest)
        raw = self.blobs.get(row.facts)
        found = snapshots.decode(raw, place=f"{self.name} {digest}")
        return msgspec.structs.replace(found, taken_at=row.taken_at, tool=row.tool)

    def manifest(self, digest: str) -> bytes:
        """Give the bytes of a manifest, by the digest that an audit names."""
        return self.blobs.get(digest)

    def radius(self, audit: AuditRow) -> RadiusReport:
        """Give what a deployment reached at an audit."""
        return bodies.radius(self.blobs.get(audit.radius), audit)

    def drift(self, audit: AuditRow) -> DiffReport | None:
        """Give the difference to the baseline at an audit; None when there was no baseline."""
        return self._difference(audit.drift, audit.baseline, audit)

    def change(self, audit: AuditRow) -> DiffReport | None:
        """Give the difference to the audit before; None for the first."""
        return self._difference(audit.change, audit.previous, audit)

    def _difference(self, digest: str, old: str, audit: AuditRow) -> DiffReport | None:
        if not digest:
            return None
        raw = self.blobs.get(digest)
        return bodies.difference(raw, self.audit(old) or audit, audit)

    # --- reading -----------------------------------------------------------------------------

    def deployments(self) -> tuple[DeploymentRow, ...]:
        """Give all deployments that were ever audited, by name."""
        with self.reading() as db:
            return reading.deployments(db)

    def deployment(self, name: str) -> DeploymentRow | None:
        """Give one deployment by its key (`NAME`, or `NAME/ENVIRONMENT`)."""
        return next((one for one in self.deployments() if one.deployment == name), None)

    def audits(
        self, deployment: str = "", *, last: int = 0, begin: str = "", end: str = ""
    ) -> tuple[AuditRow, ...]:
        """Give audits, oldest first: of one deployment or of all, the `last` so many of them
        (0 for all), made within times (inclusive)."""
        with self.reading() as db:
            return reading.audits(db, deployment, last, begin, end)

    def audit(self, id_: str) -> AuditRow | None:
        """Give an audit by its whole id."""
        with self.reading() as db:
            return reading.audit(db, id_)

    def find(self, word: str) -> AuditRow:
        """Give the audit that a word means: the beginning of an id (four signs or more),
        `DEPLOYMENT` (its last one), or `DEPLOYMENT@VERSION` (the last one of that version).

        Raises `InputError` when there is none, or several.
        """
        with self.reading() as db:
            return naming.find(db, word, self.name)

    def events(self, *audits: str) -> tuple[tuple[str, Event], ...]:
        """Give what audits told, in order, each with the id of its audit."""
        with self.reading() as db:
            return reading.events(db, audits)

    def standing(self, deployment: str) -> tuple[Standing, ...]:
        """Give what the next audit of a deployment has to know of those before: open findings,
        and what a gap hides."""
        with self.reading() as db:
            return reading.standing(db, deployment)

    def approvals(self, deployment: str = "") -> tuple[ApprovalRow, ...]:
        """Give all approvals, or those of a deployment, oldest first."""
        with self.reading() as db:
            return reading.approvals(db, deployment)

    def approved(self, deployment: str) -> ApprovalRow | None:
        """Give the approval in force: the last one, whether it has expired or not."""
        found = self.approvals(deployment)
        return found[-1] if found else None

    def snapshots(self) -> tuple[SnapshotRow, ...]:
        """Give the rows of all snapshots, oldest first."""
        with self.reading() as db:
            return reading.snapshots(db)

    def snapshot_row(self, digest: str) -> SnapshotRow:
        """Give the row of a snapshot. Raises `InputError` when there is none."""
        with self.reading() as db:
            return reading.snapshot(db, digest, self.name)

    def due(self, target: str, now: str, limit: int = 100) -> tuple[Notification, ...]:
        """Give the notifications that are to be delivered to a target by now, oldest first."""
        with self.reading() as db:
            return reading.due(db, target, now, limit)

    def pending(self, target: str) -> tuple[DeliveryRow, ...]:
        """Give what a target has not taken yet, whether it is due already or not."""
        found = self.deliveries(status="pending")
        return tuple(one for one in found if one.target == target)

    def notifications(self, *ids: str) -> tuple[Notification, ...]:
        """Give notifications by id, oldest first; all of them without one."""
        with self.reading() as db:
            return reading.notifications(db, ids)

    def deliveries(self, notification: str = "", status: str = "") -> tuple[DeliveryRow, ...]:
        """Give deliveries: of one notification or of all, of one status or of all."""
        with self.reading() as db:
            return reading.deliveries(db, notification, status)

    # --- writing -----------------------------------------------------------------------------

    def keep_snapshot(self, snapshot: Snapshot) -> SnapshotRow:
        """Keep a snapshot, if it is not yet: the blob first, then the row."""
        return writing.keep_snapshot(self, snapshot)

    def record(
        self,
        deployment: DeploymentRow,
        audit: AuditRow,
        events: Sequence[Event] = (),
        standing: Sequence[Standing] = (),
        notification: Notification | None = None,
        targets: Iterable[str] = (),
    ) -> None:
        """Keep an audit whole: its row, what it told, what stands, and its notification with a
        pending delivery for each target. Its blobs and its snapshot are kept before."""
        writing.record(self, deployment, audit, events, standing, notification, targets)

    def approve(self, approval: ApprovalRow) -> ApprovalRow:
        """Add an approval; `number`, `before` and `digest` are given to it here."""
        return writing.approve(self, approval)

    def delivered(self, notification: str, target: str, at: str) -> None:
        """Write down that a notification reached its target."""
        writing.delivered(self, notification, target, at)

    def failed(
        self, notification: str, target: str, at: str, error: str, next_at: str = ""
    ) -> None:
        """Write down that a delivery failed: to be tried again at `next_at`, or given up."""
        writing.failed(self, notification, target, at, error, next_at)
