"""What `--from` names for AWS: recordings, and exports of account details."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from modelreach.collect import sources
from modelreach_aws import details_export, recording
from modelreach_aws.answers import Answer

EXPECTED: Final = (
    "expected a recording of `modelreach collect aws --record DIR`, or what "
    "`aws iam get-account-authorization-details` prints"
)


def read(given: Sequence[Path], *, now: str) -> tuple[str, tuple[Answer, ...]]:
    """Give the time and the answers of all sources together.

    The time is that of the latest recording, `now` without one. Raises `InputError` for what
    cannot be read, is not recognised, lacks files, or says two things about one question.
    """
    taken_at, answers = sources.read(given, _FORM)
    return taken_at or now, answers


def _exported(content: Any, place: str) -> tuple[Answer, ...] | None:
    if not details_export.recognised(content):
        return None
    return (details_export.read(content, place=place),)


def _about(one: Answer) -> str:
    where = f"account `{one.account}`" + (f" in `{one.region}`" if one.region else "")
    return f"{one.service} {one.operation} of {where}"


_FORM: Final = sources.Form(
    expected=EXPECTED,
    one_each="give one source for each account and time",
    recorded=recording.FORMAT.read,
    exported=_exported,
    about=_about,
)
