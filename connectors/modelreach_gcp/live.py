"""The reading itself: what to read, then every call of the table, stage by stage.

Within a stage, calls that an answer leads to are made as it comes in. The order in which answers
come makes no difference to what is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any, Final

from modelreach.collect.answers import Refusal, parameters_key
from modelreach.collect.calling import call_all
from modelreach.model import InputError, NothingCollected
from modelreach.plugins import CollectOptions
from modelreach_gcp.answers import Answer, Answers
from modelreach_gcp.ask import Wire
from modelreach_gcp.call import Call, Stage
from modelreach_gcp.calls import CALLS, call_of, further
from modelreach_gcp.estate import MANAGERS, Estate
from modelreach_gcp.keep import answer
from modelreach_gcp.names import scope_name
from modelreach_gcp.pace import Cache, Pacer, duration
from modelreach_gcp.refusals import (
    NO_ANSWER,
    NO_CONNECTION,
    NO_CREDENTIALS,
    SERVICE_DISABLED,
)
from modelreach_gcp.select import listed
from modelreach_gcp.session import Source

_HINT: Final = (
    "sign in, or name a service account with --impersonate; `modelreach permissions gcp` prints "
    "what it needs"
)
#: After these, nothing else of a service and place, or of a host, is asked: it would be waited
#: for each time.
_WHOLE_SERVICE: Final = frozenset({SERVICE_DISABLED})
_WHOLE_HOST: Final = frozenset({NO_CONNECTION, NO_ANSWER})
_NO_ONE: Final = frozenset({NO_CREDENTIALS, "UNAUTHENTICATED", "401"})
_KINDS: Final = ("organizations", "folders", "projects")


@dataclass(frozen=True, slots=True)
class _Task:
    """A call to make."""

    place: str
    call: Call
    parameters: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.place, *self.call.key, parameters_key(self.parameters))


@dataclass
class Patience:
    """How long a call is tried, and how turns of slow ones are waited for."""

    seconds: float = 120.0
    first_pause: float = 1.0
    pacer: Callable[[], Pacer] = field(default=Pacer)


def read_estate(
    options: CollectOptions, sources: tuple[Source, ...], cache: Cache, patience: Patience
) -> tuple[Answer, ...]:
    """Ask everything, and give all answers.

    Raises `NothingCollected` when nothing may be read, `InputError` for what is no scope.
    """
    reading = _Reading(options, sources, cache, patience)
    try:
        return reading.answers()
    finally:
        reading.close()


class _Reading:
    """All calls of a run, a bounded number at once."""

    def __init__(
        self,
        options: CollectOptions,
        sources: tuple[Source, ...],
        cache: Cache,
        patience: Patience,
    ) -> None:
        self._options, self._cache, self._project = options, cache, sources[0].project
        wires = [
            one.wire(patience=patience.seconds, first_pause=patience.first_pause)
            for one in sources
        ]
        self._wire = wires[0]
        #: Wires take turns at slow calls: the quota is of the project that pays.
        paced = [(wire, _pacers(patience)) for wire in wires]
        self._slow = cycle(paced)
        self._pacers = [pacer for _, pacers in paced for pacer in pacers.values()]
        self._sources = len(sources)
        self._waiting: deque[_Task] = deque()
        self._under_way = 0
        self._seen: set[tuple[str, str, str, str]] = set()
        self._answers: list[Answer] = []
        self._closed: dict[tuple[str, str], Refusal] = {}
        self._roots: tuple[str, ...] = ()
        self._numbers: dict[str, str] = {}
        self._pool = ThreadPoolExecutor(options.max_workers, thread_name_prefix="gcp")
        self._slow_pool = ThreadPoolExecutor(1, thread_name_prefix="gcp-slow")

    def answers(self) -> tuple[Answer, ...]:
        """Make all calls. Interrupted, it lets those under way go and starts no more."""
        self._roots = self._read_roots()
        for stage in Stage:
            if stage is not Stage.ROOTS:
                self._made(stage)
        if all(one.response is None for one in self._answers):
            raise self._nothing()
        return tuple(self._answers)

    def close(self) -> None:
        """Start no further call."""
        for pacer in self._pacers:
            pacer.stop()
        for pool in (self._pool, self._slow_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    # -- what to read ----------------------------------------------------------------------

    def _read_roots(self) -> tuple[str, ...]:
        given = list(asked_for(self._options)) or list(self._visible())
        for scope in given:
            call = _must(MANAGERS, f"{scope.partition('/')[0]}.get")
            self._add(_Task(scope, call, {"name": scope}))
        self._drain(Stage.ROOTS)
        estate = Estate(self._answers, given)
        roots = tuple(dict.fromkeys(map(estate.scope, given)))
        # What lies below another root is read with that.
        return tuple(root for root in roots if not set(estate.lineage(root)) & set(roots) - {root})

    def _visible(self) -> Iterator[str]:
        """Give what may be seen: organizations, else projects, else the project of the
        credentials."""
        for method, items in (
            ("organizations.search", "organizations"),
            ("projects.search", "projects"),
        ):
            self._add(_Task("", _must(MANAGERS, method), {}))
            self._drain(Stage.ROOTS)
            found = [
                str(
                    item.get("name")
                    if items == "organizations"
                    else f"projects/{item['projectId']}"
                )
                for _, response in Answers(self._answers).of(MANAGERS, method)
                for item in listed(response, items)
                if item.get("name") and (items == "organizations" or item.get("projectId"))
            ]
            if found:
                yield from found
                return
        if self._project:
            yield f"projects/{self._project}"
            return
        raise self._nothing()

    # -- stages ----------------------------------------------------------------------------

    def _made(self, stage: Stage) -> None:
        """Make the calls of a stage, and those that their answers lead to."""
        estate = Estate(self._answers, self._roots)
        self._numbers = {name: estate.number(f"projects/{name}") for name in estate.ids}
        for call in CALLS:
            if call.stage is stage and call.each is not None:
                for place, parameters in call.each(estate):
                    self._add(_Task(place, call, parameters))
        if stage is Stage.SLOW:
            self._say_how_long()
        self._drain(stage)
        if stage is Stage.BULK and all(_unauthenticated(one) for one in self._answers):
            raise self._nothing()

    def _nothing(self) -> NothingCollected:
        refused = next((one.error for one in self._answers if one.error), None)
        why = (refused.message or refused.code) if refused else "nothing is visible"
        return NothingCollected(
            f"nothing could be collected from Google Cloud ({why})", hint=_HINT
        )

    def _say_how_long(self) -> None:
        reads = sum(self._cache.get(*_of(task)) is None for task in self._waiting)
        if reads:
            self._options.progress(
                f"gcp deny policies and boundaries: {reads} reads or more, five a minute: "
                f"{duration(reads, self._sources)} or more"
                + ("" if self._cache.answers else "; --cache FILE keeps them")
            )

    def _add(self, task: _Task) -> None:
        made = _Task(task.place, task.call, {**task.call.fixed, **task.parameters})
        if made.key in self._seen or not self._wanted(made):
            return
        self._seen.add(made.key)
        self._waiting.append(made)

    def _wanted(self, task: _Task) -> bool:
        """Is a call about a region that is asked for?"""
        location = task.parameters.get("_location")
        return not location or not self._options.regions or location in self._options.regions

    def _drain(self, stage: Stage) -> None:
        done = count(1)

        def land(task: _Task, one: Answer) -> None:
            self._land(task, one)
            self._tell(stage, next(done))

        call_all(self._options.max_workers, self._start, land)

    def _tell(self, stage: Stage, done: int) -> None:
        left = len(self._waiting) + self._under_way
        if not left or not done % (5 if stage is Stage.SLOW else 50):
            self._options.progress(f"gcp {_SAID[stage]} … {done}/{done + left}")

    def _start(self) -> tuple[_Task, Future[Answer]] | None:
        if not self._waiting:
            return None
        task = self._waiting.popleft()
        self._under_way += 1
        if task.call.slow:
            return task, self._slow_pool.submit(self._ask_slowly, task)
        return task, self._pool.submit(self._ask, task)

    def _ask(self, task: _Task, wire: Wire | None = None, turn: Any = None) -> Answer:
        project = task.place.removeprefix("projects/")
        response: dict[str, Any] | None = None
        host = task.call.address(task.parameters)
        refused = self._closed.get((task.place, task.call.service)) or self._closed.get(("", host))
        if refused is None:
            response, refused = (wire or self._wire).ask(
                task.call,
                task.parameters,
                project=project,
                number=self._numbers.get(project, ""),
                turn=turn or _at_once,
            )
        if refused and refused.code in _WHOLE_SERVICE:
            self._closed[task.place, task.call.service] = refused
        if refused and refused.code in _WHOLE_HOST:
            self._closed["", host] = refused
        return answer(task.place, task.call.key, task.parameters, response, refused)

    def _ask_slowly(self, task: _Task) -> Answer:
        known = self._cache.get(*_of(task))
        if known is not None:
            return known
        wire, pacers = next(self._slow)
        one = self._ask(task, wire, pacers[task.call.service].turn)
        self._cache.put(one)
        return one

    def _land(self, task: _Task, one: Answer) -> None:
        self._under_way -= 1
        self._answers.append(one)
        if one.response is None:
            return
        for call in further(task.call.key):
            for place, parameters in call.after[task.call.key](
                task.place, task.parameters, one.response
            ):
                self._add(_Task(place, call, parameters))


_SAID: Final = {
    Stage.ROOTS: "scopes above",
    Stage.BULK: "assets and allow policies",
    Stage.TREE: "folders and projects",
    Stage.PLACES: "projects",
    Stage.REGIONS: "regions of Vertex AI",
    Stage.SLOW: "deny policies and boundaries",
    Stage.NAMED: "roles and groups",
}


def check(options: CollectOptions) -> None:
    """Raise `InputError` for a scope that is none, before anybody signs in."""
    tuple(asked_for(options))


def asked_for(options: CollectOptions) -> Iterator[str]:
    """Give the scopes that the command line names. Raises `InputError` for what is none."""
    for name in options.scopes:
        scope = scope_name(name)
        if not scope:
            raise InputError(
                f"`{name}` is not a scope of Google Cloud",
                place="--scope",
                hint="such as organizations/123, folders/456 or projects/my-project",
            )
        yield scope
    for kind in _KINDS:
        for name in options.settings.get(kind.removesuffix("s"), ()):
            scope = scope_name(name) or scope_name(f"{kind}/{name}")
            if not scope.startswith(kind):
                raise InputError(f"`{name}` is not an id", place=f"--{kind.removesuffix('s')}")
            yield scope


def _pacers(patience: Patience) -> dict[str, Pacer]:
    """Deny policies have a quota of their own, boundaries and access policies one together."""
    return {"iam.v2": patience.pacer(), "iam.v3": patience.pacer()}


def _must(service: str, method: str) -> Call:
    call = call_of((service, method))
    assert call is not None, method
    return call


def _of(task: _Task) -> tuple[str, Call, dict[str, Any]]:
    return task.place, task.call, task.parameters


def _unauthenticated(one: Answer) -> bool:
    return one.response is None and one.error is not None and one.error.code in _NO_ONE


def _at_once() -> None:
    return None
