"""What admits requests and may refuse them: webhooks, and policies where they are bound to deny.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelreach_kubernetes.estate import Object
from modelreach_kubernetes.kinds import ADMISSION
from modelreach_kubernetes.parse.facts import Facts, Named, text

_WEBHOOKS = f"validatingwebhookconfigurations.{ADMISSION}"
_BINDINGS = f"validatingadmissionpolicybindings.{ADMISSION}"


def take(item: Object, facts: Facts) -> None:
    """Take a configuration of webhooks, a policy or its binding."""
    about = Named.of(item)
    match about.kind:
        case "ValidatingWebhookConfiguration":
            _attach(facts, _WEBHOOKS, about.name, about.name, {"webhooks": item.get("webhooks")})
        case "ValidatingAdmissionPolicy":
            facts.admitting[about.name] = _of(item, "matchConstraints")
        case "ValidatingAdmissionPolicyBinding":
            facts.admitted.append(item)
        case _:
            pass


def complete(facts: Facts) -> None:
    """Tell of each policy that a binding has refuse what it is about. One that is not there
    refuses nothing."""
    for item in facts.admitted:
        spec = item.get("spec")
        told: Mapping[str, Any] = spec if isinstance(spec, Mapping) else {}
        policy, actions = text(told.get("policyName")), told.get("validationActions")
        if policy in facts.admitting and isinstance(actions, list) and "Deny" in actions:
            document = {"policy": facts.admitting[policy], "binding": _of(item, "matchResources")}
            _attach(facts, _BINDINGS, Named.of(item).name, policy, document)


def _of(item: Object, name: str) -> Any:
    spec = item.get("spec")
    found = spec.get(name) if isinstance(spec, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _attach(facts: Facts, plural: str, name: str, shown: str, document: object) -> None:
    of = facts.id("", plural, name)
    facts.attach(facts.cluster, "admission", document, name=shown, policy=of)
