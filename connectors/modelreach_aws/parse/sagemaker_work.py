"""Where people and pipelines work in SageMaker: notebooks, Studio, jobs, the model registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.sagemaker import SERVICE, model_links, tagged
from modelreach_aws.parse.things import policy, s3_target, thing
from modelreach_aws.select import at

Pairs = Iterator[tuple[str, object]]


def parse_sagemaker_work(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what SageMaker answered into workplaces, pipelines, jobs and model packages."""
    _notebooks(answers, facts)
    roles = _domains(answers, facts)
    _profiles(answers, places, roles, facts)
    _pipelines(answers, facts)
    for kind in _JOBS:
        _jobs(kind, answers, places, facts)
    _packages(answers, facts)


def _notebooks(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of(SERVICE, "ListNotebookInstances"):
        for entry in response.get("NotebookInstances", ()):
            name = entry["NotebookInstanceName"]
            asked = {"NotebookInstanceName": name}
            about = answers.response(one, "DescribeNotebookInstance", asked)
            common = tagged(answers, one, "notebook-instance", entry["NotebookInstanceArn"], name)
            facts.resources.append(
                Resource(
                    **common,
                    created=moment(entry.get("CreationTime")),
                    attributes=attributes(kms_key=about.get("KmsKeyId")),
                )
            )
            sources = [
                about.get("DefaultCodeRepository"),
                *(about.get("AdditionalCodeRepositories") or ()),
            ]
            facts.runtimes.append(
                Runtime(
                    **common,
                    identities=identities(about.get("RoleArn")),
                    links=links(*(("pulls", source) for source in sources)),
                    attributes=attributes(
                        status=entry.get("NotebookInstanceStatus"),
                        root_access=_enabled(about.get("RootAccess")),
                        direct_internet=_enabled(about.get("DirectInternetAccess")),
                        lifecycle_config=about.get("NotebookInstanceLifecycleConfigName"),
                    ),
                )
            )


def _enabled(value: object) -> bool | None:
    return None if value is None else value == "Enabled"


# --- Studio ------------------------------------------------------------------------------------

#: By account, region and domain: the role that its users have when their profile names none.
_Roles = dict[tuple[str, str, str], str]


def _domains(answers: Answers, facts: Facts) -> _Roles:
    found: _Roles = {}
    for one, response in answers.of(SERVICE, "ListDomains"):
        for entry in response.get("Domains", ()):
            arn, name = entry["DomainArn"], entry.get("DomainName")
            about = answers.response(one, "DescribeDomain", {"DomainId": entry["DomainId"]})
            default = at(about, "DefaultUserSettings.ExecutionRole")
            found[one.account, one.region, entry["DomainId"]] = str(default or "")
            common = thing(one, "sagemaker:domain", arn, name)
            facts.resources.append(
                Resource(
                    **common,
                    created=moment(entry.get("CreationTime")),
                    attributes=attributes(kms_key=about.get("KmsKeyId")),
                )
            )
            facts.runtimes.append(
                Runtime(
                    **common,
                    identities=identities(
                        default,
                        at(about, "DefaultSpaceSettings.ExecutionRole"),
                        at(
                            about,
                            "DomainSettings.RStudioServerProDomainSettings.DomainExecutionRoleArn",
                        ),
                    ),
                    attributes=attributes(
                        status=entry.get("Status"),
                        sign_in=about.get("AuthMode"),
                        network=about.get("AppNetworkAccessType"),
                    ),
                )
            )
    return found


def _profiles(answers: Answers, places: Places, roles: _Roles, facts: Facts) -> None:
    for one, response in answers.of(SERVICE, "ListUserProfiles"):
        for entry in response.get("UserProfiles", ()):
            domain, name = entry["DomainId"], entry["UserProfileName"]
            asked = {"DomainId": domain, "UserProfileName": name}
            about = answers.response(one, "DescribeUserProfile", asked)
            default = places.arn(one, SERVICE, f"user-profile/{domain}/{name}")
            arn = about.get("UserProfileArn") or default
            common = thing(one, "sagemaker:user-profile", arn, name)
            facts.resources.append(Resource(**common, created=moment(entry.get("CreationTime"))))
            own = at(about, "UserSettings.ExecutionRole") if about else None
            inherited = roles.get((one.account, one.region, domain)) if about else None
            facts.runtimes.append(
                Runtime(
                    **common,
                    # A profile that names no role has the domain's.
                    identities=identities(own or inherited),
                    attributes=attributes(
                        status=entry.get("Status"), domain=domain, inherited=not own or None
                    ),
                )
            )


# --- pipelines and jobs ------------------------------------------------------------------------


def _pipelines(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of(SERVICE, "ListPipelines"):
        for entry in response.get("PipelineSummaries", ()):
            arn, name = entry["PipelineArn"], entry["PipelineName"]
            about = answers.response(one, "DescribePipeline", {"PipelineName": name})
            common = tagged(answers, one, "pipeline", arn, name)
            facts.resources.append(Resource(**common, created=moment(entry.get("CreationTime"))))
            facts.runtimes.append(
                Runtime(
                    **common,
                    identities=identities(about.get("RoleArn") or entry.get("RoleArn")),
                    attributes=attributes(status=about.get("PipelineStatus")),
                )
            )


@dataclass(frozen=True, slots=True)
class _Job:
    """A kind of job: what its operations are called, and how to read what it works with."""

    word: str
    kind: str
    links: Callable[[dict[str, Any]], Pairs]


def _training(about: dict[str, Any]) -> Pairs:
    yield "pulls", at(about, "AlgorithmSpecification.TrainingImage")
    for channel in about.get("InputDataConfig") or ():
        yield "reads", at(channel, "DataSource.S3DataSource.S3Uri")
    yield "writes", at(about, "OutputDataConfig.S3OutputPath")
    yield "writes", at(about, "CheckpointConfig.S3Uri")


def _processing(about: dict[str, Any]) -> Pairs:
    yield "pulls", at(about, "AppSpecification.ImageUri")
    for entry in about.get("ProcessingInputs") or ():
        yield "reads", at(entry, "S3Input.S3Uri")
    for entry in at(about, "ProcessingOutputConfig.Outputs") or ():
        yield "writes", at(entry, "S3Output.S3Uri")


def _transform(about: dict[str, Any]) -> Pairs:
    yield "reads", at(about, "TransformInput.DataSource.S3DataSource.S3Uri")
    yield "writes", at(about, "TransformOutput.S3OutputPath")


_JOBS: Final = (
    _Job("Training", "training-job", _training),
    _Job("Processing", "processing-job", _processing),
    _Job("Transform", "transform-job", _transform),
)


def _jobs(kind: _Job, answers: Answers, places: Places, facts: Facts) -> None:
    for one, response in answers.of(SERVICE, f"List{kind.word}Jobs"):
        for entry in response.get(f"{kind.word}JobSummaries", ()):
            name = entry[f"{kind.word}JobName"]
            asked = {f"{kind.word}JobName": name}
            about = answers.response(one, f"Describe{kind.word}Job", asked)
            # A transform job has no role but its model's.
            model = answers.response(one, "DescribeModel", {"ModelName": about.get("ModelName")})
            isolated = about.get(
                "EnableNetworkIsolation", at(about, "NetworkConfig.EnableNetworkIsolation")
            )
            found = kind.links(about)
            facts.runtimes.append(
                Runtime(
                    **thing(one, f"sagemaker:{kind.kind}", entry[f"{kind.word}JobArn"], name),
                    identities=identities(about.get("RoleArn"), model.get("ExecutionRoleArn")),
                    links=links(*_placed(one, places, found), *model_links(model)),
                    attributes=attributes(
                        status=entry.get(f"{kind.word}JobStatus"),
                        network_isolation=bool(
                            model.get("EnableNetworkIsolation") if model else isolated
                        ),
                        environment=about.get("Environment") or (),
                    ),
                )
            )


def _placed(one: Answer, places: Places, found: Pairs) -> Pairs:
    """Name what is read and written by ARN; what is pulled keeps its address."""
    for kind, target in found:
        yield kind, target if kind == "pulls" else s3_target(places, one, target)


# --- the registry ------------------------------------------------------------------------------


def _packages(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of(SERVICE, "ListModelPackageGroups"):
        for entry in response.get("ModelPackageGroupSummaryList", ()):
            arn, name = entry["ModelPackageGroupArn"], entry["ModelPackageGroupName"]
            asked = {"ModelPackageGroupName": name}
            facts.resources.append(
                Resource(
                    **thing(one, "sagemaker:model-package-group", arn, name),
                    created=moment(entry.get("CreationTime")),
                )
            )
            found = answers.response(one, "GetModelPackageGroupPolicy", asked)
            policy(facts, one, arn, found.get("ResourcePolicy"))
    for one, response in answers.of(SERVICE, "ListModelPackages"):
        for entry in response.get("ModelPackageSummaryList", ()):
            arn = entry["ModelPackageArn"]
            name = (
                f"{entry.get('ModelPackageGroupName', '')}/{entry.get('ModelPackageVersion', '')}"
            )
            facts.resources.append(
                Resource(
                    **thing(one, "sagemaker:model-package", arn, name),
                    created=moment(entry.get("CreationTime")),
                    attributes=attributes(
                        approval=entry.get("ModelApprovalStatus"),
                        status=entry.get("ModelPackageStatus"),
                    ),
                )
            )
