"""Digests, without the start of OpenSSL where little is hashed: that takes longer than hashing it.

Python's own modules are asked, as its `random` does; OpenSSL hashes five times as fast, and is
asked where there is much. The digests are the same.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    class Digest(Protocol):
        """What was hashed so far."""

        def update(self, piece: bytes, /) -> None:
            """Hash more."""

        def digest(self) -> bytes:
            """Give it as bytes."""
            ...

        def hexdigest(self) -> str:
            """Give it as text."""
            ...


#: From so many bytes on OpenSSL has made up for its start.
_MUCH = 1 << 18


def _function(name: str, *modules: str) -> Callable[..., Digest]:
    """Give a function of the first of some modules that is there."""
    for module in modules:
        try:
            found: Callable[..., Digest] = getattr(import_module(module), name)
        except (ImportError, AttributeError):  # Python may be built without its own
            continue
        return found
    raise ImportError(name)


_SHA256 = _function("sha256", "_sha2", "_sha256", "hashlib")
_BLAKE2B = _function("blake2b", "_blake2", "hashlib")


def sha256(*pieces: bytes) -> Digest:
    """Hash pieces of bytes, one behind the other."""
    much = sum(map(len, pieces)) >= _MUCH
    return _fed(_function("sha256", "hashlib")() if much else _SHA256(), pieces)


def blake2b(*pieces: bytes, size: int) -> Digest:
    """Hash pieces of bytes to so many bytes, where nobody asks for SHA-256: it is fast without
    OpenSSL."""
    return _fed(_BLAKE2B(digest_size=size), pieces)


def _fed(made: Digest, pieces: Iterable[bytes]) -> Digest:
    for piece in pieces:
        made.update(piece)
    return made
