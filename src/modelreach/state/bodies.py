"""Reports as they are kept: without what only says when, so that equal reach is kept once."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from modelreach import report_file
from modelreach.model import InputError
from modelreach.report import DiffReport, RadiusReport, ReleaseRow
from modelreach.state.records import AuditRow


def packed(report: DiffReport | RadiusReport) -> bytes:
    """Give the bytes to keep: `taken_at`, `snapshot` and its digest are those of the audits."""
    if isinstance(report, DiffReport):
        return report_file.packed(
            replace(report, old=_timeless(report.old), new=_timeless(report.new))
        )
    return report_file.packed(replace(report, release=_timeless(report.release)))


def _timeless(row: ReleaseRow) -> ReleaseRow:
    return replace(row, taken_at="", snapshot="", snapshot_digest="")


def _timed(row: ReleaseRow, audit: AuditRow) -> ReleaseRow:
    return replace(
        row,
        taken_at=audit.taken_at,
        snapshot=f"the snapshot of {audit.taken_at}",
        snapshot_digest=audit.snapshot,
    )


def radius(raw: bytes, audit: AuditRow) -> RadiusReport:
    """Give a radius as it was at an audit."""
    found = _decoded(raw)
    if not isinstance(found, RadiusReport):
        raise InputError("this is no radius", place=f"audit {audit.id}")
    return replace(found, release=_timed(found.release, audit))


def difference(raw: bytes, old: AuditRow, new: AuditRow) -> DiffReport:
    """Give a difference as it was between two audits."""
    found = _decoded(raw)
    if not isinstance(found, DiffReport):
        raise InputError("this is no difference", place=f"audit {new.id}")
    return replace(found, old=_timed(found.old, old), new=_timed(found.new, new))


def _decoded(raw: bytes) -> DiffReport | RadiusReport:
    try:
        return report_file.decode(raw)
    except msgspec.MsgspecError as error:
        raise InputError(f"this is no report ({error})", place="state") from None
