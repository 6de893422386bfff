"""Evaluated sides by what they are made of, so that one run evaluates nothing twice."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from modelreach import deployment as manifests
from modelreach.deployment import Deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import Release, Side, evaluate
from modelreach.pipeline.evaluate import Estates, identities_of
from modelreach.snapshot import Snapshot
from modelreach.state import AuditRow
from modelreach.store import beside

if TYPE_CHECKING:
    from modelreach.state.database import State

#: How many sides and estates are kept in memory: what one round of many deployments needs again.
_SIDES: Final = 256
_ESTATES: Final = 6


class Evaluated:
    """Gives the side of a release in an estate, or of an audit that is kept."""

    def __init__(self, state: State, policy: JudgePolicy) -> None:
        self._state, self._policy = state, policy
        self._manifests: dict[str, Deployment] = {}
        self._sides: OrderedDict[tuple[str, str], Side] = OrderedDict()
        self._estates: OrderedDict[str, tuple[Snapshot, Estates]] = OrderedDict()

    def know(self, digest: str, snapshot: Snapshot) -> None:
        """Take a snapshot that is at hand, so that it is not read again."""
        if digest not in self._estates:
            self._estates[digest] = (snapshot, Estates(keeping=True))
            while len(self._estates) > _ESTATES:
                self._estates.popitem(last=False)

    def deployment(self, name: str, raw: bytes, digest: str) -> Deployment:
        """Read a manifest, once."""
        if digest not in self._manifests:
            self._manifests[digest] = manifests.decode(raw, place=name)
        return self._manifests[digest]

    def side(
        self,
        name: str,
        raw: bytes,
        manifest: str,
        snapshot: str,
        were_there: frozenset[str],
    ) -> Side:
        """Evaluate a manifest (its name, bytes and digest) in a snapshot that is kept. Of the
        identities that `were_there` it is told where one is gone."""
        key = (manifest, snapshot)
        if key not in self._sides:
            estate, estates = self._estate(snapshot)
            release = Release(
                self.deployment(name, raw, manifest),
                estate,
                manifest_name=name,
                manifest_digest=manifest,
                snapshot_name=f"the snapshot of {estate.taken_at}",
                snapshot_digest=snapshot,
                raw=raw,
                were_there=were_there,
            )
            self._sides[key] = evaluate(release, self._policy, estates)
            while len(self._sides) > _SIDES:
                self._sides.popitem(last=False)
        self._sides.move_to_end(key)
        return self._sides[key]

    def of(self, audit: AuditRow) -> Side:
        """Evaluate what an audit saw, anew: by the rules of today."""
        raw = self._state.manifest(audit.manifest)
        were_there = self.identities(audit)
        return self.side(audit.manifest_name, raw, audit.manifest, audit.snapshot, were_there)

    def identities(self, audit: AuditRow | None) -> frozenset[str]:
        """Give as whom a release ran at an audit; nobody before the first one."""
        if audit is None:
            return frozenset()
        raw = self._state.manifest(audit.manifest)
        return identities_of(self.deployment(audit.manifest_name, raw, audit.manifest))

    def _beside(self, digest: str) -> Snapshot | None:
        """Give a snapshot from the store that another one came from, with what was found there."""
        known = (beside(snapshot, digest) for snapshot, _ in self._estates.values())
        return next((one for one in known if one is not None), None)

    def _estate(self, digest: str) -> tuple[Snapshot, Estates]:
        if digest not in self._estates:
            self.know(digest, self._beside(digest) or self._state.snapshot(digest))
        self._estates.move_to_end(digest)
        return self._estates[digest]
