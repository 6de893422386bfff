"""Globs as AWS writes them, and exact questions about the sets of strings they stand for.

`*` matches any run of characters, separators included, `?` exactly one; everything else stands
for itself, and a glob has to match the whole string.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html

A literal `*` or `?` (the policy variables `${*}` and `${?}`, or a variable whose value holds one)
is written into a glob with `escape`. It is kept as a Unicode noncharacter, which can stand in no
policy: AWS allows U+0009, U+000A, U+000D and U+0020 to U+00FF there.

Costs. `match` is at most quadratic, |glob| x |text|, and linear without `?`: each run between two
stars is sought once, leftmost, and never again. `intersects` takes |a| steps on |b| bits.
`covers`, `Region` and `cells` search at most `automaton.MAX_STATES` states of a product. What is
not settled within the bound is never guessed: see `Region.decided` and `Cell.possibly`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, combinations, permutations

import msgspec

from modelreach.policy.automaton import Automaton, Found, fresh_letter, walk

_STAR, _QUESTION = "\ufdd0", "\ufdd1"
_ESCAPE = str.maketrans("*?", _STAR + _QUESTION)
_UNESCAPE = str.maketrans(_STAR + _QUESTION, "*?")
_WILD = re.compile(r"[*?]+")

MAX_CELLS = 256
#: Of one search for cells, all together. No policy that AWS itself keeps takes a tenth of it;
#: twenty may take all, if each has wildcards before text.
MAX_STEPS = 20_000
#: How much more work a step of a search is than a look at two globs that differ plainly.
STEP = 32
_CACHE = 1 << 16


def escape(text: str) -> str:
    """Give the glob that matches `text` and nothing else."""
    return text.translate(_ESCAPE) if "*" in text or "?" in text else text


def plain(literal: str) -> str:
    """Give the text that a glob without wildcards matches: undoes `escape`."""
    return literal.translate(_UNESCAPE)


def is_literal(pattern: str) -> bool:
    """Does the glob match one string only?"""
    return "*" not in pattern and "?" not in pattern


@lru_cache(_CACHE)
def literal_prefix(pattern: str) -> str:
    """Give what every match starts with, as far as it is plain text."""
    wild = _WILD.search(pattern)
    return plain(pattern[: wild.start()] if wild else pattern)


@lru_cache(_CACHE)
def canonical(pattern: str) -> str:
    """Give the one spelling of the glob: in a run of wildcards each `?` first, then one `*`."""
    if "**" not in pattern and "*?" not in pattern:
        return pattern
    return _WILD.sub(lambda run: _ordered(run[0]), pattern)


def _ordered(run: str) -> str:
    return "?" * run.count("?") + "*" if "*" in run else run


# --- one glob against one string -----------------------------------------------------------


class _Run(msgspec.Struct, frozen=True):
    """What stands between two stars: its plain pieces and where they stand in it."""

    size: int
    pieces: tuple[tuple[int, str], ...]


#: A glob taken apart at its stars: what stands before the first and between two, and behind the
#: last (None where there is no star); its plain beginning, and how long a match is at least.
_Shape = tuple[_Run, tuple[_Run, ...], _Run | None, str, int]


def _run(segment: str) -> _Run:
    pieces = [(found.start(), found[0]) for found in re.finditer(r"[^?]+", segment)]
    return _Run(len(segment), tuple(pieces))


@lru_cache(_CACHE)
def _shape(pattern: str) -> _Shape:
    head, *rest = canonical(pattern).split("*")
    runs = [_run(segment) for segment in rest]
    prefix = head.partition("?")[0]
    least = len(head) + sum(run.size for run in runs)
    return _run(head), tuple(runs[:-1]), runs[-1] if runs else None, prefix, least


def match(pattern: str, text: str) -> bool:
    """Does the glob match the whole text?"""
    if "*" in text or "?" in text:
        text = text.translate(_ESCAPE)
    head, middle, tail, prefix, least = _shape(pattern)
    if not text.startswith(prefix) or len(text) < least:
        return False
    if tail is None:
        return len(text) == least and _stands(head, text, 0)
    end = len(text) - tail.size
    if not _stands(head, text, 0) or not _stands(tail, text, end):
        return False
    place = head.size
    for run in middle:
        place = _seek(run, text, place, end)
        if place < 0:
            return False
        place += run.size
    return True


def _stands(run: _Run, text: str, place: int) -> bool:
    for offset, piece in run.pieces:  # noqa: SIM110 - on the hot path
        if not text.startswith(piece, place + offset):
            return False
    return True


def _seek(run: _Run, text: str, start: int, end: int) -> int:
    """Give the leftmost place of the run in text[start:end], or -1."""
    if not run.pieces:
        return start if start + run.size <= end else -1
    offset, piece = run.pieces[0]
    last = end - run.size
    found = text.find(piece, start + offset, end)
    while found >= 0 and found - offset <= last:
        if _stands(run, text, found - offset):
            return found - offset
        found = text.find(piece, found + 1, end)
    return -1


# --- two globs -----------------------------------------------------------------------------


def _apart(a: str, b: str) -> bool:
    """Do the plain beginnings already differ?"""
    first, second = literal_prefix(a), literal_prefix(b)
    return not (first.startswith(second) or second.startswith(first))


@lru_cache(_CACHE)
def intersects(a: str, b: str) -> bool:
    """Is there a string that both globs match?

    Walks along `a` and keeps the places of `b` that can be reached; a `*` of `a` reaches every
    later place, because the characters in between are free.
    """
    if _apart(a, b):
        return False
    if is_literal(a):
        return match(b, plain(a))
    if is_literal(b):
        return match(a, plain(b))
    other = Automaton((canonical(b),))
    state = other.start
    for item in canonical(a):
        if not state:
            return False
        if item == "*":
            state = other.whole & -(state & -state)
        else:
            state = other.step_any(state) if item == "?" else other.step(state, item)
    return bool(state & other.accepting)


@lru_cache(_CACHE)
def covers(a: str, b: str) -> bool:
    """Does `a` match every string that `b` matches? In doubt (bound exceeded): no."""
    if a in ("*", b):
        return True
    if is_literal(b):
        return match(a, plain(b))
    if is_literal(a) or _apart(a, b):
        return False
    if a.endswith("*") and is_literal(a[:-1]):
        return b.startswith(a[:-1])
    found = _search((canonical(b),), (canonical(a),))
    return found.decided and found.sample is None


def left_of(pattern: str, start: str) -> int:
    """Give what is left of a glob behind a beginning, as a number: of beginnings with the same
    number, the same may follow for the glob to match."""
    automaton = _automaton(canonical(pattern))
    state = automaton.start
    for char in start:
        state = automaton.step(state, char)
    return state


@lru_cache(1 << 10)
def _automaton(pattern: str) -> Automaton:
    return Automaton((pattern,))


# --- many globs ----------------------------------------------------------------------------


@lru_cache(_CACHE)
def _search(inside: tuple[str, ...], outside: tuple[str, ...]) -> Found:
    """Seek a string that all of `inside` and none of `outside` match."""
    wanted, barred = tuple(map(canonical, inside or ("*",))), tuple(map(canonical, outside))
    for guess in _guesses(wanted):
        if _belongs(guess, wanted, barred):
            return Found(True, guess)
    text = next((guess for guess in _overlaps(wanted) if _belongs(guess, wanted, barred)), None)
    steps = 0
    if text is None:
        found = walk(
            Automaton(wanted), Automaton(barred), fresh_letter({*chain(*wanted, *barred)})
        )
        if found.sample is None:
            return found
        text, steps = plain(found.sample), found.steps
    shrunk = _shrunk(text, lambda shorter: _belongs(shorter, wanted, barred))
    return Found(True, shrunk, steps + len(text) * (len(wanted) + len(barred)) // _MATCHED)


def _guesses(inside: tuple[str, ...]) -> Iterator[str]:
    """Give each glob with little in the place of its stars."""
    for fill in ("x", ""):
        for glob in inside:
            yield plain(glob.replace("*", fill).replace("?", "x"))


_TRIED = 6


def _overlaps(inside: tuple[str, ...]) -> Iterator[str]:
    """Give each glob with the text of another one in the place of its last star."""
    for one, other in permutations(inside[:_TRIED], 2):
        head, star, tail = one.rpartition("*")
        fill = other.partition("*")[2] if star else ""
        yield plain((head + fill + tail).replace("*", "").replace("?", "x"))


def _belongs(text: str, inside: Sequence[str], outside: Sequence[str]) -> bool:
    for glob in inside:
        if not match(glob, text):
            return False
    for glob in outside:  # noqa: SIM110 - on the hot path
        if match(glob, text):
            return False
    return True


_LONGEST_SHRUNK = 300
#: As many matches cost as much as a state of a search.
_MATCHED = 8


def _shrunk(text: str, holds: Callable[[str], bool]) -> str:
    """Leave out every character that can be left out."""
    if len(text) > _LONGEST_SHRUNK:
        return text
    for place in range(len(text) - 1, -1, -1):
        shorter = text[:place] + text[place + 1 :]
        if holds(shorter):
            text = shorter
    return text


# --- regions -------------------------------------------------------------------------------


class Region(msgspec.Struct, frozen=True, gc=False):
    """The strings that all of `inside` and none of `outside` match.

    Build with `Region.of`, which simplifies. Two regions compare equal when they are written
    alike; ask `a <= b and b <= a` whether they are the same set.
    """

    inside: tuple[str, ...] = ("*",)
    outside: tuple[str, ...] = ()

    @staticmethod
    def of(inside: Sequence[str] = ("*",), outside: Sequence[str] = ()) -> Region:
        """Give the region in its simplest spelling; `NOWHERE` if it is seen to be empty.

        Nothing inside means no limit: all strings.
        """
        return _made(tuple(inside), tuple(outside))[0]

    @staticmethod
    def only(text: str) -> Region:
        """Give the region of one string."""
        return Region((escape(text),))

    def contains(self, text: str) -> bool:
        """Is the string in the region?"""
        return _belongs(text, self.inside, self.outside)

    def is_empty(self) -> bool:
        """Is there surely no such string? In doubt (see `decided`): no."""
        if self._is_glob():
            return False
        found = _search(self.inside, self.outside)
        return found.decided and found.sample is None

    @property
    def decided(self) -> bool:
        """Was the search for a member settled within its bound?"""
        return self._is_glob() or _search(self.inside, self.outside).decided

    def _is_glob(self) -> bool:
        """Is it all that one glob matches? Any glob matches something."""
        return not self.outside and len(self.inside) == 1

    def sample(self) -> str | None:
        """Give a short string in the region; None if there is none, or none was found."""
        return _search(self.inside, self.outside).sample

    def minus(self, glob: str) -> Region:
        """Give what the glob does not match."""
        return Region.of(self.inside, (*self.outside, glob))

    def __and__(self, other: Region) -> Region:
        return self.met(other)[0]

    def __sub__(self, other: Region) -> tuple[Region, ...]:
        """Give the difference in pieces; they overlap where `other` has several limits."""
        return self.parts(other)[0]

    def __le__(self, other: Region) -> bool:
        """Is every string of this region in `other`? In doubt: no."""
        return self.lies_in(other)[0]

    # What these three give besides is how much work it is: at least 1, and the same for whoever
    # asks, in whatever order.

    def met(self, other: Region) -> tuple[Region, int]:
        """Give what both hold."""
        if self == other or other == EVERYWHERE:
            return self, 1
        if self == EVERYWHERE:
            return other, 1
        if _apart(self.inside[0], other.inside[0]):
            return NOWHERE, 1
        found, steps = _made(self.inside + other.inside, self.outside + other.outside)
        return found, 1 + steps * STEP

    def parts(self, other: Region) -> tuple[tuple[Region, ...], int]:
        """Give the difference in pieces."""
        made = [self._without(glob) for glob in other.inside]
        made += [self.met(Region((glob,))) for glob in other.outside]
        pieces = tuple(piece for piece, _ in made if not piece.is_empty())
        return pieces, 1 + sum(work for _, work in made)

    def lies_in(self, other: Region) -> tuple[bool, int]:
        """Is every string of this region in `other`? In doubt: no."""
        work = 1
        for glob in other.inside:
            left, more = self._without(glob)
            work += more
            if not left.is_empty():
                return False, work
        for glob in other.outside:
            left, more = self.met(Region((glob,)))
            work += more
            if not left.is_empty():
                return False, work
        return True, work

    def _without(self, glob: str) -> tuple[Region, int]:
        found, steps = _made(self.inside, (*self.outside, glob))
        return found, 1 + steps * STEP


EVERYWHERE = Region()
NOWHERE = Region(("*",), ("*",))


@lru_cache(_CACHE)
def _made(inside: tuple[str, ...], outside: tuple[str, ...]) -> tuple[Region, int]:
    """Give a region in its simplest spelling, and the steps of looking whether it is empty."""
    if len(inside) == 1 and not outside:
        return Region((canonical(inside[0]),)), 0
    wanted = _minimal({canonical(glob) for glob in inside} or {"*"}, lambda a, b: covers(b, a))
    if any(not intersects(a, b) for a, b in combinations(wanted, 2)):
        return NOWHERE, 0
    barred = {canonical(glob) for glob in outside}
    barred = {glob for glob in barred if all(intersects(glob, other) for other in wanted)}
    if any(covers(bar, glob) for bar in barred for glob in wanted):
        return NOWHERE, 0
    region = Region(wanted, _widest(barred))
    if len(wanted) == 1 and len(region.outside) < 2:  # settled by pairs
        return region, 0
    steps = _search(region.inside, region.outside).steps
    return NOWHERE if region.is_empty() else region, steps


def _minimal(globs: set[str], beats: Callable[[str, str], bool]) -> tuple[str, ...]:
    """Give the globs that no other beats; of two that beat each other, the first."""
    kept: list[str] = []
    for glob in sorted(globs):
        if not any(beats(other, glob) for other in kept):
            kept = [other for other in kept if not beats(glob, other)]
            kept.append(glob)
    return tuple(sorted(kept))


def _widest(globs: set[str]) -> tuple[str, ...]:
    """Give the globs that no other covers; of two that cover each other, the first.

    Only a glob whose plain beginning begins another one's can cover it: of a thousand names that
    are denied one by one, no two are compared.
    """
    starts: dict[str, list[str]] = {}
    for glob in sorted(globs):
        starts.setdefault(literal_prefix(glob), []).append(glob)
    lengths = sorted({len(start) for start in starts})
    return tuple(glob for glob in sorted(globs) if not _is_covered(glob, starts, lengths))


def _is_covered(glob: str, starts: dict[str, list[str]], lengths: list[int]) -> bool:
    start = literal_prefix(glob)
    others = chain.from_iterable(
        starts.get(start[:length], ()) for length in lengths if length <= len(start)
    )
    return any(
        covers(other, glob) and (other < glob or not covers(glob, other))
        for other in others
        if other != glob
    )


# --- cells ---------------------------------------------------------------------------------


class Cell(msgspec.Struct, frozen=True):
    """Strings that the same ones of some globs match.

    `matching` are the places of the globs that match all of the cell; of the others none does,
    but for those in `possibly`, whose part was not settled within the bound. `sample` is one
    string of the cell.
    """

    matching: frozenset[int]
    sample: str
    region: Region
    possibly: frozenset[int] = frozenset()


def cells(patterns: Sequence[str], within: str) -> tuple[Cell, ...]:
    """Part the strings that `within` matches by which of `patterns` match them.

    Gives the cells that are not empty, in the order of the places in `matching`. Above
    `MAX_CELLS` cells, after `MAX_STEPS` steps, and where a search hits its bound, a glob no longer
    splits: it is then listed in `possibly`, and the cells stay a cover of `within`. Steps count
    the same whether or not somebody has asked before.
    """
    return shared_cells(tuple((pattern,) for pattern in patterns), within)


def shared_cells(groups: Sequence[tuple[str, ...]], within: str) -> tuple[Cell, ...]:
    """Do the same by groups of globs that say the same: places are those of groups of which some
    glob matches. Of a group with n globs that makes up to n cells and a rest, not 2 to the n."""
    whole = Region.of((within,))
    parted = [Cell(frozenset(), whole.sample() or "", whole)]
    left = MAX_STEPS
    for place, group in enumerate(groups):
        for pattern in group:
            open_ = len(parted) < MAX_CELLS
            pieces: list[Cell] = []
            for cell in parted:
                if place in cell.matching:
                    pieces.append(cell)
                elif left <= 0:
                    pieces.append(_left_open(cell, place, pattern))
                else:
                    halves, steps = _split(cell, place, pattern, open_)
                    pieces += halves
                    left -= steps
            parted = pieces
    return tuple(sorted(parted, key=lambda cell: (sorted(cell.matching), cell.sample)))


def _left_open(cell: Cell, place: int, pattern: str) -> Cell:
    """Take a glob for one that may match any part of a cell, unless it plainly matches none."""
    if not all(intersects(pattern, glob) for glob in cell.region.inside):
        return cell
    return Cell(cell.matching, cell.sample, cell.region, cell.possibly | {place})


def _split(cell: Cell, place: int, pattern: str, may_split: bool) -> tuple[tuple[Cell, ...], int]:
    """Part one cell by one glob; give in how many steps, too. The cell's sample shows that one of
    the halves is not empty."""
    hit, region = match(pattern, cell.sample), cell.region
    sharp = canonical(pattern)
    other, steps = (
        _made(region.inside, (*region.outside, pattern))
        if hit
        else _made((*region.inside, sharp), region.outside)
    )
    here, settled = cell.matching | {place}, cell.possibly - {place}
    if other.is_empty():
        whole = Cell(here, cell.sample, region, settled) if hit else cell
        return (whole,), 1 + steps
    sample = other.sample()
    if sample is None or not may_split:
        return (Cell(cell.matching, cell.sample, region, cell.possibly | {place}),), 1 + steps
    same = region & Region((sharp,)) if hit else region.minus(pattern)
    if hit:
        yes = Cell(here, cell.sample, same, settled)
        no = Cell(cell.matching, sample, other, cell.possibly)
        return (yes, no), 1 + 2 * steps
    no = Cell(cell.matching, cell.sample, same, cell.possibly)
    yes = Cell(here, sample, other, settled)
    return (no, yes), 1 + 2 * steps
