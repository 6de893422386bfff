"""The reading itself: sources, their accounts and regions, then every call of the table.

Calls that an answer leads to are made as it comes in. The order in which answers come makes no
difference to what is given.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from modelreach.collect.answers import ABSENT, Refusal
from modelreach.collect.calling import call_all
from modelreach.model import NothingCollected
from modelreach.plugins import CollectOptions
from modelreach_aws.accounts import Account, identify
from modelreach_aws.answers import Answer, answer
from modelreach_aws.ask import ask
from modelreach_aws.calls import CALLS, Call, Where, further
from modelreach_aws.refusals import WHOLE_ENDPOINT
from modelreach_aws.session import sources
from modelreach_aws.spreading import spread_out

#: How many calls of one account to one service are made at once. The service's quota decides how
#: fast they are answered, whatever their number: more only wait, and hold threads that others
#: need. IAM is one endpoint with low rates for the whole account.
_AT_ONCE: Final = {"iam": 4}
_AT_ONCE_ELSEWHERE: Final = 5
_HINT: Final = (
    "sign in, or name credentials with --profile; `modelreach permissions aws` prints what they "
    "need"
)


def read_estate(options: CollectOptions, *, attempts: int) -> tuple[Answer, ...]:
    """Ask every account everything, and give all answers.

    Raises `NothingCollected` when no account can be told, `InputError` for an unknown profile.
    """
    credentials = tuple(sources(options, attempts=attempts))
    try:
        accounts, preliminary = identify(credentials, options)
        if not accounts:
            raise _nothing(preliminary)
        if options.spread is not None and len(accounts) > 1:
            return (*preliminary, *spread_out(accounts, options, options.spread, attempts))
        return (*preliminary, *read_accounts(accounts, options))
    finally:
        for source in credentials:
            source.close()


def read_accounts(accounts: Sequence[Account], options: CollectOptions) -> list[Answer]:
    """Ask these accounts everything."""
    return _Reading(accounts, options).answers()


def _nothing(asked: Iterable[Answer]) -> NothingCollected:
    refused = next((one.error for one in asked if one.error), Refusal("denied"))
    why = refused.message or refused.code
    return NothingCollected(f"nothing could be collected from AWS ({why})", hint=_HINT)


@dataclass(frozen=True, slots=True)
class _Task:
    """A call to make."""

    account: Account
    region: str
    call: Call
    parameters: dict[str, Any]

    @property
    def group(self) -> tuple[str, str, str]:
        return self.account.id, self.region, self.call.service

    @property
    def lane(self) -> tuple[str, str]:
        return self.account.id, self.call.service


#: What has a quota of its own: an account and a service.
_Lane = tuple[str, str]


class _Reading:
    """All calls of a run, a bounded number at once."""

    def __init__(self, accounts: Iterable[Account], options: CollectOptions) -> None:
        self._accounts = tuple(accounts)
        self._options = options
        self._waiting: dict[_Lane, deque[_Task]] = {}
        self._at_once: Counter[_Lane] = Counter()
        self._pending: Counter[tuple[str, str, str]] = Counter()
        self._seen: set[tuple[str, ...]] = set()
        self._unreachable: dict[tuple[str, str, str], Refusal] = {}
        self._answers: list[Answer] = []
        self._done: set[tuple[str, str, str]] = set()
        for task in _first_tasks(self._accounts):
            self._add(task)
        self._total = len(self._pending)

    def answers(self) -> list[Answer]:
        """Make all calls. Interrupted, it lets those under way go and starts no more."""
        pool = ThreadPoolExecutor(self._options.max_workers, thread_name_prefix="aws")
        try:
            start = partial(self._start, pool)
            call_all(self._options.max_workers, start, self._land)
            for task in _last_tasks(self._accounts, tuple(self._answers)):
                self._add(task)
            call_all(self._options.max_workers, start, self._land)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return self._answers

    def _add(self, task: _Task) -> None:
        text = json.dumps(task.parameters, sort_keys=True, default=str)
        key = (*task.group, task.call.operation, text)
        if key not in self._seen:
            self._seen.add(key)
            self._pending[task.group] += 1
            self._waiting.setdefault(task.lane, deque()).append(task)

    def _start(self, pool: ThreadPoolExecutor) -> tuple[_Task, Future[Answer]] | None:
        task = self._next()
        if task is None:
            return None
        client = task.account.source.client(task.call.service, task.region)
        self._at_once[task.lane] += 1
        return task, pool.submit(self._made, client, task)

    def _next(self) -> _Task | None:
        """Give a task of the lane that has the least under way, as far as lanes have room."""
        open_ = [
            (self._at_once[lane], place, lane)
            for place, lane in enumerate(self._waiting)
            if self._at_once[lane] < _AT_ONCE.get(lane[1], _AT_ONCE_ELSEWHERE)
        ]
        if not open_:
            return None
        lane = min(open_)[2]
        task = self._waiting[lane].popleft()
        waiting = self._waiting.pop(lane)
        if waiting:  # last in the order, so that all have their turn
            self._waiting[lane] = waiting
        return task

    def _made(self, client: Any, task: _Task) -> Answer:
        response: dict[str, Any] | None = None
        refused = self._unreachable.get(task.group)
        if refused is None:
            response, refused = ask(client, task.call, task.parameters)
        if refused and refused.code in WHOLE_ENDPOINT:
            self._unreachable[task.group] = refused
            refused = _not_there(task, refused)
        return answer(
            task.account.id,
            task.region,
            task.call.service,
            task.call.operation,
            task.parameters,
            response,
            refused,
        )

    def _land(self, task: _Task, one: Answer) -> None:
        self._at_once[task.lane] -= 1
        self._answers.append(one)
        if one.response is not None:
            for call, select in further(task.call.service, task.call.operation):
                for parameters in select(task.parameters, one.response):
                    made = {**call.fixed, **parameters}
                    self._add(_Task(task.account, task.region, call, made))
        self._pending[task.group] -= 1
        if not self._pending[task.group]:
            self._done.add(task.group)
            place = " ".join(filter(None, ("aws", *task.group)))
            self._options.progress(f"{place} … {len(self._done)}/{self._total}")


def _not_there(task: _Task, refused: Refusal) -> Refusal:
    """Tell a service that the region does not have from one that cannot be reached."""
    source = task.account.source
    if task.call.where is not Where.REGION or source.endpoint_url:
        return refused
    if source.lacks(task.call.service, task.region):
        return Refusal(ABSENT, refused.code, "the region does not have this service")
    return refused


def _first_tasks(accounts: Iterable[Account]) -> Iterator[_Task]:
    for account in accounts:
        for call in CALLS:
            if call.after or call.lastly or call.where is Where.SESSION:
                continue
            for region in _regions(account, call):
                yield _Task(account, region, call, dict(call.fixed))


def _last_tasks(accounts: Iterable[Account], answers: tuple[Answer, ...]) -> Iterator[_Task]:
    """Give the calls that everything else of an account leads to."""
    for account in accounts:
        own = [one for one in answers if one.account == account.id]
        for call in CALLS:
            if call.lastly is None:
                continue
            for region in _regions(account, call):
                for parameters in call.lastly(own, region):
                    yield _Task(account, region, call, {**call.fixed, **parameters})


def _regions(account: Account, call: Call) -> tuple[str, ...]:
    return account.regions if call.where is Where.REGION else ("",)
