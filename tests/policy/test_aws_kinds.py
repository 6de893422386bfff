"""Which types a listed resource is of: told by the shape of its name, as by each type's form."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy.aws import catalogue, kinds
from modelreach.policy.glob import match

SERVICES = tuple(name for name in catalogue.services() if catalogue.resource_types(name))
FREE = ("", "-", "x", "role", "function", "eu-west-1", "123456789012", "*", "alias", "aws")


def slow(service: str, resource: str) -> frozenset[str]:
    """Give the narrowest of the types whose form the name has."""
    found = [t for t in catalogue.resource_types(service) if match(t.glob, resource)]
    globs = {t.glob for t in found}
    return frozenset(
        t.name for t in found if not any(o != t.glob and o.startswith(t.glob) for o in globs)
    )


@st.composite
def named(draw: st.DrawFn) -> tuple[str, str]:
    """A service, and a name that is nearly one of a type of it: words of its forms, and others."""
    service = draw(st.sampled_from(SERVICES))
    forms = [t.glob for t in catalogue.resource_types(service)]
    words = sorted({w for form in forms for w in re.split("[:/]", form)} | set(FREE))
    pieces = re.split("([:/])", draw(st.sampled_from(forms)))
    for place in range(0, len(pieces), 2):
        if "*" in pieces[place] or draw(st.integers(0, 5)) == 0:
            pieces[place] = draw(st.sampled_from(words))
    tail = draw(st.lists(st.sampled_from([":", "/", *FREE]), max_size=3))
    return service, "".join((*pieces, *tail))


@given(case=named())
def test_types_are_those_whose_form_the_name_has(case: tuple[str, str]) -> None:
    service, resource = case
    assert kinds.types_of(resource, f"{service}:any") == slow(service, resource)
