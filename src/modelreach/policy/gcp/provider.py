"""What the rest of the program has to know of Google Cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from modelreach.model import Sensitivity
from modelreach.policy.engine import Engine
from modelreach.policy.provider import Context, Opens, Provider
from modelreach.snapshot import Credential, Facts, Scope


def _engine(facts: Facts, context: Context, opens: Opens) -> Engine:
    from modelreach.policy.gcp.engine import GcpEngine

    return GcpEngine(facts, dict(context), opens)


#: https://docs.cloud.google.com/docs/authentication/api-keys-use
_MODELS = frozenset({"aiplatform.googleapis.com", "generativelanguage.googleapis.com"})


def _caller(key: Credential) -> str:
    """Name an API key that is bound to no account and may be used with a service of models."""
    if key.kind != "api-key" or key.principal:
        return ""
    targets = key.attributes.get("api_targets")
    services = {t.partition(":")[0] for t in targets} if isinstance(targets, tuple) else set[str]()
    if services:
        return "API key" if services & _MODELS else ""
    return "unrestricted API key"


def _hinges(text: str, scopes: Mapping[str, Scope]) -> Iterator[str]:
    """Give the projects of convenience members: who holds a basic role there is who is meant.
    https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values"""
    for name in _CONVENIENCE.findall(text):
        known = f"projects/{name}"
        if known in scopes:
            yield known
        else:
            yield from (one.id for one in scopes.values() if one.attributes.get("number") == name)


_CONVENIENCE = re.compile(r'"project(?:Owner|Editor|Viewer):([^"]+)"')

PROVIDER = Provider(
    name="gcp",
    hinges=_hinges,
    family=lambda permission: permission.partition(".")[0] + ".*",
    engine=_engine,
    identities="iam.googleapis.com",
    caller=_caller,
    classes={
        "secretmanager.googleapis.com/Secret": "secrets",
        "apikeys.googleapis.com/Key": "secrets",
        "cloudkms.googleapis.com/CryptoKey": "keys",
        "cloudkms.googleapis.com/KeyRing": "keys",
        "storage.googleapis.com/Bucket": "storage",
        "artifactregistry.googleapis.com/Repository": "storage",
        "bigquery.googleapis.com/Dataset": "databases",
        "bigquery.googleapis.com/Table": "databases",
        "sqladmin.googleapis.com/Instance": "databases",
        "spanner.googleapis.com/Database": "databases",
        "spanner.googleapis.com/Instance": "databases",
        "firestore.googleapis.com/Database": "databases",
        "bigtableadmin.googleapis.com/Instance": "databases",
        "pubsub.googleapis.com/Topic": "messaging",
        "pubsub.googleapis.com/Subscription": "messaging",
        "cloudfunctions.googleapis.com/Function": "functions",
        "cloudfunctions.googleapis.com/CloudFunction": "functions",
        "run.googleapis.com/Service": "functions",
        "run.googleapis.com/Job": "functions",
        "run.googleapis.com/WorkerPool": "functions",
        "iam.googleapis.com/ServiceAccount": "identities",
        "iam.googleapis.com:service-account": "identities",
        "iam.googleapis.com:service-agent": "identities",
        "iam.googleapis.com:agent-identity": "identities",
        "iam.googleapis.com:federated": "identities",
        "iam.googleapis.com:user": "identities",
        "iam.googleapis.com:group": "identities",
        "gcp:project": "administration",
        "gcp:folder": "administration",
        "gcp:organization": "administration",
    },
    sensitive={
        "secretmanager.googleapis.com/Secret": (Sensitivity.HIGH, "holds a secret"),
        "apikeys.googleapis.com/Key": (Sensitivity.HIGH, "holds an API key"),
        "cloudkms.googleapis.com/CryptoKey": (
            Sensitivity.MEDIUM,
            "decrypts what it protects",
        ),
        "gcp:project": (Sensitivity.HIGH, "a whole project"),
        "gcp:folder": (Sensitivity.HIGH, "a whole folder"),
        "gcp:organization": (Sensitivity.HIGH, "a whole organization"),
    },
    models={
        "aiplatform.googleapis.com/ReasoningEngine": ("vertex-ai", "Vertex AI agent engine"),
        "aiplatform.googleapis.com/Endpoint": ("vertex-ai", "Vertex AI endpoint"),
    },
)
