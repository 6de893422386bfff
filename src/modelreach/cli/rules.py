"""`modelreach rules`: the finding rules and the gate's policy, from the registries themselves."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.gate.policy import Example, Rule

EXAMPLES = """\b
Examples:
  modelreach rules MR101
  modelreach rules test policy.yaml        (runs the hits and misses of its rules)
"""


@click.command("rules", epilog=EXAMPLES)
@click.argument("rule", required=False)
@click.argument("files", nargs=-1)
@click.option("--policy", metavar="FILE", help="List and show the rules of this policy, too.")
def command(rule: str | None, files: tuple[str, ...], policy: str | None) -> None:
    """List the rules of findings and of the gate, or show one; `rules test` tests policies.

    With `test`, runs the hits and misses that the rules carry: of the built-in policy, or of the
    policy files that are named. Exits 1 when one does not go as it should.
    """
    if rule == "test":
        raise click.exceptions.Exit(_tested(files))
    if files:
        raise InputError("only `rules test` takes files", hint="modelreach rules test FILE")
    from modelreach.judge.rules import ALL

    findings: dict[str, Any] = {found.ID: found for found in ALL}
    gate = {found.id: found for found in _rules(policy)}
    if rule is None:
        _list([*((f.ID, f.TITLE) for f in findings.values())])
        click.echo("")
        _list([(found.id, f"{found.title} ({found.severity})") for found in gate.values()])
    elif rule in findings:
        _show_finding(findings[rule])
    elif rule in gate:
        _show_rule(gate[rule])
    else:
        raise InputError(f"no such rule `{rule}`", hint="known: " + ", ".join([*findings, *gate]))


def _rules(policy: str | None) -> tuple[Rule, ...]:
    from modelreach.cli.files import read
    from modelreach.gate.policy import builtin, decode

    if policy is None:
        return builtin().rules
    source = read(policy)
    return decode(source.raw, place=source.name).rules


def _list(rows: Sequence[tuple[str, str]]) -> None:
    from modelreach.cli.terminal import visible

    width = max(len(name) for name, _ in rows)
    for name, title in rows:
        click.echo(visible(f"{name:<{width}}  {title}"))


def _show_finding(rule: Any) -> None:
    from modelreach import standards

    kind: type[object] = rule.__class__
    module = inspect.getmodule(kind)
    click.echo(f"{rule.ID}  {rule.TITLE}\n")
    click.echo(inspect.cleandoc((module and module.__doc__) or ""))
    click.echo("\n" + inspect.cleandoc(kind.__doc__ or ""))
    click.echo("\nStandards:")
    for entry in standards.of(rule.ID):
        click.echo(f"  {entry.key}  {entry.title}")


def _show_rule(rule: Rule) -> None:
    from modelreach.cli.terminal import visible

    click.echo(visible(f"{rule.id}  {rule.title} ({rule.severity})"))
    for title, text in (
        ("why", rule.why),
        ("speaks", f"of each {rule.each}" if rule.each != "release" else "of the release"),
        ("when", " ".join(rule.when.split())),
        ("says", rule.message),
        ("demands", ", ".join(rule.demands)),
    ):
        if text:
            click.echo(visible(f"  {title:<8} {text}"))


def _tested(files: tuple[str, ...]) -> int:
    from modelreach.cli.terminal import visible
    from modelreach.gate.policy import examples

    code = 0
    names: tuple[str | None, ...] = files or (None,)
    for name in names:
        found = examples(_rules(name))
        wrong = [one for one in found if one.problem]
        for one in wrong:
            click.echo(visible(f"{name or 'built-in'}: {_words(one)}"))
        rules = len({one.rule for one in found})
        told = f"{len(found)} examples of {rules} rules, {len(wrong)} not as they should"
        click.echo(visible(f"{name or 'built-in'}: {told}"))
        code = max(code, 1 if wrong else 0)
    return code


def _words(one: Example) -> str:
    return f"{one.rule}: {one.kind} {one.number} {one.problem}"
