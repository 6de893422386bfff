"""The rules, one module each; the list below is all there are."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.judge.finding import Case, Finding, order, settled
from modelreach.judge.rules.administration import AdministrationRoute
from modelreach.judge.rules.excess import ExcessPrivilege
from modelreach.judge.rules.gone_identity import GoneIdentity
from modelreach.judge.rules.half_federation import HalfFederation
from modelreach.judge.rules.long_lived_key import LongLivedKey
from modelreach.judge.rules.sensitive import SensitiveReach
from modelreach.judge.rules.wide_trust import WideTrust

ALL = (
    SensitiveReach(),
    AdministrationRoute(),
    ExcessPrivilege(),
    LongLivedKey(),
    HalfFederation(),
    WideTrust(),
    GoneIdentity(),
)


def judge(case: Case) -> tuple[Finding, ...]:
    """Give all findings on one side, worst first, after the user's settings."""
    return tuple(sorted(_judged(case), key=order))


def _judged(case: Case) -> Iterator[Finding]:
    settings = dict(case.policy.rules)
    for rule in ALL:
        for finding in rule.judge(case):
            kept = settled(finding, settings.get(rule.ID))
            if kept is not None:
                yield kept
