"""What a principal may do in Entra and through Microsoft Graph, told as grants.

Permissions of an application hold for the whole tenant: everybody's mail, every site. They are
told by what they open. Directory roles are told by the tenant, unit or object that they are for.
https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Capability, Verdict
from modelreach.policy.azure import operations
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.estate import GRAPH_APP, Held
from modelreach.policy.azure.ids import is_arm
from modelreach.policy.azure.roles import APPLICATION, GRAPH, Plane
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, all_of, is_open

#: What permissions of Microsoft Graph open, by how their names begin.
_OPENED = {
    "mail": "mail",
    "mailboxsettings": "mail",
    "mailboxfolder": "mail",
    "mailboxitem": "mail",
    "files": "files",
    "sites": "sites",
    "lists": "sites",
    "listitems": "sites",
    "chat": "chats",
    "chatmessage": "chats",
    "channelmessage": "chats",
    "onlinemeetingtranscript": "chats",
    "onlinemeetingrecording": "chats",
    "calls": "chats",
    "notes": "notes",
    "calendars": "calendars",
    "contacts": "contacts",
    "ediscovery": "ediscovery",
    "securityincident": "security",
    "bitlockerkey": "device-keys",
    "devicelocalcredential": "device-keys",
}
TENANT = "microsoft.graph/tenant"


def directory_grants(asker: Asker) -> Iterator[Grant]:
    """Give the grants in Entra and through the permissions of applications."""
    rows: dict[_Key, tuple[set[str], set[StatementRef]]] = {}
    for held in asker.held:
        if is_arm(held.binding.target):
            continue
        for place, kind, name, capability, action, residual, ref in _granted(asker, held):
            key = (place, kind, name, capability, residual)
            actions, refs = rows.setdefault(key, (set(), set()))
            actions.add(action)
            refs.add(ref)
    for key, (actions, refs) in rows.items():
        place, kind, name, capability, residual = key
        yield Grant(
            principal=asker.name,
            resource=place,
            kind=kind,
            name=name,
            scope=asker.estate.tenant,
            provider="azure",
            capability=capability,
            actions=tuple(sorted(actions)),
            verdict=_verdict(residual),
            residual=residual,
            statements=tuple(sorted(refs)),
        )


_Key = tuple[str, str, str, Capability, Expr]


def _verdict(residual: Expr) -> Verdict:
    if residual == TRUE:
        return Verdict.ALLOW
    unread = is_open(residual, AtomKind.GAP, AtomKind.OPAQUE)
    return Verdict.UNKNOWN if unread else Verdict.CONDITIONAL


_Row = tuple[str, str, str, Capability, str, Expr, StatementRef]


def _granted(asker: Asker, held: Held) -> Iterator[_Row]:
    estate, binding = asker.estate, held.binding
    doubt = held.when
    if held.role is None:
        return
    for block in held.role.blocks:
        if block.problem:
            doubt = all_of((doubt, Atom(AtomKind.OPAQUE, block.problem)))
            continue
        ref = asker.reference(held, block)
        if block.plane is Plane.APPLICATION:
            yield _of_permission(asker, held, held.role.name, doubt, ref)
        elif block.plane is Plane.DIRECTORY and block.condition.strip() == "":
            place = binding.target
            fact = estate.facts.principals.get(place)
            scope = estate.facts.scopes.get(place)
            name = (fact.name if fact else scope.name if scope else "") or place
            kind = f"entra:{fact.kind if fact else scope.kind if scope else 'object'}"
            for action in block.actions.all:
                capability = operations.capability(action)
                yield place, kind, name, capability, action, doubt, ref


def _of_permission(asker: Asker, held: Held, value: str, doubt: Expr, ref: StatementRef) -> _Row:
    tenant = asker.estate.tenant
    owner = held.binding.role.split("/")[2] if held.binding.role.count("/") >= 2 else ""
    if owner != GRAPH_APP:
        fact = asker.estate.facts.principals.get(held.binding.target)
        name = (fact.name if fact else "") or held.binding.target
        action = f"{APPLICATION}{owner}/{value}"
        capability = operations.capability(action)
        return held.binding.target, "entra:application-api", name, capability, action, doubt, ref
    opened = _OPENED.get(value.split(".")[0].lower(), "directory")
    place = f"graph://{tenant}/{opened}"
    capability = operations.capability(GRAPH + value)
    name = f"{opened} of the tenant"
    return place, f"microsoft.graph/{opened}", name, capability, GRAPH + value, doubt, ref
