"""The search behind the set questions about globs: a walk through a product of automata.

Globs come in the canonical spelling of `glob.canonical`. All globs of one side run side by side
in one integer, so that a step is a handful of operations on it whatever their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import msgspec

#: Policies as people write them take less than a hundred.
MAX_STATES = 2_000
_MAX_BITS = 200_000_000
#: More stars than that, with text between them, are in no name: for each one more, half as much is
#: searched, so that a policy that is written to be searched for ever is not.
MOST_STARS = 6
#: As much as a state costs to compare one with that many others.
_COMPARED = 64
#: As many steps as it takes to prepare a walk.
_PREPARED = 16


class Automaton:
    """Several globs at once: bit i of a state says that the item i of a glob comes next.

    The globs lie side by side in one integer, each with one more bit for "at the end".
    """

    __slots__ = (
        *("accepting", "blocks", "literals", "ones"),
        *("most_stars", "sealed", "starry", "stars", "start", "whole"),
    )

    def __init__(self, patterns: Sequence[str]) -> None:
        self.literals: dict[str, int] = {}
        self.start = self.accepting = self.ones = self.stars = self.sealed = 0
        self.most_stars = max((pattern.count("*") for pattern in patterns), default=0)
        self.blocks: list[int] = []
        self.starry: list[tuple[int, int]] = []
        bit = 1
        for pattern in patterns:
            bit = self._place(pattern, bit)
        self.whole = bit - 1
        self.start |= (self.start & self.stars) << 1

    def _place(self, pattern: str, bit: int) -> int:
        first, stars = bit, 0
        for item in pattern:
            if item == "*":
                stars |= bit
            elif item == "?":
                self.ones |= bit
            else:
                self.literals[item] = self.literals.get(item, 0) | bit
            bit <<= 1
        self.start |= first
        self.accepting |= bit
        self.stars |= stars
        block = (bit << 1) - first
        self.blocks.append(block)
        if stars:
            self.starry.append((block, stars))
        if pattern.endswith("*"):
            self.sealed |= bit >> 1
        return bit << 1

    def step(self, state: int, char: str) -> int:
        return self._settle(state, state & (self.literals.get(char, 0) | self.ones))

    def step_any(self, state: int) -> int:
        return self._settle(state, state & ~(self.stars | self.accepting))

    def _settle(self, state: int, moving: int) -> int:
        new = moving << 1 | state & self.stars
        new |= (new & self.stars) << 1
        for block, stars in self.starry:
            reached = new & stars
            if reached:
                # A later star matches all that anything before it could: forget the rest.
                top = 1 << reached.bit_length() - 1
                new &= ~(block & top - 1)
        return new

    def alive(self, state: int) -> bool:
        return all(state & block for block in self.blocks)

    def next_letters(self, state: int) -> list[str]:
        return [char for char, mask in self.literals.items() if state & mask]


class Found(msgspec.Struct, frozen=True):
    """`sample` is None when there is no such string or, if not `decided`, none was found. `steps`
    is what finding it took, whoever asked first."""

    decided: bool
    sample: str | None
    steps: int = 0


_Path = tuple[str, "_Path"] | None
_FRESH = "xyzwvqjkabcdefghilmnoprstu0123456789-_XYZABCDEFGHIJKLMNOPQRSTUVW"


def fresh_letter(used: set[str]) -> str:
    """Give a character that stands in none of the globs, a readable one where there is one."""
    private = map(chr, range(0xE000, 0xF8FF))
    return next(char for char in chain(_FRESH, private) if char not in used)


def walk(wanted: Automaton, barred: Automaton, fresh: str) -> Found:
    """Walk the product of the two automata, depth first, the fresh letter first.

    A letter that no wanted glob demands at its place may as well be the fresh one: whatever
    barred glob matches the fresh letter there matches any other. So only the demanded letters
    and the fresh one are tried. A state is skipped when one with the same wanted and no more
    barred places was seen: whatever leads on from it would have led on from that one.
    """
    limit = min(MAX_STATES, _MAX_BITS // (wanted.whole.bit_length() + barred.whole.bit_length()))
    limit >>= max(0, max(wanted.most_stars, barred.most_stars) - MOST_STARS)
    seen: dict[int, list[int]] = {}
    stack: list[tuple[int, int, _Path]] = [(wanted.start, barred.start, None)]
    count, steps = 0, _PREPARED
    while stack:
        state, against, path = stack.pop()
        known = seen.setdefault(state, [])
        if against & barred.sealed or any(old & ~against == 0 for old in known):
            continue
        if state & wanted.accepting == wanted.accepting and not against & barred.accepting:
            return Found(True, _spelled(path), steps)
        count += 1 + len(known) // _COMPARED
        if count > limit:
            return Found(False, None, steps)
        known.append(against)
        steps += 1
        for letter in (*wanted.next_letters(state), fresh):
            new = wanted.step(state, letter)
            if wanted.alive(new):
                stack.append((new, barred.step(against, letter), (letter, path)))
    return Found(True, None, steps)


def _spelled(path: _Path) -> str:
    letters: list[str] = []
    while path is not None:
        letter, path = path
        letters.append(letter)
    return "".join(reversed(letters))
