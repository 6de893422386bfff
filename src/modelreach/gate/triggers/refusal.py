"""Refusal behaviour, as manifests declare it: model, prompt, sampling, guardrails, claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET

from modelreach.deployment import Model, Report, Spec
from modelreach.gate.catalogue import Dimension
from modelreach.gate.scales import Way, differences, shown
from modelreach.gate.triggers.said import Said, trigger, undeclared
from modelreach.report import UndeclaredRow

#: Providers where the weights are the user's, so that a name alone says little.
_OWN_WEIGHTS = ("self-hosted", "self_hosted", "kserve", "vllm", "ollama", "tgi", "huggingface")
#: What describes a guardrail rather than how strong it is.
_ABOUT = frozenset({"id", "provider", "ref", "version"})
_CLAIMS = ("vendor", "model-card", "system-card")


def compare(old: Spec, new: Spec) -> Said:
    """Give the triggers of refusal behaviour that two manifests show."""
    yield from _undeclared(old, new)
    changed = list(_model(old.model, new.model))
    yield from changed
    yield from _settings(old.model, new.model)
    if old.guardrails is not None and new.guardrails is not None:
        yield from _guardrails(_named(old.guardrails), _named(new.guardrails))
    if changed:
        yield from _claims(new.evidence or ())


def _undeclared(old: Spec, new: Spec) -> Iterator[UndeclaredRow]:
    before, after = old.model, new.model
    yield from undeclared(
        Dimension.REFUSAL,
        ("whether the model's name is pinned", "spec.model.pinned", before.pinned, after.pinned),
        ("the fine-tune", "spec.model.fineTune", _told(before), _told(after)),
        ("the system prompt", "spec.model.systemPrompt.sha256", _digest(before), _digest(after)),
        ("the sampling", "spec.model.parameters", before.parameters, after.parameters),
        (
            "the context window",
            "spec.model.contextWindowTokens",
            before.context_window_tokens,
            after.context_window_tokens,
        ),
        ("the guardrails", "spec.guardrails", old.guardrails, new.guardrails),
    )
    if after.provider.lower().startswith(_OWN_WEIGHTS):
        yield from undeclared(
            Dimension.REFUSAL,
            ("the weights", "spec.model.digest", before.digest, after.digest),
        )
    if after.pinned is False and before.pinned is False and before.id == after.id:
        yield UndeclaredRow(
            dimension=Dimension.REFUSAL.value,
            fact="whether the vendor has moved the alias",
            side="both",
            declare="name a version of the model, and declare `spec.model.pinned: true`",
        )


def _told(model: Model) -> object:
    return None if model.fine_tune is UNSET else (model.fine_tune or "none")


def _digest(model: Model) -> str | None:
    return model.system_prompt.sha256 if model.system_prompt else None


def _model(old: Model, new: Model) -> Said:
    if (old.provider, old.id) != (new.provider, new.id):
        yield trigger("MODEL-CHANGED", "model", _full(old, new), _full(new, old))
    elif None not in (old.digest, new.digest) and old.digest != new.digest:
        yield trigger("MODEL-CHANGED", "model", old.digest, new.digest)
    elif old.quantization != new.quantization:
        was, now = shown(old.quantization), shown(new.quantization)
        yield trigger("MODEL-CHANGED", "model", f"quantization {was}", f"quantization {now}")
    before, after = _told(old), _told(new)
    if None not in (before, after) and before != after:
        yield trigger("FINE-TUNE-CHANGED", "model", before, after)


def _full(model: Model, other: Model) -> str:
    return model.id if model.provider == other.provider else f"{model.provider} {model.id}"


def _settings(old: Model, new: Model) -> Said:
    if old.pinned and new.pinned is False:
        yield trigger("MODEL-FLOATING", "model", f"{old.id}, pinned", f"{new.id}, floating")
    before, after = _digest(old), _digest(new)
    if before is not None and after is not None and before != after:
        name = (new.system_prompt and new.system_prompt.ref) or "system prompt"
        yield trigger("PROMPT-CHANGED", name, f"sha256 {before[:12]}", f"sha256 {after[:12]}")
    if old.parameters is not None and new.parameters is not None:
        for name, was, now, _ in differences(old.parameters, new.parameters):
            yield trigger("SAMPLING-CHANGED", name, was, now)
    size, larger = old.context_window_tokens, new.context_window_tokens
    if size is not None and larger is not None and size != larger:
        yield trigger("CTX-CHANGED", "context window", f"{size:,} tokens", f"{larger:,} tokens")


# --- guardrails ----------------------------------------------------------------------------

Settings = Mapping[str, Any]


def _named(guardrails: tuple[dict[str, Any], ...]) -> dict[str, Settings]:
    """Give guardrails by their id, or what comes next to one."""
    return {
        shown(guard.get("id") or guard.get("ref") or f"guardrail {place}"): guard
        for place, guard in enumerate(guardrails, start=1)
    }


def _guardrails(old: dict[str, Settings], new: dict[str, Settings]) -> Said:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield trigger("GUARDRAIL-REMOVED", name, _strengths(old[name]), "no such guardrail")
        elif name not in old:
            yield trigger("GUARDRAIL-CHANGED", name, "no such guardrail", _strengths(new[name]))
        else:
            yield from _guardrail(name, old[name], new[name])


def _strengths(guard: Settings) -> str:
    return shown({key: value for key, value in guard.items() if key != "id"})


def _guardrail(name: str, old: Settings, new: Settings) -> Said:
    for setting, was, now, way in differences(old, new):
        subject = f"{name}.{setting}"
        if setting in _ABOUT or way is not Way.WEAKER:
            yield trigger("GUARDRAIL-CHANGED", subject, was, now)
        elif setting == "enforced":
            yield trigger("GUARDRAIL-REMOVED", subject, was, now)
        else:
            yield trigger("GUARDRAIL-WEAKENED", subject, was, now)


# --- claims --------------------------------------------------------------------------------


def _claims(evidence: tuple[Report, ...]) -> Said:
    """A changed model for which only its vendor vouches."""
    claims = sorted(report.kind for report in evidence if report.kind.startswith(_CLAIMS))
    if claims and len(claims) == len(evidence):
        yield trigger("VENDOR-CLAIM", "evidence", "own validation", claims)
