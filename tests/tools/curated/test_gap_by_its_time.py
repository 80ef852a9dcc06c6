"""A visit that was cancelled at the time named is the gap, though nobody says whose it was or of what type."""

from collections.abc import AsyncGenerator

import pytest

from .reception import BOTH, Reception, Row, local_of, reception

pytestmark = pytest.mark.anyio
GONE: Row = {"cancelled_at": "2026-11-20T00:00:00Z", "cancellation_reason": 30}
MOBILE = [{"phone_type": "Mobile", "number": "0491 570 156"}]
WORDS = (
    "Monday at 10", "mon 10am", "the 10 o'clock on Monday", "Monday 10 to 10:45", "2026-11-30T10:00", "30/11 10:00",
    "next Monday morning", "Monday 30 November 2026 at 10:00",
)  # fmt: skip


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception() as found:
        yield found


def prepared(desk: Reception, site: str, who: str) -> tuple[str, str]:
    """The visit that was cancelled, and the patient who could come sooner; others have visits at the same time."""
    desk.empty_diary()
    left, later, other = (desk.patient("P", name, patient_phone_numbers=MOBILE) for name in ("Left", "Later", "Other"))
    desk.book(other, site, "Sam Iyer", "2026-11-30 10:00")
    desk.book(later, site, who, "2026-12-02 10:00", kind="Initial consult", minutes=45)
    desk.book(other, site, who, "2026-12-03 10:00")
    return desk.book(left, site, who, "2026-11-30 10:00", kind="Initial consult", minutes=45, **GONE), later


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("site", "who"), BOTH)
async def test_what_was_cancelled_then_is_the_gap_with_its_practitioner_type_and_length(
    desk: Reception, site: str, who: str, words: str
) -> None:
    visit, later = prepared(desk, site, who)
    desk.sandbox.requests.clear()
    answer = await desk.assistant.call("fill_gap", when=words)
    (row,) = [row for row in desk.rows("individual_appointments") if row["id"] == visit]
    gap = answer["gap"]
    assert gap["starts_at"].startswith(f"{local_of(row['starts_at'], site):%Y-%m-%dT%H:%M}")
    assert gap["ends_at"] == f"{local_of(row['ends_at'], site):%H:%M}"
    assert (gap["practitioner"], gap["business"], gap["type"]) == (who, site, "Initial consult")
    assert [row["patient_id"] for row in answer["items"]] == [later]
    assert all(request.method == "GET" for request in desk.sandbox.requests)


@pytest.mark.parametrize("words", WORDS[:5])
async def test_of_two_that_were_cancelled_then_the_desk_chooses(desk: Reception, words: str) -> None:
    site, who = BOTH[0]
    visit, _ = prepared(desk, site, who)
    second = desk.book(desk.patient("Q", "Second"), site, "Tom Okafor", "2026-11-30 10:00", **GONE)
    answer = await desk.assistant.call("fill_gap", when=words)
    assert answer["code"] == "ambiguous" and {row["id"] for row in answer["candidates"]} == {visit, second}
    chosen = await desk.assistant.call("fill_gap", when="Monday at 10", practitioner="Tom")
    assert chosen["gap"]["practitioner"] == "Tom Okafor" and chosen["gap"]["type"] == "Standard consult"


@pytest.mark.parametrize(
    "words", ["Friday at 10", "Thursday 11 to 12", "Wednesday 2:30pm", "tomorrow at 9", "Monday at 4"]
)
async def test_where_nothing_was_cancelled_nothing_that_is_booked_is_called_free(desk: Reception, words: str) -> None:
    site, who = BOTH[0]
    prepared(desk, site, who)
    own = desk.patient("R", "Here")
    for local in ("2026-11-27 10:00", "2026-11-26 11:00", "2026-11-25 14:30", "2026-11-25 09:00", "2026-11-30 16:00"):
        desk.book(own, site, who, local)
    answer = await desk.assistant.call("fill_gap", when=words)
    assert answer["code"] == "not_found" and "practitioner" in answer["fix"] and "gap" not in answer
