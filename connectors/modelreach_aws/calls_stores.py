"""Rows of the table of calls: stores that are searched, streamed to or queried.

Where a bucket or a table is read from, so are these: the vectors of a knowledge base, what a
domain indexes, what is logged of prompts and answers. Nothing in them is read.
"""

from __future__ import annotations

from typing import Any, Final

from modelreach_aws.call import Call, Where
from modelreach_aws.select import once, over

#: The name that a service's permissions begin with, where it is not that of its client.
_PREFIX: Final = {
    "opensearch": "es",
    "opensearchserverless": "aoss",
    "resourcegroupstaggingapi": "tag",
}


def _region(service: str, operation: str, feeds: str, **more: Any) -> Call:
    permission = f"{_PREFIX.get(service, service)}:{operation}"
    return Call(service, operation, permission, feeds, Where.REGION, **more)


_DOMAIN_ARN: Final = "arn:{partition}:es:{region}:{account}:domain/{DomainName}"
_OPENSEARCH = (
    _region("opensearch", "ListDomainNames", "domains of OpenSearch", kinds=("es:domain",)),
    _region(
        "opensearch",
        "DescribeDomain",
        "the policy, key and network of a domain, and whether it has users of its own",
        facet="resource-policy",
        subject=_DOMAIN_ARN,
        after={"ListDomainNames": over("DomainNames", DomainName="DomainName")},
    ),
    _region(
        "opensearch",
        "ListTags",
        "tags",
        facet="tags",
        subject="{ARN}",
        after={"DescribeDomain": over("DomainStatus", ARN="ARN")},
    ),
)

_COLLECTIONS_ARN: Final = "arn:{partition}:aoss:{region}:{account}:collection/*"
_WHERE_COLLECTIONS: Final = {"ListCollections": once("collectionSummaries")}


def _serverless(operation: str, feeds: str, **more: Any) -> Call:
    return _region("opensearchserverless", operation, feeds, subject=_COLLECTIONS_ARN, **more)


_SERVERLESS = (
    _region(
        "opensearchserverless",
        "ListCollections",
        "collections of OpenSearch Serverless",
        kinds=("aoss:collection",),
    ),
    _serverless(
        "ListAccessPolicies",
        "data access policies",
        facet="access-policy",
        fixed={"type": "data"},
        after=_WHERE_COLLECTIONS,
    ),
    _serverless(
        "GetAccessPolicy",
        "whom a data access policy lets into which collections",
        facet="access-policy",
        fixed={"type": "data"},
        after={"ListAccessPolicies": over("accessPolicySummaries", name="name")},
    ),
    _serverless(
        "ListSecurityPolicies",
        "network policies",
        facet="network-policy",
        fixed={"type": "network"},
        after=_WHERE_COLLECTIONS,
    ),
    _serverless(
        "GetSecurityPolicy",
        "from where a network policy lets collections be reached",
        facet="network-policy",
        fixed={"type": "network"},
        after={"ListSecurityPolicies": over("securityPolicySummaries", name="name")},
    ),
    _region(
        "opensearchserverless",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{resourceArn}",
        after={"ListCollections": over("collectionSummaries", resourceArn="arn")},
    ),
)

_EACH_VECTOR_BUCKET: Final = over("vectorBuckets", vectorBucketArn="vectorBucketArn")
_VECTORS = (
    _region(
        "s3vectors",
        "ListVectorBuckets",
        "buckets of vectors",
        kinds=("s3vectors:vector-bucket",),
        page_size=500,
    ),
    _region(
        "s3vectors",
        "GetVectorBucketPolicy",
        "policies of buckets of vectors",
        facet="resource-policy",
        subject="{vectorBucketArn}",
        after={"ListVectorBuckets": _EACH_VECTOR_BUCKET},
        absent=frozenset({"NotFoundException"}),
    ),
    _region(
        "s3vectors",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{resourceArn}",
        after={"ListVectorBuckets": over("vectorBuckets", resourceArn="vectorBucketArn")},
    ),
)

_STREAMS = (
    _region("kinesis", "ListStreams", "streams", kinds=("kinesis:stream",)),
    _region(
        "kinesis",
        "GetResourcePolicy",
        "stream policies",
        facet="resource-policy",
        subject="{ResourceARN}",
        after={"ListStreams": over("StreamSummaries", ResourceARN="StreamARN")},
        absent=frozenset({"ResourceNotFoundException"}),
    ),
)

_LOGS = (
    _region(
        "logs",
        "DescribeLogGroups",
        "log groups: names and keys; never what is logged",
        kinds=("logs:log-group",),
        page_size=50,
    ),
    _region(
        "logs",
        "DescribeResourcePolicies",
        "policies about log groups",
        facet="resource-policy",
        subject="arn:{partition}:logs:{region}:{account}:log-group:*",
    ),
)

#: One call for the tags of kinds of which there may be thousands, or whose ARN no answer has.
#: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
_TAGS = (
    _region(
        "resourcegroupstaggingapi",
        "GetResources",
        "the tags of streams, log groups, indexes and workgroups",
        facet="tags",
        subject="arn:{partition}:tag:{region}:{account}:*",
        fixed={
            "ResourceTypeFilters": [
                *("kinesis:stream", "logs:log-group", "kendra:index"),
                "redshift-serverless:workgroup",
            ]
        },
        page_size=100,
    ),
)

_LOGINS: Final = "rds-db:db-user"
_DATABASES = (
    _region(
        "rds",
        "DescribeDBInstances",
        "databases, and whether IAM lets users in; never what they hold",
        kinds=("rds:db", _LOGINS),
        page_size=100,
    ),
    _region(
        "rds",
        "DescribeDBClusters",
        "clusters of databases, and whether they have the Data API",
        kinds=("rds:cluster", _LOGINS),
        page_size=100,
    ),
    _region(
        "redshift",
        "DescribeClusters",
        "clusters of Redshift",
        kinds=("redshift:cluster", "redshift:dbuser"),
        page_size=100,
    ),
    _region(
        "redshift-serverless",
        "ListWorkgroups",
        "workgroups of Redshift Serverless",
        kinds=("redshift-serverless:workgroup",),
        page_size=100,
    ),
)

STORE_CALLS: Final[tuple[Call, ...]] = (
    *_OPENSEARCH,
    *_SERVERLESS,
    *_VECTORS,
    *_STREAMS,
    *_LOGS,
    _region("kendra", "ListIndices", "indexes of Kendra", kinds=("kendra:index",)),
    *_DATABASES,
    *_TAGS,
)
