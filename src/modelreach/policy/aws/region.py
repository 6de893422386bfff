"""Requests about any of many resources: `arn:aws:s3:::reports/*`, or `*`.

The resources are parted by which of the policies' patterns match them; each part is decided by one
resource of it. What any part allows is allowed: the question is whether there is such a resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.evaluate import relevant
from modelreach.policy.aws.layers import Layers, Policies, Request
from modelreach.policy.aws.loose import loosened
from modelreach.policy.aws.variables import Variable, template
from modelreach.policy.decision import Decision, Outcome
from modelreach.policy.expr import any_of
from modelreach.policy.glob import Cell, cells, is_literal

_PREFERRED = (Verdict.ALLOW, Verdict.CONDITIONAL, Verdict.UNKNOWN)


def decide_any(request: Request, layers: Layers) -> Decision:
    """Answer a request whose resource may hold `*` and `?`: is any such resource let?"""
    if is_literal(request.resource):
        return decide(request, layers)
    globs = sorted(set(_globs(request.action.lower(), layers)))
    parts = [_of_cell(request, layers, globs, cell) for cell in cells(globs, request.resource)]
    for verdict in _PREFERRED:
        found = [part for part in parts if part.verdict is verdict]
        if found:
            residual = any_of(part.residual for part in found)
            return replace(found[0], residual=residual)
    explicit = [part for part in parts if part.outcome is Outcome.EXPLICIT_DENY]
    return (explicit or parts)[0]


def _of_cell(request: Request, layers: Layers, globs: list[str], cell: Cell) -> Decision:
    found = decide(replace(request, resource=cell.sample), layers)
    if not cell.possibly:
        return found
    action = request.action.lower()
    spoken = (
        (policy, statement)
        for policy in every_policy(layers)
        for statement in relevant(policy.document, action)
    )
    open_ = frozenset(globs[place] for place in cell.possibly)
    return loosened(found, spoken, open_, request.resource, cell.sample)


def _globs(action: str, layers: Layers) -> Iterator[str]:
    for policy in every_policy(layers):
        for statement in relevant(policy.document, action):
            for glob in statement.resources.globs if statement.resources else ():
                parts = template(glob, True, statement.variables).parts
                yield "".join("*" if isinstance(part, Variable) else part for part in parts)


def every_policy(layers: Layers) -> Policies:
    """Give the policies of all layers."""
    levels = (*(layers.scps or ()), *(layers.rcps or ()))
    return (
        *layers.identity,
        *layers.resource,
        *(layers.boundaries or ()),
        *(layers.session or ()),
        *(layers.endpoint or ()),
        *layers.acl,
        *(policy for inner in layers.inner for policy in inner.policies),
        *(policy for level in levels for policy in level),
    )
