"""Why there is no time: leave, full, not offered, not at work and online booking off, told apart however it is said."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from .reception import BOTH, Reception, reception, stamp, utc

pytestmark = pytest.mark.anyio
MONDAY = ("Monday", "mon", "next Monday", "the 30th", "30 November", "on monday morning", "2026-11-30", "Mon 9 to 5")
SATURDAY = ("Saturday", "sat", "this Saturday", "the 28th", "28 November", "on saturday morning", "2026-11-28")
REASONS = ("leave", "full", "not offered", "not at work", "online off")


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception() as found:
        yield found


def prepared(desk: Reception, site: str, who: str, reason: str) -> None:
    """A clinic in which there is no massage with this practitioner on Monday for this reason alone."""
    desk.empty_diary()
    kind = desk.store.table("appointment_types").rows[desk.id("appointment_types", "Standard consult")]
    person = desk.store.table("practitioners").rows[desk.id("practitioners", who)]
    everyone = [row["id"] for row in desk.rows("practitioners")]
    offered = [one for one in everyone if reason != "not offered" or one != person["id"]]
    desk.store.put("appointment_types", {**kind, "practitioner_ids": offered, "show_in_online_bookings": True})
    desk.store.put("practitioners", {**person, "show_in_online_bookings": reason != "online off"})
    starts = utc("2026-11-30T00:00", site)
    if reason == "leave":
        leave = next(row["id"] for row in desk.rows("unavailable_block_types") if row["name"] == "Leave")
        desk.put(
            "unavailable_blocks", practitioner_id=person["id"], business_id=desk.id("businesses", site),
            unavailable_block_type_id=leave, starts_at=stamp(starts), ends_at=stamp(starts + timedelta(days=1)),
        )  # fmt: skip
    if reason == "full":
        desk.book(desk.patient("All", "Day"), site, who, "2026-11-30T06:00", minutes=16 * 60)
    desk.forget()


CLAUSES = {
    "leave": "leave", "full": "full", "not offered": "does not offer", "not at work": "not at work",
    "online off": "nline",
}  # fmt: skip


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    ("reason", "words"),
    [(reason, words) for reason in REASONS for words in (SATURDAY if reason == "not at work" else MONDAY)],
)
@pytest.mark.parametrize(("site", "who"), BOTH)
async def test_the_reason_is_the_one_that_holds_and_no_other(
    desk: Reception, site: str, who: str, reason: str, words: str
) -> None:
    prepared(desk, site, who, reason)
    kind = "online" if reason == "online off" else "diary"
    desk.sandbox.requests.clear()
    answer = await desk.assistant.call(
        "find_times", type="Standard consult", when=words, practitioner=[who], business=site, kind=kind
    )
    assert answer["items"] == [], answer
    text = " ".join(answer["why"])
    assert who in text
    assert {name for name, clause in CLAUSES.items() if clause.casefold() in text.casefold()} == {reason}, text
    assert all(request.method == "GET" for request in desk.sandbox.requests)


async def test_no_diary_is_read_for_a_site_at_which_the_type_is_not_offered_but_the_one_with_what_comes_nearest() -> (
    None
):
    async with reception() as clinic:
        clinic.empty_diary()
        answer, _ = await clinic.counted("find_times", type="Dry needling", when="tomorrow", business="Riverside")
        assert answer["why"] == ["Dry needling is not offered at Riverside."]
        assert [row["differs"] for row in answer["alternatives"]] == ["another site"]
        assert sum(seen.path == "/v1/bookings" for seen in clinic.sandbox.requests) == 1
