"""Which accounts and regions to read: what each set of credentials turns out to be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from modelreach.plugins import CollectOptions
from modelreach_aws.answers import Answer, answer
from modelreach_aws.ask import ask
from modelreach_aws.calls import CALLS, Call
from modelreach_aws.session import Source, sources


@dataclass(frozen=True, slots=True)
class Account:
    """An account to read: its id, the credentials, and the regions to go through."""

    id: str
    source: Source
    regions: tuple[str, ...]


def identify(
    options: CollectOptions, *, attempts: int
) -> tuple[tuple[Account, ...], tuple[Answer, ...]]:
    """Find the account and the regions of each set of credentials.

    An account that two sets lead to is read with the last, so that a role assumed on purpose
    wins over the credentials it was assumed with. Gives the accounts, and what was asked.
    """
    found = list(sources(options, attempts=attempts))
    for source in found:
        source.client("sts")  # made here: making clients is not for many threads
    with ThreadPoolExecutor(max(1, options.max_workers)) as pool:
        callers = list(pool.map(_caller, found))
    readable = {
        one.account: source for one, source in zip(callers, found, strict=True) if _ok(one)
    }
    answers = list({one.key: one for one in callers}.values())
    accounts: list[Account] = []
    for account, source in sorted(readable.items()):
        regions, asked = _regions(account, source, options)
        accounts.append(Account(account, source, regions))
        answers.extend(asked)
        options.progress(f"aws {account} {len(regions)} regions, as {source.label}")
    return tuple(accounts), tuple(answers)


def _ok(one: Answer) -> bool:
    return bool(one.account) and one.error is None


def _caller(source: Source) -> Answer:
    """Ask who these credentials are. Their account is "" where nothing tells it."""
    call = _row("GetCallerIdentity")
    response, refused = ask(source.client("sts"), call, {})
    if refused is None and response:
        return answer(str(response.get("Account", "")), "", "sts", call.operation, {}, response)
    account = source.role.split(":")[4] if source.role.count(":") >= 5 else ""
    operation = "AssumeRole" if source.role else call.operation
    return answer(account, "", "sts", operation, source.parameters, None, refused)


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
