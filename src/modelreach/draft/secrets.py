"""Addresses without what must not be copied from them, and texts that look like a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: RFC 3986, appendix B. It matches every text.
_URL: Final = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.S)
#: How the tokens of well-known services begin.
_TOKENS: Final = re.compile(
    r"(?:sk|pk|rk|gh[opsur]|github_pat|glpat|xox[a-z]|AKIA|ASIA|eyJ|AIza|ya29|hf|npm|pypi|dop_v1"
    r"|shpat|whsec|SG\.)[-_.A-Za-z0-9]{6,}"
)
_LONG: Final = re.compile(r"[A-Za-z0-9+/=_.~%-]{20,}")
_HIDDEN: Final = "REDACTED"
#: No word of a name is longer.
_LONGEST: Final = 18
_WORDS: Final = re.compile(r"[a-z]+|[A-Z][a-z]+|[0-9]{1,6}")


def looks_secret(text: str) -> bool:
    """Does it look like a token rather than a name? In doubt yes."""
    if _TOKENS.match(text):
        return True
    if not _LONG.fullmatch(text):
        return False
    # A name is made of words; a token changes between letters, cases and digits all the time.
    parts = [part for part in re.split(r"[-_./=+~%]", text) if part]
    worst = max((len(part) for part in parts if not _is_wordy(part)), default=0)
    return worst >= 8


def _is_wordy(part: str) -> bool:
    words = _WORDS.findall(part)
    longest = max(map(len, words), default=0)
    return "".join(words) == part and longest <= _LONGEST and len(words) * 3 <= len(part) + 3


def clean_url(url: str, at: str) -> tuple[str, tuple[str, ...]]:
    """Give an address without user, password, query, fragment and whatever looks like a token in
    its path; and the places of what was left out, by name."""
    found = _URL.fullmatch(url)
    if found is None:
        return "", (at,)
    scheme, host, path, query, fragment = found.groups()
    who = host if host is not None else (path or "").rpartition("@")[1]
    kept, hidden = _path((path or "") if host is not None else (path or "").rpartition("@")[2])
    left_out = [f"{at} ({what})" for what in _left_out(who, query, fragment)]
    left_out += [f"{at} (path)"] if hidden else []
    place = (host or "").rpartition("@")[2]
    head = f"{scheme}://{place}" if scheme and host is not None else f"//{place}" if host else ""
    if not head and scheme:
        head = f"{scheme}:"
    return head + kept, tuple(left_out)


def _left_out(host: str, query: str | None, fragment: str | None) -> Iterator[str]:
    if "@" in host:
        yield "user and password"
    for part in filter(None, re.split("[&;]", query or "")):
        name = part.partition("=")[0]
        yield f"query {name}" if "=" in part and not looks_secret(name) else "query"
    if fragment:
        yield "fragment"


def _path(path: str) -> tuple[str, bool]:
    segments = path.split("/")
    kept = [_HIDDEN if looks_secret(segment) else segment for segment in segments]
    return "/".join(kept), kept != segments
