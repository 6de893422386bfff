"""Principals of AWS in brief: see `modelreach.policy.brief`."""

from __future__ import annotations

from collections.abc import Mapping

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.brief_grants import Holdings
from modelreach.policy.aws.brief_hops import Hops
from modelreach.policy.aws.counted import Counter
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.brief import Brief
from modelreach.policy.engine import Grant
from modelreach.policy.permissions import PermissionSet


class Briefs:
    """Gives principals of one estate in brief."""

    def __init__(self, estate: Estate, shelving: Shelving) -> None:
        self._holdings = Holdings(shelving)
        self._counter = Counter(estate)
        self._hops = Hops(estate, shelving)

    def of(
        self, asker: Asker, held: PermissionSet, secrets: Mapping[str, tuple[str, ...]]
    ) -> Brief:
        """Give a principal in brief. `held` is its effective permission set, `secrets` are those
        that open somebody."""
        alone: list[Grant] = []
        holdings = tuple(self._holdings.of(asker, alone))
        patterns = self._counter.count(held, asker.principal.scope)
        hops = self._hops.of(asker, held, secrets)
        return Brief(hops, holdings, tuple(alone), patterns)
