"""What pods reach besides their own role: what their node runs as; and under which policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from modelreach.model import Strength
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import Facts

POD = "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/models/a-abcdefghijklmnop1"
ROLES = "arn:aws:iam::111122223333:role/"

Read = Callable[[str, str], tuple[Any, dict[str, Any]]]


def hops(facts: Read, **metadata: Any) -> list[Any]:
    """Give the hops of a pod whose nodes have these metadata options."""
    snapshot, _ = facts("eks-node-group", "new")
    runtimes = tuple(
        msgspec.structs.replace(one, attributes={**one.attributes, **metadata})
        if one.kind == "eks:nodegroup"
        else one
        for one in snapshot.runtimes
    )
    changed = msgspec.structs.replace(snapshot, runtimes=runtimes)
    return list(AwsEngine(Facts(changed)).tools(POD))


def test_a_pod_has_the_role_of_its_node_if_it_gets_at_the_metadata(facts: Read) -> None:
    (hop,) = hops(facts)
    assert (hop.kind, hop.source, hop.target) == ("node", f"{ROLES}unused", f"{ROLES}after")
    assert hop.strength is Strength.CONDITIONAL
    assert "metadata of the nodes in gpu" in str(hop.residual)


def test_one_hop_leaves_only_pods_on_the_network_of_the_node(facts: Read) -> None:
    (hop,) = hops(facts, imds_hop_limit=1, imds_tokens="required")
    assert hop.strength is Strength.CONDITIONAL
    assert "shares the network of its node" in str(hop.residual)


@pytest.mark.parametrize("tokens", ["optional", None])
def test_one_hop_holds_nobody_back_who_needs_no_token(facts: Read, tokens: str | None) -> None:
    said = {"imds_tokens": tokens} if tokens else {}
    (hop,) = hops(facts, imds_hop_limit=1, **said)
    assert "metadata of the nodes in gpu" in str(hop.residual)


def test_nodes_without_metadata_give_nothing_away(facts: Read) -> None:
    assert hops(facts, imds_endpoint="disabled") == []


@pytest.mark.parametrize(("side", "reads"), [("old", {"faq"}), ("new", {"faq", "ledger"})])
def test_pods_have_no_more_of_a_role_than_their_policy(
    facts: Read, side: str, reads: set[str]
) -> None:
    snapshot, _ = facts("eks-pod-identity", side)
    engine = AwsEngine(Facts(snapshot))
    runtime = engine.runtime(POD)
    assert runtime is not None
    (name,) = runtime.identities
    found = {grant.name for grant in engine.grants(name) if grant.kind == "s3:bucket"}
    assert found == reads
