"""Keeps one comment under a pull request: finds the one from before by its hidden marker.

Needs the standard library only. Takes from the environment: GITHUB_TOKEN, GITHUB_REPOSITORY,
GITHUB_API_URL, NUMBER (of the pull request) and COMMENT (a file of `modelreach … -o comment.md`).
https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

#: GitHub takes no longer comment.
LIMIT = 65_536
_PAGE = 100


def main() -> int:
    """Write the comment, over the one from before if there is one."""
    body = Path(os.environ["COMMENT"]).read_text(encoding="utf-8")
    marker = body.split("\n", 1)[0]
    if not marker.startswith("<!-- modelreach:") or len(body) >= LIMIT:
        print("this is no comment of modelreach", file=sys.stderr)
        return 2
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    issues = f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    comments = f"{issues}/{int(os.environ['NUMBER'])}/comments"
    before = next((one for one in _listed(comments) if _is_ours(one, marker)), None)
    if before is None:
        _call("POST", comments, {"body": body})
    else:
        _call("PATCH", f"{issues}/comments/{int(before['id'])}", {"body": body})
    return 0


def _is_ours(comment: dict[str, Any], marker: str) -> bool:
    """Anybody can write the marker; only a bot's comment is taken for ours."""
    by_a_bot = (comment.get("user") or {}).get("type") == "Bot"
    return by_a_bot and str(comment.get("body") or "").startswith(marker)


def _listed(comments: str) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        found = _call("GET", f"{comments}?per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return
        page += 1


def _call(method: str, url: str, content: object = None) -> Any:
    data = None if content is None else json.dumps(content).encode()
    request = Request(url, data, method=method)  # noqa: S310 (the forge's own address)
    request.add_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    request.add_header("Accept", "application/vnd.github+json")
    request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=30) as answer:  # noqa: S310 (as above)
        return json.loads(answer.read() or b"null")


if __name__ == "__main__":
    sys.exit(main())
