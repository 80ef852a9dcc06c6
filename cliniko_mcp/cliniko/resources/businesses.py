"""Businesses: the clinic's sites, each with its address, time zone and the appointment types offered there."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp, omittable
from cliniko_mcp.cliniko.filters import ARRAY, COMMON, FLAG, INSTANT
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Archive, Create, Get, List, Resource, Unarchive, Update


class BusinessDetails(Body):
    additional_information: str | None = Field(default=None, max_length=5000)
    additional_invoice_information: str | None = Field(default=None, max_length=5000)
    address_1: str | None = None
    address_2: str | None = None
    appointment_reminders_enabled: bool | None = None
    appointment_type_ids: list[Id] | None = None
    business_registration_name: str | None = None
    business_registration_value: str | None = None
    city: str | None = None
    contact_information: str | None = None
    country_code: str | None = Field(default=None, description="AU.")
    display_name: str | None = None
    email_reply_to: str | None = None
    post_code: str | None = None
    show_in_online_bookings: bool | None = None
    state: str | None = None
    time_zone: str | None = Field(default=None, description="Melbourne.")
    time_zone_identifier: str | None = None
    website_address: str | None = None


class BusinessBody(BusinessDetails):
    business_name: str | None
    logo: str = omittable(description="Base64.")
    logo_height: int = omittable()
    remove_logo: bool = omittable()


class Business(BusinessDetails, Record):
    concise = (
        "id", "business_name", "display_name", "address_1", "address_2", "city", "state", "post_code", "contact_information", "time_zone_identifier",
        "show_in_online_bookings", "archived_at", "deleted_at")

    id: Id
    archived_at: Timestamp | None = None
    business_name: str | None = None
    country: str | None = None
    created_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    label: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {
    "appointment_type_ids": ARRAY,
    "archived_at": INSTANT,
    "deleted_at": INSTANT,
    "show_in_online_bookings": FLAG,
}
STAMPS = ("archived_at", "deleted_at")


class Businesses(Resource):
    """The clinic's sites: locations, branches, rooms under one roof with their own address and time zone."""

    list_businesses = List(Business, "/businesses", "List sites (locations, branches) with address and time zone.", filters=FILTERS)
    get_business = Get(Business, "/businesses/{id}", "Read one site (location) with its contact details.", hidden=STAMPS)
    create_business = Create(BusinessBody, Business, "/businesses", "Add a site (location, branch).")
    update_business = Update(BusinessBody, Business, "/businesses/{id}", "Change a site's details or the types offered there.")
    archive_business = Archive("/businesses/{id}/archive", "Close a site (location). unarchive_business reopens it.")
    unarchive_business = Unarchive(Business, "/businesses/{id}/unarchive", "Reopen an archived site (location).")
    delete_business = Archive(
        "/businesses/{id}",
        "Archive a site the old way. Deprecated: use archive_business.",
        method="DELETE", replaced_by="archive_business")
