"""`modelreach survey`: what each of many releases reaches, in numbers."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelreach.cli.options import config_option
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.cli.files import Source
    from modelreach.deployment import Deployment
    from modelreach.pipeline.frontier import Pool
    from modelreach.pipeline.survey import SurveyRow
    from modelreach.snapshot import Snapshot

EXAMPLES = """\b
Examples:
  modelreach survey releases/ --snapshot estate.mrdb -o survey.ndjson
  modelreach survey v1.yaml v2.yaml --snapshot estate.snap
  modelreach survey --principals roles.txt --snapshot estate.mrdb --workers 4
  modelreach survey releases/ --snapshot estate.mrdb --scheduler tcp://10.0.0.5:8786
"""


@click.command("survey", epilog=EXAMPLES)
@click.argument("manifests", nargs=-1)
@click.option(
    "--principals", metavar="FILE", help="Principals instead, an id a line; - for stdin."
)
@click.option("--snapshot", required=True, metavar="FILE", help="The estate.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Processes [1].")
@click.option("--scheduler", metavar="ADDRESS", help="Decide on a Dask cluster: tcp://HOST:PORT.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where the lines go [stdout].")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@config_option
def command(
    manifests: tuple[str, ...],
    principals: str | None,
    snapshot: str,
    workers: int,
    scheduler: str | None,
    output: str,
    quiet: bool,
    config: str | None,
) -> None:
    """Give what each of many releases reaches, in numbers: one line of JSON a release.

    MANIFESTS are files, or folders of them; YAML in a folder that is no manifest is passed over,
    and named. Of each release: the identities that it becomes, the
    scopes that it can take over, and how many resources of each class it holds, by capability and
    verdict. `scan` shows one of them whole.
    """
    from modelreach.cli.config import judge_policy, load
    from modelreach.cli.files import read_snapshot, write_all
    from modelreach.cli.unknown import tell_undecided
    from modelreach.pipeline.many import Many
    from modelreach.pipeline.survey import encode

    if bool(manifests) == bool(principals):
        raise InputError(
            "give either manifests or --principals",
            hint="modelreach survey releases/ --snapshot FILE",
        )
    estate, source = read_snapshot(snapshot)
    tell_undecided(estate, source.name)
    releases = _releases(manifests) if manifests else _of_principals(str(principals), estate)
    many = Many(estate, source.digest, judge_policy(load(config)))
    pool = _pool(snapshot, workers, scheduler)
    try:
        told = _silent if quiet else _Progress(len(releases))
        with _seldom_collecting():
            rows = many.survey(releases, told, pool, _silent if quiet else _deciding)
    finally:
        if pool is not None:
            pool.close()
    write_all({output: b"".join(map(encode, rows))})
    if not quiet:
        _told(rows)


@contextmanager
def _seldom_collecting() -> Generator[None]:
    """Have garbage looked for more seldom still than in other commands: most of what is made of an
    account is let go of before, and is then not looked through."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


Named = tuple["Deployment | None", str, bytes]


def _releases(paths: tuple[str, ...]) -> list[Named]:
    """Give the manifests, unread: one whose row is known does not have to be."""
    from modelreach.cli.files import read

    found: list[Source] = []
    for path in paths:
        found += _within(Path(path)) if Path(path).is_dir() else [read(path)]
    return [(None, source.name, source.raw) for source in found]


def _within(folder: Path) -> list[Source]:
    """Give the files of a folder that say that they are manifests; it may well hold other YAML."""
    from modelreach.cli.files import read
    from modelreach.collect.sources import below
    from modelreach.deployment import claimed

    yamls = (p for p in below(folder) if p.suffix in (".yaml", ".yml"))
    manifests: list[Source] = []
    others: list[str] = []
    for source in map(read, sorted(map(str, yamls))):
        if claimed(source.raw):
            manifests.append(source)
        else:
            others.append(source.name)
    if not manifests:
        raise InputError("there is no manifest in this folder", place=str(folder))
    _passed_over(others)
    return manifests


def _passed_over(names: list[str]) -> None:
    from modelreach.cli.terminal import counted, visible

    if names:
        what = counted(len(names), "file is no manifest", "files are no manifests")
        listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        click.echo(visible(f"{what}, and passed over: {listed}"), err=True)


def _of_principals(path: str, estate: Snapshot) -> list[Named]:
    from modelreach.cli.files import read
    from modelreach.deployment import of_principal
    from modelreach.policy.providers import cloud_of

    names = read(path).raw.decode("utf-8", "replace").split()
    return [(of_principal(name, cloud_of(name, estate)), path, b"") for name in names]


def _pool(snapshot: str, workers: int, scheduler: str | None) -> Pool | None:
    """Give the workers that were asked for. Raises `InputError` without a store to send them."""
    if workers == 1 and scheduler is None:
        return None
    from modelreach.cli.files import STORE_SUFFIX, store_of
    from modelreach.pipeline.workers import Cluster, Processes

    path = store_of(snapshot)
    if not path:
        raise InputError(
            "workers read a store, and this is not one",
            place=snapshot,
            hint=f"modelreach convert {snapshot} -o estate{STORE_SUFFIX}",
        )
    if scheduler is not None:
        return Cluster(Path(path), scheduler)
    return Processes(Path(path), workers)


def _silent(_done: int, _of: int = 0) -> None:
    return None


def _deciding(done: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{done} of {of} principals so far", nl=False, err=True)


class _Progress:
    """Says how many releases are done, on a terminal only."""

    def __init__(self, whole: int) -> None:
        self._whole = whole

    def __call__(self, done: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[2K{done} of {self._whole} releases", nl=False, err=True)


def _told(rows: list[SurveyRow]) -> None:
    from modelreach.cli.terminal import counted

    taking = sum(bool(row.administers) for row in rows)
    unknown = sum(bool(row.unresolved) for row in rows)
    line: list[Any] = [f"{counted(len(rows), 'release')}; {taking} can take a scope over"]
    if unknown:
        line.append(f"{unknown} run as somebody of whom the snapshot does not tell")
    if sys.stderr.isatty():
        click.echo("\r\x1b[2K", nl=False, err=True)
    click.echo("; ".join(line), err=True)
