"""What runs code or a model, as which identity: functions, tasks, instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import PROVIDER, Facts, tags_of
from modelreach_aws.parse.keys import Keys
from modelreach_aws.parse.place import Places


def parse_runtimes(answers: Answers, places: Places, keys: Keys, facts: Facts) -> None:
    """Turn what these services answered into runtimes, and resources where they are such."""
    _functions(answers, keys, facts)
    _clusters(answers, facts)
    _task_definitions(answers, facts)
    _instances(answers, places, facts)


def identities(*roles: object) -> tuple[str, ...]:
    """Give the roles that are there, sorted, each once."""
    return tuple(sorted({str(role) for role in roles if role}))


def links(*pairs: tuple[str, object]) -> tuple[Link, ...]:
    """Give links to the targets that are there, sorted, each once."""
    found = {(kind, str(target)) for kind, target in pairs if target}
    return tuple(Link(kind=kind, target=target) for kind, target in sorted(found))


def _functions(answers: Answers, keys: Keys, facts: Facts) -> None:
    for one, response in answers.of("lambda", "ListFunctions"):
        for entry in response.get("Functions", ()):
            arn, name = entry["FunctionArn"], entry["FunctionName"]
            asked = {"FunctionName": arn}
            tags = tags_of(answers.response(one, "ListTags", {"Resource": arn}).get("Tags"))
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="lambda:function",
                    scope=one.account,
                    region=one.region,
                    name=name,
                    tags=tags,
                    attributes=attributes(
                        kms_key=keys.arn(one.account, one.region, entry.get("KMSKeyArn")),
                        url_auth=_url_auth(answers, one, arn),
                    ),
                )
            )
            facts.runtimes.append(
                Runtime(
                    id=arn,
                    provider=PROVIDER,
                    kind="lambda:function",
                    scope=one.account,
                    region=one.region,
                    name=name,
                    version=entry.get("Version", ""),
                    identities=identities(entry.get("Role")),
                    links=links(
                        *(("uses", layer.get("Arn")) for layer in entry.get("Layers", ())),
                    ),
                    tags=tags,
                    attributes=attributes(
                        runtime=entry.get("Runtime"),
                        package=entry.get("PackageType"),
                        code=entry.get("CodeSha256"),
                        environment=entry.get("Environment", {}).get("Variables", {}),
                    ),
                )
            )
            document = answers.response(one, "GetPolicy", asked).get("Policy")
            if document:
                facts.apply(
                    one.account,
                    arn,
                    "resource",
                    document,
                    name="resource policy",
                    region=one.region,
                )


def _url_auth(answers: Answers, one: Answer, arn: str) -> list[str]:
    found = answers.response(one, "ListFunctionUrlConfigs", {"FunctionName": arn})
    return [entry.get("AuthType", "") for entry in found.get("FunctionUrlConfigs", ())]


def _clusters(answers: Answers, facts: Facts) -> None:
    """A task runs in a cluster: whether there is one decides who can run one without making it."""
    for one, response in answers.of("ecs", "ListClusters"):
        for arn in response.get("clusterArns", ()):
            facts.resources.append(
                Resource(
                    id=arn,
                    provider=PROVIDER,
                    kind="ecs:cluster",
                    scope=one.account,
                    region=one.region,
                    name=arn.rpartition("/")[2],
                )
            )


def _task_definitions(answers: Answers, facts: Facts) -> None:
    users = _users_of_definitions(answers)
    for one, response in answers.of("ecs", "DescribeTaskDefinition"):
        entry = response.get("taskDefinition", {})
        arn = entry.get("taskDefinitionArn", one.parameters["taskDefinition"])
        containers = entry.get("containerDefinitions", [])
        facts.runtimes.append(
            Runtime(
                id=arn,
                provider=PROVIDER,
                kind="ecs:task-definition",
                scope=one.account,
                region=one.region,
                name=entry.get("family", ""),
                version=str(entry.get("revision", "")),
                # The execution role pulls images and secrets before the containers start; what
                # runs in them cannot have it.
                # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
                identities=identities(entry.get("taskRoleArn")),
                links=links(*_container_links(containers)),
                tags=tags_of(response.get("tags")),
                attributes=attributes(
                    execution_role=entry.get("executionRoleArn"),
                    environment=_names(containers, "environment"),
                    secrets=_names(containers, "secrets"),
                    used_by=users.get((one.account, one.region, arn), ()),
                ),
            )
        )


def _container_links(containers: Iterable[dict[str, Any]]) -> Iterator[tuple[str, object]]:
    for container in containers:
        yield "pulls", container.get("image")
        for secret in container.get("secrets") or ():
            yield "reads", secret.get("valueFrom")
        yield "reads", (container.get("repositoryCredentials") or {}).get("credentialsParameter")


def _names(containers: Iterable[dict[str, Any]], field: str) -> list[str]:
    return [
        entry.get("name", "") for container in containers for entry in container.get(field) or ()
    ]


def _users_of_definitions(answers: Answers) -> dict[tuple[str, str, str], set[str]]:
    """Give the services, or the clusters of single tasks, that run each definition."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for one, response in answers.of("ecs", "DescribeServices"):
        for service in response.get("services", ()):
            key = one.account, one.region, service.get("taskDefinition", "")
            found.setdefault(key, set()).add(service.get("serviceArn", ""))
    for one, response in answers.of("ecs", "DescribeTasks"):
        for task in response.get("tasks", ()):
            key = one.account, one.region, task.get("taskDefinitionArn", "")
            found.setdefault(key, set()).add(task.get("clusterArn", ""))
    return found


def _instances(answers: Answers, places: Places, facts: Facts) -> None:
    profiles = _profile_roles(facts)
    for one, response in answers.of("ec2", "DescribeInstances"):
        for reservation in response.get("Reservations", ()):
            for entry in reservation.get("Instances", ()):
                if entry.get("State", {}).get("Name") != "terminated":
                    _instance(one, entry, places, profiles, facts)


def _profile_roles(facts: Facts) -> dict[str, list[str]]:
    """Give the roles of each instance profile, as the roles say."""
    found: dict[str, list[str]] = {}
    for principal in facts.principals:
        profiles = principal.attributes.get("instance_profiles", ())
        for profile in profiles if isinstance(profiles, tuple) else ():
            found.setdefault(profile, []).append(principal.id)
    return found


def _instance(
    one: Answer,
    entry: dict[str, Any],
    places: Places,
    profiles: dict[str, list[str]],
    facts: Facts,
) -> None:
    arn = places.arn(one, "ec2", f"instance/{entry['InstanceId']}")
    profile = (entry.get("IamInstanceProfile") or {}).get("Arn", "")
    tags = tags_of(entry.get("Tags"))
    common: dict[str, Any] = {
        "id": arn,
        "provider": PROVIDER,
        "kind": "ec2:instance",
        "scope": one.account,
        "region": one.region,
        "name": tags.get("Name", entry["InstanceId"]),
        "tags": tags,
    }
    state = entry.get("State", {}).get("Name")
    facts.resources.append(
        Resource(**common, attributes=attributes(state=state, instance_profile=profile))
    )
    facts.runtimes.append(
        Runtime(
            **common,
            identities=identities(*profiles.get(profile, ())),
            links=links(("pulls", entry.get("ImageId"))),
            attributes=attributes(
                state=state,
                instance_profile=profile,
                imds_tokens=entry.get("MetadataOptions", {}).get("HttpTokens"),
            ),
        )
    )
    if profile and profile not in profiles:
        facts.gap(
            one.account,
            "runtimes:ec2:instance",
            "not-collected",
            region=one.region,
            subject=arn,
            operation="iam:GetAccountAuthorizationDetails",
            permission="iam:GetAccountAuthorizationDetails",
            message=f"no role that was read is in the instance profile `{profile}`",
        )
