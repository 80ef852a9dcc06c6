"""A time as an answer prints it is the same time when it is handed back, whichever tool takes it."""

from collections.abc import AsyncGenerator
from datetime import datetime

import pytest
from conftest import YES

from .raw import shown
from .reception import BOTH, Reception, Row, local_of, reception

pytestmark = pytest.mark.anyio
TIMES = ("Monday 10am", "tomorrow at quarter past 2", "the 30th at 9:15", "Thursday week at 3", "5 April 2027 10:45")
SPANS = (
    "next week",
    "next Monday",
    "tomorrow morning",
    "30 November to 4 December",
    "Thursday 9 to 11:30",
    "next 14 days",
)
PAST = ("last week", "yesterday", "October", "last 3 weeks", "since 1 November", "last quarter", "all time", "2025")


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception(answer=YES) as found:
        yield found


class Hand:
    """Hands a printed time to each tool, and gives the instant at which the tool took it."""

    def __init__(self, desk: Reception, site: str, who: str, words: str) -> None:
        desk.empty_diary()
        self.call, self.site, self.who = desk.assistant.call, site, who
        self.eva = desk.patient("Eva", "Printed")
        self.desk, self.words = desk, words

    async def prints(self) -> tuple[dict[str, str], datetime, str]:
        """What answers print for one time, by tool; the time in the raw row; and the id of the visit then."""
        booked = await self.call("book_appointment", **self.visit(self.words))
        assert "item" in booked, booked
        visit = booked["item"]["id"]
        (row,) = [row for row in self.desk.rows("individual_appointments") if row["id"] == visit]
        texts = {"book": booked["when"], "row of book": booked["item"]["starts_at"]}
        times = {"type": "Standard consult", "practitioner": [self.who], "business": self.site}
        diary = await self.call("show_diary", when=booked["when"], practitioner=[self.who])
        (sheet,) = diary["items"]
        texts |= {"diary": diary["when"], "entry": f"{sheet['day']} {sheet['entries'][0]['at'].split('-')[0]}"}
        gap = await self.call("fill_gap", practitioner=self.who, business=self.site, when=booked["when"])
        texts |= {"gap": gap["when"], "row of gap": gap["gap"]["starts_at"]}
        marked = await self.call("set_attendance", patient=self.eva, when=booked["when"], state="cleared")
        texts |= {"attendance": marked["when"], "row of attendance": marked["item"]["starts_at"]}
        brief = await self.call("patient_brief", patient=self.eva)
        texts["brief"] = brief["item"]["next_visits"][0]["starts_at"]
        found = await self.call("find_times", **times, when=booked["when"])
        texts["times"] = found["when"]
        moved = await self.call("move_appointment", appointment=visit, when=booked["when"], dry_run=True)
        texts |= {"move": moved["when"], "row of move": moved["item"]["starts_at"]}
        ahead = await self.call("report", kind="ahead", when=booked["when"])
        texts["report"] = ahead["when"]
        return texts, local_of(row["starts_at"], self.site), visit

    def visit(self, when: str) -> Row:
        return {
            "patient": self.eva, "practitioner": self.who, "type": "Standard consult", "business": self.site,
            "when": when,
        }  # fmt: skip

    async def taken(self, text: str, visit: str) -> dict[str, datetime | str]:
        """The instant at which each tool took a text, or the visit that it found by it."""
        booked = await self.call("book_appointment", **self.visit(text) | {"type": "Initial consult"}, dry_run=True)
        moved = await self.call("move_appointment", appointment=visit, when=text, dry_run=True)
        gap = await self.call("fill_gap", practitioner=self.who, business=self.site, when=text)
        marked = await self.call("set_attendance", patient=self.eva, when=text, state="cleared")
        brief = await self.call("patient_brief", appointment=f"Eva Printed, {text}")
        diary = await self.call("show_diary", when=text, practitioner=[self.who], business=self.site)
        free = await self.call(
            "find_times", when=text, practitioner=[self.who], business=self.site, type="Standard consult"
        )
        (found,) = [word for word in " ".join(brief["notes"]).split() if word == visit]
        return {
            "book": shown(booked["item"]["starts_at"]),
            "move": shown(moved["item"]["starts_at"]),
            "gap": shown(gap["gap"]["starts_at"]),
            "attendance": shown(marked["item"]["starts_at"]),
            "brief": found,
            "diary": diary["items"][0]["entries"][0]["id"],
            "times": f"{len(free['items'])} of {self.site}",
        }


@pytest.mark.long
@pytest.mark.parametrize("words", TIMES)
@pytest.mark.parametrize(("site", "who"), BOTH)
async def test_a_printed_time_is_the_same_time_in_every_tool(desk: Reception, site: str, who: str, words: str) -> None:
    hand = Hand(desk, site, who, words)
    texts, at, visit = await hand.prints()
    assert len(set(texts.values())) >= 3
    for text in dict.fromkeys(texts.values()):
        taken = await hand.taken(text, visit)
        instants = dict.fromkeys(("book", "move", "gap", "attendance"), at)
        assert taken == instants | {"brief": visit, "diary": visit, "times": f"0 of {site}"}, text


async def when_of(desk: Reception, site: str, who: str, tool: str, words: str) -> str:
    """What a tool prints as the time that it understood."""
    here: Row = {"practitioner": [who], "business": site}
    arguments: dict[str, Row] = {
        "show_diary": here,
        "find_times": here | {"type": "Standard consult"},
        "report": {"kind": "ahead", "practitioner": who},
        "block_time": here | {"type": "Leave", "dry_run": True},
    }
    answer = await desk.assistant.call(tool, **arguments[tool], when=words)
    return answer["when"] if "when" in answer else str(answer)


@pytest.mark.long
@pytest.mark.parametrize("words", SPANS)
@pytest.mark.parametrize(("site", "who"), BOTH)
async def test_a_printed_span_is_the_same_span_in_every_tool(desk: Reception, site: str, who: str, words: str) -> None:
    desk.empty_diary()
    tools = ("show_diary", "find_times", "report", "block_time")
    for tool in tools:
        text = await when_of(desk, site, who, tool, words)
        for other in tools:
            there = await when_of(desk, site, who, other, text)
            assert await when_of(desk, site, who, tool, there) == text, (tool, other, there)


@pytest.mark.long
@pytest.mark.parametrize("words", PAST)
@pytest.mark.parametrize("kind", ["activity", "no_shows", "new_bookings"])
async def test_a_printed_span_of_a_report_is_the_same_in_the_next(desk: Reception, kind: str, words: str) -> None:
    first = await desk.assistant.call("report", kind=kind, when=words)
    again = await desk.assistant.call("report", kind=kind, when=first["when"])
    for answer in (first, again):  # no two cursors are alike
        answer.pop("next", None)
        answer["page"].pop("next_cursor", None)
    assert again == first
