"""What all importers do: look into plain values without trusting their shape, and say values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelreach.draft.files import mapping
from modelreach.draft.said import Rank, Said, Secret

Words = Iterator[Said | Secret]


def inside(value: object, *steps: str) -> object:
    """Give what lies below a value; None where nothing does."""
    for step in steps:
        value = mapping(value).get(step)
    return value


def text(value: object, *steps: str) -> str:
    """Give the text below a value; "" where there is none."""
    found = inside(value, *steps)
    return found if isinstance(found, str) else ""


def number(value: object, *steps: str) -> int | None:
    """Give the whole number below a value, also one that is written as text."""
    found = inside(value, *steps)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if isinstance(found, str) and re.fullmatch(r"\d{1,12}", found):
        return int(found)
    return None


def below(value: object, *steps: str) -> Mapping[str, Any]:
    """Give the mapping below a value; an empty one where there is none."""
    return mapping(inside(value, *steps))


def rows(value: object, *steps: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    """Give the mappings of a list below a value, with their places."""
    found = inside(value, *steps)
    if not isinstance(found, list):
        return ()
    return tuple((n, mapping(one)) for n, one in enumerate(found) if isinstance(one, dict))


def texts(value: object, *steps: str) -> tuple[str, ...]:
    """Give the texts of a list below a value."""
    found = inside(value, *steps)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def joined(*steps: str | int) -> str:
    """Give the place of something in a file: `servers.search.url`, `tools[0]`."""
    place = ""
    for step in steps:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else step
    return place


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list of the manifest, of which an importer says something."""

    section: str
    id: str

    def says(
        self, field: str, value: object, at: str, rank: Rank = Rank.IMPORTED, **more: str
    ) -> Said:
        """Give one value of it; `more` are `name` and `unknown`."""
        return Said(("spec", self.section, self.id, field), value, at, rank, **more)

    def asks(self, field: str, why: str, at: str) -> Said:
        """Give a mandatory value of it that has to be filled in."""
        return Said(
            ("spec", self.section, self.id, field), "unknown", at, Rank.UNKNOWN, unknown=why
        )


def tool(id_: str) -> Member:
    """Give a tool."""
    return Member("tools", id_ or "tool")


def identity(id_: str) -> Member:
    """Give an identity."""
    return Member("identities", id_)


def model(field: str, value: object, at: str, rank: Rank = Rank.IMPORTED, **more: str) -> Said:
    """Give a value of the model."""
    return Said(("spec", "model", field), value, at, rank, **more)


def meta(field: str, value: object, at: str, rank: Rank = Rank.IMPORTED, **more: str) -> Said:
    """Give a value of the release's metadata."""
    return Said(("metadata", field), value, at, rank, **more)


def of_spec(
    section: str, field: str, value: object, at: str, rank: Rank = Rank.IMPORTED, **more: str
) -> Said:
    """Give a value of a section that is no list, such as `exposure`."""
    return Said(("spec", section, field), value, at, rank, **more)


def prompt(words: str, at: str) -> Iterator[Said]:
    """Give a system prompt by its digest; its text is not copied."""
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
    yield Said(("spec", "model", "systemPrompt", "sha256"), digest, at, Rank.INFERRED)


def environment(names: Iterable[str], at: str) -> Iterator[Secret]:
    """Name environment variables (or headers), whose values are not copied."""
    return (Secret(joined(at, name)) for name in names)


def model_variables(names: Iterable[str]) -> str:
    """Say which environment variables may name the model."""
    likely = sorted(name for name in names if "MODEL" in name.upper())
    return f"which model is called; see {', '.join(likely)} in the environment" if likely else ""


def ranked(unsure: bool) -> Rank:
    """Give the rank of something that follows, when unsure, from what is said."""
    return Rank.INFERRED if unsure else Rank.IMPORTED
