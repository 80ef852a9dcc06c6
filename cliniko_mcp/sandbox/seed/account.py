"""The account's settings, as an administrator reads them (cliniko-api.md#account)."""

from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.seed.builder import SYDNEY, SeedBuilder
from cliniko_mcp.sandbox.seed.staff import PRACTITIONERS

_LIFE, _SPORT, _GOALS, _SINCE, _HANDED = (f"5d1f0e2a-7c3b-4e8d-9a41-0b6c2f3e4d0{digit}" for digit in range(5))
_NONE, _SOME, _MUCH = (f"5d1f0e2a-7c3b-4e8d-9a41-0b6c2f3e4e0{digit}" for digit in range(3))


def _field(token: str, name: str, field_type: str, **more: JsonValue) -> dict[str, JsonValue]:
    return {"token": token, "name": name, "type": field_type, "archived": False, **more}


def _options(**names: str) -> list[JsonValue]:
    return [{"token": token, "name": name, "archived": False} for name, token in names.items()]


CUSTOM_FIELDS: Final[list[JsonValue]] = [
    {
        "token": _LIFE,
        "name": "Life and sport",
        "archived": False,
        "fields": [
            _field(
                _SPORT,
                "Sport",
                "radiobuttons",
                options=_options(Never=_NONE, Weekly=_SOME, Daily=_MUCH),
                other={"enabled": True},
            ),
            _field(_GOALS, "Goals", "paragraph"),
            _field(_SINCE, "Symptoms since", "date"),
            {**_field(_HANDED, "Dominant hand", "text"), "archived": True},
        ],
    }
]
"""The custom fields of patients; the last field is archived."""


def custom_answers(number: int, since: str) -> dict[str, JsonValue]:
    """The answers of one patient, by token; the same number has the same answers."""
    sport: dict[str, JsonValue] = {"token": _SPORT}
    if number % 4:
        sport["options"] = [{"token": (_NONE, _SOME, _MUCH)[number % 3], "selected": True}]
    else:
        sport["other"] = {"selected": True, "value": "Chess"}
    fields: list[JsonValue] = [sport, {"token": _SINCE, "value": since}]
    return {"sections": [{"token": _LIFE, "fields": fields}]}


def build_account(builder: SeedBuilder) -> None:
    """Settings of a clinic with online bookings on; the account counts its days in the zone of its owner."""
    row: dict[str, JsonValue] = {"id": "settings", "time_zone_identifier": SYDNEY, "shown": _shown(builder)}
    builder.context.store.put("settings", row)


def _shown(builder: SeedBuilder) -> dict[str, JsonValue]:
    return {
        "account": {
            "id": "4711",
            "name": "Northside & Riverside Allied Health",
            "country": "Australia",
            "country_code": "AU",
            "currency_symbol": "$",
            "subdomain": "demo-clinic",
            "time_zone_support": True,
            "has_time_travelers": True,
            "first_name": "Mei",
            "last_name": "Ng",
            "email_from": "hello@clinic.example",
            "compliance": {"has_hipaa_compliance_conflicts": False, "hipaa_compliance-conflict_messages": []},
        },
        "calendar": {
            "start_hour": 7,
            "end_hour": 20,
            "timeslot_size_in_minutes": 15,
            "timeslot_height_in_pixels": 20,
            "multiple_appointments_gap": True,
            "show_current_time_indicator": True,
        },
        "documents_and_printing": {"logo_url": None, "logo_height": 60},
        "integrations": {
            "mail_chimp": {"enabled": False},
            "xero": {"enabled": True},
            "medipass": {"enabled": False},
        },
        "online_bookings": _online_bookings(builder),
        "online_payments": {"activated": False},
        "patient_custom_fields_definition": {"sections": CUSTOM_FIELDS},
        "patient_privacy": {
            "browser_title_name_format": "initials",
            "ical_patient_name_option": "initials",
            "prevent_sending_financial_data_by_email": False,
            "requires_hipaa_compliance": False,
            "anonymise_appointments_on_deletion": True,
            "anonymise_booking_notifications": False,
            "anonymise_invoices_and_payments_on_deletion": False,
            "baa_requested": False,
        },
        "reminders": {"default_reminder_type": "SMS & Email"},
        "sms": {
            "alphanumeric_source_number_required": False,
            "default_alphanumeric_source_number": "CLINIC",
            "max_message_length": 612,
            "number_of_usable_characters_per_message": 160,
            "replies_supported": True,
        },
        "terminology": {"patient": "patient", "titles": ["Mr", "Mrs", "Ms", "Miss", "Mx", "Dr"]},
        "wait_list": {"default_wait_list_expiry_period": 30},
    }


def _online_bookings(builder: SeedBuilder) -> dict[str, JsonValue]:
    order: list[JsonValue] = [builder.id("practitioners", person.name) for person in PRACTITIONERS if person.online]
    return {
        "enabled": True,
        "allow_bookings_days_in_advance": 84,
        "min_hours_advance_required_to_book": 2,
        "max_appointments_per_day_segment": 0,
        "daily_bookings_limit": 0,
        "booking_reservation_minutes": 10,
        "min_hours_notice_for_patient_cancellation": 24,
        "practitioner_order": order,
        "allow_online_bookings_time_zone_choice": False,
        "show_prices": True,
        "show_appointment_duration": True,
        "require_patient_address": False,
        "policy": "Please give 24 hours' notice when you cannot come.",
        "privacy_policy_url": "https://clinic.example/privacy",
        "notice_enabled": False,
        "notice_title": None,
        "notice_text": None,
        "disabled_title": None,
        "disabled_text": None,
        "calendar_info": None,
        "logo_url": None,
        "notify_practitioner_by_email": True,
        "notify_practitioner_by_sms": False,
        "adroll": {"advertiser_id": None, "pixel_id": None},
        "google_analytics": {"tracking_id": None},
        "google_tag_manager": {"container_id": None},
    }
