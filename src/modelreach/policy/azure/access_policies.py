"""Where roles do not decide about what a resource holds: vaults with access policies, clusters
that keep roles of their own.

A vault uses either Azure roles or its access policies for its data, never both.
https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from modelreach.policy.azure.ids import enclosing, type_of
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of

if TYPE_CHECKING:
    from modelreach.policy.azure.asker import Asker
    from modelreach.policy.azure.decide import Clause

VAULT = "microsoft.keyvault/vaults"
CLUSTER = "microsoft.containerservice/managedclusters"
_WRITE = "Microsoft.ContainerService/managedClusters/write"

_CRYPTOGRAPHIC = ("decrypt", "encrypt", "sign", "verify", "rotate", "release")
_SAME = ("delete", "recover", "backup", "restore", "purge", "create", "update", "import")
#: Data actions of a vault by kind of object and word of an access policy, where they differ from
#: `KIND/WORD/action`. https://learn.microsoft.com/azure/key-vault/general/rbac-migration
_WORDS: dict[str, dict[str, str]] = {
    "secrets": {
        "get": "secrets/getsecret/action",
        "list": "secrets/readmetadata/action",
        "set": "secrets/setsecret/action",
        "delete": "secrets/delete",
    },
    "keys": {
        "get": "keys/read",
        "list": "keys/read",
        "delete": "keys/delete",
        "unwrapkey": "keys/unwrap/action",
        "wrapkey": "keys/wrap/action",
        "getrotationpolicy": "keyrotationpolicies/read",
        "setrotationpolicy": "keyrotationpolicies/write",
    },
    "certificates": {
        "get": "certificates/read",
        "list": "certificates/read",
        "delete": "certificates/delete",
        "managecontacts": "certificatecontacts/write",
        "getissuers": "certificatecas/read",
        "listissuers": "certificatecas/read",
        "setissuers": "certificatecas/write",
        "manageissuers": "certificatecas/write",
        "deleteissuers": "certificatecas/delete",
    },
}


class _Permissions(msgspec.Struct):
    keys: list[str] | None = None
    secrets: list[str] | None = None
    certificates: list[str] | None = None


class _Policy(msgspec.Struct, rename="camel"):
    tenant_id: str = ""
    object_id: str = ""
    application_id: str | None = None
    permissions: _Permissions = msgspec.field(default_factory=_Permissions)


class _Document(msgspec.Struct, rename="camel"):
    access_policies: list[_Policy] = []


@lru_cache(1 << 12)
def _document(raw: bytes) -> _Document | None:
    try:
        return msgspec.json.decode(raw, type=_Document)
    except (msgspec.MsgspecError, RecursionError):
        return None


def instead(
    asker: Asker,
    action: str,
    target: str,
    allows: tuple[Clause, ...],
    unread: list[Atom],
) -> tuple[tuple[Clause, ...], list[Atom]]:
    """Give what allows a data action where the resource itself says that roles do not, or the same
    that was given. `action` is in lower case, without a prefix."""
    # `…/vaults/v/secrets` has the type of the vault, too: the shortest is the vault itself.
    places = [place for place in enclosing(target) if type_of(place) in (VAULT, CLUSTER)]
    vault = places[-1] if places else ""
    if not vault:
        return allows, unread
    fact = asker.estate.facts.resources.get(vault)
    attributes = fact.attributes if fact else {}
    name = "rbac" if type_of(vault) == VAULT else "azure_rbac"
    uses_roles = attributes.get(name)
    if uses_roles is True:
        return allows, unread
    if uses_roles is False and type_of(vault) == CLUSTER:
        return _once_asked(asker, vault, allows), []
    if uses_roles is False:
        return tuple(_by_policy(asker, action, vault)), []
    open_ = Atom(AtomKind.GAP, f"whether {vault} lets Azure roles decide about what it holds")
    narrowed = tuple(_under(clause, open_) for clause in allows)
    return (*narrowed, *_by_policy(asker, action, vault)), unread


def _once_asked(asker: Asker, cluster: str, allows: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """Roles count in a cluster that does not ask Azure for who may write it, and so have it ask.

    https://learn.microsoft.com/azure/aks/manage-azure-rbac
    """
    writing = _writing(asker, cluster) if allows else FALSE
    if writing == FALSE:
        return ()
    first = provided(f"it has {cluster} ask Azure for roles first")
    return tuple(_under(clause, all_of((first, writing))) for clause in allows)


def _writing(asker: Asker, cluster: str) -> Expr:
    from modelreach.policy.azure.decide import decide

    return decide(asker, _WRITE, cluster).residual


def _under(clause: Clause, when: Expr) -> Clause:
    return type(clause)(all_of((clause.when, when)), clause.ref)


def _by_policy(asker: Asker, action: str, vault: str) -> Iterator[Clause]:
    from modelreach.policy.azure.decide import Clause

    facts = asker.estate.facts
    for attachment in facts.attachments.get(vault, ()):
        if attachment.kind != "access-policy":
            continue
        document = _document(bytes(facts.snapshot.documents.get(attachment.document, b"")))
        if document is None:
            ref = _reference(vault, attachment.document, 0, "")
            yield Clause(Atom(AtomKind.OPAQUE, f"the access policies of {vault}"), ref)
            continue
        for index, policy in enumerate(document.access_policies):
            when = _meant(asker, policy, vault)
            if when != FALSE and action in _granted(policy.permissions):
                text = msgspec.json.encode(policy).decode()
                yield Clause(when, _reference(vault, attachment.document, index, text))


def _reference(vault: str, digest: str, index: int, text: str) -> StatementRef:
    return StatementRef(
        Layer.ACCESS_POLICY, "access policies", vault, digest, index, "", "Allow", text
    )


def _meant(asker: Asker, policy: _Policy, vault: str) -> Expr:
    """Is the policy about the principal? One that also names an application wants a user who acts
    through it; one of another tenant is ignored.
    https://learn.microsoft.com/azure/key-vault/general/assign-access-policy"""
    fact = asker.estate.facts.resources.get(vault)
    tenant = str(fact.attributes.get("tenant", "")) if fact else ""
    if policy.tenant_id.lower() not in (tenant or asker.estate.tenant, asker.estate.tenant):
        return FALSE
    named = policy.object_id.lower()
    if named in asker.members:
        who: Expr = TRUE
    else:
        who = asker.among(frozenset({named}))
    if who == FALSE:
        return FALSE
    if not policy.application_id:
        return who
    if asker.principal.kind != "user":
        return FALSE
    return all_of((who, provided(f"it acts through application {policy.application_id}")))


def _granted(permissions: _Permissions) -> frozenset[str]:
    return frozenset(
        f"{VAULT}/{name}"
        for kind, words in (
            ("keys", permissions.keys),
            ("secrets", permissions.secrets),
            ("certificates", permissions.certificates),
        )
        for name in _actions(kind, tuple(word.lower() for word in words or ()))
    )


@lru_cache(1 << 10)
def _actions(kind: str, words: tuple[str, ...]) -> tuple[str, ...]:
    if "all" in words:
        words = (
            *_WORDS[kind],
            *_SAME,
            "decrypt",
            "encrypt",
            "sign",
            "verify",
            "rotate",
            "release",
        )
    known = _WORDS[kind]
    return tuple(known.get(word, f"{kind}/{word}/action") for word in words)


def named_in(raw: bytes) -> Iterable[str]:
    """Give the objects that access policies name."""
    document = _document(raw)
    return (policy.object_id.lower() for policy in document.access_policies) if document else ()
