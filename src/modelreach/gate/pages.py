"""The documentation page of triggers and demands, made from the catalogue itself."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.gate.catalogue import DEMANDS, TRIGGERS, Dimension

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


def pages() -> dict[str, str]:
    """Give every page that is made from the gate's tables, by its name in docs/reference."""
    return {"triggers.md": triggers_page()}
