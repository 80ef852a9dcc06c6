"""The approvals page of a server for many, behind the balancer of two replicas: asked at one, answered at the other."""

from collections.abc import Iterator
from typing import Any

import pytest

from cliniko_mcp.protocol.hosting import account_of
from cliniko_mcp.settings import Settings
from tests.hosted.replicas import ACCOUNT, ClinicApart, Older, Page, Replicas, call, clinic_apart, envelope, replicas
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clinic() -> Iterator[ClinicApart]:
    with clinic_apart("--rate-limit", "0") as found:
        yield found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer, clinic: ClinicApart) -> Iterator[Replicas]:
    redis.trusted(account_of(Settings.load({"base_url": clinic.url}, ACCOUNT)))
    shared = f'[redis]\nurl = "{redis.url}"\n'
    with replicas(tmp_path_factory.mktemp("hosted"), shared, "--base-url", clinic.url) as found:
        yield found


@pytest.fixture(scope="module")
def page(two: Replicas) -> Page:
    """Ana's browser, which came with her code."""
    page = Page(two.address)
    assert "Your code" in page.get()
    assert "Nothing is waiting" in page.post(code="code of ana").text
    return page


def test_a_code_is_good_once_and_no_other_is(two: Replicas, page: Page) -> None:
    for _ in range(2):
        again = Page(two.address)
        assert "not good, or was used" in again.post(code="code of ana").text
        assert "not good, or was used" in again.post(code="cmp_ana").text
        assert again.cookie == ""
    assert "Nothing is waiting" in page.get()


def test_what_an_older_client_asks_for_is_answered_on_the_page_and_done_once(
    two: Replicas, clinic: ClinicApart, page: Page
) -> None:
    """Without sessions the server cannot ask by a form in this era."""
    older = Older(two.address, "ana", form={})
    patient = envelope(older.call("list_patients", limit=1))["items"][0]["id"]
    told = envelope(older.call("archive_patient", id=patient))
    assert (told["code"], "https://mcp.example.org/approvals" in told["message"]) == ("approval_needed", True)
    shown = page.get()
    assert "Archive" in shown and "older" in shown
    assert any(word in page.answer("approve") for word in ("Approved", "Archived"))
    ended = older.call("archive_patient", id=patient)
    while envelope(ended).get("code") == "approval_needed":
        ended = older.call("archive_patient", id=patient)
    assert "Archived" in envelope(ended)["done"]
    assert clinic.requests("POST").count(f"/v1/patients/{patient}/archive") == 1


def test_a_question_is_nobody_elses(two: Replicas, page: Page) -> None:
    ben = Page(two.address)
    ben.post(code="code of ben")
    older = Older(two.address, "ana")
    patient = envelope(older.call("list_patients", limit=1))["items"][0]["id"]
    assert envelope(older.call("archive_patient", id=patient))["code"] == "approval_needed"
    assert "Nothing is waiting" in ben.get()
    assert "One question for you" in page.get()
    question = page.get().split('name=question value="')[1].partition('"')[0]
    csrf = Page.csrf_in(page.get())
    assert ben.post(decision="approve", question=question, csrf=csrf).status_code == 403
    assert page.post(origin="https://evil.example", decision="approve", question=question, csrf=csrf).status_code == 403
    assert "Denied" in page.answer("deny")
    assert envelope(older.call("archive_patient", id=patient))["code"] == "declined"


def of(**ways: Any) -> dict[str, Any]:
    """What a client of the newer era says of itself that has these ways to ask its person."""
    return {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": ways} if ways else {},
    }


def test_a_client_is_asked_by_the_first_way_that_it_declared_and_else_on_the_page(two: Replicas) -> None:
    patients = [row["id"] for row in envelope(call(two.address, "ben", "list_patients", limit=20))["items"]]
    neither_named = of(form={}) | {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    for meta, mode in (
        (of(form={}), "form"),
        (of(form={}, url={}), "form"),
        (neither_named, "form"),
        (of(url={}), "url"),
    ):
        called: dict[str, Any] = {"meta": meta, "id": patients.pop()}
        asked = call(two.address, "ben", "archive_patient", **called)
        (request,) = asked["inputRequests"].values()
        assert (request["params"]["mode"], "url" in request["params"]) == (mode, mode == "url")
        no = {"requestState": asked["requestState"], "inputResponses": {"approval": {"action": "decline"}}}
        assert envelope(call(two.address, "ben", "archive_patient", **called, **no))["code"] == "declined"
    told = call(two.address, "ben", "archive_patient", meta=of(), id=patients.pop())
    assert envelope(told)["code"] == "approval_needed" and "/approvals" in envelope(told)["message"]


@pytest.mark.parametrize(("number", "ways"), [*enumerate([{"url": {}}, {"url": {}, "form": {}}, {"form": {}}, {}])])
def test_an_older_client_gets_an_address_as_an_error_where_its_session_says_that_it_opens_them(
    two: Replicas, page: Page, number: int, ways: dict[str, Any]
) -> None:
    older = Older(two.address, "ana", **ways)
    patient = envelope(older.call("list_patients", limit=9))["items"][1 + number]["id"]
    told = older.call("archive_patient", id=patient)
    if "url" in ways:
        assert told["error"]["code"] == -32042
        (led,) = told["error"]["data"]["elicitations"]
        assert (led["mode"], page.led_to(led["url"])[0]) == ("url", 200)
        told = older.call("archive_patient", id=patient)
    assert envelope(told)["code"] == "approval_needed", "the address goes out once"
    assert "https://mcp.example.org/approvals" in envelope(told)["message"]
    page.answer("deny")
    assert envelope(older.call("archive_patient", id=patient))["code"] == "declined"
