"""What several sources say, as one draft: declared beats imported, and that beats inferred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from modelreach.draft.said import Rank, Said, Secret, Source, to_fill

Path = tuple[str, ...]


class Kept(msgspec.Struct, frozen=True):
    """The value that counts for a place, and by which source (its number, from 1). `others` are
    different values that count less or as much, each with its source."""

    said: Said
    source: int
    others: tuple[tuple[Said, int], ...] = ()


class Draft(msgspec.Struct, frozen=True):
    """A manifest in the making: every value by its place, in the order in which it came."""

    sources: tuple[Source, ...]
    values: Mapping[Path, Kept]
    secrets: tuple[tuple[Secret, int], ...] = ()


def merged(sources: Sequence[tuple[Source, Iterable[Said | Secret]]]) -> Draft:
    """Give the draft of what several sources say; among equals the first one counts.

    Members of lists that are the same by what they are (an identity's principal, a tool's
    target) get one id; others that only share an id get ids of their own.
    """
    values: dict[Path, Kept] = {}
    secrets: dict[tuple[Secret, int], None] = {}
    for number, (_, words) in enumerate(sources, start=1):
        heard: list[Said] = []
        for word in words:
            if isinstance(word, Secret):
                secrets[word, number] = None
            else:
                heard.append(word)
        for said in _renamed(heard, values):
            if not any(said.path[:depth] in values for depth in range(1, len(said.path))):
                values[said.path] = _decided(values.get(said.path), said, number)
    _completed(values)
    return Draft(tuple(source for source, _ in sources), values, tuple(secrets))


def _decided(known: Kept | None, said: Said, source: int) -> Kept:
    if known is None:
        return Kept(said, source)
    if known.said.value == said.value and known.said.rank is not Rank.UNKNOWN:
        return known
    this, that = Kept(said, source, known.others), known
    if said.rank <= known.said.rank:
        this, that = known, Kept(said, source)
    if that.said.rank is Rank.UNKNOWN or that.said.value == this.said.value:
        return this
    return replace(this, others=(*this.others, (that.said, that.source)))


# --- ids -----------------------------------------------------------------------------------

#: What a member of a list is, whatever its id.
_BEING = {"identities": "principal", "tools": "target", "dataSources": "resource"}


def _renamed(heard: list[Said], values: Mapping[Path, Kept]) -> Iterator[Said]:
    """Give a source's words with ids that fit what was said before it."""
    ids = {list_: dict(_ids(list_, being, heard, values)) for list_, being in _BEING.items()}
    for said in heard:
        section = said.path[1] if len(said.path) > 2 else ""
        path, value = said.path, said.value
        if section in ids and len(path) > 3:
            path = (*path[:2], ids[section].get(path[2], path[2]), *path[3:])
        if section == "tools" and path[-1:] == ("runsAs",) and isinstance(value, str):
            value = ids["identities"].get(value, value)
        if section == "identities" and path[-1:] == ("federatesTo",) and isinstance(value, str):
            value = ids["identities"].get(value, value)
        yield replace(said, path=path, value=value)


def _ids(
    section: str, being: str, heard: list[Said], values: Mapping[Path, Kept]
) -> Iterator[tuple[str, str]]:
    here = {
        said.path[2]: said
        for said in heard
        if said.path[:2] == ("spec", section) and said.path[3:] == (being,)
    }
    before = {
        path[2]: kept.said
        for path, kept in values.items()
        if path[:2] == ("spec", section) and path[3:] == (being,)
    }
    taken = {path[2] for path in values if path[:2] == ("spec", section) and len(path) > 3}
    for id_, said in here.items():
        known = before.get(id_)
        same = next((other for other, that in before.items() if _same(said, that)), None)
        if same is not None:
            yield id_, same
        elif known is not None and (
            _differs(said, known) or _elsewhere(id_, heard, values, section)
        ):
            fresh = _fresh(id_, taken | here.keys())
            taken.add(fresh)
            yield id_, fresh


def _elsewhere(id_: str, heard: list[Said], values: Mapping[Path, Kept], section: str) -> bool:
    """Are the two identities with this id of different clouds?"""
    path = ("spec", section, id_, "cloud")
    here = next((said.value for said in heard if said.path == path), None)
    known = values.get(path)
    return None not in (here, known) and known is not None and known.said.value != here


def _same(this: Said, that: Said) -> bool:
    """Are these two one thing? What is unknown of an ARN may be anything."""
    if Rank.UNKNOWN in (this.rank, that.rank):
        return False
    pairs = list(zip(str(this.value).split(":"), str(that.value).split(":"), strict=False))
    return this.value == that.value or (
        str(this.value).count(":") == str(that.value).count(":")
        and all(a == b or "unknown" in (a, b) for a, b in pairs)
    )


def _differs(this: Said, that: Said) -> bool:
    """Are these two things? A declared one is the same thing, about which a file may be wrong."""
    told = Rank.UNKNOWN not in (this.rank, that.rank)
    return told and that.rank is not Rank.DECLARED and this.value != that.value


def _fresh(id_: str, taken: set[str]) -> str:
    number = 2
    while f"{id_}-{number}" in taken:
        number += 1
    return f"{id_}-{number}"


# --- what has to be there ------------------------------------------------------------------


def _completed(values: dict[Path, Kept]) -> None:
    """Add what a manifest cannot be without, to be filled in."""
    asked: tuple[tuple[Path, str], ...] = (
        (("metadata", "name"), "what the deployment is called"),
        (("metadata", "version"), "which release this is"),
        (("metadata", "owner", "team"), "who answers for it"),
        (("spec", "model", "provider"), "where the model is served"),
        (("spec", "model", "id"), "which model is called"),
    )
    for path, why in asked:
        values.setdefault(path, Kept(to_fill(path, why), 0))
    identities = {path[2] for path in values if path[:2] == ("spec", "identities")}
    for id_ in sorted(identities) or ["runtime"]:
        where: Path = ("spec", "identities", id_)
        why = "the cloud that it is an identity of"
        values.setdefault(
            (*where, "cloud"),
            Kept(replace(to_fill((), why), path=(*where, "cloud"), value="saas"), 0),
        )
        path = (*where, "principal")
        values.setdefault(path, Kept(to_fill(path, "as whom it acts"), 0))
    for id_ in sorted({path[2] for path in values if path[:2] == ("spec", "tools")}):
        path = ("spec", "tools", id_, "kind")
        values.setdefault(path, Kept(to_fill(path, "what kind of tool it is"), 0))
        if values[path].said.rank is Rank.UNKNOWN:
            values[path] = Kept(replace(values[path].said, value="function"), 0)
