"""Whatever a tool asks of the clinic passes the guards, and each request that goes out belongs to one that passed."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachments
from cliniko_mcp.cliniko.resources.patient_forms import PatientForms
from cliniko_mcp.cliniko.resources.patients import PatientBody, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.errors import NotAllowed, RateLimited
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.pipeline import GuardedCall, Purpose
from tests.client.account import NOON, call, listed, person
from tests.guards.gate import Form
from tests.guards.office import ANSWERS, IDS, ONE, PEOPLE, SITE, STORAGE, Office


async def every(clinic: GuardedClinic) -> list[str]:
    return [record.id async for record in clinic.all(Patients.list_patients)]


def form_of(record: Record) -> tuple[str, dict[str, str]]:
    return STORAGE, {"key": "k/${filename}"}


Way = Callable[[GuardedClinic], Awaitable[Any]]
PRESIGNED = call("get_attachment_presigned_post", patient_id=ONE)
WAYS: list[tuple[Way, str, Purpose]] = [
    (lambda clinic: clinic.perform(Patients.get_patient, id=ONE), "get_patient", "call"),
    (lambda clinic: clinic.perform(Patients.get_patient.call(id=ONE)), "get_patient", "call"),
    (
        lambda clinic: clinic.perform(Patients.update_patient, PatientBody.partial(notes="x"), id=ONE),
        "update_patient",
        "call",
    ),
    (lambda clinic: clinic.rows(Patients.list_patients.call(), limit=120), "list_patients", "call"),
    (lambda clinic: clinic.collect(Patients.list_patients), "list_patients", "call"),
    (every, "list_patients", "call"),
    (lambda clinic: clinic.page(Patients.list_patients.call(), 2, 50), "list_patients", "call"),
    (lambda clinic: clinic.count(Patients.list_patients.call()), "list_patients", "call"),
    (lambda clinic: clinic.by_id(Patients.list_patients, IDS), "list_patients", "label"),
    (
        lambda clinic: clinic.file(PatientAttachments.get_patient_attachment.call(id=ONE), 9),
        "get_patient_attachment",
        "call",
    ),
    (
        lambda clinic: clinic.upload(PRESIGNED, form_of, "scan.pdf", "application/pdf", b"%PDF"),
        "get_attachment_presigned_post",
        "call",
    ),
    (lambda clinic: clinic.zone(), "get_authenticated_user", "zone"),
    (lambda clinic: clinic.zone_note(), "get_authenticated_user", "zone"),
    (lambda clinic: clinic.zone(str(SITE["id"])), "get_business", "zone"),
]
every_way = pytest.mark.parametrize(("way", "name", "purpose"), WAYS)


@every_way
def test_every_way_passes_the_guards_with_its_operation_its_tool_its_caller_and_its_purpose(
    way: Way, name: str, purpose: Purpose
) -> None:
    office = Office()
    office.works(way)
    (seen,) = office.doorkeeper.seen
    assert (seen.call.operation.name, seen.tool, seen.caller, seen.purpose) == (
        name, "some_tool", office.caller, purpose
    )  # fmt: skip


@every_way
def test_every_request_belongs_to_an_operation_that_passed_the_guards(way: Way, name: str, purpose: Purpose) -> None:
    office = Office()
    office.works(way)
    assert office.doorkeeper.requests == len(office.account.requests) > 0


@every_way
def test_no_way_leads_past_a_guard_that_says_no(way: Way, name: str, purpose: Purpose) -> None:
    office = Office()
    office.doorkeeper.shut = True
    if purpose == "zone":
        zone_is_a_guess = office.works(lambda clinic: clinic.zone_note())
        assert "switched off" in zone_is_a_guess
    else:
        with pytest.raises(NotAllowed):
            office.works(way)
    assert office.account.requests == []


def test_whether_an_operation_is_allowed_can_be_asked_without_sending_anything() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        await clinic.check(Patients.archive_patient)
        office.doorkeeper.shut = True
        with pytest.raises(NotAllowed):
            await clinic.check(Patients.archive_patient)

    office.works(story)
    assert [seen.call.operation.name for seen in office.doorkeeper.seen] == ["archive_patient"] * 2
    assert office.account.requests == []


def test_what_the_guards_read_themselves_passes_the_guards_too() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        await clinic.perform(Patients.get_patient, id=ONE)
        reader = office.doorkeeper.seen[0].reader
        await reader.perform(Patients.get_patient.call(id=ONE))
        await reader.page(Patients.list_patients.call(), 1, 100)
        await reader.zone()

    office.works(story)
    assert [(seen.call.operation.name, seen.purpose) for seen in office.doorkeeper.seen] == [
        ("get_patient", "call"),
        ("get_patient", "preview"),
        ("list_patients", "preview"),
        ("get_authenticated_user", "zone"),
    ]
    assert office.doorkeeper.requests == len(office.account.requests) == 4


@pytest.mark.parametrize(("answer", "sent"), [(httpx2.Response(503), 4), (httpx2.ConnectError("no route"), 4)])
def test_every_attempt_counts_as_a_request(answer: Any, sent: int) -> None:
    office = Office(answers={f"GET /patients/{ONE}": answer})
    with pytest.raises(Exception, match="Cliniko"):
        office.works(lambda clinic: clinic.perform(Patients.get_patient, id=ONE))
    assert office.doorkeeper.requests == len(office.account.requests) == sent


def test_a_file_counts_the_request_to_the_storage_too() -> None:
    office = Office()
    read = PatientAttachments.get_patient_attachment.call(id=ONE)
    assert office.works(lambda clinic: clinic.file(read, 9)) == b"%PDF"
    assert (office.doorkeeper.requests, len(office.account.requests)) == (2, 2)


def test_a_storage_whose_address_is_not_used_costs_no_request() -> None:
    content = httpx2.Response(302, headers={"Location": "http://elsewhere.example/file"})
    office = Office(answers=ANSWERS | {f"GET /patient_attachments/{ONE}/content": content})
    read = PatientAttachments.get_patient_attachment.call(id=ONE)
    with pytest.raises(Exception, match="not reached by https"):
        office.works(lambda clinic: clinic.file(read, 9))
    assert office.doorkeeper.requests == len(office.account.requests) == 1


def test_an_upload_sends_the_file_by_the_form_that_cliniko_gave() -> None:
    office = Office()
    address = office.works(lambda clinic: clinic.upload(PRESIGNED, form_of, "scan.pdf", "application/pdf", b"%PDF"))
    assert address == f"{STORAGE}k/scan.pdf"
    assert [request.method for request in office.account.requests] == ["GET", "POST"]
    assert "authorization" not in office.account.requests[1].headers


def test_the_id_of_what_was_made_is_known_to_the_guards_and_of_nothing_else() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        await clinic.perform(Patients.create_patient, PatientBody(first_name="Ana", last_name="Lima"))
        await clinic.perform(Patients.get_patient, id=ONE)

    office.works(story)
    assert [seen.outcome.created for seen in office.doorkeeper.seen] == [person(300)["id"], None]


def test_what_is_not_an_id_is_not_taken_for_that_of_a_new_record() -> None:
    office = Office(answers={"POST /patients": {"id": "Ana Lima"}})
    made = PatientBody(first_name="Ana", last_name="Lima")
    record = office.works(lambda clinic: clinic.perform(Patients.create_patient, made))
    assert (record.id, record.unexpected["id"]) == ("", "Ana Lima")
    assert office.doorkeeper.seen[0].outcome.created is None


def test_all_rows_come_in_order_and_their_number_before_them() -> None:
    office = Office()
    totals: list[int] = []

    async def story(clinic: GuardedClinic) -> list[str]:
        return [row.id async for row in clinic.all(Patients.list_patients, totals.append, last_name="Lima")]

    assert office.works(story) == IDS
    assert totals[0] == 250
    assert office.account.query(0)[0] == "q[]=last_name:=Lima"


def test_the_number_of_rows_is_told_of_a_list_that_memory_keeps_too() -> None:
    office = Office(answers={"GET /practitioners": listed("practitioners", PEOPLE[:3])})
    totals: list[int] = []

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            assert len([row async for row in clinic.all(Practitioners.list_practitioners, totals.append)]) == 3

    office.works(story)
    assert (totals, len(office.account.requests)) == ([3, 3], 1)


def test_a_list_that_is_left_in_the_middle_asks_for_nothing_more() -> None:
    office = Office(answers={"GET /patients": listed("patients", [person(number) for number in range(3_000)])})

    async def story(clinic: GuardedClinic) -> int:
        async with aclosing(clinic.all(Patients.list_patients)) as records:
            async for _ in records:
                break
        sent = len(office.account.requests)
        await anyio.sleep(60)
        return sent

    assert office.works(story) == len(office.account.requests) == office.doorkeeper.requests


def test_clock_account_tool_caller_and_folder_are_those_it_was_made_with() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        assert (clinic.now, len(clinic.account)) == (NOON, 16)
        assert (clinic.tool, clinic.caller, clinic.upload_folder) == ("some_tool", office.caller, "/files")
        other = clinic.of("another")
        assert (other.tool, other.caller, other.upload_folder, other.account) == (
            "another", office.caller, "/files", clinic.account
        )  # fmt: skip
        await other.perform(Patients.get_patient, id=ONE)

    office.works(story)
    assert [seen.tool for seen in office.doorkeeper.seen] == ["another"]


def test_who_waits_for_several_pages_is_told_of_each() -> None:
    office = Office(answers={"GET /patient_forms": listed("patient_forms", PEOPLE)})

    async def story(clinic: GuardedClinic) -> None:
        listing = clinic.of("list_patient_forms")
        await listing.rows(PatientForms.list_patient_forms.call(), limit=50)
        assert office.told == []
        await listing.rows(PatientForms.list_patient_forms.call(), limit=150)
        assert [of for _, of, _ in office.told] == [2, 2]
        office.told.clear()
        await listing.rows(PatientForms.list_patient_forms.call(), limit=1_000)

    office.works(story)
    assert office.told == [
        (1, 3, "1 of 3 pages, 100 of 250 patient forms"),
        (2, 3, "2 of 3 pages, 200 of 250 patient forms"),
        (3, 3, "3 of 3 pages, 250 of 250 patient forms"),
    ]


def test_a_tool_that_reads_several_lists_tells_of_each_of_them_in_one_count() -> None:
    office = Office(answers=ANSWERS | {"GET /bookings": listed("bookings", PEOPLE[:5])})

    async def story(clinic: GuardedClinic) -> None:
        await clinic.collect(Bookings.list_bookings)
        await clinic.collect(Patients.list_patients)

    office.works(story)
    assert office.told == [
        (1, 1, "the diary: read"),
        (2, 4, "patients: 1 of 3 pages, 100 of 250 rows"),
        (3, 4, "patients: 2 of 3 pages, 200 of 250 rows"),
        (4, 4, "patients: 3 of 3 pages, 250 of 250 rows"),
    ]


def test_names_beside_an_answer_are_no_part_of_what_whoever_waits_is_told() -> None:
    office = Office(answers={"GET /practitioners": listed("practitioners", PEOPLE[:3])})

    async def story(clinic: GuardedClinic) -> None:
        await clinic.by_id(Practitioners.list_practitioners, IDS[:2])
        assert office.told == []
        clinic._memory.forget_all()
        await clinic.collect(Practitioners.list_practitioners)

    office.works(story)
    assert office.told == [(1, 1, "staff: read")]


def test_a_count_reads_one_row() -> None:
    office = Office()
    assert office.works(lambda clinic: clinic.count(Patients.list_patients.call(last_name="Lima"))) == 250
    assert office.account.query() == ["q[]=last_name:=Lima", "page=1", "per_page=1"]


def test_a_call_is_given_whole_or_as_an_operation_with_its_ids() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        await clinic.perform(Patients.get_patient, include_archived=True, id=ONE)
        await clinic.perform(Call(Patients.get_patient, {"id": ONE}, include_archived=True))
        await clinic.perform(Patients.get_patient, id=ONE)

    office.works(story)
    first, second, third = (seen.call for seen in office.doorkeeper.seen)
    assert first == second != third == Call(Patients.get_patient, {"id": ONE})


@pytest.mark.parametrize(
    ("known", "read", "gone", "asked"),
    [
        (False, True, False, ["GET", "PATCH"]),
        (True, True, False, ["PATCH"]),
        (False, False, False, ["PATCH"]),
        (False, True, True, ["GET", "PATCH"]),
    ],
)
def test_an_update_gives_what_was_there_before_which_is_read_where_no_guard_has_read_it(
    known: bool, read: bool, gone: bool, asked: list[str]
) -> None:
    was = Patients.get_patient.parse({"id": ONE})
    before = Patients.list_patients.row.model_validate(PEOPLE[7])

    @asynccontextmanager
    async def guard(guarded: GuardedCall) -> AsyncGenerator[None]:
        if known and guarded.purpose == "call":
            guarded.outcome.before = before
        yield

    missing = {f"GET /patients/{ONE}": httpx2.Response(404)} if gone else {}
    office = Office(guard, answers=ANSWERS | missing)
    found, now = office.works(
        lambda clinic: clinic.replace(call("update_patient", id=ONE, notes="x"), was if read else None)
    )
    assert [request.method for request in office.account.requests] == asked
    assert (found, now.id) == (before if known or (read and not gone) else None, ONE)


def test_what_was_read_before_a_change_is_not_known_to_the_guards_after_it() -> None:
    known = list[bool]()

    @asynccontextmanager
    async def guard(guarded: GuardedCall) -> AsyncGenerator[None]:
        known.append(guarded.known() is not None)
        yield

    async def story(clinic: GuardedClinic) -> None:
        await clinic.perform(Patients.get_patient, id=ONE)
        for _ in range(2):
            await clinic.perform(Patients.update_patient, PatientBody.partial(notes="x"), id=ONE)

    Office(guard).works(story)
    assert known == [False, True, False]


VISIT = "1897453889804840007"
MOVED = call("update_individual_appointment", id=VISIT, starts_at="2026-11-26T08:30")
DIARY: dict[str, Any] = {
    f"GET /individual_appointments/{VISIT}": person(7, business_id=SITE["id"]),
    f"GET /businesses/{SITE['id']}": SITE,
    f"PATCH /individual_appointments/{VISIT}": person(7),
}


def carried_out(office: Office) -> None:
    """A move that was stopped is carried out when its call is over, as after a yes on the approval page."""

    async def story(clinic: GuardedClinic) -> None:
        office.doorkeeper.shut = True
        with pytest.raises(NotAllowed):
            await clinic.perform(MOVED)
        office.doorkeeper.shut = False
        again = next(seen.again for seen in office.doorkeeper.seen if seen.call == MOVED)
        assert again is not None
        await again(Form())

    office.works(story)


def test_what_was_approved_is_done_when_its_call_is_over() -> None:
    office = Office(answers=DIARY)
    carried_out(office)
    assert office.account.asked == [*DIARY]


def test_what_is_done_when_its_call_is_over_waits_for_the_limit_no_longer_than_a_call_does() -> None:
    full: list[str] = []

    def at_first_full(answer: Any) -> Callable[[httpx2.Request], httpx2.Response]:
        def answers(request: httpx2.Request) -> httpx2.Response:
            if request.url.path in full:
                return httpx2.Response(200, json=answer)
            full.append(request.url.path)
            return httpx2.Response(429, headers={"Retry-After": "12"})

        return answers

    office = Office(answers=DIARY | {way: at_first_full(DIARY[way]) for way in [*DIARY][:2]})
    with pytest.raises(RateLimited):
        carried_out(office)
    assert [*DIARY][-1] not in office.account.asked
