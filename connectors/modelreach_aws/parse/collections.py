"""Collections of OpenSearch Serverless, with the policies that speak of them by their names.

What a policy may say that was refused, it may say of any collection of its region: each has the
gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from modelreach.collect import collections
from modelreach.collect.answers import Refusal
from modelreach.collect.facts import attributes
from modelreach.snapshot import AttachmentKind, Resource
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.calls import call_of
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.things import thing

_MALFORMED: Final = Refusal("malformed", message="the policy is not a list of entries with rules")
#: Gives what a policy says of the collection of a name and ARN.
_Said = Callable[[collections.Policy, str, str], dict[str, Any] | None]
#: What is missing of a policy: the call, and why.
_Missing = tuple[Answer, Refusal]


def parse_collections(answers: Answers, facts: Facts) -> None:
    """Turn what OpenSearch Serverless answered into collections and their policies."""
    for one, response in answers.of("opensearchserverless", "ListCollections"):
        found = response.get("collectionSummaries", ())
        for entry in found:
            arn = entry["arn"]
            tags = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
            facts.resources.append(
                Resource(
                    **thing(one, "aoss:collection", arn, entry.get("name"), tags),
                    attributes=attributes(kms_key=entry.get("kmsKeyArn")),
                )
            )
        if found:
            of = _Of(answers, one, found, facts)
            of.attach("Access", "access-policy", "data access policy", collections.data_access)
            of.attach("Security", "endpoint", "network policy", collections.network)


class _Of:
    """The collections of one region, and what is said of them there."""

    def __init__(
        self, answers: Answers, place: Answer, found: list[dict[str, Any]], facts: Facts
    ) -> None:
        self._answers, self._place, self._found, self._facts = answers, place, found, facts

    def attach(self, word: str, kind: AttachmentKind, what: str, said: _Said) -> None:
        """Attach what the policies of a type say of each collection, and their gaps."""
        for name, policy, missing in self._policies(word):
            if missing is None:
                self._attach(kind, f"{name} {what}", policy, said)
                continue
            for entry in self._found:
                self._gap(missing, entry["arn"])

    def _attach(
        self, kind: AttachmentKind, name: str, policy: collections.Policy, said: _Said
    ) -> None:
        for entry in self._found:
            arn, place = entry["arn"], self._place
            if document := said(policy, str(entry.get("name", "")), arn):
                self._facts.apply(
                    place.account, arn, kind, document, name=name, region=place.region
                )

    def _policies(self, word: str) -> Iterator[tuple[str, collections.Policy, _Missing | None]]:
        """Give each policy of a type by its name; of one that is not there, what is missing."""
        asked = self._answers.same_place(self._place, f"List{word}Policies", {})
        if asked is None or asked.refused is not None:
            yield "", (), _missing(asked, self._place)
        listed = (asked.response or {}) if asked else {}
        for summary in listed.get(f"{word.lower()}PolicySummaries", ()):
            name = str(summary.get("name", ""))
            one = self._answers.same_place(self._place, f"Get{word}Policy", {"name": name})
            if one is None or one.refused is not None or one.response is None:
                yield name, (), _missing(one, asked or self._place)
                continue
            detail = one.response.get(f"{word.lower()}PolicyDetail", {})
            policy = collections.read(detail.get("policy"))
            yield name, policy or (), None if policy is not None else (one, _MALFORMED)

    def _gap(self, missing: _Missing, arn: str) -> None:
        asked, refusal = missing
        call = call_of(asked.service, asked.operation, asked.parameters)
        self._facts.gap(
            asked.account,
            call.facet if call is not None and call.facet else "access-policy",
            refusal.reason,
            region=asked.region,
            subject=arn,
            operation=f"{asked.service}:{asked.operation}",
            permission=call.permission if call is not None and refusal.reason == "denied" else "",
            message=refusal.message,
        )


def _missing(asked: Answer | None, instead: Answer) -> _Missing:
    """Say why a call was not answered; instead of one that was never made, another tells where."""
    if asked is None or asked.refused is None:
        return asked or instead, Refusal("not-collected")
    return asked, asked.refused
