"""One principal as it asks: all that is on its side of a request, and the question itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Layers, Request, Unread
from modelreach.policy.aws.principals import Caller
from modelreach.policy.aws.region import decide_any
from modelreach.policy.decision import Decision
from modelreach.snapshot import Principal

#: Condition keys that are fixed, with their values.
Fixed = Mapping[str, tuple[str, ...]]


class Asker(msgspec.Struct, frozen=True):
    """One principal with all that is on its side of a request."""

    estate: Estate
    name: str
    principal: Principal
    caller: Caller
    layers: Layers
    fixed: Fixed

    @staticmethod
    def of(estate: Estate, name: str, fixed: Fixed) -> Asker:
        """Raises KeyError when the snapshot has no such principal."""
        principal = estate.principal(name)
        if principal is None:
            raise KeyError(name)
        caller = estate.caller(principal)
        layers = estate.principal_layers(name)
        return Asker(estate, name, principal, caller, layers, fixed)

    def decide(
        self,
        action: str,
        arn: str,
        listed: str,
        account: str,
        extra: Fixed | None = None,
        *,
        unread: tuple[Unread, ...] = (),
        among_many: bool = False,
    ) -> Decision:
        """Decide one action on one ARN.

        `listed` is the listed resource (or role) that the ARN is, or is part of, "" when it is
        none; `account` owns it. `among_many`: the ARN is a pattern, and the question is whether
        there is such a resource. `unread` is what was not read of the resource besides.
        """
        fixed = {**self.fixed, **extra} if extra else self.fixed
        context = self.estate.context(self.caller, self.principal, listed, account, fixed)
        theirs = self.estate.resource_layers(listed, account)
        layers = replace(
            theirs,
            identity=self.layers.identity,
            boundaries=self.layers.boundaries,
            scps=self.layers.scps,
            session=self.layers.session,
            unread=(*self.layers.unread, *theirs.unread, *unread),
        )
        request = Request(self.caller, action, arn, account, context)
        return decide_any(request, layers) if among_many else decide(request, layers)
