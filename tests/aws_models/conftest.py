"""The recorded answers of each scenario, served to the real SDK page by page, and replayed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from credentials import server
from modelreach import cli
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_aws import AwsConnector

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "fixtures" / "models"
ACCOUNT = "111122223333"
REGION = "eu-west-1"
NOW = "2026-11-24T00:00:00Z"

Parameters = dict[str, Any]
Key = tuple[str, str]


def kinds() -> list[str]:
    return sorted(path.name for path in SCENARIOS.iterdir() if path.name != "account")


# --- what the SDK says of an answer ----------------------------------------------------------


def faults(shape: Any, value: Any, place: str = "") -> Iterator[str]:
    """Say where a value is not what the SDK's model of an answer allows."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            yield from (
                f"{place} has no `{name}`" for name in sorted(value.keys() - shape.members)
            )
            lacking = set(shape.required_members) - value.keys()
            yield from (f"{place} lacks `{name}`" for name in sorted(lacking))
            for name in value.keys() & shape.members.keys():
                yield from faults(shape.members[name], value[name], f"{place}.{name}")
        case "list" if isinstance(value, list):
            for number, inner in enumerate(value):
                yield from faults(shape.member, inner, f"{place}[{number}]")
        case "map" if isinstance(value, dict):
            for name, inner in value.items():
                yield from faults(shape.value, inner, f"{place}[{name}]")
        case "string" if isinstance(value, str):
            if shape.enum and value not in shape.enum:
                yield f"{place} is none of {shape.enum}"
        case "timestamp" if isinstance(value, str):
            datetime.fromisoformat(value)
        case "boolean" if isinstance(value, bool):
            return
        case "integer" | "long" if isinstance(value, int) and not isinstance(value, bool):
            return
        case "float" | "double" if isinstance(value, int | float):
            return
        case wanted:
            yield f"{place} is a {type(value).__name__}, not a {wanted}"


# --- recorded answers as an estate -----------------------------------------------------------


@dataclass(frozen=True)
class Paging:
    """How an operation pages: the parameter and the field of its token, and what it lists."""

    taken: str
    given: str
    listed: str


class Sdk:
    """Models and paginators, as the SDK has them."""

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._loader: Any = self._session.get_component("data_loader")

    def operation(self, service: str, operation: str) -> Any:
        return self._session.get_service_model(service).operation_model(operation)

    def spells_otherwise(self, service: str) -> bool:
        """Are parameters on the wire not those of the SDK, but a form's?"""
        protocol = self._session.get_service_model(service).metadata["protocol"]
        return protocol in ("query", "rest-xml")

    def paging(self, service: str, operation: str) -> Paging | None:
        found = self._loader.load_service_model(service, "paginators-1")["pagination"]
        row = found.get(operation)
        if row is None or not all(
            isinstance(row.get(n), str) for n in ("input_token", "result_key")
        ):
            return None
        return Paging(row["input_token"], row["output_token"], row["result_key"])

    def members(self, service: str, operation: str, sent: Parameters) -> Parameters:
        """Give what was sent under the names of the SDK, without tokens and sizes of pages."""
        shape = self.operation(service, operation).input_shape
        paging = self.paging(service, operation)
        found: Parameters = {}
        for name, member in (shape.members if shape else {}).items():
            wire = member.serialization.get("name", name)
            if wire in sent and not _of_pages(name, paging):
                found[name] = sent[wire]
        return found


def _of_pages(name: str, paging: Paging | None) -> bool:
    return paging is not None and name.lower() in (paging.taken.lower(), "maxresults")


@dataclass
class Recorded:
    """Answers of one operation, found by its parameters and given a page of one at a time."""

    sdk: Sdk
    service: str
    operation: str
    answers: list[tuple[Parameters, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, sent: Parameters) -> Any:
        if self.sdk.spells_otherwise(self.service):
            return self.answers[0][1]
        asked = self.sdk.members(self.service, self.operation, sent)
        for parameters, response in self.answers:
            if _text(parameters) == _text(asked):
                return self._page(response, sent)
        return server.Refused("ResourceNotFoundException", f"nothing for {_text(asked)}", 404)

    def _page(self, response: dict[str, Any], sent: Parameters) -> dict[str, Any]:
        paging = self.sdk.paging(self.service, self.operation)
        if paging is None or paging.listed not in response:
            return response
        start = int(sent.get(paging.taken) or 0)
        items = response[paging.listed]
        page = {**response, paging.listed: items[start : start + 1]}
        more = {paging.given: str(start + 1)} if start + 1 < len(items) else {}
        return {**page, **more}


def _text(parameters: Parameters) -> str:
    return json.dumps({name: str(value) for name, value in parameters.items()}, sort_keys=True)


def answers_below(*folders: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give each recorded answer of the folders, with its region and service."""
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            content = json.loads(path.read_text())
            for one in content.get("answers", ()):
                yield content["region"], content["service"], one


def written(folder: Path, *sources: Path) -> Path:
    """Write the recorded answers of several folders as those of one account.

    Of two answers to one question the lists are put together; else the first holds.
    """
    places: dict[tuple[str, str], dict[Any, dict[str, Any]]] = {}
    for region, service, one in answers_below(*sources):
        asked = one["operation"], _text(one.get("parameters", {}))
        known = places.setdefault((region, service), {}).setdefault(asked, one)
        for name, items in one["response"].items():
            if isinstance(items, list):
                found = known["response"].setdefault(name, [])
                found.extend(item for item in items if item not in found)
    for (region, service), answers in places.items():
        content = {
            "format": "modelreach.aws-answers/1",
            "taken_at": NOW,
            "account": ACCOUNT,
            "region": region,
            "service": service,
            "answers": list(answers.values()),
        }
        (folder / f"{service}.json").write_text(json.dumps(content))
    return folder


def estate_of(sdk: Sdk, *folders: Path) -> dict[Key, Any]:
    """Give the operations of the recorded answers, as the server takes them."""
    found: dict[Key, Any] = {}
    for _, service, one in answers_below(*folders):
        key = service, one["operation"]
        recorded = found.setdefault(key, Recorded(sdk, *key))
        recorded.answers.append((one.get("parameters", {}), one["response"]))
    return found


# --- fixtures ----------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def environment(calling_aws: Callable[..., Any]) -> Iterator[None]:
    """Credentials of the account, and nothing of the machine's own configuration."""
    with calling_aws(f"AKIAREADS{ACCOUNT}", REGION):
        yield


@pytest.fixture(scope="session")
def sdk() -> Sdk:
    return Sdk()


@pytest.fixture(scope="session")
def check() -> Callable[..., Iterator[str]]:
    return faults


@pytest.fixture(scope="session")
def scenarios() -> Path:
    return SCENARIOS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", kinds())


@dataclass
class Run:
    """A collection over HTTP: what it gave and what it asked."""

    snapshot: Snapshot
    made: list[Key]
    recording: Path


Collect = Callable[..., Run]


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The new sides of all scenarios as one account."""
    sides = [SCENARIOS / kind / "new" for kind in kinds()]
    return written(tmp_path_factory.mktemp("account"), SCENARIOS / "account", *sides)


@pytest.fixture(scope="session")
def collect(sdk: Sdk, account: Path, tmp_path_factory: pytest.TempPathFactory) -> Collect:
    """Collect that account from a server; `refuse` maps operations to errors."""

    def run(refuse: dict[Key, Any] | None = None) -> Run:
        estate = {**estate_of(sdk, account), **(refuse or {})}
        recording = tmp_path_factory.mktemp("live") / "recording"
        with server.serving({ACCOUNT: estate}) as serving:
            options = CollectOptions(
                now=NOW,
                regions=(REGION,),
                endpoint_url=serving.url,
                record=recording,
                timeout=30.0,
            )
            snapshot = AwsConnector(attempts=2).collect(options)
            made = [(service, operation) for _, service, operation in serving.made]
        return Run(snapshot, made, recording)

    return run


@pytest.fixture(scope="session")
def refused() -> Callable[..., Any]:
    make: Callable[..., Any] = server.Refused
    return make


Replay = Callable[..., Snapshot]


@pytest.fixture(scope="session")
def replay() -> Replay:
    """Read folders of recorded answers as `--from` does."""

    def read(*folders: Path) -> Snapshot:
        return AwsConnector().collect(CollectOptions(now=NOW, sources=folders))

    return read


Facts = Callable[[str, str], tuple[Snapshot, dict[str, Any]]]


@pytest.fixture(scope="session")
def facts(replay: Replay) -> Facts:
    """Give the snapshot of one side of a scenario, and its runtimes by id."""

    def read(kind: str, side: str) -> tuple[Snapshot, dict[str, Any]]:
        found = replay(SCENARIOS / "account", SCENARIOS / kind / side)
        return found, {one.id: one for one in found.runtimes}

    return read


Program = Callable[..., str]


@pytest.fixture(scope="session")
def program() -> Program:
    """Run a command line that has to go well, and give what it writes to standard output.

    In this process: one of its own would take longer than what it does.
    """

    def run(*arguments: object) -> str:
        with TextIOWrapper(BytesIO(), encoding="utf-8") as written:
            with redirect_stdout(written):
                code = cli.run([str(argument) for argument in arguments])
            assert code == 0, arguments
            written.seek(0)
            return written.read()

    return run
