"""Makes the samples in this folder anew: what the program writes of each scenario, in every form.

Run by `./run samples`. The tests make them again in memory and compare, so that whoever changes
what comes out sees it here, as a difference between two files. Everything is written by the
commands that users have. Forms that are no text (PNG, Parquet, Excel, PDF) are left out.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from modelreach.cli import run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIXTURES = ROOT / "fixtures"
#: When the gate is asked. Waivers and reports are judged by that.
NOW = "2026-11-23T09:00:00Z"
BOTH = ("v1.yaml", "v2.yaml", "--snapshot", "estate.snap")

#: Format -> what its sample is called.
FORMS = {
    "csv": "changes.csv",
    "cyclonedx": "reach.cdx.json",
    "dot": "graph.dot",
    "gexf": "graph.gexf",
    "graphml": "graph.graphml",
    "html": "review.html",
    "json": "diff.json",
    "junit": "findings.xml",
    "md": "comment.md",
    "neo4j": "neo4j/",
    "ocsf": "findings.ocsf.json",
    "ocsf-detection": "findings.ocsf-detection.json",
    "opengraph": "reach.opengraph.json",
    "opengraph-extension": "modelreach.opengraph-extension.json",
    "prom": "metrics.prom",
    "sarif": "findings.sarif",
    "svg": "graph.svg",
    "text": "diff.txt",
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Two releases in an estate, which is a snapshot or a provider's recording."""

    name: str
    folder: Path
    snapshot: Path | None = None
    provider: str = ""

    def prepare(self, into: Path) -> None:
        """Lay out the inputs under the names that the samples speak of."""
        for manifest in ("v1.yaml", "v2.yaml"):
            shutil.copyfile(self.folder / manifest, into / manifest)
        if self.snapshot is not None:
            shutil.copyfile(self.snapshot, into / "estate.snap")
        else:
            source = f"--from={self.folder / 'recording'}"
            told("collect", self.provider, source, "-o", into / "estate.snap")


DEMO = ROOT / "src" / "modelreach" / "demo"
SCENARIOS = (
    Scenario("aws-support-agent", DEMO, DEMO / "estate.snap.json"),
    Scenario(
        "aws-booking-desk",
        FIXTURES / "booking_desk",
        FIXTURES / "booking_desk" / "estate.snap.json",
    ),
    Scenario("azure-agent", FIXTURES / "azure_agent", provider="azure"),
    Scenario("gcp-vertex-agent", FIXTURES / "vertex_agent", provider="gcp"),
)


def made(scenario: Scenario) -> dict[str, bytes]:
    """Give the samples of a scenario by their names."""
    with tempfile.TemporaryDirectory() as place, chdir(place):
        inputs, out = Path("inputs"), Path(place, "out")
        inputs.mkdir()
        out.mkdir()
        scenario.prepare(inputs)
        with chdir(inputs):
            wanted = [part for name in FORMS.values() for part in ("-o", f"{out}/{name}")]
            told("report", *BOTH, *wanted)
            told("ticket", *BOTH, "--now", NOW, "-o", out / "ticket.md")
            shown = ("--color=never",)
            (out / "decision.txt").write_bytes(told("decide", *BOTH, "--now", NOW, *shown))
            (out / "radius.txt").write_bytes(told("scan", "v2.yaml", *BOTH[2:], *shown))
            (out / "explained.txt").write_bytes(told("explain", "F01", *BOTH, *shown))
        return dict(sorted(_files(out)))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def told(*arguments: object) -> bytes:
    """Run a command of the program, and give what it says. Raises `RuntimeError` if it cannot."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    out.flush()
    err.flush()
    if code not in (0, 1, 3):
        raise RuntimeError(f"{arguments}: {err.buffer.getvalue().decode()}")
    return out.buffer.getvalue()


def main() -> None:
    """Renew every folder of samples."""
    os.environ["COLUMNS"] = "80"
    for scenario in SCENARIOS:
        folder = HERE / scenario.name
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in made(scenario).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sys.stderr.write(f"{folder.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
