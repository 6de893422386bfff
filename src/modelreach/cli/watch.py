"""`modelreach watch`: the same rounds as `audit`, one after the other, in the foreground."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from modelreach.cli.auditing import Round, drawn, round_of, round_options
from modelreach.model import InputError, ModelreachError

if TYPE_CHECKING:
    from modelreach.cli.health import Health

EXAMPLES = """\b
Examples:
  modelreach watch agent.yaml --every 6h --jitter 10m --state state --provider aws
  modelreach watch agents/*.yaml --every 1h --health 127.0.0.1:9911 --state state --provider aws

GET /healthz says whether the last round went well, GET /metrics how all deployments stand.
"""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Span(click.ParamType[float]):
    """A length of time: 90s, 15m, 6h, 1d."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", str(value))
        if found is None:
            self.fail(f"`{value}` is no length of time; such as 90s, 15m, 6h, 1d", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


@click.command("watch", epilog=EXAMPLES)
@round_options
@click.option("--every", type=_Span(), required=True, metavar="TIME", help="90s, 15m, 6h, 1d.")
@click.option(
    "--jitter",
    type=_Span(),
    default="0s",
    metavar="TIME",
    help="Begin each round up to so much later, so that many do not begin at once.",
)
@click.option("--seed", default="", metavar="TEXT", help="The same jitter in every run.")
@click.option("--rounds", default=0, metavar="N", help="End after so many rounds.")
@click.option(
    "--health", metavar="HOST:PORT", help="Serve /healthz and /metrics there; loopback only."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    manifests: tuple[str, ...],
    every: float,
    jitter: float,
    seed: str,
    rounds: int,
    health: str | None,
    quiet: bool,
    **given: Any,
) -> None:
    """Audit MANIFESTS again and again, as `audit` does, until SIGTERM or Ctrl-C.

    Rounds never overlap: one that takes longer than --every delays the next. A round that fails
    is told on stderr, and the next one comes at its time. A signal lets a running round finish;
    a second one ends it at once, which harms nothing.
    """
    from modelreach.cli.health import Health

    if every <= 0:
        raise InputError("rounds need some time between them", place="--every")
    one = round_of(manifests, quiet=True, **given)
    book = Health(every + jitter)
    rng = random.Random(seed or None)  # noqa: S311  # spreads load, guards nothing
    with _stopping() as stop, book.served(health) as address:
        if address and not quiet:
            click.echo(f"health on http://{address}/healthz", err=True)
        _rounds(one, book, stop, every=every, jitter=jitter, rng=rng, rounds=rounds, quiet=quiet)


def _rounds(
    one: Round,
    book: Health,
    stop: threading.Event,
    *,
    every: float,
    jitter: float,
    rng: random.Random,
    rounds: int,
    quiet: bool,
) -> None:
    done, begin = 0, time.monotonic()
    while not stop.wait(max(0.0, begin + rng.uniform(0, jitter) - time.monotonic())):
        _round(one, book, quiet)
        done += 1
        if done == rounds:
            return
        late = time.monotonic() - begin
        begin += every * max(1, int(late // every) + (late % every > 0))


def _round(one: Round, book: Health, quiet: bool) -> None:
    from modelreach.cli.gating import Moment
    from modelreach.cli.terminal import visible

    now, begun = Moment().text, time.monotonic()
    try:
        report, outcomes = one.run(now)
    except ModelreachError as error:
        book.failed(now, error.message, time.monotonic() - begun)
        click.echo(f"{now} error: {visible(error.message)}", err=True)
        return
    book.went(report, time.monotonic() - begun)
    if not quiet:
        for line in drawn(report, outcomes):
            click.echo(visible(line))


@contextmanager
def _stopping() -> Generator[threading.Event]:
    """Give an event that the first SIGTERM or SIGINT sets; the next one ends the program."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stopped(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for one, handler in before.items():
            signal.signal(one, handler)

    for number in before:
        signal.signal(number, stopped)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
