"""Whether somebody else's answer to a case agrees with the reference evaluator's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from modelreach_reference.aws import Answer, evaluate, evaluate_open

DENIALS = frozenset({Answer.IMPLICIT_DENY.value, Answer.EXPLICIT_DENY.value})


def reference_answers(record: Mapping[str, object]) -> set[str]:
    """Give every answer that the case may have: one if its context and its session are known."""
    answer = _closed if record.get("mode", "strict") == "strict" else evaluate_open
    return {found for each in as_sessions(record) for found in answer(each)}


def _closed(record: Mapping[str, object]) -> set[str]:
    return {evaluate(record)}


def as_sessions(record: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Give the case once for every session that a policy tells from others.

    A role asks by its sessions. If the case has the role alone, the session may be any.
    """
    request = cast("Mapping[str, object]", record["request"])
    principal = str(request["principal"])
    if ":role/" not in principal:
        return [record]
    account, name = principal.split(":")[4], principal.split("/")[-1]
    start = f"{principal.split(':iam:')[0]}:sts::{account}:assumed-role/{name}/"
    found = json.dumps(record["policies"]).split(start)[1:]
    sessions = {text.split('"')[0] for text in found} | {"any-other"}
    return [
        {**record, "request": {**request, "principal": start + session}}
        for session in sorted(sessions)
    ]


def agrees(verdict: str, answers: set[str]) -> bool:
    """Say whether a verdict describes a set of answers.

    `conditional` is what can be allowed and can be denied, `unknown` what turns on something not
    understood. Where only the kind of denial is open, either kind is right.
    """
    match verdict:
        case "unknown":
            return Answer.NOT_UNDERSTOOD in answers
        case "conditional":
            return Answer.ALLOW in answers and bool(answers & DENIALS)
        case "allow":
            return answers == {Answer.ALLOW}
        case _:
            return verdict in answers and answers <= DENIALS
