"""Grants on KMS keys, which allow without any policy.

https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelreach_reference.aws.principals import Named, named_by
from modelreach_reference.aws.request import PrincipalKind, Request
from modelreach_reference.aws.shapes import as_list, as_object

PREFIX = "kms:encryptioncontext:"

CONSTRAINED = frozenset(
    {
        *("encrypt", "decrypt", "reencryptfrom", "reencryptto", "generatedatakey"),
        *("generatedatakeywithoutplaintext", "generatedatakeypair"),
        "generatedatakeypairwithoutplaintext",
    }
)
"""The operations that take an encryption context; constraints are for these alone."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant: to whom, for which operations, and with which encryption context.

    The request's encryption context must be exactly `equals`, if that is given, and must have all
    that `subset` has.
    """

    grantee: str
    operations: frozenset[str]
    equals: Mapping[str, str] | None
    subset: Mapping[str, str]

    def permits(self, request: Request) -> bool:
        """Say whether this grant allows a request."""
        operation = request.action.lower().removeprefix("kms:")
        return (
            request.service == "kms"
            and operation in self.operations
            and self._is_for(request)
            and (operation not in CONSTRAINED or self._fits_context(request))
        )

    def _is_for(self, request: Request) -> bool:
        principal = request.principal
        if principal.kind is PrincipalKind.SERVICE:
            return self.grantee == principal.name
        return named_by({"AWS": self.grantee}, principal) >= Named.ROLE

    def _fits_context(self, request: Request) -> bool:
        """Compare with the encryption context, which is in the request as condition keys.

        https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
        """
        given = {
            key.removeprefix(PREFIX): values
            for key, values in request.context.items()
            if key.startswith(PREFIX)
        }
        wanted = {**self.subset, **(self.equals or {})}
        has_all = all(given.get(name) == (value,) for name, value in wanted.items())
        return has_all and (self.equals is None or set(given) == set(self.equals))


def read_grants(listed: object) -> list[Grant]:
    """Read the grants of a record; what is not a grant allows nothing."""
    return [_grant(as_object(item)) for item in as_list(listed)]


def _grant(item: Mapping[str, object]) -> Grant:
    constraints = as_object(item.get("constraints"))
    equals = constraints.get("EncryptionContextEquals")
    return Grant(
        grantee=str(item.get("grantee", "")),
        operations=frozenset(str(name).lower() for name in as_list(item.get("operations"))),
        equals=_pairs(equals) or None,
        subset=_pairs(constraints.get("EncryptionContextSubset")),
    )


def _pairs(value: object) -> Mapping[str, str]:
    """Read an encryption context; the names of condition keys ignore the case."""
    return {name.lower(): str(text) for name, text in as_object(value).items()}
