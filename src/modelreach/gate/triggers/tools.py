"""Tool authority, as manifests declare it: tools, identities, sessions, credentials."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.deployment import Identity, Spec, Tool
from modelreach.gate.catalogue import Demand, Dimension
from modelreach.gate.scales import shown
from modelreach.gate.triggers.said import Said, trigger, undeclared
from modelreach.report import UndeclaredRow

#: Effect -> the effects that are narrower. Spending, deleting and executing are no part of each
#: other, save that what runs code can also write and delete.
_NARROWER: dict[str, frozenset[str]] = {
    "read": frozenset(),
    "write": frozenset({"read"}),
    "delete": frozenset({"read", "write"}),
    "spend": frozenset({"read", "write"}),
    "execute": frozenset({"read", "write", "delete"}),
    "admin": frozenset({"read", "write", "delete", "spend", "execute"}),
}
#: Effects that somebody should have agreed to.
_GRAVE = frozenset({"delete", "spend", "execute", "admin"})
_APPROVALS = {"none": 0, "policy": 1, "human": 2}
#: Credentials that stay valid until somebody revokes them.
STATIC = frozenset({"service-account-key", "access-key", "client-secret", "api-key"})


def compare(old: Spec, new: Spec) -> Said:
    """Give the triggers of tool authority that two manifests show."""
    yield from undeclared(Dimension.TOOLS, ("the tools", "spec.tools", old.tools, new.tools))
    if old.tools is not None and new.tools is not None:
        before = {tool.id: tool for tool in old.tools}
        for tool in sorted(new.tools, key=lambda tool: tool.id):
            earlier = before.get(tool.id)
            yield from _new_tool(tool) if earlier is None else _tool(earlier, tool)
    before_identities = {identity.id: identity for identity in old.identities}
    known = {identity.principal for identity in old.identities}
    for identity in sorted(new.identities, key=lambda identity: identity.id):
        yield from _identity(before_identities.get(identity.id), identity, known)


# --- tools ---------------------------------------------------------------------------------


def _new_tool(tool: Tool) -> Said:
    grave = tool.effect is None or tool.effect in _GRAVE
    unapproved = tool.approval in (None, "none")
    more = [Demand.APPROVAL] if grave and unapproved else []
    if tool.input_trust != "trusted":
        more.append(Demand.INDIRECT)
    yield trigger("TOOL-NEW", tool.id, "no such tool", _described(tool), more=more)


def _described(tool: Tool) -> str:
    parts = [f"{tool.kind} tool", f"effect {tool.effect or 'not declared'}"]
    parts.append(f"approval {tool.approval or 'not declared'}")
    if tool.runs_as:
        parts.append(f"runs as {tool.runs_as}")
    return ", ".join(parts)


def _tool(old: Tool, new: Tool) -> Said:
    path = f"spec.tools[{new.id}]"
    yield from undeclared(
        Dimension.TOOLS,
        (f"the effect of tool `{new.id}`", f"{path}.effect", old.effect, new.effect),
        (f"the approval of tool `{new.id}`", f"{path}.approval", old.approval, new.approval),
        (f"who feeds tool `{new.id}`", f"{path}.inputTrust", old.input_trust, new.input_trust),
    )
    yield from _toolset(old, new, path)
    if old.effect and new.effect and new.effect not in (old.effect, *_NARROWER[old.effect]):
        yield trigger("TOOL-EFFECT", new.id, old.effect, new.effect, more=_approved(new))
    if old.approval and new.approval and _APPROVALS[new.approval] < _APPROVALS[old.approval]:
        yield trigger("TOOL-APPROVAL", new.id, old.approval, new.approval)
    added = sorted(set(new.scopes or ()) - set(old.scopes or ()))
    if added:
        yield trigger("TOOL-SCOPES", new.id, old.scopes, new.scopes)
    before, after = _nature(old), _nature(new)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        yield trigger(
            "TOOL-CHANGED",
            new.id,
            {name: before[name] for name in changed},
            {name: after[name] for name in changed},
        )
    yield from _trust(old, new)


def _approved(tool: Tool) -> list[Demand]:
    grave = tool.effect in _GRAVE and tool.approval in (None, "none")
    return [Demand.APPROVAL] if grave else []


def _toolset(old: Tool, new: Tool, path: str) -> Iterator[UndeclaredRow]:
    """A server of tools can offer others tomorrow, unless they are listed or have a digest."""
    if new.kind == "mcp":
        yield from undeclared(
            Dimension.TOOLS,
            (
                f"the functions of tool `{new.id}`",
                f"{path}.toolsetSha256",
                old.toolset_sha256 or old.tools,
                new.toolset_sha256 or new.tools,
            ),
        )


def _nature(tool: Tool) -> dict[str, object]:
    return {
        "kind": tool.kind,
        "target": tool.target,
        "transport": tool.transport,
        "runs as": tool.runs_as,
        "functions": tuple(sorted(tool.tools)) if tool.tools is not None else None,
        "toolset": tool.toolset_sha256,
    }


def _trust(old: Tool, new: Tool) -> Said:
    if old.input_trust == "trusted" and new.input_trust == "untrusted":
        yield trigger("TOOL-UNTRUSTED", new.id, "trusted arguments", "untrusted arguments")
    if old.returns_untrusted is False and new.returns_untrusted:
        yield trigger("TOOL-UNTRUSTED", new.id, "trusted results", "untrusted results")


# --- identities ----------------------------------------------------------------------------


def _identity(old: Identity | None, new: Identity, known: set[str]) -> Said:
    if new.principal not in known:
        yield trigger("IDENTITY-NEW", new.principal, *_instead(old, new))
    if old is None:
        yield from _new_credential(new)
        return
    path = f"spec.identities[{new.id}]"
    if not new.federates_to:
        yield from undeclared(
            Dimension.TOOLS,
            (
                f"the credential of identity `{new.id}`",
                f"{path}.credential",
                old.credential,
                new.credential,
            ),
        )
    if new.credential == "assumed-role" == old.credential:
        yield from undeclared(
            Dimension.TOOLS,
            (
                f"how long sessions of identity `{new.id}` last",
                f"{path}.maxSessionSeconds",
                old.max_session_seconds,
                new.max_session_seconds,
            ),
        )
    was, now = old.max_session_seconds, new.max_session_seconds
    if was is not None and now is not None and now > was:
        yield trigger("SESSION-LONGER", new.id, f"{was} seconds", f"{now} seconds")
    if None not in (old.credential, new.credential) and _credential(old) != _credential(new):
        if new.credential in STATIC and old.credential not in STATIC:
            yield from _new_credential(new)
        else:
            yield trigger("CREDENTIAL-NEW", new.id, _credential(old), _credential(new))


def _new_credential(identity: Identity) -> Said:
    if identity.credential in STATIC:
        yield trigger("LONG-LIVED-KEY", identity.id, "no such key", _credential(identity))


def _instead(old: Identity | None, new: Identity) -> tuple[str, str]:
    """Give as whom the release ran, and as whom it runs now, with the credential if declared."""
    if old is None:
        return "no such identity", _credential(new)
    return (
        old.principal,
        f"{new.principal}, {_credential(new)}" if new.credential else new.principal,
    )


def _credential(identity: Identity) -> str:
    kind = identity.credential or "credential not declared"
    return f"{kind}, created {shown(identity.key_created)}" if identity.key_created else kind
