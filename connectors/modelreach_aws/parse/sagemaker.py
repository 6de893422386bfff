"""SageMaker hosting: an endpoint's configuration says which models run on it, each as its role.

Inference components run on an endpoint whose configuration has a role of its own.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import s3_target, thing
from modelreach_aws.select import at

SERVICE: Final = "sagemaker"
_VARIANTS: Final = ("ProductionVariants", "ShadowProductionVariants")


def parse_sagemaker(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what SageMaker answered into models, endpoints and inference components."""
    hosting = _Hosting(answers, places, facts)
    for one, response in answers.of(SERVICE, "ListModels"):
        for entry in response.get("Models", ()):
            hosting.model(one, entry)
    for one, response in answers.of(SERVICE, "ListEndpoints"):
        for entry in response.get("Endpoints", ()):
            hosting.endpoint(one, entry)
    for one, response in answers.of(SERVICE, "ListInferenceComponents"):
        for entry in response.get("InferenceComponents", ()):
            hosting.component(one, entry)


def tagged(answers: Answers, one: Answer, kind: str, arn: str, name: object) -> dict[str, Any]:
    """Give the common fields of something of SageMaker, with its tags."""
    found = answers.response(one, "ListTags", {"ResourceArn": arn}).get("Tags")
    return thing(one, f"sagemaker:{kind}", arn, name, found)


def model_links(model: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Give what a model is, and what its containers are started from."""
    yield "uses", model.get("ModelArn")
    for container in _containers(model):
        yield "pulls", container.get("Image")
        yield "pulls", container.get("ModelDataUrl")
        yield "pulls", at(container, "ModelDataSource.S3DataSource.S3Uri")
        for extra in container.get("AdditionalModelDataSources") or ():
            yield "pulls", at(extra, "S3DataSource.S3Uri")
        yield "pulls", container.get("ModelPackageName")


def _containers(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [*filter(None, [model.get("PrimaryContainer")]), *(model.get("Containers") or ())]


def _environment(model: dict[str, Any]) -> Iterator[str]:
    for container in _containers(model):
        yield from container.get("Environment") or {}


def _isolated(models: list[dict[str, Any]]) -> bool:
    """Can none of the containers use the network, and with it their role?"""
    return bool(models) and all(model.get("EnableNetworkIsolation") for model in models)


class _Hosting:
    """Models and what serves them."""

    def __init__(self, answers: Answers, places: Places, facts: Facts) -> None:
        self._answers, self._places, self._facts = answers, places, facts
        self._components: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for one, about in answers.of(SERVICE, "DescribeInferenceComponent"):
            key = one.account, one.region, str(about.get("EndpointName", ""))
            self._components.setdefault(key, []).append(about)

    def model(self, one: Answer, entry: dict[str, Any]) -> None:
        """Add a model, which runs when it is put on an endpoint."""
        arn, name = entry["ModelArn"], entry["ModelName"]
        about = self._model(one, name)
        common = tagged(self._answers, one, "model", arn, name)
        found = attributes(network_isolation=_isolated([about]), environment=_environment(about))
        self._facts.resources.append(
            Resource(**common, created=moment(entry.get("CreationTime")), attributes=found)
        )
        pulled = (pair for pair in model_links(about) if pair[0] == "pulls")
        self._facts.runtimes.append(
            Runtime(
                **common,
                identities=identities(about.get("ExecutionRoleArn")),
                links=links(*pulled),
                attributes=found,
            )
        )

    def endpoint(self, one: Answer, entry: dict[str, Any]) -> None:
        """Add an endpoint, which runs as the roles of all that it serves."""
        arn, name = entry["EndpointArn"], entry["EndpointName"]
        version, configuration = self._configuration(one, name)
        served = self._components.get((one.account, one.region, name), [])
        models = [*self._variants(one, configuration)]
        models += [model for part in served for model in self._of_component(one, part)]
        common = tagged(self._answers, one, "endpoint", arn, name)
        self._facts.resources.append(
            Resource(
                **common,
                created=moment(entry.get("CreationTime")),
                attributes=attributes(kms_key=configuration.get("KmsKeyId")),
            )
        )
        parts = (part.get("InferenceComponentArn") for part in served)
        self._facts.runtimes.append(
            Runtime(
                **common,
                version=version,
                identities=identities(
                    configuration.get("ExecutionRoleArn"),
                    *(model.get("ExecutionRoleArn") for model in models),
                ),
                links=links(
                    *(pair for model in models for pair in model_links(model)),
                    *(("uses", part) for part in parts),
                    *self._written(one, configuration),
                ),
                attributes=attributes(
                    status=entry.get("EndpointStatus"),
                    models=[model["ModelArn"] for model in models if model.get("ModelArn")],
                    network_isolation=_isolated(models)
                    or bool(configuration.get("EnableNetworkIsolation")),
                    environment=[name for model in models for name in _environment(model)],
                ),
            )
        )

    def component(self, one: Answer, entry: dict[str, Any]) -> None:
        """Add an inference component: its model's role, and that of the endpoint it is on."""
        arn, name = entry["InferenceComponentArn"], entry["InferenceComponentName"]
        asked = {"InferenceComponentName": name}
        about = self._answers.response(one, "DescribeInferenceComponent", asked)
        _, configuration = self._configuration(one, str(entry.get("EndpointName", "")))
        models = list(self._of_component(one, about))
        common = tagged(self._answers, one, "inference-component", arn, name)
        self._facts.resources.append(Resource(**common, created=moment(entry.get("CreationTime"))))
        self._facts.runtimes.append(
            Runtime(
                **common,
                identities=identities(
                    configuration.get("ExecutionRoleArn"),
                    *(model.get("ExecutionRoleArn") for model in models),
                ),
                links=links(
                    ("uses", entry.get("EndpointArn")),
                    *(pair for model in models for pair in model_links(model)),
                ),
                attributes=attributes(
                    status=entry.get("InferenceComponentStatus"),
                    network_isolation=_isolated(models)
                    or bool(configuration.get("EnableNetworkIsolation")),
                    environment=[name for model in models for name in _environment(model)],
                ),
            )
        )

    def _configuration(self, one: Answer, endpoint: str) -> tuple[str, dict[str, Any]]:
        """Give the configuration that an endpoint has now, and its name."""
        about = self._answers.response(one, "DescribeEndpoint", {"EndpointName": endpoint})
        name = about.get("EndpointConfigName", "")
        asked = {"EndpointConfigName": name}
        return name, self._answers.response(one, "DescribeEndpointConfig", asked)

    def _variants(self, one: Answer, configuration: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the models of all variants: a shadow variant gets the same requests."""
        for section in _VARIANTS:
            for variant in configuration.get(section) or ():
                pools = variant.get("InstancePools") or ()
                names = [variant.get("ModelName"), *(p.get("ModelNameOverride") for p in pools)]
                yield from (self._model(one, name) for name in names if name)

    def _of_component(self, one: Answer, about: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the model of a component; of one without, its own container in a model's form."""
        specification = about.get("Specification") or {}
        if name := specification.get("ModelName"):
            yield self._model(one, name)
        if container := specification.get("Container"):
            image = at(container, "DeployedImage.SpecifiedImage")
            yield {
                "PrimaryContainer": {
                    "Image": image,
                    "ModelDataUrl": container.get("ArtifactUrl"),
                    "Environment": container.get("Environment"),
                }
            }

    def _model(self, one: Answer, name: str) -> dict[str, Any]:
        return self._answers.response(one, "DescribeModel", {"ModelName": name})

    def _written(self, one: Answer, configuration: dict[str, Any]) -> Iterator[tuple[str, object]]:
        """Give where requests and answers of an endpoint are kept."""
        for path in (
            "DataCaptureConfig.DestinationS3Uri",
            "AsyncInferenceConfig.OutputConfig.S3OutputPath",
        ):
            yield "writes", s3_target(self._places, one, at(configuration, path))
