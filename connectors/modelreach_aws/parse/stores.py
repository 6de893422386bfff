"""Stores that are searched, streamed to or queried: domains of OpenSearch and others."""

from __future__ import annotations

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource
from modelreach_aws.answers import Answers
from modelreach_aws.parse.collections import parse_collections
from modelreach_aws.parse.databases import parse_databases
from modelreach_aws.parse.facts import Facts, decoded, moment
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.things import policy, thing
from modelreach_aws.select import at


def parse_stores(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    """Turn what these services answered into resources and their policies."""
    _domains(answers, places, keys, facts)
    parse_collections(answers, facts)
    tags = _tags(answers)
    _vector_buckets(answers, facts)
    _streams(answers, tags, facts)
    _log_groups(answers, tags, keys, facts)
    _indexes(answers, tags, places, facts)
    parse_databases(answers, tags, places, keys, facts)


def _tags(answers: Answers) -> dict[str, object]:
    """Give tags by ARN, of the kinds whose tags are read together."""
    return {
        entry["ResourceARN"]: entry.get("Tags")
        for _, response in answers.of("resourcegroupstaggingapi", "GetResources")
        for entry in response.get("ResourceTagMappingList", ())
    }


def _domains(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("opensearch", "ListDomainNames"):
        for entry in response.get("DomainNames", ()):
            name = entry["DomainName"]
            asked = {"DomainName": name}
            about = answers.response(one, "DescribeDomain", asked).get("DomainStatus", {})
            arn = about.get("ARN") or places.arn(one, "es", f"domain/{name}")
            tags = answers.response(one, "ListTags", {"ARN": arn}).get("TagList")
            key = at(about, "EncryptionAtRestOptions.KmsKeyId")
            facts.resources.append(
                Resource(
                    **thing(one, "es:domain", arn, name, tags),
                    attributes=attributes(
                        engine=about.get("EngineVersion"),
                        fine_grained=at(about, "AdvancedSecurityOptions.Enabled"),
                        kms_key=keys.arn(one.account, one.region, key),
                        vpc=at(about, "VPCOptions.VPCId"),
                    ),
                )
            )
            policy(facts, one, arn, about.get("AccessPolicies"))


def _vector_buckets(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("s3vectors", "ListVectorBuckets"):
        for entry in response.get("vectorBuckets", ()):
            arn = entry["vectorBucketArn"]
            tags = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
            facts.resources.append(
                Resource(
                    **thing(
                        one, "s3vectors:vector-bucket", arn, entry.get("vectorBucketName"), tags
                    ),
                    created=moment(entry.get("creationTime")),
                )
            )
            said = answers.response(one, "GetVectorBucketPolicy", {"vectorBucketArn": arn})
            policy(facts, one, arn, said.get("policy"))


def _streams(answers: Answers, tags: dict[str, object], facts: Facts) -> None:
    for one, response in answers.of("kinesis", "ListStreams"):
        for entry in response.get("StreamSummaries", ()):
            arn = entry["StreamARN"]
            facts.resources.append(
                Resource(
                    **thing(one, "kinesis:stream", arn, entry.get("StreamName"), tags.get(arn)),
                    created=moment(entry.get("StreamCreationTimestamp")),
                )
            )
            said = answers.response(one, "GetResourcePolicy", {"ResourceARN": arn})
            policy(facts, one, arn, said.get("Policy"))


def _log_groups(answers: Answers, tags: dict[str, object], keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("logs", "DescribeLogGroups"):
        listed = answers.response(one, "DescribeResourcePolicies", {}).get("resourcePolicies", ())
        said = [text for p in listed if names_accounts(text := p.get("policyDocument"))]
        for entry in response.get("logGroups", ()):
            arn = str(entry.get("logGroupArn") or entry.get("arn", "")).removesuffix(":*")
            key = keys.arn(one.account, one.region, entry.get("kmsKeyId"))
            facts.resources.append(
                Resource(
                    **thing(one, "logs:log-group", arn, entry.get("logGroupName"), tags.get(arn)),
                    attributes=attributes(kms_key=key),
                )
            )
            for document in said:
                policy(facts, one, arn, document)


def names_accounts(document: object) -> bool:
    """May a policy let somebody in besides services? Most policies about log groups let services
    write, and say nothing of anybody else.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    written = decoded(document)
    statements = written.get("Statement", ()) if isinstance(written, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    return bool(document) and not all(
        isinstance(one, dict)
        and isinstance(one.get("Principal"), dict)
        and set(one["Principal"]) == {"Service"}
        for one in listed
    )


def _indexes(answers: Answers, tags: dict[str, object], places: Places, facts: Facts) -> None:
    for one, response in answers.of("kendra", "ListIndices"):
        for entry in response.get("IndexConfigurationSummaryItems", ()):
            arn = places.arn(one, "kendra", f"index/{entry['Id']}")
            facts.resources.append(
                Resource(
                    **thing(one, "kendra:index", arn, entry.get("Name"), tags.get(arn)),
                    created=moment(entry.get("CreatedAt")),
                )
            )
