"""What is held of the facts that were read, by id, and how it is let go of again.

Of a section that was let go of, those facts stay that others ask about, and a number for each id:
so that an id which is not there costs no reading.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, cast

import msgspec

_T = TypeVar("_T")

#: Sections of which several facts are about one thing, and what in them says about which.
GROUPED: Final = {
    "attachments": "target",
    "credentials": "principal",
    "bindings": "target",
    "usage": "principal",
}


class Ids:
    """Some ids, as numbers: what is among them is found; now and then something else is, too."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._numbers = array("q", sorted(set(map(hash, ids))))

    def __contains__(self, name: str) -> bool:
        number = hash(name)
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number


class Singly:
    """The facts of a section as they are written, by id: for few of them, each is read alone."""

    def __init__(self, raw: bytes, facts: Mapping[str, msgspec.Raw]) -> None:
        self.raw, self._facts = raw, facts
        self._asked = 0

    @property
    def enough(self) -> bool:
        """Was so much asked for that all of it is better held? One takes as long as ten of all."""
        return self._asked > len(self._facts) // 16

    def find(self, name: str) -> msgspec.Raw | None:
        """Give the fact of an id; None when there is none."""
        self._asked += 1
        return self._facts.get(name)


class Sought(Mapping[str, _T], Generic[_T]):
    """Facts of a section by id, sought where they are not there yet."""

    def __init__(
        self, section: str, seek: Callable[[str, str], None], load: Callable[[str], None]
    ) -> None:
        """`seek` reads where a section may have an id, `load` all of the section."""
        self._section, self._seek_in, self._load = section, seek, load
        self.key = GROUPED.get(section, "id")
        self._found: dict[str, _T] = {}
        self._sought: set[str] = set()

    def _seek(self, name: str) -> None:
        if name not in self._sought:
            self._sought.add(name)
            self._seek_in(name, self._section)

    # --- what is held ----------------------------------------------------------------------

    def ids(self, facts: Iterable[Any]) -> Iterator[str]:
        """Give about which things facts are."""
        return map(attrgetter(self.key), facts)

    def take(self, facts: Iterable[Any], known: Collection[str] = ()) -> None:
        """Take facts of one part in; those about `known` things are there already."""
        if self._section not in GROUPED:
            self._found.update((fact.id, fact) for fact in facts)
            return
        for name, members in self._grouped(facts).items():
            if name not in known:
                before = cast("tuple[Any, ...]", self._found.get(name, ()))
                self._found[name] = cast("_T", (*before, *members))

    def let_go(self, facts: Iterable[Any], but: Collection[str]) -> set[str]:
        """Let go of facts of one part; give about which things they stay. Of those of which
        another part says something, too, all is kept as it was put together."""
        self._sought.clear()
        kept: set[str] = set()
        for name, count in Counter(self.ids(facts)).items():
            found: Any = self._found.get(name)
            alone = self._section not in GROUPED or len(found) == count
            if name in but or not alone:
                kept.add(name)
            else:
                del self._found[name]
        return kept

    def _grouped(self, facts: Iterable[Any]) -> dict[str, list[Any]]:
        groups: dict[str, list[Any]] = {}
        for fact in facts:
            groups.setdefault(getattr(fact, self.key), []).append(fact)
        return groups

    # --- looking up ------------------------------------------------------------------------

    def __getitem__(self, name: str) -> _T:
        if name not in self._found:
            self._seek(name)
        return self._found[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Give what is under a name."""
        known = self._found.get(name)
        if known is None and name:
            self._seek(name)
            known = self._found.get(name)
        return default if known is None else known

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        self._load(self._section)
        return iter(self._found)

    def __len__(self) -> int:
        self._load(self._section)
        return len(self._found)


class Documents(Mapping[str, msgspec.Raw]):
    """The documents of all that was read, by digest; those that were let go of are read again."""

    def __init__(self, read: Callable[[str], Mapping[str, msgspec.Raw]]) -> None:
        """`read` gives those of one part."""
        self._read = read
        self._found: dict[str, msgspec.Raw] = {}
        self._gone: dict[str, Ids] = {}
        self._missing: set[str] = set()

    def take(self, part: str) -> tuple[str, ...]:
        """Read a part's documents; give their digests."""
        found = self._read(part)
        self._found.update(found)
        self._gone.pop(part, None)
        return tuple(found)

    def take_some(self, part: str, digests: Collection[str]) -> None:
        """Read those of a part's documents that have these digests, and keep no others."""
        wanted = [digest for digest in digests if digest not in self._found]
        if wanted:
            found = self._read(part)
            self._gone.setdefault(part, Ids(found))
            # A document is a view into all of them as long as it is not copied.
            self._found.update((one, found[one].copy()) for one in wanted if one in found)

    def let_go(self, part: str, digests: Collection[str], but: Collection[str]) -> None:
        """Let go of the documents of a part, but for these."""
        for digest in digests:
            if digest in but:
                self._found[digest] = self._found[digest].copy()
            else:
                self._found.pop(digest, None)
        self._gone[part] = Ids(digests)
        self._missing.clear()

    def get(self, digest: str, default: Any = None) -> Any:
        """Give the document of a digest."""
        known = self._found.get(digest)
        if known is None and digest not in self._missing:
            known = self._again(digest)
        return default if known is None else known

    def _again(self, digest: str) -> msgspec.Raw | None:
        for part, ids in self._gone.items():
            if digest in ids:
                self.take_some(part, (digest,))
                if digest in self._found:
                    return self._found[digest]
        self._missing.add(digest)
        return None

    def __getitem__(self, digest: str) -> msgspec.Raw:
        found = self.get(digest)
        if found is None:
            raise KeyError(digest)
        return cast("msgspec.Raw", found)

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and self.get(digest) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
