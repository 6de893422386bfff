"""What an organization of Google Cloud costs, beside one of AWS, in proportion to its bytes.

    python tests/bench/bench_gcp.py                   # 500 projects
    python tests/bench/bench_gcp.py --projects 5000   # 58,000 service accounts, 117,000 bindings

CPU seconds of this process; ratios are to `json.loads` of the snapshot. Run by `make bench` too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures"))

from modelreach.policy.providers import engines  # noqa: E402
from modelreach.reach import reach  # noqa: E402
from modelreach.snapshot import Facts, Snapshot, decode, encode  # noqa: E402
from organisations import deployments, plan, whole  # noqa: E402

DEPLOYMENTS = 20


def measured(provider: str, projects: int) -> dict[str, Any]:
    """Measure reading an organization and following some deployments through it."""
    made = plan(
        principals=projects * 10,
        resources=projects * 10,
        accounts=projects,
        deployments=DEPLOYMENTS,
    )
    made = dataclasses.replace(made, providers=(provider,))
    raw = encode(whole(made))
    loads, _ = timed(lambda: json.loads(raw))
    read, snapshot = timed(lambda: decode(raw, place="organization"))
    starts = deployments(made, snapshot)
    followed, reached = timed(lambda: follow(snapshot, starts))
    return {
        "provider": provider,
        "projects": projects,
        "principals": len(snapshot.principals),
        "bindings": len(snapshot.bindings),
        "bytes": len(raw),
        "json_loads_s": round(loads, 3),
        "read_s": round(read, 3),
        "follow_s": round(followed, 3),
        "ratio": round((read + followed) / loads, 2),
        "reached": reached,
    }


def follow(snapshot: Snapshot, starts: tuple[str, ...]) -> int:
    """Follow each deployment; give how many grants they have together."""
    built = engines(Facts(snapshot))
    radii = [reach([start], built) for start in starts]
    return sum(len(radius.accesses) + len(radius.patterns) for radius in radii)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the CPU seconds of some work, and what it gave."""
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def bench_gcp() -> None:
    """Measure small organizations of both."""
    for provider in ("gcp", "aws"):
        print(json.dumps(measured(provider, 30)))


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--projects", type=int, default=500)
    parser.add_argument("--provider", choices=("gcp", "aws"), default="gcp")
    given = parser.parse_args()
    print(json.dumps(measured(given.provider, given.projects), indent=2))


if __name__ == "__main__":
    main()
