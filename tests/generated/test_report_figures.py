"""The whole summary of every kind of report in generated clinics, and what reports that share a figure agree on."""

from datetime import date, timedelta
from typing import Any

import pytest
from clinics import expected
from clinics.papers import clinics_with_papers
from clinics.rows import Clinic, Row
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.phrases import Facing
from tests.reports.figures import FIGURES
from tests.reports.recount import Recount

SPANS = st.tuples(st.integers(-4, 1), st.integers(0, 4))
"""The first day from today, and how many more days there are."""


def recounted(clinic: Clinic) -> Recount:
    zones = {site["id"]: expected.zone_of(site, clinic) for site in clinic.sites}
    return Recount(clinic.rows, clinic.now, str(clinic.home), zones)


def asked(recount: Recount, kind: str, span: tuple[int, int]) -> tuple[date, date]:
    """The first and last day that a report of this kind is asked about: none that looks back goes on after today."""
    first = recount.today + timedelta(days=span[0])
    last = first + timedelta(days=span[1])
    if KINDS[kind].facing is Facing.BACK:
        return min(first, recount.today), min(last, recount.today)
    return first, last


async def summary(tools: Tools, kind: str, first: date, last: date, **more: Any) -> Row:
    answer = await tools.call("report", kind=kind, when=f"{first} to {last}", **more)
    assert "summary" in answer, answer
    return answer["summary"]


@pytest.mark.long
@given(clinics_with_papers(), SPANS)
@settings(max_examples=20)
def test_every_figure_of_every_kind_is_that_of_the_rows(clinic: Clinic, span: tuple[int, int]) -> None:
    recount = recounted(clinic)

    async def act(tools: Tools) -> None:
        for kind, figures in FIGURES.items():
            first, last = asked(recount, kind, span)
            assert await summary(tools, kind, first, last) == figures(recount, first, last), (kind, first, last)

    play(clinic, act)


@pytest.mark.long
@given(clinics_with_papers(), st.integers(0, 4))
@settings(max_examples=20)
def test_reports_that_share_a_figure_agree(clinic: Clinic, days: int) -> None:
    last = recounted(clinic).today
    first = last - timedelta(days=days)

    async def act(tools: Tools) -> None:
        told = {
            kind: await summary(tools, kind, first, last)
            for kind in ("activity", "no_shows", "cancellations", "unbilled", "missing_notes", "retention", "sources",
                         "revenue", "unpaid", "not_rebooked")
        }  # fmt: skip
        kept = told["activity"]["visits_kept"]["count"]
        assert kept == told["unbilled"]["unbilled_visits"]["of"]
        assert kept == told["missing_notes"]["visits_without_final_note"]["of"]
        assert kept == told["no_shows"]["no_shows"]["of"] - told["no_shows"]["no_shows"]["count"]
        policy = "no_shows_and_late_cancellations"
        assert told["no_shows"][policy] == told["cancellations"][policy]
        new = told["retention"]["new_patients"]["count"]
        assert new == told["activity"]["new_people_seen"]["count"]
        assert new == told["sources"]["invoiced_to_new_patients"]["count"]
        assert told["revenue"]["invoiced_and_open"] == told["unpaid"]["unpaid_invoices"]
        assert told["not_rebooked"]["patients_without_next_booking"]["of"] <= told["activity"]["people_seen"]["count"]

    play(clinic, act)


@pytest.mark.long
@given(clinics_with_papers(), st.integers(0, 3))
@settings(max_examples=8)
def test_the_sites_and_the_practitioners_add_up_to_the_clinic(clinic: Clinic, days: int) -> None:
    last = recounted(clinic).today - timedelta(days=1)
    first = last - timedelta(days=days)
    kinds = ("activity", "no_shows", "cancellations", "new_cancellations", "new_bookings", "revenue", "unpaid",
             "unbilled", "missing_notes", "lapsed", "retention", "sources")  # fmt: skip

    async def act(tools: Tools) -> None:
        for kind in kinds:
            whole = next(iter((await summary(tools, kind, first, last)).values()))
            for name, rows in (("business", clinic.sites), ("practitioner", clinic.staff)):
                some = [
                    next(iter((await summary(tools, kind, first, last, **{name: row["id"]})).values())) for row in rows
                ]
                assert sum(one["count"] for one in some) == whole["count"], (kind, name)
                assert sum(one.get("of", 0) for one in some) == whole.get("of", 0), (kind, name)

    play(clinic, act)
