"""Facts of which nothing here can say what they let anybody do.

A snapshot may come from a connector of somebody else's, from a later version, or from a hand that
wrote it. What a *form* does not have (a section, a field, a kind of attachment, another version of
the schema) is an error where the file is read. Facts that are of the form, and that no engine
knows, are a gap: the rest of the estate is decided as ever, and what they come to is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.policy.providers import providers
from modelreach.snapshot import Facts, Gap, Variety

#: The kind of gap that tells of a provider that nobody knows.
_PROVIDER = "provider"


def undecided(facts: Facts) -> tuple[Gap, ...]:
    """Give a gap for each provider that nobody knows, and each kind that its provider does not."""
    return (*_of_nobody(facts), *_of_no_kind(facts))


def strange(facts: Facts) -> tuple[str, ...]:
    """Give the providers of which there are facts, and that nobody knows."""
    return tuple(sorted({one.provider for one in facts.varieties} - providers().keys()))


def _of_nobody(facts: Facts) -> Iterator[Gap]:
    for name in strange(facts):
        first = next(one for one in facts.varieties if one.provider == name)
        yield Gap(
            provider=name,
            scope="",
            kind=_PROVIDER,
            reason="unsupported",
            message=f"nothing here decides for `{name}`, which has {first.example}: take a "
            "version of modelreach that does, or judge it by hand",
        )


def _of_no_kind(facts: Facts) -> Iterator[Gap]:
    known = providers()
    for one in facts.varieties:
        provider = known.get(one.provider)
        if provider is not None and provider.unknown(one):
            yield Gap(
                provider=one.provider,
                scope="",
                kind=one.kind or one.section,
                reason="unsupported",
                subject=one.example,
                message=f"nothing here decides about {_named(one)}, such as {one.example}: take a "
                "version of modelreach that does, or judge by hand",
            )


def _named(one: Variety) -> str:
    section = one.section.replace("_", " ")
    return f"{section} of kind `{one.kind}`" if one.kind else section
