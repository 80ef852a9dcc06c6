"""What a booking from Cliniko is in the diary."""

from datetime import UTC, datetime

from cliniko_mcp.cliniko.resources.bookings import Booking
from cliniko_mcp.frontdesk.bookings import Entry, entry_of


def test_a_booking_that_names_nobody_and_no_site_is_a_block_of_nobody_nowhere() -> None:
    record = Booking.read({"id": "1", "starts_at": "2026-11-24T00:00:00Z", "ends_at": "2026-11-24T01:00:00Z"})
    assert entry_of(record) == Entry(
        id="1",
        kind="block",
        starts=datetime(2026, 11, 24, 0, tzinfo=UTC),
        ends=datetime(2026, 11, 24, 1, tzinfo=UTC),
        practitioner_id="",
        business_id="",
        type_id="",
        patient_ids=(),
        places=None,
        cancelled=False,
        record=record,
    )
    assert entry_of(Booking.read({"id": "1", "starts_at": "2026-11-24T00:00:00Z"})) is None
