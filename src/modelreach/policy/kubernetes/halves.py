"""Whom of AWS a cluster of EKS would let in, so that it can be told when somebody is not there.

A config map tells by name: whoever makes a role of that name enters. An access entry is bound to
the very role that it was made for, and lets nobody in once that is deleted.

https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessEntry.html
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.policy.engine import Half, Side, Support
from modelreach.policy.kubernetes.cloud import CloudCluster
from modelreach.policy.kubernetes.entry import Listed, listed


def halves(cloud: CloudCluster, source: str) -> Iterator[Half]:
    """Give what a cluster says of who enters, for somebody who is in it."""
    for one in listed(cloud):
        if one.principal.startswith("arn:"):
            note = f"{one.how}: {one.told}"
            support = Support(one.principal, "", cloud.id, (), note)
            side = Side.BY_NAME if one.by_name else Side.ITSELF
            yield Half(
                side, source, _sought(one), "aws", (support,), via=cloud.id, named=one.principal
            )


def _sought(one: Listed) -> str:
    """Give by what a principal is looked up: a config map leaves the path of a role out, so there
    the role is sought by its name, as that of a session is."""
    parts = one.principal.split(":", 5)
    if not one.by_name or len(parts) < 6 or not parts[5].startswith("role/"):
        return one.principal
    name = parts[5].rsplit("/", 1)[-1]
    return f"{parts[0]}:{parts[1]}:sts::{parts[4]}:assumed-role/{name}/any"
