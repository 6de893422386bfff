"""A draft as YAML: every value with its source, `# unknown` where a person has to say more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from modelreach.deployment import Deployment, Identity, Metadata, Model, Spec, Tool
from modelreach.draft.merge import Draft, Kept, Path
from modelreach.draft.said import CREDENTIAL, KEYED, Rank

_SECTIONS: Final = Spec.__struct_encode_fields__
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "metadata": Metadata.__struct_encode_fields__,
    "model": Model.__struct_encode_fields__,
    "identities": Identity.__struct_encode_fields__,
    "tools": Tool.__struct_encode_fields__,
}
#: Words of the manifest's own, which need no quotes.
_WORDS: Final = frozenset(
    {"kind", "cloud", "credential", "effect", "approval", "inputTrust", "access", "provider"}
)
_WORD: Final = re.compile(r"[a-z][a-z0-9-]*")
_NO_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
#: What a person has to say of each tool and data source, and of the release, if no source does.
_ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "tools": ("runsAs", "effect", "approval", "inputTrust"),
    "dataSources": ("classification",),
}
_WHOLE: Final = ("needs", "guardrails", "autonomy", "downstream", "exposure", "observability")
_MEANT: Final[Mapping[str, str]] = {"needs": "needs (least privilege, per identity)"}
_WIDTH: Final = 96


def written(draft: Draft, *, by: str) -> str:
    """Give a draft as a manifest; `by` says on its first line how it came about."""
    lines = [*_head(draft, by), f"apiVersion: {_tag('api_version')}", f"kind: {_tag('kind')}"]
    tree = _tree(draft.values)
    lines += ["metadata:", *_mapping(_sub(tree, "metadata"), _FIELDS["metadata"], "  ", draft)]
    lines.append("spec:")
    spec = _sub(tree, "spec")
    for name in _SECTIONS:
        if name in spec:
            lines += _section(name, spec[name], draft)
    missing = [_MEANT.get(name, name) for name in (*_WHOLE, "rollback") if name not in spec]
    if missing:
        lines += _comment(f"unknown: {', '.join(missing)}: see the manifest reference", "  ")
    return "\n".join(lines) + "\n"


def _tag(field: str) -> str:
    """The one value that a field of a manifest has."""
    found = next(f for f in msgspec.structs.fields(Deployment) if f.name == field)
    return str(found.type.__args__[0])


def _head(draft: Draft, by: str) -> Iterator[str]:
    if len(draft.sources) == 1:
        source = draft.sources[0]
        yield from _comment(f"Drafted by {by} from {source.name} ({source.what}).", "")
    else:
        yield f"# Drafted by {by} from:"
        for number, source in enumerate(draft.sources, start=1):
            yield from _comment(f"  [{number}] {source.name} ({source.what})", "")
    yield "# What is marked `unknown` has to be filled in by a person, or left out."
    if draft.secrets:
        yield "# Secrets were not copied; these places hold or name one:"
        for secret, number in draft.secrets:
            yield from _comment(f"  {_number(number, draft)}{secret.at}", "")


def _comment(text: str, indent: str) -> Iterator[str]:
    yield f"{indent}# {harmless(text)}"


# --- values --------------------------------------------------------------------------------


def _tree(values: Mapping[Path, Kept]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, kept in values.items():
        at = tree
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = kept
    return tree


def _sub(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    return cast(dict[str, Any], tree.get(name, {}))


def _section(name: str, value: Any, draft: Draft) -> Iterator[str]:
    if isinstance(value, Kept):
        yield from _leaf(name, value, "  ", draft)
    elif name not in KEYED:
        yield f"  {name}:"
        yield from _mapping(cast(dict[str, Any], value), _FIELDS.get(name, ()), "    ", draft)
    else:
        yield f"  {name}:"
        members = cast(dict[str, dict[str, Any]], value)
        for id_, member in members.items():
            yield f"    - id: {quoted(id_)}"
            yield from _mapping(member, _FIELDS.get(name, ()), "      ", draft)
            asked = [field for field in _asked(name, member) if field not in member]
            if asked:
                yield f"      # unknown: {', '.join(asked)}"
        if name == "identities" and not any(_is_own(id_, one) for id_, one in members.items()):
            yield "    # unknown: the identity that the release itself runs as"


def _asked(section: str, member: Mapping[str, Any]) -> tuple[str, ...]:
    cloud = member.get("cloud")
    in_cluster = isinstance(cloud, Kept) and cloud.said.value == "kubernetes"
    return ("cluster",) if in_cluster else _ASKED.get(section, ())


def _is_own(id_: str, member: Mapping[str, Any]) -> bool:
    """Is it an identity of the release, rather than what a credential of a tool opens?"""
    cloud = member.get("cloud")
    told = isinstance(cloud, Kept) and cloud.said.rank is Rank.DECLARED
    return told or not id_.endswith(CREDENTIAL)


def _mapping(
    found: Mapping[str, Any], order: Sequence[str], indent: str, draft: Draft
) -> Iterator[str]:
    known = {name: place for place, name in enumerate(order)}
    for name in sorted(found, key=lambda n: known.get(n, len(known))):
        value = found[name]
        if isinstance(value, Kept):
            yield from _leaf(name, value, indent, draft)
        else:
            yield f"{indent}{_key(name)}:"
            yield from _mapping(cast(dict[str, Any], value), (), indent + "  ", draft)


def _leaf(name: str, kept: Kept, indent: str, draft: Draft) -> Iterator[str]:
    value: object = kept.said.value
    note = _note(kept, draft)
    if isinstance(value, list | tuple) and _is_long(cast(Any, value)):
        yield f"{indent}{_key(name)}:" + (f"  # {note}" if note else "")
        yield from (f"{indent}  - {flow(one)}" for one in cast(Sequence[object], value))
    else:
        shown = _word(name, kept.said.value)
        yield f"{indent}{_key(name)}: {shown}" + (f"  # {note}" if note else "")
    for said, source in kept.others:
        at = f": {said.at}" if said.at else ""
        who = f"{_number(source, draft)}{draft.sources[source - 1].name}"
        yield from _comment(f"but {flow(said.value)} by {who}{at}", indent)


def _is_long(value: Sequence[object]) -> bool:
    return any(isinstance(one, dict) for one in value) or len(flow(value)) > _WIDTH


def _note(kept: Kept, draft: Draft) -> str:
    said = kept.said
    parts: list[str] = []
    if said.unknown or said.rank is Rank.UNKNOWN:
        parts.append("unknown" + (f": {said.unknown}" if said.unknown else ""))
    if said.name:
        parts.append(said.name)
    place = f"{_number(kept.source, draft)}{said.at}".strip()
    if kept.source and said.rank is not Rank.UNKNOWN and place:
        parts.append(f"{said.rank.name.lower()}, {place}")
    return harmless("; ".join(parts))


def _number(source: int, draft: Draft) -> str:
    return f"[{source}] " if len(draft.sources) > 1 and source else ""


# --- YAML ----------------------------------------------------------------------------------


def _word(name: str, value: object) -> str:
    if name in _WORDS and isinstance(value, str) and _WORD.fullmatch(value):
        return value if value not in _NO_WORDS else quoted(value)
    return flow(value)


def _key(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) and name.lower() not in _NO_WORDS
    return name if plain else quoted(name)


def flow(value: object) -> str:
    """Give any plain value as YAML on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case list() | tuple():
            return "[" + ", ".join(flow(one) for one in cast(Sequence[object], value)) + "]"
        case dict():
            pairs = cast(dict[object, object], value).items()
            return "{" + ", ".join(f"{_key(str(k))}: {flow(v)}" for k, v in pairs) + "}"
        case _:
            return quoted(str(value))


def _float(value: float) -> str:
    text = repr(value)
    if text in ("inf", "-inf", "nan"):
        return text.replace("inf", ".inf").replace("nan", ".nan")
    # YAML 1.1 takes `1e+20` for a text.
    head, e, tail = text.partition("e")
    return (
        f"{head if '.' in head else head + '.0'}e{tail if tail[0] in '+-' else '+' + tail}"
        if e
        else text
    )


def quoted(text: str) -> str:
    """Give text as a YAML double-quoted scalar that shows every control character."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    number = ord(char)
    if 0xD800 <= number < 0xE000:
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\x{number:02x}" if number < 256 else f"\\U{number:08x}"


def harmless(text: str) -> str:
    """Give text for a comment: one line, every control character shown."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)
