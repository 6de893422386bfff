"""Writes the golden drafts anew: `.venv/bin/python tests/manifests/write_drafts.py`."""

from __future__ import annotations

import os
from pathlib import Path

from modelreach.cli import run

HERE = Path(__file__).resolve().parent
FILES = HERE.parents[1] / "fixtures" / "manifests"

if __name__ == "__main__":
    os.chdir(FILES)
    for file in sorted(Path().iterdir()):
        draft = HERE / "golden" / f"{file.name}.draft.yaml"
        if run(["manifest", "import", file.name, "-o", str(draft)]):
            raise SystemExit(f"{file} is not imported")
