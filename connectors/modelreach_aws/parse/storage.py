"""What holds data and what protects it: buckets, secrets, keys, parameters, tables."""

from __future__ import annotations

from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import PROVIDER, Facts, moment, tags_of
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.place import Places

#: How old buckets name their regions.
#: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
_LOCATIONS: Final = {"": "us-east-1", "EU": "eu-west-1"}


def parse_storage(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    """Turn what these services answered into resources and their policies."""
    _buckets(answers, places, keys, facts)
    _secrets(answers, keys, facts)
    _kms_keys(answers, keys, facts)
    _parameters(answers, places, keys, facts)
    _tables(answers, places, facts)


def _buckets(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("s3", "ListBuckets"):
        for bucket in response.get("Buckets", ()):
            name = bucket["Name"]
            arn = f"arn:{places.partition(one.account)}:s3:::{name}"
            asked = {"Bucket": name}
            region = _bucket_region(answers.same_place(one, "GetBucketLocation", asked), bucket)
            tags = answers.response(one, "GetBucketTagging", asked).get("TagSet")
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="s3:bucket",
                    scope=one.account,
                    region=region,
                    name=name,
                    tags=tags_of(tags),
                    created=moment(bucket.get("CreationDate")),
                    attributes=attributes(
                        **_public_access(answers.same_place(one, "GetPublicAccessBlock", asked)),
                        ownership=_ownership(answers, one, asked),
                        **_encryption(answers, one, asked, region, keys),
                    ),
                )
            )
            _policy(facts, one, arn, answers.response(one, "GetBucketPolicy", asked), "Policy")


def _bucket_region(one: Answer | None, bucket: dict[str, Any]) -> str:
    if one is None or one.response is None:
        return str(bucket.get("BucketRegion", ""))
    location = one.response.get("LocationConstraint") or ""
    return _LOCATIONS.get(location, location)


def _public_access(one: Answer | None) -> dict[str, bool]:
    """Give the four switches; no configuration is all of them off, a refusal none known."""
    if one is None or one.refused:
        return {}
    found = (one.response or {}).get("PublicAccessBlockConfiguration", {})
    return {
        "block_public_acls": bool(found.get("BlockPublicAcls")),
        "ignore_public_acls": bool(found.get("IgnorePublicAcls")),
        "block_public_policy": bool(found.get("BlockPublicPolicy")),
        "restrict_public_buckets": bool(found.get("RestrictPublicBuckets")),
    }


def _ownership(answers: Answers, one: Answer, asked: dict[str, str]) -> str:
    controls = answers.response(one, "GetBucketOwnershipControls", asked)
    rules = controls.get("OwnershipControls", {}).get("Rules") or [{}]
    return str(rules[0].get("ObjectOwnership", ""))


def _encryption(
    answers: Answers, one: Answer, asked: dict[str, str], region: str, keys: Keys
) -> dict[str, str]:
    configuration = answers.response(one, "GetBucketEncryption", asked)
    rules = configuration.get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {})
    return {
        "encryption": default.get("SSEAlgorithm", ""),
        "kms_key": keys.arn(one.account, region, default.get("KMSMasterKeyID")),
    }


def _policy(facts: Facts, one: Answer, arn: str, response: dict[str, Any], name: str) -> None:
    document = response.get(name)
    if document:
        facts.apply(
            one.account, arn, "resource", document, name="resource policy", region=one.region
        )


def _secrets(answers: Answers, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("secretsmanager", "ListSecrets"):
        for secret in response.get("SecretList", ()):
            arn = secret["ARN"]
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="secretsmanager:secret",
                    scope=one.account,
                    region=one.region,
                    name=secret.get("Name", ""),
                    tags=tags_of(secret.get("Tags")),
                    created=moment(secret.get("CreatedDate")),
                    attributes=attributes(
                        kms_key=keys.arn(one.account, one.region, secret.get("KmsKeyId")),
                        last_accessed=moment(secret.get("LastAccessedDate")),
                        last_rotated=moment(secret.get("LastRotatedDate")),
                        rotation=bool(secret.get("RotationEnabled")),
                    ),
                )
            )
            asked = {"SecretId": arn}
            answer = answers.response(one, "GetResourcePolicy", asked)
            _policy(facts, one, arn, answer, "ResourcePolicy")


def _kms_keys(answers: Answers, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("kms", "ListKeys"):
        for entry in response.get("Keys", ()):
            arn = entry["KeyArn"]
            asked = {"KeyId": entry["KeyId"]}
            about = answers.response(one, "DescribeKey", asked).get("KeyMetadata", {})
            aliases = keys.aliases(one.account, one.region, entry["KeyId"])
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="kms:key",
                    scope=one.account,
                    region=one.region,
                    name=aliases[0] if aliases else entry["KeyId"],
                    tags=tags_of(answers.response(one, "ListResourceTags", asked).get("Tags")),
                    created=moment(about.get("CreationDate")),
                    attributes=attributes(
                        aliases=aliases,
                        manager=about.get("KeyManager"),
                        state=about.get("KeyState"),
                        usage=about.get("KeyUsage"),
                        multi_region=about.get("MultiRegion"),
                    ),
                )
            )
            policy = answers.response(one, "GetKeyPolicy", asked)
            _policy(facts, one, arn, policy, "Policy")
            for grant in answers.response(one, "ListGrants", asked).get("Grants", ()):
                _grant(facts, one, arn, grant)


def _grant(facts: Facts, one: Answer, arn: str, grant: dict[str, Any]) -> None:
    """Attach a grant, which gives access beside every policy, as the document that it is."""
    document = {name: value for name, value in grant.items() if name != "KeyId"}
    facts.apply(one.account, arn, "grant", document, name=grant.get("Name") or grant["GrantId"])


def _parameters(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("ssm", "DescribeParameters"):
        for entry in response.get("Parameters", ()):
            name = entry["Name"]
            arn = entry.get("ARN") or places.arn(one, "ssm", f"parameter/{name.lstrip('/')}")
            asked = {"ResourceId": name}
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="ssm:parameter",
                    scope=one.account,
                    region=one.region,
                    name=name,
                    tags=tags_of(
                        answers.response(one, "ListTagsForResource", asked).get("TagList")
                    ),
                    attributes=attributes(
                        type=entry.get("Type"),
                        tier=entry.get("Tier"),
                        kms_key=keys.arn(one.account, one.region, entry.get("KeyId")),
                        modified=moment(entry.get("LastModifiedDate")),
                    ),
                )
            )
            shared = answers.response(one, "GetResourcePolicies", {"ResourceArn": arn})
            for policy in shared.get("Policies", ()):
                _policy(facts, one, arn, policy, "Policy")


def _tables(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of("dynamodb", "ListTables"):
        for name in response.get("TableNames", ()):
            about = answers.response(one, "DescribeTable", {"TableName": name}).get("Table", {})
            arn = about.get("TableArn") or places.arn(one, "dynamodb", f"table/{name}")
            asked = {"ResourceArn": arn}
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="dynamodb:table",
                    scope=one.account,
                    region=one.region,
                    name=name,
                    tags=tags_of(answers.response(one, "ListTagsOfResource", asked).get("Tags")),
                    created=moment(about.get("CreationDateTime")),
                    attributes=attributes(
                        kms_key=about.get("SSEDescription", {}).get("KMSMasterKeyArn"),
                        stream=about.get("LatestStreamArn"),
                    ),
                )
            )
            policy = answers.response(one, "GetResourcePolicy", asked)
            _policy(facts, one, arn, policy, "Policy")
