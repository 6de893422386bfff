"""Whose credential a name speaks of: environment variables and headers, by name only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential that a tool runs with: the name that it goes by, of which cloud, which kind
    ("" when the name does not tell)."""

    name: str
    cloud: str
    kind: str = ""


#: How names begin or what they are -> the cloud, and the manifest's word for the credential.
_VARIABLES: Final = (
    (r"AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY)", "aws", "access-key"),
    (r"AWS_(?:WEB_IDENTITY_TOKEN_FILE|ROLE_ARN)", "aws", "assumed-role"),
    (r"AWS_(?:PROFILE|SESSION_TOKEN|BEARER_TOKEN\w*|DEFAULT_PROFILE)", "aws", ""),
    (r"GOOGLE_APPLICATION_CREDENTIALS", "gcp", "service-account-key"),
    (r"(?:GOOGLE|GCP|CLOUDSDK)_\w+", "gcp", ""),
    (r"AZURE_CLIENT_SECRET|ARM_CLIENT_SECRET", "azure", "client-secret"),
    (r"AZURE_CLIENT_CERTIFICATE_\w+", "azure", "certificate"),
    (r"(?:AZURE|ARM)_(?:CLIENT|TENANT|FEDERATED)\w+", "azure", ""),
    (r"KUBECONFIG", "kubernetes", ""),
    (r"(?:GITHUB|GH)_\w*(?:TOKEN|PAT)\w*", "github", "oauth-token"),
    (r"DATABRICKS_\w+", "databricks", ""),
    (r"SNOWFLAKE_\w+", "snowflake", ""),
    (r"OKTA_\w+", "okta", ""),
    (r"\w*(?:API_?KEY|APIKEY|ACCESS_?KEY)\w*", "saas", "api-key"),
    (r"\w*CLIENT_?SECRET\w*", "saas", "client-secret"),
    (r"\w*(?:TOKEN|PAT|BEARER|JWT)\w*", "saas", "oauth-token"),
    (r"\w*(?:SECRET|PASSWORD|PASSWD|CREDENTIAL|_KEY|_URI|_DSN|DATABASE_URL)\w*", "saas", ""),
)
_HEADERS: Final = (
    (r"(?:proxy-)?authorization|cookie|.*(?:token|jwt).*", "oauth-token"),
    (r".*(?:key|secret).*", "api-key"),
)


def of_variables(names: Iterable[str]) -> Credential | None:
    """Give the credential that environment variables of these names hold; the most telling."""
    told = list(names)
    for pattern, cloud, kind in _VARIABLES:
        for name in told:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                return Credential(name, cloud, kind)
    return None


def of_headers(names: Iterable[str]) -> Credential | None:
    """Give the credential that headers of these names hold."""
    told = list(names)
    for pattern, kind in _HEADERS:
        for name in told:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                return Credential(name, "saas", kind)
    return None
