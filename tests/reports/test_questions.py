"""What a manager asks is one call each, and the answer is what the rows say, at one of several moments."""

from collections import Counter
from datetime import date, datetime

import pytest

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.phrases import Facing
from cliniko_mcp.sandbox.core import Sandbox

from . import expected
from .days import DAYS
from .demo import CLOCKS, reports
from .figures import FIGURES
from .over_port import Port
from .questions import QUESTIONS, span_of
from .recount import Recount

pytestmark = pytest.mark.anyio
MISREAD = ("tomorrow", "next week", "in 3 weeks", "2027-01-04 to 2027-01-08", "soon", "Christmas", "the 32nd",
           "2026-11-20 to 2026-11-10", "Monday 24 November 2026")  # fmt: skip
"""Wholly ahead, vague, backwards, or at odds with itself."""


def test_there_are_enough_of_them_and_no_two_say_the_same() -> None:
    assert len(QUESTIONS) >= 40
    assert Counter(question.wording for question in QUESTIONS).most_common(1)[0][1] == 1
    named = {question.call["kind"] for question in QUESTIONS}
    # the others are asked about hours, duplicates, words and the log, in tests of their own
    assert named == KINDS.keys() - {"utilisation", "ahead", "duplicates", "find_in_notes", "changes"}


@pytest.mark.long
@pytest.mark.parametrize("place", range(len(CLOCKS)))
async def test_one_call_answers_it(clinic: tuple[Sandbox, Port], place: int) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(CLOCKS[place]))
    async with reports(clinic[0], recount.now) as tool:
        for question in QUESTIONS[place :: len(CLOCKS)]:
            answer = await tool.call(**question.call)
            assert question.taken(answer) == question.counted(recount, *span_of(question, recount)), question.wording


@pytest.mark.long
async def test_the_time_that_is_printed_is_taken_back(clinic: tuple[Sandbox, Port]) -> None:
    async with reports(clinic[0], datetime.fromisoformat(CLOCKS[1])) as tool:
        for phrase in (*DAYS.keys() - {"the next 7 days"}, "Mondays last month", "mornings last week"):
            answer = await tool.call("unpaid", when=phrase)
            again = await tool.call("unpaid", when=answer["when"])
            assert (again["when"], again["summary"]) == (answer["when"], answer["summary"]), phrase


@pytest.mark.long
async def test_all_time_is_from_the_first_booking_on(clinic: tuple[Sandbox, Port]) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(CLOCKS[0]))
    async with reports(clinic[0], recount.now) as tool:
        for phrase in ("all time", "ever"):
            answer = await tool.call("no_shows", when=phrase)
            assert answer["summary"]["no_shows"]["of"] == len(recount.begun(recount.visits))
            lapsed = await tool.call("lapsed", when=phrase)
            assert lapsed["summary"]["lapsed_patients"]["count"] == len(expected.gone_quiet(recount))
            assert (await tool.error("utilisation", when=phrase))["code"] == "not_understood"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["new_bookings", "new_cancellations", "cancellations", "revenue"])
async def test_all_time_misses_nothing_that_came_before_the_first_visit(
    clinic: tuple[Sandbox, Port], kind: str
) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(CLOCKS[0]))
    async with reports(clinic[0], recount.now) as tool:
        answer = await tool.call(kind, when="all time")
    assert answer["summary"] == FIGURES[kind](recount, date.min, recount.today)


@pytest.mark.long_but_one
@pytest.mark.parametrize("kind", KINDS)
async def test_a_time_that_cannot_be_meant_is_refused_and_never_zero(clinic: tuple[Sandbox, Port], kind: str) -> None:
    async with reports(clinic[0], datetime.fromisoformat(CLOCKS[0])) as tool:
        words = {"words": "walk"} if KINDS[kind].words else {}
        for phrase in MISREAD if KINDS[kind].facing is Facing.BACK else MISREAD[4:]:
            found = await tool.error(kind, when=phrase, **words)
            assert found.get("code") == "not_understood", (phrase, found.get("when"))


@pytest.mark.long
async def test_my_notes_are_those_of_the_keys_own_practitioner(clinic: tuple[Sandbox, Port]) -> None:
    async with reports(clinic[0], datetime.fromisoformat(CLOCKS[0])) as tool:
        named = await tool.call("missing_notes", when="last month", practitioner="Mei Ng")
        for me in ("me", "my"):
            answer = await tool.call("missing_notes", when="last month", practitioner=me)
            assert (answer["practitioner"], answer["summary"]) == (named["practitioner"], named["summary"])


@pytest.mark.long
async def test_a_week_s_average_of_one_weekday_is_over_weeks(clinic: tuple[Sandbox, Port]) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(CLOCKS[0]))
    async with reports(clinic[0], recount.now) as tool:
        told = (await tool.call("activity", when="Mondays last 4 full weeks"))["summary"]
    assert told["visits_kept_a_week_on_average"]["count"] == told["visits_kept"]["count"] / 4 > 1
