"""What kind of access a request gives."""

from __future__ import annotations

from modelreach.model import Capability
from modelreach.policy.kubernetes.names import RBAC, Action

#: Listing and watching show what getting does: the whole object.
#: https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
_READING = frozenset({"get", "list", "watch"})
_GIVING = frozenset({"bind", "escalate", "approve", "sign", "attest"})


def capability(action: Action) -> Capability:
    """Give the kind of access."""
    if action.verb.startswith("impersonate") or action.resource == "serviceaccounts/token":
        return Capability.ASSUME
    if action.verb in _GIVING:
        return Capability.MANAGE
    if action.verb in _READING:
        return Capability.WRITE if _acts(action) else Capability.READ
    return Capability.MANAGE if action.group in (RBAC, "*") else Capability.WRITE


def _acts(action: Action) -> bool:
    """Getting these opens a stream into a container: it acts.

    https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes
    """
    sub = action.resource.partition("/")[2]
    return sub in ("exec", "attach", "proxy", "portforward") and action.verb == "get"
