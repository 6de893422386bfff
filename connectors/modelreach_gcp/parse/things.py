"""Things of the estate, from whichever answer told of them, under one name each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modelreach_gcp.calls import CALLS
from modelreach_gcp.estate import LIST, Estate, labels
from modelreach_gcp.names import full_name, location_in
from modelreach_gcp.select import at, listed, text, texts

_API: Final = re.compile(r"https://([\w.-]+)/(?:compute/|storage/)?(?:v\d\w*|beta)/")
_COMPUTE: Final = re.compile(r"https://(?:www|compute)\.googleapis\.com/compute/\w+/")


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing. `name` is its full resource name, `data` what its service says of it."""

    asset: str
    name: str
    scope: str
    location: str
    data: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    found: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def get(self, path: str) -> Any:
        """Give what is at a dotted path of its data, None where there is nothing."""
        return at(self.data, path)

    def text(self, path: str) -> str:
        """Give the text at a path, "" where there is none."""
        return text(self.get(path))

    def items(self, path: str) -> list[dict[str, Any]]:
        """Give the objects of a list at a path."""
        found = self.get(path)
        return (
            [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
        )


class Things:
    """All things of a run by type. What a service says wins over the inventory, which lags."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._emails = {number: email for number, email in _emails(estate) if number and email}
        merged: dict[str, Thing] = {}
        for thing in (*self._assets(), *self._items()):
            known = merged.get(thing.name)
            merged[thing.name] = _merged(known, thing) if known else thing
        for item in estate.searched:
            self._find(item, merged)
        self.all = merged
        self._types: dict[str, list[Thing]] = {}
        for _, thing in sorted(merged.items()):
            self._types.setdefault(thing.asset, []).append(thing)

    def of(self, asset: str) -> tuple[Thing, ...]:
        """Give the things of a type, by name."""
        return tuple(self._types.get(asset, ()))

    def types(self) -> tuple[str, ...]:
        """Give the types of which there is something."""
        return tuple(self._types)

    def _assets(self) -> Iterator[Thing]:
        for _, response in self._estate.answers.of(*LIST):
            for item in listed(response, "assets"):
                resource = item.get("resource")
                if isinstance(resource, dict) and isinstance(resource.get("data"), dict):
                    asset = text(item.get("assetType"))
                    location = text(resource.get("location"))
                    yield self._thing(
                        asset, text(item.get("name")), resource["data"], location, item
                    )

    def _items(self) -> Iterator[Thing]:
        for call in CALLS:
            if not call.asset:
                continue
            for one, response in self._estate.answers.of(*call.key):
                for item in listed(response, call.list_name):
                    yield self._thing(call.asset, "", item, "", {}, one.place)

    def _thing(
        self,
        asset: str,
        name: str,
        data: Mapping[str, Any],
        location: str,
        item: Mapping[str, Any],
        place: str = "",
    ) -> Thing:
        own = name_of(asset, data) or full_name(name or text(data.get("name")), _service(asset))
        own = self.account_name(self._estate.spelled(own))
        ancestors = texts(item.get("ancestors")) or [""]
        scope = (
            self._estate.scope(place)
            or self._estate.scope(text(ancestors[0]))
            or self._estate.project_of(own)
        )
        where = location or location_in(own) or text(data.get("location"))
        return Thing(asset, own, scope, _location(where), data, _labels(data))

    def _find(self, item: Mapping[str, Any], merged: dict[str, Thing]) -> None:
        """Add what the search in bulk says: labels, tags, keys; and things that only it has."""
        asset, name = text(item.get("assetType")), text(item.get("name"))
        own = self.account_name(self._estate.spelled(full_name(name)))
        known = merged.get(own)
        if known is None:
            scope = self._estate.item_scope(item)
            data = _account_of(item) if asset == _SERVICE_ACCOUNT else {}
            known = Thing(asset, own, scope, _location(text(item.get("location"))), data)
        merged[own] = Thing(
            known.asset,
            known.name,
            known.scope,
            known.location,
            known.data,
            known.labels or labels(item.get("labels")),
            item,
        )

    def account_name(self, name: str) -> str:
        """Give the full name of a service account, or of a key of one, by its e-mail address."""
        found = _ACCOUNT.match(name)
        email = self._emails.get(found[2]) if found else None
        return f"{found[1]}{email}{name[found.end() :]}" if found and email else name


def _emails(estate: Estate) -> Iterator[tuple[str, str]]:
    """Give the e-mail addresses of service accounts by their numbers, whoever tells of them."""
    for _, response in estate.answers.of(*LIST):
        for item in listed(response, "assets"):
            if item.get("assetType") == _SERVICE_ACCOUNT:
                yield (
                    text(at(item, "resource.data.uniqueId")),
                    text(at(item, "resource.data.email")),
                )
    for _, response in estate.answers.of("iam.v1", "projects.serviceAccounts.list"):
        for item in listed(response, "accounts"):
            yield text(item.get("uniqueId")), text(item.get("email"))
    for item in estate.searched:
        if item.get("assetType") == _SERVICE_ACCOUNT:
            yield text(item.get("name")).rpartition("/")[2], searched_email(item)


def searched_email(item: Mapping[str, Any]) -> str:
    """Give the e-mail address of an account that the search in bulk found, "" for none."""
    told = (text(at(item, "additionalAttributes.email")), text(item.get("displayName")))
    return next((email for email in told if _EMAIL.fullmatch(email)), "")


def _account_of(item: Mapping[str, Any]) -> dict[str, str]:
    """Give what the search in bulk says of an account, which is not whether it is disabled."""
    number, email = text(item.get("name")).rpartition("/")[2], searched_email(item)
    return {"email": email, "uniqueId": number} if email else {}


_SERVICE_ACCOUNT: Final = "iam.googleapis.com/ServiceAccount"
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.gserviceaccount\.com")
_ACCOUNT: Final = re.compile(r"(//iam\.googleapis\.com/projects/[^/]+/serviceAccounts/)([^/]+)")


def _merged(known: Thing, newer: Thing) -> Thing:
    return Thing(
        newer.asset,
        newer.name,
        known.scope or newer.scope,
        newer.location or known.location,
        {**known.data, **newer.data},
        newer.labels or known.labels,
        known.found,
    )


def _location(name: str) -> str:
    return "" if name in ("global", "-") else name.lower()


def _service(asset: str) -> str:
    return asset.partition("/")[0]


def _labels(data: Mapping[str, Any]) -> dict[str, str]:
    for path in ("labels", "resourceLabels", "metadata.labels"):
        if isinstance(found := at(data, path), dict):
            return labels(found)
    return {}


def name_of(asset: str, data: Mapping[str, Any]) -> str:
    """Give the full resource name that a thing's own data say, "" when its plain name does."""
    maker = _NAMES.get(asset)
    return maker(data) if maker else ""


def _account(data: Mapping[str, Any]) -> str:
    project, email = text(data.get("projectId")), text(data.get("email"))
    if not (project and email):
        return ""
    return f"//iam.googleapis.com/projects/{project}/serviceAccounts/{email}"


def _iam(data: Mapping[str, Any]) -> str:
    name = text(data.get("name"))
    return f"//iam.googleapis.com/{name}" if name else ""


def _bucket(data: Mapping[str, Any]) -> str:
    name = text(data.get("name")) or text(data.get("id"))
    return (
        full_name(name, "storage.googleapis.com")
        if name.startswith("//")
        else (f"//storage.googleapis.com/projects/_/buckets/{name}" if name else "")
    )


def _hmac(data: Mapping[str, Any]) -> str:
    project, key = data.get("projectId"), data.get("accessId")
    return f"//storage.googleapis.com/projects/{project}/hmacKeys/{key}"


def _dataset(data: Mapping[str, Any]) -> str:
    reference = data.get("datasetReference")
    if not isinstance(reference, dict):
        return ""
    project, name = reference.get("projectId"), reference.get("datasetId")
    return f"//bigquery.googleapis.com/projects/{project}/datasets/{name}"


def _linked(data: Mapping[str, Any]) -> str:
    link = text(data.get("selfLink"))
    if _COMPUTE.match(link):
        return _COMPUTE.sub("//compute.googleapis.com/", link)
    return _API.sub(r"//\1/", link) if _API.match(link) else ""


_NAMES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "iam.googleapis.com/ServiceAccount": _account,
    "iam.googleapis.com/ServiceAccountKey": _iam,
    "iam.googleapis.com/Role": _iam,
    "storage.googleapis.com/Bucket": _bucket,
    "storage.googleapis.com/HmacKey": _hmac,
    "bigquery.googleapis.com/Dataset": _dataset,
    "compute.googleapis.com/Instance": _linked,
    "compute.googleapis.com/InstanceTemplate": _linked,
    "container.googleapis.com/Cluster": _linked,
    "container.googleapis.com/NodePool": _linked,
}
