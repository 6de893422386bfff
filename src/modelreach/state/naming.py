"""Which audit a word on the command line means."""

from __future__ import annotations

from sqlalchemy import Connection

from modelreach.model import InputError
from modelreach.state import reading
from modelreach.state.records import AuditRow, DeploymentRow


def find(db: Connection, word: str, place: str) -> AuditRow:
    """Give the audit; see `State.find`."""
    name, mark, version = word.rpartition("@")
    if mark:
        deployment = _deployment(db, name, place)
        found = reading.of_version(db, deployment.deployment, version)
        if found is None:
            raise InputError(f"`{name}` was never audited in version `{version}`", place=place)
        return found
    if any(word in (one.deployment, one.name) for one in reading.deployments(db)):
        last = reading.audit(db, _deployment(db, word, place).last)
        assert last is not None  # a deployment is only there with an audit
        return last
    return reading.named(db, word, place)


def _deployment(db: Connection, name: str, place: str) -> DeploymentRow:
    known = reading.deployments(db)
    found = [one for one in known if one.deployment == name]
    found = found or [one for one in known if one.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        both = ", ".join(one.deployment for one in found)
        raise InputError(f"`{name}` may be any of {both}", place=place)
    names = ", ".join(one.deployment for one in known[:10]) or "nothing"
    raise InputError(f"`{name}` was never audited", place=place, hint=f"there is {names}")
