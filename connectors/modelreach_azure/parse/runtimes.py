"""What runs code or a model, and the identities that it runs as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import AttributeValue, Link, Resource, Runtime
from modelreach_azure.answers import Answers
from modelreach_azure.kinds import RUNTIME_KINDS
from modelreach_azure.parse.credentials import keys_of_endpoint
from modelreach_azure.parse.facts import Facts, fields, text
from modelreach_azure.parse.ids import arm_id, lower
from modelreach_azure.parse.resources import identities, resource_of
from modelreach_azure.select import at, items, words

_POLICIES_OF_AZURE: Final = "/providers/microsoft.authorization/"
_SET: Final = "policySetDefinition"


def parse_runtimes(answers: Answers, facts: Facts) -> None:
    """Turn what runs something into runtimes, and the resources that they are."""
    for row in answers.rows("resources"):
        if lower(row.get("type")) in RUNTIME_KINDS:
            about = fields(row)
            _add(
                facts,
                row,
                runs_as=identities(row),
                wired=(*_workspace_stores(about), *_containers_pull(about), *_secrets_read(about)),
                environment=_environment(about),
                secrets=_secret_names(about),
                kubelet_identity=lower(at(about, "identityProfile.kubeletidentity.objectId")),
            )
    _policies(answers, facts)
    _deployments(answers, facts)
    _projects(answers, facts)
    _applications(answers, facts)
    _agents(answers, facts)
    _online_endpoints(answers, facts)
    _other_endpoints(answers, facts)
    _computes(answers, facts)


def _add(
    facts: Facts,
    row: dict[str, Any],
    *,
    runs_as: tuple[str, ...],
    wired: Iterable[Link] = (),
    version: str = "",
    **more: AttributeValue | Iterable[str] | None,
) -> Resource:
    """Add a runtime, and the resource that it is where that is not known yet."""
    made = resource_of(row)
    resource = facts.resources.setdefault(made.id, made)
    told = {
        name: value
        for name, value in resource.attributes.items()
        if name in ("kind", "sku", "public_network", "local_auth")
    }
    facts.runtimes[made.id] = Runtime(
        id=made.id,
        provider=made.provider,
        kind=made.kind,
        scope=made.scope,
        region=made.region,
        name=made.name,
        version=version,
        identities=tuple(sorted(set(runs_as))),
        links=tuple(dict.fromkeys(wired)),
        tags=made.tags,
        attributes=told | attributes(**more),
    )
    return resource


def links(kind: str, *targets: object) -> Iterator[Link]:
    """Give a link to each target that is one."""
    for target in targets:
        if isinstance(target, str) and target:
            known = target.lower() if target.lower().startswith("/subscriptions/") else target
            yield Link(kind=kind, target=known)


def _workspace_stores(about: dict[str, Any]) -> Iterator[Link]:
    """Give what a Machine Learning workspace keeps its files, secrets and images in."""
    for name in ("storageAccount", "keyVault", "containerRegistry"):
        if str(about.get(name, "")).lower().startswith("/subscriptions/"):
            yield from links("reads", about[name])


def _containers(about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the containers of an app, a job, or a container group."""
    template = fields(about, "template")
    for holder in (template, about):
        for name in ("containers", "initContainers"):
            for one in items(holder, name):
                yield {**one, **fields(one)}


def _containers_pull(about: dict[str, Any]) -> Iterator[Link]:
    for container in _containers(about):
        yield from links("pulls", container.get("image"))


def _secrets(about: dict[str, Any]) -> list[dict[str, Any]]:
    return items(fields(about, "configuration"), "secrets")


def _secrets_read(about: dict[str, Any]) -> Iterator[Link]:
    for secret in _secrets(about):
        yield from links("reads", secret.get("keyVaultUrl"))


def _secret_names(about: dict[str, Any]) -> list[str]:
    return [text(secret.get("name")) for secret in _secrets(about)]


def _environment(about: dict[str, Any]) -> list[str]:
    return [
        text(variable.get("name"))
        for container in _containers(about)
        for variable in (
            *items(container, "env"),
            *items(container, "environmentVariables"),
        )
    ]


def _policies(answers: Answers, facts: Facts) -> None:
    """A policy that deploys or modifies does so as the identity of its assignment. Policies of
    the tenant's own, by themselves or in a set, can be written.

    https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources
    """
    sets = {arm_id(one.parameters.get("id")): told for one, told in answers.of(_SET)}
    for row in answers.rows("policyAssignments"):
        about, runs_as = fields(row), identities(row)
        definition = arm_id(about.get("policyDefinitionId"))
        if not runs_as:
            continue
        within = items(fields(sets.get(definition, {})), "policyDefinitions")
        deployed = (definition, *(arm_id(one.get("policyDefinitionId")) for one in within))
        own = tuple(one for one in deployed if not one.startswith(_POLICIES_OF_AZURE))
        for one in own:
            facts.resources.setdefault(one, resource_of({"id": one, "name": one}))
        _add(
            facts,
            {**row, "displayName": about.get("displayName")},
            runs_as=runs_as,
            wired=links("deploys", *own),
            definition=definition,
            enforcement=text(about.get("enforcementMode")),
        )


def _deployments(answers: Answers, facts: Facts) -> None:
    """https://learn.microsoft.com/rest/api/aiservices/accountmanagement/deployments"""
    for one, row in answers.placed("accounts.deployments"):
        account = arm_id(one.parameters.get("id"))
        about = fields(row)
        policy = text(about.get("raiPolicyName"))
        _add(
            facts,
            row,
            runs_as=_identities_of(facts, account),
            wired=links("guarded-by", f"{account}/raipolicies/{policy.lower()}" if policy else ""),
            version=text(at(about, "model.version")),
            model=text(at(about, "model.name")),
            model_version=text(at(about, "model.version")),
            model_format=text(at(about, "model.format")),
            rai_policy=policy,
            upgrades=text(about.get("versionUpgradeOption")),
        )


def _identities_of(facts: Facts, resource: str) -> tuple[str, ...]:
    held = facts.runtimes.get(resource)
    return held.identities if held else ()


def _projects(answers: Answers, facts: Facts) -> None:
    """Agents that are not published share an identity of the project, where it has one.

    https://learn.microsoft.com/azure/foundry/agents/concepts/agent-identity
    """
    connections: dict[str, list[str]] = {}
    for one, row in answers.placed("projects.connections"):
        project = arm_id(one.parameters.get("id"))
        connections.setdefault(project, []).append(arm_id(row.get("id")))
    stores: dict[str, list[str]] = {}
    for one, row in answers.placed("projects.capabilityHosts"):
        stores.setdefault(arm_id(one.parameters.get("id")), []).extend(_kept_in(fields(row)))
    for row in answers.rows("accounts.projects"):
        project, about = arm_id(row.get("id")), fields(row)
        agent = fields(about, "agentIdentity")
        used = [*connections.get(project, ())]
        _add(
            facts,
            row,
            runs_as=tuple({*identities(row), *_ids(agent, "agentIdentityId", "principalId")}),
            wired=(*links("uses", *used), *_stored(facts, project, stores.get(project, ()))),
            agent_identity=lower(agent.get("agentIdentityId")),
            agent_blueprint=lower(agent.get("agentIdentityBlueprintId")),
        )


def _ids(row: dict[str, Any], *names: str) -> set[str]:
    return {lower(row[name]) for name in names if isinstance(row.get(name), str) and row[name]}


def _kept_in(about: dict[str, Any]) -> Iterator[str]:
    for name in ("storageConnections", "threadStorageConnections", "vectorStoreConnections"):
        yield from words(about, name)


def _stored(facts: Facts, project: str, names: Iterable[str]) -> Iterator[Link]:
    """Give what connections lead to by name: those of the project first, else of its account."""
    account = project.partition("/projects/")[0]
    for name in names:
        for holder in (project, account):
            held = facts.resources.get(f"{holder}/connections/{name.lower()}")
            if held is not None:
                yield from links("stores-in", held.attributes.get("resource") or held.id)
                break


def _applications(answers: Answers, facts: Facts) -> None:
    """A published agent runs as an identity of its own.

    https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/accounts/projects/applications
    """
    for one, row in answers.placed("projects.applications"):
        about = fields(row)
        project = arm_id(one.parameters.get("id"))
        identity = fields(about, "defaultInstanceIdentity")
        blueprint = fields(about, "agentIdentityBlueprint")
        held = facts.runtimes.get(project)
        _add(
            facts,
            row,
            runs_as=tuple(_ids(identity, "principalId")),
            wired=(link for link in (held.links if held else ()) if link.kind == "uses"),
            agent_identity=lower(identity.get("principalId")),
            agent_blueprint=lower(blueprint.get("principalId") or blueprint.get("clientId")),
            agents=[text(agent.get("agentName")) for agent in items(about, "agents")],
            authorization=text(
                at(about, "authorizationPolicy.authorizationScheme")
                or at(about, "authorizationPolicy.type")
            ),
            enabled=about.get("isEnabled") if isinstance(about.get("isEnabled"), bool) else None,
        )


def _agents(answers: Answers, facts: Facts) -> None:
    """An agent runs as its own identity, or as its project where it has none.

    https://learn.microsoft.com/azure/foundry/agents/concepts/agent-identity
    """
    for one, row in answers.placed("projects.agents"):
        project, latest = arm_id(one.parameters.get("id")), at(row, "versions.latest") or {}
        about = fields(latest, "definition")
        identity = fields(row, "instance_identity") or fields(latest, "instance_identity")
        blueprint = fields(row, "blueprint") or fields(latest, "blueprint")
        own = tuple(_ids(identity, "principal_id"))
        name = text(row.get("name"))
        made = {"id": f"{project}/agents/{name}", "name": name, "type": _AGENT}
        _add(
            facts,
            made,
            runs_as=own or _identities_of(facts, project),
            wired=(
                *links("pulls", about.get("image")),
                *_tool_links(facts, project, about.get("tools")),
                *_model_link(facts, project, text(about.get("model"))),
            ),
            version=text(latest.get("version")),
            model=text(about.get("model")),
            agent_kind=text(about.get("kind")),
            agent_identity=lower(identity.get("principal_id")),
            agent_blueprint=lower(blueprint.get("principal_id")),
            tools=[text(tool.get("type")) for tool in items(about, "tools")],
            environment=list(fields(about, "environmentVariables")),
            state=text(row.get("state")),
        )


_AGENT: Final = "Microsoft.CognitiveServices/accounts/projects/agents"


def _tool_links(facts: Facts, project: str, value: Any) -> Iterator[Link]:
    """Give what the tools of an agent lead to: connections that they use, servers they call."""
    for inner in value if isinstance(value, list) else ():
        yield from _tool_links(
            facts, project, [*inner.values()] if isinstance(inner, dict) else []
        )
        if isinstance(inner, dict):
            for name in ("project_connection_id", "connection_id"):
                yield from links("uses", _connection(facts, project, text(inner.get(name))))
            yield from links("invokes", inner.get("server_url"), inner.get("base_url"))
        if isinstance(inner, list):
            yield from _tool_links(facts, project, inner)


def _connection(facts: Facts, project: str, named: str) -> str:
    """Give the id of a connection that a tool names by id or by name."""
    if named.startswith("/") or not named:
        return arm_id(named)
    account = project.partition("/projects/")[0]
    known = (f"{holder}/connections/{named.lower()}" for holder in (project, account))
    return next((name for name in known if name in facts.resources), named)


def _model_link(facts: Facts, project: str, model: str) -> Iterator[Link]:
    deployment = f"{project.partition('/projects/')[0]}/deployments/{model.lower()}"
    if deployment in facts.runtimes:
        yield from links("uses", deployment)


def _online_endpoints(answers: Answers, facts: Facts) -> None:
    """All deployments of an endpoint run as the endpoint's identity.

    https://learn.microsoft.com/azure/machine-learning/how-to-access-resources-from-endpoints-managed-identities
    """
    served: dict[str, list[str]] = {}
    for one, row in answers.placed("onlineEndpoints.deployments"):
        served.setdefault(arm_id(one.parameters.get("id")), []).append(arm_id(row.get("id")))
    for row in answers.rows("workspaces.onlineEndpoints"):
        about, identifier = fields(row), arm_id(row.get("id"))
        mode = text(about.get("authMode"))
        resource = _add(
            facts,
            row,
            runs_as=identities(row),
            wired=links("routes-to", *served.get(identifier, ())),
            auth_mode=mode,
            traffic=[f"{name}={share}" for name, share in fields(about, "traffic").items()],
        )
        if mode.lower() == "key":
            keys_of_endpoint(facts, resource)
    for one, row in answers.placed("onlineEndpoints.deployments"):
        about = fields(row)
        model = about.get("model")
        _add(
            facts,
            row,
            runs_as=_identities_of(facts, arm_id(one.parameters.get("id"))),
            wired=links("pulls", model),
            version=text(model).rpartition("/")[2] if "/versions/" in text(model) else "",
            model=text(model),
            environment=list(fields(about, "environmentVariables")),
            egress=text(about.get("egressPublicNetworkAccess")),
        )


def _other_endpoints(answers: Answers, facts: Facts) -> None:
    for row in answers.rows("workspaces.batchEndpoints", "workspaces.serverlessEndpoints"):
        about = fields(row)
        mode = text(about.get("authMode"))
        resource = _add(
            facts,
            row,
            runs_as=identities(row),
            auth_mode=mode,
            model=text(at(about, "modelSettings.modelId")),
        )
        if mode.lower() == "key":
            keys_of_endpoint(facts, resource)


def _computes(answers: Answers, facts: Facts) -> None:
    for row in answers.rows("workspaces.computes"):
        about = fields(row)
        inner = fields(about)
        _add(
            facts,
            row,
            runs_as=identities(row),
            compute_type=text(about.get("computeType")),
            ssh=text(at(inner, "sshSettings.sshPublicAccess"))
            or text(inner.get("remoteLoginPortPublicAccess")),
            assigned_user=lower(
                at(inner, "personalComputeInstanceSettings.assignedUser.objectId")
            ),
            attached=arm_id(about.get("resourceId")),
        )
