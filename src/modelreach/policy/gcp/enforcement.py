"""Which permissions a principal access boundary can block, by its enforcement version.

Each version blocks all that those before it do; a permission that no version has is never blocked.
https://docs.cloud.google.com/iam/docs/pab-blocked-permissions (of September 2026)
"""

from __future__ import annotations

from functools import lru_cache

from modelreach.policy.glob import match

#: What policies use that name no version, or `latest`; and the newest version told here.
DEFAULT = 4

#: Services whose name in deny policies and boundaries is not that of their permissions.
_HOSTS = {
    "resourcemanager": "cloudresourcemanager.googleapis.com",
}


def qualified(permission: str) -> str:
    """Give a permission in the spelling of IAM v2: `storage.googleapis.com/objects.get`.

    https://docs.cloud.google.com/iam/docs/deny-permissions-support
    """
    service, _, rest = permission.partition(".")
    if permission.startswith("serviceusage.apiKeys."):
        return f"apikeys.googleapis.com/apikeys.{rest.partition('.')[2]}"
    return f"{_HOSTS.get(service, f'{service}.googleapis.com')}/{rest}"


def blocks(permission: str, version: int) -> bool | None:
    """Does this version block the permission? None: the version is newer than what is known."""
    since = _since(qualified(permission))
    if since is not None and since <= version:
        return True
    return None if version > DEFAULT else False


@lru_cache(1 << 14)
def _since(name: str) -> int | None:
    """The first version that blocks a permission; None if none does."""
    service, _, rest = name.partition("/")
    for version in sorted(_TABLE):
        wanted, spared = _TABLE[version].get(service, ((), ()))
        if _any(wanted, rest) and not _any(spared, rest):
            return version
    return None


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return any(match(pattern, text) for pattern in patterns)


def _row(*wanted: str, but: tuple[str, ...] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return wanted, but


_ALL = _row("*")
_BINDINGS = (
    "*.createPolicyBinding",
    "*.deletePolicyBinding",
    "*.searchPolicyBindings",
    "*.updatePolicyBinding",
)
_TAG_BINDINGS = (
    "*.createTagBinding",
    "*.deleteTagBinding",
    "*.listEffectiveTags",
    "*.listTagBindings",
)


def _nouns(*nouns: str) -> tuple[str, ...]:
    return tuple(f"{noun}.*" for noun in nouns)


_CRUD = ("create", "delete", "get", "list", "update")


def _verbs(noun: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{noun}.{verb}" for verb in verbs)


_FIRST = {
    "accessapproval": _row("requests.list", "serviceaccounts.get", "settings.*"),
    "accesscontextmanager": _row("*", but=("gcpUserAccessBindings.*",)),
    "bigquery": _row(
        *_verbs("datasets", "create", "delete", "get", "setIamPolicy", "update"),
        *_verbs("jobs", "create", "delete", "list", "get"),
        *_verbs("models", "create", "delete", "list", "updateMetadata"),
        *_verbs("routines", "create", "delete", "list", "update"),
    ),
    "binaryauthorization": _ALL,
    "logging": _row("logEntries.create", "logMetrics.*"),
    "run": _row(
        *_nouns("authorizeddomains", "domainmappings", "executions", "revisions", "tasks"),
        *_verbs("configurations", "get", "list"),
        *_verbs("services", *_CRUD),
        *_verbs("jobs", "create", "delete", "get", "list", "run"),
        *_verbs("routes", "get", "list"),
    ),
    "storage": _row(
        *_verbs("buckets", "get", "getIamPolicy", "list", "setIamPolicy", "update"),
        "hmacKeys.update",
        *_verbs("objects", "delete", "get", "setRetention"),
    ),
    "dataflow": _row(
        *("messages.list", "metrics.get", "snapshots.list", "workItems.*", "jobs.*"),
        but=("jobs.snapshot",),
    ),
    "datastore": _row(*_verbs("databases", "create", "delete", "get", "getMetadata", "list")),
    "firebaserules": _ALL,
    "gkehub": _row(
        *_nouns("membershipbindings", "rbacrolebindings", "features", "locations"),
        *_nouns("memberships", "scopes"),
        *_verbs("fleet", "create", "get", "patch"),
        but=_TAG_BINDINGS,
    ),
    "pubsub": _row(
        "*",
        but=(
            *("*.getIamPolicy", "*.setIamPolicy", "schemas.delete", "schemas.validate"),
            "subscriptions.consume",
        ),
    ),
    "redis": _row(
        *_verbs("instances", *_CRUD, "failover", "getAuthString", "upgrade"),
    ),
    "aiplatform": _row("*", but=("operations.*",)),
}
_SECOND = {
    "accesscontextmanager": _ALL,
    "containeranalysis": _ALL,
    "bigquery": _row(
        *_nouns("rowAccessPolicies", "datasets", "jobs", "models", "routines", "tables")
    ),
    "bigquerydatapolicy": _ALL,
    "bigquerydatatransfer": _row("transfers.*"),
    "beyondcorp": _ALL,
    "cloudasset": _ALL,
    "billing": _row("budgets.*"),
    "cloudbuild": _ALL,
    "monitoring": _row("*", but=("metricsScopes.link", "timeSeries.list")),
    "meshconfig": _ALL,
    "storage": _row(
        *_nouns("bucketOperations", "buckets", "managedFolders", "multipartUploads"),
        *_nouns("folders", "hmacKeys", "objects"),
    ),
    "cloudtrace": _ALL,
    "compute": _row(
        *_nouns("networkAttachments", "networkEdgeSecurityServices", "regionSecurityPolicies"),
        *_nouns("securityPolicies", "serviceAttachments", "routers"),
    ),
    "firebaserules": _ALL,
    "gkemulticloud": _ALL,
    "iap": _ALL,
    "redis": _ALL,
    "networkmanagement": _ALL,
    "networkservices": _row(*_nouns("edgeCacheKeysets", "edgeCacheOrigins", "edgeCacheServices")),
    "recaptchaenterprise": _ALL,
    "cloudresourcemanager": _row("*", but=_BINDINGS),
    "videostitcher": _ALL,
}
_THIRD = {
    "essentialcontacts": _row("contacts.*"),
    "iam": _row(
        *_nouns("denypolicies", "roles", "serviceAccountKeys", "serviceAccounts"),
        but=(
            "serviceAccounts.createTagBinding",
            "serviceAccounts.deleteTagBinding",
            "serviceAccounts.getCertificateAs",
            "serviceAccounts.listEffectiveTags",
            "serviceAccounts.listTagBindings",
        ),
    ),
    "dataproc": _row(
        *_nouns("autoscalingPolicies", "batches", "clusters", "jobs", "operations"),
        *_nouns("sessionTemplates", "sessions", "workflowTemplates"),
    ),
    "servicemanagement": _row("services.check", "services.report"),
    "bigtable": _ALL,
    "bigtableadmin": _ALL,
    "cloudsql": _ALL,
    "networkservices": _row(
        *_nouns("endpointPolicies", "gateways", "grpcRoutes", "httpRoutes", "httpfilters"),
        *_nouns("meshes", "route_views", "serviceBindings", "serviceLbPolicies"),
        *_nouns("tcpRoutes", "tlsRoutes"),
    ),
    "trafficdirector": _ALL,
    "networkmanagement": _ALL,
    "compute": _row(
        *_nouns("addresses", "backendBuckets", "backendServices", "externalVpnGateways"),
        *_nouns("firewallPolicies", "firewalls", "forwardingRules", "globalAddresses"),
        *_nouns("globalForwardingRules", "healthChecks", "httpHealthChecks"),
        *_nouns("httpsHealthChecks", "interconnectAttachments", "interconnectLocations"),
        *_nouns("interconnectRemoteLocations", "interconnects", "networks"),
        *_nouns("packetMirrorings", "publicAdvertisedPrefixes", "publicDelegatedPrefixes"),
        *_nouns("regionBackendServices", "regionFirewallPolicies", "regionHealthChecks"),
        *_nouns("regionSslPolicies", "regionTargetHttpProxies", "regionTargetTcpProxies"),
        *_nouns("regionUrlMaps", "routes", "sslPolicies", "subnetworks"),
        *_nouns("targetGrpcProxies", "targetHttpProxies", "targetHttpsProxies"),
        *_nouns("targetInstances", "targetPools", "targetSslProxies", "targetTcpProxies"),
        *_nouns("targetVpnGateways", "urlMaps", "vpnGateways"),
    ),
    "artifactregistry": _ALL,
    "pubsub": _ALL,
    "workflows": _ALL,
    "gkeonprem": _ALL,
    "apikeys": _row("apikeys.*", "keys.*"),
    "dns": _ALL,
    "datastore": _row(
        *_nouns("backupSchedules", "databases", "entities", "indexes", "locations"),
        *_nouns("operations", "userCreds"),
        *_verbs("backups", "delete", "get", "list"),
    ),
    "cloudkms": _row(
        *_nouns("autokeyConfigs", "ekmConfigs", "importJobs", "keyHandles", "keyRings"),
        *_verbs("cryptoKeyVersions", "create", "destroy", "get", "list", "restore", "update"),
        *_verbs("cryptoKeyVersions", "useToDecrypt", "useToEncrypt", "useToSign"),
        *_verbs("cryptoKeyVersions", "useToVerify", "viewPublicKey"),
        but=("importJobs.useToImport",),
    ),
    "orgpolicy": _ALL,
    "dataplex": _row(
        *_nouns("aspectTypes", "datascans", "entries", "entryTypes", "metadataJobs"),
        *_verbs("entryGroups", *_CRUD, "getIamPolicy", "setIamPolicy", "import"),
        *_verbs("entryGroups", "useContactsAspect", "useGenericAspect", "useGenericEntry"),
        *_verbs("entryGroups", "useOverviewAspect", "useSchemaAspect"),
    ),
    "datalineage": _row(*_nouns("events", "locations", "operations", "processes", "runs")),
    "gkehub": _row("fleets.*"),
    "cloudfunctions": _ALL,
    "spanner": _ALL,
    "container": _ALL,
}
_FOURTH = {
    "analyticshub": _row("dataExchanges.*"),
    "bigquery": _row(
        *_nouns("capacityCommitments", "datasources", "readsessions", "reservations", "transfers")
    ),
    "clouddeploy": _ALL,
    "file": _ALL,
    "networkconnectivity": _row(
        *_nouns("groups", "hubRouteTables", "hubRoutes", "hubs", "internalRanges"),
        *_nouns("policyBasedRoutes", "regionalEndpoints", "spokes"),
    ),
    "privateca": _ALL,
    "iam": _row(
        *_nouns("oauthClientCredentials", "oauthClients", "workforcePoolProviderKeys"),
        *_nouns("workforcePoolProviders", "workforcePoolSubjects", "workforcePools"),
        *_nouns("workloadIdentityPoolNamespaces", "workloadIdentityPoolProviderKeys"),
        *_nouns("workloadIdentityPoolProviders", "workloadIdentityPools"),
        but=_BINDINGS,
    ),
    "livestream": _ALL,
    "documentai": _ALL,
    "securitycentermanagement": _ALL,
    "cloudsecurityscanner": _ALL,
    "securitycenter": _ALL,
    "cloudquotas": _ALL,
    "recommender": _ALL,
    "alloydb": _row("*", but=("databases.*",)),
    "apphub": _ALL,
    "integrations": _row(
        "*",
        but=(
            *_nouns("apigeeauthconfigs", "apigeecertificates", "apigeeintegrations"),
            *_nouns("apigeeintegrationvers", "apigeeproducts", "apigeesfdcchannels"),
            *_nouns("apigeesfdcinstances", "apigeesuspensions", "locations"),
            *_nouns("securityauthconfigs", "securityexecutions", "securityintegrations"),
            *_nouns("securityintegtemps", "securityproducts", "workflows"),
            *_verbs("securityintegrationvers", "delete", "deploy", "list"),
            *("integrations.deploy", "integrations.update", "sfdcchannels.create"),
            "sfdcchannels.list",
        ),
    ),
    "gkebackup": _ALL,
    "composer": _ALL,
    "datafusion": _row(
        *_nouns("instances", "locations", "operations"),
        *_verbs("namespaces", "getIamPolicy", "list", "setIamPolicy"),
    ),
    "cloudkms": _row("*", but=("locations.get", "locations.list")),
    "firebasestorage": _ALL,
    "cloudtranslate": _row("*", but=_nouns("custommodels", "translationmemories")),
    "workstations": _ALL,
    "confidentialcomputing": _ALL,
    "contactcenteraiplatform": _ALL,
    "datamigration": _row("*", but=("mappingrules.*",)),
    "dataform": _row(
        "*", but=_nouns("comments", "commentsnested", "commentthreads", "commentthreadsnested")
    ),
    "datastream": _ALL,
    "config": _ALL,
    "parallelstore": _ALL,
    "policysimulator": _ALL,
    "secretmanager": _ALL,
    "vpcaccess": _ALL,
    "serviceusage": _ALL,
    "cloudasset": _ALL,
    "kubernetesmetadata": _ALL,
    "servicemanagement": _row(
        *_verbs("consumers", "getIamPolicy", "setIamPolicy"),
        *_verbs("services", *_CRUD, "getIamPolicy", "setIamPolicy"),
    ),
    "dlp": _row(
        *_nouns("charts", "columnDataProfiles", "connections", "deidentifyTemplates"),
        *_nouns("estimates", "fileStoreProfiles", "inspecttemplates", "jobTriggers", "jobs"),
        *_nouns("projectDataProfiles", "storedInfoTypes", "subscriptions", "tableDataProfiles"),
    ),
    "connectors": _row(
        "*",
        but=_verbs("connections", "executeSqlQuery", "generateOpenAPISpec", "listenEvent"),
    ),
    "metastore": _row(
        *_nouns("backups", "federations", "imports", "locations", "operations", "services"),
        *_verbs("databases", "delete", "getIamPolicy", "setIamPolicy", "update"),
        *_verbs("tables", "delete", "getIamPolicy", "setIamPolicy", "update"),
        but=("federations.use", "services.use"),
    ),
    # Told in parts so fine that a permission more or less would go unnoticed: the nouns as wholes.
    "backupdr": _row(
        *_nouns("backupPlanAssociations", "backupPlanRevisions", "backupPlans", "backupVaults"),
        *_nouns("bvbackups", "bvdataSources", "compute", "dataSourceReferences", "locations"),
        *_nouns("managementServers", "operations", "serviceConfig"),
    ),
    "securesourcemanager": _row(
        *_nouns("branchRules", "hooks", "instances", "issuecomments", "issues", "locations"),
        *_nouns("operations", "prcomments", "pullRequests", "repositories"),
    ),
}
_TABLE = {
    version: {f"{service}.googleapis.com": row for service, row in rows.items()}
    for version, rows in enumerate((_FIRST, _SECOND, _THIRD, _FOURTH), start=1)
}
