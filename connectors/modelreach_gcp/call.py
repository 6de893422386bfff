"""What one row of the table of calls says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelreach_gcp.estate import Estate

Parameters = dict[str, Any]
#: Takes what is known so far; gives the place that an answer will be of, and the parameters.
Each = Callable[["Estate"], Iterator[tuple[str, Parameters]]]
#: Takes the place, the parameters and the response of an answered call; gives the same.
After = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Iterator[tuple[str, Parameters]]]


class Stage(IntEnum):
    """When a call is made: a stage begins when all calls of the one before are answered."""

    ROOTS = 0
    BULK = 1
    TREE = 2
    PLACES = 3
    REGIONS = 4
    SLOW = 5
    NAMED = 6


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call.

    `service` and `method` are the names of Google's discovery documents: `iam.v1`,
    `projects.serviceAccounts.list`. `path` is a template below the service's host, of which
    parameters fill the names in braces; the other parameters go into the query, structures into
    the body; those that start with `_` go nowhere, and only serve `subject`. `fixed` are
    parameters that are always the same. `items` is the list of the response that goes on over its
    pages (a star in its path stands for every value of a map, and its last name is what the
    answer has), and `asset` the type of its items, where they are things of the estate.

    `each` says for what a stage makes the call; `after` which answers lead to it as they come
    in, by their service and method.

    `permission` is what it needs, `role` a predefined role that has it. `kinds` are the coverage
    kinds that are incomplete when it is refused. A call about one thing has a `subject`, which
    makes the thing's id from the parameters. `absent` are the statuses that mean that there is
    nothing to read, which is an answer and no gap.

    `typed` is the method of an official client that makes the call (`module:Client.method`);
    without one it is made over REST, which keeps fields that the typed clients do not have.
    `slow` calls have a quota of five a minute.
    """

    service: str
    method: str
    path: str
    permission: str
    role: str
    feeds: str
    stage: Stage
    each: Each | None = None
    after: Mapping[tuple[str, str], After] = field(default_factory=dict[tuple[str, str], After])
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    items: str = ""
    asset: str = ""
    kinds: tuple[str, ...] = ()
    subject: str = ""
    absent: frozenset[int] = frozenset()
    typed: str = ""
    host: str = ""
    http: str = "GET"
    slow: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The call's name in an answer."""
        return self.service, self.method

    @property
    def list_name(self) -> str:
        """The name under which an answer has the items."""
        return self.items.rpartition(".")[2]

    def address(self, parameters: Mapping[str, Any]) -> str:
        """Give the host, which for some services names the location."""
        host = self.host or f"{self.service.partition('.')[0]}.googleapis.com"
        return host.format(**parameters)
