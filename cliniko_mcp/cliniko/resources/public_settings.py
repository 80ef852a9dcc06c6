"""Public settings: the part of the account's settings that every key may read."""

from cliniko_mcp.cliniko.operations import Get, Resource
from cliniko_mcp.cliniko.shapes.account import (
    Account,
    AccountSettings,
    Integrations,
    OnlineBookings,
    PatientPrivacy,
)


class PublicSettings(AccountSettings[Account, Integrations, OnlineBookings, PatientPrivacy]):
    """The settings without what only some roles may see."""


class PublicSettingsOfAccount(Resource):
    """How the clinic has set up its account, as far as every key may know."""

    get_public_settings = Get(PublicSettings, "/settings/public", "Read booking rules, custom fields, terminology: settings for every role.")
