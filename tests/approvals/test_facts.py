"""What a preview is made of: each fact as it was asked for, kept for the digest, and put into words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.approvals.facts import Facts, name_of, patient_words, text, when_words
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.businesses import Businesses
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.cliniko.resources.taxes import Taxes
from cliniko_mcp.errors import NotFound, PermissionMissing
from cliniko_mcp.sanitize import counted
from tests.guards.gate import START, SYDNEY, Clock, FakeClinic, Rows, run

UNSEEN = [NotFound("No."), PermissionMissing("No.")]


class Watched(FakeClinic):
    """A clinic that writes down what was read of it, and shows nothing of what it is told to hide."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.asked: list[Any] = []
        self.problem: Exception | None = None
        self.told_total = True

    async def perform(self, call: Call[Any], /) -> Any:
        self.asked.append((call.operation.name, call.ids, call.include_archived))
        if self.problem is not None:
            raise self.problem
        return await super().perform(call)

    async def page(self, call: Call[Any], number: int, per_page: int) -> Rows:
        self.asked.append((call.operation.name, number, per_page))
        if self.problem is not None:
            raise self.problem
        rows = await super().page(call, number, per_page)
        return rows if self.told_total else Rows(rows.items, None)

    async def zone(self, business_id: str | None = None) -> ZoneInfo:
        if business_id is not None and self.problem is not None:
            raise self.problem
        return SYDNEY if business_id is None else ZoneInfo("Australia/Perth")


@pytest.fixture
def clinic() -> Watched:
    return Watched()


@pytest.fixture
def facts(clinic: Watched) -> Facts:
    return Facts(clinic, START)


def record(**fields: Any) -> Record:
    return Record.model_validate(fields)


def test_another_record_is_read_by_its_id_and_every_field_of_it_counts(facts: Facts, clinic: Watched) -> None:
    found = run(lambda: facts.linked(Patients.get_patient, "1"))
    assert name_of(found) == "Ana Lima"
    assert clinic.asked == [("get_patient", {"id": "1"}, True)]
    assert facts.found == [["patients", "1", found.model_dump()]]


def test_an_archived_record_is_still_named(facts: Facts, clinic: Watched) -> None:
    clinic.gone.add(("patients", "1"))
    assert run(lambda: facts.patient("1")) == "Ana Lima, born 1984"


def test_what_is_not_linked_is_not_read(facts: Facts, clinic: Watched) -> None:
    assert run(lambda: facts.linked(Patients.get_patient, None)) is None
    assert run(lambda: facts.patient(None)) is None
    assert run(lambda: facts.named(Practitioners.get_practitioner, None, "practitioner")) is None
    assert (clinic.asked, facts.found) == ([], [])


@pytest.mark.parametrize("problem", UNSEEN)
def test_that_something_cannot_be_seen_is_a_fact_too(facts: Facts, clinic: Watched, problem: Exception) -> None:
    clinic.problem = problem
    assert run(lambda: facts.linked(Patients.get_patient, "1")) is None
    assert run(lambda: facts.listed(Bookings.list_bookings.call(patient_ids="1"))) is None
    assert run(lambda: facts.coming(patient_ids="1")) is None
    assert facts.found == [["patients", "1", None], ["bookings", None], ["bookings", None]]
    assert run(lambda: facts.patient("1")) == "file 1"
    assert run(lambda: facts.named(Practitioners.get_practitioner, "7", "practitioner")) == "practitioner 7"
    assert run(lambda: facts.zone("9")) is SYDNEY


def test_what_went_wrong_otherwise_is_not_taken_for_a_fact(facts: Facts, clinic: Watched) -> None:
    clinic.problem = ConnectionError()
    for ask in (facts.linked(Patients.get_patient, "1"), facts.listed(Bookings.list_bookings.call()), facts.zone("9")):

        async def story(ask: Any = ask) -> Any:
            return await ask

        with pytest.raises(ConnectionError):
            run(story)


def test_a_record_that_breaks_its_description_is_a_fact_like_any_other(facts: Facts, clinic: Watched) -> None:
    clinic.records["taxes"]["50"]["rate"] = {"odd": 1}
    assert run(lambda: facts.named(Taxes.get_tax, "50", "tax")) == "GST"
    assert len(facts.found) == 1


def test_zones_are_the_sites_or_else_the_users(facts: Facts) -> None:
    assert [run(lambda: facts.zone("9")).key, run(lambda: facts.zone(None)).key] == ["Australia/Perth", SYDNEY.key]


def test_of_a_list_the_first_hundred_are_read_and_all_are_counted(facts: Facts, clinic: Watched) -> None:
    total, rows = run(lambda: facts.listed(Bookings.list_bookings.call(patient_ids="1")))
    assert (total, [text(row, "id") for row in rows]) == (3, ["20", "21", "22"])
    assert clinic.asked == [("list_bookings", 1, 100)]
    assert facts.found == [["bookings", 3, ["20", "21", "22"]]]


def test_where_cliniko_tells_no_number_the_rows_are_counted(facts: Facts, clinic: Watched) -> None:
    clinic.told_total = False
    assert run(lambda: facts.listed(Bookings.list_bookings.call(patient_ids="1")))[0] == 3


def test_where_cliniko_tells_more_than_it_shows_its_number_counts(
    facts: Facts, clinic: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(*_: object) -> Rows:
        return Rows([], 250)

    monkeypatch.setattr(clinic, "page", page)
    assert run(lambda: facts.coming(patient_ids="1")) == 250


def test_what_is_coming_starts_after_now_and_not_at_it(facts: Facts, clinic: Watched) -> None:
    clinic.records["bookings"]["20"]["starts_at"] = START.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert run(lambda: facts.coming(patient_ids="1")) == 2


def test_a_text_is_what_can_be_read() -> None:
    given = record(name="Ana", blank=" \n", empty="", number=5)
    assert [text(given, name) for name in ("name", "blank", "empty", "number", "none")] == ["Ana", *[None] * 4]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"first_name": "Ana", "last_name": "Lima", "label": "Dr Ana Lima"}, "Dr Ana Lima"),
        ({"first_name": "Ana", "last_name": "Lima", "label": ""}, "Ana Lima"),
        ({"first_name": "Ana"}, "Ana"),
        ({"last_name": "Lima"}, "Lima"),
        ({"label": "Dr Bo Chen", "name": "x"}, "Dr Bo Chen"),
        ({"company_name": "Northside"}, "Northside"),
        ({"name": " ", "title": "Letter"}, "Letter"),
        ({"name": "x" * 80}, "“" + "x" * 59 + "…”"),
        ({"name": "\u200b"}, None),
        ({"name": 5}, None),
        ({}, None),
    ],
)
def test_a_record_goes_by_the_name_that_people_know(fields: dict[str, Any], name: str | None) -> None:
    assert name_of(record(**fields)) == name


def test_a_patient_goes_by_name_and_year_of_birth_as_far_as_they_are_known() -> None:
    def words(**fields: Any) -> str:
        return patient_words(Patient.read({"id": "1", **fields}), "1")

    assert words(last_name="Lima", date_of_birth="1984-02-03") == "Lima, born 1984"
    assert words(last_name="Lima", date_of_birth="1984") == "Lima, file ending 1"
    assert words(last_name="Lima") == "Lima, file ending 1"
    assert words(date_of_birth="1984-02-03") == "file 1"
    assert patient_words(None, "1") == "file 1"


@pytest.mark.parametrize(
    ("start", "minutes", "words"),
    [
        ((2026, 11, 24, 12, 0), None, "Tue 24 Nov, 11:00 pm"),
        ((2026, 11, 24, 12, 0), 30, "Tue 24 Nov, 11:00 to 11:30 pm"),
        ((2026, 11, 24, 0, 45), 30, "Tue 24 Nov, 11:45 am to 12:15 pm"),
        ((2026, 11, 23, 13, 0), 5, "Tue 24 Nov, 12:00 to 12:05 am"),
        ((2027, 1, 24, 1, 0), 60, "Sun 24 Jan 2027, 12:00 to 1:00 pm"),
        ((2026, 11, 24, 12, 0), 90, "Tue 24 Nov, 11:00 pm to Wed 25 Nov, 12:30 am"),
    ],
)
def test_a_span_is_written_as_people_write_it(start: tuple[int, ...], minutes: int | None, words: str) -> None:
    begins = datetime(*start, tzinfo=UTC)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    ends = begins + timedelta(minutes=minutes) if minutes is not None else None
    assert when_words(begins, ends, SYDNEY, START)[0] == words


def test_how_far_off_a_day_is_is_counted_in_local_days() -> None:
    late = datetime(2026, 11, 23, 12, 59, tzinfo=UTC)  # 11:59 pm in Sydney
    off = [when_words(late + timedelta(days=days), None, SYDNEY, late)[1] for days in (-3, -1, 0, 1, 4, 1_200)]
    assert off == ["3 days ago", "yesterday", "today", "tomorrow", "in 4 days", "in 1,200 days"]
    assert when_words(late + timedelta(minutes=1), None, SYDNEY, late)[1] == "tomorrow"


def test_numbers_have_their_noun_in_the_right_form() -> None:
    assert [counted(number, "row") for number in (0, 1, 2, 1_200)] == ["0 rows", "1 row", "2 rows", "1,200 rows"]
    assert counted(2, "patient holds", "patients hold") == "2 patients hold"


def test_what_is_linked_is_read_once_and_a_site_that_was_read_tells_its_own_zone() -> None:
    clinic = Watched()
    clinic.records["businesses"]["9"]["time_zone_identifier"] = "Australia/Hobart"

    async def story() -> None:
        facts = Facts(clinic, START)
        assert await facts.zone("9") == ZoneInfo("Australia/Perth")
        for _ in range(2):
            assert await facts.linked(Businesses.get_business, "9") is not None
        assert (len(clinic.asked), len(facts.found)) == (1, 1)
        assert await facts.zone("9") == ZoneInfo("Australia/Hobart")
        assert await facts.zone(None) == await facts.zone("") == SYDNEY

    run(story)
