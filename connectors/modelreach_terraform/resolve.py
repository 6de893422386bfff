"""Values of resources, with those filled in that the provider will give and that follow already.

The ARN of a role that is yet to be made follows from its account and name; what refers to it has
its value then. What only the provider can choose is named by the address in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from modelreach_terraform.configuration import Configuration, Reference, each_value
from modelreach_terraform.expressions import descended, evaluated
from modelreach_terraform.hcl import Node
from modelreach_terraform.plan import Instance, quoted
from modelreach_terraform.source import Written
from modelreach_terraform.values import UNKNOWN, WITHHELD, Json, Unread, at, is_unread, text

_FIELD: Final = re.compile(r"\{(\w+)(!host)?(?:\|([^}]*))?\}")
_DEEPEST: Final = 24

Values = Mapping[str, Json]
Steps = tuple[str | int, ...]


class Computed(Protocol):
    """What the tables say of a type: attributes that follow from others, by template."""

    def templates(self, kind: str) -> Mapping[str, str]:
        """Give a template for each attribute that follows."""
        ...

    def place(self, instance: Instance, values: Values) -> Mapping[str, str]:
        """Give the place of an instance: account, region, project…"""
        ...

    def rebuilt(self, instance: Instance, attribute: str) -> Json:
        """Give what a data source that is read during apply will give; UNKNOWN for others."""
        ...


class Resolver:
    """Every instance of a plan, as it will be after it."""

    def __init__(
        self,
        after: Mapping[str, tuple[Instance, Values]],
        configuration: Configuration,
        written: Written,
        computed: Computed,
    ) -> None:
        self._after = after
        self._configuration = configuration
        self._written = written
        self._computed = computed
        self._deep = 0

    def instances(self, kind: str) -> Iterator[tuple[Instance, Values]]:
        """Give the instances of a type as they will be."""
        return (one for one in self._after.values() if one[0].type == kind)

    def place(self, instance: Instance, values: Values) -> Mapping[str, str]:
        """Give the place of an instance."""
        return self._computed.place(instance, values)

    def expression(self, instance: Instance, path: str) -> Json:
        """Give what the configuration has for an attribute, None where it has nothing."""
        return self._configuration.expression(instance, path)

    def written(self, instance: Instance, path: str) -> bool:
        """Does the configuration set an attribute itself?"""
        return self.expression(instance, path) is not None

    def get(self, instance: Instance, values: Values, path: str) -> Json:
        """Give what is at a path of an instance's values, or what it will be.

        What cannot be told is UNKNOWN, or has UNKNOWN in it. What is withheld stays so.
        """
        found = at(values, path)
        if found is None and path in self._computed.templates(instance.type):
            found = UNKNOWN
        if not is_unread(found) or found is WITHHELD or self._deep > _DEEPEST:
            return found
        self._deep += 1
        try:
            return self._told(instance, values, path, found)
        finally:
            self._deep -= 1

    def exactly(self, instance: Instance, path: str) -> Json:
        """Give what the configuration at hand says, UNKNOWN where it cannot be told from it."""
        block = self._written.resource(instance)
        expression = block.attribute(path) if block else None
        if expression is None:
            return UNKNOWN
        return self._evaluated(expression, instance.module, instance)

    def _told(self, instance: Instance, values: Values, path: str, found: Json) -> Json:
        if found is UNKNOWN:
            made = self._computed_value(instance, values, path)
            if made is not UNKNOWN:
                return made
        made = self.exactly(instance, path)
        if made is not UNKNOWN:
            return made
        return self._referred(instance, path) if found is UNKNOWN else found

    def filled(self, instance: Instance, values: Values, template: str) -> str:
        """Fill a template with an instance's values and place; "" when something is not known.

        `{address}` is the address; `{name|x}` is `x` where there is no name; `{name!host}` is
        without a scheme.
        """
        fields: dict[str, str] = {"address": instance.address}
        place = self._computed.place(instance, values)
        missing = False
        for name, _, instead in set(_FIELD.findall(template)):
            if name not in fields:
                value = place.get(name) or text(self.get(instance, values, name)) or instead
                fields[name] = value
                missing = missing or not value
        return "" if missing else _FIELD.sub(lambda one: _shown(one, fields), template)

    def _computed_value(self, instance: Instance, values: Values, path: str) -> Json:
        template = self._computed.templates(instance.type).get(path)
        if template is not None and not instance.data:
            return self.filled(instance, values, template) or UNKNOWN
        return self._computed.rebuilt(instance, path) if instance.data else UNKNOWN

    # --- by what the plan says of references ------------------------------------------------

    def _referred(self, instance: Instance, path: str) -> Json:
        expression = self._configuration.expression(instance, path)
        if expression is None:
            return UNKNOWN
        if attribute := each_value(expression):
            return self._of_each(instance, attribute)
        return self.evaluated(expression, instance.module, instance.key, path)

    def _of_each(self, instance: Instance, attribute: str) -> Json:
        """Give `each.value.x` where there is one instance for each of another resource."""
        source = self._configuration.for_each(instance)
        found = self._configuration.reference(source, instance.module)
        if found is None or found.kind != "resource" or found.attribute:
            return UNKNOWN
        one = replace(found, attribute=attribute)
        return self._of_resource(one, instance.key, attribute)

    def evaluated(
        self, expression: Json, module: str, key: int | str | None, attribute: str
    ) -> Json:
        """Give what an expression comes to where it is one value of one thing."""
        if isinstance(expression, dict) and "constant_value" in expression:
            return expression["constant_value"]
        found = self._configuration.reference(expression, module)
        if found is None or self._deep > _DEEPEST:
            return UNKNOWN
        self._deep += 1
        try:
            return self._of(found, key, attribute)
        finally:
            self._deep -= 1

    def _of(self, found: Reference, key: int | str | None, attribute: str) -> Json:
        match found.kind:
            case "resource":
                return self._of_resource(found, key, attribute)
            case "module":
                expression, module = self._configuration.output(found)
                return self.evaluated(expression, module, key, attribute)
            case _:
                told = self._configuration.variable(found)
                if not isinstance(told, tuple):
                    return at(told, found.attribute) if found.attribute else told
                return self.evaluated(told[0], told[1], key, attribute)

    def _of_resource(self, found: Reference, key: int | str | None, attribute: str) -> Json:
        start = f"{found.module}.{found.of}" if found.module else found.of
        named = [start + found.key] if found.key else [start + quoted(key), start, f"{start}[0]"]
        wanted = found.attribute or _meant(found.of, attribute)
        for address in named:
            if address in self._after:
                value = self.get(*self._after[address], wanted)
                return value if not isinstance(value, Unread) else UNKNOWN
        return UNKNOWN

    # --- by what is written -----------------------------------------------------------------

    def _evaluated(self, expression: Node, module: str, instance: Instance | None) -> Json:
        if self._deep > _DEEPEST:
            return UNKNOWN
        self._deep += 1
        try:
            return evaluated(expression, lambda steps: self._look_up(steps, module, instance))
        finally:
            self._deep -= 1

    def _look_up(self, steps: Steps, module: str, instance: Instance | None) -> Json:
        match steps:
            case ("each", "key", *_) if instance is not None:
                return instance.key if instance.key is not None else UNKNOWN
            case ("each", "value", str(attribute)) if instance is not None:
                return self._of_each(instance, attribute)
            case ("count", "index") if instance is not None:
                return instance.key if instance.key is not None else UNKNOWN
            case ("local", str(name), *rest):
                expression = self._written.local(module, name)
                value = (
                    UNKNOWN if expression is None else self._evaluated(expression, module, None)
                )
                return descended(value, tuple(rest))
            case ("var", str(name), *rest):
                return descended(self._variable(name, module), tuple(rest))
            case ("module", str(name), *rest):
                return self._output(name, tuple(rest), module)
            case ("data", str(kind), str(name), *rest):
                return self._attribute(f"data.{kind}.{name}", tuple(rest), module)
            case (str(kind), str(name), *rest):
                return self._attribute(f"{kind}.{name}", tuple(rest), module)
            case _:
                return UNKNOWN

    def _variable(self, name: str, module: str) -> Json:
        told = self._configuration.variable(Reference("var", name, "", "", module))
        if not isinstance(told, tuple):
            return told
        parent, _, call = module.rpartition("module.")
        block = self._written.named(parent.removesuffix("."), "module", call.partition("[")[0])
        expression = block.attribute(name) if block else None
        if expression is None:
            return UNKNOWN
        caller = _called(module)
        return self._evaluated(expression, parent.removesuffix("."), caller)

    def _output(self, name: str, rest: Steps, module: str) -> Json:
        key, rest = _key_of(rest)
        inner = f"{module}.module.{name}{key}" if module else f"module.{name}{key}"
        if not rest or not isinstance(rest[0], str):
            return UNKNOWN
        block = self._written.named(inner, "output", rest[0])
        expression = block.attribute("value") if block else None
        if expression is None:
            found = Reference("module", name, key, rest[0], module)
            told, within = self._configuration.output(found)
            return self.evaluated(told, within, None, rest[0])
        return descended(self._evaluated(expression, inner, None), rest[1:])

    def _attribute(self, of: str, rest: Steps, module: str) -> Json:
        key, rest = _key_of(rest)
        address = (f"{module}.{of}" if module else of) + key
        if address not in self._after or not rest or not isinstance(rest[0], str):
            return UNKNOWN
        value = self.get(*self._after[address], rest[0])
        return descended(UNKNOWN if value is WITHHELD else value, rest[1:])


def _meant(of: str, attribute: str) -> str:
    """Give which attribute is meant by a reference to a whole resource, as older versions have all
    of them, and newer ones those with a key that is not a constant."""
    for kind, told in (("aws_iam_policy_document", "json"), ("google_iam_policy", "policy_data")):
        if of.startswith(f"data.{kind}."):
            return told
    return "arn" if attribute.endswith("arn") else "id"


def _key_of(steps: Steps) -> tuple[str, Steps]:
    """Take the key of an instance from the front of steps."""
    first = steps[0] if steps else ""
    if isinstance(first, int):
        return f"[{first}]", steps[1:]
    if first.startswith("\0"):
        return quoted(first[1:]), steps[1:]
    return "", steps


def _called(module: str) -> Instance:
    """Give the call of a module as an instance, for the key that it may refer to."""
    found = re.search(r"\[(?:(\d+)|\"((?:[^\"\\]|\\.)*)\")\]$", module)
    key: int | str | None = None
    if found:
        key = int(found[1]) if found[1] else re.sub(r"\\(.)", r"\1", found[2])
    return Instance(module, "module", "", "", key, "")


def _shown(field: re.Match[str], fields: Mapping[str, str]) -> str:
    value = fields[field[1]]
    return value.removeprefix("https://") if field[2] else value
