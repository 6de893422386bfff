"""What a command says of facts that nobody here knows, where it writes no report that would."""

from __future__ import annotations

import click

from modelreach.model import InputError
from modelreach.snapshot import Snapshot


def tell_undecided(estate: Snapshot, place: str) -> None:
    """Say on standard error of which facts it is unknown what they come to."""
    from modelreach.cli.terminal import visible
    from modelreach.policy.undecided import undecided
    from modelreach.snapshot import facts_of

    for gap in undecided(facts_of(estate)):
        click.echo(visible(f"{place}: {gap.message}; until then it is unknown"), err=True)


def refuse_strange(principal: str, estate: Snapshot, place: str) -> None:
    """Raise `InputError` for a principal of a provider that nobody here knows: that it may do
    nothing, or is not there, would be wrong."""
    from modelreach.policy.undecided import strange
    from modelreach.snapshot import facts_of

    facts = facts_of(estate)
    found = facts.principals.get(principal)
    if found is not None and found.provider in strange(facts):
        raise InputError(
            f"`{principal}` is of `{found.provider}`, for which nothing here decides",
            place=place,
            hint="what it may do is unknown; take a version of modelreach that knows it",
        )
