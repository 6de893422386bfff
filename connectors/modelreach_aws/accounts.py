"""Which accounts and regions to read: what each set of credentials turns out to be."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from modelreach.plugins import CollectOptions
from modelreach_aws.answers import Answer, answer
from modelreach_aws.ask import ask
from modelreach_aws.calls import CALLS, Call
from modelreach_aws.session import Source


@dataclass(frozen=True, slots=True)
class Account:
    """An account to read: its id, the credentials, and the regions to go through."""

    id: str
    source: Source
    regions: tuple[str, ...]


def identify(
    found: Sequence[Source], options: CollectOptions
) -> tuple[tuple[Account, ...], tuple[Answer, ...]]:
    """Find the account and the regions of each set of credentials.

    An account that two sets lead to is read with the last, so that a role assumed on purpose
    wins over the credentials it was assumed with. Gives the accounts, and what was asked.
    """
    for source in found:
        source.client("sts")  # made here: making clients is not for many threads
        source.client("iam")
    with ThreadPoolExecutor(max(1, options.max_workers)) as pool:
        callers = list(pool.map(_caller, found))
    readable = {
        caller.account: source
        for caller, source in zip(callers, found, strict=True)
        if caller.readable
    }
    answers = list({one.key: one for caller in callers for one in caller.answers}.values())
    accounts: list[Account] = []
    for account, source in sorted(readable.items()):
        regions, asked = _regions(account, source, options)
        accounts.append(Account(account, source, regions))
        answers.extend(asked)
        places = "1 region" if len(regions) == 1 else f"{len(regions)} regions"
        options.progress(f"aws {account} {places}, as {source.label}")
    return tuple(accounts), tuple(answers)


def caller_of(source: Source) -> str:
    """Give the account that credentials lead to; "" where nothing tells."""
    return _caller(source).account


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who a set of credentials is: its account, "" where nothing tells, and what was asked."""

    account: str
    readable: bool
    answers: tuple[Answer, ...]


def _caller(source: Source) -> _Caller:
    call = _row("GetCallerIdentity")
    response, refused = ask(source.client("sts"), call, {})
    if refused is None and response:
        account = str(response.get("Account", ""))
        one = answer(account, "", "sts", call.operation, {}, response)
        return _Caller(account, bool(account), (one,))
    if source.role:
        account = source.role.split(":")[4] if source.role.count(":") >= 5 else ""
        one = answer(account, "", "sts", "AssumeRole", source.parameters, None, refused)
        return _Caller(account, False, (one,))
    account = _told_by_iam(source)
    one = answer(account, "", "sts", call.operation, source.parameters, None, refused)
    return _Caller(account, bool(account), (one,))


def _told_by_iam(source: Source) -> str:
    """Give the account that IAM's own entities are of, "" where IAM says nothing either."""
    call = _row("GetAccountAuthorizationDetails")
    response, _ = ask(source.client("iam"), call, dict(call.fixed))
    for section in ("RoleDetailList", "UserDetailList", "GroupDetailList"):
        for entity in (response or {}).get(section, ()):
            if str(entity.get("Arn", "")).count(":") >= 5:
                return str(entity["Arn"]).split(":")[4]
    return ""


def _regions(
    account: str, source: Source, options: CollectOptions
) -> tuple[tuple[str, ...], list[Answer]]:
    """Give the regions to go through: those asked for, or all that are enabled, or home."""
    if options.regions:
        return tuple(dict.fromkeys(options.regions)), []
    asked: list[Answer] = []
    for operation in ("ListRegions", "DescribeRegions"):
        call = _row(operation)
        response, refused = ask(source.client(call.service), call, dict(call.fixed))
        asked.append(answer(account, "", call.service, operation, call.fixed, response, refused))
        names = sorted(entry["RegionName"] for entry in (response or {}).get("Regions", ()))
        if refused is None and names:
            return tuple(names), asked
    return (source.home,), asked


def _row(operation: str) -> Call:
    return next(call for call in CALLS if call.operation == operation)
