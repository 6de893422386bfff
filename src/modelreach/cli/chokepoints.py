"""`modelreach chokepoints`: where to cut what a release reaches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from modelreach.cli.options import config_option
from modelreach.model import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from modelreach.chokepoints import Cut, Gate, Severed
    from modelreach.policy.decision import StatementRef
    from modelreach.policy.engine import Grant, Pivot
    from modelreach.reach import BlastRadius
    from modelreach.snapshot import Principal, Resource, Scope, Snapshot

EXAMPLES = """\b
Examples:
  modelreach chokepoints v2.yaml --snapshot estate.snap
  modelreach chokepoints v2.yaml --snapshot estate.snap --to customer-records
  modelreach chokepoints --principal arn:aws:iam::111122223333:role/agent --snapshot e.mrdb
"""


@click.command("chokepoints", epilog=EXAMPLES)
@click.argument("manifest", required=False)
@click.option("--principal", metavar="ID", help="This principal instead of a release.")
@click.option("--snapshot", required=True, metavar="FILE", help="The estate.")
@click.option(
    "--to",
    metavar="NAME|ID",
    help="What to revoke so that this is not reached: a resource, an identity, a scope.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@config_option
def command(
    manifest: str | None,
    principal: str | None,
    snapshot: str,
    to: str | None,
    form: str,
    config: str | None,
) -> None:
    """Show the identities that much of a release's reach hangs on, and the fewest hops to revoke
    so that it cannot take a scope over.

    With --to, only the fewest hops and accesses to revoke so that one thing is not reached.
    """
    import msgspec

    from modelreach.chokepoints import cuts, gates, scopes_around
    from modelreach.cli.config import judge_policy, load
    from modelreach.cli.options import release_of
    from modelreach.cli.scan import of_principal_in
    from modelreach.cli.unknown import tell_undecided
    from modelreach.pipeline import evaluate
    from modelreach.pipeline.evaluate import Estates
    from modelreach.snapshot import facts_of

    if (manifest is None) == (principal is None):
        raise InputError(
            "give either a manifest or --principal",
            hint="modelreach chokepoints v2.yaml --snapshot FILE",
        )
    release = (
        release_of(manifest, snapshot) if manifest else of_principal_in(str(principal), snapshot)
    )
    tell_undecided(release.snapshot, release.snapshot_name)
    radius = evaluate(release, judge_policy(load(config)), Estates(), whole=True).radius
    around = partial(scopes_around, facts=facts_of(release.snapshot))
    if to is not None:
        severed = _severed(radius, to, release.snapshot, around)
        click.echo(_as_json(severed) if form == "json" else _as_text(severed))
        return
    if form == "json":
        told = {
            "identities": [msgspec.to_builtins(gate) for gate in gates(radius)],
            "cuts": {cut.scope: [_hop(hop) for hop in cut.hops] for cut in cuts(radius, around)},
        }
        click.echo(_json(told))
        return
    _tell(gates(radius), cuts(radius, around))


def _severed(
    radius: BlastRadius, name: str, estate: Snapshot, around: Callable[[str], Iterable[str]]
) -> Severed:
    """Give what to revoke so that what is called so is not reached.

    Raises `InputError` for a name of several, and for what is not reached.
    """
    from modelreach.chokepoints import sever
    from modelreach.cli.called import id_of, near

    facts: tuple[Resource | Principal | Scope, ...]
    facts = (*estate.resources, *estate.principals, *estate.scopes)
    target = id_of(name, facts, "--to") or name
    try:
        return sever(radius, target, around)
    except InputError as error:
        hint = "" if target != name else near(name, (fact.name for fact in facts))
        raise InputError(str(error), hint=hint + error.hint) from None


def _json(told: object) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=2).decode()


def _hop(hop: Pivot) -> dict[str, object]:
    return {
        "source": hop.source,
        "target": hop.target,
        "kind": hop.kind,
        "rule": hop.rule,
        "by": [_by(ref) for ref in _lets(hop)],
    }


def _by(ref: StatementRef) -> dict[str, str]:
    return {"policy": ref.policy, "target": ref.target, "sid": ref.sid}


def _as_json(severed: Severed) -> str:
    accesses = [
        {
            "source": access.grant.principal,
            "capability": str(access.grant.capability),
            "actions": access.grant.actions,
            "by": [_by(ref) for ref in access.grant.statements],
        }
        for access in severed.accesses
    ]
    hops = [_hop(hop) for hop in severed.hops]
    return _json({"target": severed.target, "hops": hops, "accesses": accesses})


def _as_text(severed: Severed) -> str:
    from modelreach.cli.terminal import visible

    lines = [f"so that {severed.target} cannot be reached, revoke:"]
    lines += [line for hop in severed.hops for line in _hop_lines(hop)]
    for holder in dict.fromkeys(access.grant.principal for access in severed.accesses):
        grants = [one.grant for one in severed.accesses if one.grant.principal == holder]
        lines.append(f"  {holder} -> {severed.target}: {_capabilities(grants)}")
        lines += _by_lines(dict.fromkeys(ref for grant in grants for ref in grant.statements))
    return "\n".join(map(visible, lines))


def _capabilities(grants: Iterable[Grant]) -> str:
    told: list[str] = []
    for grant in grants:
        more = f" and {len(grant.actions) - 3} more" if len(grant.actions) > 3 else ""
        told.append(f"{grant.capability} ({', '.join(grant.actions[:3])}{more})")
    return ", ".join(told)


def _hop_lines(hop: Pivot) -> list[str]:
    rule = f" ({hop.rule})" if hop.rule else ""
    return [f"  {hop.source} -> {hop.target}: {hop.kind}{rule}", *_by_lines(_lets(hop)[:3])]


def _by_lines(statements: Iterable[StatementRef]) -> list[str]:
    return [
        f"    by {_policy(ref.policy)} of {ref.target}, statement {ref.sid or ref.index + 1}"
        for ref in statements
    ]


def _policy(name: str) -> str:
    return name if name.lower().endswith("policy") else f"policy {name}"


def _tell(found: Sequence[Gate], cuts: Iterable[Cut]) -> None:
    from modelreach.cli.terminal import counted, visible

    for gate in found[:10]:
        told: list[str] = []
        if gate.identities > 1:  # it counts itself
            told.append(counted(gate.identities - 1, "more identity", "more identities"))
        if gate.resources:
            told.append(counted(gate.resources, "resource"))
        if gate.scopes:
            told.append(f"{counted(gate.scopes, 'scope')} taken over")
        click.echo(visible(gate.identity))
        click.echo(f"  only through it: {', '.join(told)}")
    if not found:
        click.echo("nothing is reached through another identity")
    for cut in cuts:
        hops = counted(len(cut.hops), "hop")
        click.echo(visible(f"so that {cut.scope} cannot be taken over, revoke {hops}:"))
        for hop in cut.hops[:10]:
            for line in _hop_lines(hop):
                click.echo(visible(line))
        if len(cut.hops) > 10:
            click.echo(f"  … {len(cut.hops) - 10:,} more, --format json has them")


def _lets(hop: Pivot) -> list[StatementRef]:
    """Give the statements that let a hop, each once."""
    return list(dict.fromkeys(ref for one in hop.support for ref in one.statements))
