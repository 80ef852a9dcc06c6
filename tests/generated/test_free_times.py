"""Free times of generated clinics against a count of their minutes, and what can be booked against what is offered."""

import pytest
from clinics import expected
from clinics.rows import Clinic, Row
from clinics.strategies import clinics, days
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st


def shown(row: Row) -> tuple[int, str, str]:
    return expected.minute(row["starts_at"].split(" ")[0]), row["practitioner"], row["business"]


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=40)
def test_exactly_the_free_starts_of_a_day_are_offered(clinic: Clinic, data: st.DataObject) -> None:
    day = data.draw(days(clinic, expected.zone_of(clinic.sites[0], clinic), 0))
    kind = data.draw(st.sampled_from(clinic.types))

    async def act(tools: Tools) -> None:
        found = await tools.call("find_times", type=kind["id"], when=day.isoformat(), limit=100)
        wanted = expected.free_starts(clinic, kind, day)
        ids = found["names"]
        offered = {
            (begin, ids["practitioner_id"][who], ids["business_id"][where])
            for begin, who, where in map(shown, found["items"])
        }
        assert found["page"]["total"] == len(wanted)
        assert offered <= wanted
        assert len(offered) == min(100, len(wanted))
        assert found["items"] or found["why"] or found["notes"]

    play(clinic, act)
