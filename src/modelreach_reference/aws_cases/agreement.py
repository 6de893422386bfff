"""Whether somebody else's answer to a case agrees with the reference evaluator's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import cast

from modelreach_reference.aws import Answer, evaluate, evaluate_open

DENIALS = frozenset({Answer.IMPLICIT_DENY.value, Answer.EXPLICIT_DENY.value})


def reference_answers(record: Mapping[str, object]) -> set[str]:
    """Give every answer that the case may have: one if its context is whole."""
    if is_closed(record):
        return {evaluate(record)}
    return {answer for each in as_sessions(record) for answer in evaluate_open(each)}


def is_closed(record: Mapping[str, object]) -> bool:
    """Whether the context of the case is whole."""
    return record.get("mode", "strict") == "strict"


def as_sessions(record: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Give an open case once for every session that a policy tells from others.

    A role asks by its sessions. If the case has the role alone, which session it is is open too.
    """
    request = cast("Mapping[str, object]", record["request"])
    principal = str(request["principal"])
    if ":role/" not in principal:
        return [record]
    account, name = principal.split(":")[4], principal.split("/")[-1]
    start = f"{principal.split(':iam:')[0]}:sts::{account}:assumed-role/{name}/"
    found = json.dumps(record["policies"]).split(start)[1:]
    sessions = {text.split('"')[0] for text in found} | {"any-other"}
    settings = {
        **cast("Mapping[str, object]", record.get("settings") or {}),
        "role_arn": principal,
    }
    return [
        {**record, "settings": settings, "request": {**request, "principal": start + session}}
        for session in sorted(sessions)
    ]


class Agreement(StrEnum):
    """How a verdict stands to the answers of the reference."""

    FULL = "agrees"
    WEAKER = "agrees, says less"
    NONE = "contradicts"


def agreement(record: Mapping[str, object], verdict: str, answers: set[str]) -> Agreement:
    """Say whether a verdict on a case describes the answers to it.

    `conditional` is what can be allowed and can be denied; said of what is settled, it says less
    than it could. `unknown` is what turns on something not understood. What is denied in every
    context is denied, be it because a deny always applies or because no allow can; which of the
    two counts only where all is known.
    """
    closed = is_closed(record)
    if _is_right(verdict, answers, closed=closed):
        return Agreement.FULL
    weaker = verdict == "conditional" and not closed and Answer.NOT_UNDERSTOOD not in answers
    return Agreement.WEAKER if weaker else Agreement.NONE


def _is_right(verdict: str, answers: set[str], *, closed: bool) -> bool:
    match verdict:
        case "unknown":
            return Answer.NOT_UNDERSTOOD in answers
        case "conditional":
            return Answer.ALLOW in answers and bool(answers & DENIALS)
        case "allow":
            return answers == {Answer.ALLOW}
        case _:
            return answers == {verdict} if closed else answers <= DENIALS
