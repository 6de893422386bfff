"""What was read whole, and what was not."""

from __future__ import annotations

from modelreach.snapshot import Coverage
from modelreach_kubernetes.estate import Read
from modelreach_kubernetes.kinds import ENTRY_KIND, ENTRY_PERMISSION, KINDS, Kind
from modelreach_kubernetes.parse.facts import PROVIDER, Facts

#: What tells which cluster of a cloud a cluster is.
_IDENTIFYING = {"issuer", "arn", "resource_name", "resource_id"}


def coverage_of(found: Read, facts: Facts) -> None:
    """Add coverage for every kind that was asked for, and a gap for each that did not come."""
    for refusal in found.refusals:
        facts.gap(
            facts.scope(refusal.namespace),
            refusal.kind.gap,
            refusal.reason,
            operation=_asked(refusal.kind),
            permission=_asked(refusal.kind),
            message=refusal.message,
        )
    complete: dict[tuple[str, str], bool] = {}
    for kind in KINDS:
        for name, namespace in found.whole:
            if name == kind.qualified + kind.selector:
                complete.setdefault((facts.scope(namespace), kind.gap), True)
    for refusal in found.refusals:
        complete[(facts.scope(refusal.namespace), refusal.kind.gap)] = False
    facts.coverage.extend(
        Coverage(provider=PROVIDER, scope=scope, kind=kind, complete=whole)
        for (scope, kind), whole in complete.items()
    )
    if not found.loose and not _IDENTIFYING & found.about.keys():
        facts.gap(
            facts.cluster,
            "cluster-identity",
            "not-collected",
            operation="get /.well-known/openid-configuration",
            permission="get /.well-known/openid-configuration",
            message="nothing tells which cluster of a cloud this is; name it by --cluster-id",
        )
    if found.loose:
        _not_in_files(found, facts)


def _asked(kind: Kind) -> str:
    return ENTRY_PERMISSION if kind == ENTRY_KIND else f"list {kind.qualified}"


def _not_in_files(found: Read, facts: Facts) -> None:
    """Files hold what they hold: what else the cluster binds, and has, is not known from them.
    One gap says so of bindings, on which decisions hang, and one of all the rest."""
    whole = {name for name, _ in found.whole}
    left = {
        kind.gap: kind.qualified
        for kind in reversed(KINDS)
        if not (kind.optional or kind.selector or kind.qualified in whole)
    }
    bindings = left.pop("bindings", "")
    rest = ", ".join(sorted(left.values()))
    for kind, names in (("bindings", bindings), ("resources", rest)):
        if names:
            facts.gap(
                facts.cluster,
                kind,
                "not-collected",
                operation="list all else" if kind == "resources" else f"list {names}",
                message=f"the files hold some, and say nothing of others: {names}",
            )
