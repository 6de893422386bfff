"""`modelreach verify`: a decision record, checked again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from modelreach.gate.verify import Check, Read

EXAMPLES = """\b
Examples:
  modelreach verify decision.json --key key.pub --snapshot estate.snap
  modelreach verify decision.json --key key.pub     (files where they were when it was decided)
"""


@click.command("verify", epilog=EXAMPLES)
@click.argument("envelope")
@click.option("--key", metavar="FILE", help="The public ed25519 key (PEM) of who decided.")
@click.option("--snapshot", metavar="FILE", help="The estate of both releases.")
@click.option("--old-snapshot", metavar="FILE", help="The estate of the old release.")
@click.option("--new-snapshot", metavar="FILE", help="The estate of the new release.")
@click.option("--old", metavar="FILE", help="The old manifest.")
@click.option("--new", metavar="FILE", help="The new manifest.")
@click.option("--waivers", metavar="FILE", help="The waivers file.")
@click.option("--policy", metavar="FILE", help="The policy file.")
def command(
    envelope: str,
    key: str | None,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    old: str | None,
    new: str | None,
    waivers: str | None,
    policy: str | None,
) -> None:
    """Check a decision record: signature, the digest of every file, and every witness.

    A file that is not named is looked for under the name that the record has for it. Witnesses are
    decided anew by the reference evaluator. Exits 1 when a check fails, 3 when one cannot be made.
    """
    from modelreach.cli.files import read
    from modelreach.gate.record import opened, public_key, stated
    from modelreach.gate.verify import State, verify

    source = read(envelope)
    found, payload = opened(source.raw, place=source.name)
    signer = public_key(read(key).raw, place=key) if key is not None else None
    named = {
        "snapshot-old": old_snapshot or snapshot,
        "snapshot-new": new_snapshot or snapshot,
        "manifest-old": old,
        "manifest-new": new,
        "waivers": waivers,
        "policy": policy,
    }
    statement = stated(payload, place=source.name)
    checks = verify(found, payload, statement, signer, _reader(named))
    for check in checks:
        click.echo(_line(check))
    states = {check.state for check in checks}
    code = 1 if State.FAILED in states else 3 if State.UNCHECKED in states else 0
    verdict = {0: "verified", 1: "NOT verified", 3: "verified only in part"}[code]
    click.echo(f"{verdict}: {statement.subject[0].name if statement.subject else 'no subject'}")
    raise click.exceptions.Exit(code)


def _reader(named: dict[str, str | None]) -> Read:
    from modelreach.cli.evidence_files import load
    from modelreach.cli.files import bytes_of_snapshot, read, store_of

    def given(role: str, name: str) -> bytes | None:
        path = named.get(role)
        estate = role.startswith("snapshot-")
        if path is not None:
            return bytes_of_snapshot(path) if estate else read(path).raw
        # A record may come from anywhere: only a name below the current folder is followed.
        place = Path(name)
        if not name or place.is_absolute() or ".." in place.parts:
            return None
        if role == "evidence" and place.is_dir():
            return load(name).hashed
        if estate and Path(store_of(name)).is_file():
            return bytes_of_snapshot(name)
        return place.read_bytes() if place.is_file() else None

    return given


def _line(check: Check) -> str:
    from modelreach.cli.terminal import visible

    why = f": {check.why}" if check.why else ""
    return visible(f"{check.state.value:<12} {check.what}{why}")
