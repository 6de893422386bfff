"""Who is meant by a member of a binding, or by a principal of a deny policy.

Deny policies spell principals in another way; both spellings are brought to the one of bindings.
https://docs.cloud.google.com/iam/docs/principal-identifiers
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr
from modelreach.snapshot import Principal

_SCOPES = "principalSet://cloudresourcemanager.googleapis.com/"
_CUSTOMER = "principalSet://goog/cloudIdentityCustomerId/"
_V2 = (
    ("principal://goog/subject/", "user:"),
    ("principal://iam.googleapis.com/projects/-/serviceAccounts/", "serviceAccount:"),
    ("principalSet://goog/group/", "group:"),
)
_POOL = re.compile(
    r"principal(?:Set)?:(//iam\.googleapis\.com/"
    r"(?:projects/[^/]+/locations/global/workloadIdentityPools"
    r"|locations/global/workforcePools)/[^/]+)/(.+)"
)
_AGENT = re.compile(r"principal(?:Set)?:(//agents\.global\.[^/]+)/(.+)")
_LEGACY = re.compile(r"serviceAccount:([^\[]+)\.svc\.id\.goog\[([^/\]]+)/([^\]]+)\]")
_KUBERNETES = re.compile(r"ns/([^/]+)/sa/([^/]+)")


def allowed(member: str) -> str:
    """Give a principal of a deny or access policy in the spelling of bindings."""
    if member == "principalSet://goog/public:all":
        return "allUsers"
    for prefix, kind in _V2:
        if member.startswith(prefix):
            return kind + member[len(prefix) :]
    return member


@dataclass(frozen=True, slots=True)
class Pooled:
    """A federated identity: its pool, and its subject there ("" when it is not told)."""

    pool: str
    subject: str = ""


def pooled(member: str) -> Pooled | None:
    """Give the pool of a federated identity; None for another principal.

    A Kubernetes account in the old spelling has a pool whose project is only known by its id.
    """
    found = _POOL.fullmatch(member) or _AGENT.fullmatch(member)
    if found is None:
        return None
    pool, rest = found.groups()
    kind, _, subject = rest.partition("/")
    return Pooled(pool, subject if kind == "subject" else rest if kind == "resources" else "")


def spellings(member: str, numbers: dict[str, str]) -> tuple[str, ...]:
    """Give all spellings of one principal in bindings. `numbers` are project numbers by id.

    https://docs.cloud.google.com/kubernetes-engine/docs/concepts/workload-identity
    """
    old = _LEGACY.fullmatch(member)
    if old is not None:
        project, namespace, account = old.groups()
        pool = f"locations/global/workloadIdentityPools/{project}.svc.id.goog"
        return tuple(
            dict.fromkeys(
                [
                    member,
                    *(
                        f"principal://iam.googleapis.com/projects/{name}/{pool}"
                        f"/subject/ns/{namespace}/sa/{account}"
                        for name in (numbers.get(project, ""), project)
                        if name
                    ),
                ]
            )
        )
    found = pooled(member)
    account_of = _KUBERNETES.fullmatch(found.subject) if found else None
    if found is None or account_of is None or not found.pool.endswith(".svc.id.goog"):
        return (member,)
    namespace, account = account_of.groups()
    project = found.pool.rsplit("/", 1)[1].removesuffix(".svc.id.goog")
    return member, f"serviceAccount:{project}.svc.id.goog[{namespace}/{account}]"


@dataclass(frozen=True, slots=True)
class Who:
    """One principal, as members may mean it.

    `sure` are the members that mean it whatever happens, `doubtful` those of which that hangs on
    something. `groups_unread` are groups that it may be in (None: any group that is not in
    `sure`), `pool` its pool when it is federated, `attributes` what each of its tokens may say,
    `mapped` what any token of its pool may say (None: anything).
    """

    principal: Principal
    sure: frozenset[str]
    doubtful: dict[str, Expr] = field(default_factory=dict[str, Expr], hash=False)
    groups_unread: frozenset[str] | None = frozenset()
    pool: str = ""
    attributes: dict[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]], hash=False
    )
    mapped: frozenset[str] | None = None

    def means(self, member: str) -> Expr:
        """Give what must hold for a member (in the spelling of bindings) to mean it."""
        if member in self.sure:
            return TRUE
        if member in self.doubtful:
            return self.doubtful[member]
        if member.startswith("group:"):
            unread = self.groups_unread is None or member in self.groups_unread
            return Atom(AtomKind.GAP, f"the members of {member}") if unread else FALSE
        if member.startswith(_CUSTOMER) and self.principal.kind == "user":
            return Atom(AtomKind.GAP, f"whose customer {self.principal.id} is", member)
        if self.pool and member.startswith(f"principalSet:{self.pool}/"):
            return self._in_set(member[len(f"principalSet:{self.pool}/") :])
        return FALSE

    def _in_set(self, rest: str) -> Expr:
        """Is it in a set of its pool, by an attribute of its token?

        https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping
        """
        if rest == "*":
            return TRUE
        name, _, value = rest.partition("/")
        known = self.attributes.get(name)
        if known is None and self.mapped is not None and name not in self.mapped:
            return FALSE
        if known is not None and (len(known) == 1 or value not in known):
            return TRUE if value in known else FALSE
        return Atom(AtomKind.CONTEXT, f"{name} == '{value}'")


def sets_of(principal: Principal, path: tuple[str, ...], numbers: dict[str, str]) -> Iterator[str]:
    """Give the sets that a principal is in by its kind and by the scopes above it."""
    yield "allUsers"
    if principal.kind in ("user", "service-account", "service-agent", "group"):
        yield "allAuthenticatedUsers"
    if principal.kind == "user":
        yield f"domain:{principal.id.rpartition('@')[2]}"
    kind = _TYPES.get(principal.kind)
    if kind is not None:
        for scope in path:
            name = scope.partition("/")[2]
            place = scope.partition("/")[0]
            for spelled in {name, numbers.get(name, name) if place == "projects" else name}:
                yield f"{_SCOPES}{place}/{spelled}/type/{kind}"


_TYPES = {"service-account": "ServiceAccount", "service-agent": "ServiceAgent"}


def attributes_of(principal: Principal, pool: str, subject: str) -> dict[str, tuple[str, ...]]:
    """Give what is known of the tokens of a federated identity: all that each may say."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in principal.attributes.items():
        if name.startswith("attribute.") or name == "group":
            if isinstance(value, str):
                found[name] = (value,)
            elif isinstance(value, tuple):
                found[name] = value
    kubernetes = _KUBERNETES.fullmatch(subject)
    if kubernetes is not None and pool.endswith(".svc.id.goog"):
        found["namespace"] = (kubernetes[1],)
    if subject.startswith("resources/"):
        service, _, path = subject.removeprefix("resources/").partition("/")
        found["attribute.platformContainer"] = (f"{service}/{'/'.join(path.split('/')[:2])}",)
    return found
