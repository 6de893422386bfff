"""`modelreach can`: one question to the decision engine, or a file of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from modelreach.model import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelreach.policy.aws.cases import CaseResult
    from modelreach.policy.decision import Decision, StatementRef
    from modelreach.report import DecisionRow, StatementRow
    from modelreach.snapshot import Facts, Principal, Resource

EXAMPLES = """\b
Examples:
  modelreach can ROLE-ARN secretsmanager:GetSecretValue SECRET-ARN --snapshot estate.snap
  modelreach can ROLE-ARN s3:GetObject arn:aws:s3:::b/k --snapshot e.snap \\
      --context aws:SourceVpce=vpce-1
  modelreach can my-agent Microsoft.KeyVault/vaults/read kv-payments --snapshot e.snap
  modelreach can system:serviceaccount:bots:agent core:secrets:get k8s/prod/bots/secrets/db \\
      --snapshot e.snap
  modelreach can --cases policy-tests.jsonl
"""


@click.command("can", epilog=EXAMPLES)
@click.argument("principal", required=False)
@click.argument("action", required=False)
@click.argument("resource", required=False)
@click.option("--snapshot", metavar="FILE", help="The estate.")
@click.option(
    "--context",
    "context",
    multiple=True,
    metavar="KEY=VALUE",
    help="Fix a condition key; repeat a key for several values.",
)
@click.option("--cases", metavar="FILE", help="Evaluate policy cases (JSON Lines) instead.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("--ascii", "ascii_only", is_flag=True, help="Plain ASCII signs.")
def command(
    principal: str | None,
    action: str | None,
    resource: str | None,
    snapshot: str | None,
    context: tuple[str, ...],
    cases: str | None,
    form: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Ask whether PRINCIPAL may do ACTION on RESOURCE, and because of which statements.

    Both are ids, or names that only one thing in the snapshot has. The answer is about PRINCIPAL
    itself; where it may not, who may and can be become by it is named.

    With --cases, a file of policy unit tests is evaluated; a disagreement with what a case
    expects exits 1.
    """
    if cases is not None:
        raise click.exceptions.Exit(_run_cases(cases, form))
    if principal is None or action is None or resource is None or snapshot is None:
        raise InputError(
            "PRINCIPAL, ACTION, RESOURCE and --snapshot are needed",
            hint="or --cases FILE; see `modelreach can --help`",
        )
    row, decision, explanation = _decided(principal, action, resource, snapshot, _context(context))
    if form == "json":
        click.echo(json.dumps(_as_json(row, decision, explanation), indent=2))
        return
    from modelreach import plugins
    from modelreach.cli.files import write_all
    from modelreach.cli.rendering import terminal

    look = terminal(color=color, ascii_only=ascii_only)
    write_all({"-": plugins.terminal("decision")(row, **look)})


def _context(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in given:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise InputError(f"`{entry}` is not KEY=VALUE", place="--context")
        found[key] = (*found.get(key, ()), value)
    return found


def _decided(
    principal: str,
    action: str,
    resource: str,
    snapshot: str,
    context: dict[str, tuple[str, ...]],
) -> tuple[DecisionRow, Decision, tuple[str, ...]]:
    from modelreach.cli.absent import settled, settled_in_aws
    from modelreach.cli.becoming import through
    from modelreach.cli.files import read_snapshot
    from modelreach.cli.unknown import refuse_strange, tell_undecided
    from modelreach.model import Verdict
    from modelreach.policy.expr import conjuncts
    from modelreach.policy.providers import engines
    from modelreach.report import DecisionRow
    from modelreach.snapshot import facts_of

    if not any(sign in action for sign in ":/."):
        raise InputError(
            f"`{action}` is not an action",
            hint="such as s3:GetObject, storage.objects.get or Microsoft.KeyVault/vaults/read",
        )
    estate, source = read_snapshot(snapshot)
    facts = facts_of(estate)
    tell_undecided(estate, source.name)
    built = engines(facts)
    all_engines = built.values()
    if all(engine.principal(principal) is None for engine in all_engines):
        principal = _by_name(principal, estate.principals, source.name, _PRINCIPAL)
    refuse_strange(principal, estate, source.name)
    for engine in all_engines:
        if engine.principal(principal) is None:
            continue
        resource = _target(resource, engine.provider, facts, source.name)
        decision = engine.decide(principal, action, resource, context)
        if decision.verdict is Verdict.DENY and engine.provider == "aws":
            decision = settled_in_aws(decision, principal, resource, facts)
        elif decision.verdict is Verdict.DENY:
            decision = settled(decision, resource, facts, source.name)
        refused = decision.verdict in (Verdict.DENY, Verdict.UNKNOWN)
        row = DecisionRow(
            principal=principal,
            action=action,
            resource=resource,
            verdict=str(decision.verdict),
            outcome=str(decision.outcome),
            depends_on=conjuncts(decision.residual) if decision.verdict != "deny" else (),
            allowed_by=tuple(_statement(ref) for ref in decision.allowed_by),
            denied_by=tuple(_statement(ref) for ref in decision.denied_by),
            blocked_by=tuple(str(layer) for layer in decision.blocked_by),
            assumes=(*decision.assumes, *_no_such_action(action, engine.provider)),
            not_understood=decision.not_understood,
            through=through(principal, action, resource, context, built, facts) if refused else (),
        )
        return row, decision, engine.explain(decision)
    raise InputError(
        f"principal `{principal}` is not in {source.name}",
        hint=_PRINCIPAL,
    )


def _no_such_action(action: str, provider: str) -> tuple[str, ...]:
    """Say that AWS's list does not have an action: it may be newer than the list, or misspelt, and
    then it says nothing that nothing grants it."""
    if provider != "aws" or "*" in action or "?" in action:
        return ()
    from modelreach.policy.aws import catalogue

    if catalogue.find(action) is not None:
        return ()
    import difflib

    listed = [one.name for one in catalogue.actions(action.partition(":")[0].lower())]
    near = difflib.get_close_matches(action, listed, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return (f"that there is an action {action}, which AWS's list does not have{meant}",)


_THING = "use its name, where only one has it, or its id"
_PRINCIPAL = (
    "use its name, where only one has it, or its id: an ARN; a member such as "
    "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com; an object id of Entra; "
    "system:serviceaccount:NAMESPACE:NAME"
)


def _target(resource: str, provider: str, facts: Facts, place: str) -> str:
    """Give what is acted on: what has this id, or is an ARN; a resource by its name; or any id.

    Raises `InputError` for what is neither a name nor can be an id, such as a part of an ARN:
    nothing grants that, and it would read as if it were safe.
    """
    if any(resource in of for of in (facts.principals, facts.scopes, facts.resources)):
        return resource
    if provider == "aws" and resource.startswith("arn:"):
        return resource
    # Names are looked for in all accounts.
    resources = facts.snapshot.resources
    if all(one.name != resource for one in resources) and _may_be_id(resource, provider):
        return resource
    return _by_name(resource, resources, place, _THING)


def _may_be_id(resource: str, provider: str) -> bool:
    if provider == "aws":
        return resource.startswith("arn:") or "*" in resource
    return any(sign in resource for sign in ":/*")


def _by_name(
    name: str, facts: Sequence[Principal] | Sequence[Resource], place: str, spellings: str
) -> str:
    """Give the id of the only fact of that name, or the name itself where an id is as short.

    Raises `InputError` for a name of none, which would be answered as if nothing granted it, and
    for a name of several.
    """
    from modelreach.cli.called import id_of, near

    if found := id_of(name, facts, place):
        return found
    meant = near(name, (fact.name for fact in facts))
    raise InputError(f"`{name}` is not in {place}", hint=meant + spellings)


def _statement(ref: StatementRef) -> StatementRow:
    from modelreach.report import StatementRow

    return StatementRow(
        effect=ref.effect,
        layer=str(ref.layer),
        policy=ref.policy,
        target=ref.target,
        sid=ref.sid,
        text=ref.text,
    )


def _as_json(
    row: DecisionRow, decision: Decision, explanation: tuple[str, ...]
) -> dict[str, object]:
    import msgspec

    from modelreach.report import AnswerReport, DeterminingRow

    answer = AnswerReport(
        schema="modelreach.answer/1",
        determining=tuple(
            DeterminingRow(index=ref.index, **asdict(_statement(ref)))
            for ref in (*decision.allowed_by, *decision.denied_by)
        ),
        explanation=explanation,
        **asdict(row),
    )
    return {"schema": answer.schema, **msgspec.to_builtins(answer)}


def _run_cases(path: str, form: str) -> int:
    """Print one line a case and a summary; 1 when a case disagrees with what it expects."""
    from modelreach.cli.files import read
    from modelreach.cli.terminal import visible
    from modelreach.policy.aws.cases import as_line, run_cases, summarise

    source = read(path)
    results: list[CaseResult] = []
    for result in run_cases(source.raw.splitlines()):
        results.append(result)
        if form == "json":
            click.echo(json.dumps(as_line(result)))
        else:
            click.echo(visible(_as_text(result)))
    total = summarise(results)
    if form == "json":
        click.echo(json.dumps({"summary": asdict(total)}))
    else:
        click.echo(
            f"{total.cases} cases: {total.agreed} agree, {total.disagreed} disagree, "
            f"{total.skipped} skipped, {total.not_counted} not counted"
        )
    return 1 if total.disagreed else 0


def _as_text(result: CaseResult) -> str:
    sign = {True: "ok  ", False: "FAIL", None: "    "}[result.agrees]
    expected = f" (expected {result.expected})" if result.agrees is False else ""
    notes = "".join(f"\n     note: {note}" for note in result.notes)
    return f"{sign} {result.id}: {result.verdict}{expected}{notes}"
