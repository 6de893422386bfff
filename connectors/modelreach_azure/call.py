"""What one row of the table of calls says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from modelreach_azure.select import Parameters, Select

if TYPE_CHECKING:
    from modelreach_azure.answers import Answer

#: Takes every answer so far, in any order; gives parameters in a fixed order.
Lastly = Callable[["Iterable[Answer]"], Iterator[Parameters]]


class Service(Enum):
    """Who answers, and by which version of its interface where that is in the path."""

    ARM = "arm"
    RESOURCE_GRAPH = "resourcegraph"
    GRAPH = "graph"
    FOUNDRY = "foundry"


class Where(Enum):
    """How often a call is made: to find the tenant, once in it, in each subscription, on each
    management group, or for each thing that other answers tell of."""

    SESSION = "session"
    TENANT = "tenant"
    SUBSCRIPTION = "subscription"
    GROUP = "management-group"
    THING = "thing"


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call; `service` and `operation` name it.

    `path` and `body` are templates: `{place}` is the scope that the call is made in, other names
    are parameters. `kinds` are the coverage kinds that are incomplete when it is refused; a call
    for one thing's facet has a `facet` instead, and `subject` makes the thing's id from the
    parameters. `after` says which answers give the parameters of further calls; `lastly` takes
    them from everything that was answered. `absent` are the error codes (or HTTP statuses) that
    mean that there is nothing to read, which is an answer and no gap. `also` are permissions that
    the same call needs beside `permission`. `data` says that the permission is a data action.
    """

    service: Service
    operation: str
    path: str
    permission: str
    feeds: str
    where: Where
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None
    kinds: tuple[str, ...] = ()
    facet: str = ""
    subject: str = ""
    after: Mapping[str, Select] = field(default_factory=dict[str, Select])
    lastly: Lastly | None = None
    absent: frozenset[str] = frozenset()
    also: tuple[str, ...] = ()
    data: bool = False

    @property
    def permissions(self) -> tuple[str, ...]:
        """Everything that the call needs."""
        return self.permission, *self.also
