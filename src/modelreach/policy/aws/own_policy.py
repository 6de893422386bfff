"""What a resource's own policy says, the resource's own name left open: so that resources of which
nothing but the name differs are found to be alike."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.matching import meets
from modelreach.policy.aws.statement import Principals, Statement
from modelreach.policy.glob import canonical, match

#: Stands for the resource's own id in its policy.
ITSELF = "arn:x:x:x:x:\xff\xfe\xfd\xff"
#: Stands for the account that asks, where a policy names it.
_ASKING = "asking"


class Written(msgspec.Struct, frozen=True):
    """What a resource's policy says to an account, the resource's own name left open. `others`
    are patterns in it that do not hold that name."""

    statements: tuple[Statement, ...]
    others: tuple[str, ...]


def read(text: str, asking: str) -> Written | None:
    """Read a policy in which the resource's name is `ITSELF`, as an account ("": any) sees it;
    None where it may treat resources differently though only the name differs."""
    document = compile_document(text.encode())
    if document.problems or any(map(_tells, document.statements)):
        return None
    meant = [s for s in document.statements if concerns(s, asking)]
    globs = {glob for s in meant for glob in _globs(s)}
    if any(ITSELF in glob and _partial(glob) for glob in globs):
        return None
    return Written(
        tuple(_bare(s, asking) for s in meant),
        tuple(sorted(g for g in globs if ITSELF not in g and g != "*")),
    )


def concerns(statement: Statement, asking: str) -> bool:
    """May a statement of a resource's policy mean users or roles of an account ("": of any)?"""
    named = statement.principals
    if named is None or named.everyone or named.negated:
        return True
    return any(_names(name, asking) for name in named.aws)


def _names(name: str, asking: str) -> bool:
    return not asking or not name.startswith("arn:") or _account_of(name) == asking


def _account_of(name: str) -> str:
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def _bare(statement: Statement, asking: str) -> Statement:
    """A statement without its place, and without those whom it names in vain; the account that
    asks is the same word for all."""
    named = statement.principals
    if named is not None and not named.negated:
        own, asker = f":{asking}:", f":{_ASKING}:"
        aws = tuple(n.replace(own, asker) for n in named.aws if _names(n, asking))
        named = Principals(aws=aws, everyone=named.everyone)
    return replace(statement, index=0, sid="", text="", principals=named)


def _tells(statement: Statement) -> bool:
    """Does something in a statement hang on the name other than its Resource element?"""
    if statement.not_understood:
        return True
    if statement.variables and any("${" in g for g in _globs(statement)):
        return True
    named = statement.principals
    texts = [value for condition in statement.conditions for value in condition.values]
    texts += [condition.key for condition in statement.conditions]
    if named is not None:
        texts += [*named.aws, *named.services, *named.federated, *named.canonical_users]
    return any(ITSELF in text for text in texts)


def _globs(statement: Statement) -> tuple[str, ...]:
    return statement.resources.globs if statement.resources else ()


def _partial(glob: str) -> bool:
    return any(relation(glob, ITSELF + separator) == "part" for separator in "/:")


def relations(glob: str, name: str) -> tuple[str, ...]:
    """Give how a pattern lies to what is in a resource, by separator."""
    return tuple(relation(glob, name + separator) for separator in "/:")


def relation(glob: str, start: str) -> str:
    """Give how a pattern lies to all that goes on from a start: `all`, `part` or `none` of it."""
    if canonical(glob).endswith("*") and match(glob, start):
        return "all"
    return "part" if meets(glob, start + "*") else "none"
