"""Whoever waits for a long list is told how far it is, and whoever is cut off how to go on and about how often."""

import pytest

from cliniko_mcp.client.kept_pages import KeptPages, PageReading
from cliniko_mcp.cliniko.calls import Risk
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.errors import RateLimited, Unavailable
from cliniko_mcp.guards.memory import Course
from cliniko_mcp.guards.pipeline import Outcome
from cliniko_mcp.guards.sweeps import Sweep
from tests.client.account import NOON
from tests.client.virtual import run

Told = tuple[float, float | None, str]


class Reading:
    """A list of patients that is being read, and what whoever waits for it was told."""

    def __init__(self, *, by_name: bool = False, kept: bool = True) -> None:
        self.told = list[Told]()
        self.course = Course(Risk.READ)
        self.pages: PageReading | None = None
        if kept:
            self.pages = KeptPages(lambda: 0.0, lambda: NOON).reading("patients", "call", again=True)
        self.sweep = Sweep(Patients.list_patients.call(), self._tell, self.course, self.pages, by_name=by_name)

    async def _tell(self, done: float, total: float | None, message: str) -> None:
        self.told.append((done, total, message))

    def comes_to(self, done: int, of: int, total: int | None = 20_000) -> list[Told]:
        run(lambda: self.sweep.on_page(done, of, done * 100, total))
        return self.told

    def is_cut_off(self, by: RateLimited | Unavailable) -> RateLimited | Unavailable:
        with pytest.raises(type(by)) as stopped, self.sweep.under_way(Outcome()):
            raise by
        return stopped.value


def test_a_list_that_was_asked_for_by_name_is_told_in_its_own_words() -> None:
    assert Reading(by_name=True).comes_to(2, 200) == [(2, 200, "2 of 200 pages, 200 of 20,000 patients")]
    assert Reading(by_name=True).comes_to(2, 3, None) == [(2, 3, "2 of 3 pages, 200 patients")]


def test_nothing_is_told_of_a_list_of_one_page_that_was_asked_for_by_name() -> None:
    assert Reading(by_name=True).comes_to(1, 1) == []
    assert Reading(by_name=True).comes_to(2, 2) != []


@pytest.mark.parametrize(
    ("done", "of", "minutes"), [(1, 180, ""), (1, 181, "about 2 minutes"), (1, 361, "about 3 minutes"), (2, 361, "")]
)
def test_what_a_list_takes_is_told_once_where_it_is_more_than_a_minute(done: int, of: int, minutes: str) -> None:
    ((_, _, message),) = Reading().comes_to(done, of)
    assert message.partition("; ")[2] == (f"{minutes} within Cliniko's limit" if minutes else "")


@pytest.mark.parametrize(
    ("done", "of", "more"),
    [(1, 2, "once more"), (2, 4, "once more"), (10, 10, "once more"), (1, 3, "again and again, about 2 times,"),
     (3, 10, "again and again, about 3 times,"), (3, 9, "again and again, about 2 times,")],
)  # fmt: skip
def test_who_is_cut_off_is_told_how_far_it_came_and_how_often_to_call_again(done: int, of: int, more: str) -> None:
    reading = Reading()
    reading.comes_to(done, of)
    full = reading.is_cut_off(RateLimited("Cliniko's limit.", "Wait.", retry_after=7))
    assert str(full.message) == f"Cliniko's limit. {done} of {of} pages of patients have been read."
    assert full.fix == (f"Wait. What was read is kept for ten minutes: call {more} with the same arguments to go on.")
    assert full.details == {"retry_after": 7, "pages_read": done, "pages": of}
    assert reading.course.cut_off


@pytest.mark.parametrize("kept", [True, False])
def test_who_is_cut_off_before_the_first_page_or_where_nothing_is_kept_is_told_no_more_than_that(kept: bool) -> None:
    reading, full = Reading(kept=kept), RateLimited("Cliniko's limit.", "Wait.", retry_after=7)
    if not kept:
        reading.comes_to(1, 3)
    assert reading.is_cut_off(full) is full


def test_what_was_read_before_cliniko_could_not_be_reached_is_kept_for_a_repetition() -> None:
    reading, gone = Reading(), Unavailable("Cliniko cannot be reached.", "Try again.")
    assert reading.is_cut_off(gone) is gone
    assert reading.course.cut_off


@pytest.mark.parametrize("whole", [True, False])
def test_a_list_that_was_read_as_far_as_time_allowed_is_owed_the_rest(whole: bool) -> None:
    reading = Reading()
    reading.sweep.ended(whole)
    assert reading.pages is not None
    assert (reading.course.cut_off, reading.pages.ended) == (not whole, whole)
