"""What can be done with Azure resources, as far as it has to be known by name, and what it gives.

Azure has tens of thousands of operations; `operations.yaml` has those that somebody who reads a
report has to tell apart. An operation that a role names outright is known by that, too.
https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec
import yaml

from modelreach.model import Capability
from modelreach.policy.azure.roles import APPLICATION, DATA, GRAPH, Plane
from modelreach.policy.glob import match


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    actions: list[str] = []
    data: list[str] = []


class Operation(msgspec.Struct, frozen=True):
    """One operation. `name` is in Azure's spelling, without a prefix; `kind` is the type of the
    resource that it is about, in lower case."""

    name: str
    plane: Plane
    kind: str

    @property
    def spelled(self) -> str:
        """How it is written in a report."""
        return DATA + self.name if self.plane is Plane.DATA else self.name

    @property
    def lower(self) -> str:
        """How it is compared."""
        return self.name.lower()


@lru_cache(1)
def by_kind() -> dict[str, tuple[Operation, ...]]:
    """Give the known operations of each type that has any, by type."""
    raw = files("modelreach.policy.azure").joinpath("operations.yaml").read_bytes()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    listed = msgspec.convert(yaml.load(raw, loader), dict[str, _Listed])  # noqa: S506 - safe
    return {kind.lower(): _of(kind, entry) for kind, entry in listed.items()}


def _of(kind: str, entry: _Listed) -> tuple[Operation, ...]:
    low = kind.lower()
    control = (*_EVERYWHERE, *entry.actions)
    found = [Operation(f"{kind}/{name}", Plane.CONTROL, low) for name in control]
    found += [Operation(f"{kind}/{name}", Plane.DATA, low) for name in entry.data]
    return tuple(sorted(found, key=lambda op: (op.plane, op.lower)))


_EVERYWHERE = ("read", "write", "delete")


@lru_cache(4096)
def of_kind(kind: str) -> tuple[Operation, ...]:
    """Give the operations on resources of a type: of what is known of it, or of its parent, what
    is about the type itself or what lies in it."""
    known = by_kind().get(kind)
    if known is not None:
        return known
    parent, _, last = kind.rpartition("/")
    spelled = kind
    inner: tuple[Operation, ...] = ()
    while parent.count("/"):
        above = by_kind().get(parent)
        if above is not None:
            prefix = kind + "/"
            inner = tuple(
                Operation(op.name, op.plane, kind) for op in above if op.lower.startswith(prefix)
            )
            break
        parent = parent.rpartition("/")[0]
    if inner:
        spelled = inner[0].name[: len(kind)]
    named = {op.lower for op in inner}
    own = tuple(
        Operation(f"{spelled}/{name}", Plane.CONTROL, kind)
        for name in _EVERYWHERE
        if f"{kind}/{name}" not in named and last
    )
    return tuple(sorted((*own, *inner), key=lambda op: (op.plane, op.lower)))


@lru_cache(1)
def _planes() -> dict[str, set[Plane]]:
    found: dict[str, set[Plane]] = {}
    for known in by_kind().values():
        for op in known:
            found.setdefault(op.lower, set()).add(op.plane)
    return found


@lru_cache(1 << 12)
def plane_of(name: str) -> Plane | None:
    """Give the plane of an operation (in lower case); None where it is not known, or both have one
    of the name."""
    planes = _planes().get(name)
    if planes is not None:
        return next(iter(planes)) if len(planes) == 1 else None
    kind, _, verb = name.rpartition("/")
    if verb in ("read", "write", "delete") and kind in by_kind():
        return Plane.CONTROL
    return Plane.CONTROL if name.startswith(_CONTROL_ONLY) else None


_CONTROL_ONLY = (
    "microsoft.authorization/",
    "microsoft.kubernetesconfiguration/",
    "microsoft.management/",
    "microsoft.resources/",
)


@lru_cache(1)
def _spelling() -> dict[str, str]:
    return {op.lower: op.name for known in by_kind().values() for op in known}


def spelled(name: str) -> str:
    """Give Azure's spelling of an operation; one that is not known stays as it is."""
    return _spelling().get(name.lower(), name)


# --- what an operation gives ---------------------------------------------------------------

#: Data actions, by how they end, that return what a resource holds though they are no reading.
_READING = (
    *("/getsecret/action", "/decrypt/action", "/unwrap/action", "/process/action"),
    *("/backup/action", "/receive/action", "/filter/action", "/executequery", "/items/read"),
    *("/readchangefeed", "/listsecrets/action", "/release/action", "/completions/action"),
    *("/embeddings/action", "/generations/action", "/audio/action"),
)
_LISTING = ("/readmetadata/action", "/readmetadata", "/metadata/read", "/deployments/read")
_MANAGING = (
    *("/runassuperuser/action", "/manageownership/action", "/modifypermissions/action"),
    *("/takeownership/action", "/impersonate/action", "/bind/action", "/escalate/action"),
    *("rolebindings/write", "/loginasadmin/action", "/exec/action"),
)
#: Control-plane actions, as globs, that hand out what opens a resource.
_DISCLOSING = (
    *(
        "*/list*keys*/action",
        "*/list*keys*/read",
        "*/readonlykeys/action",
        "*/list*secret*/action",
    ),
    *("*/list*credential*/action", "*/list*sas*/action", "*/listconnectionstrings/action"),
    *("*/config/list/action", "*/publishxml/action"),
    *("*/listkeyvalue/action", "*/listvalue/action", "*/token/action", "*/sharedkeys/action"),
    *("*/listcallbackurl/action", "*/begingetaccess/action", "*/export/action", "*/pull/read"),
    *("*/generatecredentials/action", "*/getauthtoken/action", "*/query/read"),
    *("*/createquerykey/action", "*/listauthkeys/action"),
)
#: Control-plane actions, as globs, that change who may do what.
_GRANTING = (
    *("microsoft.authorization/*/write", "microsoft.authorization/*/delete"),
    *("microsoft.authorization/*/action", "*/accesspolicies/write", "*/sqlrole*/write"),
    *(
        "*/authorizationrules/write",
        "*/administrators/write",
        "*/federatedidentitycredentials/write",
    ),
    *("*/accesspolicyassignments/write", "*/tokens/write", "*/assignworkspaceadmin/action"),
    "*/localusers/write",
)
_ASSIGNING = "microsoft.managedidentity/userassignedidentities/*/assign/action"


@lru_cache(1 << 12)
def capability(spelled_name: str) -> Capability:
    """Give the kind of access that an action, or a glob of actions, gives at most."""
    name = spelled_name.lower()
    if name.startswith(DATA):
        return _of_data(name.removeprefix(DATA))
    if name.startswith((GRAPH, APPLICATION)):
        return _of_permission(name.partition(":")[2])
    if name.startswith("microsoft.directory/"):
        return _of_directory(name)
    return _of_control(name)


def _of_data(name: str) -> Capability:
    if name.endswith(_LISTING):
        return Capability.LIST
    if name.endswith(_MANAGING):
        return Capability.MANAGE
    if name.endswith(("/read", *_READING)):
        return Capability.READ
    return Capability.WRITE


def _of_control(name: str) -> Capability:
    if name == _ASSIGNING:
        return Capability.ASSUME
    if any(match(glob, name) for glob in _GRANTING) or name in ("*", "*/write", "*/action"):
        return Capability.MANAGE
    if any(match(glob, name) for glob in _DISCLOSING):
        return Capability.READ
    # A user delegation key opens no more than whoever asks for it may read already.
    if name.endswith(("/read", "/generateuserdelegationkey/action")):
        return Capability.LIST
    return Capability.TAG if name == "microsoft.resources/tags/write" else Capability.WRITE


#: Application permissions with which their holder can give itself more.
#: https://learn.microsoft.com/graph/permissions-reference
ESCALATING = frozenset(
    {
        "rolemanagement.readwrite.directory",
        "approleassignment.readwrite.all",
        "application.readwrite.all",
        "application.readwrite.ownedby",
        "serviceprincipalendpoint.readwrite.all",
        "directory.readwrite.all",
        "group.readwrite.all",
        "groupmember.readwrite.all",
        "userauthenticationmethod.readwrite.all",
        "policy.readwrite.permissiongrant",
        "privilegedaccess.readwrite.azureadgroup",
        "privilegedassignmentschedule.readwrite.azureadgroup",
        "roleassignmentschedule.readwrite.directory",
        "rolemanagementpolicy.readwrite.directory",
        "user.readwrite.all",
        "user.enabledisableaccount.all",
        "delegatedpermissiongrant.readwrite.all",
    }
)


def _of_permission(name: str) -> Capability:
    if name in ESCALATING or ".fullcontrol" in name:
        return Capability.MANAGE
    words = name.split(".")
    if any("write" in word or word in ("send", "manage", "create") for word in words):
        return Capability.WRITE
    return Capability.READ


def _of_directory(name: str) -> Capability:
    if name.endswith(("/credentials/update", "/owners/update", "/approleassignedto/update")):
        return Capability.MANAGE
    if name.endswith(("/password/update", "/members/update", "/alltasks")):
        return Capability.MANAGE
    return Capability.LIST if name.endswith("/read") else Capability.WRITE
