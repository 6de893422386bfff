"""What a large cluster costs: read from its API server, parsed, loaded, and followed.

    python tests/bench/bench_kubernetes.py                 # 5,000 accounts, 50,000 pods
    python tests/bench/bench_kubernetes.py --accounts 500

CPU seconds of this process; ratios are to `json.loads` of the snapshot. Run by `make bench` too.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures"))

from kubernetes_api.large import Size, objects  # noqa: E402
from modelreach.policy.providers import engines  # noqa: E402
from modelreach.reach import reach  # noqa: E402
from modelreach.snapshot import Facts, Snapshot, decode, encode  # noqa: E402
from modelreach_kubernetes.estate import Read  # noqa: E402
from modelreach_kubernetes.keep import kept  # noqa: E402
from modelreach_kubernetes.kinds import KINDS  # noqa: E402
from modelreach_kubernetes.parse import parse  # noqa: E402

STARTS = 20


def measured(size: Size) -> dict[str, Any]:
    """Measure a cluster from its objects to what twenty accounts of it reach."""
    made = list(objects(size))
    keeping, items = timed(lambda: [kept(item) for item in made])
    found = Read("large", "2026-11-25T00:00:00Z", items)
    found.whole |= {(kind.qualified + kind.selector, "") for kind in KINDS if not kind.optional}
    parsing, parsed = timed(lambda: parse(found))
    writing, raw = timed(lambda: encode(parsed))
    loads, _ = timed(lambda: json.loads(raw))
    read, snapshot = timed(lambda: decode(raw, place="cluster"))
    plain = [number * (size.accounts // STARTS) for number in range(STARTS)]
    followed, reached = timed(lambda: follow(snapshot, [size.account(one) for one in plain]))
    admin, whole = timed(lambda: follow(snapshot, [size.account(size.accounts - 1)]))
    return {
        "accounts": size.accounts,
        "bindings": len(snapshot.bindings),
        "pods": size.pods,
        "bytes": len(raw),
        "keep_s": round(keeping, 3),
        "parse_s": round(parsing, 3),
        "encode_s": round(writing, 3),
        "json_loads_s": round(loads, 3),
        "read_s": round(read, 3),
        "follow_s": round(followed, 3),
        "administrator_s": round(admin, 3),
        "ratio": round((read + followed) / loads, 2),
        "reached": reached,
        "administrator_reached": whole,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def follow(snapshot: Snapshot, accounts: list[str]) -> int:
    """Follow each account; give how many identities, grants and scopes they have together."""
    built = engines(Facts(snapshot))
    radii = [reach([f"k8s/large/{account}"], built) for account in accounts]
    return sum(
        len(one.identities) + len(one.accesses) + len(one.patterns) + len(one.takeovers)
        for one in radii
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the CPU seconds of some work, and what it gave."""
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def bench_kubernetes() -> None:
    """Measure the cluster that the figures are about."""
    print(json.dumps(measured(Size(5_000, 50_000))))


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--accounts", type=int, default=5_000)
    given = parser.parse_args()
    print(json.dumps(measured(Size(given.accounts, given.accounts * 10)), indent=2))


if __name__ == "__main__":
    main()
