"""Public settings: the part of the account's settings that every key may read."""

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, Resource
from cliniko_mcp.cliniko.shapes.account import (
    Account,
    Calendar,
    DocumentsAndPrinting,
    Integrations,
    OnlineBookings,
    OnlinePayments,
    PatientPrivacy,
    Reminders,
    Sms,
    Terminology,
    WaitList,
)
from cliniko_mcp.cliniko.shapes.custom_fields import CustomFieldsRecord


class PublicSettings(Record):
    account: Account | None = None
    calendar: Calendar | None = None
    documents_and_printing: DocumentsAndPrinting | None = None
    integrations: Integrations | None = None
    online_bookings: OnlineBookings | None = None
    online_payments: OnlinePayments | None = None
    patient_custom_fields_definition: CustomFieldsRecord | None = None
    patient_privacy: PatientPrivacy | None = None
    reminders: Reminders | None = None
    sms: Sms | None = None
    terminology: Terminology | None = None
    wait_list: WaitList | None = None


class PublicSettingsOfAccount(Resource):
    """How the clinic has set up its account, as far as every key may know."""

    get_public_settings = Get(PublicSettings, "/settings/public", "Read settings open to every role: booking rules, patient custom fields, terminology.")
