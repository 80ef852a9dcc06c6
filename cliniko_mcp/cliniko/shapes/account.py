"""The groups of an account's settings that everyone may read; the full settings add to some of them.

Source: cliniko-api.md#account.
"""

from typing import Generic, TypeVar

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Uri
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.shapes.custom_fields import CustomFieldsRecord


class Account(Record):
    """The account itself: its id, name, subdomain, country and currency."""

    id: Id | None = None
    country: str | None = None
    country_code: str | None = None
    currency_symbol: str | None = None
    has_time_travelers: bool | None = None
    name: str | None = None
    subdomain: str | None = None
    time_zone_support: bool | None = None


class Calendar(Record):
    """The calendar's display: hours from 0 to 24, slots in minutes."""

    end_hour: int | None = None
    multiple_appointments_gap: bool | None = None
    show_current_time_indicator: bool | None = None
    start_hour: int | None = None
    timeslot_height_in_pixels: int | None = None
    timeslot_size_in_minutes: int | None = None


class DocumentsAndPrinting(Record):
    """The logo on documents, its height in pixels."""

    logo_height: int | None = None
    logo_url: Uri | None = None


class Switch(Record):
    """Whether a connection to another system is on."""

    enabled: bool | None = None


class Integrations(Record):
    """The connections to other systems."""

    mail_chimp: Switch | None = None
    xero: Switch | None = None


class OnlineBookings(Record):
    """What patients may book online: limits in days, hours and minutes, and the texts that they see."""

    allow_bookings_days_in_advance: int | None = None
    allow_online_bookings_time_zone_choice: bool | None = None
    booking_reservation_minutes: int | None = None
    calendar_info: str | None = None
    daily_bookings_limit: int | None = None
    disabled_text: str | None = None
    disabled_title: str | None = None
    enabled: bool | None = None
    logo_url: Uri | None = None
    max_appointments_per_day_segment: int | None = Field(
        default=None, description="Offered at most in a morning, an afternoon (from 12:00) or an evening (from 17:00)."
    )
    min_hours_advance_required_to_book: int | None = None
    min_hours_notice_for_patient_cancellation: int | None = None
    notice_enabled: bool | None = None
    notice_text: str | None = None
    notice_title: str | None = None
    notify_practitioner_by_email: bool | None = None
    notify_practitioner_by_sms: bool | None = None
    policy: str | None = None
    practitioner_order: list[Id] | None = None
    privacy_policy_url: Uri | None = None
    require_patient_address: bool | None = None
    show_appointment_duration: bool | None = None
    show_prices: bool | None = None


class OnlinePayments(Record):
    """Whether patients can pay online."""

    activated: bool | None = None


class PatientPrivacy(Record):
    """How much of a patient's name and finances leaves Cliniko in titles, calendars and emails."""

    browser_title_name_format: str | None = None
    ical_patient_name_option: str | None = None
    prevent_sending_financial_data_by_email: bool | None = None
    requires_hipaa_compliance: bool | None = None


class Reminders(Record):
    """The type of reminder that new patients start with."""

    default_reminder_type: str | None = None


class Sms(Record):
    """How text messages are sent: the sender, and the characters that fit into one."""

    alphanumeric_source_number_required: bool | None = None
    default_alphanumeric_source_number: str | None = None
    max_message_length: int | None = None
    number_of_usable_characters_per_message: int | None = None
    replies_supported: bool | None = None


class Terminology(Record):
    """The clinic's own words: patient or client, and the titles to choose from."""

    patient: str | None = Field(default=None, description="The clinic says patient or client.")
    titles: list[str] | None = None


class WaitList(Record):
    """How long an entry of the wait list lasts."""

    default_wait_list_expiry_period: int | None = None


AccountT = TypeVar("AccountT", bound=Account)
IntegrationsT = TypeVar("IntegrationsT", bound=Integrations)
OnlineBookingsT = TypeVar("OnlineBookingsT", bound=OnlineBookings)
PatientPrivacyT = TypeVar("PatientPrivacyT", bound=PatientPrivacy)


class AccountSettings(Record, Generic[AccountT, IntegrationsT, OnlineBookingsT, PatientPrivacyT]):
    """All groups of fields; four of them hold more in the full settings."""

    account: AccountT | None = None
    calendar: Calendar | None = None
    documents_and_printing: DocumentsAndPrinting | None = None
    integrations: IntegrationsT | None = None
    online_bookings: OnlineBookingsT | None = None
    online_payments: OnlinePayments | None = None
    patient_custom_fields_definition: CustomFieldsRecord | None = None
    patient_privacy: PatientPrivacyT | None = None
    reminders: Reminders | None = None
    sms: Sms | None = None
    terminology: Terminology | None = None
    wait_list: WaitList | None = None
