"""Full resource names, scopes and members: one spelling for each thing.

The services and Cloud Asset Inventory write some names in two ways: buckets with and without
`projects/_/buckets`, service accounts by e-mail and by number, projects by id and by number. What
conditions and policies see is kept:
https://cloud.google.com/iam/docs/full-resource-names
"""

from __future__ import annotations

import re
from typing import Final

MANAGER: Final = "//cloudresourcemanager.googleapis.com/"
_BUCKET: Final = "//storage.googleapis.com/"
#: Services that write projects by number in the names of their resources.
_BY_NUMBER: Final = frozenset(
    {"aiplatform.googleapis.com", "secretmanager.googleapis.com", "apikeys.googleapis.com"}
)
_SCOPE: Final = re.compile(r"(organizations|folders|projects)/[^/]+")
_PROJECT: Final = re.compile(r"(?<=/projects/)[^/]+")

#: E-mail domains of accounts that Google manages, which act for a service.
_AGENT: Final = re.compile(
    r"(?P<number>\d+)@(?P<service>cloudservices|cloudbuild)\.gserviceaccount\.com"
    r"|service-(?P<number2>\d+)@(?P<service2>[\w-]+)(?:\.iam)?\.gserviceaccount\.com"
)
_COMPUTE_DEFAULT: Final = re.compile(r"(\d+)-compute@developer\.gserviceaccount\.com")


def scope_name(text: str) -> str:
    """Give the scope that a text names, `projects/x`; "" when it names none."""
    found = _SCOPE.fullmatch(text.removeprefix(MANAGER))
    return found[0] if found else ""


def project_in(name: str) -> str:
    """Give the id or number of the project in a full resource name, "" when there is none."""
    found = _PROJECT.search(name)
    return found[0] if found and found[0] != "_" else ""


def location_in(name: str) -> str:
    """Give the location in a resource name, "" for none or all of them."""
    found = re.search(r"/(?:locations|zones|regions)/([^/]+)", name)
    return found[1] if found and found[1] not in ("-", "global") else ""


def full_name(name: str, service: str = "") -> str:
    """Give the full resource name of what a service calls by a relative one; buckets as policies
    see them."""
    if not name.startswith("//"):
        name = f"//{service}/{name}"
    bucket = name.removeprefix(_BUCKET)
    if bucket != name and "/" not in bucket:
        return f"{_BUCKET}projects/_/buckets/{bucket}"
    return name


def in_spelling(name: str, numbers: dict[str, str], ids: dict[str, str]) -> str:
    """Give a full name with its project in the spelling that its service uses, where known.

    `numbers` leads from number to id, `ids` back.
    """
    service = name[2:].partition("/")[0]
    spelled = ids if service in _BY_NUMBER else numbers
    return _PROJECT.sub(lambda found: spelled.get(found[0], found[0]), name, count=1)


def relative(name: str) -> str:
    """Give a full resource name without its service."""
    return name[2:].partition("/")[2] if name.startswith("//") else name


def account(email: str) -> str:
    """Give the member of a service account."""
    return f"serviceAccount:{email}" if email else ""


def agent_of(email: str) -> tuple[str, str]:
    """Give the project number and service of a service agent, empty for what is none."""
    found = _AGENT.fullmatch(email)
    if not found:
        return "", ""
    return found["number"] or found["number2"], found["service"] or found["service2"]


def default_of(email: str) -> tuple[str, str]:
    """Give what an account that Google made at the start is for, and its project: the number
    for `compute`, the id for `appengine`."""
    if found := _COMPUTE_DEFAULT.fullmatch(email):
        return "compute", found[1]
    project, _, domain = email.partition("@")
    return ("appengine", project) if domain == "appspot.gserviceaccount.com" else ("", "")


def compute_default(number: str) -> str:
    """Give the member of a project's default compute account."""
    return account(f"{number}-compute@developer.gserviceaccount.com") if number else ""


def agent(number: str, service: str) -> str:
    """Give the member of a project's service agent."""
    return account(f"service-{number}@{service}.iam.gserviceaccount.com") if number else ""
