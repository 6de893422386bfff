"""Which permissions are about which kind of resource, and what kind of access they give.

A permission is `service.nouns.verb`. A listed bucket stands for its objects too, a secret for its
versions: permissions on those are asked about as what lies in it.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from modelreach.model import Capability


class Kind(msgspec.Struct, frozen=True):
    """How an asset type is spoken of in permissions: `noun` is `storage.buckets`, `parts` are the
    nouns of what lies in it."""

    noun: str
    parts: tuple[str, ...] = ()

    @property
    def nouns(self) -> tuple[str, ...]:
        """All its nouns."""
        return (self.noun, *self.parts)


#: Kinds that a report names by themselves, with what lies in them.
NAMED: dict[str, Kind] = {
    "storage.googleapis.com/Bucket": Kind(
        "storage.buckets",
        (
            "storage.objects",
            "storage.managedFolders",
            "storage.folders",
            "storage.multipartUploads",
        ),
    ),
    "secretmanager.googleapis.com/Secret": Kind(
        "secretmanager.secrets", ("secretmanager.versions",)
    ),
    "cloudkms.googleapis.com/CryptoKey": Kind(
        "cloudkms.cryptoKeys", ("cloudkms.cryptoKeyVersions",)
    ),
    "bigquery.googleapis.com/Dataset": Kind(
        "bigquery.datasets",
        (
            "bigquery.tables",
            "bigquery.routines",
            "bigquery.models",
            "bigquery.rowAccessPolicies",
        ),
    ),
    "pubsub.googleapis.com/Topic": Kind("pubsub.topics"),
    "pubsub.googleapis.com/Subscription": Kind("pubsub.subscriptions"),
    "run.googleapis.com/Service": Kind("run.services", ("run.routes", "run.revisions")),
    "run.googleapis.com/Job": Kind("run.jobs", ("run.executions", "run.tasks")),
    "run.googleapis.com/WorkerPool": Kind("run.workerpools"),
    "composer.googleapis.com/Environment": Kind("composer.environments"),
    "dataproc.googleapis.com/Cluster": Kind("dataproc.clusters"),
    "bigqueryconnection.googleapis.com/Connection": Kind("bigquery.connections"),
    "cloudfunctions.googleapis.com/Function": Kind("cloudfunctions.functions"),
    "sqladmin.googleapis.com/Instance": Kind(
        "cloudsql.instances", ("cloudsql.databases", "cloudsql.users", "cloudsql.sslCerts")
    ),
    "artifactregistry.googleapis.com/Repository": Kind(
        "artifactregistry.repositories",
        (
            "artifactregistry.packages",
            "artifactregistry.tags",
            "artifactregistry.versions",
            "artifactregistry.files",
            "artifactregistry.dockerimages",
        ),
    ),
    "iam.googleapis.com/ServiceAccount": Kind(
        "iam.serviceAccounts", ("iam.serviceAccountKeys", "iam.serviceAccountApiKeyBindings")
    ),
}

#: Further kinds whose nouns do not follow from their names.
_OTHERS: dict[str, Kind] = {
    "cloudfunctions.googleapis.com/CloudFunction": Kind("cloudfunctions.functions"),
    "bigquery.googleapis.com/Table": Kind("bigquery.tables", ("bigquery.rowAccessPolicies",)),
    "bigtableadmin.googleapis.com/Instance": Kind(
        "bigtable.instances", ("bigtable.tables", "bigtable.clusters", "bigtable.appProfiles")
    ),
    "bigtableadmin.googleapis.com/Table": Kind("bigtable.tables"),
    "firestore.googleapis.com/Database": Kind(
        "datastore.databases", ("datastore.entities", "datastore.indexes")
    ),
    "spanner.googleapis.com/Instance": Kind("spanner.instances", ("spanner.databases",)),
    "cloudresourcemanager.googleapis.com/Project": Kind("resourcemanager.projects"),
    "cloudresourcemanager.googleapis.com/Folder": Kind("resourcemanager.folders"),
    "cloudresourcemanager.googleapis.com/Organization": Kind("resourcemanager.organizations"),
    "apikeys.googleapis.com/Key": Kind("apikeys.keys"),
}


@lru_cache(4096)
def kind_of(asset_type: str) -> Kind:
    """Give how an asset type is spoken of in permissions."""
    found = NAMED.get(asset_type) or _OTHERS.get(asset_type)
    if found is not None:
        return found
    service, _, name = asset_type.partition("/")
    service = service.removesuffix(".googleapis.com")
    return Kind(f"{service}.{_plural(name[:1].lower() + name[1:])}")


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def noun_of(permission: str) -> str:
    """Give `storage.objects` of `storage.objects.get`."""
    return permission.rpartition(".")[0]


_TYPE_OF_NOUN = {
    noun: asset_type for asset_type, kind in reversed(NAMED.items()) for noun in kind.nouns
}


def named_type(permission: str) -> str | None:
    """Give the kind that a report names for what a permission is about; None if there is none."""
    return _TYPE_OF_NOUN.get(noun_of(permission))


def on_parent(permission: str, kind: Kind) -> bool:
    """Is the permission one that is checked on what a thing of this kind lies in?

    https://docs.cloud.google.com/iam/docs/conditions-overview#resource-attributes
    """
    noun, _, verb = permission.rpartition(".")
    return noun == kind.noun and verb in ("list", "create")


# --- attributes of conditions ----------------------------------------------------------------

#: What a permission is checked on, as `resource.type` of a condition: of the types that Google
#: tells to conditions. https://docs.cloud.google.com/iam/docs/conditions-resource-attributes
_CONDITION_TYPES = {
    "storage.buckets": "storage.googleapis.com/Bucket",
    "storage.objects": "storage.googleapis.com/Object",
    "storage.multipartUploads": "storage.googleapis.com/Object",
    "storage.managedFolders": "storage.googleapis.com/ManagedFolder",
    "secretmanager.secrets": "secretmanager.googleapis.com/Secret",
    "secretmanager.versions": "secretmanager.googleapis.com/SecretVersion",
    "cloudkms.cryptoKeys": "cloudkms.googleapis.com/CryptoKey",
    "cloudkms.cryptoKeyVersions": "cloudkms.googleapis.com/CryptoKeyVersion",
    "cloudkms.keyRings": "cloudkms.googleapis.com/KeyRing",
    "bigquery.datasets": "bigquery.googleapis.com/Dataset",
    "bigquery.tables": "bigquery.googleapis.com/Table",
    "bigquery.routines": "bigquery.googleapis.com/Routine",
    "bigquery.models": "bigquery.googleapis.com/Model",
    "cloudsql.instances": "sqladmin.googleapis.com/Instance",
    "cloudsql.backupRuns": "sqladmin.googleapis.com/BackupRun",
    "compute.instances": "compute.googleapis.com/Instance",
    "compute.disks": "compute.googleapis.com/Disk",
    "compute.images": "compute.googleapis.com/Image",
    "compute.snapshots": "compute.googleapis.com/Snapshot",
    "compute.firewalls": "compute.googleapis.com/Firewall",
    "compute.instanceTemplates": "compute.googleapis.com/InstanceTemplate",
    "compute.backendServices": "compute.googleapis.com/BackendService",
    "compute.forwardingRules": "compute.googleapis.com/ForwardingRule",
    "container.clusters": "container.googleapis.com/Cluster",
    "spanner.instances": "spanner.googleapis.com/Instance",
    "spanner.databases": "spanner.googleapis.com/Database",
    "spanner.backups": "spanner.googleapis.com/Backup",
    "bigtable.instances": "bigtableadmin.googleapis.com/Instance",
    "bigtable.clusters": "bigtableadmin.googleapis.com/Cluster",
    "bigtable.tables": "bigtableadmin.googleapis.com/Table",
    "logging.buckets": "logging.googleapis.com/LogBucket",
    "logging.views": "logging.googleapis.com/LogView",
    "datastore.databases": "firestore.googleapis.com/Database",
    "resourcemanager.projects": "cloudresourcemanager.googleapis.com/Project",
    "parametermanager.parameters": "parametermanager.googleapis.com/Parameter",
    "integrations.integrations": "integrations.googleapis.com/Integration",
}


def condition_type(noun: str) -> str | None:
    """Give `resource.type` of a condition for what has this noun; None where it has none."""
    return _CONDITION_TYPES.get(noun)


#: What stands between the name of a thing and those of what lies in it.
_WITHIN = {
    "storage.objects": "/objects/",
    "storage.multipartUploads": "/objects/",
    "storage.managedFolders": "/managedFolders/",
    "secretmanager.versions": "/versions/",
    "cloudkms.cryptoKeyVersions": "/cryptoKeyVersions/",
    "bigquery.tables": "/tables/",
    "bigquery.routines": "/routines/",
    "bigquery.models": "/models/",
    "spanner.databases": "/databases/",
    "bigtable.tables": "/tables/",
    "bigtable.clusters": "/clusters/",
}


def within(noun: str) -> str:
    """Give what the names of such parts go on with after the name of what they lie in."""
    return _WITHIN.get(noun, "/")


# --- capabilities ----------------------------------------------------------------------------

_ASSUME = frozenset(
    {
        "iam.serviceAccounts.actAs",
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.getOpenIdToken",
        "iam.serviceAccounts.implicitDelegation",
        "iam.serviceAccounts.signBlob",
        "iam.serviceAccounts.signJwt",
        "iam.serviceAccountKeys.create",
        "iam.serviceAccountApiKeyBindings.create",
    }
)
#: Permissions whose verb does not say what they give.
_SPECIAL = {
    "secretmanager.versions.access": Capability.READ,
    "bigquery.tables.getData": Capability.READ,
    "bigquery.tables.export": Capability.READ,
    "bigquery.models.getData": Capability.READ,
    "storage.objects.get": Capability.READ,
    "cloudkms.cryptoKeyVersions.useToDecrypt": Capability.READ,
    "cloudkms.cryptoKeyVersions.viewPublicKey": Capability.LIST,
    "apikeys.keys.getKeyString": Capability.READ,
    "pubsub.subscriptions.consume": Capability.READ,
    "artifactregistry.repositories.downloadArtifacts": Capability.READ,
    "cloudsql.instances.export": Capability.READ,
    "iam.roles.update": Capability.MANAGE,
    "iam.roles.create": Capability.MANAGE,
    "orgpolicy.policy.set": Capability.MANAGE,
}
_MANAGING = ("setIamPolicy", "setPolicy", "updatePolicy")
_READING = ("get", "read", "access", "export", "download", "query", "search", "consume", "fetch")
_LISTING = ("list", "getIamPolicy", "view", "check", "testIamPermissions", "getIpFilter")


@lru_cache(1 << 15)
def capability(permission: str) -> Capability:
    """Give what kind of access a permission gives.

    To get a bucket, secret or dataset is to see its settings and not what it holds: that is
    `list`, as is to see who has access.
    """
    if permission in _ASSUME:
        return Capability.ASSUME
    if permission in _SPECIAL:
        return _SPECIAL[permission]
    noun, _, verb = permission.rpartition(".")
    if (
        verb in _MANAGING
        or verb.endswith("PolicyBinding")
        or ("olicies" in noun and "iam." in noun)
    ):
        return Capability.LIST if verb in ("get", "list") else Capability.MANAGE
    if verb.endswith("TagBinding"):
        return Capability.TAG
    if verb.startswith(_LISTING) or (verb == "get" and noun in _CONTAINERS):
        return Capability.LIST
    return Capability.READ if verb.startswith(_READING) else Capability.WRITE


_CONTAINERS = frozenset(
    {
        *("resourcemanager.projects", "resourcemanager.folders", "resourcemanager.organizations"),
        *(n for kind in (*NAMED.values(), *_OTHERS.values()) if kind.parts for n in kind.nouns),
    }
)
