"""Workflow integrity, as manifests declare it: autonomy, systems downstream, logs, rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from modelreach.deployment import Downstream, Spec
from modelreach.gate.catalogue import Dimension
from modelreach.gate.scales import Way, differences, is_list, shown, words
from modelreach.gate.scales import compare as weigh
from modelreach.gate.triggers.said import Said, trigger, undeclared

Settings = Mapping[str, Any]

_MEMORIES = {"none": 0, "session": 1, "user": 2, "long-term": 3, "persistent": 3, "shared": 4}
#: Lists of what waits for a person; in all other lists more is more.
_HELD_BACK = frozenset({"humanInLoop"})
#: Without these the autonomy cannot be judged.
_NEEDED = frozenset({"maxSteps", "humanInLoop"})


def compare(old: Spec, new: Spec) -> Said:
    """Give the triggers of workflow integrity that two manifests show."""
    yield from undeclared(
        Dimension.WORKFLOW,
        ("the autonomy", "spec.autonomy", old.autonomy, new.autonomy),
        ("the systems downstream", "spec.downstream", old.downstream, new.downstream),
        ("what is logged", "spec.observability.logging", _logging(old), _logging(new)),
        ("the alerts", "spec.observability.alerts", _alerts(old), _alerts(new)),
        ("the rollback", "spec.rollback", old.rollback, new.rollback),
    )
    if old.autonomy is not None and new.autonomy is not None:
        yield from _autonomy(old.autonomy, new.autonomy)
    if old.downstream is not None and new.downstream is not None:
        yield from _downstream(old.downstream, new.downstream)
    yield from _logs(_logging(old), _logging(new))
    yield from _alarms(_alerts(old), _alerts(new))
    if old.rollback is not None and new.rollback is not None:
        yield from _rollback(old.rollback, new.rollback)


# --- autonomy ------------------------------------------------------------------------------


def _autonomy(old: Settings, new: Settings) -> Said:
    yield from undeclared(
        Dimension.WORKFLOW,
        ("the steps of a run", "spec.autonomy.maxSteps", old.get("maxSteps"), new.get("maxSteps")),
        (
            "which effects wait for a person",
            "spec.autonomy.humanInLoop",
            old.get("humanInLoop"),
            new.get("humanInLoop"),
        ),
    )
    for name, was, now, _ in differences(old, new):
        undecided = name in _NEEDED and None in (was, now)
        if not undecided and _grows(name, was, now):
            yield trigger("AUTONOMY-GROW", name, was, now)


def _grows(name: str, old: object, new: object) -> bool:
    """Without an order that is known, what differs is taken for more autonomy."""
    if name in _HELD_BACK:
        return weigh(name, old, new) is Way.WEAKER
    if isinstance(old, bool) and isinstance(new, bool):
        return new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return new > old
    if name == "memory" and shown(old) in _MEMORIES and shown(new) in _MEMORIES:
        return _MEMORIES[shown(new)] > _MEMORIES[shown(old)]
    if is_list(old) and is_list(new):
        return bool(set(words(new)) - set(words(old)))
    if old is None:
        # A limit or a list of what waits, that was not there before, gives nothing.
        return not isinstance(new, int | float) or new is True
    return True


# --- downstream ----------------------------------------------------------------------------


def _downstream(old: tuple[Downstream, ...], new: tuple[Downstream, ...]) -> Said:
    before = {system.id: system for system in old}
    for system in sorted(new, key=lambda system: system.id):
        earlier = before.get(system.id)
        if earlier is None:
            yield trigger("DOWNSTREAM-NEW", system.id, "no such system", _described(system))
        else:
            yield from _system(earlier, system)


def _described(system: Downstream) -> str:
    undone = {True: "reversible", False: "not reversible", None: "reversibility not declared"}
    return f"writes {shown(system.writes)}, {undone[system.reversible]}"


def _system(old: Downstream, new: Downstream) -> Said:
    yield from undeclared(
        Dimension.WORKFLOW,
        (
            f"whether writes to `{new.id}` can be undone",
            f"spec.downstream[{new.id}].reversible",
            old.reversible,
            new.reversible,
        ),
        (
            f"what is written to `{new.id}`",
            f"spec.downstream[{new.id}].writes",
            old.writes,
            new.writes,
        ),
    )
    if old.reversible and new.reversible is False:
        yield trigger("IRREVERSIBLE", new.id, "reversible", "not reversible")
    for name, was, now in (
        ("writes", old.writes, new.writes),
        ("consumers", old.consumers, new.consumers),
    ):
        if now is not None and set(now) - set(was or ()) and (was is not None or name != "writes"):
            yield trigger("DOWNSTREAM-WIDER", f"{new.id}.{name}", was, now)


# --- logs and alerts -----------------------------------------------------------------------


def _logging(spec: Spec) -> Settings | None:
    return _part(spec.observability, "logging")


def _part(settings: Settings | None, name: str) -> Settings | None:
    found = (settings or {}).get(name)
    return cast("Settings", found) if isinstance(found, Mapping) else None


def _alerts(spec: Spec) -> list[object] | None:
    found = (spec.observability or {}).get("alerts")
    return cast("list[object]", found) if isinstance(found, list) else None


def _logs(old: Settings | None, new: Settings | None) -> Said:
    if old is None or new is None:
        return
    yield from undeclared(
        Dimension.WORKFLOW,
        *(
            (what, f"spec.observability.logging.{name}", _set(old, name), _set(new, name))
            for what, name in (
                ("whether calls of the model are logged", "invocations"),
                ("whether calls of tools are logged", "toolCalls"),
                ("for how long logs are kept", "retentionDays"),
            )
        ),
    )
    for name, was, now, way in differences(old, new):
        if was is not None and _logs_less(was, now, way):
            yield trigger("LOGGING-WEAKENED", name, was, now)


def _set(settings: Settings, name: str) -> object:
    """A value that is there but null says that there is none."""
    return settings.get(name) if settings.get(name) is not None or name not in settings else ""


def _logs_less(old: object, new: object, way: Way) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return new is False or new is None
    if isinstance(old, int | float) and isinstance(new, int | float):
        return new < old
    return way in (Way.WEAKER, Way.OTHER)


def _alarms(old: list[object] | None, new: list[object] | None) -> Said:
    if old is None or new is None:
        return
    after = dict(map(_alarm, new))
    for name, target in map(_alarm, old):
        if name not in after:
            yield trigger("ALERT-REMOVED", name, target, "no such alert")
        elif after[name] != target:
            yield trigger("ALERT-REMOVED", name, target, after[name])


def _alarm(value: object) -> tuple[str, str]:
    if isinstance(value, Mapping):
        settings = cast("Settings", value)
        return shown(settings.get("id")), shown(settings.get("target"))
    return shown(value), "declared"


# --- rollback ------------------------------------------------------------------------------


def _rollback(old: Settings, new: Settings) -> Said:
    yield from undeclared(
        Dimension.WORKFLOW,
        (
            "when the rollback was tested",
            "spec.rollback.tested",
            _set(old, "tested"),
            _set(new, "tested"),
        ),
        ("the release to go back to", "spec.rollback.to", old.get("to"), new.get("to")),
    )
    if "tested" in new and not same_drill(old, new):
        yield trigger("ROLLBACK-UNTESTED", "rollback", _drill(old), _drill(new))
    slower = _number(new.get("maxMinutes")), _number(old.get("maxMinutes"))
    if None not in slower and cast("float", slower[0]) > cast("float", slower[1]):
        was, now = old.get("maxMinutes"), new.get("maxMinutes")
        yield trigger("ROLLBACK-WEAKENED", "maxMinutes", f"{was} minutes", f"{now} minutes")
    gone = set(words(old.get("criteria"))) - set(words(new.get("criteria")))
    if gone:
        yield trigger("ROLLBACK-WEAKENED", "criteria", old.get("criteria"), new.get("criteria"))


def same_drill(old: Settings, new: Settings) -> bool:
    """Is the new rollback as tested as the old one was?

    A date that was there before says nothing of a rollback to another release.
    """
    if new.get("to") == old.get("to"):
        return bool(new.get("tested")) or not old.get("tested")
    return bool(new.get("tested")) and new.get("tested") != old.get("tested")


def _drill(rollback: Settings) -> str:
    to = shown(rollback.get("to"))
    return f"to {to}, " + (
        f"tested {rollback['tested']}" if rollback.get("tested") else "never tested"
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
