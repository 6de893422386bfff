"""AgentCore identity: workload identities, and the keys of third parties that it stores.

A provider is a thing in the account, which policies speak of, and a credential of somebody
outside it. Only names, ages and the ARN of the secret are read.
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/identity-outbound-credential-provider.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, Resource
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.agentcore import SERVICE, tags
from modelreach_aws.parse.facts import PROVIDER, Facts, moment
from modelreach_aws.parse.things import latest, thing
from modelreach_aws.select import at


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of provider: its operations, where its secret is named, what its facts are."""

    operation: str
    secret: str
    source: str
    resource: str
    credential: str


_KINDS: Final = (
    _Kind(
        "ApiKeyCredentialProvider",
        "apiKeySecretArn.secretArn",
        "apiKeySecretSource",
        "bedrock-agentcore:api-key-credential-provider",
        "stored-api-key",
    ),
    _Kind(
        "Oauth2CredentialProvider",
        "clientSecretArn.secretArn",
        "clientSecretSource",
        "bedrock-agentcore:oauth2-credential-provider",
        "stored-oauth2-client",
    ),
)


def parse_agentcore_identity(answers: Answers, facts: Facts) -> None:
    """Turn what AgentCore answered into workload identities and stored credentials."""
    for one, response in answers.of(SERVICE, "ListWorkloadIdentities"):
        for entry in response.get("workloadIdentities", ()):
            arn = entry["workloadIdentityArn"]
            facts.resources.append(
                Resource(
                    **thing(one, "bedrock-agentcore:workload-identity", arn, entry.get("name"))
                )
            )
    for kind in _KINDS:
        for one, response in answers.of(SERVICE, f"List{kind.operation}s"):
            for entry in response.get("credentialProviders", ()):
                _provider(one, kind, entry, answers, facts)


def _provider(
    one: Answer, kind: _Kind, entry: dict[str, Any], answers: Answers, facts: Facts
) -> None:
    arn, name = entry["credentialProviderArn"], entry["name"]
    about = answers.response(one, f"Get{kind.operation}", {"name": name})
    created = moment(entry.get("createdTime"))
    secret, source = at(about, kind.secret), about.get(kind.source)
    vendor = entry.get("credentialProviderVendor")
    facts.resources.append(
        Resource(
            **thing(one, kind.resource, arn, name, tags(answers, one, arn)),
            created=created,
            attributes=attributes(secret=secret, secret_source=source, vendor=vendor),
        )
    )
    facts.credentials.append(
        Credential(
            id=arn,
            provider=PROVIDER,
            kind=kind.credential,
            principal=name,
            scope=one.account,
            status=str(about.get("status", "")),
            created=created,
            # An update has to give the key or client anew.
            rotated=latest(created, moment(entry.get("lastUpdatedTime"))),
            attributes=attributes(
                name=name,
                secret=secret,
                secret_source=source,
                vendor=vendor,
                client=_client(about),
                issuer=_issuer(about),
            ),
        )
    )


def _client(about: dict[str, Any]) -> str:
    """Give the public id of an OAuth2 client."""
    found = (about.get("oauth2ProviderConfigOutput") or {}).values()
    return next((str(one["clientId"]) for one in found if (one or {}).get("clientId")), "")


def _issuer(about: dict[str, Any]) -> str:
    """Give who issues the tokens of an OAuth2 client."""
    for found in (about.get("oauth2ProviderConfigOutput") or {}).values():
        for path in ("discoveryUrl", "authorizationServerMetadata.issuer"):
            if issuer := at(found, f"oauthDiscovery.{path}"):
                return str(issuer)
    return ""
