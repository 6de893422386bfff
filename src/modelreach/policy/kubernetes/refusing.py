"""What admits requests in a cluster, and may refuse what roles allow.

Webhooks and admission policies see requests that are allowed and change something; what they say
is not known here, so it is told that they may refuse. Which requests they see, their rules and the
labels of namespaces say. Who sends an object chooses its labels: a webhook that picks objects by
these refuses only who wants it. None sees what the API server is told of admission itself.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.kubernetes.names import CORE, URL, Action
from modelreach.policy.kubernetes.rules import Selector, selects
from modelreach.snapshot import Attachment, Facts

_ADMISSION: Final = "admissionregistration.k8s.io"
#: Kinds of gaps that say that it was not read.
UNTOLD: Final = frozenset(
    f"kubernetes:{plural}.{_ADMISSION}"
    for plural in (
        "validatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    )
)
_OPERATIONS: Final = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
#: Webhooks that refuse nothing that anybody needs. Each cluster of EKS has one that refuses pods
#: that say by themselves which network interface Amazon has given them.
#: https://github.com/aws/amazon-vpc-resource-controller-k8s/blob/master/webhooks/core/annotation_validation_webhook.go
_HARMLESS: Final = frozenset({"vpod.vpc.k8s.aws"})
#: What is connected to rather than made, whatever the method.
_CONNECTED: Final = ("attach", "exec", "portforward", "proxy")


class _Rule(msgspec.Struct, frozen=True, rename="camel"):
    operations: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    scope: str = "*"


class _Match(msgspec.Struct, frozen=True, rename="camel"):
    """Which requests something sees; `rules` of a webhook, which has a name, `resource_rules` of a
    policy."""

    name: str = ""
    rules: tuple[_Rule, ...] | None = None
    resource_rules: tuple[_Rule, ...] | None = None
    namespace_selector: Selector | None = None
    object_selector: Selector | None = None


class _Document(msgspec.Struct, frozen=True):
    webhooks: tuple[_Match, ...] = ()
    policy: _Match | None = None
    binding: _Match | None = None


class Refusing(msgspec.Struct, frozen=True):
    """What may refuse requests. `id` is its resource. It sees a request of which all matches of
    any of `seen` are about; None where that is not understood: it may refuse everything."""

    id: str
    name: str
    seen: tuple[tuple[_Match, ...], ...] | None

    def sees(self, action: Action, labels: Mapping[str, str] | None) -> bool:
        """Does it see such a request, in a namespace with these labels (None: of the cluster)?"""
        operation = operation_of(action)
        if not operation or action.group == _ADMISSION:
            return False
        if self.seen is None:
            return True
        return any(
            all(_sees(match, operation, action, labels) for match in matches)
            for matches in self.seen
        )


def operation_of(action: Action) -> str:
    """Give what admission calls such a request; "" where it does not see any."""
    if action.group == URL:
        return ""
    part = action.resource.partition("/")[2]
    if part in _CONNECTED:
        return "CONNECT"
    return _OPERATIONS.get(action.verb, "")


def refusing(facts: Facts, cluster: str) -> tuple[Refusing, ...]:
    """Give what may refuse requests in a cluster, by name."""
    found = (_read(facts, one) for one in facts.attachments.get(cluster, ()))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.id))


def _read(facts: Facts, attachment: Attachment) -> Refusing | None:
    if attachment.kind != "admission":
        return None
    raw = bytes(facts.snapshot.documents.get(attachment.document, b""))
    return Refusing(attachment.policy, attachment.name, _seen(raw))


@lru_cache(1 << 10)
def _seen(raw: bytes) -> tuple[tuple[_Match, ...], ...] | None:
    try:
        found = msgspec.json.decode(raw, type=_Document)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if found.policy is None or found.binding is None:
        return tuple((one,) for one in found.webhooks if one.rules and one.name not in _HARMLESS)
    return ((found.policy, found.binding),)


def _sees(match: _Match, operation: str, action: Action, labels: Mapping[str, str] | None) -> bool:
    chosen = match.object_selector
    if chosen is not None and (chosen.matchLabels or chosen.matchExpressions):
        return False
    selector = match.namespace_selector
    if labels is not None and selector is not None and not selects(selector, dict(labels)):
        return False
    rules = match.rules or match.resource_rules
    return not rules or any(_about(rule, operation, action, labels) for rule in rules)


def _about(rule: _Rule, operation: str, action: Action, labels: Mapping[str, str] | None) -> bool:
    group = "" if action.group == CORE else action.group
    return (
        _among(operation, rule.operations)
        and _among(group, rule.api_groups)
        and any(_resource(pattern, action.resource) for pattern in rule.resources)
        and rule.scope in ("*", "Cluster" if labels is None else "Namespaced")
    )


def _among(one: str, listed: tuple[str, ...]) -> bool:
    return "*" in listed or one in listed


def _resource(pattern: str, resource: str) -> bool:
    """`*` is every resource and no part of one, `*/*` all; `pods/*` are a pod and its parts."""
    name, slash, part = resource.partition("/")
    wanted, parts, wanted_part = pattern.partition("/")
    if wanted not in ("*", name):
        return False
    if not parts:
        return not slash
    return wanted_part == "*" or (bool(slash) and wanted_part == part)


def let_in(names: tuple[str, ...], cluster: str) -> Expr:
    """Give on what it hangs that these do not refuse."""
    if not names:
        return TRUE
    listed = ", ".join(names)
    return provided(f"what admits requests in {cluster} does not refuse it: {listed}")
