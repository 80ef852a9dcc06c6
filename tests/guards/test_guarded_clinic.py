"""Whatever a tool asks of the clinic passes the guards, and each request that goes out belongs to one that passed."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachments
from cliniko_mcp.cliniko.resources.patient_forms import PatientForms
from cliniko_mcp.cliniko.resources.patients import PatientBody, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.errors import NotAllowed, OutcomeUnknown
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.guarded_clinic import GuardedClinic, Memory
from cliniko_mcp.guards.pipeline import Caller, Guard, GuardedCall, Purpose
from tests.client.account import NOON, Account, call, listed, person
from tests.client.virtual import run

PEOPLE = [person(number, first_name=f"P{number}") for number in range(250)]
IDS = [str(row["id"]) for row in PEOPLE]
ONE = IDS[7]
SITE = person(77, time_zone_identifier="Australia/Perth")
STORAGE = "https://storage.example/bucket"
FORM = {"url": STORAGE, "fields": {"key": "k/${filename}"}}
ANSWERS: dict[str, Any] = {
    "GET /patients": listed("patients", PEOPLE),
    f"GET /patients/{ONE}": PEOPLE[7],
    f"PATCH /patients/{ONE}": PEOPLE[7],
    "POST /patients": lambda _: httpx2.Response(201, json=person(300)),
    "GET /user": person(1, time_zone_identifier="Australia/Sydney"),
    f"GET /businesses/{SITE['id']}": SITE,
    f"GET /patient_attachments/{ONE}/content": httpx2.Response(302, headers={"Location": f"{STORAGE}/file"}),
    f"GET {httpx2.URL(STORAGE).path}/file": httpx2.Response(200, content=b"%PDF"),
    f"GET /patients/{ONE}/attachment_presigned_post": FORM,
    f"POST {httpx2.URL(STORAGE).path}": httpx2.Response(201, text="<Key>k/scan.pdf</Key>"),
}


class Doorkeeper:
    """A guard that writes down what passes, and lets nothing pass when told so."""

    def __init__(self) -> None:
        self.seen: list[GuardedCall] = []
        self.shut = False

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        self.seen.append(guarded)
        if self.shut:
            raise NotAllowed("Not now.")
        yield

    @property
    def requests(self) -> int:
        """How many requests went out for what passed."""
        return sum(seen.outcome.requests.sent for seen in self.seen)


class Office:
    """An account, the clinic behind a guard, and what the person who waits was told."""

    def __init__(self, *guards: Guard, answers: Mapping[str, Any] = ANSWERS) -> None:
        self.account, self.doorkeeper = Account(answers), Doorkeeper()
        self.guards: list[Guard] = [self.doorkeeper, *guards]
        self.told: list[tuple[float, float | None, str]] = []
        self.caller = Caller(principal="p", progress=self._tell)

    async def _tell(self, done: float, total: float | None, message: str) -> None:
        self.told.append((done, total, message))

    def works(self, story: Callable[[GuardedClinic], Awaitable[Any]]) -> Any:
        """What the story gives, told of a clinic that was just opened."""

        async def inner() -> Any:
            async with self.account.clinic() as client:
                memory = Memory.of(anyio.current_time)
                return await story(
                    GuardedClinic(client, self.guards, self.caller, "some_tool", memory, upload_folder="/files")
                )

        return run(inner)


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
    office.works(lambda clinic: clinic.rows(PatientForms.list_patient_forms.call(), limit=50))
    assert office.told == []
    office.works(lambda clinic: clinic.rows(PatientForms.list_patient_forms.call(), limit=150))
    assert [of for _, of, _ in office.told] == [2, 2]
    office.told.clear()
    office.works(lambda clinic: clinic.rows(PatientForms.list_patient_forms.call(), limit=1_000))
    assert office.told == [
        (1, 3, "1 of 3 pages, 100 of 250 patient forms"),
        (2, 3, "2 of 3 pages, 200 of 250 patient forms"),
        (3, 3, "3 of 3 pages, 250 of 250 patient forms"),
    ]


# Names by id.


def test_names_come_in_batches_with_hidden_records_and_without_unknown_ones() -> None:
    office = Office()
    wanted = [*IDS, "404"]
    found = office.works(lambda clinic: clinic.by_id(Patients.list_patients, wanted))
    assert list(found) == IDS
    assert len(office.account.requests) == office.doorkeeper.requests == 3
    assert all("q[]=archived_at:*" in office.account.query(number) for number in range(3))


def test_of_nobody_nothing_is_asked() -> None:
    office = Office()
    assert office.works(lambda clinic: clinic.by_id(Patients.list_patients, [])) == {}
    assert (office.account.requests, office.doorkeeper.seen) == ([], [])


def test_what_memory_knows_passes_the_guards_and_costs_no_request() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            assert list(await clinic.by_id(Patients.list_patients, [ONE])) == [ONE]
        office.doorkeeper.shut = True
        with pytest.raises(NotAllowed):
            await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)
    assert [seen.outcome.requests.sent for seen in office.doorkeeper.seen] == [1, 0, 0]


def test_a_name_is_remembered_for_a_minute() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        for seconds in (0, 59.5, 1):
            await anyio.sleep(seconds)
            await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)
    assert [seen.outcome.requests.sent for seen in office.doorkeeper.seen] == [1, 0, 1]


def test_a_lookup_is_told_from_another_by_its_ids_in_whatever_order() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        for ids in ([ONE, IDS[8]], {IDS[8]: 1, ONE: 2}, [ONE]):
            await clinic.by_id(Patients.list_patients, ids)

    office.works(story)
    first, second, third = (seen.call for seen in office.doorkeeper.seen)
    assert first == second != third


def test_a_list_that_is_switched_off_names_nobody_though_another_tool_has_read_it() -> None:
    may_not = {"some_tool": frozenset({"list_patients"}), "another": frozenset[str]()}
    office = Office(Exclusion(may_not.__getitem__, frozenset()))

    async def story(clinic: GuardedClinic) -> None:
        assert list(await clinic.of("another").by_id(Patients.list_patients, [ONE])) == [ONE]
        with pytest.raises(NotAllowed):
            await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)


def test_those_who_look_up_the_same_at_the_same_moment_share_one_request_and_leave_a_line_each() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(clinic.by_id, Patients.list_patients, [ONE])

    office.works(story)
    assert sorted(seen.outcome.requests.sent for seen in office.doorkeeper.seen) == [0, 0, 1]


def test_where_the_one_who_reads_is_cancelled_another_who_waits_reads() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:

            async def leaves() -> None:
                with anyio.move_on_after(0.005):
                    await clinic.by_id(Patients.list_patients, [ONE])

            group.start_soon(leaves)
            await anyio.sleep(0.001)
            assert list(await clinic.by_id(Patients.list_patients, [ONE])) == [ONE]

    office.works(story)
    assert [seen.outcome.requests.sent for seen in office.doorkeeper.seen] == [1, 1]


@pytest.mark.parametrize("problem", [None, httpx2.ReadTimeout("x")])
def test_a_write_drops_the_names_that_it_may_have_changed_even_if_it_failed(problem: Exception | None) -> None:
    office = Office(answers=ANSWERS | ({f"PATCH /patients/{ONE}": problem} if problem else {}))

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            await clinic.by_id(Patients.list_patients, [ONE])
        assert len(office.account.requests) == 1
        try:
            await clinic.perform(Patients.update_patient, PatientBody.partial(first_name="Anna"), id=ONE)
        except OutcomeUnknown:
            assert problem is not None
        await clinic.by_id(Patients.list_patients, [ONE])
        assert len(office.account.requests) == 3

    office.works(story)


def test_a_write_that_a_guard_stopped_leaves_memory_as_it_was() -> None:
    office = Office(Exclusion(lambda _: {"create_attendee"}, frozenset()))

    async def story(clinic: GuardedClinic) -> None:
        await clinic.by_id(Patients.list_patients, [ONE])
        with pytest.raises(NotAllowed):
            await clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2"))
        await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)
    assert len(office.account.requests) == 1


def test_two_lists_of_one_kind_are_remembered_apart() -> None:
    """Practitioners who left are in a list of their own."""
    left = [person(900, first_name="Left")]
    office = Office(
        answers={
            "GET /practitioners": listed("practitioners", PEOPLE[:3]),
            "GET /practitioners/inactive": listed("practitioners", left),
        }
    )

    async def story(clinic: GuardedClinic) -> None:
        ids = [IDS[0], str(left[0]["id"])]
        assert list(await clinic.by_id(Practitioners.list_practitioners, ids)) == ids[:1]
        assert list(await clinic.by_id(Practitioners.list_inactive_practitioners, ids)) == ids[1:]

    office.works(story)


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
