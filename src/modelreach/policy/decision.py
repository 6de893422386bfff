"""An answer of the engine, with the statements that determine it."""

# Annotations are values here, not texts: types are read from them at each start.

from enum import StrEnum

import msgspec

from modelreach.model import Verdict
from modelreach.policy.expr import TRUE, Expr


class Layer(StrEnum):
    """Where a statement takes part in the decision, in the provider's order."""

    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"
    RESOURCE = "resource"
    TRUST = "trust"
    GRANT = "grant"
    ACL = "acl"
    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    SERVICE = "service"
    BINDING = "binding"
    DENY = "deny"
    ACCESS_POLICY = "access-policy"
    LOCK = "lock"


class StatementRef(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    """One statement of one policy as it applies to one target.

    `policy` is the name a person would look for; `target` is what the policy is attached to. Of a
    binding they are the role and the scope or resource on which it is held, `sid` is the binding's
    own name, and the statement is the part of the role that grants;
    `document` is the digest under which the snapshot keeps the text ("" outside a snapshot);
    `index` counts from 0 within the document. `managed_by` names the provider whose own policy it
    is, which nobody else can change ("" for all others).
    """

    layer: Layer
    policy: str
    target: str
    document: str
    index: int
    sid: str
    effect: str
    text: str
    managed_by: str = ""


class Outcome(StrEnum):
    """The provider's finer wording of a definite answer."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What the engine answers.

    `residual` is what must hold for the access to be given: TRUE for allow, FALSE for deny.
    `allowed_by` and `denied_by` are the determining statements. `blocked_by` names the layers
    that lack an allow or hold a deny. `assumes` are notes on restrictions that were not read
    and could only take access away. `not_understood` are problems in statements that took part.
    """

    verdict: Verdict
    outcome: Outcome
    residual: Expr = TRUE
    allowed_by: tuple[StatementRef, ...] = ()
    denied_by: tuple[StatementRef, ...] = ()
    blocked_by: tuple[Layer, ...] = ()
    assumes: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
