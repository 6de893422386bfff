"""Digests are the same whoever makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from modelreach import digests
from modelreach.digests import blake2b, sha256

SIZES = (0, 1, 1000, digests._MUCH - 1, digests._MUCH, digests._MUCH + 1)


@pytest.fixture(params=["own", "openssl"])
def maker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python is mostly built, and as it may be: without modules of its own. Little was hashed
    before."""
    if request.param == "openssl":
        monkeypatch.setattr(digests, "_SHA256", digests._function("sha256", "no_such", "hashlib"))
        monkeypatch.setattr(digests, "_BLAKE2B", digests._function("blake2b", "hashlib"))
    monkeypatch.setattr(digests, "_STARTED", digests._Sha256())


@pytest.mark.usefixtures("maker")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cut", [lambda _: 0, lambda size: size // 3, lambda size: size])
def test_they_are_those_of_hashlib(size: int, cut: Callable[[int], int]) -> None:
    raw = bytes(place * 7 % 251 for place in range(1000)) * (size // 1000 + 1)
    raw, at = raw[:size], cut(size)
    assert sha256(raw[:at], raw[at:]).digest() == hashlib.sha256(raw).digest()
    assert sha256(raw).hexdigest() == hashlib.sha256(raw).hexdigest()
    assert (
        blake2b(raw[:at], raw[at:], size=8).digest()
        == hashlib.blake2b(raw, digest_size=8).digest()
    )


def test_openssl_hashes_once_there_was_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "_STARTED", digests._Sha256())
    piece = bytes(digests._MUCH // 3)
    modules = [type(sha256(piece)).__module__ for _ in range(5)]
    assert modules == [type(digests._SHA256()).__module__] * 3 + ["_hashlib"] * 2


def test_a_function_that_nobody_has_is_a_broken_python() -> None:
    with pytest.raises(ImportError):
        digests._function("sha0", "no_such", "hashlib")
