"""What a hop and its statement say, in few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import msgspec

from modelreach.report import Hop, OriginRow, ToolRow
from modelreach_reports.naming import identity_label, kind_words, tail_of_arn
from modelreach_reports.safe import visible


def listed(values: Sequence[str], limit: int = 1) -> str:
    """Give `first +2` of three values."""
    rest = len(values) - limit
    return ", ".join(values[:limit]) + (f" +{rest}" if rest > 0 else "")


@lru_cache(maxsize=4096)
def parsed(statement: str) -> Mapping[str, Any] | None:
    """Give a statement as a mapping; None when it is no JSON object."""
    try:
        value = msgspec.json.decode(statement)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [str(value)]


def _part(statement: Mapping[str, Any], name: str, arns: bool) -> str:
    if name in statement:
        values, without = _texts(statement[name]), ""
    elif f"Not{name}" in statement:
        values, without = _texts(statement[f"Not{name}"]), "all but "
    else:
        return ""
    shown = [_short_pattern(value) for value in values] if arns else values
    return without + listed(shown)


def _short_pattern(pattern: str) -> str:
    tail = tail_of_arn(pattern)
    parts = pattern.split(":", 5)
    if tail == "root" and len(parts) == 6:
        return f"account {parts[4]}"
    return tail


def statement_words(hop: Hop, actions: Sequence[str] = (), name: str = "") -> str:
    """Give what the statement of a hop says in a few words: `s3:* on customer-*`.

    With `actions`, those are told where no wildcard covers them; with `name`, the resource is
    told only if it is more than the thing of that name.
    """
    statement = parsed(hop.statement)
    told = listed(actions) or hop.action
    if statement is None:
        return visible(told)
    if isinstance(statement.get("role"), str):
        return visible(f"{told} by {statement['role']}")
    principal = _part(statement, "Principal", arns=True)
    if hop.layer == "trust" and principal:
        return visible("trusts anyone" if principal == "*" else f"trusts {principal}")
    broad = _broad(statement, actions) if actions else [_part(statement, "Action", arns=False)]
    resource = _part(statement, "Resource", arns=True)
    where = "" if not resource or _names(statement, name) else f" on {resource}"
    return visible((listed(broad) or told) + where)


def _names(statement: Mapping[str, Any], name: str) -> bool:
    """Does a statement spell out the thing of that name, so that it need not be said again?"""
    wanted = tail_of_arn(name)
    tails = [
        tail_of_arn(text).removesuffix("/*") for text in _texts(statement.get("Resource", []))
    ]
    return bool(name) and any(
        tail == wanted or tail.endswith((f"/{wanted}", f":{wanted}")) for tail in tails
    )


def _broad(statement: Mapping[str, Any], actions: Sequence[str]) -> list[str]:
    """The wildcards of a statement that cover the actions; nothing if they are spelled out."""
    if "Action" not in statement:
        return [_part(statement, "Action", arns=False)]
    patterns = [text for text in _texts(statement["Action"]) if "*" in text or "?" in text]
    lowered = [action.lower() for action in actions]
    return [
        pattern
        for pattern in patterns
        if any(_matches(action, pattern.lower()) for action in lowered)
    ]


def _matches(action: str, pattern: str) -> bool:
    return action == "*" or fnmatchcase(action, pattern.replace("[", "[[]"))


_HOP_WORDS = {
    "start": "runs as",
    "uses": "uses",
    "runs-as": "runs as",
    "tool": "uses the tool",
    "node": "asks the node it runs on for the credentials of",
    "assume-role": "assumes",
    "credential": "opens with a credential",
    "impersonate": "acts as",
    "federate": "comes as an identity of the pool, and acts as",
    "federation": "is let in by its token as",
    "pass-role": "passes the role to new compute",
    "update-compute": "changes the code of what runs as",
    "self-escalation": "gives itself more",
    "run-code": "runs code of its own in what runs as",
    "trust": "lets itself in by rewriting the trust of",
    "policy": "may rewrite the policies of, and assume,",
    "feed": "feeds (influence only)",
    "prompt": "prompts (influence only)",
    "grant": "may",
    "administer": "administers",
}
LAYERS = {
    "identity": "policy",
    "resource": "resource policy",
    "trust": "trust policy",
    "boundary": "permissions boundary",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "session": "session policy",
    "endpoint": "endpoint policy",
    "grant": "grant",
    "acl": "access control list",
    "binding": "role",
    "deny": "deny policy",
    "access-policy": "access policy",
    "lock": "lock",
}


def begun(witness: Sequence[Hop], deployment: str) -> tuple[Hop, ...]:
    """Give a witness that begins at the deployment; one of a bare principal begins at itself."""
    hops = tuple(witness)
    if not hops or hops[0].kind != "start":
        return hops
    start = hops[0]
    if start.subject:
        uses = Hop(kind="uses", subject=deployment, object=start.subject, note=start.note)
        runs_as = msgspec.structs.replace(start, kind="runs-as", note="")
        return (uses, runs_as, *hops[1:])
    if start.object == deployment:
        return hops[1:]
    return (msgspec.structs.replace(start, subject=deployment, note=""), *hops[1:])


def stops(witness: Sequence[Hop]) -> tuple[str, ...]:
    """Give what a witness passes, in order: the tool that it begins with, if there is one, then
    whom it comes to."""
    first = [hop.subject for hop in witness[:1] if hop.kind == "start" and hop.subject]
    return (*first, *(hop.object for hop in witness))


def hop_words(hop: Hop) -> str:
    """Say what a hop does: the kind in words, and the action where it adds something."""
    words = _HOP_WORDS.get(hop.kind, kind_words(hop.kind))
    action = visible(hop.action)
    if hop.kind == "grant":
        return f"{words} {action}"
    told = not action or action in (words, "*")
    return words if told else f"{words} ({action})"


def conditions_words(conditions: Sequence[str]) -> str:
    """Say what must hold, to stand after "only if"."""
    told = (condition.removeprefix("provided that ") for condition in conditions)
    return " and ".join(told) or "a condition holds"


def strength_words(hop: Hop) -> str:
    """Say how sure a hop is; nothing when it is certain."""
    depends = visible(" and ".join(hop.depends_on))
    match hop.strength:
        case "conditional":
            return f"only if {visible(conditions_words(hop.depends_on))}"
        case "unknown":
            return f"unknown: {depends or 'it could not be judged'}"
        case "influence":
            return "may feed or prompt it, not act as it"
        case _:
            return ""


#: What stands for a hop that takes no permission: the wiring itself is the way.
_WITHOUT_ACTION = {"node": "by its node", "tool": "as its tool"}


def hop_label(hop: Hop) -> str:
    """Give the few words that stand on the arrow of a hop: its actions, those it needs first."""
    if hop.kind in ("start", "uses", "runs-as", "administer"):
        return _HOP_WORDS[hop.kind]
    needed = [also.action for also in hop.also if also.layer != "trust"]
    actions = list(dict.fromkeys(action for action in [hop.action, *needed] if action))
    if not actions:
        return _WITHOUT_ACTION.get(hop.kind, "")
    rest = f" and {len(actions) - 2} more" if len(actions) > 2 else ""
    return visible(" and ".join(actions[:2]) if not rest else ", ".join(actions[:2]) + rest)


_APPROVED = {
    "none": "no approval",
    "human": "a human approves",
    "policy": "a policy approves",
    "": "approval not declared",
}


def tool_words(tool: ToolRow) -> str:
    """Say what is declared of a tool: what it does, who approves, who feeds it."""
    effect = visible(tool.effect) or "effect not declared"
    approval = _APPROVED.get(tool.approval, visible(tool.approval))
    trust = f"{visible(tool.input_trust)} input" if tool.input_trust else "input not declared"
    return f"{effect}, {approval}, {trust}"


def where_words(
    layer: str, policy: str, target: str, sid: str, called: Callable[[str], str] = identity_label
) -> str:
    """Say where a statement stands: `policy tools-inline of support-agent, statement Reads`.
    `called` gives what its target is called."""
    kind = LAYERS.get(layer, layer)
    name = visible(policy)
    if layer == "service":  # no policy: what is so of the target
        return f"{called(target)}: {name}"
    named = name if name.lower().endswith("policy") else f"{kind} {name}".strip()
    link = "on" if layer in ("binding", "deny", "access-policy") else "of"
    owner = f" {link} {called(target)}" if target else ""
    what = "" if layer == "binding" else "statement "
    return f"{named}{owner}" + (f", {what}{visible(sid)}" if sid else "")


def origin_words(hop: Hop) -> str:
    """Say where a configuration has what a hop goes by: `aws_iam_role_policy.read, main.tf:12`;
    nothing where no plan was applied."""
    origin = hop.origin
    if not isinstance(origin, OriginRow):
        return ""
    place = f", {origin.file}:{origin.line}" if origin.file else ""
    return visible(f"{origin.address}{place}")


def whereabouts(hop: Hop, called: Callable[[str], str]) -> str:
    """Say where a statement stands in the estate, and where a configuration has it. `called`
    gives what its target is called."""
    told = where_words(hop.layer, hop.policy, hop.target, hop.sid, called)
    origin = origin_words(hop)
    return f"{told}; from {origin}" if origin else told
