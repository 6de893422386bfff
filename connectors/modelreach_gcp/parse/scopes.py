"""Scopes: organization, folders, projects, with their labels and tags."""

from __future__ import annotations

from modelreach.snapshot import Scope
from modelreach_gcp.estate import Estate
from modelreach_gcp.names import scope_name
from modelreach_gcp.parse.facts import PROVIDER, Facts, attributes, text
from modelreach_gcp.parse.tags import tags_of


def parse_scopes(estate: Estate, facts: Facts) -> None:
    """Give every scope that is read or above what is read."""
    tags = {
        estate.scope(scope_name(text(item.get("name")))): tags_of(item)
        for item in estate.searched
        if scope_name(text(item.get("name")))
    }
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
                attributes={**own, **tags.get(place.id, {})},
            )
        )
