"""A policy statement of AWS, taken apart once; shared by every principal that it applies to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Effect(StrEnum):
    """What a statement does when it applies."""

    ALLOW = "Allow"
    DENY = "Deny"


class Patterns(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """`Action` or `Resource` (`negated`: `NotAction`, `NotResource`): any of the globs.

    Action patterns are in lower case; resource patterns as written, policy variables still in
    them where the policy version has variables.
    """

    globs: tuple[str, ...]
    negated: bool = False


ANYTHING = Patterns(("*",))


class Principals(msgspec.Struct, frozen=True, gc=False):
    """`Principal` (`negated`: `NotPrincipal`) of a resource policy.

    `everyone` is `"*"` or `{"AWS": "*"}`. `aws` holds ARNs, unique ids, and account ids
    normalised to `arn:aws:iam::ID:root` (partition kept).
    """

    aws: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_users: tuple[str, ...] = ()
    everyone: bool = False
    negated: bool = False


class Quantifier(StrEnum):
    """Set operator before a condition operator."""

    NONE = ""
    FOR_ALL_VALUES = "ForAllValues"
    FOR_ANY_VALUE = "ForAnyValue"


class Condition(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """One operator with one key. `operator` is in AWS's spelling without quantifier and IfExists;
    `key` as written; `values` are strings as the policy gave them (booleans and numbers as
    JSON writes them)."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: Quantifier = Quantifier.NONE
    if_exists: bool = False


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One statement. A part named in `not_understood` could not be read: the statement then
    neither allows nor denies for certain, wherever the understood parts match.

    `resources` is None where the document has none (trust policies); it then matches all.
    `variables` says that policy variables are expanded (version 2012-10-17).
    """

    index: int
    sid: str
    effect: Effect
    actions: Patterns
    resources: Patterns | None
    principals: Principals | None
    conditions: tuple[Condition, ...] = ()
    variables: bool = True
    text: str = ""
    not_understood: tuple[str, ...] = ()


class PolicyDocument(msgspec.Struct, frozen=True, gc=False):
    """A whole document. `problems` are faults that leave no statement to blame (not JSON, no
    Statement): the document then may allow or deny anything, and is unknown."""

    statements: tuple[Statement, ...] = ()
    problems: tuple[str, ...] = ()
