"""What is known of the request context: which keys have which value, which are absent.

A key that is neither is open: nobody said, so a condition on it stays a condition.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws.principals import Caller, CallerKind

# Keys in AWS's spelling, so that two spellings of a key make one atom.
_SPELLED = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalType",
    "aws:referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:userid",
    "aws:username",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:VpcSourceIp",
    "iam:AssociatedResourceArn",
    "iam:PassedToService",
    "iam:PermissionsBoundary",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:SourceIdentity",
    "sts:TransitiveTagKeys",
]
_CANONICAL = {key.lower(): key for key in _SPELLED}
_TAGS = {
    prefix.lower(): prefix
    for prefix in ("aws:PrincipalTag/", "aws:ResourceTag/", "aws:RequestTag/")
}


@lru_cache(8192)
def spelled(key: str) -> str:
    """Give the key as AWS spells it; the names of service keys and tags stay as written."""
    known = _CANONICAL.get(key.lower())
    if known is not None:
        return known
    prefix, slash, name = key.partition("/")
    return _TAGS.get((prefix + slash).lower(), prefix + slash) + name


class Context(msgspec.Struct, frozen=True, gc=False):
    """Keys of one request. Names are compared without case.

    `known` has the values of each key by its name in lower case; no values means the key is
    absent. Other keys are absent when `closed`, or when they start with one of
    `absent_prefixes`; else they are open. `variables_only` has values (by name in lower case)
    that fill policy variables in but settle no condition. Build with `Context.of`.
    """

    known: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, tuple[str, ...]]
    )
    closed: bool = False
    absent_prefixes: tuple[str, ...] = ()
    variables_only: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, tuple[str, ...]]
    )

    @staticmethod
    def of(
        values: Mapping[str, str | Iterable[str]],
        *,
        absent: Iterable[str] = (),
        absent_prefixes: Iterable[str] = (),
        closed: bool = False,
    ) -> Context:
        """Take values (one, or several of a multivalued key) and what is known to be absent."""
        known: dict[str, tuple[str, ...]] = {key.lower(): () for key in absent}
        for key, value in values.items():
            known[key.lower()] = (value,) if isinstance(value, str) else tuple(value)
        return Context(known, closed, tuple(prefix.lower() for prefix in absent_prefixes))

    def values(self, key: str) -> tuple[str, ...] | None:
        """Give the values of a key (any case): none when it is absent, None when it is open."""
        key = key.lower()
        found = self.known.get(key)
        if found is not None:
            return found
        if self.closed or (self.absent_prefixes and key.startswith(self.absent_prefixes)):
            return ()
        return None

    def variable(self, key: str) -> tuple[str, ...] | None:
        """Give the values of a key as a policy variable sees them; None when it is open."""
        found = self.variables_only.get(key.lower()) if self.variables_only else None
        return self.values(key) if found is None else found

    def joined(self, other: Mapping[str, str | Iterable[str]], *, closed: bool = False) -> Context:
        """Give this context with further values, which win, and perhaps closed."""
        more = Context.of(other)
        return replace(self, known={**self.known, **more.known}, closed=self.closed or closed)


OPEN = Context()
CLOSED = Context(closed=True)


class Facts(msgspec.Struct, frozen=True):
    """What the surroundings fix for a request. None means it is not known.

    An organisation id of "" says that the account is in none. `paths` are organisation paths
    as in aws:PrincipalOrgPaths. Tags, where given, are all there are.
    """

    principal_org: str | None = None
    principal_paths: tuple[str, ...] | None = None
    principal_tags: Mapping[str, str] | None = None
    resource_account: str = ""
    resource_org: str | None = None
    resource_paths: tuple[str, ...] | None = None
    resource_tags: Mapping[str, str] | None = None
    others: Mapping[str, str | tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, str | tuple[str, ...]]
    )


def request_context(
    caller: Caller, facts: Facts | None = None, *, closed: bool = False
) -> Context:
    """Give what the caller and the surroundings fix of the request context.

    What the caller may choose (sts:ExternalId, aws:RequestTag, session tags where the tags are
    not given) and what depends on how the request is made (aws:SecureTransport, aws:SourceIp,
    aws:MultiFactorAuthPresent of a session) stays open.
    """
    facts = facts or Facts()
    known: dict[str, tuple[str, ...]] = {}
    absent_prefixes: list[str] = []
    _principal_keys(caller, known)
    if caller.kind in _IN_AN_ACCOUNT:
        _organisation(known, "aws:principalorg", facts.principal_org, facts.principal_paths)
    _organisation(known, "aws:resourceorg", facts.resource_org, facts.resource_paths)
    if facts.resource_account:
        known["aws:resourceaccount"] = (facts.resource_account,)
    for prefix, tags in (
        ("aws:principaltag/", facts.principal_tags),
        ("aws:resourcetag/", facts.resource_tags),
    ):
        if tags is not None:
            known.update({prefix + name.lower(): (value,) for name, value in tags.items()})
            absent_prefixes.append(prefix)
    for key, value in facts.others.items():
        known[key.lower()] = (value,) if isinstance(value, str) else tuple(value)
    return Context(known, closed, tuple(absent_prefixes))


def of_resource(
    base: Context,
    org: str | None,
    paths: tuple[str, ...] | None,
    account: str,
    tags: Mapping[str, str] | None,
    others: Mapping[str, tuple[str, ...]],
) -> Context:
    """Give a principal's context with what a resource, and others, fix besides: as
    `request_context` gives it in one go."""
    known = dict(base.known)
    prefixes = base.absent_prefixes
    _organisation(known, "aws:resourceorg", org, paths)
    if account:
        known["aws:resourceaccount"] = known["s3:resourceaccount"] = (account,)
    if tags is not None:
        known.update({_RESOURCE_TAG + name.lower(): (text,) for name, text in tags.items()})
        prefixes = (*prefixes, _RESOURCE_TAG)
    known.update({key.lower(): values for key, values in others.items()})
    return Context(known, base.closed, prefixes)


_RESOURCE_TAG = "aws:resourcetag/"
_IN_AN_ACCOUNT = {
    CallerKind.USER,
    CallerKind.ROLE,
    CallerKind.SESSION,
    CallerKind.FEDERATED_USER,
    CallerKind.ROOT,
}
_TYPES = {
    CallerKind.USER: "User",
    CallerKind.ROLE: "AssumedRole",
    CallerKind.SESSION: "AssumedRole",
    CallerKind.FEDERATED_USER: "FederatedUser",
    CallerKind.ROOT: "Account",
    CallerKind.ANONYMOUS: "Anonymous",
}


def _principal_keys(caller: Caller, known: dict[str, tuple[str, ...]]) -> None:
    """Which keys a kind of principal has:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """
    kind = caller.kind
    if kind in _TYPES:
        known["aws:principaltype"] = (_TYPES[kind],)
    known["aws:principalisawsservice"] = ("true" if kind is CallerKind.SERVICE else "false",)
    known["aws:username"] = (caller.name,) if kind is CallerKind.USER else ()
    if kind is CallerKind.SERVICE:
        known["aws:principalservicename"] = (caller.arn,)
        return
    known["aws:principalservicename"] = known["aws:principalservicenameslist"] = ()
    if kind not in _IN_AN_ACCOUNT:
        return
    known["aws:principalaccount"] = (caller.account,)
    known["aws:principalarn"] = (caller.role_arn or caller.arn,)
    if kind is CallerKind.USER and caller.unique_id:
        known["aws:userid"] = (caller.unique_id,)
    elif kind is CallerKind.SESSION and caller.unique_id:
        known["aws:userid"] = (f"{caller.unique_id}:{caller.session}",)
    elif kind is CallerKind.ROOT:
        known["aws:userid"] = (caller.account,)


def _organisation(
    known: dict[str, tuple[str, ...]],
    prefix: str,
    org: str | None,
    paths: tuple[str, ...] | None,
) -> None:
    """Fix the keys of the organisation: absent for an account that is in none."""
    if org is not None:
        known[prefix + "id"] = (org,) if org else ()
    if paths is not None or org == "":
        known[prefix + "paths"] = paths or ()
