"""What is kept of an answer: the fields that are read, and nothing else.

Descriptions of things carry secrets where one would not look: start-up scripts in the metadata of
an instance, values in the environment of a service, arguments of a job. So what is kept is
listed, for each type of thing; all else is dropped before anything sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

REDACTED: Final = "(redacted)"

Tree = dict[str, "Tree | None"]

#: What every thing may have.
_ALWAYS: Final = ("name", "displayName", "labels", "createTime", "state")
_ACCOUNTS: Final = ("serviceAccounts.[].email", "serviceAccounts.[].scopes")
_NODES: Final = ("serviceAccount", "oauthScopes", "workloadMetadataConfig.mode")
_JOB: Final = (
    "serviceAccount",
    "workerPoolSpecs.[].containerSpec.imageUri",
    "workerPoolSpecs.[].pythonPackageSpec.executorImageUri",
    "workerPoolSpecs.[].pythonPackageSpec.packageUris",
    "baseOutputDirectory.outputUriPrefix",
    "persistentResourceId",
)
_MODEL: Final = (
    "versionId",
    "versionAliases",
    "containerSpec.imageUri",
    "artifactUri",
    "baseModelSource",
    "encryptionSpec.kmsKeyName",
)
_PIPELINE: Final = ("serviceAccount", "runtimeConfig.gcsOutputDirectory", "templateUri")
_PREDICTION: Final = (
    "model",
    "modelVersionId",
    "serviceAccount",
    "inputConfig.gcsSource.uris",
    "inputConfig.bigquerySource.inputUri",
    "outputConfig.gcsDestination.outputUriPrefix",
    "outputConfig.bigqueryDestination.outputUri",
    "unmanagedContainerModel.containerSpec.imageUri",
    "unmanagedContainerModel.artifactUri",
)
_CONTAINER: Final = ("image", "env.[].name", "env.[].valueSource")
#: As Knative has it, which is what the inventory has.
_KNATIVE: Final = ("image", "env.[].name", "env.[].valueFrom")
_POOL: Final = ("disabled", "expireTime")
_PROVIDER: Final = (
    "disabled",
    "attributeCondition",
    "attributeMapping",
    "oidc.issuerUri",
    "saml.idpMetadataXml!",
)


def _under(prefix: str, paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}.{path}" for path in paths)


#: By asset type: dotted paths. `[]` is each item of a list; a path that ends with `!` keeps names
#: and drops values; else what it leads to is kept whole.
KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudresourcemanager.googleapis.com/Organization": ("directoryCustomerId", "lifecycleState"),
    "cloudresourcemanager.googleapis.com/Folder": ("parent", "lifecycleState"),
    "cloudresourcemanager.googleapis.com/Project": (
        "parent",
        "projectId",
        "projectNumber",
        "lifecycleState",
    ),
    "iam.googleapis.com/ServiceAccount": ("projectId", "uniqueId", "email", "disabled"),
    "iam.googleapis.com/ServiceAccountKey": (
        "keyType",
        "keyOrigin",
        "validAfterTime",
        "validBeforeTime",
        "disabled",
        "disableReason",
        "extendedStatus",
    ),
    "iam.googleapis.com/Role": ("title", "includedPermissions", "stage", "deleted"),
    "iam.googleapis.com/WorkloadIdentityPool": (*_POOL, "mode"),
    "iam.googleapis.com/WorkloadIdentityPoolProvider": (
        *_PROVIDER,
        "oidc.allowedAudiences",
        "aws.accountId",
        "x509.trustStore!",
    ),
    "iam.googleapis.com/WorkforcePool": (*_POOL, "parent"),
    "iam.googleapis.com/WorkforcePoolProvider": (*_PROVIDER, "oidc.clientId"),
    "apikeys.googleapis.com/Key": (
        "serviceAccountEmail",
        "deleteTime",
        "restrictions.apiTargets",
        "restrictions.browserKeyRestrictions!",
        "restrictions.serverKeyRestrictions!",
        "restrictions.androidKeyRestrictions!",
        "restrictions.iosKeyRestrictions!",
    ),
    "storage.googleapis.com/HmacKey": (
        "accessId",
        "projectId",
        "serviceAccountEmail",
        "timeCreated",
        "updated",
    ),
    "storage.googleapis.com/Bucket": (
        "id",
        "projectNumber",
        "location",
        "timeCreated",
        "iamConfiguration.uniformBucketLevelAccess.enabled",
        "iamConfiguration.publicAccessPrevention",
        "encryption.defaultKmsKeyName",
    ),
    "bigquery.googleapis.com/Dataset": (
        "datasetReference",
        "location",
        "defaultEncryptionConfiguration.kmsKeyName",
    ),
    "bigquery.googleapis.com/Table": ("tableReference", "encryptionConfiguration.kmsKeyName"),
    "secretmanager.googleapis.com/Secret": (
        "replication.automatic.customerManagedEncryption.kmsKeyName",
    ),
    "cloudkms.googleapis.com/KeyRing": (),
    "cloudkms.googleapis.com/CryptoKey": ("purpose", "versionTemplate.protectionLevel"),
    "pubsub.googleapis.com/Topic": ("kmsKeyName",),
    "pubsub.googleapis.com/Subscription": ("topic",),
    "artifactregistry.googleapis.com/Repository": ("format", "kmsKeyName"),
    "compute.googleapis.com/Instance": (*_ACCOUNTS, "selfLink", "zone", "status"),
    "compute.googleapis.com/InstanceTemplate": (*_under("properties", _ACCOUNTS), "selfLink"),
    "container.googleapis.com/Cluster": (
        *_under("nodeConfig", _NODES),
        *_under("nodePools.[].config", _NODES),
        "nodePools.[].name",
        "autoscaling.autoprovisioningNodePoolDefaults.serviceAccount",
        "autoscaling.autoprovisioningNodePoolDefaults.oauthScopes",
        "workloadIdentityConfig.workloadPool",
        "autopilot.enabled",
        "resourceLabels",
        "location",
        "selfLink",
        "status",
    ),
    "container.googleapis.com/NodePool": (*_under("config", _NODES), "selfLink", "status"),
    "bigqueryconnection.googleapis.com/Connection": ("spark.serviceAccountId",),
    "composer.googleapis.com/Environment": ("config.nodeConfig.serviceAccount", "state"),
    "dataproc.googleapis.com/Cluster": (
        "clusterName",
        "config.gceClusterConfig.serviceAccount",
        "config.gceClusterConfig.serviceAccountScopes",
        "virtualClusterConfig!",
        "status.state",
    ),
    "notebooks.googleapis.com/Instance": (
        *_under("gceSetup", _ACCOUNTS),
        "serviceAccount",
        "instanceOwners",
        "creator",
    ),
    "run.googleapis.com/Service": (
        "metadata.name",
        "metadata.labels",
        "ingress",
        "template.serviceAccount",
        *_under("template.containers.[]", _CONTAINER),
        "template.volumes.[].secret.secret",
        "spec.template.spec.serviceAccountName",
        *_under("spec.template.spec.containers.[]", _KNATIVE),
        "spec.template.spec.volumes.[].secret.secretName",
    ),
    "run.googleapis.com/WorkerPool": (
        "template.serviceAccount",
        *_under("template.containers.[]", _CONTAINER),
        "template.volumes.[].secret.secret",
    ),
    "run.googleapis.com/Job": (
        "metadata.name",
        "metadata.labels",
        "template.template.serviceAccount",
        *_under("template.template.containers.[]", _CONTAINER),
        "spec.template.spec.template.spec.serviceAccountName",
        *_under("spec.template.spec.template.spec.containers.[]", _KNATIVE),
    ),
    "cloudfunctions.googleapis.com/Function": (
        "environment",
        "serviceConfig.serviceAccountEmail",
        "serviceConfig.environmentVariables!",
        "serviceConfig.secretEnvironmentVariables",
        "serviceConfig.secretVolumes",
        "serviceConfig.ingressSettings",
        "buildConfig.source.storageSource.bucket",
        "buildConfig.serviceAccount",
    ),
    "cloudfunctions.googleapis.com/CloudFunction": (
        "status",
        "serviceAccountEmail",
        "environmentVariables!",
        "secretEnvironmentVariables",
        "ingressSettings",
    ),
    "aiplatform.googleapis.com/Endpoint": (
        "deployedModels.[].id",
        "deployedModels.[].model",
        "deployedModels.[].modelVersionId",
        "deployedModels.[].serviceAccount",
        "deployedModels.[].sharedResources",
        "trafficSplit",
        "encryptionSpec.kmsKeyName",
    ),
    "aiplatform.googleapis.com/DeploymentResourcePool": ("serviceAccount",),
    "aiplatform.googleapis.com/Model": _MODEL,
    "aiplatform.googleapis.com/ReasoningEngine": (
        "updateTime",
        "spec.agentFramework",
        "spec.serviceAccount",
        "spec.identityType",
        "spec.effectiveIdentity",
        "spec.packageSpec.pickleObjectGcsUri",
        "spec.packageSpec.dependencyFilesGcsUri",
        "spec.packageSpec.requirementsGcsUri",
        "spec.containerSpec.imageUri",
        "spec.deploymentSpec.env.[].name",
        "spec.deploymentSpec.secretEnv.[].name",
        "spec.deploymentSpec.secretEnv.[].secretRef",
    ),
    "aiplatform.googleapis.com/CustomJob": _under("jobSpec", _JOB),
    "aiplatform.googleapis.com/HyperparameterTuningJob": _under("trialJobSpec", _JOB),
    "aiplatform.googleapis.com/TrainingPipeline": (
        "trainingTaskDefinition",
        "trainingTaskInputs.serviceAccount",
        *_under("modelToUpload", _MODEL),
    ),
    "aiplatform.googleapis.com/PipelineJob": _PIPELINE,
    "aiplatform.googleapis.com/Schedule": (
        "cron",
        *_under("createPipelineJobRequest.pipelineJob", _PIPELINE),
    ),
    "aiplatform.googleapis.com/BatchPredictionJob": _PREDICTION,
    "aiplatform.googleapis.com/PersistentResource": (
        "resourceRuntimeSpec.serviceAccountSpec.serviceAccount",
        "resourceRuntimeSpec.serviceAccountSpec.enableCustomServiceAccount",
    ),
    "aiplatform.googleapis.com/NotebookRuntimeTemplate": ("serviceAccount", "eucConfig"),
    "aiplatform.googleapis.com/NotebookRuntime": (
        "serviceAccount",
        "runtimeUser",
        "runtimeState",
        "eucConfig",
    ),
}

#: Of the further attributes that the search in bulk has, which differ by type: an account's.
_ACCOUNT: Final = ("email", "uniqueId")
#: Of what the search in bulk finds.
_SEARCHED: Final = (
    *("name", "assetType", "project", "folders", "organization", "displayName", "location"),
    *("labels", "tags", "effectiveTags", "kmsKeys", "state", "createTime"),
    *("parentFullResourceName", "parentAssetType"),
)


def kept(asset: str, thing: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is kept of a thing of a type; of an unknown type, only what each may have."""
    found: dict[str, Any] = _pruned(thing, _tree((*_ALWAYS, *KEPT.get(asset, ()))))
    return found


def kept_asset(item: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is kept of an asset with its resource or policies."""
    found = {
        name: item[name]
        for name in ("name", "assetType", "ancestors", "iamPolicy")
        if name in item
    }
    resource = item.get("resource")
    if isinstance(resource, dict):
        data = resource.get("data")
        about = {name: resource[name] for name in ("parent", "location") if name in resource}
        thing = kept(str(item.get("assetType", "")), data) if isinstance(data, dict) else {}
        found["resource"] = {**about, "data": thing}
    return found


def kept_result(item: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is kept of a thing that the search in bulk found."""
    found = {name: item[name] for name in _SEARCHED if name in item}
    more = item.get("additionalAttributes")
    about = (
        {name: more[name] for name in _ACCOUNT if name in more} if isinstance(more, dict) else {}
    )
    return {**found, **({"additionalAttributes": about} if about else {})}


def _tree(paths: Iterable[str]) -> Tree:
    root: Tree = {}
    for path in paths:
        branch = root
        *names, last = path.split(".")
        for name in names:
            below = branch.setdefault(name, {})
            if below is None:
                break
            branch = below
        else:
            branch.setdefault(last, None)
    return root


def _pruned(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        below = tree.get("[]")
        return [_pruned(item, below) for item in value] if below else []
    if not isinstance(value, Mapping):
        return {}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if name in tree:
            below = tree[name]
            found[name] = inner if below is None else _pruned(inner, below)
        elif f"{name}!" in tree:
            found[name] = dict.fromkeys(inner, REDACTED) if isinstance(inner, dict) else REDACTED
    return found
