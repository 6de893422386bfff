"""Digests, without the start of OpenSSL where little is hashed: that takes longer than hashing it.

Python's own modules are asked, as its `random` does; OpenSSL hashes five times as fast, and is
asked once a process has hashed much. The digests are the same.
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


#: After so many bytes OpenSSL has made up for its start.
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


class _Sha256:
    """Which function hashes, by how much was hashed so far."""

    def __init__(self) -> None:
        self._start = _SHA256
        self._left = _MUCH

    def made(self, pieces: tuple[bytes, ...]) -> Digest:
        """Give one that is to hash these."""
        if self._left > 0:
            self._left -= sum(map(len, pieces))
            if self._left <= 0:
                self._start = _function("sha256", "hashlib")
        return self._start()


_STARTED = _Sha256()


def sha256(*pieces: bytes) -> Digest:
    """Hash pieces of bytes, one behind the other."""
    return _fed(_STARTED.made(pieces), pieces)


def blake2b(*pieces: bytes, size: int) -> Digest:
    """Hash pieces of bytes to so many bytes, where nobody asks for SHA-256: it is fast without
    OpenSSL."""
    return _fed(_BLAKE2B(digest_size=size), pieces)


def _fed(made: Digest, pieces: Iterable[bytes]) -> Digest:
    for piece in pieces:
        made.update(piece)
    return made
