"""What was read of one cluster, before it is parsed: objects, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from modelreach_kubernetes.kinds import Kind

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a list was not read. `reason` is as in `snapshot.Gap`; `namespace` is "" for all."""

    kind: Kind
    reason: str
    message: str
    namespace: str = ""


@dataclass(slots=True)
class Read:
    """One cluster as it was read.

    `objects` are reduced (see `keep`). `whole` are the kinds, by plural and namespace ("" for
    all), of which every object came. `loose`: from files that hold some objects and say nothing
    of others. `about` is known of the cluster itself.
    """

    cluster: str
    taken_at: str
    objects: list[Object] = field(default_factory=list[Object])
    whole: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    loose: bool = False
    about: dict[str, str] = field(default_factory=dict[str, str])
