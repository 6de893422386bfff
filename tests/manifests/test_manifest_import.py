"""Every form of file is imported to a valid draft, and each value counts as it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelreach import plugins
from modelreach.deployment import Deployment, decode
from modelreach.draft.files import parsed
from modelreach.strict_yaml import compose

HERE = Path(__file__).resolve().parent
FILES = HERE.parents[1] / "fixtures" / "manifests"
NAMES = sorted(path.name for path in FILES.iterdir())
Program = Callable[..., tuple[int, str, str]]
Drafted = Callable[..., str]

RELEASE = b"""\
apiVersion: modelreach/v1
kind: ModelDeployment
metadata: {name: desk, version: "1", owner: guests}
spec:
  model: {provider: aws-bedrock, id: declared-model}
  identities:
    - {id: agent, cloud: aws, principal: "arn:aws:iam::111122223333:role/booking-desk-agent"}
  tools:
    - {id: find_room, kind: function, runsAs: agent, effect: read}
"""


def valid(draft: str) -> Deployment:
    return decode(draft.encode(), place="draft")


@pytest.mark.parametrize("name", NAMES)
def test_the_draft_of_each_file_is_as_recorded(program: Program, name: str) -> None:
    code, out, err = program("manifest", "import", name)
    assert code == 0, err
    assert out == (HERE / "golden" / f"{name}.draft.yaml").read_text("utf-8")
    valid(out)
    assert program("manifest", "import", name) == (code, out, err)


def test_every_importer_has_a_file_that_it_alone_or_with_others_reads(
    importers: tuple[plugins.ManifestImporter, ...],
) -> None:
    files = [parsed(name, (FILES / name).read_bytes()) for name in NAMES]
    for importer in importers:
        assert any(importer.recognises(file) for file in files), importer.what
    for file in files:
        assert sum(importer.recognises(file) for importer in importers) == 1, file.name


def test_all_files_of_a_team_make_one_draft(program: Program, tmp_path: Path) -> None:
    (tmp_path / "release.yaml").write_bytes(RELEASE)
    names = [name for name in NAMES if name != "partner-card.json"]
    arguments = [*names, "--tool", "partner-card.json", "--onto", tmp_path / "release.yaml"]
    code, out, err = program("manifest", "import", *arguments, "-o", tmp_path / "draft.yaml")
    assert (code, out) == (0, ""), err
    found = decode((tmp_path / "draft.yaml").read_bytes(), place="draft.yaml")
    tools = {tool.id: tool for tool in found.spec.tools or ()}
    assert tools["Payments Partner"].kind == "a2a"
    assert tools["warehouse"].tools == ("query", "reserve"), "the server and its tools/list"
    assert tools["warehouse"].transport == "stdio"
    assert found.spec.model.id == "declared-model"
    # The role is known by its name in the template, and in full by the API: it is one identity.
    roles = [one.id for one in found.spec.identities if "booking-desk-agent" in one.principal]
    assert roles == ["agent"]
    assert tools["find_room"].runs_as == "agent"


def test_declared_beats_imported_beats_inferred(drafted: Drafted) -> None:
    files = {name: (FILES / name).read_bytes() for name in ("bom.cdx.json", "agent-card.json")}
    draft = drafted(files, RELEASE)
    found = valid(draft)
    assert found.metadata.name == "desk"
    assert '# but "booking-desk" by [2] bom.cdx.json' in draft
    assert found.owner == "guests"
    assert '# but "Guest Services" by [3] agent-card.json' in draft
    template = {"agent.cfn.yaml": (FILES / "agent.cfn.yaml").read_bytes()}
    api = {"get-agent.json": (FILES / "get-agent.json").read_bytes()}
    for order in (template | api, api | template):
        found = valid(drafted(order))
        (one,) = found.spec.identities
        assert one.principal == "arn:aws:iam::111122223333:role/booking-desk-agent"


def test_of_two_files_that_say_the_same_the_first_counts(drafted: Drafted) -> None:
    one = b'{"mcpServers": {"a": {"url": "https://one.example/mcp", "type": "http"}}}'
    two = b'{"mcpServers": {"a": {"url": "https://one.example/mcp", "type": "sse"}}}'
    draft = drafted({"one.json": one, "two.json": two})
    tools = valid(draft).spec.tools or ()
    assert [tool.transport for tool in tools] == ["streamable-http"]
    assert '# but "sse" by [2] two.json: mcpServers.a.type' in draft


def test_two_things_of_one_name_stay_two(drafted: Drafted) -> None:
    one = b'{"mcpServers": {"a": {"url": "https://one.example/mcp", "headers": {"X-Key": "k"}}}}'
    two = b'{"mcpServers": {"a": {"url": "https://two.example/mcp"}}}'
    found = valid(drafted({"one.json": one, "two.json": two}))
    assert {tool.id: tool.target for tool in found.spec.tools or ()} == {
        "a": "https://one.example/mcp",
        "a-2": "https://two.example/mcp",
    }


def test_identities_of_two_clouds_are_not_one(drafted: Drafted) -> None:
    files = {name: (FILES / name).read_bytes() for name in ("deployment.yaml", "agent.tf")}
    found = valid(drafted(files))
    clouds = {one.id: one.cloud for one in found.spec.identities}
    assert clouds == {"runtime": "kubernetes", "runtime-2": "aws"}
    assert [tool.runs_as for tool in found.spec.tools or ()] == ["runtime-2"]


def test_a_manifest_onto_which_nothing_comes_says_the_same(drafted: Drafted) -> None:
    for folder in ("support_agent", "booking_desk", "azure_agent", "vertex_agent"):
        raw = (FILES.parent / folder / "v2.yaml").read_bytes()
        assert valid(drafted({}, raw)) == decode(raw, place="") or "owner" in folder


def test_a_file_that_tells_nothing_is_an_error(program: Program, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x", "scripts": {}}')
    code, out, err = program("manifest", "import", tmp_path / "package.json")
    assert (code, out) == (2, "")
    assert "nothing in this file tells of a release" in err
    assert "MCP configuration" in err


def test_secrets_are_told_by_name(program: Program) -> None:
    _, out, err = program("manifest", "import", "claude-desktop.json", "codex.toml")
    for text in (out, err):
        assert "mcpServers.tickets.env.TICKETS_API_KEY" in text
        assert "mcpServers.notes.args.--vault-token" in text
        assert "mcp_servers.deploy.bearer_token_env_var" in text


def test_words_of_a_draft_are_yaml_of_any_reader(drafted: Drafted) -> None:
    """Names such as `on` and `null`, and texts that look like numbers, stay what they are."""
    servers = b'{"mcpServers": {"on": {"command": "null"}, "1e3": {"command": "~"}}}'
    draft = drafted({"x.json": servers})
    assert {tool.id for tool in valid(draft).spec.tools or ()} == {"on", "1e3"}
    assert compose(draft.encode(), "draft").tag == "tag:yaml.org,2002:map"
