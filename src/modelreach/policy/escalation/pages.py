"""A provider's escalation rules as pages of documentation: Markdown, from the rules alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from modelreach.policy.escalation.rules import (
    Hit,
    Miss,
    Need,
    Rule,
    Service,
    Setting,
    Way,
    services,
)
from modelreach.snapshot import AttributeValue

_ON = {
    "self": "itself",
    "target": "the target",
    "compute": "the compute",
    "thing": "the thing",
    "linked": "what the compute is linked to",
    "scope": "the scope that it happens in",
    "anywhere": "any one place",
}


#: The providers whose rules have this form, each with the title of its catalogue.
TITLES = {
    "azure": "Ways to become more in Azure and Entra",
    "gcp": "Ways to become more in Google Cloud",
    "kubernetes": "Ways to become more in Kubernetes",
}

_HEAD = (
    "<!-- Written from the rules by tests/escalation/write_pages.py; edit the rules instead. -->"
)


def pages(provider: str) -> dict[str, str]:
    """Give a provider's pages by file name: an index and one page a service."""
    catalogue = services(f"modelreach.policy.{provider}")
    found = {f"{name}.md": _page(service) for name, service in catalogue.items()}
    return {"README.md": _index(catalogue, TITLES[provider]), **found}


def _index(catalogue: Mapping[str, Service], title: str) -> str:
    lines = [
        f"# {title}",
        "",
        _HEAD,
        "",
        "How rules are read: [explanation](../../explanation/escalation-rules.md). Each rule's",
        "examples are its tests.",
        "",
        "| rule | what | strength at most | known as |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| [{rule.id}]({name}.md#{rule.id}) | {_cell(rule.title)} | {_strength(rule)} "
        f"| {', '.join(rule.edges)} |"
        for name, service in catalogue.items()
        for rule in service.rules
    ]
    return "\n".join(lines) + "\n"


def _page(service: Service) -> str:
    lines = [f"# {service.title}", "", _HEAD, ""]
    for rule in service.rules:
        lines += [*_rule(rule), ""]
    return "\n".join(lines).rstrip() + "\n"


def _strength(rule: Rule) -> str:
    if rule.strength == "influence":
        return "influence"
    return "conditional" if rule.depends else "certain"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield ""
    yield f"{rule.title[:1].upper()}{rule.title[1:]}. Strength: {_strength(rule)} at most."
    if rule.about:
        yield ""
        yield rule.about
    if rule.depends:
        yield ""
        yield f"It depends on this: {rule.depends}."
    yield ""
    yield from (f"- Needed: {_need(need)}." for need in rule.needs)
    if rule.any_of:
        yield "- And one of:"
        yield from (f"  - {_way(way)}" for way in rule.any_of)
    yield from _surroundings(rule)
    leads = "acting as the target" if rule.yields == "target" else "taking over the scope"
    yield f"- It yields {leads}."
    yield f"- Documentation: <{rule.cite}>"
    yield ""
    yield "| example | leads there |"
    yield "|---|---|"
    yield from (f"| {_cell(_hit(hit))} | {_answer(hit)} |" for hit in rule.hits)
    yield from (f"| {_cell(_miss(miss))} | no: {_cell(miss.why)} |" for miss in rule.misses)


def _need(need: Need) -> str:
    text = f"`{need.action}` on {_ON[need.on]}"
    if need.context:
        text += f", asked where {_values(need.context)}"
    return text


def _way(way: Way) -> str:
    text = "; ".join(_need(need) for need in way.needs) or "nothing more"
    if way.scope:
        text += f"; the scope{_setting(way.scope)}"
    if way.depends:
        text += f"; conditional: {way.depends}"
    return text + (f" ({way.note})" if way.note else "")


def _surroundings(rule: Rule) -> Iterator[str]:
    parts = [("target", rule.target), ("compute", rule.compute), ("thing", rule.thing)]
    for name, part in parts:
        if part is not None:
            yield f"- The {name}: {_listed(part.kind)}{_setting(part.setting)}."
    if rule.compute is not None and rule.compute.links:
        yield f"- By the compute's links of kind {_listed(rule.compute.links)}."
    if rule.scope:
        yield f"- The scope{_setting(rule.scope)}."


def _setting(setting: Setting) -> str:
    text = f" with {' and '.join(f'`{name}`' for name in setting.has)}" if setting.has else ""
    text += f", where {_values(setting.where)}" if setting.where else ""
    if setting.unless:
        excluded = (
            f"`{name}` is {' or '.join(f'`{_value(v)}`' for v in values)}"
            for name, values in setting.unless.items()
        )
        text += f", unless {', '.join(excluded)}"
    return text


def _values(values: Mapping[str, AttributeValue]) -> str:
    return ", ".join(f"`{name}` is `{_value(value)}`" for name, value in values.items())


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _answer(hit: Hit) -> str:
    return {
        "certain": "yes",
        "conditional": "conditionally",
        "unknown": "not known",
        "influence": "by influence only",
    }[hit.strength]


def _hit(hit: Hit) -> str:
    return "; ".join(_facts(hit))


def _miss(miss: Miss) -> str:
    first = [f"without `{miss.without}`"] if miss.without else []
    return "; ".join([*first, *_facts(miss)])


def _facts(one: Hit | Miss) -> Iterator[str]:
    if one.may is not None:
        yield "the caller may do " + (", ".join(f"`{text}`" for text in one.may) or "nothing")
    if one.kind:
        yield f"it is a `{one.kind}`"
    if one.attributes:
        yield f"where {_values(one.attributes)}"
    if one.scope_attributes:
        yield f"in a scope where {_values(one.scope_attributes)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
