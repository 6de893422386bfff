"""The reading itself: the tenant and its scopes, then every call of the table.

Calls that an answer leads to are made as it comes in. The order in which answers come makes no
difference to what is given.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from modelreach.collect.answers import Refusal
from modelreach.collect.calling import call_all
from modelreach.model import NothingCollected
from modelreach.plugins import CollectOptions
from modelreach_azure.answers import Answer, answer
from modelreach_azure.ask import ask
from modelreach_azure.call import Call, Service, Where
from modelreach_azure.calls import CALLS, further
from modelreach_azure.parse.ids import subscription_of
from modelreach_azure.parse.scopes import management_groups
from modelreach_azure.select import rows
from modelreach_azure.wire import Wire, connect

_HINT = (
    "sign in with `az login`, or set AZURE_CLIENT_ID and the like; `modelreach permissions azure` "
    "prints what is needed"
)


def read_estate(options: CollectOptions, *, attempts: int) -> tuple[Answer, ...]:
    """Ask the tenant everything, and give all answers.

    Raises `NothingCollected` when neither ARM nor Microsoft Graph answers.
    """
    wire = connect(options, attempts=attempts)
    try:
        tenant, first = _identify(wire)
        return tuple(_Reading(wire, tenant, first, options).answers())
    finally:
        wire.close()


def _identify(wire: Wire) -> tuple[str, list[Answer]]:
    """Find the tenant: what Graph says that it is, else that of the subscriptions."""
    made: dict[str, tuple[dict[str, Any] | None, Refusal | None]] = {}
    for call in (one for one in CALLS if one.where is Where.SESSION):
        made[call.operation] = ask(wire, call, "", {})
    told = [str(row.get("id", "")) for row in rows(made["organization"][0])]
    of_subscriptions = Counter(
        str(row.get("tenantId", "")) for row in rows(made["subscriptions"][0])
    )
    told += [name for name, _ in sorted(of_subscriptions.items(), key=lambda one: -one[1])]
    tenant = next((name.lower() for name in told if name), "")
    if not tenant:
        raise _nothing(refused for _, refused in made.values() if refused)
    return tenant, [_answered(tenant, "", _row(name), {}, *made[name]) for name in made]


def _row(operation: str) -> Call:
    return next(call for call in CALLS if call.operation == operation)


def _nothing(refusals: Iterable[Refusal]) -> NothingCollected:
    refused = next(iter(refusals), Refusal("denied"))
    why = refused.message or refused.code or refused.reason
    return NothingCollected(f"nothing could be collected from Azure ({why})", hint=_HINT)


def _answered(
    tenant: str,
    place: str,
    call: Call,
    parameters: dict[str, str],
    response: dict[str, Any] | None,
    refused: Refusal | None,
) -> Answer:
    service = call.service.value
    return answer(tenant, place, service, call.operation, parameters, response, refused)


@dataclass(frozen=True, slots=True)
class _Task:
    """A call to make."""

    call: Call
    place: str
    parameters: dict[str, str]

    @property
    def group(self) -> tuple[str, str]:
        return self.place, self.call.service.value


class _Reading:
    """All calls of a run, a bounded number at once."""

    def __init__(
        self, wire: Wire, tenant: str, first: list[Answer], options: CollectOptions
    ) -> None:
        self._wire = wire
        self._tenant = tenant
        self._options = options
        self._scopes = _wanted(options)
        self._answers = list(first)
        self._waiting: deque[_Task] = deque()
        self._pending: Counter[tuple[str, str]] = Counter()
        self._done: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, str, str]] = set()

    def answers(self) -> list[Answer]:
        """Make all calls. Interrupted, it lets those under way go and starts no more."""
        pool = ThreadPoolExecutor(self._options.max_workers, thread_name_prefix="azure")
        try:
            for tasks in (self._first_tasks, self._group_tasks, self._last_tasks):
                for task in tasks():
                    self._add(task)
                call_all(self._options.max_workers, partial(self._start, pool), self._land)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return self._answers

    def _first_tasks(self) -> Iterator[_Task]:
        for call in CALLS:
            if call.where is Where.TENANT:
                yield _Task(call, "", self._bound(call))
            if call.where is Where.SUBSCRIPTION:
                for place in self._subscriptions():
                    yield _Task(call, place, {})

    def _bound(self, call: Call) -> dict[str, str]:
        """Give the parameters of a call that is made once in the tenant."""
        if "{tenant}" in call.path:
            return {"tenant": self._tenant}
        if call.service is Service.RESOURCE_GRAPH and self._scopes:
            return {"subscriptions": ",".join(sorted(map(_guid, self._scopes)))}
        return {}

    def _subscriptions(self) -> list[str]:
        listed = (
            str(row["id"]).lower()
            for one in self._answers
            if one.operation == "subscriptions"
            for row in rows(one.response)
            if row.get("id") and str(row.get("tenantId", "")).lower() in ("", self._tenant)
        )
        return sorted(one for one in set(listed) if not self._scopes or one in self._scopes)

    def _group_tasks(self) -> Iterator[_Task]:
        groups = {
            group
            for one in self._answers
            if one.operation == "resourcecontainers"
            for row in rows(one.response)
            for group in management_groups(row)
        }
        for call in CALLS:
            if call.where is Where.GROUP:
                yield from (_Task(call, place, {}) for place in sorted(groups))

    def _last_tasks(self) -> Iterator[_Task]:
        for call in CALLS:
            if call.lastly is not None:
                for parameters in call.lastly(tuple(self._answers)):
                    yield self._of_thing(call, parameters)

    def _of_thing(self, call: Call, parameters: dict[str, str]) -> _Task:
        return _Task(call, subscription_of(parameters.get("id", "")), parameters)

    def _add(self, task: _Task) -> None:
        text = json.dumps(task.parameters, sort_keys=True).lower()
        key = (task.place, task.call.operation, text)
        if key not in self._seen:
            self._seen.add(key)
            self._pending[task.group] += 1
            self._waiting.append(task)

    def _start(self, pool: ThreadPoolExecutor) -> tuple[_Task, Future[Answer]] | None:
        if not self._waiting:
            return None
        task = self._waiting.popleft()
        return task, pool.submit(self._made, task)

    def _made(self, task: _Task) -> Answer:
        response, refused = ask(self._wire, task.call, task.place, task.parameters)
        return _answered(self._tenant, task.place, task.call, task.parameters, response, refused)

    def _land(self, task: _Task, one: Answer) -> None:
        self._answers.append(one)
        if one.response is not None:
            for call, select in further(task.call):
                for parameters in select(task.parameters, one.response):
                    self._add(self._of_thing(call, parameters))
        self._pending[task.group] -= 1
        if not self._pending[task.group]:
            self._done.add(task.group)
            place = " ".join(filter(None, ("azure", task.place, task.call.service.value)))
            self._options.progress(f"{place} … {len(self._done)}/{len(self._pending)}")


def _wanted(options: CollectOptions) -> frozenset[str]:
    """Give the subscriptions that were asked for, as ids of ARM."""
    return frozenset(f"/subscriptions/{_guid(scope.lower())}" for scope in options.scopes)


def _guid(scope: str) -> str:
    return scope.rpartition("/")[2]
