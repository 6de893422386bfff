"""Policy documents that are put together during apply, as far as the plan tells what will be in
them.

What is not known of a statement makes the statement one that is not understood: it may grant all
that the rest of it allows, and is never taken to grant it, or not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelreach_terraform.plan import Instance
from modelreach_terraform.resolve import Resolver, Values
from modelreach_terraform.values import UNKNOWN, Json, at, blocks, is_unread, parsed, text, texts

_DOCUMENT: Final = "aws_iam_policy_document"
#: An element that no policy has: whoever reads the statement does not understand it.
AFTER_APPLY: Final = "KnownAfterApply"
_LISTS: Final = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_PRINCIPALS: Final = {"principals": "Principal", "not_principals": "NotPrincipal"}


def rebuilt(
    instance: Instance,
    values: Values,
    attribute: str,
    resolver: Resolver,
) -> Json:
    """Give the JSON that a policy document of a plan will be; UNKNOWN for any other data source.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
    """
    if instance.type == "google_iam_policy" and attribute == "policy_data":
        return _allow_policy(instance, values, resolver)
    if instance.type != _DOCUMENT or attribute not in ("json", "minified_json"):
        return UNKNOWN
    made = _Made(instance, values, resolver)
    return made.document()


def _allow_policy(instance: Instance, values: Values, resolver: Resolver) -> Json:
    """Give the policy that `google_iam_policy` puts together.

    https://registry.terraform.io/providers/hashicorp/google/latest/docs/data-sources/iam_policy
    """
    made: list[dict[str, Json]] = []
    for number, block in enumerate(blocks(values.get("binding"))):
        told = {
            name: value
            if not is_unread(value := block.get(name))
            else resolver.exactly(instance, f"binding.{number}.{name}")
            for name in ("role", "members")
        }
        if condition := at(block, "condition"):
            told["condition"] = condition
        made.append(told)
    return {"bindings": made}


class _Made:
    """One document under construction."""

    def __init__(self, instance: Instance, values: Values, resolver: Resolver) -> None:
        self._instance, self._values, self._resolver = instance, values, resolver

    def document(self) -> Json:
        """Give the document; UNKNOWN where one that it is made from is."""
        statements: dict[str, dict[str, Any]] = {}
        for name in ("source_json", "source_policy_documents"):
            if not self._take(name, statements):
                return UNKNOWN
        own = self._values.get("statement")
        if isinstance(own, list):
            for number, block in enumerate(own):
                one = self._statement(number, block)
                statements[one.get("Sid") or f"#{len(statements)}"] = one
        elif is_unread(own):
            return UNKNOWN
        for name in ("override_json", "override_policy_documents"):
            if not self._take(name, statements):
                return UNKNOWN
        version = text(self._values.get("version")) or "2012-10-17"
        return {"Version": version, "Statement": list(statements.values())}

    def _take(self, name: str, statements: dict[str, dict[str, Any]]) -> bool:
        """Take the statements of other documents; a later one of the same Sid wins."""
        value = self._values.get(name)
        if value is None:
            return True
        if is_unread(value):
            value = self._resolver.get(self._instance, {name: UNKNOWN}, name)
        listed = value if isinstance(value, list) else [value]
        for one in listed:
            document = parsed(one)
            if not isinstance(document, dict) or is_unread(document):
                return False
            for statement in blocks(document.get("Statement", [])):
                statements[statement.get("Sid") or f"#{len(statements)}"] = statement
        return True

    def _statement(self, number: int, block: Json) -> dict[str, Any]:
        missing: list[str] = []
        made: dict[str, Any] = {}
        if sid := text(at(block, "sid")):
            made["Sid"] = sid
        made["Effect"] = text(at(block, "effect")) or "Allow"
        for name, element in _LISTS.items():
            found = self._listed(number, block, name)
            if found is UNKNOWN:
                missing.append(element)
                made[element.removeprefix("Not")] = "*"
            elif found:
                made[element] = found[0] if len(found) == 1 else found
        for name, element in _PRINCIPALS.items():
            found = self._principals(number, block, name)
            if found is UNKNOWN:
                missing.append(element)
                made["Principal"] = "*"
            elif found:
                made[element] = found
        conditions = self._conditions(number, block)
        if conditions is UNKNOWN:
            missing.append("Condition")
        elif conditions:
            made["Condition"] = conditions
        if not any(element in made for element in ("Action", "NotAction")):
            made["Action"] = "*"
        if "Principal" not in made and not any(e in made for e in ("Resource", "NotResource")):
            made["Resource"] = "*"
        if missing:
            made[AFTER_APPLY] = missing
        return made

    def _exactly(self, path: str, value: Json) -> Any:
        """Give the texts of a list; where the plan does not tell them, what is written there."""
        if is_unread(value):
            value = self._resolver.exactly(self._instance, path)
        return UNKNOWN if is_unread(value) else list(texts(value)) if value is not None else []

    def _listed(self, number: int, block: Json, name: str) -> Any:
        return self._exactly(f"statement.{number}.{name}", at(block, name))

    def _principals(self, number: int, block: Json, name: str) -> Any:
        value = at_list(block, name)
        if value is UNKNOWN:
            return UNKNOWN
        made: dict[str, Any] = {}
        for index, one in enumerate(value):
            path = f"statement.{number}.{name}.{index}.identifiers"
            found = self._exactly(path, at(one, "identifiers"))
            kind = text(at(one, "type"))
            if not kind or found is UNKNOWN:
                return UNKNOWN
            made.setdefault(kind, []).extend(found)
        return "*" if "*" in made else made

    def _conditions(self, number: int, block: Json) -> Any:
        value = at_list(block, "condition")
        if value is UNKNOWN:
            return UNKNOWN
        made: dict[str, dict[str, Any]] = {}
        for index, one in enumerate(value):
            found = self._exactly(
                f"statement.{number}.condition.{index}.values", at(one, "values")
            )
            test, variable = text(at(one, "test")), text(at(one, "variable"))
            if not test or not variable or found is UNKNOWN:
                return UNKNOWN
            made.setdefault(test, {}).setdefault(variable, []).extend(found)
        return made


def marked(document: dict[str, Any]) -> Json:
    """Give a document in which each statement that has something unknown in it is marked so."""
    statements = document.get("Statement")
    listed = list(blocks(statements))
    if not listed or len(listed) != (len(statements) if isinstance(statements, list) else 1):
        return UNKNOWN
    if any(is_unread(value) for name, value in document.items() if name != "Statement"):
        return UNKNOWN
    return {**document, "Statement": [_marked(one) for one in listed]}


def _marked(statement: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name, value in statement.items() if is_unread(value)]
    if not missing:
        return statement
    if "Effect" in missing:
        return {"Effect": "Allow", "Action": "*", "Resource": "*", AFTER_APPLY: missing}
    made = {name: value for name, value in statement.items() if name not in missing}
    for name in missing:
        # Left out of a grant, these would make it nothing, or everything but what they name.
        if name in ("Action", "NotAction"):
            made["Action"] = "*"
        elif name in ("Resource", "NotResource"):
            made["Resource"] = "*"
        elif name in ("Principal", "NotPrincipal"):
            made["Principal"] = "*"
    return {**made, AFTER_APPLY: missing}


def at_list(block: Json, name: str) -> Any:
    """Give the blocks of that name as a list; UNKNOWN where it is not known how many there are."""
    value = block.get(name) if isinstance(block, Mapping) else None
    if value is None:
        return []
    return value if isinstance(value, list) else UNKNOWN
