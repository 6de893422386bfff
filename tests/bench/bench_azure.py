"""What a large Azure tenant costs: 200 subscriptions, 400,000 role assignments, 30,000 identities.

    python tests/bench/bench_azure.py                # JSON
    python tests/bench/bench_azure.py --scale 0.1    # a tenth of it

Run by `make bench` too. CPU time of this process. Ratios are to `json.loads` of the snapshot's
bytes, so they mean the same on any machine: reading a snapshot and following one deployment
through it should cost a small multiple of parsing it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from modelreach.policy.azure.engine import AzureEngine
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import (
    SCHEMA,
    Binding,
    Facts,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    decode,
    document_bytes,
    document_id,
    documents_of,
    encode,
)

EVERYWHERE = "ffffffff-0000-0000-0000-000000000000"
TENANT = "10000000-0000-0000-0000-000000000001"
ROLES = {
    "Owner": {"actions": ["*"]},
    "Contributor": {"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]},
    "Reader": {"actions": ["*/read"]},
    "Key Vault Secrets User": {
        "dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]
    },
    "Storage Blob Data Reader": {
        "dataActions": ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"]
    },
}
WEIGHTS = (1, 5, 40, 27, 27)
KINDS = ("microsoft.storage/storageaccounts", "microsoft.keyvault/vaults")
SUBSCRIPTIONS, GROUPS, RESOURCES = 200, 20, 10
ASSIGNMENTS, IDENTITIES = 400_000, 30_000


def tenant(scale: float) -> Snapshot:
    """Make a tenant; the same scale gives the same one."""
    draw = Random(7)
    roles, documents = _roles()
    subscriptions = [f"/subscriptions/{n:08x}" for n in range(max(1, int(SUBSCRIPTIONS * scale)))]
    groups = [f"{sub}/resourcegroups/g{n}" for sub in subscriptions for n in range(GROUPS)]
    scopes = [
        Scope(id=TENANT, provider="azure", kind="tenant"),
        Scope(id="/", provider="azure", kind="root", parent=TENANT),
        *(Scope(id=s, provider="azure", kind="subscription", parent="/") for s in subscriptions),
        *(
            Scope(id=g, provider="azure", kind="resource-group", parent=g.rpartition("/res")[0])
            for g in groups
        ),
    ]
    resources = [_resource(group, number) for group in groups for number in range(RESOURCES)]
    people = [f"{n:08x}-0000-0000-0000-000000000000" for n in range(int(IDENTITIES * scale))]
    places = [*subscriptions, *groups, *(resource.id for resource in resources)]
    weights = [*([1] * len(subscriptions)), *([4] * len(groups)), *([1] * len(resources))]
    count = int(ASSIGNMENTS * scale)
    where = draw.choices(places, weights, k=count)
    what = draw.choices(roles, WEIGHTS, k=count)
    bindings = [
        Binding(
            id=f"{place}/providers/microsoft.authorization/roleassignments/{number:08x}",
            provider="azure",
            target=place,
            role=role.id,
            members=(draw.choice(people),),
            status="active",
        )
        for number, (place, role) in enumerate(zip(where, what, strict=True))
    ]
    return Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-25T00:00:00Z",
        scopes=tuple(scopes),
        principals=tuple(
            Principal(id=name, provider="azure", kind="managed-identity", scope=TENANT)
            for name in people
        ),
        resources=tuple(resources),
        managed_policies=tuple(roles),
        bindings=tuple(bindings),
        documents=documents_of(documents),
    )


def _resource(group: str, number: int) -> Resource:
    kind = KINDS[number % 2]
    attributes: dict[str, Any] = {"rbac": True} if number % 2 else {}
    return Resource(
        id=f"{group}/providers/{kind}/r{number}",
        provider="azure",
        kind=kind,
        scope=group,
        name=f"r{number}",
        attributes=attributes,
    )


def _roles() -> tuple[list[ManagedPolicy], dict[str, bytes]]:
    roles: list[ManagedPolicy] = []
    documents: dict[str, bytes] = {}
    for number, (name, permission) in enumerate(ROLES.items()):
        raw = document_bytes({"permissions": [permission], "type": "BuiltInRole"})
        documents[document_id(raw)] = raw
        roles.append(
            ManagedPolicy(
                id=f"/providers/microsoft.authorization/roledefinitions/{number}",
                provider="azure",
                scope="/",
                name=name,
                default_version="current",
                versions={"current": document_id(raw)},
            )
        )
    return roles, documents


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the CPU seconds of some work, and what it gave."""
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def measure(scale: float) -> dict[str, Any]:
    """Give the figures of a tenant of this scale."""
    raw = encode(tenant(scale))
    parsing, _ = timed(lambda: json.loads(raw))
    reading, snapshot = timed(lambda: decode(raw, place="bench"))
    indexing, engine = timed(lambda: AzureEngine(Facts(snapshot)))
    start = snapshot.principals[len(snapshot.principals) // 2].id
    following, radius = timed(lambda: reach([start], {"azure": engine}))
    another = snapshot.principals[len(snapshot.principals) // 3].id
    again, _ = timed(lambda: reach([another], {"azure": engine}))
    everywhere = AzureEngine(Facts(_with_contributor(snapshot)))
    whole, grants = timed(lambda: everywhere.grants(EVERYWHERE))
    return {
        "megabytes": round(len(raw) / 1e6, 1),
        "assignments": len(snapshot.bindings),
        "identities": len(snapshot.principals),
        "json_loads_s": round(parsing, 2),
        "decode_ratio": round(reading / parsing, 2),
        "index_ratio": round(indexing / parsing, 2),
        "first_reach_ratio": round(following / parsing, 2),
        "next_reach_s": round(again, 3),
        "everywhere_ratio": round(whole / parsing, 2),
        "everywhere_grants": len(grants),
        **_found(radius),
    }


def _with_contributor(snapshot: Snapshot) -> Snapshot:
    """One identity more, which is Contributor of every subscription."""
    identity = Principal(id=EVERYWHERE, provider="azure", kind="managed-identity", scope=TENANT)
    role = snapshot.managed_policies[1].id
    binding = Binding(
        id="everywhere",
        provider="azure",
        target="/",
        role=role,
        members=(EVERYWHERE,),
        status="active",
    )
    return replace(
        snapshot,
        principals=(*snapshot.principals, identity),
        bindings=(*snapshot.bindings, binding),
    )


def _found(radius: BlastRadius) -> dict[str, int]:
    return {"grants": len(radius.accesses), "takeovers": len(radius.takeovers)}


def bench_a_large_tenant() -> None:
    print(f"\n{json.dumps(measure(0.25), indent=1)}")


def main(arguments: list[str] | None = None) -> int:
    """Print the figures as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args(arguments)
    print(json.dumps({"python": sys.version.split()[0], **measure(given.scale)}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
