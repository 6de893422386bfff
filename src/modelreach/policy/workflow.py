"""Workflows of a forge behind the engine's door: they hold nothing but tokens that others let in.

What runs in a pipeline is told by the manifest alone: as the subject of its token, and by the
claims that its context declares. No snapshot has facts of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, Layer, Outcome
from modelreach.policy.engine import (
    Grant,
    Half,
    Opened,
    Pivot,
    Presence,
    Stranger,
    Support,
    Token,
)
from modelreach.policy.expr import FALSE
from modelreach.policy.permissions import EMPTY, PermissionSet
from modelreach.policy.provider import Context
from modelreach.snapshot import Credential, Principal, Runtime

Claims = Mapping[str, tuple[str, ...]]


class Workflow(msgspec.Struct, frozen=True):
    """What a subject says of a workflow: whose it is, and which claims go with it."""

    name: str
    owner: str
    claims: Claims
    strangers: tuple[Stranger, ...] = ()


class Forge(msgspec.Struct, frozen=True):
    """One forge: the issuer of its tokens where none is declared, the claims that a manifest may
    declare, and how its subjects are read."""

    provider: str
    issuer: str
    declared: frozenset[str]
    read: Callable[[str], Workflow | None]


class WorkflowEngine:
    """Answers `modelreach.policy.engine.Engine` for the workflows of a forge."""

    def __init__(self, forge: Forge, context: Context = ()) -> None:
        self.provider = forge.provider
        self.forge = forge
        self.context = context
        self._read: dict[str, Workflow | None] = {}

    def _workflow(self, name: str) -> Workflow | None:
        if name not in self._read:
            self._read[name] = self.forge.read(name)
        return self._read[name]

    def principal(self, principal: str) -> Principal | None:
        """A workflow by the subject of its token."""
        found = self._workflow(principal)
        if found is None:
            return None
        return Principal(
            id=principal,
            provider=self.provider,
            kind="workflow",
            scope=found.owner,
            name=found.name,
        )

    def decide(
        self, principal: str, action: str, resource: str, context: Claims | None = None
    ) -> Decision:
        """Nothing is granted to a workflow itself."""
        if self._workflow(principal) is None:
            raise KeyError(principal)
        blocked = (Layer.IDENTITY,)
        return Decision(Verdict.DENY, Outcome.IMPLICIT_DENY, FALSE, blocked_by=blocked)

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """It holds nothing by itself."""
        return ()

    def permissions(self, principal: str) -> PermissionSet:
        """It holds nothing by itself."""
        return EMPTY

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """It holds nothing by itself."""
        return ()

    def scope_kind(self, scope: str) -> str:
        """Who owns the workflow's project."""
        return "organization"

    def runtime(self, name: str) -> Runtime | None:
        """A workflow is its own identity."""
        return None

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """Its tools are in its manifest."""
        return ()

    def calls(self, principal: str, runtime: str) -> Iterable[Pivot]:
        """Nothing that runs in a pipeline is called as a tool."""
        return ()

    def explain(self, decision: Decision) -> tuple[str, ...]:
        """Why nothing is granted."""
        return ("a workflow acts by the identities that let its token in, not by itself",)

    def opened_by(self, credential: Credential) -> Opened:
        """No credential of a workflow outlives it."""
        return Opened("", "a workflow has no credentials that last")

    def tokens(self, principal: str) -> Iterable[Token]:
        """The token that a job asks for, for any audience that it likes."""
        found = self._workflow(principal)
        if found is None:
            return ()
        declared = self._declared()
        issuer = next(iter(declared.get("iss", (self.forge.issuer,))))
        claims = {**found.claims, **{k: v for k, v in declared.items() if k not in ("iss", "aud")}}
        return (
            Token(
                issuer=issuer.removeprefix("https://").rstrip("/"),
                subject=principal,
                audiences=declared.get("aud", ()),
                claims=claims,
                strangers=found.strangers,
            ),
        )

    def _declared(self) -> dict[str, tuple[str, ...]]:
        """Claims that the manifest declares, by their name or as a condition key of the issuer."""
        named = ((key.rpartition(":")[2], values) for key, values in self.context)
        return {name: values for name, values in named if name in self.forge.declared}

    def possible(self, principal: str) -> Iterable[Token]:
        """A job needs nobody's word to show its token."""
        return ()

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A forge is nobody's cloud."""
        return ()

    def naming(self, token: Token) -> Iterable[Support]:
        """A forge names nobody."""
        return ()

    def halves(self, principal: str) -> Iterable[Half]:
        """None but by tokens."""
        return ()

    def presence(self, name: str) -> Presence:
        """What is declared is there."""
        return Presence.LISTED if self._workflow(name) is not None else Presence.ABSENT

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """It becomes others by its token only."""
        return ()
