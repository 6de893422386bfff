"""The connector as the program knows it: collect or replay, list its calls, give its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from modelreach.collect.extras import needing
from modelreach.collect.recording import prepare
from modelreach.model import InputError
from modelreach.plugins import CallPermission, CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_kubernetes import files
from modelreach_kubernetes.estate import Read
from modelreach_kubernetes.kinds import ENTRY_FEEDS, ENTRY_PERMISSION, KINDS, PATHS, Kind
from modelreach_kubernetes.parse import parse


@dataclass(frozen=True, slots=True)
class KubernetesConnector:
    """One cluster a run."""

    name: str = "kubernetes"

    def collect(self, options: CollectOptions) -> Snapshot:
        """Read the cluster, or `options.sources`. Refused lists become gaps.

        Raises `NothingCollected` when nothing answered, `InputError` for unusable sources or
        contexts, `MissingExtra` when a cluster is to be asked and the client is not installed.
        """
        if options.record:
            prepare(options.record)
        if options.sources:
            cluster = next(iter(options.settings.get("cluster", ())), "")
            found = files.read_files(
                options.sources, cluster, options.now, _one_namespace(options)
            )
        else:
            found = self._live(options)
        found.about.update(_declared(next(iter(options.settings.get("cluster-id", ())), "")))
        if options.record:
            files.write(options.record, found)
        return parse(found)

    def _live(self, options: CollectOptions) -> Read:
        with needing("kubernetes", "collecting from a cluster"):
            from modelreach_kubernetes.live import read_cluster
        return read_cluster(options)

    def calls(self) -> Sequence[CallPermission]:
        """Every call that `collect` may make, in the order of the table."""
        lists = tuple(
            CallPermission(kind.group or "core", f"list {kind.qualified}", _permission(kind), why)
            for kind in KINDS
            for why in (kind.feeds,)
        )
        entry = CallPermission("core", "get configmaps", ENTRY_PERMISSION, ENTRY_FEEDS)
        paths = tuple(CallPermission("url", f"get {path}", path, why) for path, why in PATHS)
        return (*lists, entry, *paths)

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """The least-privilege ClusterRole, whole or for these permissions only.

        A role that may list secrets may read them, whatever is asked for: whoever cannot give that
        leaves it out, and gets a gap.
        https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
        """
        known = {call.permission for call in self.calls()}
        wanted = known if permissions is None else set(permissions)
        for unknown in sorted(wanted - known):
            raise InputError(
                f"`{unknown}` is not a permission of this connector",
                hint="`modelreach permissions kubernetes` lists them",
            )
        groups: dict[str, set[str]] = {}
        for kind in KINDS:
            if _permission(kind) in wanted:
                groups.setdefault(kind.group, set()).add(kind.plural)
        rules: list[dict[str, object]] = [
            {"apiGroups": [group], "resources": sorted(plurals), "verbs": ["list"]}
            for group, plurals in sorted(groups.items())
        ]
        if ENTRY_PERMISSION in wanted:
            named = {"resources": ["configmaps"], "resourceNames": ["aws-auth"]}
            rules.append({"apiGroups": [""], **named, "verbs": ["get"]})
        paths = sorted(path for path, _ in PATHS if path in wanted)
        if paths:
            rules.append({"nonResourceURLs": paths, "verbs": ["get"]})
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "modelreach-reader"},
            "rules": rules,
        }


def _declared(name: str) -> dict[str, str]:
    """What a cluster is said to be in its cloud.

    Raises `InputError` for an id of no cloud that is known.
    """
    if not name:
        return {}
    for start, attribute in _OF_CLOUDS.items():
        if name.lower().startswith(start):
            return {attribute: name}
    raise InputError(
        f"`{name}` is not the id of a cluster in a cloud",
        place="--cluster-id",
        hint="an ARN of EKS, //container.googleapis.com/projects/… of GKE, or /subscriptions/… "
        "of AKS",
    )


_OF_CLOUDS: Final = {
    "arn:": "arn",
    "//container.googleapis.com/": "resource_name",
    "/subscriptions/": "resource_id",
}


def _one_namespace(options: CollectOptions) -> str:
    given = options.settings.get("namespace", ())
    if len(given) > 1:
        raise InputError(
            "objects of files that say no namespace can be put into one, not into several",
            place="--namespace",
            hint="give it once with --from",
        )
    return next(iter(given), "")


def _permission(kind: Kind) -> str:
    return f"list {kind.qualified}"
