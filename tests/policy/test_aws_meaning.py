"""What actions mean in a region is the same without the names in it that tell nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy.aws import catalogue, meaning
from modelreach.policy.extent import Extent
from modelreach.policy.glob import Region

#: Services whose forms have many fixed words, few, placeholders within words, and none.
SERVICES = ("s3", "ecs", "iam", "sqs", "organizations", "logs", "states")
FORMS = {s: sorted({kind.glob for kind in catalogue.resource_types(s)}) for s in SERVICES}
ACTIONS = {service: Extent.globs((f"{service}:*",)) for service in SERVICES}

pieces = st.sampled_from(
    ["*", "?", ":", "/", "role", "ro", "le", "task", "accesspoint", "a", "x-", "1", "eu", "log-"]
)
free = st.lists(pieces, min_size=1, max_size=3).map("".join)


@st.composite
def regions(draw: st.DrawFn) -> tuple[str, Region]:
    """A form of a service (or of another one) with something in the place of its stars."""
    service = draw(st.sampled_from(SERVICES))
    form = draw(st.sampled_from(FORMS[draw(st.sampled_from((service, service, *SERVICES)))]))
    parts = form.split("*")
    filled = "".join(part + draw(free) for part in parts[:-1]) + parts[-1]
    cut = draw(st.integers(0, len(filled)))
    return service, Region.of((draw(st.sampled_from((filled, filled[:cut] + "*"))),))


@given(regions())
def test_a_region_means_the_same_without_what_tells_nothing(case: tuple[str, Region]) -> None:
    service, region = case
    plain = meaning.told(ACTIONS[service], region)
    assert meaning._meaning(ACTIONS[service], plain) == meaning._meaning(ACTIONS[service], region)


def test_names_of_teams_tell_nothing_and_words_of_forms_do() -> None:
    iam = ACTIONS["iam"]
    regions = [f"arn:aws:iam::{i}{i}0000000000:role/team-{i}/*" for i in (1, 2)]
    mine, other = (meaning.told(iam, Region((one,))) for one in regions)
    assert mine == other
    assert {one.kind for one in meaning.meaning(iam, mine)} == {"iam:role"}
    user = Region(("arn:aws:iam::110000000000:us*",))
    assert meaning.told(iam, user).inside[0].endswith(":us*")


def test_exceptions_and_forms_with_placeholders_in_words_stay_as_they_are() -> None:
    spared = Region.of(("arn:aws:s3:::a*",), ("arn:aws:s3:::ab*",))
    assert meaning.told(ACTIONS["s3"], spared) is spared
    ours = Region(("arn:aws:organizations::1:account/o-1/mine*",))
    assert meaning.told(ACTIONS["organizations"], ours) is ours
