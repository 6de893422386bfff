"""What `--from` names for Google Cloud: recordings, and what `gcloud` exports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from modelreach.collect import sources
from modelreach_gcp import exports, recording
from modelreach_gcp.answers import Answer

EXPECTED: Final = (
    "expected a recording of `modelreach collect gcp --record DIR`, what `gcloud asset export` or "
    "`gcloud asset search-all-iam-policies --format=json` writes, or roles with their permissions"
)


def read(given: Sequence[Path], *, now: str) -> tuple[str, tuple[Answer, ...]]:
    """Give the time and the answers of all sources together.

    The time is that of the latest recording, `now` without one. Raises `InputError` for what
    cannot be read, is not recognised, lacks files, or says two things about one question.
    """
    taken_at, answers = sources.read(given, _FORM)
    return taken_at or now, answers


def _exported(content: Any, place: str) -> tuple[Answer, ...] | None:
    return exports.read(content, place=place) or None


def _about(one: Answer) -> str:
    return f"{one.service} {one.method} of `{one.place or 'Google Cloud'}`"


_FORM: Final = sources.Form(
    expected=EXPECTED,
    one_each="give one source for each scope and time",
    recorded=recording.FORMAT.read,
    exported=_exported,
    about=_about,
    lines=True,  # what `gcloud asset export` writes
)
