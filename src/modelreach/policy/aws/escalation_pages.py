"""The catalogue of escalation rules as pages of documentation: Markdown, from the rules alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelreach.policy.aws.escalation import (
    Compute,
    EscalationRule,
    Hit,
    Miss,
    Need,
    SceneRuntime,
    Service,
    ShownRule,
    Target,
    Way,
    services,
)

_HEAD = (
    "<!-- Written from the rules by tests/escalation/write_pages.py; edit the rules instead. -->"
)

_ON = {
    "self": "itself",
    "self-policy": "a policy of its own account that is attached to it or to its groups",
    "own-group": "a group that it is in",
    "target": "the target",
    "target-policy": "a policy of its own account that is attached to the target",
    "compute": "the compute",
    "linked": "what the compute is linked to",
    "made": "what is made",
    "new": "one that is yet to be made",
    "any": "any one",
}
_YIELDS = {
    "target": "acting as the target",
    "any-policy": "the caller with any policy, within its limits",
    "target-any-policy": "the target with any policy, within its limits",
    "membership": "the caller, with the group's policies besides its own",
    "policy-version": "the same principal, with the other version of the policy",
    "no-boundary": "the same principal, without its boundary",
    "made": "what is made, with any policy, within the boundary that it has to have",
    "limited-target": "what the target may do by way of the service that the credential opens",
    "session": "acting as the target, within the session policy if there is one",
}


def pages() -> dict[str, str]:
    """Give the pages by file name: an index, and one page a service."""
    found = {f"{name}.md": _page(service) for name, service in services().items()}
    return {"README.md": _index(), **found}


def _index() -> str:
    lines = [
        "# Ways to become more: the escalation catalogue",
        "",
        _HEAD,
        "",
        "How the rules are read: [explanation](../../explanation/aws-escalation.md). Each rule's",
        "examples are its tests. A published path is the identifier under which others have",
        "described the same way.",
        "",
        "| rule | what | strength at most | published paths |",
        "|---|---|---|---|",
    ]
    for name, service in services().items():
        for rule in service.rules:
            link = f"[{rule.id}]({name}.md#{rule.id})"
            paths = ", ".join(sorted(rule.paths))
            lines.append(f"| {link} | {rule.title} | {_strength(rule)} | {paths} |")
    return "\n".join(lines) + "\n"


def _strength(rule: EscalationRule) -> str:
    if rule.strength == "influence":
        return "influence"
    return "conditional" if rule.depends else "certain"


def _page(service: Service) -> str:
    lines = [f"# {service.title}", "", _HEAD, ""]
    for rule in service.rules:
        lines += [*_rule(rule), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rule(rule: ShownRule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield ""
    yield f"{_sentence(rule.title)} Strength: {_strength(rule)} at most."
    if rule.about:
        yield ""
        yield rule.about
    if rule.depends:
        yield ""
        yield f"It depends on this: {rule.depends}."
    yield ""
    yield from _needs(rule)
    yield from _surroundings(rule)
    yield f"- It yields {_YIELDS[rule.yields]}."
    yield f"- Documentation: <{rule.cite}>"
    yield ""
    yield "| example | leads there |"
    yield "|---|---|"
    for hit in rule.hits:
        yield f"| {_cell(_hit(rule, hit))} | {_answer(hit)} |"
    for miss in rule.misses:
        yield f"| {_cell(_miss(miss))} | no: {_cell(miss.why)} |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- what is needed --------------------------------------------------------------------------


def _needs(rule: EscalationRule) -> Iterator[str]:
    who = {"user": "a user", "role": "a role", "": "anybody"}[rule.source]
    limited = ", who is limited by a permissions boundary" if rule.bounded else ""
    yield f"- The caller: {who}{limited}."
    for need in rule.needs:
        yield f"- Needed: {_need(need)}."
    if rule.any_of:
        yield "- And one of:"
        for way in rule.any_of:
            yield f"  - {_way(way)}"


def _way(way: Way) -> str:
    parts = [_need(need) for need in way.needs] or ["nothing more"]
    text = "; ".join(parts)
    if way.target_has:
        text += f"; the target has {_listed(way.target_has)}"
    if way.holds:
        least, most = way.holds.at_least, way.holds.at_most
        bounds = [f"at least {least}"] if least else []
        bounds += [f"at most {most}"] if most < 99 else []
        text += f"; the target has {' and '.join(bounds)} `{way.holds.kind}`"
    if way.compute_has:
        text += f"; the compute has {_listed(way.compute_has)}"
    if way.exists:
        text += f"; there is a `{way.exists}`"
    if way.depends:
        text += f"; conditional: {way.depends}"
    notes = [note for note in (way.path, way.note) if note]
    return text + (f" ({'; '.join(notes)})" if notes else "")


def _need(need: Need) -> str:
    text = f"`{need.action}` on {_ON[need.on]}"
    if need.arns:
        text = f"`{need.action}` on " + " or ".join(f"`{arn}`" for arn in need.arns)
    if need.types:
        text += f" (each of {_listed(need.types)})"
    if need.context:
        fixed = ", ".join(f"`{key}` is {_fixed(value)}" for key, value in need.context.items())
        text += f", asked where {fixed}"
    if need.by:
        who = "the target" if need.by == "target" else f"`{need.by}`"
        text += f", by {who}"
    return text


def _fixed(value: str) -> str:
    return "the boundary of what is made, or none" if value == "{boundary}" else f"`{value}`"


def _listed(names: Iterable[object]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _surroundings(rule: EscalationRule) -> Iterator[str]:
    if rule.target:
        yield f"- The target: {_target(rule.target)}."
    if rule.compute:
        yield f"- The compute: {_compute(rule.compute)}."
    if rule.limits:
        but = f", but not {_listed(rule.limits.but)}" if rule.limits.but else ""
        yield f"- It can be used for {_listed(rule.limits.actions)}{but}."


def _target(target: Target) -> str:
    text = f"a {target.kind} of the caller's account"
    if target.kind == "role" and not target.assumable:
        text += " that is not service-linked"
    if target.trusts:
        text += f", which {' or '.join(f'`{name}`' for name in target.trusts)} may run as"
    if target.assumable:
        text += ", which the caller may assume"
    if target.has:
        text += f", with {_listed(target.has)}"
    if target.credentials:
        text += f" of the kind {_listed(target.credentials)}"
    return text


def _compute(compute: Compute) -> str:
    text = _listed(compute.kind)
    if compute.caller_in:
        text += f" whose `{compute.caller_in}` is the caller"
    if compute.of_caller:
        text += " that runs as the caller"
    if compute.links:
        text += f", by its links of kind {_listed(compute.links)}"
    if compute.where:
        text += ", where " + ", ".join(f"`{k}` is `{_value(v)}`" for k, v in compute.where.items())
    if compute.unless:
        excluded = (
            f"`{name}` is {' or '.join(f'`{_value(value)}`' for value in values)}"
            for name, values in compute.unless.items()
        )
        text += ", unless " + ", ".join(excluded)
    for lowered in compute.lowered:
        text += f"; where `{lowered.attribute}` is `{_value(lowered.value)}`, if {lowered.why}"
    return text


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- examples --------------------------------------------------------------------------------


def _answer(hit: Hit) -> str:
    return {
        "certain": "yes",
        "conditional": "conditionally",
        "unknown": "not known",
        "influence": "by influence only",
    }[hit.strength]


def _hit(rule: EscalationRule, hit: Hit) -> str:
    path = hit.path or rule.path
    return (f"{path}: " if path else "") + "; ".join(_facts(hit))


def _facts(one: Hit | Miss) -> Iterator[str]:
    if one.may is not None:
        held = ", ".join(f"`{text}`" for text in one.may) or "nothing"
        yield f"the {one.caller or 'caller'} may do {held}"
    elif one.caller:
        yield f"the caller is a {one.caller}"
    if one.boundary is not None and (one.boundary or isinstance(one, Miss)):
        yield f"its boundary allows {_listed(one.boundary) or 'everything: there is none'}"
    if one.in_group is not None and (one.in_group or isinstance(one, Miss)):
        yield f"it is {'' if one.in_group else 'not '}in the group"
    yield from _target_facts(one)
    if one.versions:
        texts = (f"{name} allows {_listed(allowed)}" for name, allowed in one.versions.items())
        yield f"of the policy {', '.join(texts)}, the first one in force"
    if one.policy_of is not None and (one.policy_of or isinstance(one, Miss)):
        yield f"the policy is attached to {one.policy_of or 'neither'}"
    if one.runtimes is not None and (one.runtimes or isinstance(one, Miss)):
        yield "; ".join(map(_runtime, one.runtimes)) or "no compute"
    if one.resources is not None and (one.resources or isinstance(one, Miss)):
        yield f"of other things there are {_listed(one.resources.values()) or 'none'}"
    if one.collected:
        yield f"all of {_listed(one.collected)} are known"


def _target_facts(one: Hit | Miss) -> Iterator[str]:
    if one.target:
        yield f"the target is a {one.target}"
    if one.trusts:
        yield f"it trusts {_listed(one.trusts)}"
    if one.target_may:
        yield f"it may do {_listed(one.target_may)}"
    if one.target_boundary is not None and (one.target_boundary or isinstance(one, Miss)):
        yield f"its boundary allows {_listed(one.target_boundary) or 'everything: there is none'}"
    if one.attributes is not None and (one.attributes or isinstance(one, Miss)):
        yield f"its attributes are {_listed(one.attributes) or 'empty'}"
    if one.credentials is not None and (one.credentials or isinstance(one, Miss)):
        yield f"it has {_listed(one.credentials) or 'no credential'}"


def _runtime(runtime: SceneRuntime) -> str:
    name = runtime.id.split(":", 5)[-1]
    text = f"`{runtime.kind}` `{name}` runs as {' and '.join(runtime.runs_as) or 'nobody'}"
    if runtime.attributes:
        values = (f"`{k}` is `{_value(v)}`" for k, v in runtime.attributes.items())
        text += f", where {', '.join(values)}"
    for kind, target in runtime.links.items():
        text += f", {kind} `{target}`"
    if runtime.session:
        text += f", under a session policy that allows {_listed(runtime.session)}"
    for lets in runtime.lets:
        text += f", lets `{lets}`"
    return text


def _miss(miss: Miss) -> str:
    parts = [f"without `{miss.without}`"] if miss.without else []
    text = "; ".join([*parts, *_facts(miss)])
    return (f"{miss.path}: " if miss.path else "") + text
