"""`modelreach approve`: what an audit found is accepted, and later ones are held against it."""

from __future__ import annotations

from datetime import date

import click

from modelreach.cli.options import config_option, now_option, state_options
from modelreach.model import InputError

EXAMPLES = """\b
Examples:
  modelreach approve support-agent --by 'review board' --until 2027-03-31 --state state
  modelreach approve support-agent@2.0.0 --by ana --why TICKET-481 --state state
  modelreach approve 3f9c2a --by ana --state state           (an audit, by its id)
"""


@click.command("approve", epilog=EXAMPLES)
@click.argument("audit")
@state_options
@click.option("--by", "approver", required=True, metavar="NAME", help="Who approves.")
@click.option("--until", metavar="DAY", help="The last day on which it holds, YYYY-MM-DD.")
@click.option("--why", default="", metavar="TEXT", help="Why, or which ticket.")
@click.option("--wait", default=60.0, show_default=True, metavar="SECONDS")
@now_option
@config_option
def command(
    audit: str,
    state: str | None,
    blobs: str | None,
    approver: str,
    until: str | None,
    why: str,
    wait: float,
    now: str | None,
    config: str | None,
) -> None:
    """Approve AUDIT: a deployment (its last audit), NAME@VERSION, or the id of an audit.

    Approvals are only ever added, each with the digest of the one before. The digest that is
    printed, kept elsewhere, lets `history --verify --head` notice that the end was cut off.
    """
    from modelreach.cli.config import load
    from modelreach.cli.gating import Moment
    from modelreach.cli.stored import place_of
    from modelreach.cli.terminal import visible
    from modelreach.state import ApprovalRow, open_state

    moment = Moment(now).text
    last = _day(until, moment)
    with (
        open_state(*place_of(state, blobs, load(config))) as opened,
        opened.lock(wait, since=moment),
    ):
        found = opened.find(audit)
        made = opened.approve(
            ApprovalRow(
                number=0,
                deployment=found.deployment,
                audit=found.id,
                version=found.version,
                snapshot=found.snapshot,
                manifest=found.manifest,
                approved_by=approver,
                approved_at=moment,
                until=last,
                why=why,
                before="",
                digest="",
            )
        )
    what = f"{made.deployment} {made.version} as of audit {made.audit} ({found.at})"
    held = f" until {made.until}" if made.until else ""
    click.echo(visible(f"approval {made.number}: {what}, by {made.approved_by}{held}"))
    click.echo(visible(f"head {made.digest}"))


def _day(until: str | None, now: str) -> str:
    if not until:
        return ""
    try:
        day = date.fromisoformat(until).isoformat()
    except ValueError:
        raise InputError(
            f"`{until}` is no day", place="--until", hint="such as 2027-03-31"
        ) from None
    if day < now[:10]:
        raise InputError(f"{day} is over already", place="--until")
    return day
