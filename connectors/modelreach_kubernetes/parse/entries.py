"""Who of AWS enters a cluster of EKS by its config map `aws-auth`.

https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelreach import yaml_tree
from modelreach.model import InputError
from modelreach_kubernetes.parse.facts import mappings, text

_LISTS = (("mapRoles", "rolearn"), ("mapUsers", "userarn"))


def entries(data: object) -> tuple[str, ...]:
    """Give `PRINCIPAL|USER|GROUP,GROUP` of each entry; none of what is no such list."""
    found = data if isinstance(data, Mapping) else {}
    return tuple(sorted(set(_entries(found))))


def _entries(data: Mapping[str, Any]) -> Iterator[str]:
    for name, key in _LISTS:
        for one in mappings(_list(text(data.get(name)))):
            arn, user = text(one.get(key)), text(one.get("username"))
            given = one.get("groups")
            groups = [g for g in given if isinstance(g, str)] if isinstance(given, list) else []
            if arn:
                yield f"{arn}|{user or arn}|{','.join(sorted(groups))}"


def _list(written: str) -> object:
    try:
        found = list(yaml_tree.documents(written, ""))
    except (InputError, *yaml_tree.BROKEN):
        return None
    return found[0] if len(found) == 1 else None
