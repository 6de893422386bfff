"""Chats and webhooks over real HTTP: what is sent, what counts as taken, what never shows."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook as Receiving

from modelreach.audit import NotDelivered
from modelreach.model import InputError
from modelreach.notify import Chat, Webhook

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
KEY = "sha256:1234"


def webhook(receiver: Any, secret: str = "", clock: float | None = None) -> Webhook:
    import time

    moment = time.time() if clock is None else clock
    return Webhook("webhook:siem", receiver.url, lambda: moment, secret, "$SIEM")


def test_a_webhook_gets_a_cloud_event(receiver: Any, telling: Any) -> None:
    webhook(receiver).send(telling(), KEY)
    event = JSONFormat().read(CloudEvent, receiver.bodies[0])
    assert event.get_id() == KEY
    assert event.get_source() == "/modelreach/deployments/support-agent%2Fprod"
    assert event.get_type() == "modelreach.audit.told.v1"
    assert event.get_subject() == "3f9c2a51be07"
    data = json.loads(receiver.bodies[0])["data"]
    assert data["schema"] == "modelreach.notification/1"
    assert data["events"][0]["message"] == "`agent` gained read on `ledger`"
    assert receiver.headers[0]["content-type"].startswith("application/cloudevents+json")


def test_its_signature_is_checked_by_somebody_else_s_code(receiver: Any, telling: Any) -> None:
    webhook(receiver, SECRET).send(telling(), KEY)
    headers, body = receiver.headers[0], receiver.bodies[0]
    assert Receiving(SECRET).verify(body, headers)["id"] == KEY
    with pytest.raises(Exception, match="No matching signature"):
        Receiving(SECRET).verify(body.replace(b"ledger", b"nothing"), headers)


def test_sent_again_it_is_the_same_but_for_the_time(receiver: Any, telling: Any) -> None:
    for moment in (1_000.0, 2_000.0):
        webhook(receiver, SECRET, moment).send(telling(), KEY)
    assert receiver.bodies[0] == receiver.bodies[1]
    assert {one["webhook-id"] for one in receiver.headers} == {KEY}
    assert {one["idempotency-key"] for one in receiver.headers} == {KEY}
    assert receiver.headers[0]["webhook-timestamp"] == "1000"
    assert receiver.headers[0]["webhook-signature"] != receiver.headers[1]["webhook-signature"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_is_not_well_is_asked_again(
    receiver: Any, telling: Any, status: int
) -> None:
    receiver.answers = [(status, {"Retry-After": "3600"}), (200, {})]
    webhook(receiver).send(telling(), KEY)
    assert len(receiver.bodies) == 2


@pytest.mark.parametrize(
    ("status", "permanent"), [(500, False), (403, False), (404, False), (400, True), (413, True)]
)
def test_what_is_not_taken_is_not_delivered(
    receiver: Any, telling: Any, status: int, permanent: bool
) -> None:
    receiver.answers = [(status, {})]
    with pytest.raises(NotDelivered, match=f"it answered {status}") as raised:
        Chat("slack:board", receiver.url).send(telling(), KEY)
    assert raised.value.permanent is permanent
    assert "s3cr3t" not in raised.value.reason


def test_redirects_are_not_followed(receiver: Any, telling: Any) -> None:
    receiver.answers = [(307, {"Location": receiver.url})]
    with pytest.raises(NotDelivered, match="redirects are not followed"):
        webhook(receiver, SECRET).send(telling(), KEY)
    assert len(receiver.bodies) == 1


def test_nobody_there(telling: Any, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotDelivered) as raised:
        Chat("slack:board", f"http://127.0.0.1:{port}/s3cr3t").send(telling(), KEY)
    assert raised.value.reason == "no connection could be made"
    assert "s3cr3t" not in caplog.text, "what is logged as a warning comes to stderr"


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/x", "ftp://127.0.0.1/", "nonsense", "http://[::1", ""]
)
def test_an_address_that_would_leak_is_refused(url: str) -> None:
    with pytest.raises(InputError) as raised:
        Chat("slack:board", url, "$SLACK")
    assert raised.value.place == "$SLACK"
    assert not url or url not in str(raised.value)


@pytest.mark.parametrize("secret", ["short", "whsec_%%%", "whsec_c2hvcnQ="])
def test_a_weak_secret_is_refused(receiver: Any, secret: str) -> None:
    with pytest.raises(InputError, match="at least 24 bytes") as raised:
        webhook(receiver, secret)
    assert secret not in str(raised.value)


def test_neither_address_nor_secret_is_in_the_text_of_a_target(receiver: Any) -> None:
    shown = repr(webhook(receiver, SECRET)) + repr(Chat("slack:board", receiver.url))
    assert "s3cr3t" not in shown
    assert "MDEy" not in shown
