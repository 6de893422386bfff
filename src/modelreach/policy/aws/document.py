"""Takes a policy document apart, once, without ever failing.

Whatever a policy document holds, something is given back. A part that cannot be read marks its
statement as not understood; a fault that no statement can be blamed for marks the document. What
is marked neither allows nor denies for certain: it widens nothing, and no deny is lost.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws.clauses import parse_conditions
from modelreach.policy.aws.statement import (
    ANYTHING,
    Effect,
    Patterns,
    PolicyDocument,
    Principals,
    Statement,
)

_LARGEST = 1_000_000
_MOST_STATEMENTS = 10_000
_VERSIONS = {"2012-10-17": True, "2008-10-17": False}
_DOCUMENT_ELEMENTS = {"Version", "Id", "Statement"}
_STATEMENT_ELEMENTS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
# `modelreach.policy.glob` keeps these for literal stars and question marks.
_RESERVED = ("\ufdd0", "\ufdd1")
_EVERYONE = Principals(everyone=True)


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its names were written twice."""

    repeated: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        made.repeated = tuple(sorted(name for name, times in counted.items() if times > 1))
    return made


class _Faults(msgspec.Struct):
    """Collects what could not be read."""

    found: list[str] = msgspec.field(default_factory=list[str])

    def add(self, fault: str) -> None:
        if fault not in self.found:
            self.found.append(fault)


def compile_document(raw: object) -> PolicyDocument:
    """Take a document as bytes, text or parsed JSON; give its statements. Never raises."""
    document = _decoded(raw)
    if isinstance(document, str):
        return PolicyDocument(problems=(document,))
    return _document(document)


def _decoded(raw: object) -> dict[str, Any] | str:
    """Give the JSON object, or what is wrong."""
    if isinstance(raw, bytes | bytearray | str):
        if len(raw) > _LARGEST:
            return "the document is larger than any that AWS keeps"
        try:
            text = raw if isinstance(raw, str) else bytes(raw).decode("utf-8")
            raw = json.loads(text, object_pairs_hook=_object)
        except RecursionError:
            return "the document is nested too deeply"
        except ValueError:
            return "the document is not JSON"
    if not isinstance(raw, dict):
        return "the document is not a JSON object"
    return cast("dict[str, Any]", raw)


def _document(document: dict[str, Any]) -> PolicyDocument:
    if "Statement" not in document:
        return PolicyDocument(problems=("the document has no Statement",))
    written = document["Statement"]
    if isinstance(written, dict):
        entries: list[object] = [cast("object", written)]
    elif isinstance(written, list):
        entries = cast("list[object]", written)
    else:
        return PolicyDocument(problems=("Statement is neither an object nor a list",))
    if len(entries) > _MOST_STATEMENTS:
        return PolicyDocument(problems=("the document has too many statements",))
    return _statements(entries, *_preamble(document))


def _preamble(document: dict[str, Any]) -> tuple[bool, tuple[str, ...]]:
    """Give whether variables are expanded, and faults that concern every statement."""
    faults = _Faults()
    _check_names(document, _DOCUMENT_ELEMENTS, faults)
    version = document.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        faults.add("the Version is not known")
        return True, tuple(faults.found)
    return _VERSIONS[version], tuple(faults.found)


def _check_names(entry: dict[str, Any], known: set[str], faults: _Faults) -> None:
    if isinstance(entry, _Object) and entry.repeated:
        faults.add(f"written more than once: {', '.join(map(_quoted, entry.repeated))}")
    for name in entry:
        if name not in known:
            faults.add(f"element {_quoted(name)} is not known")


def _quoted(value: object) -> str:
    return f"`{str(value)[:80]}`"


def _statements(entries: list[object], variables: bool, shared: tuple[str, ...]) -> PolicyDocument:
    problems: list[str] = []
    statements: list[Statement] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            read = _statement(index, cast("dict[str, Any]", entry), variables, shared)
            statements.extend(read)
        else:
            problems.append(f"statement {index} is not an object")
    return PolicyDocument(_unique_sids(statements), tuple(problems))


def _unique_sids(statements: list[Statement]) -> tuple[Statement, ...]:
    """Mark statements that share a Sid: AWS wants it unique within a policy."""
    counted = Counter(sid for _, sid in {(entry.index, entry.sid) for entry in statements} if sid)
    if all(times == 1 for times in counted.values()):
        return tuple(statements)
    return tuple(
        replace(
            entry,
            not_understood=(*entry.not_understood, f"Sid {_quoted(entry.sid)} is used twice"),
        )
        if counted[entry.sid] > 1
        else entry
        for entry in statements
    )


def _statement(
    index: int, entry: dict[str, Any], variables: bool, shared: tuple[str, ...]
) -> Iterable[Statement]:
    """Give the statement; twice, as allow and as deny, when its effect cannot be read."""
    faults = _Faults(list(shared))
    _check_names(entry, _STATEMENT_ELEMENTS, faults)
    effects = _effects(entry, faults)
    statement = Statement(
        index=index,
        sid=_sid(entry, faults),
        effect=effects[0],
        actions=_actions(entry, faults),
        resources=_resources(entry, faults),
        principals=_principals(entry, faults),
        conditions=parse_conditions(entry.get("Condition", {}), variables, faults.add),
        variables=variables,
        text=_text(entry),
        not_understood=tuple(faults.found),
    )
    return [replace(statement, effect=effect) for effect in effects]


def _effects(entry: dict[str, Any], faults: _Faults) -> tuple[Effect, ...]:
    """Effect values are case-sensitive.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html
    """
    written = entry.get("Effect")
    if written == "Allow":
        return (Effect.ALLOW,)
    if written == "Deny":
        return (Effect.DENY,)
    faults.add("Effect is neither Allow nor Deny" if "Effect" in entry else "Effect is missing")
    return (Effect.ALLOW, Effect.DENY)


def _sid(entry: dict[str, Any], faults: _Faults) -> str:
    sid = entry.get("Sid", "")
    if isinstance(sid, str):
        return sid
    faults.add("Sid is not a string")
    return ""


def _text(entry: dict[str, Any]) -> str:
    try:
        return _shared(json.dumps(entry, default=str))
    except (ValueError, TypeError, RecursionError):
        return ""


# Statements are written from templates: what many documents say alike is kept once for all.
_SHARED = 1 << 14


@lru_cache(_SHARED)
def _patterns(globs: tuple[str, ...], negated: bool) -> Patterns:
    return Patterns(globs, negated)


@lru_cache(_SHARED)
def _in_lower_case(actions: Patterns) -> Patterns:
    return Patterns(tuple(glob.lower() for glob in actions.globs), actions.negated)


@lru_cache(_SHARED)
def _shared(text: str) -> str:
    return text


def _actions(entry: dict[str, Any], faults: _Faults) -> Patterns:
    read = _either(entry, "Action", faults)
    if read is None:
        faults.add("there is neither Action nor NotAction")
        return ANYTHING
    for glob in read.globs:
        if glob != "*" and ":" not in glob:
            faults.add(f"action {_quoted(glob)} names no service")
            return ANYTHING
    return _in_lower_case(read)


def _resources(entry: dict[str, Any], faults: _Faults) -> Patterns | None:
    read = _either(entry, "Resource", faults)
    for glob in read.globs if read else ():
        if not _is_resource(glob):
            faults.add(f"resource {_quoted(glob)} is not an ARN")
            return ANYTHING
    return read


def _is_resource(glob: str) -> bool:
    if glob.startswith(("*", "${")):
        return True
    parts = glob.split(":", 5)
    return parts[0] == "arn" and (len(parts) == 6 or parts[-1].endswith("*"))


def _either(entry: dict[str, Any], name: str, faults: _Faults) -> Patterns | None:
    """Read `name` or its opposite; None where there is neither."""
    positive, negative = name in entry, f"Not{name}" in entry
    if positive and negative:
        faults.add(f"there are both {name} and Not{name}")
        return ANYTHING
    if not positive and not negative:
        return None
    written = name if positive else f"Not{name}"
    globs = _strings(entry[written])
    if globs is None:
        faults.add(f"{written} is neither a string nor a list of strings")
        return ANYTHING
    if not globs:
        faults.add(f"{written} is empty")
        return ANYTHING
    return _patterns(globs, negative)


def _strings(written: object) -> tuple[str, ...] | None:
    """Give the strings; None if anything else is among them."""
    if isinstance(written, str):
        written = [written]
    if not isinstance(written, list):
        return None
    found: list[str] = []
    for entry in cast("list[object]", written):
        if not isinstance(entry, str) or any(char in entry for char in _RESERVED):
            return None
        found.append(entry)
    return tuple(found)


# --- principals ----------------------------------------------------------------------------


def _principals(entry: dict[str, Any], faults: _Faults) -> Principals | None:
    """Read Principal or NotPrincipal; None where there is neither."""
    positive, negative = "Principal" in entry, "NotPrincipal" in entry
    if positive and negative:
        faults.add("there are both Principal and NotPrincipal")
        return _EVERYONE
    if not positive and not negative:
        return None
    before = len(faults.found)
    read = _named(entry["NotPrincipal" if negative else "Principal"], faults)
    if len(faults.found) > before:
        return _EVERYONE
    return replace(read, negated=negative)


def _named(written: object, faults: _Faults) -> Principals:
    if written == "*":
        return _EVERYONE
    if isinstance(written, str) and written.startswith("arn:"):
        # AWS writes an object here; a name by itself can only mean one thing.
        written = {"AWS": written}
    if not isinstance(written, dict) or not written:
        faults.add("Principal is neither `*` nor an object with entries")
        return _EVERYONE
    lists: dict[str, tuple[str, ...]] = {}
    entries = cast("dict[str, Any]", written)
    _check_names(entries, {"AWS", "Service", "Federated", "CanonicalUser"}, faults)
    for name, value in entries.items():
        names = _strings(value)
        if not names:
            faults.add(f"principal {_quoted(name)} is neither a string nor a list of strings")
        else:
            lists[name] = names
    return _sorted_out(lists, faults)


def _sorted_out(lists: dict[str, tuple[str, ...]], faults: _Faults) -> Principals:
    aws = lists.get("AWS", ())
    for name in (name for names in lists.values() for name in names):
        if name != "*" and ("*" in name or "?" in name):
            faults.add(f"principal {_quoted(name)} has a wildcard in a name")
    for kind in ("Service", "Federated", "CanonicalUser"):
        if "*" in lists.get(kind, ()):
            faults.add(f"a principal of kind {kind} is `*`")
    for name in aws:
        if not _is_aws_principal(name):
            faults.add(f"principal {_quoted(name)} is not an ARN, an account or a unique id")
    return Principals(
        aws=tuple(_account_root(name) for name in aws if name != "*"),
        services=tuple(name.lower() for name in lists.get("Service", ())),
        federated=lists.get("Federated", ()),
        canonical_users=lists.get("CanonicalUser", ()),
        everyone="*" in aws,
    )


def _is_aws_principal(name: str) -> bool:
    if name.startswith("arn:"):
        return len(name.split(":", 5)) == 6
    return name == "*" or name.isalnum()


def _account_root(name: str) -> str:
    """A bare account id stands for the account, as its root ARN does."""
    return f"arn:aws:iam::{name}:root" if len(name) == 12 and name.isdigit() else name
