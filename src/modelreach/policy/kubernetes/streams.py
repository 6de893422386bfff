"""Streams of pods, which a POST opens, and a GET that becomes a WebSocket.

A POST is a request to create. Since 1.35 the API server asks of such a GET whether its user may
create the stream, too; a feature gate of the API server turns that off, which those who run
clusters on EKS and AKS are not let do. GKE lets them on alpha clusters, and may turn off itself
what is in beta.
https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/AuthorizePodWebsocketUpgradeCreatePermission/
https://docs.cloud.google.com/kubernetes-engine/docs/concepts/feature-gates
https://github.com/aws/containers-roadmap/issues/512
https://github.com/Azure/AKS/issues/1887
"""

from __future__ import annotations

import re
from typing import Final

from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import FALSE, TRUE, Expr
from modelreach.policy.kubernetes.names import CORE, Action
from modelreach.snapshot import Scope

STREAMS: Final = ("pods/exec", "pods/attach", "pods/portforward")
_ASKED_SINCE: Final = (1, 35)
_GATE: Final = "AuthorizePodWebsocketUpgradeCreatePermission"
_VERSION: Final = re.compile(r"v?(\d{1,6})\.(\d{1,6})")
#: By what clusters are known whose feature gates nobody sets.
_CLOSED: Final = ("arn", "resource_id")


def opens(action: Action) -> bool:
    """Is it a GET that opens a stream?"""
    return action.verb == "get" and action.group == CORE and action.resource in STREAMS


def on_get_alone(cluster: Scope | None, *, closed: bool) -> Expr:
    """Give when a cluster opens streams to who may get them and not create them. `closed`: is it
    known by its cloud's facts that nobody sets its feature gates?"""
    about = cluster.attributes if cluster is not None else {}
    version = _version(about.get("version"))
    name = cluster.name or cluster.id if cluster is not None else "the cluster"
    if version is None:
        return provided(f"the API server of {name} is of a version before 1.35")
    if version < _ASKED_SINCE:
        return TRUE
    if closed or any(about.get(key) for key in _CLOSED):
        return FALSE
    return provided(f"the feature gate {_GATE} of {name} is turned off")


def _version(text: object) -> tuple[int, int] | None:
    found = _VERSION.match(text) if isinstance(text, str) else None
    return (int(found[1]), int(found[2])) if found else None
