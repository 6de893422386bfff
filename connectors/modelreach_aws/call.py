"""What one row of the table of calls says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from modelreach_aws.select import Parameters, Select

if TYPE_CHECKING:
    from modelreach_aws.answers import Answer

#: Takes every answer of one account, in any order, and a region ("" for a call that is made once
#: an account); gives parameters in a fixed order.
Lastly = Callable[["Iterable[Answer]", str], Iterator[Parameters]]


class Where(Enum):
    """How often a call is made: to set the session up, once an account, in each region."""

    SESSION = "session"
    ACCOUNT = "account"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call.

    `kinds` are the coverage kinds that are incomplete when it is refused. A call for one thing's
    facet (its policy, its tags) has a `facet` instead, and `subject` makes the thing's id from
    the parameters. `after` says which answers give the parameters of further calls; `lastly`
    takes them from everything that an account answered. Without either the call is made with
    `fixed` parameters only. `absent` are the error codes that mean that there is nothing to read,
    which is an answer and no gap. `busy` is a field of the response, and its value while the
    answer is not ready: the call is made again until it is.
    """

    service: str
    operation: str
    permission: str
    feeds: str
    where: Where
    kinds: tuple[str, ...] = ()
    facet: str = ""
    subject: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    after: Mapping[str, Select] = field(default_factory=dict[str, Select])
    lastly: Lastly | None = None
    absent: frozenset[str] = frozenset()
    page_size: int = 0
    busy: tuple[str, str] | None = None
