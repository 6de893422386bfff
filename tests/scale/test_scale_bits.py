"""What is held as bits within scopes is what each grant says, whatever a shelf is numbered by."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.pipeline.decided import VERDICTS, Decider
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.providers import resource_class
from modelreach.snapshot import Facts, Snapshot
from organisations import plan, whole
from organisations.corner import OTHER, OWN, bucket, corner
from organisations.wild import wild

Row = tuple[str, str, str, str]


def _compare(made: Snapshot, rng: Random) -> int:
    facts = Facts(made)
    deciding, slow = Decider(facts, {"aws": AwsEngine(facts)}), AwsEngine(Facts(made))
    ids: dict[str, list[str]] = {}
    for one in sorted(made.resources, key=lambda one: one.id):
        ids.setdefault(one.scope, []).append(one.id)
    names = sorted(p.id for p in made.principals if p.kind in ("role", "user"))
    rng.shuffle(names)
    told = 0
    for name in names:
        decided = deciding.decide(name)
        assert decided is not None
        found: set[Row] = set()
        for held in decided.held:
            bits = int.from_bytes(held.bits, "little")
            of_scope = ids[held.scope]
            found |= {
                (of_scope[at], held.kind, held.capability, VERDICTS[held.verdict])
                for at in range(bits.bit_length())
                if bits >> at & 1
            }
        assert found == {
            (one.resource, resource_class(one.kind), str(one.capability), one.verdict)
            for one in slow.grants(name)
            if one.verdict in VERDICTS
        }, name
        told += len(found)
        if rng.random() < 0.3:
            deciding.let_go()
    return told


@settings(max_examples=2)
@given(seed=st.integers(0, 1_000_000_000))
def test_a_wild_estate(seed: int) -> None:
    _compare(wild(Random(seed)), Random(seed))


def test_buckets_of_several_accounts_on_one_shelf() -> None:
    """They stand together where they let everyone in."""
    buckets = [
        bucket("a-1", OWN),
        *(bucket(f"b-{number}", OTHER) for number in range(3)),
        bucket("c-1", OWN),
    ]
    everyone = [
        (
            one.id,
            "resource",
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": f"{one.id}/*",
                },
            },
        )
        for one in buckets
    ]
    said = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    made = corner(buckets, [{"Version": "2012-10-17", "Statement": said}], everyone)
    assert _compare(made, Random(0)) > 5


def test_a_made_up_organisation() -> None:
    made = whole(plan(principals=30, resources=300, accounts=3, seed=3))
    assert _compare(made, Random(3)) > 300
