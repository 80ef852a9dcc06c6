"""Over generated clinics and wordings the visit that is found is the one that was meant, or there is an error."""

from datetime import datetime, timedelta

import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tools.curated.reception import BOTH, NORTHSIDE, RIVERSIDE, ZONES

from cliniko_mcp.errors import CallerError, NotFound
from cliniko_mcp.frontdesk.find_booking import Looking, which_visit

from .clinics import front_desk, load

MOMENTS = (
    "2026-11-24T08:30:00+11:00",
    "2026-11-24T16:30:00+11:00",
    "2026-10-03T16:30:00+10:00",  # the clocks go forward in the night
    "2026-10-04T08:30:00+11:00",
    "2027-04-03T16:30:00+11:00",  # and back
    "2027-04-04T08:30:00+10:00",
)
PEOPLE = (("Faye", "Rowe"), ("Faye", "Adair"), ("May", "Stone"), ("April", "Rowe"), ("Jan", "Mondale"))
CLOCKS = ("08:30", "09:15", "11:00", "12:00", "15:00", "16:45", "18:30")
visits = st.lists(
    st.tuples(st.integers(0, len(PEOPLE) - 1), st.integers(0, 1), st.integers(-9, 9), st.sampled_from(CLOCKS)),
    min_size=1,
    max_size=3,
    unique_by=lambda visit: (visit[1], visit[2], visit[3]),
)


def wordings(first: str, last: str, who: str, day: datetime, today: datetime) -> list[tuple[str, bool]]:
    """Ways to say a visit at this local time, each with whether it names the patient in full."""
    twelve = f"{day:%I:%M}".lstrip("0") + f" {day:%p}".lower()
    dated = f"{day.day} {day:%B}"
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((day.date() - today.date()).days)
    found = [
        (f"{first} {last}, {day:%A} {dated} {day.year} at {day:%H:%M}", True),
        (f"{first}'s {twelve} on {dated} {day.year}", False),
        (f"the {twelve} on {dated} {day.year} with {who}", False),
        (f"{last}, {first} {day:%Y-%m-%dT%H:%M}", True),
        (f"the {twelve} for {first} {last} on {dated} {day.year}", True),
    ]
    if near:
        found += [(f"{near} {first} {last} at {twelve}", True), (f"{first} {last}'s {day:%H:%M} {near}", True)]
    return found


@pytest.mark.long
@pytest.mark.parametrize("now", MOMENTS)
@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(visits)
def test_what_is_found_is_what_was_meant(now: str, chosen: list[tuple[int, int, int, str]]) -> None:
    anyio.run(_played, now, chosen)


async def _played(now: str, chosen: list[tuple[int, int, int, str]]) -> None:
    async with front_desk("move_appointment", sandbox_now=now) as (desk, clinic):
        desk.empty_diary()
        desk.empty("patients")
        ids = [desk.patient(first, last) for first, last in PEOPLE]
        rows: list[tuple[str, int, int, datetime]] = []
        for person, place, days, clock in chosen:
            site, who = BOTH[place]
            today = datetime.fromisoformat(now).astimezone(ZONES[site])
            day = today.date() + timedelta(days=days)
            booking = desk.book(ids[person], site, who, f"{day} {clock}")
            rows.append((booking, person, place, datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=ZONES[site])))
        roster, _ = await load(clinic)
        assert {NORTHSIDE, RIVERSIDE} == {site for site, _ in BOTH}
        for booking, person, place, local in rows:
            first, last = PEOPLE[person]
            today = datetime.fromisoformat(now).astimezone(local.tzinfo)
            # whoever's visit begins at this time by the clock of its own site is a reading too
            wall = local.replace(tzinfo=None)
            same = [row for row in rows if row[3].replace(tzinfo=None) == wall]
            for text, full in wordings(first, last, BOTH[place][1], local, today):
                if " with " in text:
                    fits = [row for row in same if row[2] == place]
                else:
                    fits = [row for row in same if PEOPLE[row[1]][0] == first and (not full or row[1] == person)]
                for looking in Looking:
                    try:
                        which = await which_visit(clinic, roster, text, looking)
                    except (CallerError, NotFound) as error:
                        assert len(fits) > 1, (text, error.message)
                        assert booking in {row["id"] for row in error.details["candidates"]}  # type: ignore[union-attr, index, call-overload]
                    else:
                        assert len(fits) == 1 and which.entry.id == booking, (text, looking)
