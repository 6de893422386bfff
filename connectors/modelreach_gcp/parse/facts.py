"""Facts of Google Cloud under construction, and how its times are read."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from modelreach.collect.facts import Gathering, rfc3339
from modelreach.snapshot import (
    Binding,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
)
from modelreach_gcp.select import text

PROVIDER: Final = "gcp"


class Facts(Gathering):
    """Everything that the parsers of one run have found so far."""

    def __init__(self) -> None:
        super().__init__(PROVIDER)
        self.scopes: list[Scope] = []
        self.principals: dict[str, Principal] = {}
        self.resources: dict[str, Resource] = {}
        self.runtimes: list[Runtime] = []
        self.roles: list[ManagedPolicy] = []
        self.bindings: list[Binding] = []

    def snapshot(self, *, taken_at: str, tool: str) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return self._whole(
            taken_at=taken_at,
            tool=tool,
            scopes=self.scopes,
            principals=self.principals.values(),
            resources=self.resources.values(),
            runtimes=self.runtimes,
            managed_policies=self.roles,
            bindings=self.bindings,
        )


def digest(text: str) -> str:
    """Give a short digest of a text, to tell it from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def moment(value: object) -> str:
    """Give a time in whole seconds as RFC 3339 UTC, "" for none."""
    try:
        found = datetime.fromisoformat(text(value).replace("Z", "+00:00"))
    except ValueError:
        return ""
    return rfc3339(found)
