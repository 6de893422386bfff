"""Databases of RDS and Redshift, and the users that IAM lets in as."""

from __future__ import annotations

from typing import Any

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.things import thing


def parse_databases(
    answers: Answers, tags: dict[str, object], places: Places, keys: Keys, facts: Facts
) -> None:
    """Turn what RDS and Redshift answered into resources; `tags` are those of workgroups."""
    for one, response in answers.of("rds", "DescribeDBInstances"):
        for entry in response.get("DBInstances", ()):
            _instance(one, entry, places, keys, facts)
    for one, response in answers.of("rds", "DescribeDBClusters"):
        for entry in response.get("DBClusters", ()):
            _cluster(one, entry, places, keys, facts)
    for one, response in answers.of("redshift", "DescribeClusters"):
        for entry in response.get("Clusters", ()):
            _warehouse(one, entry, places, keys, facts)
    for one, response in answers.of("redshift-serverless", "ListWorkgroups"):
        for entry in response.get("workgroups", ()):
            arn, name = entry["workgroupArn"], entry.get("workgroupName")
            common = thing(one, "redshift-serverless:workgroup", arn, name, tags.get(arn))
            known = attributes(public=entry.get("publiclyAccessible"))
            facts.resources.append(Resource(**common, attributes=known))


def _instance(
    one: Answer, entry: dict[str, Any], places: Places, keys: Keys, facts: Facts
) -> None:
    name = entry["DBInstanceIdentifier"]
    arn = entry.get("DBInstanceArn") or places.arn(one, "rds", f"db:{name}")
    facts.resources.append(
        Resource(
            **thing(one, "rds:db", arn, name, entry.get("TagList")),
            created=moment(entry.get("InstanceCreateTime")),
            attributes=attributes(
                cluster=entry.get("DBClusterIdentifier"),
                engine=entry.get("Engine"),
                kms_key=keys.arn(one.account, one.region, entry.get("KmsKeyId")),
                public=entry.get("PubliclyAccessible"),
            ),
        )
    )
    _logins(one, entry, name, "DbiResourceId", places, facts)


def _cluster(one: Answer, entry: dict[str, Any], places: Places, keys: Keys, facts: Facts) -> None:
    name = entry["DBClusterIdentifier"]
    arn = entry.get("DBClusterArn") or places.arn(one, "rds", f"cluster:{name}")
    facts.resources.append(
        Resource(
            **thing(one, "rds:cluster", arn, name, entry.get("TagList")),
            created=moment(entry.get("ClusterCreateTime")),
            attributes=attributes(
                data_api=bool(entry.get("HttpEndpointEnabled")),
                engine=entry.get("Engine"),
                kms_key=keys.arn(one.account, one.region, entry.get("KmsKeyId")),
            ),
        )
    )
    _logins(one, entry, name, "DbClusterResourceId", places, facts)


def _logins(
    one: Answer, entry: dict[str, Any], name: str, field: str, places: Places, facts: Facts
) -> None:
    """The users of a database that takes tokens of IAM instead of passwords."""
    if entry.get("IAMDatabaseAuthenticationEnabled") and entry.get(field):
        arn = places.arn(one, "rds-db", f"dbuser:{entry[field]}")
        common = thing(one, "rds-db:db-user", arn, f"users of {name}", entry.get("TagList"))
        facts.resources.append(Resource(**common))


def _warehouse(
    one: Answer, entry: dict[str, Any], places: Places, keys: Keys, facts: Facts
) -> None:
    name, tags = entry["ClusterIdentifier"], entry.get("Tags")
    arn = places.arn(one, "redshift", f"cluster:{name}")
    facts.resources.append(
        Resource(
            **thing(one, "redshift:cluster", arn, name, tags),
            created=moment(entry.get("ClusterCreateTime")),
            attributes=attributes(
                kms_key=keys.arn(one.account, one.region, entry.get("KmsKeyId")),
                public=entry.get("PubliclyAccessible"),
            ),
        )
    )
    users = places.arn(one, "redshift", f"dbuser:{name}")
    facts.resources.append(
        Resource(**thing(one, "redshift:dbuser", users, f"users of {name}", tags))
    )
