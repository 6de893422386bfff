"""`modelreach rules`: the finding rules, from the registry itself."""

from __future__ import annotations

import inspect

import click


@click.command("rules", epilog="Example: modelreach rules MR101")
@click.argument("rule", required=False)
def command(rule: str | None) -> None:
    """List the finding rules, or show one."""
    from modelreach import standards
    from modelreach.judge.rules import ALL
    from modelreach.model import InputError

    known = {found.ID: found for found in ALL}
    if rule is None:
        for found in known.values():
            click.echo(f"{found.ID}  {found.TITLE}")
        return
    if rule not in known:
        raise InputError(f"no such rule `{rule}`", hint="known: " + ", ".join(known))
    found = known[rule]
    module = inspect.getmodule(type(found))
    click.echo(f"{found.ID}  {found.TITLE}\n")
    click.echo(inspect.cleandoc((module and module.__doc__) or ""))
    click.echo("\n" + inspect.cleandoc(type(found).__doc__ or ""))
    click.echo("\nStandards:")
    for entry in standards.of(found.ID):
        click.echo(f"  {entry.key}  {entry.title}")
