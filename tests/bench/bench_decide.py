"""How fast AWS requests are decided, and what a principal's effective permissions cost.

    python tests/bench/bench_decide.py             # JSON
    python tests/bench/bench_decide.py --markdown  # the tables of docs/reference/benchmarks.md

Run by `make bench` too. CPU time of this process, medians of several rounds. Ratios are to
`json.loads` of the policy documents that one answer needs, so they mean the same on any machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modelreach.policy.aws.case_record import read_case
from modelreach.policy.aws.cases import run_case, run_cases
from modelreach.policy.aws.context import request_context
from modelreach.policy.aws.decide import AppliedPolicy, Caller, Layers, Request, decide
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.decision import Decision, Layer
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Facts,
    Principal,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

Json = dict[str, Any]

CASES = Path(__file__).resolve().parents[2] / "fixtures" / "policy" / "aws"
ROUNDS = 9
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/agent"
SIZES = (1, 20, 100)
RESOURCES = 50


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: CPU microseconds an answer, and of `json.loads` of what it is answered from.

    `ratio` is the median of the ratios of each round, not the ratio of the medians: a machine that
    is busy with other things slows both.
    """

    name: str
    answer_us: float
    json_us: float
    ratio: float

    @property
    def per_second(self) -> float:
        """How many answers a second of CPU gives."""
        return 1e6 / self.answer_us

    def as_json(self) -> Json:
        """Give the figure with what follows from it."""
        figures = {key: _shown(value) for key, value in asdict(self).items()}
        return figures | {"per_second": round(self.per_second)}


def _shown(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value


def measure(
    name: str, work: Callable[[int], object], each: int, texts: list[bytes], share: int = 1
) -> Measure:
    """Give the figure of one of `each` answers that a round of `work` gives.

    `texts` are the policies of `share` answers.
    """
    times = 1 + 200_000 // (1 + sum(map(len, texts)))

    def parse(_: int) -> None:
        for _again in range(times):
            for text in texts:
                json.loads(text)

    rounds = [
        (cpu_us(work, number) / each, cpu_us(parse, number) / times / share)
        for number in range(ROUNDS)
    ]
    answers, parsed = zip(*rounds, strict=True)
    ratio = statistics.median(answer / parse for answer, parse in rounds)
    return Measure(name, statistics.median(answers), statistics.median(parsed), ratio)


def cpu_us(work: Callable[[int], object], number: int) -> float:
    """Give the CPU microseconds of one round of work."""
    before = time.process_time()
    work(number)
    return (time.process_time() - before) * 1e6


# --- policies ------------------------------------------------------------------------------


def statement(number: int, salt: int) -> Json:
    """Give one of a role's statements: each of its own service's kind, some with a condition."""
    services = [
        (["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::data-{}/*"),
        (["dynamodb:*Item", "dynamodb:Query"], f"arn:aws:dynamodb:*:{ACCOUNT}:table/t-{{}}"),
        (["lambda:InvokeFunction"], f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f-{{}}"),
        (["secretsmanager:Get*"], f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:app-{{}}/*"),
        (["sqs:*"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q-{{}}"),
    ]
    actions, pattern = services[number % len(services)]
    made: Json = {
        "Sid": f"S{number}",
        "Effect": "Deny" if number % 10 == 9 else "Allow",
        "Action": actions,
        "Resource": pattern.format(f"{number}-{salt}"),
    }
    if number % 4 == 3:
        made["Condition"] = {"StringEquals": {"aws:SourceVpc": f"vpc-{number}"}}
    return made


def policy(size: int, salt: int) -> bytes:
    """Give a policy of that many statements. Another salt gives other resources: nothing that was
    kept of an earlier answer serves."""
    entries = [statement(number, salt) for number in range(size)]
    return document_bytes({"Version": "2012-10-17", "Statement": entries})


# --- decisions -----------------------------------------------------------------------------


def policies_of(record: Json) -> Iterator[bytes]:
    """Give the policy documents of a case, each as text."""
    for found in _documents(record.get("policies", {})):
        yield json.dumps(found).encode()


def _documents(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        else:
            for entry in value.values():
                yield from _documents(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _documents(entry)


def case_lines() -> list[bytes]:
    """Give every case of the fixtures."""
    paths = sorted(CASES.glob("*.jsonl"))
    return [line for path in paths for line in path.read_bytes().splitlines()]


def case_mix() -> Measure:
    """Every case of the fixtures, from its line: read, parsed, compiled, decided."""
    lines = case_lines()
    texts = [text for line in lines for text in policies_of(json.loads(line))]
    count = len(lines)
    name = "a case, from its JSON line"
    return measure(name, lambda _: sum(1 for _ in run_cases(lines)), count, texts, count)


def case_mix_compiled() -> Measure:
    """The same cases with their policies compiled before, as they are for a whole estate."""
    lines = case_lines()
    cases = [case for line in lines if (case := read_case(line, 1)) is not None]
    texts = [text for line in lines for text in policies_of(json.loads(line))]
    count = len(cases)
    name = "a case, policies compiled before"
    return measure(name, lambda _: [run_case(case) for case in cases], count, texts, count)


def _role(size: int) -> tuple[Layers, list[bytes]]:
    text = policy(size, 0)
    full = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    limit = document_bytes({"Version": "2012-10-17", "Statement": [full]})
    own = AppliedPolicy(compile_document(text), Layer.IDENTITY, "p", ROLE)
    scp = AppliedPolicy(compile_document(limit), Layer.SCP, "full", "root")
    return Layers(identity=(own,), scps=((scp,),)), [text, limit]


def hot() -> Measure:
    """The same request over and over: a role with 20 statements asks for one object."""
    layers, texts = _role(20)
    caller = Caller.of(ROLE)
    request = Request(caller, "s3:GetObject", "arn:aws:s3:::data-0-0/k", ACCOUNT)
    times = 5_000

    def round_of(_: int) -> Decision | None:
        answer = None
        for _again in range(times):
            answer = decide(request, layers)
        return answer

    return measure("one request, repeated", round_of, times, texts)


def over_resources() -> Measure:
    """A role with 20 statements asks for five actions on each of 50 resources."""
    layers, texts = _role(20)
    caller = Caller.of(ROLE)
    context = request_context(caller)
    actions = ["s3:GetObject", "s3:PutObject", "dynamodb:GetItem", "sqs:SendMessage", "ec2:X"]
    requests = [
        Request(caller, action, f"arn:aws:s3:::data-{number}-0/k", ACCOUNT, context)
        for number in range(RESOURCES)
        for action in actions
    ]
    times = 20

    def round_of(_: int) -> int:
        return sum(len(decide(each, layers).allowed_by) for _ in range(times) for each in requests)

    name = f"20 statements, 5 actions on {RESOURCES} resources"
    return measure(name, round_of, times * len(requests), texts)


# --- effective permissions -----------------------------------------------------------------


def facts(text: bytes) -> Facts:
    """Give the facts of an account with one role under one policy."""
    digest = document_id(text)
    return Facts(
        Snapshot(
            schema=SCHEMA,
            taken_at="2026-11-24T00:00:00Z",
            scopes=(Scope(id=ACCOUNT, provider="aws", kind="account"),),
            principals=(Principal(id=ROLE, provider="aws", kind="role", scope=ACCOUNT),),
            attachments=(Attachment(target=ROLE, kind="identity", document=digest, name="p"),),
            documents=documents_of({digest: text}),
        )
    )


def several(size: int, salt: int) -> list[list[bytes]]:
    """Give the policies of each round: so many that a round is worth timing."""
    count = 1 + 100 // size
    return [
        [policy(size, salt + number * count + more) for more in range(count)]
        for number in range(ROUNDS)
    ]


def compiled(size: int) -> Measure:
    """What taking a document apart costs by itself."""
    rounds = several(size, 1)

    def compile_all(number: int) -> object:
        return [compile_document(text) for text in rounds[number]]

    count = len(rounds[0])
    return measure(f"document, statements: {size}, compiled", compile_all, count, rounds[0], count)


def effective_set(size: int) -> Measure:
    """From a snapshot to the effective permission set of its one role, compiling included."""
    rounds = several(size, 100_000)
    known = [[facts(text) for text in texts] for texts in rounds]

    def sets_of(number: int) -> object:
        return [AwsEngine(one).permissions(ROLE) for one in known[number]]

    count = len(rounds[0])
    name = f"effective permissions, statements: {size}"
    return measure(name, sets_of, count, rounds[0], count)


def measures() -> tuple[list[Measure], list[Measure]]:
    """Give the figures: of decisions, and of permission sets."""
    decisions = [case_mix(), case_mix_compiled(), over_resources(), hot()]
    sets = [make(size) for make in (compiled, effective_set) for size in SIZES]
    return decisions, sets


def as_markdown(found: list[Measure]) -> str:
    """Give the figures as a table."""
    head = "| what | CPU µs | a second | `json.loads` µs | ratio |\n|---|--:|--:|--:|--:|\n"
    return head + "".join(
        f"| {one.name} | {one.answer_us:,.1f} | {one.per_second:,.0f}"
        f" | {one.json_us:,.1f} | {one.ratio:,.2f} |\n"
        for one in found
    )


def bench_decisions_and_permission_sets() -> None:
    decisions, sets = measures()
    print(f"\n{as_markdown(decisions)}\n{as_markdown(sets)}")


def main(arguments: list[str] | None = None) -> int:
    """Print the figures as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args(arguments)
    decisions, sets = measures()
    if given.markdown:
        print(as_markdown(decisions))
        print(as_markdown(sets), end="")
        return 0
    shown = {
        "python": sys.version.split()[0],
        "rounds": ROUNDS,
        "decisions": [one.as_json() for one in decisions],
        "permission_sets": [one.as_json() for one in sets],
    }
    print(json.dumps(shown, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
