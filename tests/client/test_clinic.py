"""The one object through which every call reaches Cliniko."""

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import httpx2
import pytest

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.client.request_count import RequestCount
from cliniko_mcp.client.retry import AnswerTooLarge
from cliniko_mcp.client.transport import OwnHostAuth
from cliniko_mcp.cliniko.operations import ConflictReport
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.cliniko.resources.services import Services
from cliniko_mcp.errors import InvalidArguments, NotFound, OutcomeUnknown, RateLimited, Unavailable

from .account import BASE, KEY, Account, call, listed, person
from .virtual import run

ID = "1897453889804840137"
PEOPLE = [person(number, first_name=f"P{number}") for number in range(250)]


def told(account: Account, story: Callable[[Clinic], Awaitable[Any]], **options: Any) -> Any:
    async def inner() -> Any:
        async with account.clinic(**options) as clinic:
            return await story(clinic)

    return run(inner)


def test_a_record_is_read_with_the_key_the_name_and_json_asked_for() -> None:
    account = Account({f"GET /attendees/{ID}": person(137, notes="Ünïcode’s")})
    record = told(account, lambda clinic: clinic.perform(call("get_attendee", id=ID)))
    assert (record.id, record.notes) == (ID, "Ünïcode’s")
    (request,) = account.requests
    assert str(request.url) == f"{BASE}/attendees/{ID}"
    assert request.headers["authorization"] == "Basic " + b64encode(f"{KEY}:".encode()).decode()
    assert request.headers["user-agent"] == "cliniko-mcp/0 (desk@clinic.example)"
    assert request.headers["accept"] == "application/json"


def test_a_write_sends_json_and_returns_the_record() -> None:
    account = Account({"POST /attendees": lambda _: httpx2.Response(201, json=person(5))})
    record = told(account, lambda clinic: clinic.perform(call("create_attendee", booking_id="1", patient_id="2")))
    assert record.id == PEOPLE[5]["id"]
    (request,) = account.requests
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"patient_id": "2", "booking_id": "1"}


@pytest.mark.parametrize("name", ["archive_attendee", "cancel_attendee"])
def test_an_archive_and_a_cancel_give_nothing_back(name: str) -> None:
    account = Account(
        {
            f"POST /attendees/{ID}/archive": httpx2.Response(204),
            f"PATCH /attendees/{ID}/cancel": httpx2.Response(204),
        }
    )
    reason = {"cancellation_reason": 50} if name == "cancel_attendee" else {}
    assert told(account, lambda clinic: clinic.perform(call(name, id=ID, **reason))) is None


def test_conflicts_are_read_as_they_come() -> None:
    path = f"GET /individual_appointments/{ID}/conflicts"
    account = Account({path: {"conflicts": {"exist": True}}})
    report = told(account, lambda clinic: clinic.perform(call("get_individual_appointment_conflicts", id=ID)))
    assert isinstance(report, ConflictReport)
    assert report.model_dump() == {"conflicts": {"exist": True}}


def test_a_page_has_its_rows_its_total_and_whether_more_follow() -> None:
    account = Account({"GET /attendees": listed("attendees", PEOPLE)})

    async def story(clinic: Clinic) -> None:
        page = await clinic.page(call("list_attendees", patient_id="5", sort="created_at:desc"), 2, 100)
        assert [getattr(row, "id", None) for row in page.items] == [p["id"] for p in PEOPLE[100:200]]
        assert (page.total, page.more) == (250, True)
        assert not (await clinic.page(call("list_attendees"), 3, 100)).more

    told(account, story)
    assert account.query(0) == ["q[]=patient_id:=5", "sort=created_at:desc", "page=2", "per_page=100"]


@pytest.mark.parametrize(
    ("answer", "total", "more"),
    [
        ({"attendees": [person(1)], "total_entries": 9, "links": {}}, 9, True),
        ({"attendees": [person(1)], "total_entries": 9}, 9, True),
        ({"attendees": [person(1)], "links": {"next": "u"}}, None, True),
        ({"attendees": [person(1)], "total_entries": "many", "links": {"next": None}}, None, False),
        ({"attendees": [], "total_entries": 9, "links": {"next": "u"}}, 9, False),
        ({"attendees": [person(1)], "total_entries": True}, None, False),
    ],
)
def test_what_follows_is_told_by_the_link_or_the_total_and_never_by_an_empty_page(
    answer: dict[str, Any], total: int | None, more: bool
) -> None:
    account = Account({"GET /attendees": answer})
    page = told(account, lambda clinic: clinic.page(call("list_attendees"), 1, 1))
    assert (page.total, page.more) == (total, more)


@pytest.mark.parametrize(
    "answer", [{}, {"attendees": None}, {"attendees": {}}, {"attendees": ["x"]}, {"a": [], "b": []}]
)
def test_a_list_without_readable_rows_is_an_error_and_never_an_empty_list(answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        told(Account({"GET /attendees": answer}), lambda clinic: clinic.page(call("list_attendees"), 1, 50))


def test_rows_are_swept_and_everything_can_be_drained() -> None:
    account = Account({"GET /attendees": listed("attendees", PEOPLE)})

    async def story(clinic: Clinic) -> None:
        found = await clinic.rows(call("list_attendees"), limit=120, start=40)
        assert [row.id for row in found.rows] == [p["id"] for p in PEOPLE[40:160]]  # type: ignore[attr-defined]
        assert (found.total, found.next_position) == (250, 160)
        async with aclosing(clinic.all(call("list_attendees"))) as rows:
            assert [row.id async for row in rows] == [p["id"] for p in PEOPLE]  # type: ignore[attr-defined]

    told(account, story)
    assert account.query(0)[-1] == "per_page=100"


def test_a_long_list_leaves_requests_for_single_calls() -> None:
    rows = [person(number) for number in range(3000)]
    account = Account({"GET /attendees": listed("attendees", rows), f"GET /attendees/{ID}": person(137)})

    async def story(clinic: Clinic) -> None:
        found = await clinic.rows(call("list_attendees"), limit=3000)
        assert isinstance(found.stopped, RateLimited)
        assert (len(found.rows), found.complete, found.next_position) == (1800, False, 1800)
        assert await clinic.perform(call("get_attendee", id=ID)) is not None

    told(account, story, per_minute=20)


def test_a_dropped_connection_after_a_write_is_of_unknown_outcome() -> None:
    account = Account({"POST /attendees": httpx2.ReadError("gone")})
    with pytest.raises(OutcomeUnknown):
        told(account, lambda clinic: clinic.perform(call("create_attendee", booking_id="1", patient_id="2")))
    assert len(account.requests) == 1


def test_a_write_that_found_no_connection_changed_nothing_and_the_error_says_so() -> None:
    account = Account({"POST /attendees": httpx2.ConnectError("no route")})
    with pytest.raises(Unavailable) as refused:
        told(account, lambda clinic: clinic.perform(call("create_attendee", booking_id="1", patient_id="2")))
    assert len(account.requests) == 4
    assert "Nothing was changed" in refused.value.fix


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (httpx2.ConnectTimeout("x"), "no connection"),
        (httpx2.PoolTimeout("x"), "too many requests"),
        (httpx2.ReadTimeout("x"), "in time"),
        (httpx2.DecodingError("x"), "damaged"),
        (httpx2.RemoteProtocolError("x"), "broke off"),
    ],
)
def test_what_went_wrong_on_the_way_is_said_in_plain_words(problem: Exception, words: str) -> None:
    with pytest.raises(Unavailable, match=words):
        told(Account({f"GET /attendees/{ID}": problem}), lambda clinic: clinic.perform(call("get_attendee", id=ID)))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (httpx2.ConnectError("x"), "could not be reached: no connection"),
        (AnswerTooLarge("more than 20 MB"), "too large, more than 20 MB"),
    ],
)
def test_what_went_wrong_on_the_way_of_a_file_is_said_in_the_same_words(problem: Exception, words: str) -> None:
    account = Account({f"GET /patient_attachments/{ID}/content": problem})
    with pytest.raises(Unavailable, match=words):
        told(account, lambda clinic: clinic.file(call("get_patient_attachment", id=ID), 9))


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else() -> None:
    headers = {"Location": "https://elsewhere.example/v1/steal"}
    account = Account({f"GET /attendees/{ID}": httpx2.Response(302, headers=headers)})
    with pytest.raises(Unavailable, match=r"elsewhere\.example"):
        told(account, lambda clinic: clinic.perform(call("get_attendee", id=ID)))
    assert {request.url.host for request in account.requests} == {"api.au2.cliniko.com"}


@pytest.mark.parametrize(
    ("url", "home"),
    [
        (f"{BASE}/patients", True),
        ("https://api.au2.cliniko.com:443/v1/x", True),
        ("https://api.au1.cliniko.com/v1/x", False),
        ("http://api.au2.cliniko.com/v1/x", False),
        ("https://api.au2.cliniko.com:8443/v1/x", False),
        ("https://bucket.s3.amazonaws.com/x", False),
    ],
)
def test_the_key_is_sent_to_its_own_host_only(url: str, home: bool) -> None:
    request = httpx2.Request("GET", url)
    next(OwnHostAuth(KEY, BASE).auth_flow(request))
    assert ("authorization" in request.headers) is home


def test_local_times_are_sent_in_the_zone_that_is_given_and_never_without_one() -> None:
    account = Account({"GET /individual_appointments": listed("individual_appointments", [])})
    local = call("list_individual_appointments", starts_at=">=2026-11-24T08:30")

    async def story(clinic: Clinic) -> None:
        await clinic.page(local, 1, 50, zone=ZoneInfo("Australia/Perth"))
        with pytest.raises(InvalidArguments, match="needs a time zone"):
            await clinic.page(local, 1, 50)

    told(account, story)
    assert account.query()[0] == "q[]=starts_at:>=2026-11-24T00:30:00Z"
    assert len(account.requests) == 1


def test_records_by_id_come_in_batches_with_hidden_ones_and_without_unknown_ones() -> None:
    account = Account({"GET /patients": listed("patients", PEOPLE)})
    wanted = [p["id"] for p in PEOPLE] + ["404"]
    found = told(account, lambda clinic: clinic.batch(Patients.list_patients, wanted))
    assert list(found) == wanted[:-1]
    assert len(account.requests) == 3
    assert all("q[]=archived_at:*" in account.query(number) for number in range(3))


def test_only_a_list_that_filters_by_id_can_look_records_up() -> None:
    with pytest.raises(TypeError, match="list_services has no filter id"):
        told(Account(), lambda clinic: clinic.batch(Services.list_services, ["1"]))


@pytest.mark.parametrize(
    ("answer", "sent"),
    [(PEOPLE[0], 1), (httpx2.Response(404), 1), (httpx2.Response(503), 4), (httpx2.ConnectError("no route"), 4)],
)
def test_every_attempt_is_counted(answer: Any, sent: int) -> None:
    account, count = Account({f"GET /attendees/{ID}": answer}), RequestCount()

    async def story(clinic: Clinic) -> None:
        with suppress(NotFound, Unavailable):
            await clinic.perform(call("get_attendee", id=ID), count=count)

    told(account, story)
    assert count.sent == len(account.requests) == sent


def test_pages_and_batches_are_counted_and_what_the_rate_limit_held_back_is_not() -> None:
    rows = [person(number) for number in range(3000)]
    account, count = Account({"GET /attendees": listed("attendees", rows)}), RequestCount()

    async def story(clinic: Clinic) -> None:
        await clinic.rows(call("list_attendees"), limit=3000, count=count)

    told(account, story, per_minute=20)
    assert count.sent == len(account.requests) == 18


def test_an_unknown_record_is_not_found() -> None:
    with pytest.raises(NotFound):
        told(Account(), lambda clinic: clinic.perform(call("get_attendee", id=ID)))


def test_nothing_is_sent_before_the_first_call_and_a_cancelled_call_stops_at_once() -> None:
    account = Account({f"GET /attendees/{ID}": person(137)}, latency=1000)

    async def story(clinic: Clinic) -> float:
        assert account.requests == []
        with anyio.move_on_after(5):
            await clinic.perform(call("get_attendee", id=ID))
        return anyio.current_time()

    assert told(account, story) == pytest.approx(5, abs=0.1)
