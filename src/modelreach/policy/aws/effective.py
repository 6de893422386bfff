"""What the policies on the principal's side let it do, as one expression over their layers.

(union of the identity allows) & boundary & every SCP level & session - the denies of all layers.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html

Resource policies, and what they give past a boundary or a session, are the engine's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.digests import sha256
from modelreach.policy.aws.statement import ANYTHING, Effect, Patterns, Statement
from modelreach.policy.decision import StatementRef
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of
from modelreach.policy.permissions import ALL, Box, Extent, PermissionSet


class Applied(msgspec.Struct, frozen=True, gc=False):
    """A statement as it applies to the principal. `under` is what must hold besides its own
    conditions for it to apply: that a policy exists which was not read, for one."""

    statement: Statement
    ref: StatementRef
    under: Expr = TRUE


Statements = Sequence[Applied]


class PrincipalSide(msgspec.Struct, frozen=True):
    """The statements of each layer on the principal's side. None: the layer takes no part; a
    layer, or a level of `scps`, without statements allows nothing.

    `identity` holds the statements of the principal's own and its groups' policies, `scps` one
    sequence a level of the organisation.
    """

    identity: Statements = ()
    boundary: Statements | None = None
    scps: Sequence[Statements] | None = None
    session: Statements | None = None

    def limits(self) -> Iterator[Statements]:
        """Give each layer that has to allow besides the identity policies."""
        yield from self.scps or ()
        for layer in (self.boundary, self.session):
            if layer is not None:
                yield layer


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A resource pattern with a policy variable that is not known: `glob` is all that it could
    match, and it matches there only where `when` holds."""

    glob: str
    when: Expr


Substitute = Callable[[Statement, str], str | Opened | None]


def as_written(statement: Statement, pattern: str) -> str:  # noqa: ARG001 - a substitute
    """Take a resource pattern as it is: for principals whose policies hold no variables."""
    return pattern


def effective(
    side: PrincipalSide,
    condition: Callable[[Statement], Expr],
    substitute: Substitute = as_written,
) -> PermissionSet:
    """Give what the principal's side lets it do.

    `condition` gives what must hold for the conditions of a statement to be met. `substitute`
    gives the glob for a resource pattern with policy variables in it, None where it can never
    match, or what it leaves open. The statements behind a box are those of the identity layer:
    the limits grant nothing.
    """
    reader = Reader(condition, substitute)
    return within(reader.said(side.identity), Limits.of(map(reader.said, side.limits())))


class Said(msgspec.Struct, frozen=True):
    """What the statements of one layer allow and deny. `denied` is not simplified."""

    allowed: PermissionSet
    denied: tuple[Box, ...]


class Limits(msgspec.Struct, frozen=True):
    """What the layers besides the identity policies have to allow, each, and what they deny."""

    allowed: tuple[PermissionSet, ...]
    denied: tuple[Box, ...]
    taken: PermissionSet

    @staticmethod
    def of(layers: Iterable[Said]) -> Limits:
        """Take layer by layer."""
        said = tuple(layers)
        denied = tuple(box for layer in said for box in layer.denied)
        allowed = tuple(layer.allowed.without_reasons() for layer in said)
        return Limits(allowed, denied, PermissionSet.of(denied))


def within(own: Said, limits: Limits, work: int | None = None) -> PermissionSet:
    """Give what the identity policies allow, as far as all limits do, and nobody denies it. `work`
    is how much may be done for each step of it: see `PermissionSet.less`."""
    return measured(own, limits, work)[0]


def measured(own: Said, limits: Limits, work: int | None = None) -> tuple[PermissionSet, int]:
    """Give what `within` does, and in how many pieces that was at most: see `MAX_BOXES`."""
    permitted, most = own.allowed, 0
    for limit in limits.allowed:
        permitted, pieces = permitted.common(limit, work)
        most = max(most, pieces)
    taken = PermissionSet.of((*own.denied, *limits.denied)) if own.denied else limits.taken
    left, pieces = permitted.less(taken, work)
    return left, max(most, pieces)


class Reader(msgspec.Struct, frozen=True):
    """Turns statements into boxes: see `effective`."""

    condition: Callable[[Statement], Expr]
    substitute: Substitute = as_written

    def said(self, layer: Statements) -> Said:
        """Give what a layer says."""
        allowed = PermissionSet.of(self._of(layer, Effect.ALLOW))
        return Said(allowed, tuple(self._of(layer, Effect.DENY)))

    def _of(self, layer: Statements, effect: Effect) -> Iterator[Box]:
        for applied in layer:
            if applied.statement.effect is effect:
                yield from self._boxes(applied)

    def _boxes(self, applied: Applied) -> Iterator[Box]:
        statement = applied.statement
        met, doubt = self.condition(statement), _doubt(applied)
        sure = applied.under is TRUE and doubt is TRUE
        when = met if sure else all_of((applied.under, met, doubt))
        if when == FALSE:
            return
        patterns, opened = self._resources(statement)
        box = Box(extent_of(statement.actions), extent_of(patterns), when, (applied.ref,))
        if patterns.negated:
            yield from _spared(box, opened)
            return
        yield box
        for one in opened:
            resources = extent_of(Patterns((one.glob,)))
            yield replace(box, resources=resources, condition=all_of((when, one.when)))

    def _resources(self, statement: Statement) -> tuple[Patterns, list[Opened]]:
        """Give the patterns that are known once filled in, and those that stay open."""
        patterns = statement.resources or ANYTHING
        if not statement.variables or not _has_variables(patterns):
            return patterns, []
        filled = [
            self.substitute(statement, glob) if "${" in glob else glob for glob in patterns.globs
        ]
        known = tuple(glob for glob in filled if isinstance(glob, str))
        opened = [glob for glob in filled if isinstance(glob, Opened)]
        return Patterns(known, patterns.negated), opened


def _spared(box: Box, opened: list[Opened]) -> Iterator[Box]:
    """NotResource with patterns that stay open: the box keeps what these do not match."""
    left = [box]
    for one in opened:
        spared = Box(ALL, extent_of(Patterns((one.glob,))), one.when)
        left = [piece for kept in left for piece in kept - spared]
    yield from left


def _has_variables(patterns: Patterns) -> bool:
    for glob in patterns.globs:  # noqa: SIM110 - on the hot path
        if "${" in glob:
            return True
    return False


@lru_cache(1 << 14)
def extent_of(patterns: Patterns) -> Extent:
    """Give what patterns match."""
    if patterns.negated:
        return Extent.globs(ANYTHING.globs, outside=patterns.globs)
    return Extent.globs(patterns.globs)


def _doubt(applied: Applied) -> Expr:
    """A statement that was not understood applies or does not: an atom of its own.

    The digest of the text keeps two statements apart that were not understood for one reason.
    """
    faults = faults_of(applied.statement)
    if not faults:
        return TRUE
    ref, text = applied.ref, applied.statement.text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    place = f"{ref.layer} policy {ref.policy}, statement {ref.sid or ref.index}"
    return Atom(AtomKind.OPAQUE, place, f"{applied.statement.effect} {digest}", faults)


def faults_of(statement: Statement) -> tuple[str, ...]:
    """Give what of a statement is not understood, or out of place: all layers on the principal's
    side name resources and no principal."""
    faults = list(statement.not_understood)
    if statement.resources is None:
        faults.append("there is neither Resource nor NotResource")
    if statement.principals is not None:
        faults.append("there is a Principal in a policy that has none")
    return tuple(faults)


def unreadable(problems: tuple[str, ...], ref: StatementRef) -> tuple[Applied, Applied]:
    """Give what stands for a document that could not be read: it may allow and deny anything.

    `ref` names the policy; the text of the document, or its digest, should be in it.
    """

    def standing(effect: Effect) -> Applied:
        text = ref.text or ref.document
        statement = Statement(
            ref.index,
            ref.sid,
            effect,
            ANYTHING,
            ANYTHING,
            None,
            text=text,
            not_understood=problems,
        )
        return Applied(statement, ref)

    return standing(Effect.ALLOW), standing(Effect.DENY)
