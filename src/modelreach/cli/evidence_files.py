"""Evaluation reports from disk: files and folders, and what a manifest names as its evidence."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from modelreach import plugins
from modelreach.deployment import Deployment, Report
from modelreach.evidence.files import ReadOptions, ReportFiles
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.evidence import Bound, Evidence, Refused

#: More than any report has; a folder or file beyond is something else, named by mistake or malice.
_MOST_FILES = 100_000
_MOST_BYTES = 2 << 30


def read_evidence(
    path: str, *, kind: str = "", options: ReadOptions | None = None
) -> tuple[Evidence, ...]:
    """Read a report, of a kind that is told from its looks unless it is given.

    Raises `InputError` for what is no report, or of several kinds.
    """
    report = load(path)
    reader = plugins.evidence_reader(kind or _kind(report))
    try:
        return reader.read(report, options or ReadOptions())
    except RecursionError:
        raise InputError("something in it is nested too deeply", place=path) from None


def of_manifest(
    deployment: Deployment,
    manifest: str,
    now: str,
    *,
    max_age_days: int | None = 90,
    before: Deployment | None = None,
    after: Deployment | None = None,
) -> tuple[Bound | Refused, ...]:
    """Read and bind all reports that a manifest names, relative to its own folder.

    `before` and `after` are the releases around this one, as for `evidence.bind`.
    """
    return tuple(
        bound
        for entry in deployment.spec.evidence or ()
        for bound in _entry(entry, deployment, manifest, now, max_age_days, before, after)
    )


def _entry(
    entry: Report,
    deployment: Deployment,
    manifest: str,
    now: str,
    max_age_days: int | None,
    before: Deployment | None,
    after: Deployment | None,
) -> tuple[Bound | Refused, ...]:
    from modelreach.evidence import bind_report, claim_of

    if Path(entry.path).is_absolute():
        raise InputError(
            f"`{entry.path}` is not relative to the manifest",
            place=manifest,
            hint="keep the reports in the repository, and name them from the manifest's folder",
        )
    path = os.path.normpath(Path(manifest).parent / entry.path)  # `verify` follows no `..`
    options = ReadOptions(entry.correct_means, entry.scorer or "")
    found = read_evidence(path, kind=entry.kind, options=options)
    return bind_report(
        [one.retested(entry.retests or {}) for one in found],
        deployment,
        now,
        claim=claim_of(entry),
        max_age_days=max_age_days,
        before=before,
        after=after,
    )


def load(path: str) -> ReportFiles:
    """Read a file, or all files of a folder. Follows no link within a folder."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            return ReportFiles(path, dict(_folder(Path(path))), folder=True)
        if not stat.S_ISREG(mode):
            raise InputError("this is neither a file nor a folder", place=path)
        _refuse_large(Path(path).stat().st_size, path)
        return ReportFiles(path, {Path(path).name: Path(path).read_bytes()})
    except FileNotFoundError:
        raise InputError("no such file", place=path) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", place=path) from None


def _folder(root: Path) -> Iterator[tuple[str, bytes]]:
    count = size = 0
    for folder, _, names in sorted(os.walk(root, onerror=_raise)):
        for name in sorted(names):
            path = Path(folder, name)
            about = path.lstat()
            if not stat.S_ISREG(about.st_mode):
                raise InputError("a report may hold files only, no links", place=str(path))
            count, size = count + 1, size + about.st_size
            if count > _MOST_FILES:
                raise InputError(f"more than {_MOST_FILES} files are no report", place=str(root))
            _refuse_large(size, str(root))
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _raise(error: OSError) -> None:
    raise error


def _refuse_large(size: int, place: str) -> None:
    if size > _MOST_BYTES:
        raise InputError(f"more than {_MOST_BYTES >> 30} GiB are no report", place=place)


def _kind(report: ReportFiles) -> str:
    names = plugins.names(plugins.EVIDENCE)
    known = [name for name in names if plugins.evidence_reader(name).recognises(report)]
    if len(known) == 1:
        return known[0]
    problem = f"looks like {' and '.join(known)}" if known else "is of no kind that is known"
    raise InputError(
        f"this report {problem}", place=report.name, hint="say `--kind`: " + ", ".join(names)
    )
