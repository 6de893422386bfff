"""The policy: rules in YAML whose `when` is CEL, over one document, the decision input.

A rule speaks about each item of a kind (`each`), or once about the release. Whatever it says at or
above the severity that fails the gate denies; a rule that cannot be evaluated denies as well, and
says so: a gate with a broken rule must not be an open one.

CEL: https://github.com/google/cel-spec/blob/master/doc/langdef.md. What a manifest does not
declare is absent, so rules ask `has(…)` first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, cast

import msgspec

from modelreach import strict_yaml
from modelreach.gate.catalogue import Demand
from modelreach.gate.verdict import GateOptions, fails
from modelreach.model import InputError, Severity
from modelreach.report import RuleRow

Each = Literal["release", "trigger", "demand", "dimension", "finding", "evidence", "gap", "reach"]
FailOn = Literal["low", "medium", "high", "critical", "never"]
Document = dict[str, Any]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the policy's parts; a field that is not known is an error."""


class Rule(Part, frozen=True):
    """One rule. `each` says about what it speaks; that item is a variable of the same name.

    `message` may name parts of the item in braces: `{demand.title}`. `hits` and `misses` are the
    rule's tests: parts of a decision input for which it speaks, and does not.
    """

    id: str
    title: str
    when: str
    message: str
    severity: Severity
    each: Each = "release"
    demands: tuple[Demand, ...] = ()
    enabled: bool = True
    why: str = ""
    hits: tuple[dict[str, Any], ...] = ()
    misses: tuple[dict[str, Any], ...] = ()


class Changed(Part, frozen=True):
    """What a policy changes about a rule that it did not write."""

    enabled: bool = True
    severity: Severity | None = None


class EvidenceTerms(Part, frozen=True):
    """What evaluations have to show: by how much a rate may be higher (0.05: five of a hundred
    cases), the chance of a false alarm over all categories, and how old a report may be."""

    margin: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.5)] = 0.05
    max_age_days: Annotated[int, msgspec.Meta(gt=0)] = 90


#: What holds where a policy does not say otherwise.
TERMS = EvidenceTerms()


class PolicyFile(Part, frozen=True):
    """A policy as it is written. `preset` is what it starts from; `rules` are added (one with an
    id that is there already takes its place), `change` alters rules by id."""

    version: Literal[1]
    preset: Literal["strict", "default", "advisory"] = "default"
    fail_on: FailOn | None = None
    fail_on_incomplete: bool | None = None
    evidence: EvidenceTerms = TERMS
    rules: tuple[Rule, ...] = ()
    change: dict[str, Changed] = {}


class Preset(Part, frozen=True):
    """How strict a gate is."""

    fail_on: FailOn
    fail_on_incomplete: bool
    about: str


class Builtin(Part, frozen=True):
    """The file that travels with the program."""

    version: Literal[1]
    presets: dict[str, Preset]
    rules: tuple[Rule, ...]


class Policy(msgspec.Struct, frozen=True):
    """The rules that hold, and from which severity they deny."""

    name: str
    fail_on: FailOn
    fail_on_incomplete: bool
    rules: tuple[Rule, ...]
    digest: str = ""
    evidence: EvidenceTerms = TERMS


@cache
def builtin() -> Builtin:
    """Give the built-in rules and presets."""
    raw = files("modelreach.gate").joinpath("builtin.yaml").read_bytes()
    found, _ = strict_yaml.decode(
        raw, Builtin, place="builtin.yaml", what="a policy", hint="", fields=_FIELDS
    )
    return found


_FIELDS = sorted(
    {
        name
        for struct in (Rule, Changed, EvidenceTerms, PolicyFile, Preset, Builtin)
        for name in struct.__struct_encode_fields__
    }
)


def preset(name: str) -> Policy:
    """Give a preset. Raises `InputError` when there is none of that name."""
    known = builtin().presets
    if name not in known:
        raise InputError(f"no such preset `{name}`", hint="known: " + ", ".join(known))
    found = known[name]
    return Policy(name, found.fail_on, found.fail_on_incomplete, builtin().rules)


def decode(raw: bytes, *, place: str, digest: str = "") -> Policy:
    """Read a policy file. Raises `InputError` with file and line."""
    file, tree = strict_yaml.decode(
        raw,
        PolicyFile,
        place=place,
        what="a policy",
        hint="see `modelreach schema policy`",
        fields=_FIELDS,
    )
    start = preset(file.preset)
    rules = {rule.id: rule for rule in start.rules}
    rules |= {rule.id: rule for rule in file.rules}
    for id_, change in file.change.items():
        if id_ not in rules:
            line = strict_yaml.line_of(tree, f"$.change.{id_}", of_key=True)
            raise InputError(
                f"no such rule `{id_}`",
                place=f"{place}:{line}",
                hint="see `modelreach rules`",
            )
        rule = rules[id_]
        rules[id_] = msgspec.structs.replace(
            rule, enabled=change.enabled, severity=change.severity or rule.severity
        )
    incomplete = file.fail_on_incomplete
    return Policy(
        name=place,
        fail_on=file.fail_on or start.fail_on,
        fail_on_incomplete=start.fail_on_incomplete if incomplete is None else incomplete,
        rules=tuple(rules.values()),
        digest=digest,
        evidence=file.evidence,
    )


# --- evaluating ----------------------------------------------------------------------------


def judge(policy: Policy, document: Document, options: GateOptions) -> tuple[RuleRow, ...]:
    """Give what every rule says about a decision input (see `decision_input`)."""
    world = _World(document)
    return tuple(
        row for rule in policy.rules if rule.enabled for row in _said(rule, world, options)
    )


def judge_again(
    policy: Policy, document: Document, options: GateOptions, before: tuple[RuleRow, ...]
) -> tuple[RuleRow, ...]:
    """Give the same where only the demands are others: rules that do not ask for them say what
    they said before."""
    world = _World(document)
    said: dict[str, list[RuleRow]] = {}
    for row in before:
        said.setdefault(row.id, []).append(row)
    return tuple(
        row
        for rule in policy.rules
        if rule.enabled
        for row in (
            _said(rule, world, options)
            if rule.each == "demand" or "demands" in rule.when
            else said.get(rule.id, ())
        )
    )


def _said(rule: Rule, world: _World, options: GateOptions) -> Iterator[RuleRow]:
    answers: dict[object, bool] = {}
    try:
        question = Question(rule.when)
    except RuleError as error:
        yield _broken(rule, str(error))
        return
    asked = None if rule.each == "release" else _fields(rule.each, rule.when)
    for item in world.items(rule.each):
        # Items that look alike in all that the rule asks for get the same answer.
        key = _key(item, asked)
        try:
            if key is None or key not in answers:
                hit = question.asked(world.variables(rule, _part_of(item, asked)))
                answers[key] = hit
        except RuleError as error:
            yield _broken(rule, str(error))
            return
        if answers[key]:
            yield RuleRow(
                id=rule.id,
                title=rule.title,
                severity=rule.severity.value,
                subject=_subject(rule.each, item),
                message=_filled(rule.message, rule.each, item),
                denies=fails(rule.severity.value, options),
            )


def _fields(name: str, when: str) -> frozenset[str] | None:
    """The fields of a variable that a `when` asks for; None where it takes the variable whole."""
    if re.search(rf"\b{name}\b(?!\s*\.\s*[A-Za-z_])", when):
        return None
    return frozenset(re.findall(rf"\b{name}\s*\.\s*([A-Za-z_]\w*)", when))


def _part_of(item: Any, fields: frozenset[str] | None) -> Any:
    if fields is None:
        return item
    return {name: item[name] for name in sorted(fields) if name in item}


def _key(item: Any, fields: frozenset[str] | None) -> object:
    if fields is None or item is None:
        return None
    return msgspec.json.encode(_part_of(item, fields))


def _broken(rule: Rule, error: str) -> RuleRow:
    return RuleRow(
        id=rule.id,
        title=rule.title,
        severity=rule.severity.value,
        subject="",
        message=f"rule `{rule.id}` cannot be evaluated, which denies",
        denies=True,
        error=error,
    )


class RuleError(Exception):
    """A `when` that is not CEL, or that fails on what it is given."""


class Question:
    """A compiled `when`. Raises `RuleError` where it is not CEL."""

    def __init__(self, text: str) -> None:
        import celpy
        from celpy.celparser import CELParseError

        environment = cast("Any", celpy.Environment())
        try:
            self._program: Any = environment.program(environment.compile(text))
        except CELParseError as error:
            raise RuleError(f"not CEL: {_first_line(error)}") from None

    def asked(self, variables: Mapping[str, Any]) -> bool:
        """Give the answer. Raises `RuleError` where there is none, or it is no Boolean."""
        from celpy import celtypes
        from celpy.evaluation import CELEvalError

        try:
            answer: object = self._program.evaluate(cast("Any", variables))
        except CELEvalError as error:
            raise RuleError(_first_line(error)) from None
        # Whatever a library raises on odd input: the rule has no answer then.
        except (TypeError, ValueError, KeyError, RecursionError) as error:
            raise RuleError(f"{type(error).__name__}: {_first_line(error)}") from None
        if not isinstance(answer, bool | celtypes.BoolType):
            raise RuleError(f"gives {type(answer).__name__}, not true or false")
        return bool(answer)


def _first_line(error: BaseException) -> str:
    told = str(error.args[0]) if error.args else ""
    return (told.strip().splitlines() or [type(error).__name__])[0][:200]


class _World:
    """A decision input as CEL sees it; every part is converted once, when it is needed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._shared: dict[object, Any] = {}

    def items(self, each: Each) -> list[Any]:
        """The items that a rule of this kind speaks about, one after the other."""
        if each == "release":
            return [None]
        found: list[Any] = _part(self._document, _PLACES[each])
        return found

    def variables(self, rule: Rule, item: object) -> dict[str, Any]:
        """Give what the rule's `when` names, and the item."""
        from celpy.adapter import json_to_cel

        given: dict[str, Any] = dict.fromkeys(_PLACES)
        for name in _SHARED:
            if name in rule.when:
                given[name] = self._converted(name, rule.when)
        if rule.each != "release":
            given[rule.each] = json_to_cel(cast("Any", item))
        return given

    def _converted(self, name: str, when: str) -> Any:
        """Give one shared part, of `change` no more than the rule asks for."""
        from celpy.adapter import json_to_cel

        fields = _fields(name, when) if name == "change" else None
        key = (name, fields)
        if key not in self._shared:
            self._shared[key] = json_to_cel(_part_of(self._document[name], fields))
        return self._shared[key]


_SHARED = ("change", "old", "new", "findings", "demands", "evidence", "gaps")

#: Kind of item -> where its items stand in the decision input.
_PLACES: dict[str, tuple[str, ...]] = {
    "trigger": ("change", "triggers"),
    "dimension": ("change", "dimensions"),
    "reach": ("change", "reach"),
    "demand": ("demands",),
    "finding": ("findings",),
    "evidence": ("evidence",),
    "gap": ("gaps",),
}


def _part(document: Document, path: Iterable[str]) -> Any:
    found: Any = document
    for step in path:
        found = found[step]
    return found


#: Kind of item -> the fields by which a reader knows it.
_NAMES: dict[str, tuple[str, ...]] = {
    "trigger": ("id", "subject"),
    "dimension": ("name",),
    "reach": ("resource",),
    "demand": ("id",),
    "finding": ("id", "rule", "subject"),
    "evidence": ("tool", "category"),
    "gap": ("provider", "scope", "kind", "subject"),
}


def _subject(each: Each, item: Any) -> str:
    return " ".join(str(item[n]) for n in _NAMES.get(each, ()) if item.get(n)) if item else ""


def _filled(message: str, each: Each, item: Any) -> str:
    """Put parts of the item in; a name that it has not got stays as it is written."""
    for name, value in cast("Document", item or {}).items():
        if isinstance(value, str | int | float):
            message = message.replace(f"{{{each}.{name}}}", str(value))
    return " ".join(message.split())


# --- testing -------------------------------------------------------------------------------


class Example(msgspec.Struct, frozen=True):
    """One test of a rule and how it went. `problem` is empty when it went as it should."""

    rule: str
    kind: Literal["hit", "miss"]
    number: int
    problem: str


def examples(rules: Iterable[Rule]) -> tuple[Example, ...]:
    """Run the hits and misses of rules."""
    return tuple(
        Example(rule.id, kind, number, _problem(rule, example, kind == "hit"))
        for rule in rules
        for kind, listed in _tests(rule)
        for number, example in enumerate(listed, start=1)
    )


def _tests(
    rule: Rule,
) -> tuple[tuple[Literal["hit", "miss"], tuple[Document, ...]], ...]:
    return ("hit", rule.hits), ("miss", rule.misses)


def _problem(rule: Rule, example: Document, wanted: bool) -> str:
    document = _merged(deepcopy(_EMPTY), example)
    if rule.each != "release":
        place = _PLACES[rule.each]
        given = document.pop(rule.each, None)
        if given is None:
            return f"an example of this rule has to give `{rule.each}`"
        _part(document, place[:-1])[place[-1]] = [given]
    rows = list(_said(rule, _World(document), GateOptions(fail_on="low")))
    if rows and rows[0].error:
        return rows[0].error
    if bool(rows) is not wanted:
        return "says nothing" if wanted else "speaks"
    return ""


_EMPTY: Document = {
    "change": {
        "verdict": "no",
        "dimensions": [],
        "triggers": [],
        "undeclared": [],
        "reach": [],
        "same_estate": True,
        "changed": [],
    },
    "old": {"metadata": {}, "spec": {"model": {}, "identities": []}},
    "new": {"metadata": {}, "spec": {"model": {}, "identities": []}},
    "findings": [],
    "demands": [],
    "evidence": [],
    "gaps": [],
}


def _merged(base: Document, more: Document) -> Document:
    found = {**base}
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(name), dict):
            found[name] = _merged(base[name], cast("Document", value))
        else:
            found[name] = value
    return found
