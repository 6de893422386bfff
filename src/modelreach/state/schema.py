"""The tables, and the steps by which a state of an older version comes to have them.

Steps are SQL that SQLite and PostgreSQL both take, in order, and are never changed once
released. `TABLES` are the same tables for queries; a test holds them against what the steps make.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    inspect,
    select,
)

from modelreach.model import InputError

SCHEMA: Final = "modelreach.state/1"
_DATA: Final = MetaData()


def _table(name: str, *columns: str) -> Table:
    """Give a table; columns end in `#` when they are numbers, in `?` when they are yes or no,
    and begin with `*` when they are part of the key."""
    kinds = {"#": BigInteger, "?": Boolean}
    made: list[Column[object]] = []
    for column in columns:
        kind = kinds.get(column[-1], Text)
        name_ = column.strip("*#?")
        made.append(Column(name_, kind(), primary_key=column.startswith("*"), nullable=False))
    return Table(name, _DATA, *made)


state = _table("state", "*name", "value")
snapshots = _table("snapshots", "*digest", "facts", "taken_at", "tool", "bytes#")
deployments = _table("deployments", "*deployment", "name", "environment", "owner", "last", "clear")
audits = _table(
    "audits",
    *("*id", "deployment", "number#", "key", "at", "version", "model", "manifest"),
    *("manifest_name", "snapshot", "taken_at", "baseline", "previous", "approval#"),
    *("verdict", "exit_code#", "reasons", "resources#", "sensitive#", "identities#", "scopes#"),
    *("administers#", "patterns#", "credentials#", "longest_chain#", "critical#", "high#"),
    *("medium#", "low#", "waived#", "gaps#", "oldest_key_days#", "drifted#", "changed#"),
    *("events#", "radius", "drift", "change", "approvals_head"),
)
events = _table(
    "events",
    *("*audit", "*position#", "kind", "item", "message", "severity", "recovery?", "subject"),
    *("subject_kind", "subject_name", "provider", "identity", "capability", "actions"),
    *("verdict", "rule", "caused_by", "since"),
)
standing = _table(
    "standing", "*deployment", "*kind", "*item", "seen_in", "hidden?", "severity", "title", "told"
)
approvals = _table(
    "approvals",
    *("*number#", "deployment", "audit", "version", "snapshot", "manifest", "approved_by"),
    *("approved_at", "until", "why", "before", "digest"),
)
notifications = _table("notifications", "*id", "deployment", "audit", "at", "telling")
deliveries = _table(
    "deliveries",
    *("*notification", "*target", "status", "attempts#", "last_at", "next_at", "error"),
)
lease = _table("lease", "*name", "holder", "since")

TABLES: Final = _DATA.sorted_tables


#: The first version. A word that changes is one more step below, and never a change of this one.
_FIRST: Final = """
CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE snapshots (
    digest TEXT NOT NULL PRIMARY KEY, facts TEXT NOT NULL, taken_at TEXT NOT NULL,
    tool TEXT NOT NULL, bytes BIGINT NOT NULL);
CREATE TABLE deployments (
    deployment TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, environment TEXT NOT NULL,
    owner TEXT NOT NULL, last TEXT NOT NULL, clear TEXT NOT NULL);
CREATE TABLE audits (
    id TEXT NOT NULL PRIMARY KEY, deployment TEXT NOT NULL REFERENCES deployments,
    number BIGINT NOT NULL, key TEXT NOT NULL, at TEXT NOT NULL,
    version TEXT NOT NULL, model TEXT NOT NULL,
    manifest TEXT NOT NULL, manifest_name TEXT NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshots, taken_at TEXT NOT NULL, baseline TEXT NOT NULL,
    previous TEXT NOT NULL, approval BIGINT NOT NULL, verdict TEXT NOT NULL,
    exit_code BIGINT NOT NULL, reasons TEXT NOT NULL, resources BIGINT NOT NULL,
    sensitive BIGINT NOT NULL, identities BIGINT NOT NULL, scopes BIGINT NOT NULL,
    administers BIGINT NOT NULL, patterns BIGINT NOT NULL, credentials BIGINT NOT NULL,
    longest_chain BIGINT NOT NULL, critical BIGINT NOT NULL, high BIGINT NOT NULL,
    medium BIGINT NOT NULL, low BIGINT NOT NULL, waived BIGINT NOT NULL, gaps BIGINT NOT NULL,
    oldest_key_days BIGINT NOT NULL, drifted BIGINT NOT NULL, changed BIGINT NOT NULL,
    events BIGINT NOT NULL, radius TEXT NOT NULL, drift TEXT NOT NULL, change TEXT NOT NULL,
    approvals_head TEXT NOT NULL, UNIQUE (deployment, number));
CREATE INDEX audits_by_snapshot ON audits (snapshot);
CREATE INDEX audits_by_time ON audits (at);
CREATE TABLE events (
    audit TEXT NOT NULL REFERENCES audits, position BIGINT NOT NULL, kind TEXT NOT NULL,
    item TEXT NOT NULL, message TEXT NOT NULL, severity TEXT NOT NULL, recovery BOOLEAN NOT NULL,
    subject TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_name TEXT NOT NULL,
    provider TEXT NOT NULL, identity TEXT NOT NULL, capability TEXT NOT NULL,
    actions TEXT NOT NULL, verdict TEXT NOT NULL, rule TEXT NOT NULL, caused_by TEXT NOT NULL,
    since TEXT NOT NULL, PRIMARY KEY (audit, position));
CREATE TABLE standing (
    deployment TEXT NOT NULL REFERENCES deployments, kind TEXT NOT NULL, item TEXT NOT NULL,
    seen_in TEXT NOT NULL, hidden BOOLEAN NOT NULL, severity TEXT NOT NULL, title TEXT NOT NULL,
    told TEXT NOT NULL, PRIMARY KEY (deployment, kind, item));
CREATE TABLE approvals (
    number BIGINT NOT NULL PRIMARY KEY, deployment TEXT NOT NULL,
    audit TEXT NOT NULL REFERENCES audits, version TEXT NOT NULL,
    snapshot TEXT NOT NULL, manifest TEXT NOT NULL,
    approved_by TEXT NOT NULL, approved_at TEXT NOT NULL, until TEXT NOT NULL, why TEXT NOT NULL,
    before TEXT NOT NULL, digest TEXT NOT NULL UNIQUE);
CREATE TABLE notifications (
    id TEXT NOT NULL PRIMARY KEY, deployment TEXT NOT NULL, audit TEXT NOT NULL REFERENCES audits,
    at TEXT NOT NULL, telling TEXT NOT NULL);
CREATE INDEX notifications_by_audit ON notifications (audit);
CREATE TABLE deliveries (
    notification TEXT NOT NULL REFERENCES notifications, target TEXT NOT NULL,
    status TEXT NOT NULL, attempts BIGINT NOT NULL, last_at TEXT NOT NULL, next_at TEXT NOT NULL,
    error TEXT NOT NULL, PRIMARY KEY (notification, target));
CREATE INDEX deliveries_by_status ON deliveries (target, status);
CREATE TABLE lease (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, since TEXT NOT NULL)
"""

#: Approvals are only added: what would change or remove one is refused by the database itself.
_ONLY_ADDED: Final = {
    "sqlite": """
CREATE TRIGGER approvals_stay BEFORE UPDATE ON approvals
    BEGIN SELECT RAISE(ABORT, 'approvals are only added'); END;
CREATE TRIGGER approvals_remain BEFORE DELETE ON approvals
    BEGIN SELECT RAISE(ABORT, 'approvals are only added'); END
""",
    "postgresql": """
CREATE FUNCTION approvals_are_only_added() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'approvals are only added'; END $$;
CREATE TRIGGER approvals_stay BEFORE UPDATE OR DELETE ON approvals
    FOR EACH ROW EXECUTE FUNCTION approvals_are_only_added();
CREATE TRIGGER approvals_remain BEFORE TRUNCATE ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_are_only_added()
""",
}

_BREAK: Final = ";\n"


def _first(connection: Connection) -> None:
    for part in (_FIRST, _ONLY_ADDED[connection.dialect.name]):
        for line in _statements(part):
            connection.exec_driver_sql(line)


def _statements(script: str) -> list[str]:
    """Take a script apart; the bodies of triggers hold semicolons, but none at a line's end."""
    return [part.strip() for part in script.split(_BREAK) if part.strip()]


#: What makes version 1 of nothing, version 2 of version 1, and so on.
STEPS: Final = (_first,)


def version(connection: Connection) -> int:
    """Give the version of what is there, 0 for an empty database. Raises `InputError` for a
    database of something else, or of a newer program."""
    names = set(inspect(connection).get_table_names())
    if not names:
        return 0
    found = None
    if "state" in names:
        query = select(state.c.value).where(state.c.name == "version")
        found = connection.execute(query).scalar()
    if found is None or not str(found).isdigit():
        raise InputError(
            f"this database is not a `{SCHEMA}`: it holds other tables",
            hint="name an empty database, or a file that is not there yet",
        )
    if int(found) > len(STEPS):
        raise InputError(
            f"this state is of version {found}, and this program knows {len(STEPS)}",
            hint="use a newer modelreach",
        )
    return int(found)


def migrate(connection: Connection) -> int:
    """Bring the tables to the newest version, within the caller's transaction; give it."""
    have = version(connection)
    for step in STEPS[have:]:
        step(connection)
    if have == 0:
        connection.execute(state.insert(), [{"name": "schema", "value": SCHEMA}])
        connection.execute(state.insert(), [{"name": "version", "value": str(len(STEPS))}])
        connection.execute(state.insert(), [{"name": "id", "value": uuid4().hex}])
    elif have < len(STEPS):
        connection.execute(
            state.update().where(state.c.name == "version").values(value=str(len(STEPS)))
        )
    return len(STEPS)
