"""One release of a model: what it runs as, which tools it has, what it says it needs.

A deployment manifest is YAML that lives in git beside the model's infrastructure code. Only name,
version, owner, model provider and id, and identities are mandatory; what is absent is unknown,
and stays `None` here so that nothing mistakes it for "unchanged".
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, cast, get_args

import msgspec

from modelreach import plain_yaml
from modelreach.model import InputError

Credential = Literal[
    "assumed-role",
    "managed-identity",
    "agent-identity",
    "workload-identity",
    "service-account-key",
    "access-key",
    "client-secret",
    "certificate",
    "oauth-token",
    "api-key",
]
Cloud = Literal[
    "aws",
    "azure",
    "gcp",
    "kubernetes",
    "github",
    "gitlab",
    "okta",
    "databricks",
    "snowflake",
    "saas",
]
Effect = Literal["read", "write", "delete", "spend", "execute", "admin"]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of the manifest's parts; a field that is not known is an error, so typos are seen."""


class Owner(Part, frozen=True):
    """Who answers for the deployment."""

    team: str
    contact: str | None = None
    sponsor: str | None = None


class Metadata(Part, frozen=True):
    """Which release this is. `changed` is when it last changed, an RFC 3339 time or a day: an
    evaluation from before that is none of this release."""

    name: str
    version: str
    owner: Owner | str
    environment: str | None = None
    change_ticket: str | None = None
    changed: str | None = None


class SystemPrompt(Part, frozen=True):
    """The system prompt, by reference and digest; never its text."""

    ref: str | None = None
    sha256: str | None = None


class Model(Part, frozen=True):
    """Which model is called. `pinned: false` is a floating alias that the vendor may move.

    `fine_tune` tells "none" (null) from "not declared" (absent).
    """

    provider: str
    id: str
    pinned: bool | None = None
    digest: str | None = None
    fine_tune: str | msgspec.UnsetType | None = msgspec.UNSET
    quantization: str | None = None
    context_window_tokens: int | None = None
    max_output_tokens: int | None = None
    system_prompt: SystemPrompt | None = None
    parameters: dict[str, Any] | None = None


class Identity(Part, frozen=True):
    """What the runtime authenticates as: where reach starts.

    `principal` is the provider's id of it: of a role or user, or of the runtime (an agent's alias,
    an endpoint, a function), which then stands for what it runs as and for its tools. `context`
    are condition keys that every request of the runtime carries, such as `aws:SourceVpce`.
    """

    id: str
    cloud: Cloud
    principal: str
    credential: Credential | None = None
    max_session_seconds: int | None = None
    cluster: str | None = None
    federates_to: str | None = None
    key_created: str | None = None
    context: dict[str, str | tuple[str, ...]] | None = None


class Tool(Part, frozen=True):
    """Something the model may call, and as whom. `target` is an address or a resource id."""

    id: str
    kind: Literal[
        "function", "mcp", "http", "a2a", "code-interpreter", "computer-use", "retrieval"
    ]
    target: str | None = None
    runs_as: str | None = None
    effect: Effect | None = None
    approval: Literal["none", "human", "policy"] | None = None
    input_trust: Literal["trusted", "untrusted"] | None = None
    returns_untrusted: bool | None = None
    scopes: tuple[str, ...] | None = None
    transport: str | None = None
    tools: tuple[str, ...] | None = None
    toolset_sha256: str | None = None


class DataSource(Part, frozen=True):
    """Data that is put before the model."""

    id: str
    resource: str
    access: str | None = None
    classification: str | None = None


class Need(Part, frozen=True):
    """Least privilege as declared: reach beyond all needs of an identity is excess."""

    identity: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str | None = None


class Downstream(Part, frozen=True):
    """A system that trusts what the deployment writes."""

    id: str
    writes: tuple[str, ...] | None = None
    consumers: tuple[str, ...] | None = None
    reversible: bool | None = None


class Report(Part, frozen=True):
    """A report of an evaluation tool that is evidence for the release.

    `path` is relative to the manifest. `target` is what the report calls the release where it
    does not use the model's id or `name@version`. `correct_means` says of an Inspect log what a
    correct answer is: that the model held, or that it was broken; `scorer` chooses between
    several. `retests` says what a category tests. `attested_by` answers, with `sha256`, for what
    the report itself does not say.
    """

    kind: str
    path: str
    sha256: str | None = None
    target: str | None = None
    attested_by: str | None = None
    date: str | None = None
    correct_means: Literal["held", "broken"] | None = None
    scorer: str | None = None
    retests: dict[str, str] | None = None


class Attestation(Part, frozen=True):
    """Somebody's word that a demand of the release gate was done: an owner's sign-off, a drill.

    `release` is the version that it was done for, so that a copied line does not count for the
    next one. `demand` is an id such as `sign-off-owner`.
    """

    demand: str
    release: str
    by: str
    on: str
    note: str | None = None


class Infrastructure(Part, frozen=True):
    """What the release runs on, as far as it changes nothing in what the model may do."""

    replicas: int | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    instance_type: str | None = None
    accelerator: str | None = None
    cpu: str | int | None = None
    memory: str | int | None = None


class Spec(Part, frozen=True):
    """What is deployed. Provider-specific parts stay as they are written."""

    model: Model
    identities: tuple[Identity, ...]
    tools: tuple[Tool, ...] | None = None
    data_sources: tuple[DataSource, ...] | None = None
    guardrails: tuple[dict[str, Any], ...] | None = None
    autonomy: dict[str, Any] | None = None
    needs: tuple[Need, ...] | None = None
    downstream: tuple[Downstream, ...] | None = None
    exposure: dict[str, Any] | None = None
    observability: dict[str, Any] | None = None
    rollback: dict[str, Any] | None = None
    evidence: tuple[Report, ...] | None = None
    attestations: tuple[Attestation, ...] | None = None
    infrastructure: Infrastructure | None = None


class Deployment(Part, frozen=True):
    """A deployment manifest."""

    api_version: Literal["modelreach/v1"]
    kind: Literal["ModelDeployment"]
    metadata: Metadata
    spec: Spec

    @property
    def owner(self) -> str:
        """The owning team, whichever way the manifest writes it."""
        owner = self.metadata.owner
        return owner if isinstance(owner, str) else owner.team


def of_principal(principal: str, cloud: str) -> Deployment:
    """Give the deployment that is nothing but one principal, for `scan --principal`. Raises
    `InputError` for a cloud that is not known."""
    if cloud not in get_args(Cloud):
        raise InputError(
            f"`{principal}` is of `{cloud}`, of which nothing is known here",
            hint="known: " + ", ".join(sorted(get_args(Cloud))),
        )
    identity = {"id": "principal", "cloud": cloud, "principal": principal}
    return Deployment(
        api_version="modelreach/v1",
        kind="ModelDeployment",
        metadata=Metadata(name=principal, version="", owner=""),
        spec=Spec(
            model=Model(provider="", id=""),
            identities=(msgspec.convert(identity, Identity),),
        ),
    )


def decode(raw: bytes, *, place: str) -> Deployment:
    """Read a manifest. `place` is the file's name, for messages.

    Raises `InputError` with file and line for anything that is not a valid manifest.
    """
    deployment = plain_yaml.converted(raw, Deployment)
    if deployment is None or any(_faults(deployment)):
        return _strictly(raw, place)
    return deployment


#: How a manifest mostly begins; what else may be one is read as YAML.
_CLAIM = (
    rb"""(?m)^["']?(?:apiVersion|kind)["']?[ \t]*:[ \t]*["']?(?:modelreach/|ModelDeployment\b)"""
)


def claimed(raw: bytes) -> bool:
    """Does this file say that it is a manifest, be it a broken one?"""
    import re

    if re.search(_CLAIM, raw):
        return True
    from modelreach import strict_yaml

    said = strict_yaml.words_at_top(raw)
    version = said.get("apiVersion", "")
    return version.startswith("modelreach/") or said.get("kind") == "ModelDeployment"


def _strictly(raw: bytes, place: str) -> Deployment:
    from modelreach import strict_yaml

    if other := _other_file(raw):
        message = f"this is a `{other}` file; a deployment manifest was expected"
        raise InputError(message, place=place)
    deployment, tree = strict_yaml.decode(
        raw,
        Deployment,
        place=place,
        what="a deployment manifest",
        hint="see `modelreach schema manifest`",
        fields=_FIELDS,
    )
    for fault in _faults(deployment):
        line = strict_yaml.line_of(tree, fault.path)
        raise InputError(fault.message, place=f"{place}:{line}", hint=fault.hint)
    return deployment


def _other_file(raw: bytes) -> str:
    """Give the schema of a file that the program wrote, and that was given for a manifest."""
    import re

    said = re.search(rb'"schema":\s*"(modelreach\.[a-z-]+/[0-9]+)"', raw)
    return said.group(1).decode() if said and raw.lstrip().startswith(b"{") else ""


class _Fault(msgspec.Struct, frozen=True):
    """Something that does not fit together, and where it is said."""

    path: str
    message: str
    hint: str = ""


def _faults(deployment: Deployment) -> Iterator[_Fault]:
    spec = deployment.spec
    known = {identity.id for identity in spec.identities}
    if not known:
        yield _Fault("$.spec.identities", "`identities` is empty")
    if len(known) < len(spec.identities):
        yield _Fault("$.spec.identities", "two identities have the same id")
    references = [
        (f"$.spec.needs[{i}].identity", need.identity) for i, need in enumerate(spec.needs or ())
    ]
    references += [
        (f"$.spec.tools[{i}].runsAs", tool.runs_as)
        for i, tool in enumerate(spec.tools or ())
        if tool.runs_as is not None
    ]
    for path, name in references:
        if name not in known:
            message = f"`{name}` is not the id of an identity of this manifest"
            yield _Fault(path, message, "identities here: " + ", ".join(sorted(known)))
    yield from _held_back((spec.autonomy or {}).get("humanInLoop"))


def _held_back(effects: object) -> Iterator[_Fault]:
    """Effects of tools may wait for a person; another word would hold nothing back."""
    path, known = "$.spec.autonomy.humanInLoop", sorted(get_args(Effect))
    hint = "one of " + ", ".join(f"`{word}`" for word in known)
    if effects is None:
        return
    if not isinstance(effects, list):
        yield _Fault(path, "`humanInLoop` is a list of effects of tools", hint)
        return
    for index, word in enumerate(cast("list[object]", effects)):
        if word not in known:
            from difflib import get_close_matches

            near = get_close_matches(str(word), known, n=1)
            message = f"`{word}` is not an effect of a tool"
            yield _Fault(
                f"{path}[{index}]", message, f"did you mean `{near[0]}`?" if near else hint
            )


_FIELDS = sorted(
    {
        name
        for struct in (
            Deployment,
            Metadata,
            Owner,
            Spec,
            Model,
            SystemPrompt,
            Identity,
            Tool,
            DataSource,
            Need,
            Downstream,
            Report,
            Attestation,
            Infrastructure,
        )
        for name in struct.__struct_encode_fields__
    }
)


@lru_cache(maxsize=256)  # every comparison of a release asks for it
def lines_of_identities(raw: bytes) -> tuple[int, ...]:
    """Give the line on which each identity of a manifest names its principal."""
    count = len(decode(raw, place="").spec.identities)
    return _lines(raw, [f"$.spec.identities[{index}].principal" for index in range(count)])


def line_of_identity(raw: bytes, index: int) -> int:
    """Give the line on which the identity with this index names its principal."""
    return _lines(raw, [f"$.spec.identities[{index}].principal"])[0]


def _lines(raw: bytes, paths: list[str]) -> tuple[int, ...]:
    plain = plain_yaml.read(raw)
    if plain is not None and all(path in plain.lines for path in paths):
        return tuple(plain.lines[path] for path in paths)
    from modelreach import strict_yaml

    tree = strict_yaml.compose(raw, "")
    return tuple(strict_yaml.line_of(tree, path) for path in paths)
