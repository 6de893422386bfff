"""What a case exercises, by name, so that a campaign can show what it has covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from modelreach_reference.aws.shapes import as_object

LAYERS = ("identity", "resource", "boundaries", "scps", "rcps", "session", "endpoint")


def features(record: Mapping[str, object]) -> set[str]:
    """Name the features of a case: requester, layers, elements, principals, operators, ..."""
    request = cast("Mapping[str, object]", record["request"])
    policies = cast("Mapping[str, object]", record["policies"])
    found = {f"requester:{_kind(str(request['principal']))}"}
    found.add(f"topic:{str(request['action']).split(':')[0]}")
    found.add("accounts:one" if _same(request) else "accounts:two")
    found |= {f"setting:{name}" for name in as_object(record.get("settings"))}
    if policies.get("grants"):
        found.add("layer:grants")
    for layer in LAYERS:
        for document in _documents(policies.get(layer)):
            found |= {f"layer:{layer}", f"version:{document.get('Version', 'none')}"}
            for statement in _statements(document):
                found |= set(_of_statement(layer, statement))
    return found


def _kind(principal: str) -> str:
    if not principal.startswith("arn:"):
        return principal if principal == "anonymous" else "service or provider"
    return principal.split(":")[5].split("/")[0]


def _same(request: Mapping[str, object]) -> bool:
    return f":{request['resource_account']}:" in str(request["principal"])


def _documents(part: object) -> Iterator[Mapping[str, object]]:
    if isinstance(part, list):
        for item in cast("list[object]", part):
            yield from _documents(item)
    elif isinstance(part, dict):
        document = cast("Mapping[str, object]", part)
        if "policies" in document:
            yield from _documents(document["policies"])
        else:
            yield document


def _statements(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    body = document.get("Statement")
    for item in cast("list[object]", body) if isinstance(body, list) else [body]:
        if isinstance(item, dict):
            yield cast("Mapping[str, object]", item)


def _of_statement(layer: str, statement: Mapping[str, object]) -> Iterator[str]:
    effect = statement.get("Effect")
    yield f"effect:{layer}:{effect}"
    for element in ("NotAction", "NotResource", "NotPrincipal", "Condition"):
        if element in statement:
            yield f"element:{element}:{effect}"
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if isinstance(principal, dict):
        yield from (f"principal:{kind}" for kind in cast("dict[str, object]", principal))
    elif principal is not None:
        yield f"principal:{principal}"
    resources = str(statement.get("Resource", statement.get("NotResource", "")))
    yield from _of_text(resources, "resource")
    yield from _of_condition(statement.get("Condition"))


def _of_condition(condition: object) -> Iterator[str]:
    blocks = cast("dict[str, object]", condition) if isinstance(condition, dict) else {}
    for operator, keys in blocks.items():
        yield f"operator:{operator}"
        yield from _of_text(str(keys), "condition")


def _of_text(text: str, where: str) -> Iterator[str]:
    if "${" in text:
        yield f"variable:{where}"
    if ", '" in text and "${" in text:
        yield f"default:{where}"
    if any(special in text for special in ("${*}", "${?}", "${$}")):
        yield f"escape:{where}"
