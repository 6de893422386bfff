"""Accounts read by other processes, one each at a time.

Who is to be read is found here; another process signs in as this one does and assumes the role of
its account. What it was answered comes back and is put together here, so the snapshot is that of
one process. An account is read by one process only, as its quotas are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from modelreach.model import NothingCollected
from modelreach.plugins import CollectOptions, Spread
from modelreach_aws.accounts import Account, caller_of
from modelreach_aws.answers import Answer
from modelreach_aws.session import sources


@dataclass(frozen=True, slots=True)
class _Order:
    """An account for another process: which regions of it, and under which of the options'
    credentials it was found (a role, or a profile)."""

    account: str
    regions: tuple[str, ...]
    label: str
    role: bool
    options: CollectOptions
    attempts: int


def spread_out(
    accounts: Sequence[Account], options: CollectOptions, spread: Spread, attempts: int
) -> Iterator[Answer]:
    """Ask every account everything, elsewhere; the answers in the order of the accounts."""
    bare = replace(options, spread=None, record=None, progress=_silent)
    orders = [
        _Order(one.id, one.regions, one.source.label, bool(one.source.role), bare, attempts)
        for one in accounts
    ]
    found: dict[int, list[Answer]] = {}
    for place, answers in spread.each(read_one, orders):
        found[place] = answers
        options.progress(f"aws {orders[place].account} … {len(found)}/{len(orders)} accounts")
    for _, answers in sorted(found.items()):
        yield from answers


def read_one(order: _Order) -> list[Answer]:
    """Ask one account everything, with the credentials of this process.

    Raises `NothingCollected` when these lead to another account than those that ordered it.
    """
    from modelreach_aws.live import read_accounts

    options = order.options
    if order.role:
        options = replace(options, assume_roles=(order.label,))
    else:
        profiles = (order.label,) if options.profiles else ()
        options = replace(options, profiles=profiles, assume_roles=())
    credentials = tuple(sources(options, attempts=order.attempts))
    try:
        source = credentials[-1]
        account = caller_of(source)
        if account != order.account:
            raise NothingCollected(
                f"a worker that was to read {order.account} as `{order.label}` is signed in to "
                f"{account or 'nothing'}",
                hint="give all workers the credentials that `collect` itself has",
            )
        return read_accounts([Account(account, source, order.regions)], options)
    finally:
        for source in credentials:
            source.close()


def _silent(_line: str) -> None:
    return None
