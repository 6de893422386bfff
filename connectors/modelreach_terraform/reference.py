"""The reference page of the resources that are understood, made from the tables.

Written by `python -m modelreach_terraform.reference > docs/reference/terraform-resources.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from textwrap import fill

from modelreach_terraform.tables import TABLE

_HEAD = """\
# Which resources of a plan are understood

This page is made from the connector's tables (`python -m modelreach_terraform.reference`), and a
test compares the two. A resource of another type that decides over access, as far as its name
tells, leaves a gap that names its address; other types are passed over.

Attributes that AWS, Google Cloud or Entra ID will choose (an id of a key, an object id) are not
known before apply: the address stands for them.
"""
_DATA = """
## Data sources
What these tell of a policy or role counts where the base does not have it. Documents that are put
together during apply are put together before:
"""
_TITLES = {
    "aws_": "AWS",
    "google_": "Google Cloud",
    "azurerm_": "Azure",
    "azuread_": "Entra ID",
    "kubernetes_": "Kubernetes",
    "kubectl_": "Kubernetes, by kubectl",
}


def page() -> str:
    """Give the page: Markdown, a list for each provider."""
    return _HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    for start, title in _TITLES.items():
        named = sorted(name for name in TABLE if name.startswith(start))
        yield f"\n## {title}\n{_listed(named)}\n"
    data = sorted(name.removeprefix("data.") for name in TABLE if name.startswith("data."))
    yield f"{_DATA}{_listed([*data, 'aws_iam_policy_document', 'google_iam_policy'])}\n"


def _listed(names: list[str]) -> str:
    words = ", ".join(f"`{name}`" for name in names)
    return fill(f"{words}.", 110, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    sys.stdout.write(page())
