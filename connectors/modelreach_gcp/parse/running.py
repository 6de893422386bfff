"""What the descriptions of runtimes share: identities, links, names of environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from modelreach.snapshot import AttributeValue, Link
from modelreach_gcp.estate import Estate
from modelreach_gcp.names import account
from modelreach_gcp.parse.things import Thing, Things
from modelreach_gcp.select import at, text

_BUCKET: Final = re.compile(r"gs://([^/]+)")
_TABLE: Final = re.compile(r"bq://([^.]+)\.([^.]+)")
_SECRET: Final = re.compile(r"(projects/[^/]+/secrets/[^/]+)")


@dataclass(frozen=True, slots=True)
class Running:
    """Where runtimes are found."""

    estate: Estate
    things: Things

    def number(self, thing: Thing) -> str:
        """Give the number of the project that a thing is in."""
        return self.estate.number(thing.scope)

    def secret(self, name: str, thing: Thing) -> Link | None:
        """Give the link to a secret, named in full or within the project."""
        if not name:
            return None
        found = _SECRET.match(name)
        relative = found[1] if found else f"{thing.scope}/secrets/{name}"
        full = self.estate.spelled(f"//secretmanager.googleapis.com/{relative}")
        return Link(kind="reads", target=full)

    def secrets(self, names: Iterable[str], thing: Thing) -> tuple[Link, ...]:
        """Give the links to secrets."""
        return tuple(link for name in names if (link := self.secret(name, thing)))

    def named(self, relative: str) -> str:
        """Give the full name of a thing of Vertex AI."""
        return self.estate.spelled(f"//aiplatform.googleapis.com/{relative}")


@dataclass(frozen=True, slots=True)
class Described:
    """What is particular to one runtime. `emails` are accounts, `identities` other members."""

    emails: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    version: str = ""
    attributes: dict[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])

    @property
    def members(self) -> tuple[str, ...]:
        """The members that it runs as."""
        accounts = (
            account(email.removeprefix("serviceAccount:")) for email in self.emails if email
        )
        return tuple(sorted({*accounts, *filter(None, self.identities)}))


def pulls(*places: object) -> tuple[Link, ...]:
    """Give the links to images and artefacts; those in buckets lead to the bucket."""
    return tuple(Link(kind="pulls", target=placed(text(place))) for place in places if place)


def linked(kind: str, places: Iterable[object]) -> tuple[Link, ...]:
    """Give links of a kind to buckets, tables or addresses."""
    return tuple(Link(kind=kind, target=placed(text(place))) for place in places if text(place))


def placed(address: str) -> str:
    """Give the bucket or dataset that an address is in, else the address."""
    if found := _BUCKET.match(address):
        return f"//storage.googleapis.com/projects/_/buckets/{found[1]}"
    if found := _TABLE.match(address):
        return f"//bigquery.googleapis.com/projects/{found[1]}/datasets/{found[2]}"
    return address


def names(variables: object) -> list[str]:
    """Give the names of environment variables that come as a map."""
    return sorted(variables) if isinstance(variables, dict) else []


def environment(containers: list[dict[str, Any]]) -> list[str]:
    """Give the names of the environment variables of containers."""
    return sorted({text(one.get("name")) for part in containers for one in _env(part)} - {""})


def secrets_in(containers: list[dict[str, Any]]) -> list[str]:
    """Give the secrets in the environment of containers, in either form of Cloud Run."""
    found = [
        text(at(one, "valueSource.secretKeyRef.secret"))
        or text(at(one, "valueFrom.secretKeyRef.name"))
        for part in containers
        for one in _env(part)
    ]
    return sorted(set(found) - {""})


def _env(container: dict[str, Any]) -> list[dict[str, Any]]:
    found = container.get("env")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
