"""`modelreach chokepoints`: where to cut what a release reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelreach.cli.options import config_option
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.policy.decision import StatementRef
    from modelreach.policy.engine import Pivot

EXAMPLES = """\b
Examples:
  modelreach chokepoints v2.yaml --snapshot estate.snap
  modelreach chokepoints --principal arn:aws:iam::111122223333:role/agent --snapshot e.mrdb
"""


@click.command("chokepoints", epilog=EXAMPLES)
@click.argument("manifest", required=False)
@click.option("--principal", metavar="ID", help="This principal instead of a release.")
@click.option("--snapshot", required=True, metavar="FILE", help="The estate.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@config_option
def command(
    manifest: str | None, principal: str | None, snapshot: str, form: str, config: str | None
) -> None:
    """Show the identities that much of a release's reach hangs on, and the fewest hops to revoke
    so that it cannot take a scope over."""
    import msgspec

    from modelreach.chokepoints import cuts, gates
    from modelreach.cli.config import judge_policy, load
    from modelreach.cli.options import release_of
    from modelreach.cli.scan import of_principal_in
    from modelreach.pipeline import evaluate
    from modelreach.pipeline.evaluate import Estates

    if (manifest is None) == (principal is None):
        raise InputError(
            "give either a manifest or --principal",
            hint="modelreach chokepoints v2.yaml --snapshot FILE",
        )
    release = (
        release_of(manifest, snapshot) if manifest else of_principal_in(str(principal), snapshot)
    )
    radius = evaluate(release, judge_policy(load(config)), Estates(), whole=True).radius
    if form == "json":
        found = {
            "identities": [msgspec.to_builtins(gate) for gate in gates(radius)],
            "cuts": {
                cut.scope: [
                    {
                        "source": p.source,
                        "target": p.target,
                        "kind": p.kind,
                        "rule": p.rule,
                        "by": [
                            {"policy": ref.policy, "target": ref.target, "sid": ref.sid}
                            for ref in _lets(p)
                        ],
                    }
                    for p in cut.hops
                ]
                for cut in cuts(radius)
            },
        }
        click.echo(msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=2))
        return
    _tell(radius)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _tell(radius: object) -> None:
    from modelreach.chokepoints import cuts, gates
    from modelreach.cli.terminal import visible
    from modelreach.reach import BlastRadius

    assert isinstance(radius, BlastRadius)
    found = gates(radius)
    for gate in found[:10]:
        told: list[str] = []
        if gate.identities > 1:  # it counts itself
            told.append(_counted(gate.identities - 1, "more identity", "more identities"))
        if gate.resources:
            told.append(_counted(gate.resources, "resource", "resources"))
        if gate.scopes:
            told.append(f"{_counted(gate.scopes, 'scope', 'scopes')} taken over")
        click.echo(visible(gate.identity))
        click.echo(f"  only through it: {', '.join(told)}")
    if not found:
        click.echo("nothing is reached through another identity")
    for cut in cuts(radius):
        hops = _counted(len(cut.hops), "hop", "hops")
        click.echo(visible(f"so that {cut.scope} cannot be taken over, revoke {hops}:"))
        for hop in cut.hops[:10]:
            rule = f" ({hop.rule})" if hop.rule else ""
            click.echo(visible(f"  {hop.source} -> {hop.target}: {hop.kind}{rule}"))
            for ref in _lets(hop)[:3]:
                statement = f", statement {ref.sid or ref.index + 1}"
                click.echo(visible(f"    by policy {ref.policy} of {ref.target}{statement}"))
        if len(cut.hops) > 10:
            click.echo(f"  … {len(cut.hops) - 10} more, --format json has them")


def _lets(hop: Pivot) -> list[StatementRef]:
    """Give the statements that let a hop, each once."""
    return list(dict.fromkeys(ref for one in hop.support for ref in one.statements))
