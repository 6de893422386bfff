"""Data exposure, as manifests declare it: data sources, context window, audience."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelreach.deployment import DataSource, Spec
from modelreach.gate.catalogue import Dimension
from modelreach.gate.scales import words
from modelreach.gate.triggers.said import Said, trigger, undeclared

#: From narrow to wide; what is not listed is not compared but taken for wider.
_AUDIENCES = (
    ("nobody", "none"),
    ("team",),
    ("internal", "employees", "company"),
    ("partners", "partner"),
    ("customers", "customer"),
    ("internet", "public", "anyone"),
)
_ACCESS = (("list",), ("read",), ("write",), ("readwrite", "read-write"), ("admin",))


def compare(old: Spec, new: Spec) -> Said:
    """Give the triggers of data exposure that two manifests show."""
    yield from undeclared(
        Dimension.DATA,
        ("the data sources", "spec.dataSources", old.data_sources, new.data_sources),
        (
            "the context window",
            "spec.model.contextWindowTokens",
            old.model.context_window_tokens,
            new.model.context_window_tokens,
        ),
        ("who may talk to it", "spec.exposure", old.exposure, new.exposure),
    )
    if old.data_sources is not None and new.data_sources is not None:
        yield from _sources(old.data_sources, new.data_sources)
    was, now = old.model.context_window_tokens, new.model.context_window_tokens
    if was is not None and now is not None and now > was:
        yield trigger("CTX-GROW", "context window", f"{was:,} tokens", f"{now:,} tokens")
    if old.exposure is not None and new.exposure is not None:
        yield from _exposure(old.exposure, new.exposure)


def _sources(old: tuple[DataSource, ...], new: tuple[DataSource, ...]) -> Said:
    before = {source.id: source for source in old}
    for source in sorted(new, key=lambda source: source.id):
        earlier = before.get(source.id)
        if earlier is None:
            yield trigger("DATA-NEW", source.id, "no such source", _described(source))
            continue
        yield from undeclared(
            Dimension.DATA,
            (
                f"the classification of data source `{source.id}`",
                f"spec.dataSources[{source.id}].classification",
                earlier.classification,
                source.classification,
            ),
        )
        if _is_wider(earlier, source):
            yield trigger("DATA-WIDER", source.id, _described(earlier), _described(source))


def _described(source: DataSource) -> str:
    access = source.access or "access not declared"
    return f"{source.resource}, {access}, {source.classification or 'classification not declared'}"


def _is_wider(old: DataSource, new: DataSource) -> bool:
    relabelled = None not in (old.classification, new.classification) and (
        old.classification != new.classification
    )
    return (
        old.resource != new.resource
        or relabelled
        or (old.access != new.access and not _narrower(_ACCESS, old.access, new.access))
    )


def _narrower(scale: tuple[tuple[str, ...], ...], old: str | None, new: str | None) -> bool:
    rungs = {word: rung for rung, words in enumerate(scale) for word in words}
    was, now = rungs.get(old or ""), rungs.get(new or "")
    return was is not None and now is not None and now <= was


def _exposure(old: Mapping[str, Any], new: Mapping[str, Any]) -> Said:
    yield from undeclared(
        Dimension.DATA,
        ("the audience", "spec.exposure.audience", old.get("audience"), new.get("audience")),
        (
            "whether users log in",
            "spec.exposure.authenticated",
            old.get("authenticated"),
            new.get("authenticated"),
        ),
    )
    was, now = old.get("audience"), new.get("audience")
    if None not in (was, now) and was != now and not _narrower(_AUDIENCES, str(was), str(now)):
        yield trigger("EXPOSURE-WIDER", "audience", was, now)
    if old.get("authenticated") is True and new.get("authenticated") is False:
        yield trigger("EXPOSURE-WIDER", "authentication", "users log in", "users do not log in")
    added = set(words(new.get("channels"))) - set(words(old.get("channels")))
    if added:
        yield trigger("EXPOSURE-WIDER", "channels", old.get("channels"), new.get("channels"))
