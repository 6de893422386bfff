"""What a plan says of the configuration behind it: which value refers to which.

A plan holds no expressions, only what each refers to. Where a value is not known before apply and
refers to one thing alone, it is taken to be that thing's: `role = aws_iam_role.app.name`.
https://developer.hashicorp.com/terraform/internals/json-format#expression-representation
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from modelreach_terraform.plan import Instance, Plan
from modelreach_terraform.values import UNKNOWN, Json, at

_KEY: Final = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_STEP: Final = re.compile(r"[^.\[]+|\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
#: References that say which instance, and not which thing.
_ITERATION: Final = ("each.", "count.", "path.", "terraform.", "self")


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing that a value refers to, as seen from a module instance: a resource's attribute
    (`of` is its address without the instance's key), a module's output or a variable."""

    kind: str
    of: str
    key: str
    attribute: str
    module: str


class Configuration:
    """The configuration of a plan, by module and resource."""

    def __init__(self, plan: Plan) -> None:
        self._root = _mapping(plan.configuration.get("root_module"))
        self._providers = _mapping(plan.configuration.get("provider_config"))
        self._variables = plan.variables
        self._resources: dict[str, dict[str, Mapping[str, Json]]] = {}

    def provider_key(self, instance: Instance) -> str:
        """Give under which name the configuration has the provider of a resource."""
        told = self._resource(instance).get("provider_config_key")
        return told if isinstance(told, str) else ""

    def of_provider(self, key: str, path: str) -> Json:
        """Give what a provider is configured with, UNKNOWN where it cannot be told.

        A module's provider (`module.x:aws`) is the root's unless it has its own.
        """
        for name in (key, key.rpartition(":")[2]):
            found = _mapping(self._providers.get(name))
            if found:
                expression = _part(found.get("expressions"), path)
                module = found.get("module_address")
                where = module if isinstance(module, str) else ""
                return self.value(expression, where) if expression is not None else None
        return None

    def expression(self, instance: Instance, path: str) -> Json:
        """Give the expression of a resource's attribute, None where there is none."""
        return _part(self._resource(instance).get("expressions"), path)

    def for_each(self, instance: Instance) -> Json:
        """Give the expression that says of what there is one instance each."""
        return self._resource(instance).get("for_each_expression")

    def value(self, expression: Json, module: str) -> Json:
        """Give what an expression is without any resource: a constant, or a variable."""
        if not isinstance(expression, dict):
            return UNKNOWN
        if "constant_value" in expression:
            return expression["constant_value"]
        found = self.reference(expression, module)
        seen = 0
        while found is not None and found.kind == "var" and seen < 32:
            told = self.variable(found)
            if not isinstance(told, tuple):
                return told
            found, seen = self.reference(*told), seen + 1
        return UNKNOWN

    def variable(self, reference: Reference) -> Json | tuple[Json, str]:
        """Give a variable of the root, or the expression in the module above that sets it."""
        own = _mapping(_mapping(self._module(reference.module).get("variables")).get(reference.of))
        if own.get("sensitive") is True:
            return UNKNOWN
        if not reference.module:
            return _mapping(self._variables.get(reference.of)).get("value", UNKNOWN)
        parent, call = _parent(reference.module)
        expressions = _mapping(self._call(parent, call).get("expressions"))
        if reference.of in expressions:
            expression = expressions[reference.of]
            if isinstance(expression, dict) and "constant_value" in expression:
                return expression["constant_value"]
            return expression, parent
        return own.get("default", UNKNOWN)

    def output(self, reference: Reference) -> tuple[Json, str]:
        """Give the expression of a module's output, and the module instance that it is in."""
        inner = f"{reference.module}." if reference.module else ""
        module = f"{inner}module.{reference.of}{reference.key}"
        outputs = _mapping(self._module(module).get("outputs"))
        return _mapping(outputs.get(reference.attribute)).get("expression"), module

    def reference(self, expression: Json, module: str) -> Reference | None:
        """Give the one thing that an expression refers to; None for none or several."""
        named = _alone(_references(expression))
        return _read(named, module) if named else None

    def _resource(self, instance: Instance) -> Mapping[str, Json]:
        module = plain(instance.module)
        if module not in self._resources:
            listed = self._module(module).get("resources")
            found = (_mapping(one) for one in (listed if isinstance(listed, list) else ()))
            self._resources[module] = {str(one.get("address", "")): one for one in found}
        mode = "data." if instance.data else ""
        return self._resources[module].get(f"{mode}{instance.type}.{instance.name}", {})

    def _module(self, address: str) -> Mapping[str, Json]:
        found = self._root
        for name in _names(address):
            found = _mapping(_mapping(_mapping(found.get("module_calls")).get(name)).get("module"))
        return found

    def _call(self, parent: str, name: str) -> Mapping[str, Json]:
        return _mapping(_mapping(self._module(parent).get("module_calls")).get(name))


def plain(address: str) -> str:
    """Give an address without the keys of instances."""
    return _KEY.sub("", address)


def _names(address: str) -> list[str]:
    parts = plain(address).split(".")
    return parts[1::2] if address else []


def _parent(module: str) -> tuple[str, str]:
    """Give the module instance above, and the name of the call."""
    steps = list(re.finditer(r"(?:^|\.)module\.", module))
    last = steps[-1]
    return module[: last.start()], plain(module[last.end() :])


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _part(expressions: Json, path: str) -> Json:
    """Give the expression at a dotted path; blocks are lists, and numbers lead into them."""
    for name in path.split("."):
        if isinstance(expressions, list) and name.isdecimal():
            number = int(name)
            expressions = expressions[number] if number < len(expressions) else None
        else:
            expressions = at(expressions, name)
    return expressions


def _references(expression: Json) -> Iterator[str]:
    listed = _mapping(expression).get("references")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, str) and not one.startswith(_ITERATION):
            yield one


def _alone(references: Iterator[str]) -> str:
    """Give the reference of which all others are only the beginning, "" when there is none."""
    named = sorted(set(references), key=len)
    longest = named[-1] if named else ""
    parts = all(longest == one or longest.startswith((f"{one}.", f"{one}[")) for one in named)
    return longest if parts else ""


def _read(named: str, module: str) -> Reference | None:
    steps = _STEP.findall(named)
    data = steps[0] == "data"
    steps = steps[1:] if data else steps
    if len(steps) < 2:
        return None
    if steps[0] == "var":
        return Reference("var", steps[1], "", ".".join(steps[2:]), module)
    if steps[0] == "local":
        return None
    key = steps[2] if len(steps) > 2 and steps[2].startswith("[") else ""
    rest = [step for step in steps[3 if key else 2 :] if not step.startswith("[")]
    if steps[0] == "module":
        return Reference("module", steps[1], key, rest[0] if rest else "", module)
    of = f"{'data.' if data else ''}{steps[0]}.{steps[1]}"
    return Reference("resource", of, key, ".".join(rest), module)


def each_value(expression: Json) -> str:
    """Give which part of the value of `for_each` an expression is, "" for another expression."""
    listed = _mapping(expression).get("references")
    named = {one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, str)}
    longest = max(named, key=len, default="")
    if named <= {longest, "each.value", "each"} and longest.startswith("each.value."):
        return longest.removeprefix("each.value.")
    return ""
