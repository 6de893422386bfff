"""Who is named where: in which trusts, in which resources' policies and grants, and on which keys;
and what is loaded from where.

Worked out part by part, from the facts of one account alone, and kept with a stored snapshot: a
new run then reads neither policies nor accounts that it does not reach.
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Iterator
from functools import cached_property

import msgspec

from modelreach.policy.aws.addresses import arn_of, is_pinned, source_of
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.statement import Effect, PolicyDocument, Statement
from modelreach.snapshot import Attachment, Facts, Runtime

#: Changes whenever the same facts are to give other names.
VERSION = "aws-names/7"

#: The tag of a secret, or of a parameter, that says whom it opens.
OPENS_TAG = "modelreach:opens"

#: Names, each with the ids of what names it.
Index = dict[str, list[str]]


class NamesOfPart(msgspec.Struct):
    """Names in one part. A name is an ARN, a unique id, an account's root, a service, an identity
    provider or `*`.

    `trusts` are principals that trust it; `resources` those whose policy (or a grant on them) may
    let it in, `runtimes` runtimes of which that holds; `issuers` are OIDC providers by issuer;
    `opening` are resources with the tag that says whom they open; `services` are those of named
    resources whose ARN does not say it. `singled` are names that a resource's policy denies, or
    spares; `personal` are runtimes whose policy asks who in particular calls, `trusting_some`
    principals whose trust asks that, or names a user or role. `loads` are runtimes by the ARN of
    the object or repository that they load from.
    """

    trusts: Index = {}
    resources: Index = {}
    runtimes: Index = {}
    issuers: Index = {}
    opening: list[str] = []
    services: dict[str, str] = {}
    singled: list[str] = []
    personal: list[str] = []
    trusting_some: list[str] = []
    loads: Index = {}

    def shared(self, scope: str) -> Iterator[str]:
        """Give what lets somebody in who is not of this part: others ask about it."""
        for index in (self.trusts, self.resources):
            for name, ids in index.items():
                if _account_of(name) != scope and not _is_service(name):
                    yield from ids
        for ids in self.loads.values():
            yield from ids


class Named:
    """The names of all parts together; what is named is sorted."""

    def __init__(self, parts: dict[str, NamesOfPart]) -> None:
        self._parts = parts
        self._by_service: dict[str, dict[str, tuple[str, ...]]] = {}
        self._feeding: dict[str, frozenset[str]] = {}

    @staticmethod
    def of(facts: Facts) -> "Named":
        """Give the names of a snapshot."""
        found = {
            part: facts.remembered(part, VERSION, lambda: names_of_part(facts, part), NamesOfPart)  # noqa: B023 - called at once
            for part in facts.parts
        }
        facts.keep()
        for part, names in found.items():
            facts.cherish(names.shared(part))
        return Named(found)

    @cached_property
    def trusts(self) -> dict[str, tuple[str, ...]]:
        """Principals by whom they trust."""
        return _joined([part.trusts for part in self._parts.values()])

    @cached_property
    def resources(self) -> dict[str, tuple[str, ...]]:
        """Resources by whom their policy, or a grant on them, may let in."""
        return _joined([part.resources for part in self._parts.values()])

    @cached_property
    def runtimes(self) -> dict[str, tuple[str, ...]]:
        """Runtimes by whom their policy may let in."""
        return _joined([part.runtimes for part in self._parts.values()])

    @cached_property
    def issuers(self) -> dict[str, tuple[str, ...]]:
        """Identity providers by issuer, without scheme."""
        return _joined([part.issuers for part in self._parts.values()])

    @cached_property
    def opening(self) -> tuple[str, ...]:
        """Resources that are tagged with whom they open."""
        return tuple(sorted(name for part in self._parts.values() for name in part.opening))

    def resources_by_service(self, key: str) -> dict[str, tuple[str, ...]]:
        """Give the resources that may let a name in, by service, sorted."""
        if key not in self._by_service:
            groups: dict[str, list[str]] = {}
            for name in self.resources.get(key, ()):
                groups.setdefault(self._services.get(name) or _service(name), []).append(name)
            self._by_service[key] = {service: tuple(ids) for service, ids in groups.items()}
        return self._by_service[key]

    @cached_property
    def _services(self) -> dict[str, str]:
        return {n: service for p in self._parts.values() for n, service in p.services.items()}

    def trusting_in(self, account: str, key: str) -> tuple[str, ...]:
        """Give the principals of one account that trust a name."""
        part = self._parts.get(account)
        return tuple(part.trusts.get(key, ())) if part else ()

    def trusted_in(self, account: str) -> tuple[str, ...]:
        """Give the names that principals of one account trust."""
        part = self._parts.get(account)
        return tuple(part.trusts) if part else ()

    def resources_in(self, account: str, key: str) -> tuple[str, ...]:
        """Give the resources of one account that may let a name in."""
        part = self._parts.get(account)
        return tuple(part.resources.get(key, ())) if part else ()

    @cached_property
    def singled(self) -> frozenset[str]:
        """Names that the policy of some resource denies, or spares."""
        return frozenset(name for part in self._parts.values() for name in part.singled)

    @cached_property
    def personal(self) -> frozenset[str]:
        """Runtimes whose own policy asks who in particular calls."""
        return frozenset(name for part in self._parts.values() for name in part.personal)

    @cached_property
    def trusting_some(self) -> frozenset[str]:
        """Principals whose trust asks who in particular calls, or names a user or role."""
        return frozenset(name for part in self._parts.values() for name in part.trusting_some)

    @cached_property
    def loads(self) -> dict[str, tuple[str, ...]]:
        """Runtimes by the ARN of the object or repository that they load from."""
        return _joined([part.loads for part in self._parts.values()])

    @cached_property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """Of buckets and repositories, the ARNs in `loads` that lie there."""
        found: dict[str, list[str]] = {}
        for arn in self.loads:
            found.setdefault(source_of(arn), []).append(arn)
        return {name: tuple(sorted(arns)) for name, arns in found.items()}

    @cached_property
    def repositories(self) -> dict[str, tuple[str, ...]]:
        """Those of `sources` whose ARN says of which account they are, by account."""
        found: dict[str, list[str]] = {}
        for name in self.sources:
            found.setdefault(_account_of(name), []).append(name)
        return {account: tuple(sorted(names)) for account, names in found.items() if account}

    def feeding(self, key: str) -> frozenset[str]:
        """Give the buckets and repositories that runtimes load from, and that may let a name
        in."""
        if key not in self._feeding:
            resources = frozenset(self.resources.get(key, ()))
            self._feeding[key] = resources.intersection(self.sources)
        return self._feeding[key]

    def personal_in(self, account: str) -> bool:
        """Has the account runtimes whose policy asks who in particular calls?"""
        part = self._parts.get(account)
        return part is not None and bool(part.personal)

    @cached_property
    def _elsewhere(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for part, names in self._parts.items():
            for name in (*names.trusts, *names.resources, *names.runtimes):
                owner = _account_of(name)
                if owner and owner != part:
                    found.setdefault(owner, set()).add(name)
        return found

    def known_elsewhere(self, account: str) -> tuple[str, ...]:
        """Give the ARNs in an account that other accounts name."""
        return tuple(sorted(self._elsewhere.get(account, ())))


def _joined(parts: list[Index]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for part in parts:
        for name, ids in part.items():
            found.setdefault(name, []).extend(ids)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}


def _account_of(name: str) -> str:
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def _is_service(name: str) -> bool:
    return name.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _service(name: str) -> str:
    parts = name.split(":", 5)
    return parts[2] if len(parts) == 6 else ""


# --- one part ---------------------------------------------------------------------------------


def names_of_part(facts: Facts, scope: str) -> NamesOfPart:
    """Work the names of one part out, from its facts only."""
    part = facts.part(scope)
    found = NamesOfPart({}, {}, {}, {}, [], {}, [], [], [])
    singled: set[str] = set()
    runtimes = {runtime.id for runtime in part.runtimes}
    resources = {resource.id: resource.kind.partition(":")[0] for resource in part.resources}
    read = _Reader(facts)
    for attachment in part.attachments:
        target = attachment.target
        if attachment.kind not in ("trust", "resource", "acl", "grant", "access-policy"):
            continue
        if attachment.kind == "access-policy" and not target.startswith("arn:"):
            continue  # of another cloud, and no such policy
        if attachment.kind == "trust" and not target.startswith("arn:"):
            continue  # a federated credential of another cloud: no policy, and of no role
        if attachment.kind in ("resource", "acl", "access-policy"):
            said = read.said(attachment)
            singled |= said.singled
            if said.personal and target in runtimes:
                found.personal.append(target)
        elif attachment.kind == "trust":
            said = read.said(attachment)
            if said.personal or any(map(_of_one, (*said.named, *said.singled))):
                found.trusting_some.append(target)
        for name in read.names(attachment):
            if attachment.kind == "trust":
                _add(found.trusts, name, target)
                continue
            if target in resources:
                _add(found.resources, name, target)
                if resources[target] != _service(target):
                    found.services[target] = resources[target]
            if target in runtimes:
                _add(found.runtimes, name, target)
    for principal in part.principals:
        if principal.kind == "oidc-provider" and principal.provider == "aws":
            _add(found.issuers, principal.id.partition(":oidc-provider/")[2], principal.id)
    for runtime in part.runtimes:
        for arn in dict.fromkeys(loaded_by(runtime)):
            found.loads.setdefault(arn, []).append(runtime.id)
    found.opening = [r.id for r in part.resources if OPENS_TAG in r.tags]
    found.singled, found.personal = sorted(singled), sorted(set(found.personal))
    found.trusting_some = sorted(set(found.trusting_some))
    facts.cherish(found.shared(scope))
    return _sorted(found)


#: Services whose things are loaded by what runs, and the links that say so.
_LOADED, _LOADING = frozenset({"s3", "ecr"}), frozenset({"pulls", "reads"})


def loaded_by(runtime: Runtime) -> Iterator[str]:
    """Give the ARNs of objects and repositories that a runtime of AWS loads from."""
    for link in runtime.links if runtime.provider == "aws" else ():
        arn = arn_of(link.target, runtime)
        loaded = link.kind in _LOADING and _service(arn) in _LOADED
        if loaded and not is_pinned(link.target):
            yield arn


def _sorted(found: NamesOfPart) -> NamesOfPart:
    for index in (found.trusts, found.resources, found.runtimes, found.issuers, found.loads):
        for ids in index.values():
            ids.sort()
    found.opening.sort()
    return found


def _add(index: Index, name: str, target: str) -> None:
    ids = index.setdefault(name, [])
    if target not in ids[-1:] and target not in ids:
        ids.append(target)


#: Stands for a resource's own name in its policy, so that alike policies are read once.
_ITSELF = "arn:x:x:x:x:itself"


class _SaidOf(msgspec.Struct, frozen=True):
    """Whom a document may let in, whom it denies or spares, and whether it asks who calls."""

    named: tuple[str, ...]
    singled: frozenset[str]
    personal: bool


class _Reader:
    """Reads each text of a policy once, however many resources have it about themselves."""

    def __init__(self, facts: Facts) -> None:
        self._documents = facts.snapshot.documents
        self._read: dict[str, _SaidOf] = {}

    def names(self, attachment: Attachment) -> tuple[str, ...]:
        """Give whom an attached document may mean; `*` where that cannot be told."""
        raw = self._documents.get(attachment.document)
        if attachment.kind == "grant":
            return _grantee(bytes(raw).decode("utf-8", "replace")) if raw is not None else ()
        named = self.said(attachment).named
        partition = _partition(attachment.target)
        return named if partition == "aws" else tuple(_in(partition, name) for name in named)

    def said(self, attachment: Attachment) -> _SaidOf:
        """Give what an attached document says of principals."""
        raw = self._documents.get(attachment.document)
        text = (bytes(raw) if raw is not None else b"").decode("utf-8", "replace")
        if attachment.kind == "resource" and attachment.target.startswith("arn:"):
            text = text.replace(attachment.target, _ITSELF)
        if text not in self._read:
            document = compile_document(text)
            self._read[text] = _SaidOf(
                tuple(dict.fromkeys(_named(document))),
                frozenset(_singled(document)),
                any(map(asks_who, document.statements)),
            )
        return self._read[text]


def _of_one(name: str) -> bool:
    """Is it the name of a user or role?"""
    return (name.startswith("arn:") and not name.endswith(":root")) or name.startswith("A")


def _partition(target: str) -> str:
    return target.split(":", 2)[1] if target.startswith("arn:") else "aws"


def _in(partition: str, name: str) -> str:
    """An account that is named by its number alone is one of the same partition."""
    return name.replace("arn:aws:", f"arn:{partition}:", 1) if name.endswith(":root") else name


def _singled(document: PolicyDocument) -> Iterator[str]:
    for statement in document.statements:
        named = statement.principals
        if named is not None and (named.negated or statement.effect is Effect.DENY):
            yield from map(_role_of, named.aws)


#: What begins the keys that tell one caller of an account from another.
_PERSONAL = ("aws:principalarn", "aws:principaltag", "aws:userid", "aws:username")


def asks_who(statement: Statement) -> bool:
    """Does a statement ask which caller of an account it is?"""
    texts = [
        text.lower()
        for condition in statement.conditions
        for text in (condition.key, *condition.values)
    ]
    texts += [glob.lower() for glob in (statement.resources.globs if statement.resources else ())]
    return any(key in text for text in texts for key in _PERSONAL)


def _grantee(text: str) -> tuple[str, ...]:
    try:
        return (msgspec.json.decode(text, type=WrittenGrant).GranteePrincipal,)
    except msgspec.MsgspecError:
        return ()


class _Constraints(msgspec.Struct):
    EncryptionContextEquals: dict[str, str] = {}
    EncryptionContextSubset: dict[str, str] = {}


class WrittenGrant(msgspec.Struct):
    """A KMS grant as ListGrants gives it.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html"""

    GranteePrincipal: str = ""
    Operations: tuple[str, ...] = ()
    GrantId: str = ""
    Constraints: _Constraints = msgspec.field(default_factory=_Constraints)


def _named(document: PolicyDocument) -> Iterator[str]:
    """Whom the allowing statements of a document may mean; `*` where that cannot be told."""
    if document.problems:
        yield "*"
    for statement in document.statements:
        if statement.effect is Effect.ALLOW:
            yield from _named_in(statement)


def _named_in(statement: Statement) -> Iterator[str]:
    principals = statement.principals
    if principals is None or principals.negated or principals.everyone:
        yield "*"
        return
    for name in principals.aws:
        yield _role_of(name)
    yield from principals.services
    yield from principals.federated


def _role_of(name: str) -> str:
    """A session's ARN stands for its role, as far as an index is concerned."""
    if ":assumed-role/" not in name:
        return name
    parts = name.split(":", 5)
    role = parts[5].split("/")[1]
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{role}"
