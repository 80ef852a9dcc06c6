"""Communications: emails and texts that Cliniko sent, replies to them, and memos.

Source: cliniko-api.md#communications-phones-zones.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.sandbox.rules.communications import MEMO_CODE
from cliniko_mcp.sandbox.seed.builder import SeedBuilder
from cliniko_mcp.sandbox.seed.patients import others
from cliniko_mcp.sandbox.seed.visits import Visit, reminders_of
from cliniko_mcp.sandbox.wire import Json

SMS, EMAIL, PHONE, OTHER = 1, 2, 3, 4
SENT, RECEIVED = 1, 2
REMINDER, CONFIRMATION, REPLY, INVOICE = 1, 4, 8, 3
_MEMOS: Final = (
    (PHONE, RECEIVED, "Asked for a copy of the last invoice; posted it."),
    (PHONE, SENT, "Left a message about the free place on Friday."),
    (OTHER, RECEIVED, "Dropped in to say the new insoles fit well."),
    (EMAIL, SENT, "Sent the exercise sheet again."),
)
_SINCE: Final = timedelta(days=45)


def build_messages(builder: SeedBuilder, visits: Sequence[Visit]) -> None:
    """Reminders of the last weeks, confirmations of what was booked lately, some replies, and memos."""
    rng = builder.rng("messages")
    for visit in visits:
        if (
            visit.in_group
            or visit.cancelled
            or visit.starts < builder.now - _SINCE
            or visit.patient.get("label") is None
        ):
            continue
        reminded = visit.starts - timedelta(days=1)
        sms, email = reminders_of(visit.patient)
        if reminded < builder.now:
            if sms:
                _add(builder, visit, reminded, SMS, REMINDER, "Reminder: we see you tomorrow.")
            if email:
                _add(builder, visit, reminded, EMAIL, REMINDER, "Reminder: we see you tomorrow.")
        elif visit.made > builder.now - timedelta(days=14) and visit.patient.get("email") and rng.random() < 0.5:
            _add(builder, visit, visit.made, EMAIL, CONFIRMATION, "Your appointment is booked.")
        if sms and reminded < builder.now and rng.random() < 0.08:
            _reply(builder, visit)
        if visit.shared.get("invoice_status") and visit.patient.get("email") and rng.random() < 0.1:
            _add(builder, visit, visit.ends, EMAIL, INVOICE, "Please find your invoice attached.")
    _add_memos(builder)


def _add(builder: SeedBuilder, visit: Visit, made: datetime, message_type: int, category: int, text: str) -> None:
    phone, email = _phone_and_email(visit)
    values: Json = {
        "patient_id": visit.patient["id"],
        "booking_id": visit.booking_id,
        "attendee_id": visit.attendee_id,
        "type_code": message_type,
        "category_code": category,
        "direction_code": SENT,
        "from": visit.site if message_type == SMS else f"{visit.site.lower()}@clinic.example",
        "to": phone if message_type == SMS else email,
        "content": f"Dear {visit.patient.get('first_name')}, {text}",
        "content_subject": text if message_type == EMAIL else None,
    }
    builder.add("communications", values, made=min(made, builder.now))


def _reply(builder: SeedBuilder, visit: Visit) -> None:
    phone, _ = _phone_and_email(visit)
    values: Json = {
        "patient_id": visit.patient["id"],
        "type_code": SMS,
        "category_code": REPLY,
        "direction_code": RECEIVED,
        "from": phone,
        "to": visit.site,
        "content": "Yes, see you then 👍",
    }
    builder.add("communications", values, made=min(visit.starts - timedelta(hours=20), builder.now))


def _phone_and_email(visit: Visit) -> tuple[str | None, str | None]:
    phones, email = visit.patient.get("patient_phone_numbers"), visit.patient.get("email")
    first = phones[0] if isinstance(phones, list) and phones else None
    number = str(first.get("number")) if isinstance(first, dict) else None
    return number, email if isinstance(email, str) else None


def _add_memos(builder: SeedBuilder) -> None:
    rng = builder.rng("memos")
    patients = others(builder)
    for number in range(80):
        message_type, direction, text = _MEMOS[number % len(_MEMOS)]
        patient = rng.choice(patients)
        ends = ("Front desk", str(patient.get("label") or "Patient"))
        memo: Json = {
            "patient_id": patient["id"],
            "type_code": message_type,
            "category_code": MEMO_CODE,
            "direction_code": direction,
            "from": ends[direction - 1],
            "to": ends[2 - direction],
            "content": text,
            "confidential": number % 20 == 7,
        }
        row = builder.add("communications", memo, days_ago=rng.randint(1, 400))
        if number % 40 == 39:
            builder.archive("communications", row, 1)
