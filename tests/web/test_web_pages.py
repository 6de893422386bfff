"""What is served, to programs: pages, reports, data; and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelreach import plugins
from modelreach.model import InputError
from modelreach.state import open_state
from modelreach.state.views import timeline
from modelreach.web import Door
from modelreach_reports import statepages

pytestmark = pytest.mark.usefixtures("untouched")


def test_all_deployments(served: Any) -> None:
    answer = served.get("/")
    assert answer.status == 200
    page = answer.data.decode()
    assert re.findall(r'href="/deployments/([^"]+)"', page) == ["agent-00", "agent-01"]
    assert "expired" in page, "the approval ended the day before"


def test_a_deployment_over_time(served: Any, audits: list[Any]) -> None:
    page = served.get("/deployments/agent-00").data.decode()
    assert set(re.findall(r'/audits/([0-9a-f]+)"', page)) == {one["id"] for one in audits}
    assert "something was not read" in page
    assert page.count("<figure>") == 6, "no key was ever seen, so there is no chart of ages"


def test_a_deployment_says_why_it_fails(state: str) -> None:
    with open_state(state, read_only=True) as kept:
        found = timeline(kept, "agent-00")
    failed = next(one for one in found.audits if one.verdict == "fail")
    last = msgspec.structs.replace(found, audits=(*found.audits, failed))
    (verdict,) = re.findall(
        r'<div class="verdict.*?</div>', statepages.timeline(last).decode(), re.DOTALL
    )
    assert all(f"<p>{reason}</p>" in verdict for reason in failed.reasons)
    assert failed.reasons


def test_rows_as_json(served: Any, audits: list[Any]) -> None:
    assert [one["number"] for one in audits] == [1, 2, 3, 4, 5, 6]
    deployments = served.json("/deployments.json")
    assert [one["expired"] for one in deployments] == [True, False]
    assert deployments[0]["last"]["id"] == audits[-1]["id"]


@pytest.mark.parametrize("form", plugins.names(plugins.RENDERERS))
def test_a_report_in_every_form(served: Any, audits: list[Any], form: str) -> None:
    answer = served.get(f"/audits/{audits[-1]['id']}/drift.{form}")
    if form == "neo4j":
        assert answer.status == 404 and b"a folder of files" in answer.data
        return
    assert answer.status == 200, answer.data[:500]
    told = answer.headers.get("content-disposition", "")
    assert told == ("" if form == "html" else f'attachment; filename="agent-00-6-drift.{form}"')


def test_reports_are_those_of_the_state(served: Any, audits: list[Any]) -> None:
    last = audits[-1]["id"]
    reach = json.loads(served.get(f"/audits/{last}/reach.json").data)
    assert reach["schema"] == "modelreach.radius/2"
    drift = json.loads(served.get(f"/audits/{last}/drift.json").data)
    change = json.loads(served.get(f"/audits/{last}/change.json").data)
    assert drift["schema"] == change["schema"] == "modelreach.diff/2"
    assert sum(len(line["resources"]) for line in drift["changes"]) == audits[-1]["drifted"]


def test_what_is_not_there(served: Any, audits: list[Any]) -> None:
    first = audits[0]["id"]
    for path, words in {
        "/nowhere": "There is nothing here",
        "/deployments/nobody": "no such deployment",
        "/audits/ffffffffffff": "no such audit",
        "/audits/..%2f..%2fetc": "There is nothing here",
        f"/audits/{first}/drift.html": "nothing to compare",
        f"/audits/{first}/everything.html": "no such report",
        f"/audits/{first}/reach.exe": "no such report",
    }.items():
        answer = served.get(path)
        assert (answer.status, words in answer.data.decode()) == (404, True), path
        assert "frame-ancestors" in answer.headers["content-security-policy"]


def test_a_state_that_is_gone_is_no_answer_about_what_was_in_it(
    serving: Any, tmp_path: Path
) -> None:
    gone = serving(place=str(tmp_path / "gone"))
    for path in ("/healthz", "/", "/deployments/agent-00", "/audits/ffffffffffff"):
        assert gone.get(path).status == 503, path
    assert "there is no state here" in gone.get("/").data.decode()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(served: Any, method: str) -> None:
    assert served.get("/", method).status == 405


def test_a_page_is_sent_again_only_when_it_differs(served: Any) -> None:
    first = served.get("/deployments/agent-00")
    mark = first.headers["etag"]
    again = served.get("/deployments/agent-00", If_None_Match=mark)
    assert (again.status, again.data) == (304, b"")
    assert served.get("/", If_None_Match=mark).status == 200
    head = served.get("/deployments/agent-00", "HEAD")
    assert (head.status, head.data, head.headers["etag"]) == (200, b"", mark)


@pytest.mark.parametrize("path", ["/", "/deployments/agent-00", "/healthz", "/deployments.json"])
def test_every_answer_has_the_headers_of_safety(served: Any, path: str) -> None:
    headers = served.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("frame-ancestors 'none'")
    assert "unsafe" not in policy


# --- the door ------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "[::2]"])
def test_a_name_that_is_not_ours_is_answered_nothing(served: Any, host: str) -> None:
    answer = served.get("/", Host=host)
    assert answer.status in (400, 421)
    assert b"agent" not in answer.data


def test_only_the_proxy_says_who_asks(serving: Any) -> None:
    door = Door.of(["Reach.acme.example"], "X-Forwarded-Email", ["127.0.0.0/8"])
    served = serving(door)
    named: dict[str, str] = {"Host": "reach.acme.example", "X_Forwarded_Email": "ann@acme.example"}
    assert served.get("/", **named).status == 200
    assert served.get("/", Host="reach.acme.example").status == 401
    assert served.get("/", Host="reach.acme.example", X_Forwarded_Email=" ").status == 401


def test_others_than_the_proxy_are_not_believed(serving: Any) -> None:
    served = serving(Door.of([], "X-Forwarded-Email", ["10.0.0.7"]))
    answer = served.get("/", X_Forwarded_Email="ann@acme.example")
    assert (answer.status, b"agent" in answer.data) == (403, False)


def test_it_is_not_opened_to_everybody() -> None:
    with pytest.raises(InputError, match="everybody who can reach") as raised:
        Door().may_open("0.0.0.0")
    assert "--trust-header" in (raised.value.hint or "")
    Door().may_open("::1")
    Door.of([], "X-User", ["::1"]).may_open("0.0.0.0")
    for header, proxies, why in (("X-User", [], "known who may"), ("X-User", ["x"], "no address")):
        with pytest.raises(InputError, match=why):
            Door.of([], header, proxies)
