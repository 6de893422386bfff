"""The estate that a plan is applied to: facts by id, which edits add to and take from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    Credential,
    Gap,
    Link,
    ManagedPolicy,
    Origin,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    canonical,
    document_bytes,
    document_id,
)
from modelreach_terraform.edits import (
    Adds,
    Attach,
    Edit,
    Enters,
    Governs,
    Holds,
    Is,
    Joins,
    Only,
    Renews,
    Sets,
    Thing,
    Unknown,
    Uses,
    Wires,
)

_AttachmentKey = tuple[str, str, str, str]
#: Fields of a fact that an estate knows better than a plan, which tells them only for some.
_KEPT: Final = ("unique_id", "created", "last_used", "groups", "rotated", "version")


class World:
    """Everything that is, or will be, there."""

    def __init__(self, base: Snapshot) -> None:
        self._base = base
        self.scopes: dict[str, Scope] = {fact.id: fact for fact in base.scopes}
        self.principals: dict[str, Principal] = {fact.id: fact for fact in base.principals}
        self.credentials: dict[str, Credential] = {fact.id: fact for fact in base.credentials}
        self.resources: dict[str, Resource] = {fact.id: fact for fact in base.resources}
        self.runtimes: dict[str, Runtime] = {fact.id: fact for fact in base.runtimes}
        self.policies: dict[str, ManagedPolicy] = {fact.id: fact for fact in base.managed_policies}
        self.bindings: dict[str, Binding] = {fact.id: fact for fact in base.bindings}
        self._attachments: dict[_AttachmentKey, Attachment] = {
            _key(fact): fact for fact in base.attachments
        }
        self._documents: dict[str, bytes] = {
            digest: bytes(raw) for digest, raw in base.documents.items()
        }
        self._names = {(one.kind, one.scope, one.name): one.id for one in base.principals}
        self._gaps: list[Gap] = []
        self._origins: list[Origin] = list(base.origins)
        self._gone: set[str] = set()

    # --- what is there ----------------------------------------------------------------------

    def known(self, name: str) -> bool:
        """Is there a thing of that id?"""
        return any(name in section for section in self._sections())

    def named(self, kind: str, scope: str, name: str) -> str:
        """Give the principal of that kind and name in a scope, "" for none."""
        return self._names.get((kind, scope, name), "")

    def attachments(self, target: str) -> Iterator[Attachment]:
        """Give what applies to a target."""
        return (one for one in self._attachments.values() if one.target == target)

    def applied(self, policy: str) -> Iterator[Attachment]:
        """Give where a policy applies, by the end of its ARN."""
        return (one for one in self._attachments.values() if one.policy.endswith(policy))

    def document(self, digest: str) -> object:
        """Give a document by its digest."""
        return json.loads(self._documents[digest])

    def gap(self, gap: Gap) -> None:
        """Say that something is not known."""
        self._gaps.append(gap)

    def origin(self, origin: Origin) -> None:
        """Say where something is written."""
        self._origins.append(origin)

    def _sections(self) -> tuple[dict[str, Any], ...]:
        return (
            self.scopes,
            self.principals,
            self.credentials,
            self.resources,
            self.runtimes,
            self.policies,
        )

    def _section(self, fact: Thing) -> dict[str, Any]:
        return self._sections()[_ORDER.index(type(fact))]

    # --- adding -----------------------------------------------------------------------------

    def add(self, edit: Edit) -> None:
        """Let what an edit says be so."""
        match edit:
            case Is():
                self._put(edit)
            case Attach():
                self._attach(edit)
            case Enters():
                self._enter(edit, edit.entry)
            case Uses():
                self._use(edit)
            case Renews():
                self._renew(edit.policy, self._keep(edit.document), edit.name)
            case Only():
                self._narrow(edit)
            case Holds():
                self._hold(edit)
            case Governs():
                self._drop_bindings(edit.target)
                self.bindings.update((one.id, one) for one in edit.bindings)
            case Sets():
                self._set(edit.of, edit.id, dict(edit.attributes), ())
            case Adds():
                self._extend(edit, set(edit.values), set())
            case Wires():
                self._wire(edit.id, set(edit.links), set())
            case Joins():
                self._join(edit.principal, set(edit.groups), set())
            case Unknown():
                self._gaps.append(edit.gap)

    def _put(self, edit: Is) -> None:
        section, fact = self._section(edit.fact), edit.fact
        if isinstance(fact, ManagedPolicy) and edit.documents:
            versions = {name: self._keep(one) for name, one in edit.documents.items()}
            fact = replace(fact, versions=versions)
        known = section.get(fact.id)
        section[fact.id] = _merged(known, fact) if known is not None else fact
        if isinstance(fact, Principal):
            self._names[fact.kind, fact.scope, fact.name] = fact.id
        self._gone.discard(fact.id)
        if isinstance(fact, ManagedPolicy) and known is not None:
            made: ManagedPolicy = section[fact.id]
            self._renew(made.id, made.versions.get(made.default_version, ""), made.name)

    def _renew(self, policy: str, document: str, name: str) -> None:
        """Let a new version of a policy apply wherever the policy does."""
        for key, one in list(self._attachments.items()):
            if document and one.policy == policy:
                del self._attachments[key]
                made = replace(one, document=document, name=name or one.name)
                self._attachments[_key(made)] = made

    def _attach(self, edit: Attach) -> None:
        made = Attachment(
            target=edit.target,
            kind=edit.kind,
            document=self._keep(edit.document),
            name=edit.name,
            policy=edit.policy,
        )
        self._attachments[_key(made)] = made

    def _enter(self, edit: Enters, entry: Mapping[str, object] | None) -> None:
        """Put an entry into a document in the place of the one that it is; None takes that out."""
        key = edit.target, edit.kind, edit.name, ""
        known = self._attachments.get(key)
        found = self.document(known.document) if known else dict(edit.around)
        document: dict[str, Any] = found if isinstance(found, dict) else {}
        written = document.get(edit.element, [])
        listed = written if isinstance(written, list) else [written]
        left = [one for one in listed if not _same(one, edit)]
        made = [*left, dict(entry)] if entry is not None else left
        if made:
            whole = {**document, edit.element: made}
            self._attach(Attach(edit.target, edit.kind, whole, edit.name))
        else:
            self._attachments.pop(key, None)

    def _use(self, edit: Uses) -> None:
        policy = self.policies.get(edit.policy)
        document = policy.versions.get(policy.default_version, "") if policy else ""
        if policy is not None and document:
            made = Attachment(
                target=edit.target,
                kind=edit.kind,
                document=document,
                name=policy.name,
                policy=edit.policy,
            )
            self._attachments[_key(made)] = made
            return
        self._gaps.append(
            Gap(
                provider="aws",
                scope=edit.target.split(":")[4] if edit.target.count(":") > 4 else "",
                kind="boundary" if edit.kind == "boundary" else "identity-policy",
                reason="not-collected",
                subject=edit.target,
                message=f"neither the plan nor the base has the document of `{edit.policy}`",
            )
        )

    def _narrow(self, edit: Only) -> None:
        for key, one in list(self._attachments.items()):
            if one.kind != "identity" or bool(one.policy) is not edit.managed:
                continue
            if edit.policy:
                meant, named = one.policy == edit.policy, one.target
            else:
                meant, named = one.target == edit.target, one.policy or one.name
            if meant and named not in edit.names:
                del self._attachments[key]

    def _hold(self, edit: Holds) -> None:
        known, made = self.bindings.get(edit.binding.id), edit.binding
        if known is not None and not edit.alone:
            members = tuple(sorted({*known.members, *made.members}))
            made = replace(known, members=members)
        self.bindings[made.id] = made

    def _keep(self, document: object) -> str:
        raw = document_bytes(document)
        digest = document_id(raw)
        self._documents[digest] = min(self._documents.get(digest, raw), raw)
        return digest

    # --- taking away ------------------------------------------------------------------------

    def take(self, edit: Edit, *, gone: bool) -> None:
        """Let what an edit says be so no longer. `gone`: the resource goes; else it changes, and
        a thing stays there without what this said of it."""
        match edit:
            case Is():
                self._remove(edit.fact) if gone else self._soften(edit.fact)
            case Attach() | Uses():
                for key in [key for key, one in self._attachments.items() if _says(edit, one)]:
                    del self._attachments[key]
            case Enters():
                self._enter(edit, None)
            case Holds():
                self._release(edit)
            case Governs():
                self._drop_bindings(edit.target)
            case Sets():
                self._set(edit.of, edit.id, dict(edit.otherwise), tuple(edit.attributes))
            case Adds():
                self._extend(edit, set(), set(edit.values))
            case Wires():
                self._wire(edit.id, set(), set(edit.links))
            case Joins():
                self._join(edit.principal, set(), set(edit.groups))
            case Renews():
                if gone:
                    self._detach(edit.policy)
            case Only() | Unknown():
                pass

    def _detach(self, policy: str) -> None:
        for key in [key for key, one in self._attachments.items() if one.policy == policy]:
            del self._attachments[key]

    def _remove(self, fact: Thing) -> None:
        name = fact.id
        self._section(fact).pop(name, None)
        self._gone.add(name)
        if isinstance(fact, Scope):
            return
        self._attachments = {
            key: one
            for key, one in self._attachments.items()
            if name not in (one.target, one.policy)
        }
        self.credentials = {
            key: one for key, one in self.credentials.items() if one.principal != name
        }
        self._drop_bindings(name)
        if not isinstance(fact, Principal):
            return
        self._names.pop((fact.kind, fact.scope, fact.name), None)
        for key, one in list(self.principals.items()) if fact.kind == "group" else ():
            if name in one.groups:
                groups = tuple(group for group in one.groups if group != name)
                self.principals[key] = replace(one, groups=groups)

    def _soften(self, fact: Thing) -> None:
        known, told = self._section(fact).get(fact.id), getattr(fact, "attributes", None)
        if known is not None and told:
            left = {key: value for key, value in known.attributes.items() if key not in told}
            self._section(fact)[fact.id] = replace(known, attributes=left)

    def _release(self, edit: Holds) -> None:
        known = self.bindings.get(edit.binding.id)
        if known is None:
            return
        left = () if edit.alone else sorted(set(known.members) - set(edit.binding.members))
        if left:
            self.bindings[known.id] = replace(known, members=tuple(left))
        else:
            del self.bindings[known.id]

    def _drop_bindings(self, target: str) -> None:
        for name in [name for name, one in self.bindings.items() if one.target == target]:
            del self.bindings[name]

    # --- changing ---------------------------------------------------------------------------

    def _named(self, of: str) -> dict[str, Any]:
        sections: dict[str, dict[str, Any]] = {
            "scopes": self.scopes,
            "principals": self.principals,
            "resources": self.resources,
            "runtimes": self.runtimes,
        }
        return sections[of]

    def _set(self, of: str, name: str, told: dict[str, Any], dropped: Iterable[str]) -> None:
        section = self._named(of)
        if known := section.get(name):
            left = {k: v for k, v in known.attributes.items() if k not in set(dropped)}
            section[name] = replace(known, attributes={**left, **told})

    def _extend(self, edit: Adds, more: set[str], less: set[str]) -> None:
        section = self._named(edit.of)
        if known := section.get(edit.id):
            old = known.attributes.get(edit.name, ())
            values = (set(old if isinstance(old, tuple) else ()) | more) - less
            left = {k: v for k, v in known.attributes.items() if k != edit.name}
            told = {edit.name: tuple(sorted(values))} if values else {}
            section[edit.id] = replace(known, attributes=left | told)

    def _wire(self, name: str, more: set[Link], less: set[Link]) -> None:
        known = self.runtimes.get(name)
        if known is not None:
            links = sorted(
                (set(known.links) | more) - less, key=lambda one: (one.kind, one.target)
            )
            self.runtimes[name] = replace(known, links=tuple(links))

    def _join(self, principal: str, more: set[str], less: set[str]) -> None:
        known = self.principals.get(principal)
        if known is not None:
            groups = tuple(sorted((set(known.groups) | more) - less))
            self.principals[principal] = replace(known, groups=groups)

    # --- giving -----------------------------------------------------------------------------

    def snapshot(self, *, taken_at: str, tool: str) -> Snapshot:
        """Give all that is there; of the base's gaps, those that are still about something."""
        used = {one.document for one in self._attachments.values()}
        used |= {digest for one in self.policies.values() for digest in one.versions.values()}
        gaps = [gap for gap in self._base.gaps if not gap.subject or gap.subject not in self._gone]
        return canonical(
            Snapshot(
                schema=SCHEMA,
                taken_at=taken_at,
                tool=tool,
                scopes=tuple(self.scopes.values()),
                principals=tuple(self.principals.values()),
                credentials=tuple(self.credentials.values()),
                resources=tuple(self.resources.values()),
                runtimes=tuple(self.runtimes.values()),
                managed_policies=tuple(self.policies.values()),
                attachments=tuple(self._attachments.values()),
                bindings=tuple(self.bindings.values()),
                usage=tuple(one for one in self._base.usage if one.principal not in self._gone),
                coverage=self._base.coverage,
                gaps=(*gaps, *self._gaps),
                origins=tuple(self._origins),
                documents={
                    digest: msgspec.Raw(raw)
                    for digest, raw in self._documents.items()
                    if digest in used
                },
            )
        )


_ORDER: Final = (Scope, Principal, Credential, Resource, Runtime, ManagedPolicy)


def _key(one: Attachment) -> _AttachmentKey:
    return one.target, one.kind, one.name, one.policy


def _same(one: object, edit: Enters) -> bool:
    return isinstance(one, dict) and all(one.get(name) == edit.entry.get(name) for name in edit.by)


def _says(edit: Attach | Uses, one: Attachment) -> bool:
    if edit.target != one.target or edit.kind != one.kind:
        return False
    if isinstance(edit, Uses):
        return one.policy == edit.policy
    return (one.policy, one.name) == (edit.policy, edit.name)


def _merged(known: Any, fact: Any) -> Any:
    """Give a fact with what only the estate knows of it."""
    told: dict[str, Any] = {
        name: getattr(known, name)
        for name in _KEPT
        if hasattr(known, name) and not getattr(fact, name)
    }
    for name in ("region", "name", "scope", "parent", "status"):
        if hasattr(known, name) and not getattr(fact, name):
            told[name] = getattr(known, name)
    if hasattr(known, "attributes"):
        told["attributes"] = {**known.attributes, **fact.attributes}
    return replace(fact, **told)
