"""The engine against the slow reference evaluator on cases that nobody wrote, and its laws."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from modelreach.model import Verdict
from modelreach.policy.expr import FALSE, TRUE, Atom, assign, atoms
from modelreach.policy.gcp.cases import decide
from modelreach.policy.gcp.enforcement import qualified
from modelreach_reference.gcp import answers, count_completions
from modelreach_reference.gcp_cases import Agreement, agreement, random_case, shrink

MOST_COMPLETIONS = 256
RANK = {Verdict.DENY: 0, Verdict.UNKNOWN: 1, Verdict.CONDITIONAL: 1, Verdict.ALLOW: 2}


def contradicts(record: dict[str, Any]) -> bool:
    if count_completions(record) > MOST_COMPLETIONS:
        return False
    return agreement(str(decide(record).verdict), answers(record)) is Agreement.NONE


@pytest.mark.parametrize("part", range(3))
def test_cases_agree(part: int) -> None:
    counts: Counter[Agreement] = Counter()
    for number in range(part * 1000, part * 1000 + 1000):
        record = random_case(f"test/{number}")
        if count_completions(record) > MOST_COMPLETIONS:
            continue
        verdict, found = str(decide(record).verdict), answers(record)
        stands = agreement(verdict, found)
        counts[stands] += 1
        if stands is Agreement.NONE:
            small = shrink(record, contradicts)
            shown = f"engine {decide(small).verdict}, reference {answers(small)}"
            pytest.fail(f"{number}: {shown}\n{json.dumps(small, indent=1)}")
    assert counts[Agreement.FULL] > 950
    assert counts[Agreement.WEAKER] <= 10


def _records(name: str, number: int = 150) -> list[dict[str, Any]]:
    return [random_case(f"{name}/{n}") for n in range(number)]


def test_adding_an_allow_takes_nothing_away() -> None:
    for record in _records("allow"):
        more = copy.deepcopy(record)
        more["bindings"] += random_case(f"more/{record['request']}")["bindings"]
        assert RANK[decide(more).verdict] >= RANK[decide(record).verdict]


@pytest.mark.parametrize("limit", ["denies", "boundaries"])
def test_adding_a_limit_adds_nothing(limit: str) -> None:
    """A boundary adds nothing to who is within none; to who is, it may add what it lists."""
    for number, record in enumerate(_records(limit)):
        if limit == "boundaries":
            record["boundaries"] = []
        more = copy.deepcopy(record)
        found = [random_case(f"limit/{number}/{n}")[limit] for n in range(4)]
        more[limit] += [one for some in found for one in some][:1]
        assert RANK[decide(more).verdict] <= RANK[decide(record).verdict]


def test_a_deny_trumps_every_allow() -> None:
    for record in _records("deny"):
        denied = copy.deepcopy(record)
        rule = {
            "deniedPrincipals": ["principalSet://goog/public:all"],
            "deniedPermissions": [qualified(denied["request"]["permission"])],
        }
        denied["denies"].append({"target": "organizations/1", "rules": [rule]})
        assert decide(denied).verdict is Verdict.DENY


def test_order_and_duplicates_do_not_matter() -> None:
    rng = random.Random(7)
    for record in _records("order"):
        other = copy.deepcopy(record)
        for name in ("bindings", "denies", "boundaries", "gaps"):
            other[name] = other[name] + other[name]
            rng.shuffle(other[name])
        first, second = decide(record), decide(other)
        assert (first.verdict, first.residual) == (second.verdict, second.residual)


def test_what_is_conditional_is_settled_by_every_request() -> None:
    """Whatever the path turns out to be: what is left hangs on it no more, and agrees."""
    for record in _records("settled", 250):
        record["request"]["context"] = {}
        before = decide(record)
        for path in ("/x", "/y"):
            record["request"]["context"] = {"request.path": path}
            after = decide(record)
            told = assign(before.residual, _as_told(path))
            assert _PATH not in {atom.key for atom in atoms(after.residual)}
            settled = after.verdict in (Verdict.ALLOW, Verdict.DENY)
            assert after.residual == told or settled == (told in (TRUE, FALSE))


_PATH = "request.path == '/x'"


def _as_told(path: str) -> Callable[[Atom], bool | None]:
    return lambda atom: path == "/x" if atom.key == _PATH else None
