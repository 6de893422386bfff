"""The documentation pages of triggers, demands and rules, made from their own tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import msgspec

from modelreach.gate.catalogue import DEMANDS, TRIGGERS, Dimension
from modelreach.gate.policy import Rule, builtin

_TITLES = {
    Dimension.DATA: "Data exposure",
    Dimension.TOOLS: "Tool authority",
    Dimension.REFUSAL: "Refusal behaviour",
    Dimension.WORKFLOW: "Workflow integrity",
}

_INTRODUCTION = """\
Two manifests and the difference of their reach are compared along four dimensions. Each trigger
names its old and new value, and demands evidence or a review. A dimension without a trigger is
`no` only when all that could have triggered is declared on both sides; else `unknown`, and the
report says what to declare."""


def triggers_page() -> str:
    """Give `docs/reference/triggers.md`."""
    return "\n".join(_triggers()) + "\n"


def _triggers() -> Iterator[str]:
    yield "<!-- Made by `python tests/gate/write_pages.py`; do not edit. -->"
    yield "# What makes an update a security change"
    yield ""
    yield _INTRODUCTION
    for dimension in Dimension:
        yield ""
        yield f"## {_TITLES[dimension]}: `{dimension.value}`"
        yield ""
        yield "| id | triggers when | demands |"
        yield "|---|---|---|"
        for kind in TRIGGERS:
            if kind.dimension is dimension:
                demands = ", ".join(f"`{demand}`" for demand in kind.demands)
                yield f"| `{kind.id}` | {kind.when} | {demands} |"
    yield ""
    yield "A new tool that may delete, spend, execute or administer without approval demands"
    yield "`approve-tool` as well; one that untrusted text reaches, `retest-indirect-injection`."
    yield ""
    yield "## Demands"
    yield ""
    yield "| id | what is to be done |"
    yield "|---|---|"
    for demand, text in DEMANDS.items():
        yield f"| `{demand.value}` | {text} |"


# --- the built-in policy -------------------------------------------------------------------

_POLICY = """\
The built-in policy of `modelreach decide`, made from the file that the program reads. A rule
speaks when its `when` is true, of the release or of each item of a kind; it denies when its
severity is at or above `fail_on`. The examples are its tests: `modelreach rules test` runs them.
How to add, change and test rules of your own: [Policy of the gate](policy.md)."""


def rules_page() -> str:
    """Give `docs/reference/gate-rules.md`."""
    return "\n".join(_rules()) + "\n"


def _rules() -> Iterator[str]:
    found = builtin()
    yield "<!-- Made by `python tests/gate/write_pages.py`; do not edit. -->"
    yield "# Rules of the release gate"
    yield ""
    yield _POLICY
    yield ""
    yield "| preset | `fail_on` | `fail_on_incomplete` | what it is for |"
    yield "|---|---|---|---|"
    for name, preset in found.presets.items():
        incomplete = "yes" if preset.fail_on_incomplete else "no"
        yield f"| `{name}` | `{preset.fail_on}` | {incomplete} | {preset.about} |"
    for rule in found.rules:
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield ""
    yield f"## {rule.id}: {rule.title}"
    yield ""
    spoken = "the release" if rule.each == "release" else f"each {rule.each}"
    demands = ", ".join(f"`{demand}`" for demand in rule.demands)
    yield f"Severity {rule.severity}, of {spoken}." + (f" Demands {demands}." if demands else "")
    yield rule.why
    yield ""
    yield "```"
    yield from textwrap.wrap(" ".join(rule.when.split()), 96)
    yield "```"
    for title, examples in (("Speaks", rule.hits), ("Does not speak", rule.misses)):
        for example in examples:
            text = msgspec.json.encode(example).decode() if example else "{}"
            yield f"- {title} for `{text}`"


def pages() -> dict[str, str]:
    """Give every page that is made from the gate's tables, by its name in docs/reference."""
    return {"triggers.md": triggers_page(), "gate-rules.md": rules_page()}
