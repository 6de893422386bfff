"""What an organisation costs: each stage of a run over a made-up one of chosen size.

    python tests/bench/bench_scale.py                              # JSON, small sizes
    python tests/bench/bench_scale.py --markdown                   # tables
    python tests/bench/bench_scale.py --principals 10000 --json out.json
    python tests/bench/bench_scale.py --provider gcp               # or azure, kubernetes
    python tests/bench/bench_scale.py --principals 1000 --principals 10000 --write
    python tests/bench/bench_scale.py --from out.json --write      # as measured before

`--only` runs single stages; `--write` puts the tables into docs/reference/benchmarks.md.

Each stage runs in a process of its own, so that its peak memory is its own. CPU seconds
(`time.process_time`, children included), and ratios to one `orjson.loads` pass over the same
facts as `modelreach.snapshot/1`. Growth is the exponent between two sizes.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures"))

from modelreach import deployment  # noqa: E402
from modelreach.judge.policy import JudgePolicy  # noqa: E402
from modelreach.pipeline import GateOptions, Release, evaluate, radius_report  # noqa: E402
from modelreach.pipeline.evaluate import Estates  # noqa: E402
from modelreach.pipeline.many import Many  # noqa: E402
from modelreach.snapshot import Snapshot, decode, encode  # noqa: E402
from modelreach.store import StoredSnapshot, write  # noqa: E402
from organisations import PROVIDERS, deployments, manifest, plan, whole  # noqa: E402
from organisations.plan import Plan  # noqa: E402

SINGLE = 9
DOCUMENT = ROOT / "docs" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- bench_scale: begin -->", "<!-- bench_scale: end -->"


@dataclass(frozen=True, slots=True)
class Size:
    """An organisation: principals, accounts, and how many deployments are surveyed."""

    principals: int
    accounts: int
    deployments: int
    provider: str = "aws"

    @property
    def name(self) -> str:
        """For people."""
        of = "" if self.provider == "aws" else f"{self.provider}: "
        return f"{of}{self.principals:,} principals, {self.accounts:,} accounts"

    def plan(self, drift: float = 0.0, day: int = 0) -> Plan:
        """Give its plan."""
        return plan(
            principals=self.principals,
            accounts=self.accounts,
            deployments=self.deployments,
            drift=drift,
            day=day,
            providers=(self.provider,),
        )


SIZES = (Size(100, 1, 5), Size(400, 4, 20), Size(1000, 10, 50))


@dataclass(frozen=True, slots=True)
class Measure:
    """One stage: CPU and wall seconds, peak memory of its process, and what it is of."""

    size: str
    stage: str
    cpu_s: float
    wall_s: float
    peak_mb: float
    ratio: float
    note: str = ""


# --- stages: each is called in a process of its own, with the folder of its size ---------------


def _timed(work: Callable[[], str]) -> tuple[float, float, str]:
    before, started = _cpu(), time.perf_counter()
    note = work()
    return _cpu() - before, time.perf_counter() - started, note


def _cpu() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def stage_loads(folder: Path) -> str:
    """One orjson.loads pass: what all else is measured by. Without collecting garbage, of which
    there is none, and which would take several times as long."""
    import orjson

    raw = (folder / "estate.snap").read_bytes()
    gc.disable()
    orjson.loads(raw)
    return f"{len(raw) / 1e6:.1f} MB"


def stage_decode(folder: Path) -> str:
    """The JSON as facts."""
    found = decode((folder / "estate.snap").read_bytes(), place="estate.snap")
    return f"{len(found.principals)} principals, {len(found.resources)} resources"


def stage_store(folder: Path) -> str:
    """JSON into a new store."""
    found = decode((folder / "estate.snap").read_bytes(), place="estate.snap")
    write(folder / "fresh.mrdb", found)
    size = (folder / "fresh.mrdb").stat().st_size
    return f"{size / 1e6:.1f} MB in the store"


def stage_names(folder: Path) -> str:
    """The first run over a store: who is named where, worked out and kept."""
    _radius(folder, _first(folder))
    return ""


def stage_one(folder: Path) -> str:
    """One deployment's radius from a store that has been used before."""
    stored = StoredSnapshot.open(folder / "estate.mrdb")
    _scan(stored.as_snapshot(), _first(folder))
    return f"{_accounts(stored)} account(s) read"


def stage_scan(folder: Path) -> str:
    """The same as a command, its start included, in an estate where others were scanned before."""
    _scan_command(folder)
    return "with the start of Python"


def stage_scan_again(folder: Path) -> str:
    """That command again, nothing changed."""
    _scan_command(folder)
    return "with the start of Python"


def stage_widest(folder: Path) -> str:
    """The same for that of nine deployments which reaches most."""
    stored = StoredSnapshot.open(folder / "estate.mrdb")
    found = _scan(stored.as_snapshot(), (folder / "widest.yaml").read_bytes())
    return f"{found.figures.identities} identities, {_accounts(stored)} account(s)"


def stage_all(folder: Path, *more: str) -> str:
    """All deployments in one process, nothing kept from before, as a command."""
    _survey(folder, *more)
    return f"{len(list((folder / 'releases').iterdir()))} deployments"


def stage_everybody(folder: Path) -> str:
    """Each role as a deployment, nothing kept from before: all that there is is decided, whatever
    deployments reach."""
    _survey(folder, of="everybody")
    return f"{len(list((folder / 'everybody').iterdir()))} roles"


def stage_again(folder: Path) -> str:
    """All deployments again, nothing changed."""
    return stage_all(folder)


def stage_drift(folder: Path) -> str:
    """All deployments again after a day with 1 % of the accounts changed."""
    return stage_all(folder)


STAGES: dict[str, Callable[[Path], str]] = {
    "orjson.loads": stage_loads,
    "decode": stage_decode,
    "write a store": stage_store,
    "first use of a store": stage_names,
    "one deployment": stage_one,
    "`scan` of one": stage_scan,
    "`scan` of it again": stage_scan_again,
    "the widest of nine": stage_widest,
    "all deployments": stage_all,
    "all again, nothing changed": stage_again,
    "all again, 1 % of accounts changed": stage_drift,
    "each role as a deployment": stage_everybody,
}


#: Stages of which nothing may have been kept from before.
_FROM_SCRATCH = {"all deployments", "each role as a deployment"}


def _accounts(stored: StoredSnapshot) -> int:
    return sum(part in stored.facts.scopes for part in stored.facts.read_parts)


def _command(*words: object) -> None:
    """Run the program, whose processor time and memory count with its start."""
    subprocess.run(
        [sys.executable, "-m", "modelreach", *map(str, words)],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _survey(folder: Path, *more: str, of: str = "releases") -> None:
    estate, out = folder / "estate.mrdb", folder / "rows.jsonl"
    _command("survey", folder / of, "--snapshot", estate, "-q", "-o", out, *more)


def _scan_command(folder: Path) -> None:
    words = ("--exit-zero", "-o", folder / "scan.json")
    _command("scan", folder / "second.yaml", "--snapshot", folder / "estate.mrdb", *words)


def _first(folder: Path) -> bytes:
    return (folder / "first.yaml").read_bytes()


def _radius(folder: Path, raw: bytes) -> None:
    _scan(StoredSnapshot.open(folder / "estate.mrdb").as_snapshot(), raw)


def _scan(snapshot: Snapshot, raw: bytes) -> Any:
    release = Release(deployment.decode(raw, place="m"), snapshot)
    side = evaluate(release, JudgePolicy(), Estates())
    return radius_report(side, GateOptions())


# --- a size ------------------------------------------------------------------------------------


def prepare(size: Size, folder: Path) -> None:
    """Make the organisation and its releases."""
    made = whole(size.plan())
    (folder / "estate.snap").write_bytes(encode(made))
    write(folder / "estate.mrdb", made)
    _released(folder / "releases", deployments(size.plan(), made), size.provider)
    roles = [one.id for one in made.principals if one.kind in _RUNNING]
    _released(folder / "everybody", roles, size.provider)
    written = sorted((folder / "releases").iterdir())[:SINGLE]
    for file, name in (
        (written[0], "first"),
        (written[1], "second"),
        (_widest(made, written), "widest"),
    ):
        (folder / f"{name}.yaml").write_bytes(file.read_bytes())


#: Kinds of principals that deployments may run as.
_RUNNING = {"role", "service-account", "service-principal", "managed-identity"}


def _released(folder: Path, names: Iterable[str], provider: str) -> None:
    """Write a release for each of these."""
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / f"{number:06d}.yaml").write_text(manifest(name, number, provider))


def _widest(made: Snapshot, files: list[Path]) -> Path:
    releases = [(deployment.decode(file.read_bytes(), place="m"), "m", b"") for file in files]
    rows = Many(made, "", JudgePolicy()).survey(releases, lambda _: None)
    widest = max(rows, key=lambda row: sum(row.identities.values()))
    return files[rows.index(widest)]


def _in_process(stage: str, folder: Path) -> tuple[float, float, float, str]:
    """Run a stage in a process of its own; give CPU and wall seconds, peak memory and a note."""
    done = subprocess.run(
        [sys.executable, __file__, "--stage", stage, "--folder", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    cpu, wall, peak, note = json.loads(done.stdout)
    return cpu, wall, peak, note


def run_stage(stage: str, folder: Path) -> None:
    """Print what a stage took, as JSON."""
    if stage in _FROM_SCRATCH:
        _forget(folder)
    cpu, wall, note = _timed(lambda: STAGES[stage](folder))
    whom = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(one).ru_maxrss for one in whom) / 1024
    print(json.dumps([cpu, wall, peak, note]))


def _forget(folder: Path) -> None:
    """Drop what earlier stages kept in the store."""
    import sqlite3

    with sqlite3.connect(folder / "estate.mrdb") as db:
        db.execute("DELETE FROM derived")


def measure(size: Size, stages: Iterable[str] = STAGES) -> list[Measure]:
    """Give what each stage took."""
    found: list[Measure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(size, folder)
        loads = statistics.median(_in_process("orjson.loads", folder)[0] for _ in range(3))
        for stage in stages:
            if stage.startswith("all again, 1 %"):
                write(folder / "estate.mrdb", whole(size.plan(drift=0.01, day=1)))
            cpu, wall, peak, note = _in_process(stage, folder)
            found.append(Measure(size.name, stage, cpu, wall, peak, cpu / loads, note))
    return found


def growth(small: Size, large: Size, measures: list[Measure]) -> dict[str, float]:
    """Give the exponent of each stage between two sizes."""
    by = {(one.size, one.stage): one.cpu_s for one in measures}
    ratio = math.log(large.principals / small.principals)
    return {
        stage: math.log(by[large.name, stage] / by[small.name, stage]) / ratio
        for stage in STAGES
        if by.get((small.name, stage), 0) > 0 and by.get((large.name, stage), 0) > 0
    }


def bench_scale() -> None:
    """`make bench`: small sizes."""
    print(_markdown(*_all(SIZES[:2])))


def _all(
    sizes: tuple[Size, ...], stages: Iterable[str] = STAGES
) -> tuple[list[Measure], dict[str, dict[str, float]]]:
    measures = [one for size in sizes for one in measure(size, stages)]
    pairs = pairwise(sizes)
    return measures, {f"{a.name} -> {b.name}": growth(a, b, measures) for a, b in pairs}


def _markdown(measures: list[Measure], exponents: dict[str, dict[str, float]]) -> str:
    lines: list[str] = []
    for size in dict.fromkeys(one.size for one in measures):
        lines += ["", f"### {size}", "", "| stage | CPU s | of `orjson.loads` | peak MB | |"]
        lines += ["|---|--:|--:|--:|---|"]
        lines += [
            f"| {one.stage} | {one.cpu_s:.2f} | {one.ratio:.1f} | {one.peak_mb:.0f} | {one.note} |"
            for one in measures
            if one.size == size
        ]
    if exponents:
        lines += ["", "| growth exponent | " + " | ".join(exponents) + " |"]
        lines += ["|---|" + "--:|" * len(exponents)]
        lines += [
            f"| {stage} | "
            + " | ".join(f"{e[stage]:.2f}" if stage in e else "" for e in exponents.values())
            + " |"
            for stage in STAGES
            if any(stage in e for e in exponents.values())
        ]
    return "\n".join(lines)


def _said(result: dict[str, Any]) -> str:
    """Give the tables of a result, with when and on what it was measured."""
    measures = [Measure(**one) for one in result["measures"]]
    return f"Measured on {result['on']}.\n{_markdown(measures, result['growth'])}"


def _together(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what was measured in several runs as one result."""
    return {
        "on": "; ".join(dict.fromkeys(one["on"] for one in results)),
        "measures": [row for one in results for row in one["measures"]],
        "growth": {pair: row for one in results for pair, row in one["growth"].items()},
    }


def _on() -> str:
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())} with {platform.python_implementation()} "
        f"{platform.python_version()} on {os.cpu_count()} processors, "
        f"load {os.getloadavg()[2]:.0f}"
    )


def write_down(result: dict[str, Any]) -> None:
    """Put the tables into the document, in the place of those that are there."""
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    DOCUMENT.write_text(f"{head}{BEGIN}\n{_said(result)}\n{END}{tail}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--principals", type=int, action="append")
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--deployments", type=int)
    parser.add_argument("--provider", choices=sorted(PROVIDERS), default="aws")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=list(STAGES), action="append", help="stages")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--from", dest="before", type=Path, action="append")
    parser.add_argument("--stage")
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.stage:
        run_stage(asked.stage, asked.folder)
        return
    sizes = tuple(replace(size, provider=asked.provider) for size in SIZES)
    if asked.principals:
        sizes = tuple(
            Size(
                n,
                asked.accounts or max(1, n // 100),
                asked.deployments or max(5, n // 20),
                asked.provider,
            )
            for n in asked.principals
        )
    result: dict[str, Any]
    if asked.before:
        result = _together([json.loads(one.read_text()) for one in asked.before])
    else:
        measures, exponents = _all(sizes, asked.only or STAGES)
        rows = [asdict(one) for one in measures]
        result = {"on": _on(), "measures": rows, "growth": exponents}
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n")
    if asked.write:
        write_down(result)
    print(_said(result) if asked.markdown else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
