"""A generated clinic with what reports read besides the diary: invoices, notes, cases, forms, alerts, sources, fees."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from .rows import HIDDEN_AT, Clinic, Row, stamp
from .strategies import NOWS, clinics

EDGES = (
    *NOWS,
    "2026-12-31T23:58:00+11:00",  # two minutes before the year ends in Sydney, half an hour later in Adelaide
    "2027-01-01T00:12:00+11:00",
    "2026-10-04T03:05:00+11:00",  # five minutes after clocks went forward in Sydney, before they do in Adelaide
    "2026-04-05T02:30:00+11:00",  # the first time that this hour comes in Sydney
    "2026-04-05T02:30:00+10:00",  # and the second
    "2026-10-25T01:10:00+00:00",  # after clocks went back in London
    "2026-03-01T00:00:00+10:30",  # a month begins in Adelaide
)
"""Ordinary moments, and moments at the edges of days, months, years and of daylight saving."""
_NOTICES = (30, 24, 23, 1, 0, -2)
"""Hours from cancelling to the start."""
_AMOUNTS = ("0.0", "10.10", "66.65", "120.0", "0.01", "-45.5")
_TEXTS = ("Sleeping well, less pain.", "No change; sleeping  badly", "Schläft gut", "", "walks the dog")
_NUMBERS = ("0400 111 222", "0491 570 156", "12345", "(02) 5550 1234", "")


@st.composite
def clinics_with_papers(draw: st.DrawFn) -> Clinic:
    """A clinic of at least one site, practitioner, type and patient, with papers of all kinds, hidden ones too."""
    clinic = draw(clinics(nows=EDGES))
    places = clinic.rows("attendees")
    for row in [*clinic.rows("individual_appointments"), *clinic.rows("group_appointments")]:
        mine = [place for place in places if place["booking_id"] == row["id"]]
        starts = datetime.fromisoformat(row["starts_at"])
        row["created_at"] = stamp(min(starts, clinic.now) - _ago(draw))
        if draw(st.booleans()) and "max_attendees" not in row:  # a class has none, only those who are in it
            row["booking_ip_address"] = draw(st.sampled_from(("203.0.113.9", "", " ")))
        for place in mine:
            state = _state(draw, place, starts)
            place |= state
            if "max_attendees" not in row:
                row |= {name: value for name, value in state.items() if name != "created_at"}
    for patient in clinic.patients:
        _reach(draw, clinic, patient)
    _cases(draw, clinic, places)
    _prices(draw, clinic)
    _papers(draw, clinic, places)
    return clinic


def _ago(draw: st.DrawFn) -> timedelta:
    """Some days and a few minutes, so that what is made lies on either side of midnights."""
    return timedelta(days=draw(st.integers(0, 4)), minutes=draw(st.sampled_from((0, 1, 9, 59, 61, 719))))


def _maybe(draw: st.DrawFn, value: Any) -> Any:
    return value if draw(st.integers(0, 3)) == 3 else None


def _state(draw: st.DrawFn, place: Row, starts: datetime) -> Row:
    """What a place says of its invoice and note, and when it was cancelled where it was."""
    state: Row = {}
    if (billed := draw(st.sampled_from((None, None, 10, 20, 30)))) is not None:
        state["invoice_status"] = billed
    if (note := draw(st.sampled_from((None, 10, 90)))) is not None:
        state["treatment_note_status"] = note
    if place.get("cancelled_at"):
        state["cancelled_at"] = stamp(starts - timedelta(hours=draw(st.sampled_from(_NOTICES))))
    return state


def _reach(draw: st.DrawFn, clinic: Clinic, patient: Row) -> None:
    """When the file was made, and how the patient can be reached."""
    patient["created_at"] = stamp(clinic.now - _ago(draw))
    patient["email"] = draw(st.sampled_from(("", "a@b.example")))
    patient["reminder_type"] = draw(st.sampled_from(("SMS", "SMS & Email", "Email", "None")))
    patient["patient_phone_numbers"] = [
        {"number": draw(st.sampled_from(_NUMBERS)), "phone_type": draw(st.sampled_from(("Mobile", "Home")))}
        for _ in range(draw(st.integers(0, 2)))
    ]


def _cases(draw: st.DrawFn, clinic: Clinic, places: list[Row]) -> None:
    found = [
        clinic.add(
            "patient_cases",
            name="Knee",
            patient_id=draw(st.sampled_from(clinic.patients))["id"],
            max_sessions=draw(st.sampled_from((None, 1, 2, 3, 6))),
            expiry_date=_maybe(draw, (clinic.now + timedelta(days=draw(st.integers(-2, 40)))).date().isoformat()),
            include_cancelled_attendees=draw(st.booleans()),
            include_dna_attendees=draw(st.booleans()),
            closed_at=_maybe(draw, stamp(clinic.now - timedelta(days=1))),
            archived_at=_maybe(draw, HIDDEN_AT),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    for row in found:
        row["closed"] = "closed_at" in row
    appointments = {row["id"]: row for row in clinic.rows("individual_appointments")}
    for place in places:
        mine = [row for row in found if row["patient_id"] == place["patient_id"]]
        if mine and draw(st.booleans()):
            place["patient_case_id"] = mine[0]["id"]
            if place["booking_id"] in appointments:
                appointments[place["booking_id"]]["patient_case_id"] = mine[0]["id"]


def _prices(draw: st.DrawFn, clinic: Clinic) -> None:
    tax = clinic.add("taxes", name="GST", rate="10.0", amount="10.0")["id"]
    item = clinic.add("billable_items", name="Visit", price="66.65", tax_id=_maybe(draw, tax))["id"]
    good = clinic.add("products", name="Band", price="10.01", price_including_tax="11.01")["id"]
    for kind in clinic.types:
        for table, link in (
            ("appointment_type_billable_items", {"billable_item_id": item}),
            ("appointment_type_products", {"product_id": good}),
        ):
            if draw(st.booleans()):
                money = draw(st.booleans())
                clinic.add(
                    table,
                    appointment_type_id=kind["id"],
                    **link,
                    quantity=draw(st.sampled_from(("1.0", "2.0", "0.5"))),
                    is_monetary_discount=money,
                    discounted_amount="1.0" if money else None,
                    discount_percentage=None if money else draw(st.sampled_from(("0.0", "12.5"))),
                )


def _papers(draw: st.DrawFn, clinic: Clinic, places: list[Row]) -> None:
    bookings = {
        row["id"]: row for table in ("individual_appointments", "group_appointments") for row in clinic.rows(table)
    }
    kinds = [clinic.add("referral_source_types", name=name, subcategories=[]) for name in ("Website", "Friend")]
    for patient in clinic.patients:
        if draw(st.booleans()):
            kind = draw(st.sampled_from(kinds))["id"]
            clinic.add("referral_sources", patient_id=patient["id"], referral_source_type_id=kind)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from([None, *places]))
        patient = place["patient_id"] if place else draw(st.sampled_from(clinic.patients))["id"]
        booking = bookings[place["booking_id"]] if place else None
        _invoice(draw, clinic, patient, place, booking)
        _note(draw, clinic, patient, booking)
        _form(draw, clinic, patient, place, booking)
        touched = stamp(clinic.now - _ago(draw))
        clinic.add("medical_alerts", name="Latex", patient_id=patient, archived_at=_maybe(draw, HIDDEN_AT))
        clinic.rows("medical_alerts")[-1]["updated_at"] = touched


def _who(draw: st.DrawFn, clinic: Clinic, booking: Row | None) -> Row:
    if booking:
        return {name: booking[name] for name in ("practitioner_id", "business_id")}
    return {
        "practitioner_id": draw(st.sampled_from(clinic.staff))["id"],
        "business_id": draw(st.sampled_from(clinic.sites))["id"],
    }


def _invoice(draw: st.DrawFn, clinic: Clinic, patient: str, place: Row | None, booking: Row | None) -> None:
    total = draw(st.sampled_from(_AMOUNTS))
    label = next(row.get("label") for row in clinic.patients if row["id"] == patient)
    clinic.add(
        "invoices",
        number=len(clinic.rows("invoices")) + 1,
        issue_date=(clinic.now.astimezone(UTC) - timedelta(days=draw(st.integers(-1, 4)))).date().isoformat(),
        patient_id=patient,
        attendee_id=place["id"] if place else None,
        appointment_id=booking["id"] if booking else None,
        invoice_to=draw(st.sampled_from((None, label, f"{label}\n1 High Street", "Kestrel Insurance\nPO Box 1"))),
        status=draw(st.sampled_from((10, 10, 20, 20, 30, 40))),
        total_amount=total,
        net_amount=total,
        tax_amount="0.0",
        discounted_amount="0.0",
        archived_at=_maybe(draw, HIDDEN_AT),
        **_who(draw, clinic, booking),
    )
    assert Decimal(total).is_finite()


def _note(draw: st.DrawFn, clinic: Clinic, patient: str, booking: Row | None) -> None:
    answer = draw(st.sampled_from(_TEXTS))
    question = {"name": "History", "type": "paragraph", "answer": answer}
    row = clinic.add(
        "treatment_notes",
        title="Note",
        content={"sections": [{"questions": [question]}]},
        patient_id=patient,
        practitioner_id=_who(draw, clinic, booking)["practitioner_id"],
        draft=draw(st.booleans()),
        archived_at=_maybe(draw, HIDDEN_AT),
    )
    row["created_at"] = row["updated_at"] = stamp(clinic.now - _ago(draw))


def _form(draw: st.DrawFn, clinic: Clinic, patient: str, place: Row | None, booking: Row | None) -> None:
    named = draw(st.booleans())
    row = clinic.add(
        "patient_forms",
        name="Intake",
        patient_id=patient,
        attendee_id=place["id"] if place else None,
        booking_id=booking["id"] if booking and named else None,
        business_id=_who(draw, clinic, booking)["business_id"],
        content={"sections": []},
        completed_at=_maybe(draw, stamp(clinic.now - _ago(draw))),
        archived_at=_maybe(draw, HIDDEN_AT),
    )
    row["created_at"] = stamp(clinic.now - timedelta(days=5))
