"""Memory changes what answers cost, never what they say: in every clinic, before and after a change of our own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from clinics.rows import Clinic, Row
from clinics.strategies import clinics
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.desk import MORNING

from .test_every_answer import plays


def others_of_a_morning(clinic: Clinic) -> Iterator[tuple[str, Row]]:
    """What a desk asks in a morning besides, so that each of `benchmarks.desk` is here."""
    known = next((row for row in clinic.patients if row.get("first_name") and row.get("last_name")), None)
    if known is not None:
        yield "find_patients", {"query": f"{known['first_name']} {known['last_name']} 1980"[:200]}
    yield "find_patients", {"query": "0412 345 678"}
    if clinic.staff:
        yield "show_diary", {"when": "next week", "practitioner": [clinic.staff[0]["id"]]}
    yield "list_individual_appointments", {"limit": 20}


def test_each_answer_of_a_desks_morning_is_among_those_that_are_compared() -> None:
    """Reports by their kind, all else by its tool."""
    nobody = Clinic(datetime(2026, 11, 24, tzinfo=UTC), "Australia/Sydney")
    compared = {(tool, row.get("kind")) for tool, row in (*plays(nobody), *others_of_a_morning(nobody))}
    assert {(question.tool, question.arguments.get("kind")) for question in MORNING} <= compared


@pytest.mark.long
@given(clinics(odd=True), st.data())
@settings(max_examples=15)
def test_every_answer_equals_the_one_without_memory(clinic: Clinic, data: st.DataObject) -> None:
    every = [*plays(clinic), *others_of_a_morning(clinic)]
    turn = data.draw(st.integers(0, 3))  # a quarter of the calls in each clinic
    calls = every[turn::4]

    async def act(tools: Tools) -> None:
        with_memory = [await tools.call(tool, **arguments) for tool, arguments in (*every[:2], *calls, *calls)]
        for (tool, arguments), *told in zip(calls, with_memory[2:], with_memory[2 + len(calls) :], strict=False):
            tools.forget()
            alone = await tools.call(tool, **arguments)
            assert [alone, alone] == told, (tool, arguments)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=10)
def test_a_change_of_our_own_shows_in_the_next_answer(clinic: Clinic, data: st.DataObject) -> None:
    kinds = [row for row in clinic.types if not row.get("archived_at")]
    site = next((row for row in clinic.sites if not row.get("archived_at")), None)
    if not kinds or site is None:
        return
    kind = data.draw(st.sampled_from(kinds))

    async def act(tools: Tools) -> None:
        await tools.call("clinic_overview")
        await tools.call("find_times", type=kind["id"], when="tomorrow")
        changed = await tools.call("update_appointment_type", id=kind["id"], name="Quite another name")
        assert "code" not in changed, changed
        after = [await tools.call("clinic_overview"), await tools.call("find_times", type="Quite another name")]
        tools.forget()
        assert after == [await tools.call("clinic_overview"), await tools.call("find_times", type="Quite another name")]
        assert "code" not in after[1], after[1]

    play(clinic, act)
