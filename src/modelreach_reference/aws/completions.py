"""A request of which only a part of the context is known: every answer it might still get.

Brute force. For each key that a policy asks about and the request does not fix, a few values are
collected that between them make every comparison in the policies come out both ways, and every
combination of them is tried; absence is one of the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from itertools import combinations, pairwise, product
from math import comb
from typing import cast

from modelreach_reference.aws import values
from modelreach_reference.aws.conditions import Over, read_operator, read_values
from modelreach_reference.aws.evaluation import evaluate
from modelreach_reference.aws.grants import PREFIX, read_grants
from modelreach_reference.aws.logic import NotUnderstood
from modelreach_reference.aws.request import read_request
from modelreach_reference.aws.shapes import as_list, as_object
from modelreach_reference.aws.statements import ELEMENTS

LARGEST_SET = 3
"""No more values are given to one key: with three, ForAllValues and ForAnyValue can already
come out in every way that the tests need."""

MANY = 200_000

Values = tuple[str, ...]


class TooManyCompletions(ValueError):
    """Trying everything would take too long; the message says how many ways there are."""


@dataclass(slots=True)
class OpenKey:
    """A key that is not fixed: the values worth trying, and whether it may have several."""

    values: set[str] = field(default_factory=set[str])
    in_sets: bool = False
    alone: bool = False
    ordered: str = ""

    @property
    def several(self) -> bool:
        """Only a key that nothing asks for its one value may have several."""
        return self.in_sets and not self.alone

    def join(self, other: OpenKey) -> None:
        """Take what another statement makes worth trying."""
        self.values |= other.values
        self.in_sets = self.in_sets or other.in_sets
        self.alone = self.alone or other.alone
        self.ordered = self.ordered or other.ordered

    def completions(self) -> list[Values]:
        """Give everything that the key may be, absence first."""
        found = sorted(self.values)
        sizes = range(1, LARGEST_SET + 1) if self.several else range(1, 2)
        return [(), *(chosen for size in sizes for chosen in combinations(found, size))]


def evaluate_open(record: Mapping[str, object]) -> set[str]:
    """Give every answer that some completion of the context gives.

    The keys of the record's context are fixed; a key fixed to `null` is known to be absent. All
    other keys that a policy of the record asks about are open. Raises `TooManyCompletions` rather
    than taking hours, and `MalformedRecord` if the record is no policy case.
    """
    keys = open_keys(record)
    ways = count_completions(record)
    if ways > MANY:
        raise TooManyCompletions(f"{ways} completions of {len(keys)} open keys")
    choices = [keys[name].completions() for name in sorted(keys)]
    return {
        evaluate(_completed(record, dict(zip(sorted(keys), chosen, strict=True))))
        for chosen in product(*choices)
    }


def count_completions(record: Mapping[str, object]) -> int:
    """Count the completions that `evaluate_open` would try."""
    ways = 1
    for key in open_keys(record).values():
        sizes = range(LARGEST_SET + 1) if key.several else range(2)
        ways *= sum(comb(len(key.values), size) for size in sizes)
    return ways


def _completed(record: Mapping[str, object], chosen: Mapping[str, Values]) -> dict[str, object]:
    request = dict(cast("Mapping[str, object]", record["request"]))
    fixed = cast("Mapping[str, object]", request.get("context") or {})
    request["context"] = {**fixed, **{key: list(found) for key, found in chosen.items()}}
    return {**record, "request": request}


def open_keys(record: Mapping[str, object]) -> dict[str, OpenKey]:
    """Give the keys that policies ask about and the context does not fix, in lower case."""
    request = read_request(record)
    context = as_object(as_object(record["request"]).get("context"))
    fixed = {key.lower() for key in context}
    keys: dict[str, OpenKey] = {}
    for statement in _statements(record.get("policies")):
        for name, found in _asked(statement, request.resource):
            keys.setdefault(name, OpenKey()).join(found)
    for name, found in _asked_by_grants(record):
        keys.setdefault(name, OpenKey()).join(found)
    _share_values(record, keys)
    for key in keys.values():
        key.values |= _between(key)
    return {name: key for name, key in keys.items() if name not in fixed}


def _statements(policies: object) -> Iterator[Mapping[str, object]]:
    """Find every object in the policies that has an element of a statement, wherever it is."""
    if isinstance(policies, Mapping):
        found = cast("Mapping[str, object]", policies)
        if ELEMENTS & set(found):
            yield found
        for part in found.values():
            yield from _statements(part)
    elif isinstance(policies, list):
        for part in cast("list[object]", policies):
            yield from _statements(part)


def _asked(statement: Mapping[str, object], resource: str) -> Iterator[tuple[str, OpenKey]]:
    """Give the keys that one statement asks about, with the values it makes worth trying."""
    for operator, key, wanted in _tests(statement):
        yield key.lower(), _open_key(operator, wanted)
        for text in wanted:
            yield from ((name, _variable(text)) for name in _variables(text))
    for element in ("Resource", "NotResource"):
        for text in _texts(statement.get(element)):
            yield from ((name, _variable(resource)) for name in _variables(text))


def _asked_by_grants(record: Mapping[str, object]) -> Iterator[tuple[str, OpenKey]]:
    """Give the encryption context that grants ask for: each value, another, and one more key."""
    for grant in read_grants(as_object(record.get("policies")).get("grants")):
        for name, value in (*grant.subset.items(), *(grant.equals or {}).items()):
            yield PREFIX + name, OpenKey({value, "q"}, alone=True)
        if grant.equals is not None:
            yield f"{PREFIX}q", OpenKey({"q"}, alone=True)


def _variable(text: str) -> OpenKey:
    """A key that is used as a variable has one value, maybe some part of this text."""
    return OpenKey(_pieces(text), alone=True)


def _between(key: OpenKey) -> set[str]:
    """Give values between those that comparisons of order make worth trying."""
    if not key.ordered:
        return set()
    read = values.number if key.ordered == "Numeric" else values.date
    limits: set[Decimal] = set()
    for text in key.values:
        try:
            limits.add(read(text))
        except NotUnderstood:
            continue
    middles = [(low + high) / 2 for low, high in pairwise(sorted(limits))]
    return {_written(key.ordered, middle) for middle in middles}


def _written(ordered: str, value: Decimal) -> str:
    return str(value) if ordered == "Numeric" else _moment(float(value))


def _moment(seconds: float) -> str:
    """Write a moment; one that no calendar reaches stands as it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def _tests(statement: Mapping[str, object]) -> Iterator[tuple[str, str, list[str]]]:
    blocks = statement.get("Condition")
    for operator, keys in as_object(blocks).items():
        for key, wanted in as_object(keys).items():
            try:
                yield operator, key, read_values(wanted)
            except NotUnderstood:
                yield operator, key, []


def _texts(value: object) -> list[str]:
    return [item for item in as_list(value) if isinstance(item, str)]


def _variables(text: str) -> list[str]:
    """Give the keys that a text has as variables, in lower case."""
    names = [part.split("}")[0].split(",")[0].lower() for part in text.split("${")[1:]]
    return [name for name in names if name not in ("", "*", "?", "$")]


def _pieces(text: str) -> set[str]:
    """Give what a variable might stand for in a text: its parts between `/`, `:`, `-` and `$`."""
    found = {text}
    for separator in "/:-*?${},' ":
        found |= {part for piece in found for part in piece.split(separator)}
    return {piece for piece in found if piece}


def _share_values(record: Mapping[str, object], keys: Mapping[str, OpenKey]) -> None:
    """Let keys that are compared with each other, by a variable, have each other's values.

    Whatever text is tried for one is tried for all that any policy compares as text or uses as a
    variable, the values of fixed keys included: then they can be equal, and they can differ.
    """
    linked = {
        name
        for statement in _statements(record.get("policies"))
        for _, key, wanted in _tests(statement)
        for text in wanted
        for name in (*_variables(text), key.lower())
        if _variables(text)
    }
    context = cast("Mapping[str, object]", read_request(record).context)
    fixed = {text for name in linked for text in cast("Values", context.get(name, ()))}
    shared = fixed.union(*(keys[name].values for name in linked if name in keys))
    for name in linked & set(keys):
        keys[name].values |= shared


def _open_key(operator: str, wanted: Sequence[str]) -> OpenKey:
    """Give the values that make one operator come out both ways for each of its values."""
    try:
        read = read_operator(operator)
    except NotUnderstood:
        return OpenKey({"x"})
    found = {value for text in wanted for value in _around(read.name, text)} or {"x"}
    if read.name == "Null":
        return OpenKey(found)
    ordered = "Numeric" if read.name.startswith("Numeric") else ""
    ordered = "Date" if read.name.startswith("Date") else ordered
    in_sets = read.over is not Over.ONE
    return OpenKey(found, in_sets=in_sets, alone=not in_sets, ordered=ordered)


def _around(name: str, text: str) -> set[str]:
    """Give values that fit a policy value, and values that do not."""
    try:
        if name.startswith("Numeric"):
            limit = values.number(text)
            return {str(limit - 1), str(limit), str(limit + 1)}
        if name.startswith("Date"):
            return _around_date(text)
        if name == "IpAddress":
            return _around_addresses(text)
    except NotUnderstood:
        return {"x"}
    if name in ("Bool", "Null"):
        return {"true", "false"}
    if name == "BinaryEquals":
        return {text, "eA=="}
    return _around_text(text, arn=name.startswith("Arn"))


def _around_date(text: str) -> set[str]:
    limit = float(values.date(text))
    return {_moment(seconds) for seconds in (limit - 1, limit, limit + 1)}


def _around_addresses(text: str) -> set[str]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return {"x"}
    outside = {"203.0.113.77", "2001:db8:ffff::77"}
    return {str(network[0]), str(network[-1]), *outside}


def _around_text(text: str, *, arn: bool) -> set[str]:
    """Give a text as it is, its wildcards filled in, in another case, and another text."""
    plain = text.replace("${*}", "*").replace("${?}", "?").replace("${$}", "$")
    filled = {text.replace("*", run).replace("?", "q") for run in ("", "q", "qq")}
    other = "arn:aws:other::0:q" if arn else "q"
    return {plain, other, *filled, *({text.swapcase()} if not arn else ())}
