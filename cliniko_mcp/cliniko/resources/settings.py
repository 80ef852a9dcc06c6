"""Settings: how the account is set up, in full. Only roles that may see settings can read them, and nobody changes them here."""

from pydantic import Field

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, Resource
from cliniko_mcp.cliniko.shapes.account import (
    Account,
    AccountSettings,
    Integrations,
    OnlineBookings,
    PatientPrivacy,
    Switch,
)


class Compliance(Record):
    has_hipaa_compliance_conflicts: bool | None = None
    # Cliniko spells this one name with a hyphen.
    hipaa_compliance_conflict_messages: list[str] | None = Field(
        default=None, alias="hipaa_compliance-conflict_messages"
    )


class PrivateAccount(Account):
    compliance: Compliance | None = None
    email_from: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class PrivateIntegrations(Integrations):
    medipass: Switch | None = None


class Adroll(Record):
    advertiser_id: str | None = None
    pixel_id: str | None = None


class GoogleAnalytics(Record):
    tracking_id: str | None = None


class GoogleTagManager(Record):
    container_id: str | None = None


class PrivateOnlineBookings(OnlineBookings):
    adroll: Adroll | None = None
    google_analytics: GoogleAnalytics | None = None
    google_tag_manager: GoogleTagManager | None = None


class PrivatePatientPrivacy(PatientPrivacy):
    anonymise_appointments_on_deletion: bool | None = None
    anonymise_booking_notifications: bool | None = None
    anonymise_invoices_and_payments_on_deletion: bool | None = None
    baa_requested: bool | None = None


class Settings(AccountSettings[PrivateAccount, PrivateIntegrations, PrivateOnlineBookings, PrivatePatientPrivacy]):
    """The settings with what only some roles may see."""


class SettingsOfAccount(Resource):
    """How the clinic has set up its account."""

    get_settings = Get(Settings, "/settings", "Read all settings: owner, privacy, compliance.")
