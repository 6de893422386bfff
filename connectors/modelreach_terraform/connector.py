"""The connector as the program knows it: an estate as it will be after a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modelreach import __version__, snapshot
from modelreach.model import InputError
from modelreach.plugins import CallPermission, CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_terraform import plan as plans
from modelreach_terraform.apply import apply
from modelreach_terraform.plan import Plan
from modelreach_terraform.source import Written, look
from modelreach_terraform.told import AFTER_APPLY
from modelreach_terraform.world import World

_HINT: Final = "give a plan: `--plan plan.json`, as `terraform show -json PLANFILE` prints it"


@dataclass(frozen=True, slots=True)
class TerraformConnector:
    """Plans, applied to a base one after another."""

    name: str = "terraform"

    def collect(self, options: CollectOptions) -> Snapshot:
        """Apply the plans of `options.settings` (and of `options.sources`) to the base.

        The snapshot is of the time of its base: a plan makes nothing older. Without a base, what
        the plan says is there is the base. Raises `InputError` for what is no plan or base.
        """
        given = options.settings
        paths = (*given.get("plan", ()), *map(str, options.sources))
        if not paths:
            raise InputError("there is no plan", place="--plan", hint=_HINT)
        base = _base(given.get("onto", ()))
        account = next(iter(given.get("account", ())), "")
        folder = next(iter(given.get("source", ())), "")
        found = base or Snapshot(schema=snapshot.SCHEMA, taken_at=options.now)
        for path in paths:
            plan = plans.decode(_read(path), place=path)
            world = World(found)
            written = (
                look(Path(folder), plan.configuration, options.progress) if folder else Written()
            )
            apply(plan, world, written, account=account, own_base=base is None)
            found = world.snapshot(taken_at=found.taken_at, tool=f"modelreach {__version__}")
            options.progress(_told(plan))
        if not folder and any(gap.reason == AFTER_APPLY for gap in found.gaps):
            options.progress("some is known only after apply: --source DIR may tell it before")
        return found

    def calls(self) -> Sequence[CallPermission]:
        """No call: plans are files."""
        return ()

    def policy(self, permissions: Sequence[str] | None = None) -> Mapping[str, object]:
        """No permission is needed of anybody."""
        return {}


def _base(paths: tuple[str, ...]) -> Snapshot | None:
    if not paths:
        return None
    parts = [_snapshot(path) for path in paths]
    if len(parts) == 1:
        return parts[0]
    return snapshot.merge(parts, taken_at=max(part.taken_at for part in parts), tool="")


def _snapshot(path: str) -> Snapshot:
    raw = _read(path)
    if raw.startswith(b"SQLite format 3\0"):
        raise InputError(
            "this is a store; a plan is applied to a snapshot in JSON",
            place=path,
            hint=f"modelreach convert {path} -o base.snap.json",
        )
    return snapshot.decode(raw, place=path)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", place=path) from None


def _told(plan: Plan) -> str:
    actions = [change.action.value for change in plan.changes if not change.instance.data]
    counted = {name: actions.count(name) for name in sorted(set(actions))}
    said = ", ".join(f"{number} {name}" for name, number in counted.items()) or "no changes"
    return f"{plan.place}: {said}"
