"""What the rest of the program has to know of a provider, beside its engine.

Each provider's package has a module `provider` with one `PROVIDER`. That module is cheap to
import: what the engine needs is loaded when an engine is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from modelreach.model import Sensitivity
from modelreach.policy.engine import Engine
from modelreach.snapshot import Credential, Facts, Scope, Variety

#: Condition keys that a deployment declares, with their values.
Context = tuple[tuple[str, tuple[str, ...]], ...]
#: Globs over secrets, each with the principal whose credentials they hold.
Opens = tuple[tuple[str, str], ...]


class Hanging(Protocol):
    """Says what answers about principals hang on, in an estate of this provider alone."""

    def of(self, name: str, engine: Engine) -> bytes:
        """Give, in a writing of the provider's own, what the answer about a principal hangs on."""
        ...

    def holds(self, raw: bytes) -> bool:
        """Is all of it as it was?"""
        ...

    def holds_apart(self, raw: bytes) -> bool:
        """Is all of it as it was, and all by which identities elsewhere let in somebody of the
        same place, whether or not that is of use to the principal?"""
        ...

    def renewed(self, raw: bytes) -> bytes:
        """Give what holds as it is now."""
        ...

    def keep(self) -> None:
        """Have kept what later comparisons need."""
        ...


class OfPart(msgspec.Struct, frozen=True):
    """What is derived of each part of an estate's facts and of nothing else, and remembered: under
    which name, and how."""

    name: str
    derive: Callable[[Facts, str], object]


class Provider(msgspec.Struct, frozen=True):
    """One provider's tables.

    `classes`: resource kinds as a board reads them (secrets, keys, storage, databases, messaging,
    functions, identities, administration). `sensitive`: kinds that are sensitive whatever they
    hold, and why. `models`: kinds of runtime that serve a model or an agent, in the order in
    which they are listed, each with the provider word of a manifest and a description.
    `identities`: the prefix that makes a principal's kind a resource kind. `qualified` gives the
    id of a principal as a manifest writes it, with the cluster that it names. `meant` gives the
    globs of actions, in lower case, that somebody means who writes one; `placed` the glob of
    resource ids; `family` the glob of all actions of the same service. `stored` are kinds of
    resource that keep a credential of somebody else's service, with what that is called, and
    `fetches` the actions, in lower case, that hand it out. `listing` are kinds of keys that are a
    resource's and nobody's, with the actions that hand them out; `model_keys` those of them that
    call models. `caller` says what a key is called that calls the models of its scope past
    whatever guards a deployment ("" for any other key). `hanging` says of an estate's facts what
    answers hang on, more closely than on all of them; without it no answer outlives any change.
    `of_part` gives what of that hangs on one part alone, so that it can be worked out elsewhere.
    `owns` says whether an id is of a provider of which no snapshot has facts: only manifests tell
    who that is. `hinges` gives the scopes (of those given, by id) whose own roles decide whom a
    statement means, by its text. `unknown` says of facts of the provider whether its engine
    passes over them, as it knows nothing of such.
    """

    name: str
    engine: Callable[[Facts, Context, Opens], Engine]
    classes: Mapping[str, str]
    sensitive: Mapping[str, tuple[Sensitivity, str]]
    models: Mapping[str, tuple[str, str]]
    identities: str
    qualified: Callable[[str, str], str] = lambda principal, _cluster: principal
    meant: Callable[[str], tuple[str, ...]] = lambda action: (action.lower(),)
    placed: Callable[[str], str] = lambda resource: resource
    family: Callable[[str], str] = lambda action: action.lower().partition(":")[0] + ":*"
    stored: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    fetches: frozenset[str] = frozenset()
    listing: Mapping[str, frozenset[str]] = msgspec.field(
        default_factory=dict[str, frozenset[str]]
    )
    model_keys: frozenset[str] = frozenset()
    caller: Callable[[Credential], str] = lambda _key: ""
    hanging: Callable[[Facts], Hanging] | None = None
    of_part: Callable[[], OfPart] | None = None
    owns: Callable[[str], bool] | None = None
    hinges: Callable[[str, Mapping[str, Scope]], Iterable[str]] | None = None
    unknown: Callable[[Variety], bool] = lambda _variety: False
