"""Whatever a tool asks of its desk reaches the clinic as it was asked, and only past the guards."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.errors import NotAllowed, UnknownTool
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.pipeline import Act, Caller, GuardedCall
from tests.guards.gate import SYDNEY, call, run

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LIST = call("list_patients")
EXCLUDED = "list_contacts"


class Books:
    """A clinic that answers every request with the request itself."""

    def __init__(self) -> None:
        self.files = self
        self.ended = False
        self.pages: list[tuple[int, int, int, int | None]] = []

    def now(self) -> datetime:
        return NOW

    async def zone(self, business_id: str | None = None) -> ZoneInfo:
        return SYDNEY if business_id is None else ZoneInfo("Australia/Perth")

    async def zone_note(self) -> str | None:
        return "a guess"

    async def perform(self, call: Call) -> Any:
        return "perform", call

    async def rows(self, call: Call, *, limit: int, start: int, on_page: Callable[..., Awaitable[None]]) -> Any:
        for page in self.pages:
            await on_page(*page)
        return "rows", call, limit, start

    async def all(self, call: Call, on_total: Callable[[int], None] | None) -> AsyncGenerator[Any]:
        try:
            if on_total is not None:
                on_total(2)
            yield call
            yield "second"
        finally:
            self.ended = True

    async def file(self, call: Call, most: int) -> Any:
        return "file", call, most

    async def upload(self, *sent: object) -> Any:
        return "upload", *sent

    async def page(self, call: Call, number: int, per_page: int) -> Any:
        return SimpleNamespace(total=(call, number, per_page))

    async def by_id(self, name: str, ids: Collection[str]) -> Any:
        return {"asked": (name, ids)}


class Doorman:
    """A layer that writes down who passes, and lets nobody pass when told so."""

    def __init__(self) -> None:
        self.seen: list[GuardedCall] = []
        self.shut = False

    async def __call__(self, guarded: GuardedCall, act: Act[Any]) -> Any:
        self.seen.append(guarded)
        if self.shut:
            raise NotAllowed("Not now.")
        return await act()


class Office:
    """A desk with its clinic, its guard, and what the person who waits was told."""

    def __init__(self) -> None:
        self.books, self.doorman = Books(), Doorman()
        self.told: list[tuple[float, float | None, str]] = []
        self.caller = Caller(principal="p", progress=self._tell)
        may_not = {"some_tool": frozenset({EXCLUDED}), "another": frozenset[str]()}
        clinic, guards = cast("Clinic", self.books), [self.doorman]
        self.clinic = GuardedClinic(clinic, guards, self.caller, "some_tool", may_not.__getitem__, "/files")

    async def _tell(self, done: float, total: float | None, message: str) -> None:
        self.told.append((done, total, message))

    async def every(self, on_total: Callable[[int], None] | None = None) -> list[Any]:
        return [record async for record in self.clinic.all("list_patients", on_total, last_name="Lima")]


ROADS: list[tuple[Callable[[GuardedClinic], Awaitable[Any]], Any]] = [
    (lambda desk: desk.perform(LIST), ("perform", LIST)),
    (lambda desk: desk.rows(LIST, limit=7), ("rows", LIST, 7, 0)),
    (lambda desk: desk.rows(LIST, limit=7, start=3), ("rows", LIST, 7, 3)),
    (lambda desk: desk.file(LIST, 9), ("file", LIST, 9)),
    (lambda desk: desk.count(LIST), (LIST, 1, 1)),
]


@pytest.mark.parametrize(("ask", "answer"), ROADS)
def test_every_road_passes_the_guards_with_its_call_its_tool_and_its_caller(ask: Any, answer: Any) -> None:
    office = Office()
    assert run(lambda: ask(office.clinic)) == answer
    (seen,) = office.doorman.seen
    assert (seen.call, seen.tool, seen.caller) == (LIST, "some_tool", office.caller)


@pytest.mark.parametrize(("ask", "_answer"), ROADS)
def test_no_road_leads_past_a_guard_that_says_no(ask: Any, _answer: Any) -> None:
    office = Office()
    office.doorman.shut = True
    with pytest.raises(NotAllowed):
        run(lambda: ask(office.clinic))
    with pytest.raises(NotAllowed):
        run(office.every)


def test_all_rows_come_past_the_guards_and_their_number_before_them() -> None:
    office = Office()
    totals: list[int] = []
    first, second = run(lambda: office.every(totals.append))
    assert (first, second) == (call("list_patients", last_name="Lima"), "second")
    assert [seen.call for seen in office.doorman.seen] == [first]
    assert totals == [2]
    assert office.books.ended


def test_a_list_that_is_left_in_the_middle_is_closed_at_once() -> None:
    office = Office()

    async def story() -> bool:
        async with aclosing(office.clinic.all("list_patients")) as records:
            async for _ in records:
                break
        return office.books.ended

    assert run(story)


def test_clock_zone_tool_caller_and_folder_are_those_it_was_made_with() -> None:
    office = Office()
    desk = office.clinic
    assert (desk.now, desk.tool, desk.caller, desk.upload_folder) == (NOW, "some_tool", office.caller, "/files")
    assert [run(desk.zone).key, run(lambda: desk.zone("9")).key] == ["Australia/Sydney", "Australia/Perth"]
    assert run(desk.zone_note) == "a guess"


def test_a_file_goes_to_the_storage_as_it_was_given() -> None:
    sent = ("https://storage.example.org", {"key": "k"}, "scan.pdf", "application/pdf", b"%PDF")
    assert run(lambda: Office().clinic.send_file(*sent)) == ("upload", *sent)


def test_names_are_looked_up_except_in_a_list_that_is_switched_off() -> None:
    office = Office()
    assert run(lambda: office.clinic.by_id("list_patients", ["1"])) == {"asked": ("list_patients", ["1"])}
    assert run(lambda: office.clinic.by_id(EXCLUDED, ["1"])) == {}


def test_another_tool_may_do_at_the_same_desk_what_it_may_by_itself() -> None:
    office = Office()
    other = office.clinic.of("another")
    assert (other.tool, other.caller, other.clinic, other.upload_folder) == (
        "another", office.caller, office.clinic.clinic, "/files"
    )  # fmt: skip
    assert run(lambda: other.by_id(EXCLUDED, ["1"])) == {"asked": (EXCLUDED, ["1"])}
    run(lambda: other.perform(LIST))
    assert [seen.tool for seen in office.doorman.seen] == ["another"]
    assert run(lambda: office.clinic.by_id(EXCLUDED, ["1"])) == {}


def test_an_operation_is_found_by_its_name_and_its_arguments_are_checked() -> None:
    desk = Office().clinic
    assert desk.call("get_patient", id="1") == call("get_patient", id="1")
    with pytest.raises(UnknownTool, match="no operation called get_pationt"):
        desk.call("get_pationt", id="1")


def test_who_waits_for_several_pages_is_told_of_each() -> None:
    office = Office()
    office.books.pages = [(1, 1, 50, 50), (1, 2, 100, 1_200), (2, 30, 1_100, None)]
    run(lambda: office.clinic.rows(call("list_patient_forms"), limit=3_000))
    assert office.told == [
        (1, 2, "1 of 2 pages, 100 of 1,200 patient forms"),
        (2, 30, "2 of 30 pages, 1,100 patient forms"),
    ]
