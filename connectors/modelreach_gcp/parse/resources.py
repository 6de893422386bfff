"""Resources: what can be acted on, what policies are attached to, pools of identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Attributes, Resource
from modelreach_gcp.estate import Estate
from modelreach_gcp.names import account, scope_name
from modelreach_gcp.parse.facts import PROVIDER, Facts, moment
from modelreach_gcp.parse.tags import tags_of
from modelreach_gcp.parse.things import Thing, Things
from modelreach_gcp.select import at, text, texts

#: Things that are facts of another kind.
_OTHERWISE: Final = frozenset(
    {
        "cloudresourcemanager.googleapis.com/Organization",
        "cloudresourcemanager.googleapis.com/Folder",
        "cloudresourcemanager.googleapis.com/Project",
        "iam.googleapis.com/ServiceAccountKey",
        "iam.googleapis.com/Role",
        "apikeys.googleapis.com/Key",
        "storage.googleapis.com/HmacKey",
    }
)
_KMS: Final = "//cloudkms.googleapis.com/"
_FEDERATIONS: Final = ("oidc", "aws", "saml", "x509")


def parse_resources(estate: Estate, things: Things, facts: Facts) -> None:
    """Give a resource for everything that can be acted on."""
    for thing in things.all.values():
        if thing.asset and thing.asset not in _OTHERWISE and not scope_name(thing.name):
            facts.resources[things.account_name(thing.name)] = _resource(thing, things, estate)


def targeted(name: str, asset: str, estate: Estate, facts: Facts) -> None:
    """Give the resource that a policy is attached to, unless it is known already."""
    if name in facts.resources:
        return
    scope = estate.project_of(name) or next(iter(estate.roots), "")
    facts.resources[name] = Resource(
        id=name, provider=PROVIDER, kind=asset or _kind(name), scope=scope, name=_last(name)
    )


def _kind(name: str) -> str:
    """Give the type of a resource that only its name tells of."""
    if name.startswith("//storage.googleapis.com/"):
        return "storage.googleapis.com/Bucket"
    if "/serviceAccounts/" in name:
        return "iam.googleapis.com/ServiceAccount"
    return name[2:].partition("/")[0] + "/Unknown"


def _resource(thing: Thing, things: Things, estate: Estate) -> Resource:
    maker = _DETAILS.get(thing.asset)
    keys = [text(at(thing.data, path)) for path in _KEY_PATHS]
    keys += texts(thing.found.get("kmsKeys"))
    named = sorted({_KMS + key.removeprefix(_KMS) for key in keys if key})
    state = text(thing.found.get("state"))
    own: Attributes = attributes(kms_key=named[0] if named else None, state=state)
    return Resource(
        id=things.account_name(thing.name),
        provider=PROVIDER,
        kind=thing.asset,
        scope=thing.scope,
        region=thing.location,
        name=thing.text("displayName") or _last(things.account_name(thing.name)),
        tags=dict(thing.labels),
        created=moment(thing.get("createTime") or thing.get("timeCreated")),
        attributes={
            **own,
            **tags_of(thing.found, thing.scope, estate),
            **(maker(thing) if maker else {}),
        },
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]


_KEY_PATHS: Final = (
    "encryption.defaultKmsKeyName",
    "defaultEncryptionConfiguration.kmsKeyName",
    "replication.automatic.customerManagedEncryption.kmsKeyName",
    "encryptionSpec.kmsKeyName",
    "kmsKeyName",
)


def _bucket(thing: Thing) -> Attributes:
    uniform = thing.get("iamConfiguration.uniformBucketLevelAccess.enabled")
    known = "iamConfiguration" in thing.data
    return attributes(
        uniform_access=bool(uniform) if known else None,
        public_access_prevention=thing.text("iamConfiguration.publicAccessPrevention"),
    )


def _account(thing: Thing) -> Attributes:
    return attributes(principal=account(thing.text("email")))


def _crypto_key(thing: Thing) -> Attributes:
    return attributes(
        purpose=thing.text("purpose"), protection=thing.text("versionTemplate.protectionLevel")
    )


def _pool(thing: Thing) -> Attributes:
    return attributes(
        disabled=bool(thing.get("disabled")) if thing.data else None,
        state=thing.text("state"),
        mode=thing.text("mode"),
    )


def _provider(thing: Thing) -> Attributes:
    mapping = thing.get("attributeMapping")
    pairs = mapping.items() if isinstance(mapping, Mapping) else ()
    audiences = thing.get("oidc.allowedAudiences")
    return attributes(
        pool=thing.name.rpartition("/providers/")[0],
        issuer=thing.text("oidc.issuerUri") or thing.text("aws.accountId"),
        audiences=texts(audiences) or texts([thing.get("oidc.clientId")]),
        attribute_mapping=[f"{name}={value}" for name, value in pairs],
        attribute_condition=thing.text("attributeCondition"),
        disabled=bool(thing.get("disabled")) if thing.data else None,
        state=thing.text("state"),
        federation=next((name for name in _FEDERATIONS if thing.get(name)), ""),
    )


def _model(thing: Thing) -> Attributes:
    return attributes(
        image=thing.text("containerSpec.imageUri"),
        artifact=thing.text("artifactUri"),
        version=thing.text("versionId"),
    )


_DETAILS: Final = {
    "storage.googleapis.com/Bucket": _bucket,
    "iam.googleapis.com/ServiceAccount": _account,
    "cloudkms.googleapis.com/CryptoKey": _crypto_key,
    "iam.googleapis.com/WorkloadIdentityPool": _pool,
    "iam.googleapis.com/WorkforcePool": _pool,
    "iam.googleapis.com/WorkloadIdentityPoolProvider": _provider,
    "iam.googleapis.com/WorkforcePoolProvider": _provider,
    "aiplatform.googleapis.com/Model": _model,
}
