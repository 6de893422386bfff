"""What a credential opens, in a few words: how much, how sensitive, and which accounts."""

from __future__ import annotations

from typing import Final

from modelreach.judge.finding import Case, short
from modelreach.model import Sensitivity, Verdict
from modelreach.policy.aws.became import Became, How
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import Credential

_BEDROCK: Final = "bedrock.amazonaws.com"
#: The rule that knows what a Bedrock API key can be used for.
_BEDROCK_KEY: Final = "iam-bedrock-api-key"
#: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html
_BEARER: Final = "bedrock:CallWithBearerToken"
_SHOWN: Final = 3


def is_bedrock_key(key: Credential) -> bool:
    """Is it a long-term API key of Bedrock?"""
    return key.kind == "service-specific" and key.attributes.get("service") == _BEDROCK


def opens(case: Case, key: Credential) -> str:
    """Say what whoever has this credential reaches."""
    name = key.principal
    if is_bedrock_key(key):
        gate = _gate(case, name)
        if gate:
            return gate
        name = Became(name, How.LIMITED, _BEDROCK_KEY).name
    if not any(engine.principal(name) for engine in case.engines.values()):
        return f"what it opens is not known: `{key.principal}` is not in the snapshot"
    return _words(case, reach([name], case.engines))


def _gate(case: Case, user: str) -> str:
    """A key is of no use to a user who may not call with a bearer token."""
    asked = {"bedrock:bearerTokenType": ("LONG_TERM",)}
    for engine in case.engines.values():
        if engine.principal(user) is not None:
            verdict = engine.decide(user, _BEARER, "*", asked).verdict
            if verdict is Verdict.DENY:
                return f"opens nothing: `{_BEARER}` is denied"
    return ""


def _words(case: Case, radius: BlastRadius) -> str:
    reached = {a.grant.resource for a in radius.accesses}
    patterns = {a.grant.resource for a in radius.patterns}
    actions = sorted({action for a in radius.patterns for action in a.grant.actions})
    sensitive = sorted(
        {
            access.grant.name or short(access.grant.resource)
            for access in radius.accesses
            if case.rated(access.grant).level is Sensitivity.HIGH
        }
    )
    parts = [f"opens {_count(len(reached), 'resource')}"]
    if sensitive:
        shown = ", ".join(f"`{name}`" for name in sensitive[:_SHOWN])
        more = f" and {len(sensitive) - _SHOWN} more" if sensitive[_SHOWN:] else ""
        parts.append(f"{len(sensitive)} of them sensitive ({shown}{more})")
    if patterns:
        shown = ", ".join(f"`{action}`" for action in actions[:_SHOWN])
        more = f" and {len(actions) - _SHOWN} more" if actions[_SHOWN:] else ""
        parts.append(f"{_count(len(patterns), 'pattern')} of what is not listed ({shown}{more})")
    if radius.takeovers:
        parts.append("administration of " + ", ".join(sorted(radius.takeovers)))
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
