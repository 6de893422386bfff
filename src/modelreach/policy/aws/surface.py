"""On which facts the answer about one principal hangs, beyond those of its own account.

Another account matters to a principal only by its surface: the resources and roles whose own
policies may let in somebody of the principal's account, and what loads from a bucket or repository
to which it may write. Where none of these changed, a change in one account is nobody else's
matter; where one did, it matters to those of the accounts that it may let in, now or before, whose
policies may touch it.
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec

from modelreach.digests import sha256
from modelreach.policy.aws.kinds import ALIASES
from modelreach.policy.aws.named import VERSION as NAMES
from modelreach.policy.aws.named import NamesOfPart, names_of_part
from modelreach.snapshot import Attachment, Fact, Facts, Part, Principal, Resource, Runtime

VERSION = "aws-surface/4"

#: Stands for any account.
ANY = "*"


class Thing(msgspec.Struct, array_like=True):
    """Something that others may have: a digest of all that is said of it, and the accounts that
    it may let in.

    `granted`: it may be had without any policy of one's own. `keyed` are other accounts under
    whose keys it is; `runs`: it runs something, of which what can be done hangs on all of its
    account.
    """

    digest: str
    opens: tuple[str, ...]
    granted: bool = False
    keyed: tuple[str, ...] = ()
    runs: bool = False


class SurfaceOfPart(msgspec.Struct):
    """What others may hang on in one part.

    `keys` is a digest of its keys, `listing` of which resources there are. `outward` are accounts
    that its facts mention, `keyed` those under whose keys its resources are, `mentioned` ids that
    do not say where they are. `loads` are digests of what loads from a place, by its ARN.
    """

    things: dict[str, Thing] = {}
    keys: str = ""
    listing: str = ""
    outward: tuple[str, ...] = ()
    keyed: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    loads: dict[str, str] = {}


#: Things that are not as they were, each with whom it may let in, now or before, and whether
#: without a policy of one's own.
Changed = dict[str, tuple[frozenset[str], bool]]


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """By what a surface is told from another one: the digests of the parts' facts, of what stands
    over accounts (all of it, and what others meet), and of what was not read of single things: see
    `above`."""

    sources: dict[str, bytes]
    over: dict[str, tuple[bytes, bytes]]
    unread: dict[str, bytes]


class Surface:
    """The surfaces of all parts."""

    def __init__(self, parts: Mapping[str, SurfaceOfPart], seen: Seen) -> None:
        self._parts, self.seen = parts, seen

    @staticmethod
    def of(
        facts: Facts, over: dict[str, tuple[bytes, bytes]], unread: dict[str, bytes]
    ) -> "Surface":
        """Give that of a snapshot, with what is seen of it besides."""
        found = {part: of_part(facts, part) for part in facts.parts}
        facts.keep()
        sources = {part: facts.digest_of(part) for part in facts.parts}
        return Surface(found, Seen(sources, over, unread))

    def before(self, facts: Facts, seen: Seen) -> "Surface | None":
        """Give that of the snapshot of which this was seen, if it is known still."""
        found: dict[str, SurfaceOfPart] = {}
        for part, source in seen.sources.items():
            known = self._parts.get(part) if self.seen.sources.get(part) == source else None
            known = known or facts.remembered_of(source, VERSION, SurfaceOfPart)
            if known is None:
                return None
            found[part] = known
        return Surface(found, seen)

    def part(self, account: str) -> SurfaceOfPart:
        """Give the surface of one part; an empty one where there is none."""
        return self._parts.get(account, _NONE)

    @cached_property
    def _things(self) -> dict[str, tuple[tuple[object, ...], Thing]]:
        return {
            name: (self._whole(scope, thing), thing)
            for scope, part in self._parts.items()
            for name, thing in part.things.items()
        }

    def opens(self, name: str) -> tuple[str, ...]:
        """Give the accounts that a thing may let in; none of one that is not on a surface."""
        known = self._things.get(name)
        return known[1].opens if known is not None else ()

    @cached_property
    def _loads(self) -> dict[str, tuple[tuple[str, str], ...]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for scope, part in sorted(self._parts.items()):
            for arn, digest in part.loads.items():
                found.setdefault(arn, []).append((scope, digest))
        return {arn: tuple(digests) for arn, digests in found.items()}

    def loaded_since(self, before: "Surface") -> tuple[str, ...]:
        """Give the ARNs from which something loads that did not, or otherwise, or does not any
        more."""
        mine, theirs = self._loads, before._loads
        names = mine.keys() | theirs.keys()
        return tuple(sorted(name for name in names if mine.get(name) != theirs.get(name)))

    def _whole(self, scope: str, thing: Thing) -> tuple[object, ...]:
        """Give all that hangs on a thing, other accounts and what stands above included."""
        over = self.seen.over
        found: list[object] = [thing.digest, over.get(scope, _NOTHING)[1]]
        for account in thing.keyed:
            found += (self.part(account).keys, over.get(account, _NOTHING)[1])
        for account in (scope, *self.part(scope).outward) if thing.runs else ():
            found += (self.seen.sources.get(account), over.get(account))
        return tuple(found)

    def since(self, before: "Surface") -> Changed:
        """Give what is on the surface that was not, or was otherwise, or is not any more; and
        what was read of which it was not, or is not any more."""
        mine, theirs = self._things, before._things
        found: Changed = {}
        for name in mine.keys() | theirs.keys():
            now, then = mine.get(name), theirs.get(name)
            if now is None or then is None or now[0] != then[0]:
                sides = [side[1] for side in (now, then) if side is not None]
                opens = frozenset(account for side in sides for account in side.opens)
                found[name] = opens, any(side.granted for side in sides)
        now_unread, then_unread = self.seen.unread, before.seen.unread
        for name in now_unread.keys() | then_unread.keys():
            if now_unread.get(name) != then_unread.get(name):
                # Whom it lets in was not read once: it may have been anybody.
                _, granted = found.get(name, (frozenset(), False))
                found[name] = frozenset({ANY}), granted or _granted(name, mine, theirs)
        return found


def _granted(name: str, *sides: Mapping[str, tuple[tuple[object, ...], Thing]]) -> bool:
    return any(side[name][1].granted for side in sides if name in side)


_NONE = SurfaceOfPart()
_NOTHING = (b"", b"")


# --- one part ---------------------------------------------------------------------------------


def of_part(facts: Facts, part: str) -> SurfaceOfPart:
    """Give the surface of a part, and have it remembered with the names that it is made of."""
    return facts.remembered(part, VERSION, lambda: _of_part(facts, part), SurfaceOfPart)


def _of_part(facts: Facts, scope: str) -> SurfaceOfPart:
    part = facts.part(scope)
    names = facts.remembered(scope, NAMES, lambda: names_of_part(facts, scope), NamesOfPart)
    opening = _open(names, scope)
    said = _Said(part, opening)
    outward, keyed, mentioned = _mentions(part, scope)
    return SurfaceOfPart(
        {name: said.of(name, opens) for name, opens in sorted(opening.items())},
        said.keys(),
        _listing(part),
        outward,
        keyed,
        mentioned,
        _loads(part, names),
    )


def _open(names: NamesOfPart, scope: str) -> dict[str, tuple[str, ...]]:
    """Give what may let in others, each with their accounts."""
    found: dict[str, set[str]] = {}
    for index in (names.trusts, names.resources, names.runtimes):
        for name, targets in index.items():
            account = _meant(name)
            if account and account != scope:
                for target in targets:
                    found.setdefault(target, set()).add(account)
    return {name: tuple(sorted(accounts)) for name, accounts in found.items()}


def _loads(part: Part, names: NamesOfPart) -> dict[str, str]:
    """Give digests of what loads from a place: what it is, as whom it runs, and what it loads."""
    facts = {one.id: one for one in part.runtimes}
    return {
        arn: _digest(msgspec.structs.replace(facts[name], tags={}) for name in ids)
        for arn, ids in sorted(names.loads.items())
    }


def _meant(name: str) -> str:
    """Give the account of those whom a name in a policy may mean, `ANY` where it does not say;
    "" for a service. An identity provider's tokens are no matter of principals here."""
    parts = name.split(":", 5)
    if len(parts) == 6:
        return parts[4] or ANY
    return "" if name.endswith((".amazonaws.com", ".amazonaws.com.cn")) else ANY


class _Said:
    """Digests of all that a part says of a thing, and of its key."""

    def __init__(self, part: Part, names: Iterable[str]) -> None:
        self._runs = {runtime.id for runtime in part.runtimes}
        self._keys = [one.id for one in part.resources if one.kind == "kms:key"]
        self._facts: dict[str, list[Fact]] = {name: [] for name in (*names, *self._keys)}
        things: tuple[tuple[Principal | Resource | Runtime, ...], ...]
        things = (part.principals, part.resources, part.runtimes)
        for thing in (one for facts in things for one in facts):
            if thing.id in self._facts:
                self._facts[thing.id].append(thing)
        for attachment in part.attachments:
            if attachment.target in self._facts:
                self._facts[attachment.target].append(attachment)

    def of(self, name: str, opens: tuple[str, ...]) -> Thing:
        """Give a thing that lets these in."""
        facts = self._facts.get(name, [])
        keys = [key for fact in facts if (key := _key_of(fact))]
        known = [fact for key in keys for fact in self._facts.get(key, ())]
        away = {account_of(key) for key in keys if key not in self._facts}
        granted = any(isinstance(fact, Attachment) and fact.kind == "grant" for fact in facts)
        digest = _digest([fact for fact in (*facts, *known) if not _own_matter(fact)])
        keyed = tuple(sorted(filter(None, away)))
        return Thing(digest, opens, granted, keyed, name in self._runs)

    def keys(self) -> str:
        """Give a digest of all keys; "" for none."""
        facts = [fact for key in sorted(self._keys) for fact in self._facts[key]]
        return _digest(facts) if facts else ""


def _own_matter(fact: Fact) -> bool:
    """Is it what somebody may do, and not who may have it?"""
    return isinstance(fact, Attachment) and fact.kind == "identity"


def _key_of(fact: Fact) -> str:
    return str(fact.attributes.get("kms_key", "")) if isinstance(fact, Resource) else ""


def _digest(facts: Iterable[Fact]) -> str:
    seen = (
        msgspec.structs.replace(fact, last_used="") if isinstance(fact, Principal) else fact
        for fact in facts
    )
    return sha256(*(msgspec.json.encode(fact, order="sorted") for fact in seen)).hexdigest()[:32]


def _listing(part: Part) -> str:
    """Give a digest of what speaks for patterns of others: which resources are listed, what was
    collected, and whether roles were."""
    roles = any(principal.kind == "role" for principal in part.principals)
    listed = sorted([(one.id, ALIASES.get(one.kind, one.kind)) for one in part.resources])
    rows = sorted((row.kind, row.region, row.complete) for row in part.coverage)
    return sha256(msgspec.json.encode((roles, listed, rows))).hexdigest()[:32]


def account_of(name: str) -> str:
    """Give the account of an ARN."""
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def is_account(text: str) -> bool:
    """Is it the number of an account?"""
    return len(text) == 12 and text.isdecimal()


def accounts_in(text: str) -> set[str]:
    """Give the numbers of accounts in an address or pattern."""
    return set(filter(is_account, text.replace("/", ":").replace(".", ":").split(":")))


def _mentions(part: Part, scope: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Give the accounts that facts mention, those under whose keys resources are, and the
    buckets that they mention."""
    found: set[str] = set()
    loose: set[str] = set()
    for text in set(_texts(part)):
        if text.startswith("s3://") or ":s3:::" in text:
            bucket = text.removeprefix("s3://").rpartition(":::")[2].split("/")[0]
            loose.add(f"arn:aws:s3:::{bucket}")
        found |= accounts_in(text)
    keyed = {account for one in part.resources for account in accounts_in(_key_of(one))}
    return (
        tuple(sorted(found - {scope})),
        tuple(sorted(keyed - {scope})),
        tuple(sorted(loose)),
    )


#: What the keys of a part are compared for by themselves.
_OF_KEYS = {"kms_key"}


def _texts(part: Part) -> Iterator[str]:
    for runtime in part.runtimes:
        yield from runtime.identities
        yield from (link.target for link in runtime.links)
        yield from _values(runtime.attributes)
    for resource in part.resources:
        if resource.attributes.keys() - _OF_KEYS:
            others = {k: v for k, v in resource.attributes.items() if k not in _OF_KEYS}
            yield from _values(others)
    for principal in part.principals:
        yield from principal.groups
        yield from _values(principal.attributes)
    yield from (credential.principal for credential in part.credentials)


def _values(attributes: Mapping[str, object]) -> Iterator[str]:
    for value in attributes.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (str(one) for one in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
