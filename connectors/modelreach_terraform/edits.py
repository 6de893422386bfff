"""What one resource of a configuration stands for, as edits to an estate.

To apply a change is to take away what a resource's old values stand for, and to add what its new
ones do: so a provider's table says each thing once, whatever the plan does with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelreach.snapshot import (
    AttachmentKind,
    AttributeValue,
    Binding,
    Credential,
    Gap,
    Link,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
)

Thing = Scope | Principal | Resource | Runtime | ManagedPolicy | Credential


@dataclass(frozen=True, slots=True)
class Is:
    """That a thing is there. What the fact does not tell of it stays as it was.

    When the thing goes, what is attached to it, and what it holds, goes with it. `documents` are
    the versions of a managed policy or role.
    """

    fact: Thing
    documents: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Attach:
    """That a document applies to a target."""

    target: str
    kind: AttachmentKind
    document: object
    name: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Enters:
    """That a document on a target has an entry in a list of it: a statement, an access policy.

    Entries that are the same in the fields `by` are one. `around` is the document without entries.
    """

    target: str
    kind: AttachmentKind
    name: str
    element: str
    entry: Mapping[str, object]
    by: tuple[str, ...]
    around: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Uses:
    """That a managed policy applies to a target; its document is what the estate has of it."""

    target: str
    kind: AttachmentKind
    policy: str


@dataclass(frozen=True, slots=True)
class Renews:
    """That a policy says this, wherever it is attached."""

    policy: str
    document: object
    name: str


@dataclass(frozen=True, slots=True)
class Only:
    """That of the identity policies of a target (or, with `policy`, of the targets of a policy)
    there are these and no others. `managed`: policies with an ARN are meant, else inline ones."""

    names: tuple[str, ...]
    target: str = ""
    policy: str = ""
    managed: bool = True


@dataclass(frozen=True, slots=True)
class Holds:
    """That members hold a role. `alone`: those that the binding had before hold it no longer."""

    binding: Binding
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Governs:
    """That the bindings on a target are these, and no others."""

    target: str
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Sets:
    """That a thing of another resource has these attributes; `otherwise` are those that it has
    without this. `of` is the section that the thing is in."""

    id: str
    attributes: Mapping[str, AttributeValue]
    otherwise: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    of: str = "resources"


@dataclass(frozen=True, slots=True)
class Adds:
    """That a list among the attributes of a thing has these too; `of` is its section."""

    id: str
    name: str
    values: tuple[str, ...]
    of: str = "resources"


@dataclass(frozen=True, slots=True)
class Wires:
    """That a runtime has these links too."""

    id: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Joins:
    """That a principal is in these groups."""

    principal: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """That something cannot be told before apply, or is not understood."""

    gap: Gap


Edit = (
    Is
    | Attach
    | Enters
    | Uses
    | Renews
    | Only
    | Holds
    | Governs
    | Sets
    | Adds
    | Wires
    | Joins
    | Unknown
)
