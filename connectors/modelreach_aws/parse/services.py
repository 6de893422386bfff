"""Queues, topics and repositories."""

from __future__ import annotations

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import PROVIDER, Facts, moment, tags_of
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.registries import of_registry


def parse_services(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    """Turn what these services answered into resources and their policies."""
    _queues(answers, places, keys, facts)
    _topics(answers, keys, facts)
    _repositories(answers, keys, facts)


def _policy(facts: Facts, one: Answer, arn: str, document: object) -> None:
    if document:
        facts.apply(
            one.account, arn, "resource", document, name="resource policy", region=one.region
        )


def _queues(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("sqs", "ListQueues"):
        for url in response.get("QueueUrls", ()):
            asked = {"QueueUrl": url}
            about = answers.response(one, "GetQueueAttributes", asked).get("Attributes", {})
            name = url.rpartition("/")[2]
            arn = about.get("QueueArn") or places.arn(one, "sqs", name)
            tags = answers.response(one, "ListQueueTags", asked).get("Tags")
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="sqs:queue",
                    scope=one.account,
                    region=one.region,
                    name=name,
                    tags=tags_of(tags),
                    created=moment(about.get("CreatedTimestamp")),
                    attributes=attributes(
                        kms_key=keys.arn(one.account, one.region, about.get("KmsMasterKeyId")),
                    ),
                )
            )
            _policy(facts, one, arn, about.get("Policy"))


def _topics(answers: Answers, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("sns", "ListTopics"):
        for topic in response.get("Topics", ()):
            arn = topic["TopicArn"]
            about = answers.response(one, "GetTopicAttributes", {"TopicArn": arn})
            values = about.get("Attributes", {})
            tags = answers.response(one, "ListTagsForResource", {"ResourceArn": arn}).get("Tags")
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="sns:topic",
                    scope=one.account,
                    region=one.region,
                    name=arn.rpartition(":")[2],
                    tags=tags_of(tags),
                    attributes=attributes(
                        kms_key=keys.arn(one.account, one.region, values.get("KmsMasterKeyId")),
                    ),
                )
            )
            _policy(facts, one, arn, values.get("Policy"))


def _repositories(answers: Answers, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("ecr", "DescribeRepositories"):
        for entry in response.get("repositories", ()):
            arn, name = entry["repositoryArn"], entry["repositoryName"]
            tags = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
            key = entry.get("encryptionConfiguration", {}).get("kmsKey")
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="ecr:repository",
                    scope=one.account,
                    region=one.region,
                    name=name,
                    tags=tags_of(tags),
                    created=moment(entry.get("createdAt")),
                    attributes=attributes(kms_key=keys.arn(one.account, one.region, key)),
                )
            )
            policy = answers.response(one, "GetRepositoryPolicy", {"repositoryName": name})
            _policy(facts, one, arn, policy.get("policyText"))
            of_registry(answers, one, arn, facts)
