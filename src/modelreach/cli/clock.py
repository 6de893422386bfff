"""Times as they are typed, and as they are written."""

from __future__ import annotations

from datetime import UTC, datetime

from modelreach.model import InputError


def stamp(moment: datetime) -> str:
    """Give a time as RFC 3339 in UTC, in seconds; one without a zone is taken for UTC."""
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def typed(text: str) -> str:
    """Give what was said with `--now` in the same way. Raises `InputError` for what is no time."""
    try:
        return stamp(datetime.fromisoformat(text.replace("Z", "+00:00")))
    except (ValueError, OverflowError):
        raise InputError(
            f"`{text}` is no time", place="--now", hint="such as 2026-11-25T09:00:00Z"
        ) from None
