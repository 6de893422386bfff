"""The names of things in clusters, and of what is done to them.

Ids are those of the facts (docs/reference/facts-kubernetes.md). An action is written
`GROUP:RESOURCE[/SUBRESOURCE]:VERB`, with `core` for the group that Kubernetes writes as nothing:
`core:pods/exec:create`. A path that is no resource is `url:PATH:VERB`. Colons within a verb are
written `!` (`impersonate-on!serviceaccount!get`), so that a pattern of one part matches one part.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

PREFIX: Final = "k8s/"
CORE: Final = "core"
URL: Final = "url"
RBAC: Final = "rbac.authorization.k8s.io"

#: The verbs of resource requests, in the order in which they are told.
#: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
VERBS: Final = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
)


class Action(msgspec.Struct, frozen=True):
    """One kind of request. `resource` holds the subresource after a slash."""

    group: str
    resource: str
    verb: str

    @staticmethod
    def parse(text: str) -> Action | None:
        """Read an action; None when it is not one."""
        group, colon, rest = text.partition(":")
        resource, second, verb = rest.partition(":")
        if not (colon and second and group and resource and verb):
            return None
        return Action(group, resource, verb.replace("!", ":"))

    @property
    def name(self) -> str:
        """Its spelling."""
        return f"{self.group}:{self.resource}:{self.verb.replace(':', '!')}"

    @property
    def plural(self) -> str:
        """The resource without its subresource, in the group's notation: `deployments.apps`."""
        resource = self.resource.partition("/")[0]
        return resource if self.group == CORE else f"{resource}.{self.group}"


@lru_cache(1 << 16)
def cluster_of(name: str) -> str:
    """Give the scope id of the cluster that an id belongs to; "" when it is of none."""
    if not name.startswith(PREFIX):
        return ""
    return PREFIX + name.removeprefix(PREFIX).partition("/")[0]


@lru_cache(1 << 16)
def namespace_of(name: str) -> str:
    """Give the scope id of the namespace that a resource or account is in; "" for none."""
    rest = name.removeprefix(cluster_of(name)).removeprefix("/")
    if rest.startswith("system:serviceaccount:"):
        namespace = rest.split(":")[2] if rest.count(":") >= 3 else ""
    else:
        namespace = "" if rest.startswith(("user:", "group:")) else rest.partition("/")[0]
    return f"{cluster_of(name)}/{namespace}" if namespace else ""


class Object(msgspec.Struct, frozen=True):
    """A thing in a cluster. `namespace` is "" for what belongs to the cluster; `name` is "" when
    none is named, as in a request to create or to list."""

    cluster: str
    namespace: str
    plural: str
    name: str

    @staticmethod
    def parse(text: str) -> Object:
        """Read the id of a resource, of a service account or of a scope."""
        cluster = cluster_of(text)
        rest = text.removeprefix(cluster).removeprefix("/")
        if rest.startswith("system:serviceaccount:") and rest.count(":") == 3:
            _, _, namespace, name = rest.split(":")
            return Object(cluster, namespace, "serviceaccounts", name)
        if rest.startswith("user:"):
            return Object(cluster, "", "users", rest.removeprefix("user:"))
        if rest.startswith("group:"):
            return Object(cluster, "", "groups", rest.removeprefix("group:"))
        namespace, _, tail = rest.partition("/")
        plural, _, name = tail.partition("/")
        return Object(cluster, namespace, plural, name)

    @property
    def scope(self) -> str:
        """The scope that it is in."""
        return f"{self.cluster}/{self.namespace}" if self.namespace else self.cluster


def resource_id(cluster: str, namespace: str, plural: str, name: str) -> str:
    """Give the id of a thing in a cluster; an empty namespace for one of the cluster itself."""
    return f"{cluster}/{namespace}/{plural}/{name}"


def account_id(cluster: str, namespace: str, name: str) -> str:
    """Give the id of a service account."""
    return f"{cluster}/system:serviceaccount:{namespace}:{name}"


def group_id(cluster: str, name: str) -> str:
    """Give the id of a group."""
    return f"{cluster}/group:{name}"


def user_id(cluster: str, name: str) -> str:
    """Give the id of a user."""
    return f"{cluster}/user:{name}"
