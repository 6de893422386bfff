"""What the commands of the gate share: time, waivers, policy, evidence, and the comparison."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from modelreach.cli.clock import stamp, typed
from modelreach.cli.files import read
from modelreach.cli.options import pair
from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.cli.config import Config
    from modelreach.cli.stored import Releases
    from modelreach.deployment import Deployment
    from modelreach.evidence import Bound, Refused
    from modelreach.gate.demands import Brought
    from modelreach.gate.policy import EvidenceTerms, Policy
    from modelreach.gate.recorded import Material
    from modelreach.gate.verdict import GateOptions
    from modelreach.gate.waivers import Waivers
    from modelreach.pipeline import Release
    from modelreach.report import DiffReport

WAIVERS = "modelreach-waivers.yaml"
#: What a vendor says of its model is named as evidence, and is no report to be read.
CLAIMS = ("vendor", "model-card", "system-card")


class Moment(msgspec.Struct, frozen=True):
    """The time of deciding: as given, else by the clock, which is read only when it is needed."""

    given: str | None = None

    @property
    def text(self) -> str:
        """RFC 3339, UTC."""
        return stamp(datetime.now(UTC)) if self.given is None else typed(self.given)

    @property
    def day(self) -> date:
        """The day of it, UTC."""
        return date.fromisoformat(self.text[:10])


def waivers_of(path: str | None, config: Config, moment: Moment) -> Waivers:
    """Read the waivers that are named, configured, or lie in the current folder."""
    from modelreach.gate.waivers import Waivers

    found = path or config.waivers or (WAIVERS if os.path.isfile(WAIVERS) else "")  # noqa: PTH113
    if not found:
        return Waivers()
    from modelreach.gate.waiver_file import decode

    source = read(found)
    return decode(source.raw, place=source.name, today=moment.day, digest=source.digest)


def policy_of(name: str | None, config: Config) -> Policy:
    """Give a preset, or read a policy file."""
    from modelreach.gate.policy import builtin, decode, preset

    found = name or config.gate.policy or "default"
    if found in builtin().presets:
        return preset(found)
    if os.path.basename(found) == found and not os.path.exists(found):  # noqa: PTH110, PTH119
        presets = ", ".join(f"`{one}`" for one in builtin().presets)
        raise InputError(f"no policy and no file is called `{found}`", hint=f"one of {presets}")
    source = read(found)
    return decode(source.raw, place=source.name, digest=source.digest)


class Gated(msgspec.Struct, frozen=True):
    """A comparison that the whole gate has answered, and all that went into it."""

    report: DiffReport
    old: Release
    new: Release
    options: GateOptions
    policy: Policy
    waivers: Waivers
    now: str
    reports: tuple[Material, ...] = ()

    @property
    def materials(self) -> tuple[Material, ...]:
        """Every file that went into the decision."""
        from modelreach.gate.record import material

        found = [
            material("manifest-old", self.old.manifest_name, self.old.manifest_digest),
            material("manifest-new", self.new.manifest_name, self.new.manifest_digest),
            material("snapshot-old", self.old.snapshot_name, self.old.snapshot_digest),
            material("snapshot-new", self.new.snapshot_name, self.new.snapshot_digest),
        ]
        for role, part in (("policy", self.policy), ("waivers", self.waivers)):
            if part.digest:
                found.append(material(role, part.name, part.digest))
        return (*found, *self.reports)


def gated(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: Config,
    *,
    policy: str | None,
    waivers: str | None,
    now: str | None,
    fail_on: str | None = None,
    fail_on_all: bool = False,
    fail_on_incomplete: bool = False,
    exit_zero: bool = False,
    releases: Releases | None = None,
) -> Gated:
    """Read, evaluate, compare, and ask the whole gate: demands, evidence, waivers, policy."""
    from modelreach.gate.verdict import GateOptions
    from modelreach.pipeline import diff_report
    from modelreach.pipeline.gated import GateInput

    moment = Moment(Moment(now).text)
    rules = policy_of(policy, config)
    named = bool(policy or config.gate.policy)
    options = GateOptions(
        fail_on=fail_on or (rules.fail_on if named else config.gate.fail_on) or rules.fail_on,
        fail_on_incomplete=fail_on_incomplete
        or rules.fail_on_incomplete
        or config.gate.fail_on_incomplete,
        fail_on_all=fail_on_all,
        exit_zero=exit_zero,
    )
    estates = (snapshot, old_snapshot, new_snapshot)
    first, second = pair(old, new, *estates, config, releases=releases)
    accepted = waivers_of(waivers, config, moment)
    brought, reports = _brought(first.release, second.release, moment.text, rules.evidence)
    given = GateInput(waivers=accepted, policy=rules, brought=brought, today=moment.day)
    report = diff_report(first, second, options, given)
    return Gated(
        report,
        first.release,
        second.release,
        options,
        rules,
        accepted,
        moment.text,
        reports,
    )


def _brought(
    old: Release, new: Release, now: str, terms: EvidenceTerms
) -> tuple[Brought, tuple[Material, ...]]:
    """Read what both manifests name as evidence, and compare what counts."""
    from modelreach.evidence import Bound, Refused, compare_evidence
    from modelreach.gate.demands import Brought
    from modelreach.gate.record import material

    before = _bound(old, now, max_age_days=None, after=new.deployment)
    after = _bound(new, now, max_age_days=terms.max_age_days, before=old.deployment)
    found = [*before, *after]
    if not found:
        return Brought(), ()
    results = compare_evidence(
        [one.evidence for one in before if isinstance(one, Bound)],
        [one.evidence for one in after if isinstance(one, Bound)],
        margin=terms.margin,
        alpha=terms.alpha,
    )
    files = {(one.evidence.source, one.evidence.digest) for one in found}
    return (
        Brought(results, tuple(one for one in found if isinstance(one, Refused))),
        tuple(material("evidence", name, digest) for name, digest in sorted(files)),
    )


def _bound(release: Release, now: str, **around: Any) -> tuple[Bound | Refused, ...]:
    """Bind what a manifest names; `around` are age and neighbours, as for `evidence.bind`."""
    from modelreach.cli.evidence_files import of_manifest

    reports = _without_claims(release.deployment)
    return of_manifest(reports, release.manifest_name, now, **around)


def _without_claims(deployment: Deployment) -> Deployment:
    kept = tuple(
        report for report in deployment.spec.evidence or () if not report.kind.startswith(CLAIMS)
    )
    spec = msgspec.structs.replace(deployment.spec, evidence=kept)
    return msgspec.structs.replace(deployment, spec=spec)


def written(
    found: Gated, *, record: str | None, key: str | None, policy_input: str | None
) -> dict[str, bytes]:
    """Give the files that were asked for: the decision record, and what the policy was given."""
    from modelreach.gate.decision_input import decision_input, encode

    files: dict[str, bytes] = {}
    if policy_input is not None:
        document = decision_input(found.report, found.old.deployment, found.new.deployment)
        files[policy_input] = encode(document)
    if record is not None:
        files[record] = _record(found, key)
    elif key is not None:
        raise InputError("there is no record to sign", place="--key", hint="add --record FILE")
    return files


def _record(found: Gated, key: str | None) -> bytes:
    from modelreach.gate.record import envelope, private_key, statement
    from modelreach.pipeline.evaluate import declared_context

    signer = private_key(read(key).raw, place=key) if key is not None else None
    made = statement(
        found.report,
        found.materials,
        decided_at=found.now,
        fail_on_all=found.options.fail_on_all,
        context=dict(declared_context(found.new.deployment)),
    )
    return envelope(made, signer)
