"""Random statements and policies for every layer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from modelreach_reference.aws_cases.alphabet import (
    NAMES,
    OIDC,
    UNIQUE_ID,
    Topic,
    near,
    one_or_list,
    some,
)
from modelreach_reference.aws_cases.conditions import Key, random_condition

Document = dict[str, object]

ALLOW_ALL: Mapping[str, object] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True, slots=True)
class Taste:
    """What statements of one layer look like: how often they deny, and whom they name."""

    deny: float
    principal: bool = False
    not_principal: float = 0.0
    resource: bool = True
    everyone: bool = False


IDENTITY = Taste(deny=0.1)
LIMIT = Taste(deny=0.1)
RCP = Taste(deny=1.0, principal=True, everyone=True)
ENDPOINT = Taste(deny=0.1, principal=True, not_principal=0.3)
RESOURCE = Taste(deny=0.12, principal=True, not_principal=0.4)
TRUST = Taste(deny=0.1, principal=True, resource=False)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes policies about one request."""

    rng: random.Random
    topic: Topic
    requester: str
    action: str
    resource: str
    keys: tuple[Key, ...]
    conditional: float = 0.35

    def policy(self, taste: Taste, *first: Mapping[str, object], most: int = 3) -> Document:
        """Write a policy of some given statements and some random ones."""
        statements: list[object] = list(first)
        if not first or self.rng.random() < 0.5:
            statements += [self.statement(taste) for _ in range(self.rng.randint(1, most))]
        self.rng.shuffle(statements)
        document: Document = {"Statement": one_or_list(self.rng, statements)}
        chance = self.rng.random()
        if chance < 0.93:
            document["Version"] = "2012-10-17" if chance < 0.85 else "2008-10-17"
        return document

    def statement(self, taste: Taste) -> Document:
        """Write one statement."""
        deny = self.rng.random() < taste.deny
        statement: Document = {"Effect": "Deny" if deny else "Allow"}
        statement |= self._element("Action", self.topic.actions, self.action)
        if taste.resource:
            statement |= self._element("Resource", self.topic.resources, self.resource)
        if taste.principal:
            statement |= self._principal(taste, deny=deny)
        if self.keys and self.rng.random() < (0.6 if deny else self.conditional):
            statement["Condition"] = random_condition(self.rng, self.keys)
        return statement

    def _element(self, name: str, patterns: tuple[str, ...], exact: str) -> Document:
        negated = self.rng.random() < 0.12
        wide = ("*", exact) if not negated and self.rng.random() < 0.45 else ()
        chosen = some(self.rng, wide or patterns, 3)
        if negated:
            chosen = [pattern for pattern in chosen if pattern not in ("*", "*:*")] or ["iam:*"]
            if name == "Resource" and chosen == ["iam:*"]:
                chosen = ["arn:aws:iam::*"]
        return {f"Not{name}" if negated else name: one_or_list(self.rng, chosen)}

    def _principal(self, taste: Taste, *, deny: bool) -> Document:
        if taste.everyone:
            return {"Principal": "*"} if self.rng.random() < 0.9 else {"Principal": {"AWS": "*"}}
        if self.rng.random() < (taste.not_principal if deny else taste.not_principal / 15):
            return {"NotPrincipal": self._entries(most=3)}
        return {"Principal": "*" if self.rng.random() < 0.2 else self._entries(most=2)}

    def _entries(self, most: int) -> Document:
        service = self.requester if "." in self.requester else "lambda.amazonaws.com"
        provider = self.requester if "provider" in self.requester else OIDC
        kinds = {
            "Service": [service, "s3.amazonaws.com"],
            "Federated": [provider, "accounts.google.com"],
            "CanonicalUser": ["79a59df900b949e5"],
        }
        if not self.requester.startswith("arn:aws:") or "-provider/" in self.requester:
            kind = self.rng.choice(("Service", "Federated", "AWS", "Service", "Federated"))
        else:
            kind = self.rng.choices(("AWS", *kinds), (20, 1, 1, 1))[0]
        if kind != "AWS":
            return {kind: one_or_list(self.rng, some(self.rng, kinds[kind], 2))}
        names = near(self.requester) if self.rng.random() < 0.6 else ["*", *NAMES]
        names = [*names, UNIQUE_ID] if self.rng.random() < 0.1 else names
        entries: Document = {"AWS": one_or_list(self.rng, some(self.rng, names, most))}
        if self.rng.random() < 0.1:
            entries["Service"] = service
        return entries
