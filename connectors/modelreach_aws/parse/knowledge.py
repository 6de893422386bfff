"""Knowledge bases: what they read, where they keep it, and the secrets that open these.

https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.bedrock import knowledge_base
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import s3_target, thing
from modelreach_aws.select import at

_SERVICE: Final = "bedrock-agent"
_KIND: Final = "bedrock:knowledge-base"
_STORES: Final = (
    "collectionArn",
    "domainArn",
    "resourceArn",
    "graphArn",
    "indexArn",
    "vectorBucketArn",
    # Stores outside AWS.
    "endpoint",
)


def parse_knowledge(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what Bedrock answered into knowledge bases."""
    for one, response in answers.of(_SERVICE, "ListKnowledgeBases"):
        for summary in response.get("knowledgeBaseSummaries", ()):
            _base(one, summary["knowledgeBaseId"], answers, places, facts)


def _base(one: Answer, name: str, answers: Answers, places: Places, facts: Facts) -> None:
    asked = {"knowledgeBaseId": name}
    about = answers.response(one, "GetKnowledgeBase", asked).get("knowledgeBase", {})
    arn = about.get("knowledgeBaseArn") or knowledge_base(places, one, name)
    tags = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
    common = thing(one, _KIND, arn, about.get("name"), tags)
    storage = about.get("storageConfiguration", {})
    configuration = about.get("knowledgeBaseConfiguration", {})
    sources = list(_sources(one, asked, answers))
    key = at(configuration, "managedKnowledgeBaseConfiguration.serverSideEncryptionConfiguration")
    facts.resources.append(
        Resource(
            **common,
            created=moment(about.get("createdAt")),
            attributes=attributes(kms_key=at(key, "kmsKeyArn")),
        )
    )
    facts.runtimes.append(
        Runtime(
            **common,
            identities=identities(about.get("roleArn")),
            links=links(
                *_stores(storage),
                *_configured(places, one, configuration),
                *(pair for source in sources for pair in _read(source)),
            ),
            attributes=attributes(
                store=storage.get("type"),
                sources=[str(source.get("type", "")) for source in sources],
            ),
        )
    )


def _stores(configuration: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Give the store, whichever of the kinds it is, and the secret that opens it."""
    for store in configuration.values():
        if isinstance(store, dict):
            for name in _STORES:
                yield "stores-in", store.get(name)
            yield "reads", store.get("credentialsSecretArn")


def _configured(
    places: Places, one: Answer, configuration: dict[str, Any]
) -> Iterator[tuple[str, object]]:
    """Give what the kind of knowledge base itself works with."""
    yield "reads", at(configuration, "kendraKnowledgeBaseConfiguration.kendraIndexArn")
    for kind in ("vector", "managed"):
        about = configuration.get(f"{kind}KnowledgeBaseConfiguration") or {}
        yield "uses", about.get("embeddingModelArn")
        extra = at(about, "supplementalDataStorageConfiguration.storageLocations") or ()
        for place in extra:
            yield "stores-in", s3_target(places, one, at(place, "s3Location.uri"))
    engine = at(
        configuration,
        "sqlKnowledgeBaseConfiguration.redshiftConfiguration.queryEngineConfiguration",
    )
    yield "reads", at(engine, "serverlessConfiguration.workgroupArn")
    for kind in ("serverless", "provisioned"):
        path = f"{kind}Configuration.authConfiguration.usernamePasswordSecretArn"
        yield "reads", at(engine, path)


def _sources(one: Answer, asked: dict[str, str], answers: Answers) -> Iterator[dict[str, Any]]:
    listed = answers.response(one, "ListDataSources", asked)
    for summary in listed.get("dataSourceSummaries", ()):
        which = {**asked, "dataSourceId": summary["dataSourceId"]}
        found = answers.response(one, "GetDataSource", which)
        yield at(found, "dataSource.dataSourceConfiguration") or {}


def _read(configuration: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Give what one data source reads: a bucket, sites, and the secret that opens a site."""
    yield "reads", at(configuration, "s3Configuration.bucketArn")
    for source in configuration.values():
        yield "reads", at(source, "sourceConfiguration.credentialsSecretArn")
        for seed in at(source, "sourceConfiguration.urlConfiguration.seedUrls") or ():
            yield "reads", seed.get("url")
