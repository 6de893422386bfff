"""Scopes: organization, folders, projects, with their labels and tags."""

from __future__ import annotations

from modelreach.collect.facts import attributes
from modelreach.snapshot import Attributes, Scope
from modelreach_gcp.estate import Estate
from modelreach_gcp.names import scope_name
from modelreach_gcp.parse.facts import PROVIDER, Facts
from modelreach_gcp.parse.tags import tags_of
from modelreach_gcp.select import listed, text, texts


def parse_scopes(estate: Estate, facts: Facts) -> None:
    """Give every scope that is read or above what is read."""
    tags = {
        scope: tags_of(item, scope, estate)
        for item in estate.searched
        if (scope := estate.scope(scope_name(text(item.get("name")))))
    }
    within = _perimeters(estate)
    for place in estate.places.values():
        state = "" if place.state == "ACTIVE" else place.state
        own = attributes(number=place.number, state=state, customer=place.customer)
        facts.scopes.append(
            Scope(
                id=place.id,
                provider=PROVIDER,
                kind=place.kind,
                name=place.name,
                parent=place.parent,
                tags=dict(place.labels),
                attributes={**own, **tags.get(place.id, {}), **within.get(place.id, {})},
            )
        )


def _perimeters(estate: Estate) -> dict[str, Attributes]:
    """Give for each project the perimeters that it is in, and what these restrict.

    What is only tried out (`spec`) does not restrict:
    https://cloud.google.com/vpc-service-controls/docs/dry-run-mode
    """
    found: dict[str, tuple[set[str], set[str]]] = {}
    for _, response in estate.answers.of(
        "accesscontextmanager.v1", "accessPolicies.servicePerimeters.list"
    ):
        for perimeter in listed(response, "servicePerimeters"):
            status = perimeter.get("status")
            enforced = status if isinstance(status, dict) else {}
            for resource in texts(enforced.get("resources")):
                names, services = found.setdefault(estate.scope(resource), (set(), set()))
                names.add(text(perimeter.get("title")) or text(perimeter.get("name")))
                services.update(texts(enforced.get("restrictedServices")))
    return {
        scope: attributes(perimeters=names, restricted_services=services)
        for scope, (names, services) in found.items()
    }
