"""Which of AWS's resource types a listed resource stands for, and in which form it is asked about.

A listed bucket stands for its objects too, a table for its indexes: actions on those are asked
about as `bucket/*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from modelreach.policy.aws import catalogue
from modelreach.policy.aws.catalogue import Action
from modelreach.policy.glob import match

#: Resource type of the catalogue -> kind of the snapshot, where the names differ.
KIND_OF_TYPE: dict[tuple[str, str], str] = {
    ("s3", "bucket"): "s3:bucket",
    ("s3", "object"): "s3:bucket",
    ("secretsmanager", "secret"): "secretsmanager:secret",
    ("kms", "key"): "kms:key",
    ("ssm", "parameter"): "ssm:parameter",
    ("dynamodb", "table"): "dynamodb:table",
    ("dynamodb", "index"): "dynamodb:table",
    ("dynamodb", "stream"): "dynamodb:table",
    ("sqs", "queue"): "sqs:queue",
    ("sns", "topic"): "sns:topic",
    ("s3vectors", "vectorbucket"): "s3vectors:vector-bucket",
    ("s3vectors", "index"): "s3vectors:vector-bucket",
    ("kinesis", "consumer"): "kinesis:stream",
    ("rds-data", "cluster"): "rds:cluster",
    ("redshift-data", "cluster"): "redshift:cluster",
    ("redshift-data", "workgroup"): "redshift-serverless:workgroup",
    ("logs", "log-stream"): "logs:log-group",
    **dict.fromkeys(
        [
            ("kendra", name)
            for name in (
                *("access-control-configuration", "data-source", "experience", "faq"),
                *("featured-results-set", "query-suggestions-block-list", "thesaurus"),
            )
        ],
        "kendra:index",
    ),
    ("lambda", "function"): "lambda:function",
    ("lambda", "function alias"): "lambda:function",
    ("lambda", "function version"): "lambda:function",
    ("ecr", "repository"): "ecr:repository",
    ("iam", "role"): "iam:role",
    ("iam", "user"): "iam:user",
    ("iam", "group"): "iam:group",
    ("sts", "role"): "iam:role",
    ("bedrock-agentcore", "code-interpreter-custom"): "bedrock-agentcore:code-interpreter",
    ("bedrock-agentcore", "browser-custom"): "bedrock-agentcore:browser",
    (
        "bedrock-agentcore",
        "apikeycredentialprovider",
    ): "bedrock-agentcore:api-key-credential-provider",
    (
        "bedrock-agentcore",
        "oauth2credentialprovider",
    ): "bedrock-agentcore:oauth2-credential-provider",
}

#: Actions that are about what lies in a resource, by kind, although AWS lists them under the
#: resource's own type: after which separator it lies, and how their names begin. Requests to a
#: domain are about the path that they ask for; a log group is named with `:*` behind, but for
#: its tags.
#: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html#ac-types-resource
#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
_INSIDE = {
    "es:domain": ("/", re.compile("es:ESHttp")),
    "logs:log-group": (":", re.compile("logs:(?!(Tag|Untag|ListTagsFor)Resource)")),
}

#: Services whose actions are about things of others, and the kinds of these.
_FROM_OUTSIDE = {
    "rds:cluster": ("rds-data", "cluster"),
    "redshift:cluster": ("redshift-data", "cluster"),
    "redshift-serverless:workgroup": ("redshift-data", "workgroup"),
}
#: Those services by name, each with the services whose things its actions are about.
ABOUT_OTHERS = {
    "rds-data": frozenset({"rds"}),
    "redshift-data": frozenset({"redshift", "redshift-serverless"}),
}
#: Kinds that stand for all users of one database: no ARN names them but with a user behind.
#: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
#: https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-role-permissions.html
_USERS = {"rds-db:db-user": frozenset({"db-user"}), "redshift:dbuser": frozenset({"dbuser"})}

#: Kinds that are written in more than one way in a snapshot.
ALIASES = {"ssm:secure-parameter": "ssm:parameter"}


def kind_of(service: str, type_name: str) -> str:
    """Give the snapshot's kind for a resource type of the catalogue."""
    return KIND_OF_TYPE.get((service, type_name.lower()), f"{service}:{type_name.lower()}")


def is_known(kind: str, example: str) -> bool:
    """Has AWS's catalogue actions on things of a kind: by its name, or by the form of an id?"""
    service = kind.partition(":")[0]
    names = (kind_of(service, one.name) for one in catalogue.resource_types(service))
    return ALIASES.get(kind, kind) in names or bool(probes(example, kind))


class Probe(msgspec.Struct, frozen=True):
    """One form in which a listed resource is asked about: exactly, or as all that lies in it.

    `actions` are those that AWS's catalogue has for resources of this form.
    """

    region: str
    exact: bool
    actions: tuple[Action, ...]


def probes(resource: str, kind: str) -> tuple[Probe, ...]:
    """Give the forms in which a listed resource is asked about."""
    service = kind.partition(":")[0]
    itself, inside = _probed(service, kind, types_of(resource, kind))
    found = [Probe(resource, True, itself)] if itself else []
    found += [Probe(f"{resource}{separator}*", False, actions) for separator, actions in inside]
    return tuple(found)


_Actions = tuple[Action, ...]


@lru_cache(2048)
def _probed(
    service: str, kind: str, types: frozenset[str]
) -> tuple[_Actions, tuple[tuple[str, _Actions], ...]]:
    """Give the actions on things of these types, and on what lies in them after a separator."""
    if kind in _USERS:
        return (), (("/", _actions_for(service, _USERS[kind])),)
    itself, inside = _actions_for(service, types) if types else (), list[tuple[str, _Actions]]()
    if kind in _FROM_OUTSIDE:
        other, type_name = _FROM_OUTSIDE[kind]
        itself = (*itself, *_actions_for(other, frozenset({type_name})))
    after, names = _INSIDE.get(kind, ("", None))
    own = tuple(one for one in itself if names and names.match(one.name))
    for separator in "/:":
        parts = _parts_of(service, types, separator)
        found = _actions_for(service, parts) if parts else ()
        if separator == after:
            found = tuple(sorted({*own, *found}, key=lambda one: one.name))
        if found:
            inside.append((separator, found))
    return tuple(one for one in itself if one not in own) if own else itself, tuple(inside)


def types_of(resource: str, kind: str) -> frozenset[str]:
    """Give the types that a listed resource is of itself: the narrowest that match."""
    service = kind.partition(":")[0]
    known = _known_of(service)
    if known.words is None:
        return _types_of(service, resource)
    shape = tuple([tuple(map(known.words, part.split(":"))) for part in resource.split("/")])
    found = known.by_shape.get(shape)
    if found is None:
        if len(known.by_shape) >= _MOST_SHAPES:
            known.by_shape.clear()
        form = "/".join(":".join("-" if w is None else w for w in part) for part in shape)
        found = known.by_shape[shape] = _types_of(service, form)
    return found


_MOST_SHAPES = 1 << 12
#: The fixed words of an ARN in their places, part by part between slashes; None for a free one.
_Shape = tuple[tuple[str | None, ...], ...]


class _Known(msgspec.Struct):
    """What tells the types of a service's resources apart: `words` gives each fixed word of its
    ARNs, and nothing, as itself, and all others as None. None where more than that tells."""

    words: Callable[[str], str | None] | None
    by_shape: dict[_Shape, frozenset[str]]


@lru_cache(1024)
def _known_of(service: str) -> _Known:
    words = _words_of(service)
    return _Known(None if words is None else {w: w for w in ("", *words)}.get, {})


_WORD = re.compile(r"[^:/]+")


def _words_of(service: str) -> frozenset[str] | None:
    """The fixed words of a service's ARNs, when all that stands between `:` and `/` is fixed or
    free: then nothing but these words, and how many there are, tells its types apart."""
    found: set[str] = set()
    for kind in catalogue.resource_types(service):
        found.update(_WORD.findall(kind.glob))
    words = found - {"*"}
    mixed = any("*" in word or "?" in word for word in words)
    return None if mixed or "-" in words else frozenset(words)


@lru_cache(1 << 14)
def _types_of(service: str, resource: str) -> frozenset[str]:
    found = [
        t
        for t in catalogue.resource_types(service)
        if _holds_words(t.glob, resource) and match(t.glob, resource)
    ]
    globs = {t.glob for t in found}
    return frozenset(
        t.name for t in found if not any(o != t.glob and o.startswith(t.glob) for o in globs)
    )


def _holds_words(glob: str, resource: str) -> bool:
    """Are all words of a glob in an id? A service has a hundred types: the few globs that may
    match are taken apart."""
    return all(map(resource.__contains__, glob.replace("?", "*").split("*")))


@lru_cache(2048)
def _parts_of(service: str, types: frozenset[str], separator: str) -> frozenset[str]:
    """The types whose names go on where those of these types end."""
    known = catalogue.resource_types(service)
    starts = tuple(t.glob + separator for t in known if t.name in types)
    return frozenset(t.name for t in known if starts and t.glob.startswith(starts))


@lru_cache(2048)
def _actions_for(service: str, types: frozenset[str]) -> tuple[Action, ...]:
    return catalogue.actions_on(service, types)
