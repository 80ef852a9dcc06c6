"""Every figure of every kind is right for one practitioner, for one site, and for one practitioner at one site."""

import pytest
from clinics.papers import clinics_with_papers
from clinics.rows import Clinic
from clinics.tools import Tools, play
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from tests.reports.figures import FIGURES

from .test_report_figures import SPANS, asked, recounted, summary

TAKEN = {kind: figures for kind, figures in FIGURES.items() if KINDS[kind].practitioners and KINDS[kind].sites}


@pytest.mark.long
@given(clinics_with_papers(), SPANS, st.data())
@settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # to shrink takes minutes
def test_every_figure_is_that_of_whom_and_where_it_is_asked_about(
    clinic: Clinic, span: tuple[int, int], data: st.DataObject
) -> None:
    whole = recounted(clinic)
    who = data.draw(st.sampled_from([row["id"] for row in clinic.staff]), "who")
    site = data.draw(st.sampled_from([row["id"] for row in clinic.sites]), "site")

    async def act(tools: Tools) -> None:
        for names in ({"practitioner": who}, {"business": site}, {"practitioner": who, "business": site}):
            recount = whole.of(names.get("practitioner"), names.get("business"))
            for kind, figures in TAKEN.items():
                first, last = asked(recount, kind, span)
                told = await summary(tools, kind, first, last, **names)
                assert told == figures(recount, first, last), (kind, first, last, names)

    play(clinic, act)


@pytest.mark.long
@given(clinics_with_papers())
@settings(max_examples=3)
def test_what_cannot_be_told_of_one_practitioner_or_site_says_so(clinic: Clinic) -> None:
    async def act(tools: Tools) -> None:
        for kind in KINDS.values():
            for name, row, takes in (
                ("practitioner", clinic.staff[0], kind.practitioners),
                ("business", clinic.sites[0], kind.sites),
            ):
                if not takes:
                    words = {"words": "walk"} if kind.words else {}
                    told = await tools.call("report", kind=kind.name, **words, **{name: row["id"]})
                    assert (told["code"], told["message"]) == (
                        "invalid_arguments",
                        f"{kind.name} does not take {name}.",
                    )

    play(clinic, act)
