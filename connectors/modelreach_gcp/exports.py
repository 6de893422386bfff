"""What `gcloud` writes, read as answers: assets, search results, roles, deny policies.

`gcloud asset export` writes an asset a line; `gcloud asset list`, `search-all-resources` and
`search-all-iam-policies` write a list with `--format=json`. Roles come in the shape of the REST
answer `roles?view=FULL`, or as `gcloud iam roles describe` writes one.
https://cloud.google.com/asset-inventory/docs/export-asset-metadata
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from modelreach.model import InputError
from modelreach_gcp.answers import Answer
from modelreach_gcp.estate import LIST, POLICIES, SEARCH
from modelreach_gcp.keep import answer
from modelreach_gcp.names import scope_name
from modelreach_gcp.select import texts

_ROLE: Final = re.compile(r"(?:(?:projects|organizations)/[^/]+/)?roles/[^/]+")
_ROLES_HINT: Final = (
    "ask for `roles?view=FULL`, or use `gcloud iam roles describe ROLE --format=json`"
)
#: What only an asset has, and no search result.
_ASSET_ONLY: Final = ("resource", "iamPolicy", "orgPolicy", "ancestors", "updateTime")
_LISTS: Final = ("results", "assets", "roles", "policies")


def read(content: Any, *, place: str) -> tuple[Answer, ...]:
    """Give the answers in decoded content, none when it is not recognised.

    Raises `InputError` for a list of roles that says nothing of what they may do.
    """
    items = _items(content)
    if not items:
        return ()
    kinds = {kind_of(item) for item in items}
    if len(kinds) != 1:
        return ()
    match kinds.pop():
        case "asset":
            return _in_bulk(LIST, "parent", "assets", items)
        case "policy":
            return _in_bulk(POLICIES, "scope", "results", items)
        case "resource":
            return _in_bulk(SEARCH, "scope", "results", items)
        case "role":
            return tuple(_roles(items, place))
        case "deny":
            return tuple(_deny(items))
    return ()


def _items(content: Any) -> list[dict[str, Any]]:
    found = content
    if isinstance(content, dict):
        lists = [content[name] for name in _LISTS if isinstance(content.get(name), list)]
        found = lists[0] if len(lists) == 1 else [content]
    items = found if isinstance(found, list) else []
    return items if all(isinstance(item, dict) for item in items) else []


def kind_of(item: dict[str, Any]) -> str:
    """Tell what an item is, "" when it is nothing that is known."""
    name = str(item.get("name", ""))
    if item.get("kind") == "DenyPolicy" and name.startswith("policies/"):
        return "deny"
    if isinstance(item.get("policy"), dict) and isinstance(item.get("resource"), str):
        return "policy"
    if name.startswith("//") and isinstance(item.get("assetType"), str):
        return "asset" if any(part in item for part in _ASSET_ONLY) else "resource"
    return "role" if _ROLE.fullmatch(name) else ""


def _in_bulk(
    call: tuple[str, str], parameter: str, name: str, items: list[dict[str, Any]]
) -> tuple[Answer, ...]:
    """Give an answer for each scope that is in the file with what is below it.

    An export or search of a scope has the scope itself among its results; what lies below none
    that is there is of a place of which not everything may have been exported.
    """
    own = _own(items)
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(_root(item, own), []).append(item)
    return tuple(
        answer(root, call, _parameters(call, parameter, root, found), {name: found})
        for root, found in sorted(groups.items())
    )


def _parameters(
    call: tuple[str, str], parameter: str, root: str, items: list[dict[str, Any]]
) -> dict[str, Any]:
    """Give what tells answers apart: policies and resources of assets are exported in turn."""
    if call != LIST:
        return {parameter: root}
    content = "IAM_POLICY" if any("iamPolicy" in item for item in items) else "RESOURCE"
    return {parameter: root, "contentType": content}


def _scope(item: dict[str, Any]) -> str:
    return scope_name(str(item.get("resource") if "policy" in item else item.get("name", "")))


def _own(items: list[dict[str, Any]]) -> dict[str, str]:
    """Give the scopes that are in a file, by each of their names: projects have two."""
    found: dict[str, str] = {}
    for item in items:
        if scope := _scope(item):
            found[scope] = scope
            if scope.startswith("projects/"):
                found[_chain(item)[0]] = scope
    return found


def _chain(item: dict[str, Any]) -> list[str]:
    """Give what an item lies in, the nearest first."""
    if ancestors := texts(item.get("ancestors")):
        return ancestors
    project, organization = texts([item.get("project")]), texts([item.get("organization")])
    return [*project, *texts(item.get("folders")), *organization] or [""]


def _root(item: dict[str, Any], own: dict[str, str]) -> str:
    """Give the topmost scope of a file in which an item lies, "" for none."""
    held = [own[name] for name in (_scope(item), *_chain(item)) if name in own]
    return held[-1] if held else ""


def _roles(items: list[dict[str, Any]], place: str) -> Iterator[Answer]:
    if not any(item.get("includedPermissions") for item in items):
        raise InputError("these roles do not say what they may do", place=place, hint=_ROLES_HINT)
    for item in items:
        name = str(item["name"])
        owner = name.rpartition("/roles/")[0] if "/roles/" in name else ""
        yield answer(owner, ("iam.v1", "roles.get"), {"name": name}, item)


def _deny(items: Iterable[dict[str, Any]]) -> Iterator[Answer]:
    for item in items:
        if "rules" in item:
            yield answer("", ("iam.v2", "policies.get"), {"name": str(item["name"])}, item)
