"""SDKs come with extras: a connector whose SDK is not installed says which extra brings it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from modelreach.model import MissingExtra


@contextmanager
def needing(extra: str, purpose: str) -> Generator[None]:
    """Raise `MissingExtra` where an import fails for want of what an extra brings."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("modelreach"):
            raise
        raise MissingExtra(extra, purpose) from error
