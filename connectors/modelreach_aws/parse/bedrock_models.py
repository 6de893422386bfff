"""What Bedrock has beside agents: guardrails, models of one's own, batch jobs, prompt logs."""

from __future__ import annotations

from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import object_in, policy, s3_target, thing
from modelreach_aws.select import at

_SERVICE: Final = "bedrock"


def parse_bedrock_models(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what Bedrock answered into guardrails, models, jobs and logging."""
    _guardrails(answers, facts)
    _models(answers, places, facts, "ListCustomModels", "GetCustomModel", "bedrock:custom-model")
    _models(
        answers, places, facts, "ListImportedModels", "GetImportedModel", "bedrock:imported-model"
    )
    _logging(answers, places, facts)
    _jobs(answers, places, facts)
    _marketplace(answers, facts)


def _policy(answers: Answers, one: Answer, arn: str, facts: Facts) -> None:
    found = answers.response(one, "GetResourcePolicy", {"resourceArn": arn})
    policy(facts, one, arn, found.get("resourcePolicy"))


def _guardrails(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of(_SERVICE, "ListGuardrails"):
        for entry in response.get("guardrails", ()):
            facts.resources.append(
                Resource(
                    **thing(one, "bedrock:guardrail", entry["arn"], entry.get("name")),
                    created=moment(entry.get("createdAt")),
                    attributes=attributes(
                        status=entry.get("status"), version=entry.get("version")
                    ),
                )
            )
            _policy(answers, one, entry["arn"], facts)


def _models(
    answers: Answers, places: Places, facts: Facts, listing: str, details: str, kind: str
) -> None:
    for one, response in answers.of(_SERVICE, listing):
        for entry in response.get("modelSummaries", ()):
            arn = entry["modelArn"]
            about = answers.response(one, details, {"modelIdentifier": arn})
            facts.resources.append(
                Resource(
                    **thing(one, kind, arn, entry.get("modelName")),
                    created=moment(entry.get("creationTime")),
                    attributes=attributes(
                        base_model=entry.get("baseModelArn"),
                        kms_key=about.get("modelKmsKeyArn"),
                        sources=[s3_target(places, one, uri) for uri in _sources(about)],
                    ),
                )
            )
            _policy(answers, one, arn, facts)


def _sources(about: dict[str, Any]) -> list[str]:
    """Give the addresses of the data that a model was made of."""
    found = [
        at(about, "modelDataSource.s3DataSource.s3Uri"),
        at(about, "trainingDataConfig.s3Uri"),
    ]
    logs = "trainingDataConfig.invocationLogsConfig.invocationLogSource.s3Uri"
    checks = at(about, "validationDataConfig.validators") or ()
    found += [at(about, logs), *(check.get("s3Uri") for check in checks)]
    return [str(uri) for uri in found if uri]


def _logging(answers: Answers, places: Places, facts: Facts) -> None:
    """Tell where prompts and answers go. AWS gives this no ARN: the id is ours."""
    for one, response in answers.of(_SERVICE, "GetModelInvocationLoggingConfiguration"):
        about = response.get("loggingConfig") or {}
        watch, store = about.get("cloudWatchConfig") or {}, about.get("s3Config") or {}
        large = watch.get("largeDataDeliveryS3Config") or {}
        if not about:
            continue
        group = watch.get("logGroupName")
        common = thing(
            one,
            "bedrock:model-invocation-logging",
            places.arn(one, "bedrock", "model-invocation-logging"),
            "model invocation logging",
        )
        facts.resources.append(
            Resource(
                **common,
                attributes=attributes(
                    role=watch.get("roleArn"),
                    log_group=places.arn(one, "logs", f"log-group:{group}") if group else None,
                    buckets=[
                        object_in(places, one, place["bucketName"], place.get("keyPrefix"))
                        for place in (store, large)
                        if place.get("bucketName")
                    ],
                    text=about.get("textDataDeliveryEnabled"),
                    images=about.get("imageDataDeliveryEnabled"),
                    embeddings=about.get("embeddingDataDeliveryEnabled"),
                ),
            )
        )


def _jobs(answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of(_SERVICE, "ListModelInvocationJobs"):
        for entry in response.get("invocationJobSummaries", ()):
            into = at(entry, "inputDataConfig.s3InputDataConfig.s3Uri")
            out = at(entry, "outputDataConfig.s3OutputDataConfig.s3Uri")
            kind = "bedrock:model-invocation-job"
            facts.runtimes.append(
                Runtime(
                    **thing(one, kind, entry["jobArn"], entry.get("jobName")),
                    identities=identities(entry.get("roleArn")),
                    links=links(
                        ("reads", s3_target(places, one, into)),
                        ("writes", s3_target(places, one, out)),
                    ),
                    attributes=attributes(model=entry.get("modelId"), status=entry.get("status")),
                )
            )


def _marketplace(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of(_SERVICE, "ListMarketplaceModelEndpoints"):
        for entry in response.get("marketplaceModelEndpoints", ()):
            arn = entry["endpointArn"]
            found = answers.response(one, "GetMarketplaceModelEndpoint", {"endpointArn": arn})
            about = at(found, "marketplaceModelEndpoint.endpointConfig.sageMaker") or {}
            kind = "bedrock:marketplace-model-endpoint"
            facts.runtimes.append(
                Runtime(
                    **thing(one, kind, arn, arn.rpartition("/")[2]),
                    identities=identities(about.get("executionRole")),
                    links=links(("uses", entry.get("modelSourceIdentifier"))),
                    attributes=attributes(
                        model=entry.get("modelSourceIdentifier"), status=entry.get("status")
                    ),
                )
            )
