"""What the policy of a registry says: of each repository in it, beside the repository's own.

"Amazon ECR allows all ECR actions in the policy and enforces the registry policy in all ECR
requests"; a registry that was not taken over to that scope (`V2`) has three of them only.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.collect.answers import Refusal
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.calls import call_of
from modelreach_aws.parse.facts import Facts, decoded

#: All that a registry's policy speaks of in the narrow scope.
_NARROW: Final = ("ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository")


def of_registry(answers: Answers, one: Answer, arn: str, facts: Facts) -> None:
    """Apply the policy of the registry in which `one` lists repositories to one of these."""
    asked = answers.same_place(one, "GetRegistryPolicy", {})
    document = (asked.response or {}).get("policyText") if asked is not None else None
    if asked is not None and asked.refused is not None:
        _gap(facts, asked, asked.refused, arn)
    if not document:
        return
    scope = answers.same_place(one, "GetAccountSetting", {})
    narrow = narrowed(decoded(document))
    if narrow is not None and scope is not None:
        if scope.refused is not None:
            _gap(facts, scope, scope.refused, arn)
        if scope.refused is not None or (scope.response or {}).get("value") == "V1":
            document = narrow
    facts.apply(one.account, arn, "resource", document, name="registry policy", region=one.region)


def narrowed(document: object) -> dict[str, Any] | None:
    """Give a document as a registry of the narrow scope has it: what it says of the three actions.
    None where that is all that it says, or where it is no policy."""
    if not isinstance(document, Mapping):
        return None
    statements: Any = document.get("Statement")
    written: list[Any] = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(one, Mapping) for one in written):
        return None
    left = list(_spoken_of(written))
    if left == written:
        return None
    return {**document, "Statement": left}


def _spoken_of(statements: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in statements:
        if "NotAction" in one:
            named = _listed(one["NotAction"])
            actions = [action for action in _NARROW if not _any(named, action)]
        else:
            named = _listed(one.get("Action"))
            if all(name in _NARROW for name in named):
                yield dict(one)
                continue
            actions = [action for action in _NARROW if _any(named, action)]
        if actions:
            kept = {name: value for name, value in one.items() if name != "NotAction"}
            yield {**kept, "Action": actions}


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _any(patterns: list[str], action: str) -> bool:
    lowered = action.lower()
    return any(fnmatch.fnmatchcase(lowered, one.lower().replace("[", "[[]")) for one in patterns)


def _gap(facts: Facts, asked: Answer, refusal: Refusal, arn: str) -> None:
    call = call_of(asked.service, asked.operation, asked.parameters)
    permission = call.permission if call is not None and refusal.reason == "denied" else ""
    facts.gap(
        asked.account,
        "resource-policy",
        refusal.reason,
        region=asked.region,
        subject=arn,
        operation=f"{asked.service}:{asked.operation}",
        permission=permission,
        message=refusal.message,
    )
