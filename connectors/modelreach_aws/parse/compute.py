"""Other compute that runs as a role: services, jobs, state machines, builds, stacks, schedules.

A runtime's `identities` are what its code, or whatever it starts, can act as. A role that only
the platform uses on the way (to pull images, to read secrets before the start) is an attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import PROVIDER, Facts, moment, tags_of
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.roles import Roles
from modelreach_aws.parse.runtimes import identities, links


def parse_compute(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what these services answered into runtimes, and the resources that they are."""
    roles = Roles(facts, places)
    _app_runner(answers, facts)
    _job_definitions(answers, facts)
    _state_machines(answers, facts)
    _projects(answers, facts)
    _glue(answers, places, roles, facts)
    _stacks(answers, facts)
    _stack_sets(answers, facts)
    _schedules(answers, facts)
    _pipelines(answers, places, roles, facts)
    _running(answers, facts)


def add(
    facts: Facts,
    one: Answer,
    arn: str,
    kind: str,
    name: str,
    *,
    runs_as: tuple[str, ...] = (),
    wired: tuple[Link, ...] = (),
    tags: object = None,
    created: object = None,
    version: str = "",
    resource: bool = True,
    **more: Any,
) -> None:
    """Add a runtime and, unless told otherwise, the resource that it is."""
    common: dict[str, Any] = {
        "id": arn,
        "provider": PROVIDER,
        "kind": kind,
        "scope": one.account,
        "region": one.region,
        "name": name,
        "tags": tags_of(tags),
    }
    if resource:
        facts.resources.append(Resource(**common, created=moment(created)))
    about = attributes(**more)
    facts.runtimes.append(
        Runtime(**common, version=version, identities=runs_as, links=wired, attributes=about)
    )


def _app_runner(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("apprunner", "DescribeService"):
        entry = response.get("Service", {})
        source = entry.get("SourceConfiguration") or {}
        image = source.get("ImageRepository") or {}
        configured = image.get("ImageConfiguration") or _of_code(source)
        secrets = configured.get("RuntimeEnvironmentSecrets") or {}
        add(
            facts,
            one,
            entry.get("ServiceArn", one.parameters["ServiceArn"]),
            "apprunner:service",
            entry.get("ServiceName", ""),
            runs_as=identities((entry.get("InstanceConfiguration") or {}).get("InstanceRoleArn")),
            wired=links(
                ("pulls", image.get("ImageIdentifier")),
                *(("reads", secret) for secret in secrets.values()),
            ),
            created=entry.get("CreatedAt"),
            access_role=(source.get("AuthenticationConfiguration") or {}).get("AccessRoleArn"),
            auto_deployments=source.get("AutoDeploymentsEnabled"),
            environment=list(configured.get("RuntimeEnvironmentVariables") or ()),
            secrets=list(secrets),
            status=entry.get("Status"),
        )


def _of_code(source: dict[str, Any]) -> dict[str, Any]:
    code = (source.get("CodeRepository") or {}).get("CodeConfiguration") or {}
    found: dict[str, Any] = code.get("CodeConfigurationValues") or {}
    return found


def _job_definitions(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("batch", "DescribeJobDefinitions"):
        for entry in response.get("jobDefinitions", ()):
            parts = list(_parts_of_job(entry))
            containers = [container for part in parts for container in _containers(part)]
            add(
                facts,
                one,
                entry["jobDefinitionArn"],
                "batch:job-definition",
                entry.get("jobDefinitionName", ""),
                runs_as=identities(
                    *(part.get("jobRoleArn") or part.get("taskRoleArn") for part in parts)
                ),
                wired=links(
                    *(("pulls", container.get("image")) for container in containers),
                    *(
                        ("reads", secret.get("valueFrom"))
                        for container in containers
                        for secret in container.get("secrets") or ()
                    ),
                ),
                tags=entry.get("tags"),
                version=str(entry.get("revision", "")),
                execution_role=next(
                    (part["executionRoleArn"] for part in parts if part.get("executionRoleArn")),
                    None,
                ),
                enable_execute_command=any(_commandable(part) for part in parts) or None,
                environment=[
                    variable.get("name", "")
                    for container in containers
                    for variable in container.get("environment") or container.get("env") or ()
                ],
            )


def _parts_of_job(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give what holds the roles: the container, the tasks, of one node or of many."""
    nodes = (entry.get("nodeProperties") or {}).get("nodeRangeProperties") or ()
    for holder in (entry, *nodes):
        for name in ("containerProperties", "container"):
            if holder.get(name):
                yield holder[name]
        yield from (holder.get("ecsProperties") or {}).get("taskProperties") or ()
    if pod := (entry.get("eksProperties") or {}).get("podProperties"):
        yield pod


def _containers(part: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return [*(part.get("containers") or (part,)), *(part.get("initContainers") or ())]


def _commandable(part: dict[str, Any]) -> bool:
    return bool(part.get("enableExecuteCommand"))


def _state_machines(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("stepfunctions", "DescribeStateMachine"):
        arn = response.get("stateMachineArn", one.parameters["stateMachineArn"])
        add(
            facts,
            one,
            arn,
            "states:state-machine",
            response.get("name", arn.rpartition(":")[2]),
            runs_as=identities(response.get("roleArn")),
            wired=links(
                *(("invokes", found) for found in response.get("definition", ()) if _called(found))
            ),
            created=response.get("creationDate"),
            type=response.get("type"),
        )


def _called(arn: str) -> bool:
    """Is it something of the account's own, and not an integration of Step Functions?"""
    return ":states:::" not in arn and ":iam:" not in arn


def _projects(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("codebuild", "BatchGetProjects"):
        for entry in response.get("projects", ()):
            environment = entry.get("environment") or {}
            source = entry.get("source") or {}
            add(
                facts,
                one,
                entry["arn"],
                "codebuild:project",
                entry.get("name", ""),
                runs_as=identities(entry.get("serviceRole")),
                wired=links(
                    ("pulls", environment.get("image")), ("reads", source.get("location"))
                ),
                tags=entry.get("tags"),
                created=entry.get("created"),
                environment=[
                    variable.get("name", "")
                    for variable in environment.get("environmentVariables") or ()
                ],
                source=source.get("type"),
                batch=bool(entry.get("buildBatchConfig")),
            )


def _glue(answers: Answers, places: Places, roles: Roles, facts: Facts) -> None:
    for one, response in answers.of("glue", "GetJobs"):
        for entry in response.get("Jobs", ()):
            add(
                facts,
                one,
                places.arn(one, "glue", f"job/{entry['Name']}"),
                "glue:job",
                entry["Name"],
                runs_as=identities(roles.arn(one.account, entry.get("Role"))),
                wired=links(("reads", (entry.get("Command") or {}).get("ScriptLocation"))),
                created=entry.get("CreatedOn"),
            )
    for one, response in answers.of("glue", "GetDevEndpoints"):
        for entry in response.get("DevEndpoints", ()):
            add(
                facts,
                one,
                places.arn(one, "glue", f"devEndpoint/{entry['EndpointName']}"),
                "glue:dev-endpoint",
                entry["EndpointName"],
                runs_as=identities(roles.arn(one.account, entry.get("RoleArn"))),
                created=entry.get("CreatedTimestamp"),
                status=entry.get("Status"),
            )


#: Stacks that are gone are listed for a while.
_GONE: Final = "DELETE_COMPLETE"


def _stacks(answers: Answers, facts: Facts) -> None:
    """A stack acts as its role for whoever may update it; without one, as whoever does.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    """
    for one, response in answers.of("cloudformation", "DescribeStacks"):
        for entry in response.get("Stacks", ()):
            if entry.get("StackStatus") == _GONE:
                continue
            add(
                facts,
                one,
                entry["StackId"],
                "cloudformation:stack",
                entry.get("StackName", ""),
                runs_as=identities(entry.get("RoleARN")),
                tags=entry.get("Tags"),
                created=entry.get("CreationTime"),
                status=entry.get("StackStatus"),
                parameters=[
                    parameter.get("ParameterKey", "")
                    for parameter in entry.get("Parameters") or ()
                ],
            )


def _stack_sets(answers: Answers, facts: Facts) -> None:
    """A set acts as its administration role, which takes on the execution role of each account.

    Sets that the organization manages have no roles of their own.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html
    """
    for one, response in answers.of("cloudformation", "DescribeStackSet"):
        entry = response.get("StackSet", {})
        if arn := entry.get("StackSetARN"):
            add(
                facts,
                one,
                arn,
                "cloudformation:stack-set",
                entry.get("StackSetName", ""),
                runs_as=identities(entry.get("AdministrationRoleARN")),
                tags=entry.get("Tags"),
                status=entry.get("Status"),
                execution_role=entry.get("ExecutionRoleName"),
                permission_model=entry.get("PermissionModel"),
            )


def _schedules(answers: Answers, facts: Facts) -> None:
    for one, response in answers.of("scheduler", "GetSchedule"):
        target = response.get("Target") or {}
        add(
            facts,
            one,
            response["Arn"],
            "scheduler:schedule",
            response.get("Name", ""),
            runs_as=identities(target.get("RoleArn")),
            wired=links(("invokes", target.get("Arn"))),
            created=response.get("CreationDate"),
            state=response.get("State"),
        )


def _pipelines(answers: Answers, places: Places, roles: Roles, facts: Facts) -> None:
    names = {
        (one.account, one.region, entry["id"]): entry.get("name", "")
        for one, response in answers.of("datapipeline", "ListPipelines")
        for entry in response.get("pipelineIdList", ())
    }
    for one, response in answers.of("datapipeline", "GetPipelineDefinition"):
        pipeline = str(one.parameters["pipelineId"])
        named = {
            field.get("key"): field.get("stringValue")
            for entry in response.get("pipelineObjects", ())
            for field in entry.get("fields", ())
        }
        profiles = roles.in_profile(one.account, named.get("resourceRole"))
        add(
            facts,
            one,
            places.arn(one, "datapipeline", f"pipeline/{pipeline}"),
            "datapipeline:pipeline",
            names.get((one.account, one.region, pipeline), pipeline),
            runs_as=identities(roles.arn(one.account, named.get("role")), *profiles),
        )


def _running(answers: Answers, facts: Facts) -> None:
    """Services and tasks of ECS: what runs now, and whether somebody may run commands in it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    definitions = {
        runtime.id: runtime for runtime in facts.runtimes if runtime.kind == "ecs:task-definition"
    }
    for operation, section, kind, name in (
        ("DescribeServices", "services", "ecs:service", "serviceArn"),
        ("DescribeTasks", "tasks", "ecs:task", "taskArn"),
    ):
        for one, response in answers.of("ecs", operation):
            for entry in response.get(section, ()):
                used = entry.get("taskDefinition") or entry.get("taskDefinitionArn") or ""
                definition = definitions.get(used)
                if arn := entry.get(name):
                    add(
                        facts,
                        one,
                        arn,
                        kind,
                        arn.rpartition("/")[2],
                        runs_as=definition.identities if definition else (),
                        wired=links(("uses", used)),
                        tags=entry.get("tags"),
                        created=entry.get("createdAt"),
                        cluster=entry.get("clusterArn"),
                        definition=used,
                        enable_execute_command=bool(entry.get("enableExecuteCommand")),
                        status=entry.get("status") or entry.get("lastStatus"),
                    )
