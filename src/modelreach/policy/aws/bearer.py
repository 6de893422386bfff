"""As whom the holder of a credential acts.

A long-term API key of Bedrock opens its user only for what such a key can be used for, and nothing
where the user may not call with a bearer token.
https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html
"""

from __future__ import annotations

from typing import Final

from modelreach.model import Verdict
from modelreach.policy.aws.became import Became, How
from modelreach.policy.engine import Engine, Opened
from modelreach.snapshot import Credential

_BEDROCK: Final = "bedrock.amazonaws.com"
#: The rule that knows what a Bedrock API key can be used for.
_BEDROCK_KEY: Final = "iam-bedrock-api-key"
_BEARER: Final = "bedrock:CallWithBearerToken"


def bearer(engine: Engine, key: Credential) -> Opened:
    """Give the principal that a key opens."""
    if key.kind != "service-specific" or key.attributes.get("service") != _BEDROCK:
        return Opened(key.principal)
    asked = {"bedrock:bearerTokenType": ("LONG_TERM",)}
    if engine.principal(key.principal) is not None:
        verdict = engine.decide(key.principal, _BEARER, "*", asked).verdict
        if verdict is Verdict.DENY:
            return Opened("", f"`{_BEARER}` is denied")
    return Opened(Became(key.principal, How.LIMITED, _BEDROCK_KEY).name)
