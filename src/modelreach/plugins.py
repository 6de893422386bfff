"""Connectors, renderers, readers of evidence and importers of manifests, found by entry point;
choosing one imports it and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import msgspec

from modelreach.installed import point, points
from modelreach.model import InputError, MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

    from modelreach.draft.files import SourceFile
    from modelreach.draft.said import Said, Secret
    from modelreach.evidence.attempts import Evidence
    from modelreach.evidence.files import ReadOptions, ReportFiles
    from modelreach.report import Report, Ticket
    from modelreach.snapshot import Snapshot

CONNECTORS = "modelreach.connectors"
RENDERERS = "modelreach.renderers"
TERMINAL = "modelreach.terminal"
TICKETS = "modelreach.tickets"
EVIDENCE = "modelreach.evidence"
MANIFESTS = "modelreach.manifests"
STATE_PAGES = "modelreach.state-pages"


_T = TypeVar("_T")
_R = TypeVar("_R")


class Spread(Protocol):
    """Processes, here or on other machines, that do one work on many items."""

    def each(self, work: Callable[[_T], _R], items: Sequence[_T]) -> Iterator[tuple[int, _R]]:
        """Give the result of each item with its place, in any order. The work and its items are
        pickled. Raises what the work raises."""
        ...


class CollectOptions(msgspec.Struct, frozen=True):
    """What the command line passes to a connector; each takes what it knows.

    `now` is RFC 3339 UTC and becomes `taken_at`. `sources` are `--from` paths (replay or
    exports); `record` is where raw answers are kept. `scopes` are what to read (projects,
    organizations, subscriptions…, in the provider's spelling), everything visible without one;
    `tenant` is the directory to sign in to. `settings` are all options that only this provider
    knows, by name (`quota-project`). `progress` takes one line of text. With `spread`, places
    are read by other processes, where the connector can (`Spreading`).
    """

    now: str
    sources: tuple[Path, ...] = ()
    record: Path | None = None
    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    tenant: str = ""
    assume_roles: tuple[str, ...] = ()
    external_id: str = ""
    endpoint_url: str = ""
    max_workers: int = 8
    timeout: float = 10.0
    progress: Callable[[str], None] = lambda _: None
    settings: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, tuple[str, ...]]
    )
    spread: Spread | None = None


class CallPermission(msgspec.Struct, frozen=True):
    """One call of a connector, and the permission that it needs. `feeds` is why it is made."""

    service: str
    operation: str
    permission: str
    feeds: str


class Connector(Protocol):
    """A provider. `collect` does I/O and gives facts (by its own `parse`, which does none)."""

    name: str

    def collect(self, options: CollectOptions) -> Snapshot:
        """Read the estate, or replay `options.sources`. Refused calls become gaps.

        Raises `NothingCollected` when nothing answered, `InputError` for unusable sources.
        """
        ...

    def calls(self) -> Sequence[CallPermission]:
        """Every call that `collect` may make."""
        ...

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """The least-privilege read policy, whole or for these permissions only."""
        ...


@runtime_checkable
class Spreading(Protocol):
    """A connector that reads places in other processes, where it is given a `Spread`."""

    spreads: bool


@runtime_checkable
class InParts(Protocol):
    """A connector whose provider takes no policy beyond a size, so that it may take several."""

    def policies(
        self, permissions: Sequence[str] | None = None
    ) -> tuple[Mapping[str, object], ...]:
        """The read policy in as few documents as the provider takes it in."""
        ...


class Renderer(Protocol):
    """A form of output: bytes, or the files of a folder by name. `suffixes` are the file name
    endings that choose it."""

    suffixes: tuple[str, ...]

    def __call__(self, report: Report) -> bytes | Mapping[str, bytes]: ...


class EvidenceReader(Protocol):
    """A form of evaluation report. Reading does no I/O."""

    name: str

    def recognises(self, report: ReportFiles) -> bool:
        """Does it look like a report of this tool? Decides nothing about whether it is whole."""
        ...

    def read(self, report: ReportFiles, options: ReadOptions) -> tuple[Evidence, ...]:
        """Give the report's evidence, one for each target that it is about.

        Raises `InputError` for a report that is malformed, cut short, or cannot be understood
        without more being said in the options.
        """
        ...


class ManifestImporter(Protocol):
    """A form of file that says something of a release. Reading does no I/O.

    `what` is what people call such a file.
    """

    what: str

    def recognises(self, file: SourceFile) -> bool:
        """Does it look like such a file? One file may be of several forms."""
        ...

    def read(self, file: SourceFile) -> Iterable[Said | Secret]:
        """Give what the file says, value by value; of secrets, only where they stand."""
        ...


def policies(
    connector: Connector, permissions: Sequence[str] | None = None
) -> tuple[Mapping[str, object], ...]:
    """Give the read policy in the documents that its provider takes: one, unless it says so."""
    if isinstance(connector, InParts):
        return connector.policies(permissions)
    return (connector.policy(permissions),)


def _load(group: str, name: str, what: str) -> object:
    found = point(group, name)
    if found is None:
        known = ", ".join(names(group)) or "none"
        raise InputError(f"unknown {what} `{name}`", hint=f"known: {known}")
    try:
        return found.load()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("modelreach"):
            raise
        raise MissingExtra(_EXTRA.get(name, name), f"{what} `{name}`") from error


#: Which extra brings what a plug-in imports, where it is not the plug-in's own name.
_EXTRA = {
    "dot": "graph",
    "svg": "graph",
    "png": "graph",
    "csv": "tables",
    "parquet": "parquet",
    "xlsx": "tables",
}


def names(group: str) -> tuple[str, ...]:
    """Give the names of all installed plug-ins of a group, sorted; loads none."""
    return tuple(sorted({one.name for one in points(group)}))


def connector(name: str) -> Connector:
    """Give the connector of that name. Raises `InputError` or `MissingExtra`."""
    factory = _load(CONNECTORS, name, "provider")
    return factory()  # type: ignore[operator,no-any-return]


def renderer(name: str) -> Renderer:
    """Give the renderer of that format name. Raises `InputError` or `MissingExtra`."""
    return _load(RENDERERS, name, "format")  # type: ignore[return-value]


def evidence_reader(name: str) -> EvidenceReader:
    """Give the reader of that tool's reports. Raises `InputError` or `MissingExtra`."""
    factory = _load(EVIDENCE, name, "kind of evidence")
    return factory()  # type: ignore[operator,no-any-return]


def manifest_importers() -> tuple[ManifestImporter, ...]:
    """Give every importer of manifests, by name: which one reads a file, the file tells."""
    found = {one.name: one for one in points(MANIFESTS)}
    loaded = (one.load() for _, one in sorted(found.items()))
    return tuple(importer() for importer in loaded)  # type: ignore[operator]


def terminal(name: str) -> Callable[..., bytes]:
    """Give what draws `report`, `gate`, `witness`, `finding` or `decision` on a terminal.

    Each takes the rows to show and the options `width`, `color` and `ascii_only`.
    """
    return _load(TERMINAL, name, "terminal form")  # type: ignore[return-value]


def ticket_form(name: str) -> Callable[[Ticket], bytes]:
    """Give what writes a change ticket: `md` or `json`."""
    return _load(TICKETS, name, "form of tickets")  # type: ignore[return-value]


def state_page(name: str) -> Callable[[Any], bytes]:
    """Give what writes a page of a state: `overview`, `timeline` or `audit`, from the value of
    that name in `modelreach.state.views`."""
    return _load(STATE_PAGES, name, "page of a state")  # type: ignore[return-value]


def state_problem() -> Callable[[str, str], bytes]:
    """Give what writes a page that says, under a title, what cannot be shown."""
    return _load(STATE_PAGES, "problem", "page of a state")  # type: ignore[return-value]
