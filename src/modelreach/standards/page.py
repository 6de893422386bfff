"""The page `docs/reference/standards.md`, from the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelreach.standards.frameworks import Framework
from modelreach.standards.mapping import QUOTED, keys_of
from modelreach.standards.table import REFERENCES

_HEAD = """\
# Standards

Findings, triggers and demands carry ids of security standards, so that a review board finds them
in its own catalogue. A reference is code, edition and id, such as `OWASP-NHI:2025:NHI5`. The
edition is a part of it, as numbers change their meaning: `LLM06` was excessive agency in 2025 and
is unbounded consumption in 2026. A risk of that list is therefore given in both.

Every trigger is a change and carries `NIST-CSF:2.0:GV.OC-01`, `NIST-CSF:2.0:ID.RA-07`,
`NIST-800-53:r5:CM-3` and `NIST-800-53:r5:CM-4`; the table below leaves them out there.

This page is made from `modelreach.standards`; a test holds it to the tables.
"""
_CHANGE = frozenset(
    {
        "NIST-CSF:2.0:GV.OC-01",
        "NIST-CSF:2.0:ID.RA-07",
        "NIST-800-53:r5:CM-3",
        "NIST-800-53:r5:CM-4",
    }
)


def page(titles: Mapping[str, str]) -> str:
    """Give the page. `titles` are those of all rules, triggers and demands, in order."""
    return "\n".join([_HEAD, *_quoted(), *_mapped(titles), *_entries()]) + "\n"


def _quoted() -> Iterator[str]:
    yield "## References that do not hold as quoted\n"
    yield "Reviews of model updates are often asked for with these three references.\n"
    yield "| as quoted | problem | here | why |"
    yield "|---|---|---|---|"
    for one in QUOTED:
        here = ", ".join(f"`{key}`" for key in one.stands_for)
        yield f"| {one.quoted} | {one.problem} | {here} | {one.why} |"
    yield ""


def _mapped(titles: Mapping[str, str]) -> Iterator[str]:
    yield "## What answers to what\n"
    yield "| id | what | entries |"
    yield "|---|---|---|"
    for id_, title in titles.items():
        keys = keys_of(id_)
        shown = [key for key in keys if not _CHANGE.issubset(keys) or key not in _CHANGE]
        yield f"| `{id_}` | {title} | {', '.join(f'`{key}`' for key in shown)} |"
    yield ""


def _entries() -> Iterator[str]:
    yield "## The entries\n"
    yield "Ids and titles are the publishers'."
    known: Framework | None = None
    for one in REFERENCES:
        if one.framework is not known:
            known = one.framework
            yield f"\n### {known.name}, {known.edition}\n"
            yield f"Published at <{known.source}>.\n"
            yield "| reference | title |"
            yield "|---|---|"
        title = one.title.replace("|", "\\|")
        shown = f"[{title}]({one.source})" if one.framework.entry else title
        yield f"| `{one.key}` | {shown} |"
