"""What runs code or a model, and as which role.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Resource, Runtime
from modelreach_terraform.aws.facts import common, in_profile, links, role_arn, runs_as
from modelreach_terraform.aws.storage import key_arn
from modelreach_terraform.edits import Adds, Edit, Enters, Is, Sets, Wires
from modelreach_terraform.told import LAST, RELATIONS, Row, Table, Told
from modelreach_terraform.values import Json, at, blocks, is_unread, parsed, text, texts

_POLICY: Final = "resource policy"


def _both(
    told: Told,
    kind: str,
    name: str,
    *,
    arn: str = "",
    roles: tuple[str, ...],
    wired: tuple[Link, ...] = (),
    version: str = "",
    runs: Mapping[str, Any] | None = None,
    **is_: Any,
) -> Iterator[Edit]:
    """Give a runtime, and the resource that it is."""
    fields = common(told, kind, arn or told.text("arn"), name)
    yield Is(Resource(**fields, attributes=attributes(**is_)))
    yield Is(
        Runtime(
            **fields,
            version=version,
            identities=tuple(sorted({role for role in roles if role})),
            links=wired,
            attributes=attributes(**(runs or {})),
        )
    )


def _function(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    variables = at(next(told.blocks("environment"), {}), "variables")
    known = told.world.runtimes.get(arn)
    yield from _both(
        told,
        "lambda:function",
        told.text("function_name"),
        roles=(told.text("role"),),
        wired=links(
            ("pulls", told.text("image_uri")), *(("uses", layer) for layer in told.texts("layers"))
        ),
        version="$LATEST",
        runs={
            "runtime": told.text("runtime"),
            "package": told.text("package_type") or "Zip",
            "environment": list(variables) if isinstance(variables, dict) else (),
            "code": told.text("code_sha256", "source_code_hash")
            or str(known.attributes.get("code", "") if known else ""),
        },
        kms_key=key_arn(told, told.text("kms_key_arn")),
    )
    yield from runs_as(told, "lambda:function", arn, "role")


def function_arn(told: Told, path: str = "function_name") -> str:
    """Give the ARN of a function that is told by its name or ARN, without a version."""
    named = told.text(path)
    if named.startswith("arn:"):
        return ":".join(named.split(":")[:7])
    place = told.place
    start = f"arn:{place['partition']}:lambda:{place['region']}:{place['account']}:function"
    return f"{start}:{named.partition(':')[0]}" if named else ""


def _permission(told: Told) -> Iterator[Edit]:
    """A permission is one statement of the function's policy.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    arn = function_arn(told)
    if not arn or told.unread("principal"):
        yield told.unknown("resource-policy", arn, "who may call it by this permission")
        return
    sid = told.text("statement_id") or told.address
    around = {"Version": "2012-10-17", "Id": "default"}
    statement = _statement(told, sid, arn)
    yield Enters(arn, "resource", _POLICY, "Statement", statement, ("Sid",), around)


def _statement(told: Told, sid: str, arn: str) -> dict[str, Any]:
    principal = told.text("principal")
    who: Any = {"Service": principal} if "." in principal else {"AWS": principal}
    qualifier = told.text("qualifier")
    made: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else who,
        "Action": told.text("action"),
        "Resource": f"{arn}:{qualifier}" if qualifier else arn,
    }
    conditions: dict[str, Any] = {}
    for path, test, key in (
        ("source_arn", "ArnLike", "AWS:SourceArn"),
        ("source_account", "StringEquals", "AWS:SourceAccount"),
        ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
        ("function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("event_source_token", "StringEquals", "lambda:EventSourceToken"),
    ):
        if told.unread(path):
            # One more condition could only narrow it, and is not known.
            made["KnownAfterApply"] = ["Condition"]
        elif value := told.text(path):
            conditions.setdefault(test, {})[key] = value
    if conditions:
        made["Condition"] = conditions
    return made


def _url(told: Told) -> Iterator[Edit]:
    yield Adds(function_arn(told), "url_auth", (told.text("authorization_type"),))


def _cluster(told: Told) -> Iterator[Edit]:
    yield Is(
        Resource(
            **{**common(told, "ecs:cluster", told.text("arn"), told.text("name")), "tags": {}}
        )
    )


def _task_definition(told: Told) -> Iterator[Edit]:
    """A definition is a runtime where a service runs it. A change makes a new revision."""
    arn = told.text("arn")
    used = any(arn == definition_of(one) for one in told.others("aws_ecs_service"))
    if not used and arn not in told.world.runtimes:
        return
    written = parsed(told.get("container_definitions"))
    containers = list(blocks(written)) if not is_unread(written) else []
    yield Is(
        Runtime(
            **common(told, "ecs:task-definition", arn, told.text("family")),
            version=told.text("revision"),
            identities=tuple(filter(None, (role_arn(told, "task_role_arn"),))),
            links=links(*_container_links(containers)),
            attributes=attributes(
                execution_role=role_arn(told, "execution_role_arn"),
                environment=_names(containers, "environment"),
                secrets=_names(containers, "secrets"),
            ),
        )
    )
    yield from runs_as(told, "ecs:task-definition", arn, "task_role_arn")


def definition_of(told: Told) -> str:
    """Give the ARN of the definition that a service runs, named in full or by its family."""
    named = told.text("task_definition")
    start = told.filled("arn:{partition}:ecs:{region}:{account}:task-definition/")
    return named if named.startswith("arn:") or not named else f"{start}{named}"


def _container_links(containers: list[dict[str, Json]]) -> Iterator[tuple[str, str]]:
    for container in containers:
        yield "pulls", text(container.get("image"))
        for secret in blocks(container.get("secrets")):
            yield "reads", text(secret.get("valueFrom"))
        yield "reads", text(at(container.get("repositoryCredentials"), "credentialsParameter"))


def _names(containers: list[dict[str, Json]], field: str) -> list[str]:
    return [text(one.get("name")) for each in containers for one in blocks(each.get(field))]


def _service(told: Told) -> Iterator[Edit]:
    arn, used = told.text("arn", "id"), definition_of(told)
    definition = told.world.runtimes.get(used)
    fields = common(told, "ecs:service", arn, told.text("name"))
    yield Is(Resource(**fields))
    yield Is(
        Runtime(
            **fields,
            identities=definition.identities if definition else (),
            links=links(("uses", used)),
            attributes=attributes(
                cluster=told.text("cluster"),
                definition=used,
                enable_execute_command=told.flag("enable_execute_command") is True,
                status="ACTIVE",
            ),
        )
    )
    if definition is None:
        yield told.unknown("runtimes:ecs:service", arn, "as which role it runs")


def _instance(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    profile = told.text("iam_instance_profile")
    place = told.place
    full = (
        profile
        if not profile or profile.startswith("arn:")
        else f"arn:{place['partition']}:iam::{place['account']}:instance-profile/{profile}"
    )
    name = told.tags().get("Name") or told.text("id")
    yield from _both(
        told,
        "ec2:instance",
        name,
        roles=in_profile(told, "iam_instance_profile"),
        wired=links(("pulls", told.text("ami"))),
        runs={
            "state": "running",
            "instance_profile": full,
            "imds_tokens": text(at(next(told.blocks("metadata_options"), {}), "http_tokens")),
        },
        state="running",
        instance_profile=full,
    )
    yield from runs_as(told, "ec2:instance", arn, "iam_instance_profile")


def _launch_template(told: Told) -> Iterator[Edit]:
    block = next(told.blocks("iam_instance_profile"), {})
    named = text(block.get("arn")) or text(block.get("name"))
    roles = _in_profile(told, named or told.text("iam_instance_profile.0.name"))
    metadata = next(told.blocks("metadata_options"), {})
    yield from _both(
        told,
        "ec2:launch-template",
        told.text("name"),
        roles=roles,
        wired=links(("pulls", told.text("image_id"))),
        runs={
            "imds_tokens": text(metadata.get("http_tokens")),
            "imds_hop_limit": metadata.get("http_put_response_hop_limit"),
            "imds_endpoint": text(metadata.get("http_endpoint")),
        },
    )


def _in_profile(told: Told, profile: str) -> tuple[str, ...]:
    found = []
    for one in told.world.principals.values():
        held = one.attributes.get("instance_profiles", ())
        names = held if isinstance(held, tuple) else ()
        if profile and any(profile in (name, name.rpartition("/")[2]) for name in names):
            found.append(one.id)
    return tuple(sorted(found))


def _model(told: Told) -> Iterator[Edit]:
    containers = [*told.blocks("primary_container"), *told.blocks("container")]
    about: dict[str, Any] = {
        "network_isolation": told.flag("enable_network_isolation") is True,
        "environment": [name for one in containers for name in _variables(one)],
    }
    arn = told.text("arn")
    yield from _both(
        told,
        "sagemaker:model",
        told.text("name"),
        roles=(told.text("execution_role_arn"),),
        wired=links(*_pulled(containers)),
        runs=about,
        **about,
    )
    yield from runs_as(told, "sagemaker:model", arn, "execution_role_arn")


def _variables(container: dict[str, Json]) -> list[str]:
    found = container.get("environment")
    return list(found) if isinstance(found, dict) else []


def _pulled(containers: list[dict[str, Json]]) -> Iterator[tuple[str, str]]:
    for container in containers:
        yield "pulls", text(container.get("image"))
        yield "pulls", text(container.get("model_data_url"))
        yield "pulls", text(at(container, "model_data_source.s3_data_source.s3_uri"))
        yield "pulls", text(container.get("model_package_name"))


def _endpoint(told: Told) -> Iterator[Edit]:
    """An endpoint runs as the roles of the models that its configuration names."""
    arn, used = told.text("arn"), told.text("endpoint_config_name")
    configuration = next(
        (o for o in told.others("aws_sagemaker_endpoint_configuration") if o.text("name") == used),
        None,
    )
    models = list(_models(told, configuration)) if configuration else []
    execution = configuration.text("execution_role_arn") if configuration else ""
    yield from _both(
        told,
        "sagemaker:endpoint",
        told.text("name"),
        roles=(execution, *(role for one in models for role in one.identities)),
        wired=links(
            *(("uses", one.id) for one in models),
            *((link.kind, link.target) for one in models for link in one.links),
        ),
        version=used,
        runs={
            "models": [one.id for one in models],
            "network_isolation": bool(models)
            and all(one.attributes.get("network_isolation") for one in models),
            "environment": [
                name
                for one in models
                for name in texts(list(_tuple(one.attributes.get("environment"))))
            ],
        },
        kms_key=configuration.text("kms_key_arn") if configuration else "",
    )
    if configuration is None or not models:
        yield told.unknown("runtimes:sagemaker:endpoint", arn, "which models it serves")


def _tuple(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _models(told: Told, configuration: Told) -> Iterator[Runtime]:
    named = {
        text(block.get("model_name")) or configuration.text(f"{section}.{number}.model_name")
        for section in ("production_variants", "shadow_production_variants")
        for number, block in enumerate(configuration.blocks(section))
    }
    for runtime in told.world.runtimes.values():
        if runtime.kind == "sagemaker:model" and runtime.name in named:
            yield runtime


def _notebook(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    yield from _both(
        told,
        "sagemaker:notebook-instance",
        told.text("name"),
        roles=(told.text("role_arn"),),
        runs={
            "direct_internet_access": told.text("direct_internet_access") or "Enabled",
            "root_access": told.text("root_access") or "Enabled",
        },
        kms_key=told.text("kms_key_id"),
    )
    yield from runs_as(told, "sagemaker:notebook-instance", arn, "role_arn")


def _agent(told: Told) -> Iterator[Edit]:
    arn = told.text("agent_arn")
    fields = common(told, "bedrock:agent", arn, told.text("agent_name"))
    key = told.text("customer_encryption_key_arn")
    yield Is(Resource(**fields, attributes=attributes(kms_key=key)))
    known = told.world.runtimes.get(arn)
    block = next(told.blocks("guardrail_configuration"), {})
    guardrail = text(block.get("guardrail_identifier"))
    if guardrail and not guardrail.startswith("arn:"):
        guardrail = (
            told.filled("arn:{partition}:bedrock:{region}:{account}:guardrail/") + guardrail
        )
    version = text(block.get("guardrail_version"))
    kept = [(one.kind, one.target) for one in (known.links if known else ())]
    others = [pair for pair in kept if pair[0] != "guarded-by"]
    yield Is(
        Runtime(
            **fields,
            version="DRAFT",
            identities=tuple(filter(None, (told.text("agent_resource_role_arn"),))),
            links=links(
                ("guarded-by", f"{guardrail}:{version}" if guardrail and version else guardrail),
                *others,
            ),
            attributes=attributes(
                model=told.text("foundation_model"), collaboration=told.text("agent_collaboration")
            ),
        )
    )
    yield from runs_as(told, "bedrock:agent", arn, "agent_resource_role_arn")


def _agent_arn(told: Told) -> str:
    agent = told.text("agent_id")
    start = told.filled("arn:{partition}:bedrock:{region}:{account}:agent/")
    return f"{start}{agent}" if agent and start else ""


def _action_group(told: Told) -> Iterator[Edit]:
    """What an action group adds to the draft of its agent: the function that it calls."""
    called = text(at(next(told.blocks("action_group_executor"), {}), "lambda"))
    called = called or told.text("action_group_executor.0.lambda")
    signature = told.text("parent_action_group_signature")
    off = told.text("action_group_state") == "DISABLED"
    agent = _agent_arn(told)
    if agent and called and not off:
        yield Wires(agent, links(("invokes", called)))
    if agent and signature and not off:
        yield Adds(agent, "signatures", (signature,), "runtimes")
        if signature == "AMAZON.CodeInterpreter":
            yield Sets(agent, {"code_interpreter": True}, of="runtimes")


def _association(told: Told) -> Iterator[Edit]:
    base = told.text("knowledge_base_id")
    start = told.filled("arn:{partition}:bedrock:{region}:{account}:knowledge-base/")
    if base and told.text("knowledge_base_state") != "DISABLED":
        yield Wires(_agent_arn(told), links(("reads", f"{start}{base}")))


def _knowledge_base(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    storage = next(told.blocks("storage_configuration"), {})
    configuration = next(told.blocks("knowledge_base_configuration"), {})
    stores = [
        (kind, text(one.get(name)))
        for section in storage.values()
        for one in blocks(section)
        for kind, name in (
            ("stores-in", "collection_arn"),
            ("stores-in", "resource_arn"),
            ("stores-in", "endpoint"),
            ("stores-in", "graph_arn"),
            ("reads", "credentials_secret_arn"),
        )
    ]
    model = text(at(configuration, "vector_knowledge_base_configuration.embedding_model_arn"))
    known = told.world.runtimes.get(arn)
    kept = [(one.kind, one.target) for one in (known.links if known else ())]
    yield from _both(
        told,
        "bedrock:knowledge-base",
        told.text("name"),
        roles=(told.text("role_arn"),),
        wired=links(*stores, ("uses", model), *(pair for pair in kept if pair[0] == "reads")),
        runs={"store": text(storage.get("type"))},
    )
    yield from runs_as(told, "bedrock:knowledge-base", arn, "role_arn")


def _data_source(told: Told) -> Iterator[Edit]:
    block = next(told.blocks("data_source_configuration"), {})
    bucket = text(at(block, "s3_configuration.bucket_arn"))
    base = told.text("knowledge_base_id")
    start = told.filled("arn:{partition}:bedrock:{region}:{account}:knowledge-base/")
    if base and bucket:
        yield Wires(f"{start}{base}", links(("reads", bucket)))
    if base:
        yield Adds(f"{start}{base}", "sources", (text(block.get("type")),), "runtimes")


def _pod_identity(told: Told) -> Iterator[Edit]:
    place, cluster = told.place, told.text("cluster_name")
    start = f"arn:{place['partition']}:eks:{place['region']}:{place['account']}"
    arn = told.text("arn", "association_arn")
    whole = f"{start}:cluster/{cluster}"
    namespace, name = told.text("namespace"), told.text("service_account")
    nodes = [
        ("runs-on", one.id)
        for one in told.world.runtimes.values()
        if one.kind == "eks:nodegroup" and one.attributes.get("cluster") == whole
    ]
    target = told.text("target_role_arn")
    kind = "eks:pod-identity-association"
    yield from _both(
        told,
        kind,
        f"{namespace}/{name}",
        arn=arn,
        roles=(target or told.text("role_arn"),),
        wired=links(*nodes),
        runs={
            "cluster": whole,
            "namespace": namespace,
            "service_account": name,
            "role": told.text("role_arn"),
            "target_role": target,
            "session_tags": told.flag("disable_session_tags") is not True,
        },
    )
    yield from runs_as(told, kind, arn, "target_role_arn" if target else "role_arn")


def _access_entry_policy(told: Told) -> Iterator[Edit]:
    """Whom an access policy makes an administrator of the whole cluster."""
    place, policy = told.place, told.text("policy_arn")
    start = f"arn:{place['partition']}:eks:{place['region']}:{place['account']}"
    whole = text(at(next(told.blocks("access_scope"), {}), "type")) == "cluster"
    admin = policy.endswith(("/AmazonEKSClusterAdminPolicy", "/AmazonEKSAdminPolicy"))
    if whole and admin:
        principal = told.text("principal_arn")
        cluster = f"{start}:cluster/{told.text('cluster_name')}"
        yield Adds(cluster, "administrators", (principal,), "runtimes")


def _nothing(_told: Told) -> Iterator[Edit]:
    """What decides over access only together with another resource, which looks it up."""
    yield from ()


def _machine(kind: str, role: str, name: str = "name") -> Callable[[Told], Iterator[Edit]]:
    """Give a runtime that is told by its role and no more."""

    def edits(told: Told) -> Iterator[Edit]:
        yield from _both(told, kind, told.text(name), roles=(role_arn(told, role),))
        yield from runs_as(told, kind, told.text("arn"), role)

    return edits


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _scheduled(told: Told) -> Iterator[Edit]:
    target = next(told.blocks("target"), {})
    role = text(target.get("role_arn")) or told.text("target.0.role_arn")
    yield from _both(
        told,
        "scheduler:schedule",
        told.text("name"),
        roles=(role,),
        wired=links(("invokes", text(target.get("arn")))),
    )
    yield from runs_as(told, "scheduler:schedule", told.text("arn"), "target.0.role_arn")


TABLE: Final[Table] = {
    "aws_lambda_function": Row(
        _function,
        {
            "arn": _arn("lambda", "function:{function_name}"),
            "qualified_arn": _arn("lambda", "function:{function_name}"),
            "id": "{function_name}",
        },
        RELATIONS,
    ),
    "aws_lambda_permission": Row(_permission, {"statement_id": "{address}"}, LAST),
    "aws_lambda_function_url": Row(_url, phase=LAST),
    "aws_lambda_alias": Row(_nothing, {"arn": _arn("lambda", "function:{function_name}:{name}")}),
    "aws_ecs_cluster": Row(_cluster, {"arn": _arn("ecs", "cluster/{name}"), "id": "{arn}"}),
    "aws_ecs_task_definition": Row(
        _task_definition,
        {"arn": _arn("ecs", "task-definition/{family}:{revision}"), "revision": "{address}"},
        RELATIONS,
    ),
    "aws_ecs_service": Row(
        _service, {"id": _arn("ecs", "service/{address}"), "arn": "{id}"}, LAST
    ),
    "aws_instance": Row(_instance, {"arn": _arn("ec2", "instance/{id}"), "id": "{address}"}, LAST),
    "aws_launch_template": Row(
        _launch_template,
        {"arn": _arn("ec2", "launch-template/{id}"), "id": "{address}", "name": "{address}"},
        LAST,
    ),
    "aws_sagemaker_model": Row(
        _model,
        {"arn": _arn("sagemaker", "model/{name}"), "name": "{address}", "id": "{name}"},
        RELATIONS,
    ),
    "aws_sagemaker_endpoint_configuration": Row(
        _nothing,
        {"arn": _arn("sagemaker", "endpoint-config/{name}"), "name": "{address}", "id": "{name}"},
    ),
    "aws_sagemaker_endpoint": Row(
        _endpoint,
        {"arn": _arn("sagemaker", "endpoint/{name}"), "name": "{address}", "id": "{name}"},
        LAST,
    ),
    "aws_sagemaker_notebook_instance": Row(
        _notebook,
        {"arn": _arn("sagemaker", "notebook-instance/{name}"), "id": "{name}"},
        RELATIONS,
    ),
    "aws_bedrockagent_agent": Row(
        _agent,
        {
            "agent_arn": _arn("bedrock", "agent/{agent_id}"),
            "agent_id": "{address}",
            "id": "{agent_id}",
        },
        RELATIONS,
    ),
    "aws_bedrockagent_agent_action_group": Row(_action_group, phase=LAST),
    "aws_bedrockagent_agent_knowledge_base_association": Row(_association, phase=LAST),
    "aws_bedrockagent_knowledge_base": Row(
        _knowledge_base,
        {"arn": _arn("bedrock", "knowledge-base/{id}"), "id": "{address}"},
        RELATIONS,
    ),
    "aws_bedrockagent_data_source": Row(_data_source, phase=LAST),
    "aws_eks_pod_identity_association": Row(
        _pod_identity,
        {
            "association_arn": _arn(
                "eks", "podidentityassociation/{cluster_name}/{association_id}"
            ),
            "association_id": "{address}",
        },
        LAST,
    ),
    "aws_eks_access_policy_association": Row(_access_entry_policy, phase=LAST),
    "aws_eks_access_entry": Row(_nothing),
    "aws_codebuild_project": Row(
        _machine("codebuild:project", "service_role"),
        {"arn": _arn("codebuild", "project/{name}"), "id": "{arn}"},
        RELATIONS,
    ),
    "aws_sfn_state_machine": Row(
        _machine("states:state-machine", "role_arn"),
        {"arn": _arn("states", "stateMachine:{name}"), "name": "{address}", "id": "{arn}"},
        RELATIONS,
    ),
    "aws_glue_job": Row(
        _machine("glue:job", "role_arn"),
        {"arn": _arn("glue", "job/{name}"), "id": "{name}"},
        RELATIONS,
    ),
    "aws_cloudformation_stack": Row(
        _machine("cloudformation:stack", "iam_role_arn"),
        {"arn": _arn("cloudformation", "stack/{name}/{address}"), "id": "{arn}"},
        RELATIONS,
    ),
    "aws_scheduler_schedule": Row(
        _scheduled,
        {"arn": _arn("scheduler", "schedule/{group_name|default}/{name}"), "id": "{arn}"},
        RELATIONS,
    ),
}
