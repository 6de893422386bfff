"""Further credentials: certificates, SSH keys, API keys, and what outsiders enter with.

Access keys, passwords and service-specific credentials are in `iam`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, Resource
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import PROVIDER, Facts, moment, tags_of
from modelreach_aws.parse.place import Places

_NEVER: Final = "never"


def parse_credentials(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what was answered about credentials into facts. Never their values."""
    _uploaded(answers, places, facts)
    _saml_certificates(answers, facts)
    _gateway_keys(answers, places, facts)
    _graphql(answers, facts)
    _anchors(answers, facts)
    _profiles(answers, facts)
    _identity_pools(answers, places, facts)


def _uploaded(answers: Answers, places: Places, facts: Facts) -> None:
    """Keys of users whose other half is with the user: they never expire by themselves."""
    for operation, section, name, kind in (
        ("ListSigningCertificates", "Certificates", "CertificateId", "signing-certificate"),
        ("ListSSHPublicKeys", "SSHPublicKeys", "SSHPublicKeyId", "ssh-key"),
    ):
        for one, response in answers.of("iam", operation):
            for entry in response.get(section, ()):
                user = entry.get("UserName") or one.parameters["UserName"]
                facts.credentials.append(
                    Credential(
                        id=entry[name],
                        provider=PROVIDER,
                        kind=kind,
                        principal=places.user(one.account, user),
                        scope=one.account,
                        status=str(entry.get("Status", "")).lower(),
                        created=moment(entry.get("UploadDate")),
                        expires=_NEVER if kind == "ssh-key" else "",
                    )
                )


def _saml_certificates(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("iam", "ListSAMLProviders"):
        for entry in response.get("SAMLProviderList", ()):
            facts.credentials.append(
                Credential(
                    id=f"{entry['Arn']}#metadata",
                    provider=PROVIDER,
                    kind="saml-metadata",
                    principal=entry["Arn"],
                    scope=one.account,
                    created=moment(entry.get("CreateDate")),
                    expires=moment(entry.get("ValidUntil")),
                )
            )


def _gateway_keys(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of("apigateway", "GetApiKeys"):
        partition = places.partition(one.account)
        for entry in response.get("items", ()):
            arn = f"arn:{partition}:apigateway:{one.region}::/apikeys/{entry['id']}"
            opened = [
                f"arn:{partition}:apigateway:{one.region}::/restapis/{api}/stages/{stage}"
                for api, _, stage in (key.partition("/") for key in entry.get("stageKeys") or ())
            ]
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="apigateway:api-key",
                    scope=one.account,
                    region=one.region,
                    name=entry.get("name") or entry["id"],
                    tags=tags_of(entry.get("tags")),
                    created=moment(entry.get("createdDate")),
                )
            )
            facts.credentials.append(
                Credential(
                    id=arn,
                    provider=PROVIDER,
                    kind="api-key",
                    principal=min(opened, default=""),
                    scope=one.account,
                    status=_status(entry.get("enabled")),
                    created=moment(entry.get("createdDate")),
                    expires=_NEVER,
                    attributes=attributes(service="apigateway.amazonaws.com", opens=opened),
                )
            )


def _status(enabled: object) -> str:
    return "" if enabled is None else "active" if enabled else "inactive"


def _graphql(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("appsync", "ListGraphqlApis"):
        for entry in response.get("graphqlApis", ()):
            facts.resources.append(
                Resource(
                    id=entry["arn"],
                    provider=PROVIDER,
                    kind="appsync:graphqlapi",
                    scope=one.account,
                    region=one.region,
                    name=entry.get("name", ""),
                    tags=tags_of(entry.get("tags")),
                    attributes=attributes(
                        authentication=[
                            entry.get("authenticationType", ""),
                            *(
                                other.get("authenticationType", "")
                                for other in entry.get("additionalAuthenticationProviders") or ()
                            ),
                        ],
                    ),
                )
            )
            keys = answers.response(one, "ListApiKeys", {"apiId": entry["apiId"]})
            facts.credentials.extend(_graphql_keys(one, entry["arn"], keys.get("apiKeys", ())))


def _graphql_keys(one: Answer, api: str, keys: list[dict[str, Any]]) -> Iterator[Credential]:
    """Give the keys of an API. The id that AWS has for one is the key itself, and was dropped:
    they are told apart by when they expire.
    """
    alike: Counter[str] = Counter()
    for key in sorted(keys, key=lambda key: (key.get("expires", 0), key.get("description", ""))):
        expires = moment(key.get("expires"))
        alike[expires] += 1
        number = f".{alike[expires]}" if alike[expires] > 1 else ""
        yield Credential(
            id=f"{api}/apikeys#expires-{expires or 'unknown'}{number}",
            provider=PROVIDER,
            kind="api-key",
            principal=api,
            scope=one.account,
            expires=expires,
            attributes=attributes(
                service="appsync.amazonaws.com", description=key.get("description")
            ),
        )


def _tags(one: Answer, arn: str, answers: Answers) -> dict[str, str]:
    return tags_of(answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags"))


def _anchors(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("rolesanywhere", "ListTrustAnchors"):
        for entry in response.get("trustAnchors", ()):
            source = entry.get("source") or {}
            facts.resources.append(
                Resource(
                    id=entry["trustAnchorArn"],
                    provider=PROVIDER,
                    kind="rolesanywhere:trust-anchor",
                    scope=one.account,
                    region=one.region,
                    name=entry.get("name", ""),
                    tags=_tags(one, entry["trustAnchorArn"], answers),
                    created=moment(entry.get("createdAt")),
                    attributes=attributes(
                        enabled=entry.get("enabled"),
                        source=source.get("sourceType"),
                        authority=(source.get("sourceData") or {}).get("acmPcaArn"),
                    ),
                )
            )


def _profiles(answers: Answers, facts: Facts) -> None:
    """A profile lets whoever has a certificate of a trust anchor be its roles.

    https://docs.aws.amazon.com/rolesanywhere/latest/userguide/introduction.html
    """
    for one, response in answers.of("rolesanywhere", "ListProfiles"):
        for entry in response.get("profiles", ()):
            arn, roles = entry["profileArn"], entry.get("roleArns") or []
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="rolesanywhere:profile",
                    scope=one.account,
                    region=one.region,
                    name=entry.get("name", ""),
                    tags=_tags(one, arn, answers),
                    created=moment(entry.get("createdAt")),
                    attributes=attributes(
                        enabled=entry.get("enabled"),
                        roles=roles,
                        managed_policies=entry.get("managedPolicyArns") or (),
                        seconds=entry.get("durationSeconds"),
                    ),
                )
            )
            if policy := entry.get("sessionPolicy"):
                facts.apply(
                    one.account, arn, "session", policy, name="session policy", region=one.region
                )
            facts.credentials.extend(_of_profile(one, arn, role, entry) for role in roles)


def _of_profile(one: Answer, profile: str, role: str, entry: dict[str, Any]) -> Credential:
    return Credential(
        id=f"{profile}#{role}",
        provider=PROVIDER,
        kind="roles-anywhere",
        principal=role,
        scope=one.account,
        status=_status(entry.get("enabled")),
        created=moment(entry.get("createdAt")),
        attributes=attributes(profile=profile, seconds=entry.get("durationSeconds")),
    )


def _identity_pools(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of("cognito-identity", "ListIdentityPools"):
        for entry in response.get("IdentityPools", ()):
            asked = {"IdentityPoolId": entry["IdentityPoolId"]}
            about = answers.response(one, "DescribeIdentityPool", asked)
            roles = answers.response(one, "GetIdentityPoolRoles", asked).get("Roles") or {}
            arn = places.arn(one, "cognito-identity", f"identitypool/{entry['IdentityPoolId']}")
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="cognito-identity:identitypool",
                    scope=one.account,
                    region=one.region,
                    name=entry.get("IdentityPoolName", ""),
                    tags=tags_of(about.get("IdentityPoolTags")),
                    attributes=attributes(
                        authenticated_role=roles.get("authenticated"),
                        unauthenticated_role=roles.get("unauthenticated"),
                        lets_in_anybody=about.get("AllowUnauthenticatedIdentities"),
                        classic_flow=about.get("AllowClassicFlow"),
                    ),
                )
            )
            facts.credentials.extend(_of_pool(one, arn, roles, about))


def _of_pool(
    one: Answer, pool: str, roles: dict[str, str], about: dict[str, Any]
) -> Iterator[Credential]:
    """Give what the pool hands out: to nobody in particular where it lets anybody in."""
    for how, role in sorted(roles.items()):
        enabled = about.get("AllowUnauthenticatedIdentities") if how != "authenticated" else True
        yield Credential(
            id=f"{pool}#{how}",
            provider=PROVIDER,
            kind="identity-pool",
            principal=role,
            scope=one.account,
            status=_status(enabled),
            attributes=attributes(pool=pool, how=how),
        )
