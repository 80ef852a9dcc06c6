"""The figures that reports on money, paperwork and sources have to say, from rows alone; see `expected`."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .expected import BOOKED, new_patients
from .recount import DAY, Recount, Row, Visit, moment, share, total

OPEN, PAID, CLOSED, CREDIT = 10, 20, 30, 40
FINAL, DRAFT = 90, 10
CENT = Decimal("0.01")


def money(rows: Iterable[Row]) -> Row:
    amounts = [Decimal(row["total_amount"]) for row in rows]
    return {"count": len(amounts), "total": total(amounts)}


def invoices(recount: Recount) -> list[Row]:
    return [row for row in recount.rows("invoices") if not row.get("archived_at")]


def issued(recount: Recount, first: date, last: date) -> list[Row]:
    mine = (row for row in invoices(recount) if recount.mine(row["practitioner_id"], row["business_id"]))
    return [row for row in mine if first <= date.fromisoformat(row["issue_date"]) <= last]


def revenue(recount: Recount, first: date, last: date) -> Row:
    rows = issued(recount, first, last)
    billed = [row for row in rows if row["status"] in (OPEN, PAID)]
    visits = a_visit(billed)
    return {
        "invoiced": money(billed),
        "invoiced_and_paid": money(row for row in rows if row["status"] == PAID),
        "invoiced_and_open": money(row for row in rows if row["status"] == OPEN),
        "visits_billed": {"count": visits.get("visits", 0)},
        **({"average_per_visit_billed": {"total": visits["average"]}} if visits else {}),
        "closed_invoices": money(row for row in rows if row["status"] == CLOSED),
        "open_credits": money(row for row in rows if row["status"] == CREDIT),
    }


def a_visit(billed: list[Row]) -> Row:
    """The visits of some invoices and what those come to for each; nothing where they are of none."""
    of_visits = [row for row in billed if row.get("attendee_id") or row.get("appointment_id")]
    if not of_visits:
        return {}
    visits = {row.get("attendee_id") or row["appointment_id"] for row in of_visits}
    whole = sum((Decimal(row["total_amount"]) for row in of_visits), Decimal())
    return {"visits": len(visits), "average": f"{(whole / len(visits)).quantize(CENT, ROUND_HALF_UP):.2f}"}


def payer_of(recount: Recount, invoice: Row) -> str:
    """Who an invoice is made out to: patients as one, each third party by the first line of its address."""
    label = next((row.get("label") for row in recount.patients if row["id"] == invoice.get("patient_id")), None)
    to = (invoice.get("invoice_to") or "").split("\n")[0]
    if not to or not label:
        return "not said"
    return "patients" if to == label else to


def unpaid(recount: Recount, first: date, last: date) -> Row:
    rows = [row for row in issued(recount, first, last) if row["status"] == OPEN]
    return {
        "unpaid_invoices": money(rows),
        "made_out_to_third_parties": money(
            row for row in rows if payer_of(recount, row) not in ("patients", "not said")
        ),
        "patients_with_unpaid_invoices": {"count": len({row["patient_id"] for row in rows if row.get("patient_id")})},
    }


def charged(recount: Recount) -> dict[str, Decimal]:
    """What each type charges by default: each line with its discount and tax, rounded to a cent."""
    rates: Row = {row["id"]: Decimal(row["rate"]) for row in recount.rows("taxes")}
    found: dict[str, Decimal] = {}
    fees = {
        row["id"]: Decimal(row["price"]) * (100 + rates.get(str(row.get("tax_id")), 0)) / 100
        for row in recount.rows("billable_items")
    }
    goods = {row["id"]: Decimal(row["price_including_tax"]) for row in recount.rows("products")}
    for table, prices, link in (
        ("appointment_type_billable_items", fees, "billable_item_id"),
        ("appointment_type_products", goods, "product_id"),
    ):
        for row in recount.rows(table):
            price = prices[row[link]] * Decimal(row["quantity"])
            price -= Decimal(row.get("discounted_amount") or 0) if row.get("is_monetary_discount") else 0
            price -= price * Decimal(row.get("discount_percentage") or 0) / 100
            kind = row["appointment_type_id"]
            found[kind] = found.get(kind, Decimal()) + price.quantize(CENT, ROUND_HALF_UP)
    return found


def unbilled(recount: Recount, first: date, last: date) -> Row:
    held = recount.kept(recount.within(first, last))
    free = [visit for visit in held if not visit.billed]
    prices = charged(recount)
    amounts = [prices[visit.kind] for visit in free if visit.kind in prices]
    return {
        "unbilled_visits": share(len(free), len(held)),
        "expected_for_them": {"count": len(amounts), "total": total(amounts)},
        "of_types_that_charge_nothing": share(len(free) - len(amounts), len(free)),
    }


def missing_notes(recount: Recount, first: date, last: date) -> Row:
    held = recount.kept(recount.within(first, last))
    open_ = [visit for visit in held if visit.note != FINAL]
    drafts = sum(visit.note == DRAFT for visit in open_)
    return {
        "visits_without_final_note": share(len(open_), len(held)),
        "visits_with_a_draft": share(drafts, len(held)),
        "visits_without_any_note": share(len(open_) - drafts, len(held)),
    }


def open_cases(recount: Recount) -> list[Row]:
    return [
        row
        for row in recount.rows("patient_cases")
        if not row.get("closed_at") and not row.get("archived_at")
        if not row.get("expiry_date") or date.fromisoformat(row["expiry_date"]) >= recount.today
    ]


def sessions(recount: Recount, case: Row) -> list[datetime]:
    """The starts of the visits that count towards a case, by its own rule."""
    return [datetime.fromisoformat(booking["starts_at"]) for booking in _bookings_of(recount, case)]


def _bookings_of(recount: Recount, case: Row) -> list[Row]:
    bookings = {row["id"]: row for table in BOOKED for row in recount.rows(table)}
    return [
        bookings[place["booking_id"]]
        for place in recount.rows("attendees")
        if place.get("patient_case_id") == case["id"] and not place.get("archived_at")
        if not place.get("cancelled_at") or case.get("include_cancelled_attendees")
        if place.get("arrived") is not False or case.get("include_dna_attendees")
    ]


def cases(recount: Recount, first: date, last: date) -> Row:
    """Those whose last day is among these; all of them where the days are those of all time."""
    found = open_cases(recount)
    if (first, last) != (date.min, date.max):
        found = [
            row for row in found if row.get("expiry_date") and first <= date.fromisoformat(row["expiry_date"]) <= last
        ]
    if recount.who or recount.site:
        found = [
            row
            for row in found
            if any(recount.mine(one["practitioner_id"], one["business_id"]) for one in _bookings_of(recount, row))
        ]
    left = [row["max_sessions"] - len(sessions(recount, row)) for row in found if row.get("max_sessions") is not None]
    soon = [
        row
        for row in found
        if row.get("expiry_date") and date.fromisoformat(row["expiry_date"]) <= recount.today + 30 * DAY
    ]
    return {
        "open_cases": {"count": len(found)},
        "with_a_session_limit": share(len(left), len(found)),
        "without_a_session_left": share(sum(number <= 0 for number in left), len(left)),
        "with_one_or_two_sessions_left": share(sum(0 < number <= 2 for number in left), len(left)),
        "over_their_limit": share(sum(number < 0 for number in left), len(left)),
        "expiring_within_30_days": share(len(soon), len(found)),
    }


def open_forms(recount: Recount, first: date, last: date) -> list[tuple[Row, Visit]]:
    """Forms of live visits of these days that are not completed, with the visit."""
    attendee = {row["id"]: row["booking_id"] for row in recount.rows("attendees")}
    mine = {(visit.booking, visit.patient): visit for visit in recount.within(first, last) if not visit.cancelled}
    return [
        (row, mine[place])
        for row in _waiting(recount)
        if (place := (_booking(row, attendee), row["patient_id"])) in mine
    ]


def _waiting(recount: Recount) -> list[Row]:
    rows = recount.rows("patient_forms")
    return [row for row in rows if not row.get("archived_at") and not row.get("completed_at")]


def _booking(row: Row, attendee: dict[str, str]) -> str:
    return row.get("booking_id") or attendee.get(str(row.get("attendee_id")), "")


def completed_forms(recount: Recount, first: date, last: date) -> list[Row]:
    attendee = {row["id"]: row["booking_id"] for row in recount.rows("attendees")}
    who = {row["id"]: row["practitioner_id"] for table in BOOKED for row in recount.rows(table)}
    return [
        row
        for row in recount.rows("patient_forms")
        if recount.mine(who.get(_booking(row, attendee)), row.get("business_id"))
        and not row.get("archived_at")
        and (at := moment(row.get("completed_at")))
        and first <= at.astimezone(recount.zones.get(row.get("business_id") or "", recount.home)).date() <= last
    ]


def forms(recount: Recount, first: date, last: date) -> Row:
    open_ = open_forms(recount, first, last)
    attendee = {row["id"]: row["booking_id"] for row in recount.rows("attendees")}
    done = completed_forms(recount, first, last)
    at_site = [row for row in _waiting(recount) if recount.site in (None, row.get("business_id"))]
    loose = sum(not _booking(row, attendee) for row in at_site)
    return {
        "open_forms": {"count": len(open_)},
        "visits_with_an_open_form": share(
            len({(visit.booking, visit.patient) for _, visit in open_}),
            sum(not visit.cancelled for visit in recount.within(first, last)),
        ),
        "forms_completed": {"count": len(done)},
        **({} if recount.who else {"open_forms_without_a_visit": {"count": loose}}),
    }


def _live_alerts(recount: Recount) -> list[Row]:
    rows = recount.rows("medical_alerts")
    return [row for row in rows if not row.get("archived_at") and row["patient_id"] in recount.in_use]


def old_alerts(recount: Recount, first: date, last: date) -> list[Row]:
    """Alerts of patients in use that were last touched on these days by the clock of the clinic's home."""
    return [
        row
        for row in _live_alerts(recount)
        if first <= datetime.fromisoformat(row["updated_at"]).astimezone(recount.home).date() <= last
    ]


def alerts(recount: Recount, first: date, last: date) -> Row:
    old = old_alerts(recount, first, last)
    return {
        "alerts_not_touched": share(len(old), len(_live_alerts(recount))),
        "patients_with_such_alerts": {"count": len({row["patient_id"] for row in old})},
    }


def source_of(recount: Recount) -> dict[str, str]:
    """The kind of source on each patient's file that has one."""
    kinds = {row["id"]: row["name"] for row in recount.rows("referral_source_types")}
    return {row["patient_id"]: kinds[row["referral_source_type_id"]] for row in recount.rows("referral_sources")}


def worth_of(recount: Recount, patients: Iterable[str]) -> dict[str, Decimal]:
    """What was invoiced to each of these patients: open and paid invoices."""
    found = dict.fromkeys(patients, Decimal())
    for row in invoices(recount):
        if row["status"] in (OPEN, PAID) and row.get("patient_id") in found:
            found[row["patient_id"]] += Decimal(row["total_amount"])
    return found


def sources(recount: Recount, first: date, last: date) -> Row:
    new = new_patients(recount, first, last)
    return {
        "invoiced_to_new_patients": {"count": len(new), "total": total(worth_of(recount, new).values())},
        "new_patients_with_a_source": share(len(new & source_of(recount).keys()), len(new)),
    }


def plain(text: str) -> str:
    """Words in small letters without accents, one space apart."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", " ", re.sub(r"<[^>]*>", " ", bare).replace("'", "")).strip()


def answers(content: Any) -> list[str]:
    """Everything that was answered in a note: texts, and the choices that were taken."""
    found: list[str] = []
    for section in (content or {}).get("sections", []):
        for question in section.get("questions", []):
            found.append(str(question.get("answer") or ""))
            found += [str(one["value"]) for one in question.get("answers") or [] if one.get("selected")]
    return found


def _notes(recount: Recount, first: date, last: date) -> list[Row]:
    return [
        row
        for row in recount.rows("treatment_notes")
        if not row.get("archived_at")
        and first <= datetime.fromisoformat(row["created_at"]).astimezone(recount.calendar).date() <= last
    ]


def notes_with(recount: Recount, first: date, last: date, words: str) -> list[Row]:
    """Notes begun on these days in which an answer holds the words, from the beginning of one on."""
    return [
        row
        for row in _notes(recount, first, last)
        if any(f" {plain(words)}" in f" {plain(text)}" for text in answers(row.get("content")))
    ]


def find_in_notes(recount: Recount, first: date, last: date, words: str) -> Row:
    found = notes_with(recount, first, last, words)
    return {
        "notes_with_the_words": share(len(found), len(_notes(recount, first, last))),
        "patients": {"count": len({row["patient_id"] for row in found})},
    }


def lacking(patient: Row) -> set[str]:
    """The ways in which a patient cannot be reached."""
    phones = [one for one in patient.get("patient_phone_numbers") or [] if len(re.sub(r"\D", "", one["number"])) >= 6]
    mobile = any(one["phone_type"] == "Mobile" for one in phones)
    lacks = {
        "phone": not phones,
        "email": not patient.get("email"),
        "mobile for SMS reminders": not mobile and "SMS" in (patient.get("reminder_type") or ""),
    }
    return {name for name, is_lacking in lacks.items() if is_lacking}


def missing_contacts(recount: Recount) -> Row:
    """All figures but that of emergency contacts."""
    every = [lacking(row) for row in recount.patients if row["id"] in recount.in_use]
    counts = {
        "patients_without_phone": sum("phone" in one for one in every),
        "patients_without_email": sum("email" in one for one in every),
        "patients_without_either": sum({"phone", "email"} <= one for one in every),
        "patients_with_phone_only": sum("email" in one and "phone" not in one for one in every),
        "patients_with_email_only": sum("phone" in one and "email" not in one for one in every),
        "sms_reminders_without_mobile": sum("mobile for SMS reminders" in one for one in every),
    }
    return {name: share(number, len(every)) for name, number in counts.items()}
