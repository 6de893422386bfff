"""One release compared in one account, beside what other tools do with the same account.

    python -m venv peers && peers/bin/pip install principalmapper cloudsplaining
    python tests/bench/bench_peers.py --peers peers/bin/python

The tools answer other questions (PMapper whom one can become, cloudsplaining what single policies
allow), so the times say how heavy each is, not which is better. CPU seconds of whole processes,
which find their modules compiled, as installed programs do. PMapper is driven through its library,
with the account's details instead of a session.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures"))

from modelreach.store import write  # noqa: E402
from organisations import deployments, manifest, plan, whole  # noqa: E402
from organisations.details import authorization_details  # noqa: E402

PROGRAM = Path(sys.executable).with_name("modelreach")
PAIRS = 9

# Run by the other environment's Python.
PMAPPER = """
import collections, collections.abc, io, json, logging, sys
for name in ("Mapping", "MutableMapping", "Sequence", "Iterable", "Callable"):
    vars(collections).setdefault(name, getattr(collections.abc, name))
from botocore.exceptions import ClientError
from principalmapper.common import Graph
from principalmapper.graphing import edge_identification, gathering
from principalmapper.querying.presets import privesc
logging.disable(logging.CRITICAL)
details = json.load(open(sys.argv[1]))
class Pages:
    def __init__(self, name): self.name = name
    def paginate(self, **_):
        whole = self.name == "get_account_authorization_details"
        yield details if whole else {"VirtualMFADevices": []}
class Client:
    def get_paginator(self, name): return Pages(name)
    def list_access_keys(self, **_): return {"AccessKeyMetadata": []}
    def list_mfa_devices(self, **_): return {"MFADevices": []}
    def get_login_profile(self, **_):
        raise ClientError({"Error": {"Code": "NoSuchEntity"}}, "GetLoginProfile")
found = gathering.get_nodes_groups_and_policies(Client())
gathering.update_admin_status(found["nodes"], None)
edges = edge_identification.obtain_edges(
    None, edge_identification.checker_map.keys(), found["nodes"])
graph = Graph(found["nodes"], edges, found["policies"], found["groups"],
              {"account_id": "0", "pmapper_version": "0"})
privesc.write_privesc_results(graph, graph.nodes, False, io.StringIO())
"""


def _cpu(command: list[str], folder: Path) -> float:
    known = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env = known | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


class Taken(NamedTuple):
    """CPU seconds of comparing a pair of releases of which the newer one runs as an identity that
    is met for the first time, of comparing them once more, of comparing it with the next release
    of the same identity (another model), and of PMapper beside them."""

    first: float
    again: float
    following: float
    pmapper: float


def _prepared(principals: int, seed: int, folder: Path) -> tuple[str, ...]:
    """Write the account in both forms; give whom the releases run as."""
    of = plan(principals=principals, accounts=1, seed=seed)
    made = whole(of)
    write(folder / "estate.mrdb", made)
    (folder / "details.json").write_text(json.dumps(authorization_details(made)))
    return deployments(of, made)


def _pairs(names: tuple[str, ...], peers: Path, folder: Path) -> Iterator[Taken]:
    """Take pairs of releases one after the other, each beside a run of PMapper: what else the
    machine does slows all three. The first pair, by which modules are compiled, is left out."""
    options = ["--snapshot", "estate.mrdb", "--exit-zero", "--format", "json"]
    command = [str(PROGRAM), "diff", "old.yaml", "new.yaml", *options]
    following = [str(PROGRAM), "diff", "new.yaml", "next.yaml", *options]
    pmapper = [str(peers), "-c", PMAPPER, "details.json"]
    for place in range(min(PAIRS + 1, len(names) - 1)):
        (folder / "old.yaml").write_text(manifest(names[place]))
        (folder / "new.yaml").write_text(manifest(names[place + 1]))
        (folder / "next.yaml").write_text(_next(manifest(names[place + 1])))
        taken = Taken(
            _cpu(command, folder),
            _cpu(command, folder),
            _cpu(following, folder),
            _cpu(pmapper, folder),
        )
        if place:
            yield taken


def _next(text: str) -> str:
    return text.replace('version: "1"', 'version: "2"').replace("id: made-up", "id: made-up-2")


def _shown(label: str, times: list[float], pmapper: list[float]) -> None:
    ratios = sorted(other / own for own, other in zip(times, pmapper, strict=True))
    middle = statistics.median(times)
    print(
        f"{label:<24} {middle:8.3f} s   PMapper / this: {statistics.median(ratios):.0f}"
        f" ({ratios[0]:.0f} to {ratios[-1]:.0f})",
        flush=True,
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--principals", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", type=Path, required=True)
    asked = parser.parse_args()
    peers = asked.peers.absolute()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = _prepared(asked.principals, asked.seed, folder)
        first, again, following, pmapper = map(
            list, zip(*_pairs(names, peers, folder), strict=True)
        )
        print(f"{'PMapper':<24} {statistics.median(pmapper):8.3f} s", flush=True)
        _shown("modelreach diff", first, pmapper)
        _shown("  once more", again, pmapper)
        _shown("  the next release", following, pmapper)
        python = _cpu([sys.executable, "-c", "import click, msgspec"], folder)
        print(f"{'Python, click, msgspec':<24} {python:8.3f} s", flush=True)
        splaining = [str(peers.with_name("cloudsplaining")), "scan", "--input-file"]
        try:
            other = _cpu([*splaining, "details.json", "--skip-open-report"], folder)
            print(f"{'cloudsplaining':<24} {other:8.3f} s", flush=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{'cloudsplaining':<24} not run ({type(error).__name__})", flush=True)


if __name__ == "__main__":
    main()
