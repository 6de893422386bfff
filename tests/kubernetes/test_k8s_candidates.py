"""Where a subject has something is only looked up: to try every rule at everything is the same."""

from __future__ import annotations

import json
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.policy import providers
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.rules import rules
from modelreach.policy.kubernetes.holder import Subject
from modelreach.policy.kubernetes.names import cluster_of
from modelreach.snapshot import Binding, Facts, ManagedPolicy, Snapshot, canonical, document_id
from organisations import plan, whole

_RULES = rules("modelreach.policy.kubernetes")


def _needed(rng: Random) -> set[str]:
    """What one use of a rule needs, or most of that, and something else."""
    rule, other = rng.choice(_RULES), rng.choice(_RULES)
    ways = rng.sample(rule.any_of, min(len(rule.any_of), 2))
    needs = [*rule.needs, *(need for way in ways for need in way.needs), *other.needs[:1]]
    actions = {need.action for need in needs if need.action.count(":") == 2}
    return set(rng.sample(sorted(actions), rng.randint(1, len(actions)))) if actions else set()


def _rule(action: str, names: list[str], rng: Random) -> dict[str, list[str]]:
    group, resource, verb = action.split(":")
    found = {"apiGroups": ["" if group == "core" else group], "resources": [resource]}
    found["verbs"] = [verb]
    return found | ({"resourceNames": rng.sample(names, 2)} if rng.random() < 0.4 else {})


def _drawn(seed: int) -> Snapshot:
    """A cluster with what rules need, bound to anybody anywhere, often on single objects only."""
    rng = Random(seed)
    made = whole(
        plan(principals=12, resources=20, accounts=1, seed=seed % 50, providers=("kubernetes",))
    )
    cluster = next(scope.id for scope in made.scopes if scope.kind == "cluster")
    names = sorted({*(r.name for r in made.resources), *(p.name for p in made.principals)})
    documents, roles, bindings = dict(made.documents), [*made.managed_policies], [*made.bindings]
    for number in range(10):
        written = {"rules": [_rule(action, names, rng) for action in sorted(_needed(rng))]}
        raw = json.dumps(written).encode()
        documents[document_id(raw)] = msgspec.Raw(raw)
        role = f"{cluster}//clusterroles.rbac.authorization.k8s.io/drawn-{number}"
        versions = {"1": document_id(raw)}
        roles.append(
            ManagedPolicy(role, "kubernetes", cluster, default_version="1", versions=versions)
        )
        target = rng.choice([cluster, *(s.id for s in made.scopes if s.kind == "namespace")])
        member = (rng.choice(made.principals).id,)
        bindings.append(Binding(f"{target}/{number}", "kubernetes", target, role, member))
    return canonical(
        replace(
            made,
            managed_policies=tuple(roles),
            bindings=tuple(bindings),
            documents=documents,
        )
    )


def _anywhere(subject: Subject, _: str) -> tuple[str, ...]:
    facts, cluster = subject.estate.facts, cluster_of(subject.name)
    known = (facts.scopes, facts.resources, facts.runtimes, facts.principals)
    return tuple(sorted(name for of in known for name in of if cluster_of(name) == cluster))


def _all(made: Snapshot) -> set[Pivot]:
    engine = providers.engines(Facts(made))["kubernetes"]
    return {pivot for one in made.principals for pivot in engine.pivots(one.id)}


def _compare(seed: int) -> int:
    made = _drawn(seed)
    found = _all(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subject, "places", _anywhere)
        assert found == _all(made)
    return len(found)


@settings(max_examples=8)
@given(seed=st.integers(0, 1_000_000_000))
def test_candidates_are_all_that_a_rule_may_be_aimed_at(seed: int) -> None:
    _compare(seed)


@pytest.mark.soak
def test_candidates_of_many_clusters() -> None:
    assert sum(map(_compare, range(1000))) > 5_000
