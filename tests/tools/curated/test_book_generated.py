"""book_appointment over generated diaries and wordings: the rows made are exactly those that were said, or none.

What is due is worked out from the raw rows, minute by minute, and from the calendar alone.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import anyio
import pytest
from conftest import in_process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .raw import Raw, stamp
from .reception import NORTHSIDE, RIVERSIDE, ZONES, Reception, Row

DESKS = ((NORTHSIDE, "Dr Mei Ng"), (NORTHSIDE, "Tom Okafor"), (RIVERSIDE, "Jack Whitfield"), (NORTHSIDE, "Priya Nair"))
FIRSTS = (date(2027, 3, 22), date(2027, 9, 20), date(2026, 11, 30), date(2027, 1, 28), date(2027, 12, 20))
"""Days before which clocks change, months are short or a year ends."""
WHENS = (
    "{0:%-d %B %Y} at {0:%H:%M}",
    "{0:%Y-%m-%d} {0:%H:%M}",
    "{0:%A} {0:%-d/%-m/%Y} {0:%H:%M}",
    "{0:%-d %b %Y}, {0:%H:%M}",
)
REPEATS = ("every {0} {1}s, {2} visits", "{2} visits {0} {1}s apart", "every {0} {1}s x{2}", "every {0} {1}s, {3} more")
UNITS = ("day", "week", "month")
MINUTES = 30


@dataclass(frozen=True)
class Wish:
    """What a desk asks for: who is seen where, from when on, how often, and which visits are left out."""

    site: str
    practitioner: str
    first: datetime
    """By the site's clock, naive."""
    unit: str = ""
    every: int = 1
    visits: int = 1
    left_out: frozenset[int] = frozenset()
    when: str = WHENS[0]
    repeat: str = REPEATS[0]

    def locals(self) -> list[datetime]:
        """The local starts that are due, by the calendar."""
        return [self._at(step * self.every) for step in range(self.visits) if step not in self.left_out]

    def starts(self) -> list[datetime]:
        return [local.replace(tzinfo=ZONES[self.site]).astimezone(UTC) for local in self.locals()]

    def _at(self, steps: int) -> datetime:
        if self.unit != "month":
            return self.first + timedelta(days=steps * (7 if self.unit == "week" else 1))
        months = self.first.year * 12 + self.first.month - 1 + steps
        last = monthrange(months // 12, months % 12 + 1)[1]
        return self.first.replace(year=months // 12, month=months % 12 + 1, day=min(self.first.day, last))

    def arguments(self) -> dict[str, Any]:
        wish: dict[str, Any] = {
            "patient": "Otto Zimt",
            "practitioner": self.practitioner,
            "business": self.site,
            "type": "Standard consult",
            "when": self.when.format(self.first),
        }
        if self.visits > 1:
            wish["repeat"] = self.repeat.format(self.every, self.unit, self.visits, self.visits - 1)
        if self.left_out:
            wish["skip"] = [f"{self._at(step * self.every):%-d %B %Y}" for step in sorted(self.left_out)]
        return wish


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    site, practitioner = draw(st.sampled_from(DESKS))
    day = draw(st.sampled_from(FIRSTS)) + timedelta(days=draw(st.integers(0, 4)))
    first = datetime.combine(day, time(draw(st.integers(9, 16)), draw(st.sampled_from((0, 15, 30)))))
    when = draw(st.sampled_from(WHENS))
    if draw(st.booleans()):
        return Wish(site, practitioner, first, when=when)
    visits = draw(st.integers(2, 6))
    left_out = draw(st.sets(st.integers(0, visits - 1), max_size=min(2, visits - 1)))
    unit, every = draw(st.sampled_from(("week", *UNITS))), draw(st.integers(1, 3))
    return Wish(
        site, practitioner, first, unit, every, visits, frozenset(left_out), when, draw(st.sampled_from(REPEATS))
    )


def fill(clinic: Reception, wish: Wish, taken: list[int]) -> None:
    """A diary in which these visits of the wish meet something, a quarter of an hour off."""
    clinic.empty_diary()
    clinic.patient("Otto", "Zimt")
    other = clinic.patient("Ben", "Ash")
    for place in taken:
        due = wish.locals()
        at = due[place % len(due)] + timedelta(minutes=15)
        clinic.book(other, wish.site, wish.practitioner, f"{at:%Y-%m-%d %H:%M}")


def of_otto(clinic: Reception) -> list[Row]:
    return [row for row in clinic.rows("individual_appointments") if row.get("patient_name") == "Otto Zimt"]


async def held_to_it(wish: Wish, taken: list[int]) -> None:
    async with in_process() as assistant:
        clinic, raw = Reception(assistant), Raw(assistant)
        fill(clinic, wish, taken)
        before = {table: clinic.rows(table) for table in ("individual_appointments", "attendees", "unavailable_blocks")}
        who, where = raw.id("practitioners", wish.practitioner), raw.id("businesses", wish.site)
        due = wish.starts()
        free = all(raw.free(who, where, starts, MINUTES) for starts in due)
        preview = await assistant.call("book_appointment", **wish.arguments(), dry_run=True)
        assert preview.get("dry_run") is True, preview
        assert assistant.changes() == []
        assert (preview["clashes"] == []) is free
        for text in preview.get("nearest", []):
            assert raw.free(who, where, datetime.fromisoformat(text[:22]), MINUTES)
            assert not text.startswith(f"{due[0].astimezone(ZONES[wish.site]):%Y-%m-%dT%H:%M}")
        for _ in range(2):  # the second is the same call after a lost answer
            answer = await assistant.call("book_appointment", **wish.arguments())
            made = of_otto(clinic)
            if not free:
                assert answer["code"] == "clash" and made == []
                assert {table: clinic.rows(table) for table in before} == before
                continue
            assert sorted(stamp(row["starts_at"]) for row in made) == due
            for row in made:
                assert stamp(row["ends_at"]) - stamp(row["starts_at"]) == timedelta(minutes=MINUTES)
                assert (row["practitioner_id"], row["business_id"]) == (who, where)
                assert row["appointment_type_id"] == raw.id("appointment_types", "Standard consult")
            shown = [row for row in answer.get("visits", [answer["item"]]) if row.get("state") != "left out"]
            assert [datetime.fromisoformat(row["starts_at"][:22]) for row in shown] == due
            assert {row["id"] for row in shown} == {row["id"] for row in made}
            assert answer.get("conflicts") in (None, False)


@pytest.mark.long
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wishes(), st.lists(st.integers(0, 5), max_size=1))
def test_the_rows_made_are_exactly_those_that_were_said_or_none(wish: Wish, taken: list[int]) -> None:
    anyio.run(held_to_it, wish, taken)
