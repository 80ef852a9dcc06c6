"""Memory changes what answers cost, never what they say: in every clinic, before and after a change of our own."""

from clinics.rows import Clinic
from clinics.strategies import clinics
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from .test_every_answer import plays


@given(clinics(odd=True), st.data())
@settings(max_examples=15)
def test_every_answer_equals_the_one_without_memory(clinic: Clinic, data: st.DataObject) -> None:
    every = list(plays(clinic))
    turn = data.draw(st.integers(0, 3))  # a quarter of the calls in each clinic
    calls = every[turn::4]

    async def act(tools: Tools) -> None:
        with_memory = [await tools.call(tool, **arguments) for tool, arguments in (*every[:2], *calls, *calls)]
        for (tool, arguments), *told in zip(calls, with_memory[2:], with_memory[2 + len(calls) :], strict=False):
            tools.forget()
            alone = await tools.call(tool, **arguments)
            assert [alone, alone] == told, (tool, arguments)

    play(clinic, act)


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
