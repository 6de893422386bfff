"""LangGraph applications: `langgraph.json`.

It tells which graphs there are and where their code is; models, tools and identities are in the
code. https://docs.langchain.com/langsmith/cli#configuration-file
"""

from __future__ import annotations

from typing import Final

from modelreach.draft.files import SourceFile
from modelreach.draft.said import Rank, Secret
from modelreach_manifests.credentials import of_variables
from modelreach_manifests.reading import (
    Words,
    below,
    environment,
    identity,
    inside,
    joined,
    meta,
    model,
    model_variables,
    of_spec,
    text,
)

_IN_CODE: Final = "the code of the graph tells"


class LangGraph:
    """Reads the configuration of an application."""

    what = "LangGraph application"

    def recognises(self, file: SourceFile) -> bool:
        """Are there graphs, each with the file that it is in?"""
        graphs = below(file.only, "graphs")
        return bool(graphs) and all(
            ":" in (text(graphs, name) or text(graphs, name, "path")) for name in graphs
        )

    def read(self, file: SourceFile) -> Words:
        """Give the name of the graph, what it remembers, and who may call it."""
        top = file.only
        name, *others = below(top, "graphs")
        note = f"graphs here are {', '.join([name, *others])}" if others else ""
        yield meta("name", name, joined("graphs", name), unknown=note)
        variables = tuple(below(top, "env"))
        yield from environment(variables, "env")
        if text(top, "env"):
            yield Secret("env (a file)")
        why = model_variables(variables) or f"which model is called; {_IN_CODE}"
        yield model("id", "unknown", "", Rank.UNKNOWN, unknown=why)
        yield identity("runtime").asks("principal", "as whom it runs where it is deployed", "")
        found = of_variables(variables)
        if found is not None:
            yield identity("runtime").says("cloud", found.cloud, "env", Rank.INFERRED)
        if inside(top, "store") is not None:
            yield of_spec("autonomy", "memory", "long-term", "store", Rank.INFERRED)
        if text(top, "auth", "path"):
            yield of_spec("exposure", "authenticated", True, "auth.path", Rank.INFERRED)
