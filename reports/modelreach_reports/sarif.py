"""Findings as SARIF 2.1.0, such that code scanning takes them.

Each finding points into the deployment manifest, at the identity that it starts from; where the
estate is one after a plan, into the configuration that the plan is of. Its way is a code flow.
A result without a physical location makes GitHub refuse the whole file.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from modelreach import __version__
from modelreach.report import DiffReport, FindingRow, Hop, OriginRow, ReleaseRow, Report
from modelreach_reports import Format
from modelreach_reports.naming import Names
from modelreach_reports.safe import end, json_bytes, visible
from modelreach_reports.summedup import summed_up_words
from modelreach_reports.words import statement_words

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
#: What GitHub takes: https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support
_RESULTS: Final = 25_000
_COMPRESSED: Final = 10_000_000
_STEPS: Final = 1_000
_TAGS: Final = 20
_LONGEST: Final = 1_000
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
#: https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support#reportingdescriptor-object
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}
_RANKED = ("critical", "high", "medium", "low")


def render_sarif(report: Report) -> bytes:
    """Give the findings that stand as one run, the worst first.

    Those that have gone are left out: GitHub shows every result as an open alert, whatever its
    `baselineState` or `kind`, and closes an alert when its result is no longer there.
    """
    names = Names(report)
    release = report.new if isinstance(report, DiffReport) else report.release
    standing = (row for row in report.findings if row.state != "gone")
    rows = sorted(standing, key=lambda row: (_RANKED.index(row.severity), row.id))
    rules = sorted({_text(row.rule) for row in rows})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "modelreach",
                "semanticVersion": __version__,
                "rules": [_rule(rule, rows) for rule in rules],
            }
        },
        "automationDetails": {"id": f"modelreach/{_text(release.name)}/"},
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "the repository"}}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(row, rules.index(_text(row.rule)), release, names) for row in rows[:_RESULTS]
        ],
        "properties": {"release": _text(f"{release.name} {release.version}")},
    }
    gone = len(report.findings) - len(rows)
    if gone:
        run["properties"]["gone"] = gone
    if words := summed_up_words(report):
        run["properties"]["summedUp"] = _text(words)
    if len(rows) > _RESULTS:
        run["properties"]["leftOut"] = len(rows) - _RESULTS
    return _fitting(run)


def _fitting(run: dict[str, Any]) -> bytes:
    """Give the file, such that it is taken: where it is too large, the ways of the least severe
    findings are left out, then they themselves, and the run says how many."""
    results: list[dict[str, Any]] = run["results"]
    left, properties = len(results), run["properties"]
    while True:
        raw = json_bytes({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})
        if len(raw) <= _COMPRESSED or len(zlib.compress(raw)) <= _COMPRESSED or not left:
            return raw
        left //= 2
        cut = [result for result in results[left:] if result.pop("codeFlows", None)]
        if cut:
            properties["waysLeftOut"] = properties.get("waysLeftOut", 0) + len(cut)
        if not left and results:
            kept = len(results) // 2
            properties["leftOut"] = properties.get("leftOut", 0) + len(results) - kept
            del results[kept:]
            left = kept


def _text(text: str) -> str:
    return end(visible(text), _LONGEST)


def _rule(rule: str, rows: Sequence[FindingRow]) -> dict[str, Any]:
    of_rule = [row for row in rows if _text(row.rule) == rule]
    worst = min(of_rule, key=lambda row: _RANKED.index(row.severity))
    standards = sorted({one for row in of_rule for one in row.standards})
    return {
        "id": rule,
        "name": _text(_name(worst.title)),
        "shortDescription": {"text": _text(worst.title)},
        "fullDescription": {"text": _text(f"{worst.title} ({', '.join(standards) or rule})")},
        "help": {
            "text": _text(f"modelreach rules {rule} tells what it looks for"),
            "markdown": _text(
                f"`modelreach rules {_in_code(rule)}` tells what it looks for, `modelreach "
                f"explain {_in_code(rule)} …` shows each way to it with the policy text."
            ),
        },
        "defaultConfiguration": {"level": _LEVELS[worst.severity]},
        "properties": {
            "security-severity": _SCORES[worst.severity],
            "tags": ["security", *map(_text, standards)][:_TAGS],
        },
    }


def _in_code(text: str) -> str:
    """Give a text that cannot end the code that it is shown in."""
    return text.replace("`", "'")


def _name(title: str) -> str:
    return "".join(word.capitalize() for word in title.replace("-", " ").split())


def _result(row: FindingRow, index: int, release: ReleaseRow, names: Names) -> dict[str, Any]:
    place = _place(row, release)
    result: dict[str, Any] = {
        "ruleId": _text(row.rule),
        "ruleIndex": index,
        "level": _LEVELS[row.severity],
        "message": {"text": _message(row, names)},
        "locations": [_written(row) or place],
        "partialFingerprints": {"modelreach/v1": _text(row.fingerprint)},
        "baselineState": "new" if row.state == "new" else "unchanged",
        "properties": {
            "security-severity": _SCORES[row.severity],
            "identity": _text(row.identity),
            "subject": _text(row.subject),
        },
    }
    if row.witness:
        steps = [_step(hop, place, names) for hop in row.witness[:_STEPS]]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if row.waived is not None:
        waived = row.waived
        words = f"{waived.reason} ({waived.owner}; approved by {waived.approved_by}, "
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": _text(f"{words}until {waived.expires})"),
            }
        ]
    return result


def _message(row: FindingRow, names: Names) -> str:
    """Say what is wrong and how to mend it. In a message of SARIF, brackets make links."""
    said = names.prose(row.message)
    text = f"{said}. {names.prose(row.fix)}." if row.fix else f"{said}."
    return _text(text).replace("[", "\\[").replace("]", "\\]")


def _written(row: FindingRow) -> dict[str, Any] | None:
    """Point into the configuration, at what a plan changes of the way; at what it keeps where it
    changes none of it. None where no plan was applied, or its configuration was not at hand."""
    found = [
        hop.origin
        for hop in (one for main in row.witness for one in (main, *main.also))
        if isinstance(hop.origin, OriginRow) and hop.origin.file
    ]
    if not found:
        return None
    changed = [one for one in found if one.action != "no-op"]
    return _location((changed or found)[-1])


def _location(origin: OriginRow) -> dict[str, Any]:
    place = {
        "physicalLocation": {
            "artifactLocation": _artifact(origin.file),
            "region": {"startLine": max(origin.line, 1)},
        }
    }
    return {**place, "logicalLocations": [_logical(origin)]}


def _logical(origin: OriginRow) -> dict[str, str]:
    """Name the resource, as the configuration does."""
    return {"fullyQualifiedName": _text(origin.address), "kind": "resource"}


def _artifact(path: str) -> dict[str, str]:
    location = {"uri": _uri(path)}
    if "://" not in location["uri"]:
        location["uriBaseId"] = "%SRCROOT%"
    return location


def _place(row: FindingRow, release: ReleaseRow) -> dict[str, Any]:
    """Point at the identity of the manifest that the way starts from."""
    start = row.witness[0].object if row.witness else row.identity
    line = next(iter(release.lines), 1)
    for identity, found in zip(release.identities, release.lines, strict=False):
        if start == identity or start.endswith(f"/{identity}"):
            line = found
            break
    location = _artifact(release.manifest or release.snapshot or "modelreach.yaml")
    return {"physicalLocation": {"artifactLocation": location, "region": {"startLine": line}}}


def _uri(path: str) -> str:
    if path.startswith("/"):
        return "file://" + quote(path, errors="surrogatepass")
    return quote(str(PurePosixPath(path.replace("\\", "/"))), errors="surrogatepass")


def _step(hop: Hop, place: dict[str, Any], names: Names) -> dict[str, Any]:
    what = names.thing(hop.object).label
    if hop.kind == "start":
        said = f"the release runs as {what}"
        if hop.subject:
            said = f"the release uses {names.thing(hop.subject).label}, which runs as {what}"
    else:
        who = names.thing(hop.subject).label
        said = f"{who}: {hop.action or hop.kind} on {what}"
        granted = statement_words(hop)
        said += f", by {granted}" if granted else ""
    origin = hop.origin
    if isinstance(origin, OriginRow):
        said += f" ({origin.address})"
        place = (
            _location(origin) if origin.file else {**place, "logicalLocations": [_logical(origin)]}
        )
    return {"location": {**place, "message": {"text": _text(said).replace("[", "\\[")}}}


render = Format((".sarif",), render_sarif)
