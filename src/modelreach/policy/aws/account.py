"""The facts of one AWS account, arranged for looking up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar

from modelreach.policy.aws.addresses import image_unread
from modelreach.policy.aws.kinds import ALIASES
from modelreach.snapshot import Coverage, Credential, Facts, Principal, Resource, Runtime

_T = TypeVar("_T")


class Account:
    """One account. Indexes are made when first asked for."""

    def __init__(self, facts: Facts, account: str) -> None:
        self._facts, self._account = facts, account

    def _of(self, section: str) -> tuple[Any, ...]:
        return self._facts.section(self._account, section)

    @cached_property
    def principals(self) -> dict[str, tuple[Principal, ...]]:
        """Principals by kind."""
        return _by((p for p in self._of("principals") if p.provider == "aws"), lambda p: p.kind)

    @cached_property
    def roles(self) -> dict[str, Principal]:
        """Roles by name."""
        return {
            p.name or p.id.rsplit("/", 1)[-1]: p
            for p in self._of("principals")
            if p.kind == "role"
        }

    @cached_property
    def groups(self) -> dict[str, str]:
        """The ids of groups by name."""
        return {p.id.rsplit("/", 1)[-1]: p.id for p in self._of("principals") if p.kind == "group"}

    @cached_property
    def versioned(self) -> bool:
        """Has it a policy of which there are other versions than the one in force?"""
        return any(len(policy.versions) > 1 for policy in self._of("managed_policies"))

    @cached_property
    def credentials(self) -> dict[str, tuple[Credential, ...]]:
        """Credentials by kind."""
        return _by((c for c in self._of("credentials") if c.provider == "aws"), lambda c: c.kind)

    @cached_property
    def runtimes(self) -> dict[str, tuple[Runtime, ...]]:
        """Runtimes by kind."""
        return _by((r for r in self._of("runtimes") if r.provider == "aws"), lambda r: r.kind)

    @cached_property
    def linking(self) -> dict[str, tuple[Runtime, ...]]:
        """Runtimes with links, read or not, by kind."""
        every = (r for of in self.runtimes.values() for r in of)
        linking = (r for r in every if r.links or image_unread(r))
        return _by(linking, lambda r: r.kind)

    @cached_property
    def by_service(self) -> dict[str, tuple[str, ...]]:
        """Sorted resource ids by service."""
        aws = (
            (kind, ids) for (kind, provider), ids in self._resources.items() if provider == "aws"
        )
        return _joined((kind.partition(":")[0], ids) for kind, ids in aws)

    @cached_property
    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """Sorted resource ids by the kind that patterns speak of."""
        return _joined(
            (ALIASES.get(kind, kind), ids) for (kind, _), ids in self._resources.items()
        )

    @cached_property
    def _resources(self) -> dict[tuple[str, str], list[str]]:
        """Resource ids by kind and provider: of many resources there are few kinds."""
        resources: tuple[Resource, ...] = self._of("resources")
        groups: dict[tuple[str, str], list[str]] = {}
        for one in resources:
            groups.setdefault((one.kind, one.provider), []).append(one.id)
        return groups

    @cached_property
    def coverage(self) -> dict[str, tuple[bool, ...]]:
        """Whether each collection of a kind (one a region) came whole."""
        collected: tuple[Coverage, ...] = self._of("coverage")
        rows = _by(collected, lambda row: ALIASES.get(row.kind, row.kind))
        return {kind: tuple(row.complete for row in of) for kind, of in rows.items()}


def _by(facts: Iterable[_T], key: Callable[[_T], str]) -> dict[str, tuple[_T, ...]]:
    groups: dict[str, list[_T]] = {}
    for fact in facts:
        groups.setdefault(key(fact), []).append(fact)
    return {name: tuple(members) for name, members in groups.items()}


def _joined(groups: Iterable[tuple[str, list[str]]]) -> dict[str, tuple[str, ...]]:
    """Put ids under the same name together, sorted."""
    found: dict[str, list[str]] = {}
    for name, ids in groups:
        found.setdefault(name, []).extend(ids)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}
