"""Every trigger and every demand that there is: ids, titles, and which asks for which.

The ids leave the program (in `modelreach.diff/2`, tickets, policies), so they are not renamed.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Dimension(StrEnum):
    """In which way an update can change what a deployment may do to others."""

    DATA = "data_exposure"
    TOOLS = "tool_authority"
    REFUSAL = "refusal_behaviour"
    WORKFLOW = "workflow_integrity"


class Demand(StrEnum):
    """What has to be shown or done before adoption."""

    JAILBREAK = "retest-jailbreak"
    INJECTION = "retest-prompt-injection"
    INDIRECT = "retest-indirect-injection"
    EXFILTRATION = "retest-data-exfiltration"
    TOOL_ABUSE = "retest-tool-abuse"
    REFUSAL = "retest-refusal"
    OVER_REFUSAL = "retest-over-refusal"
    PROMPT_LEAK = "retest-prompt-leak"
    ACCESS = "review-access-paths"
    LOGGING = "check-logging"
    REVOCATION = "plan-revocation"
    ROLLBACK = "drill-rollback"
    ROTATION = "rotate-credential"
    INTEGRATION = "test-integration"
    APPROVAL = "approve-tool"
    SIGN_OFF = "sign-off-owner"


#: Demand -> what is to be done, in the imperative.
DEMANDS: dict[Demand, str] = {
    Demand.JAILBREAK: "re-test against jailbreaks",
    Demand.INJECTION: "re-test against direct prompt injection",
    Demand.INDIRECT: "re-test against indirect prompt injection",
    Demand.EXFILTRATION: "re-test against exfiltration of data",
    Demand.TOOL_ABUSE: "re-test against abuse of tools",
    Demand.REFUSAL: "re-test what has to be refused",
    Demand.OVER_REFUSAL: "re-test what must not be refused",
    Demand.PROMPT_LEAK: "re-test against leaks of the system prompt",
    Demand.ACCESS: "review the access paths that are new",
    Demand.LOGGING: "check that calls and tool use are logged, kept and watched",
    Demand.REVOCATION: "have a plan to revoke what the release reaches",
    Demand.ROLLBACK: "drill the rollback",
    Demand.ROTATION: "rotate the credential, or replace it by one that expires",
    Demand.INTEGRATION: "test the integration with the systems downstream",
    Demand.APPROVAL: "have a person approve each use, or the tool's release",
    Demand.SIGN_OFF: "have the owner sign off",
}


class TriggerKind(msgspec.Struct, frozen=True):
    """One reason for which an update is a security change. `when` says it in a sentence."""

    id: str
    dimension: Dimension
    title: str
    when: str
    demands: tuple[Demand, ...]


_MODEL_TESTS = (Demand.JAILBREAK, Demand.INJECTION, Demand.REFUSAL, Demand.OVER_REFUSAL)
_GUARD_TESTS = (Demand.JAILBREAK, Demand.EXFILTRATION)
_PATHS = (Demand.ACCESS, Demand.REVOCATION)

TRIGGERS: tuple[TriggerKind, ...] = (
    # --- data exposure
    TriggerKind(
        "DATA-NEW",
        Dimension.DATA,
        "new data source",
        "the new release declares a data source that the old one does not",
        (Demand.EXFILTRATION, Demand.LOGGING, Demand.ACCESS),
    ),
    TriggerKind(
        "DATA-WIDER",
        Dimension.DATA,
        "wider data source",
        "a data source covers another resource, gives more access, or is classified differently",
        (Demand.EXFILTRATION, Demand.LOGGING, Demand.ACCESS),
    ),
    TriggerKind(
        "CTX-GROW",
        Dimension.DATA,
        "larger context window",
        "the deployment lets more tokens in than before",
        (Demand.EXFILTRATION, Demand.INDIRECT),
    ),
    TriggerKind(
        "EXPOSURE-WIDER",
        Dimension.DATA,
        "wider audience",
        "more people, more channels, or people who do not log in can talk to the model",
        (Demand.INJECTION, Demand.EXFILTRATION, Demand.LOGGING),
    ),
    TriggerKind(
        "SENSITIVE-REACHED",
        Dimension.DATA,
        "sensitive data newly reachable",
        "a sensitive resource is reached that was not, or with more access than before",
        (Demand.EXFILTRATION, Demand.LOGGING, *_PATHS),
    ),
    TriggerKind(
        "ADMIN-REACHED",
        Dimension.DATA,
        "administration newly reachable",
        "an account, project, subscription or cluster can be taken over that could not",
        (Demand.TOOL_ABUSE, *_PATHS, Demand.SIGN_OFF),
    ),
    TriggerKind(
        "WORKFLOW-REACHED",
        Dimension.DATA,
        "production workflow newly reachable",
        "a function, pipeline, queue, schedule or model runtime can be changed or started",
        (Demand.TOOL_ABUSE, *_PATHS),
    ),
    # --- tool authority
    TriggerKind(
        "TOOL-NEW",
        Dimension.TOOLS,
        "new tool",
        "the new release has a tool that the old one does not have",
        (Demand.TOOL_ABUSE,),
    ),
    TriggerKind(
        "TOOL-EFFECT",
        Dimension.TOOLS,
        "tool with a wider effect",
        "a tool's effect goes up: read, write, delete, execute, spend, admin",
        (Demand.TOOL_ABUSE,),
    ),
    TriggerKind(
        "TOOL-APPROVAL",
        Dimension.TOOLS,
        "tool with less approval",
        "a tool asks a weaker approval than before: human, policy, none",
        (Demand.TOOL_ABUSE, Demand.APPROVAL),
    ),
    TriggerKind(
        "TOOL-SCOPES",
        Dimension.TOOLS,
        "tool with wider scopes",
        "a tool asks scopes that it did not ask before",
        (Demand.TOOL_ABUSE, Demand.ACCESS),
    ),
    TriggerKind(
        "TOOL-CHANGED",
        Dimension.TOOLS,
        "another tool under the same name",
        "a tool has another kind, target, transport, identity, or set of functions",
        (Demand.TOOL_ABUSE, Demand.ACCESS),
    ),
    TriggerKind(
        "TOOL-UNTRUSTED",
        Dimension.TOOLS,
        "tool meets untrusted text",
        "untrusted text now reaches a tool's arguments, or comes back from it",
        (Demand.INDIRECT, Demand.TOOL_ABUSE),
    ),
    TriggerKind(
        "IDENTITY-NEW",
        Dimension.TOOLS,
        "new identity",
        "the release runs as, or can become, an identity that it could not before",
        _PATHS,
    ),
    TriggerKind(
        "SESSION-LONGER",
        Dimension.TOOLS,
        "longer sessions",
        "what an identity is issued is valid for longer",
        (Demand.REVOCATION,),
    ),
    TriggerKind(
        "CREDENTIAL-NEW",
        Dimension.TOOLS,
        "new or other credential",
        "an identity of the release is opened by a credential that it was not opened by before",
        (Demand.REVOCATION, Demand.LOGGING),
    ),
    TriggerKind(
        "LONG-LIVED-KEY",
        Dimension.TOOLS,
        "credential that does not expire",
        "a release runs with a key or secret that stays valid until somebody revokes it",
        (Demand.ROTATION, Demand.REVOCATION),
    ),
    # --- refusal behaviour
    TriggerKind(
        "MODEL-CHANGED",
        Dimension.REFUSAL,
        "another model",
        "provider, model, version or weights are other ones",
        _MODEL_TESTS,
    ),
    TriggerKind(
        "MODEL-FLOATING",
        Dimension.REFUSAL,
        "floating model alias",
        "the model is named by an alias that its vendor may move",
        (Demand.JAILBREAK, Demand.REFUSAL),
    ),
    TriggerKind(
        "FINE-TUNE-CHANGED",
        Dimension.REFUSAL,
        "another fine-tune",
        "a fine-tune or adapter came, went or is another one",
        _MODEL_TESTS,
    ),
    TriggerKind(
        "PROMPT-CHANGED",
        Dimension.REFUSAL,
        "another system prompt",
        "the system prompt has another digest",
        (Demand.JAILBREAK, Demand.PROMPT_LEAK),
    ),
    TriggerKind(
        "SAMPLING-CHANGED",
        Dimension.REFUSAL,
        "other sampling",
        "temperature or another parameter of the model is set otherwise",
        (Demand.JAILBREAK, Demand.REFUSAL),
    ),
    TriggerKind(
        "CTX-CHANGED",
        Dimension.REFUSAL,
        "another context window",
        "long inputs wear refusals down: how long they may be has changed",
        (Demand.JAILBREAK, Demand.REFUSAL),
    ),
    TriggerKind(
        "GUARDRAIL-REMOVED",
        Dimension.REFUSAL,
        "guardrail removed",
        "a guardrail of the old release is gone, or guards input or output no longer",
        (*_GUARD_TESTS, Demand.INJECTION, Demand.SIGN_OFF),
    ),
    TriggerKind(
        "GUARDRAIL-WEAKENED",
        Dimension.REFUSAL,
        "guardrail weakened",
        "a setting of a guardrail is weaker than before",
        _GUARD_TESTS,
    ),
    TriggerKind(
        "GUARDRAIL-CHANGED",
        Dimension.REFUSAL,
        "guardrail changed",
        "a guardrail has another version, or a setting of which no order is known",
        (Demand.JAILBREAK, Demand.OVER_REFUSAL),
    ),
    TriggerKind(
        "VENDOR-CLAIM",
        Dimension.REFUSAL,
        "vendor's claim without own validation",
        "the model has changed, and all that is shown for it is what its vendor says",
        _MODEL_TESTS,
    ),
    # --- workflow integrity
    TriggerKind(
        "AUTONOMY-GROW",
        Dimension.WORKFLOW,
        "more autonomy",
        "more steps or calls, a longer memory, or fewer effects that wait for a person",
        (Demand.TOOL_ABUSE, Demand.SIGN_OFF),
    ),
    TriggerKind(
        "DOWNSTREAM-NEW",
        Dimension.WORKFLOW,
        "new system downstream",
        "the release writes to a system that it did not write to",
        (Demand.INTEGRATION, Demand.SIGN_OFF),
    ),
    TriggerKind(
        "DOWNSTREAM-WIDER",
        Dimension.WORKFLOW,
        "wider writes downstream",
        "the release writes more to a system downstream, or more systems trust it",
        (Demand.INTEGRATION,),
    ),
    TriggerKind(
        "IRREVERSIBLE",
        Dimension.WORKFLOW,
        "effects that cannot be undone",
        "what is written downstream could be undone before, and cannot any more",
        (Demand.INTEGRATION, Demand.ROLLBACK, Demand.SIGN_OFF),
    ),
    TriggerKind(
        "LOGGING-WEAKENED",
        Dimension.WORKFLOW,
        "less logging",
        "something is no longer logged, or is kept for a shorter time",
        (Demand.LOGGING,),
    ),
    TriggerKind(
        "ALERT-REMOVED",
        Dimension.WORKFLOW,
        "alert gone",
        "an alert of the old release is gone, or goes elsewhere",
        (Demand.LOGGING,),
    ),
    TriggerKind(
        "ROLLBACK-UNTESTED",
        Dimension.WORKFLOW,
        "rollback untested",
        "nobody has tried to go back to the release that the manifest names",
        (Demand.ROLLBACK,),
    ),
    TriggerKind(
        "ROLLBACK-WEAKENED",
        Dimension.WORKFLOW,
        "weaker rollback",
        "going back takes longer, or fewer criteria lead to it",
        (Demand.ROLLBACK,),
    ),
)

BY_ID: dict[str, TriggerKind] = {kind.id: kind for kind in TRIGGERS}
