"""Businesses: the clinic's sites, each with its address, time zone and the appointment types offered there."""

from pydantic import Field

from cliniko_mcp.fields import Id, Instant, omittable
from cliniko_mcp.filters import ARRAY, COMMON, FLAG, INSTANT
from cliniko_mcp.model import Body, Record
from cliniko_mcp.operation import Archive, Create, Get, List, Resource, Unarchive, Update


class BusinessDetails(Body):
    additional_information: str | None = Field(default=None, max_length=5000)
    additional_invoice_information: str | None = Field(default=None, max_length=5000)
    address_1: str | None = None
    address_2: str | None = None
    appointment_reminders_enabled: bool | None = None
    appointment_type_ids: list[Id] | None = Field(default=None, description="All types offered here; replaces the list.")
    business_registration_name: str | None = Field(default=None, description="Kind of registration, such as ABN.")
    business_registration_value: str | None = Field(default=None, description="The registration number itself.")
    city: str | None = None
    contact_information: str | None = None
    country_code: str | None = Field(default=None, description="Two letters, such as AU.")
    display_name: str | None = Field(default=None, description="Name that patients see.")
    email_reply_to: str | None = None
    post_code: str | None = None
    show_in_online_bookings: bool | None = None
    state: str | None = None
    time_zone: str | None = Field(default=None, description="Label such as Melbourne; wins over time_zone_identifier.")
    time_zone_identifier: str | None = Field(default=None, description="IANA name such as Australia/Melbourne.")
    website_address: str | None = None


class BusinessBody(BusinessDetails):
    business_name: str | None = Field()
    logo: str = omittable(description="An image file in base64; it cannot be read back.")
    logo_height: int = omittable()
    remove_logo: bool = omittable(description="true takes the logo away.")


class Business(BusinessDetails, Record):
    concise = ("id", "business_name", "display_name", "address_1", "address_2", "city", "state", "post_code", "contact_information", "time_zone_identifier", "show_in_online_bookings", "archived_at", "deleted_at")

    id: Id
    archived_at: Instant | None = None
    business_name: str | None = None
    country: str | None = None
    created_at: Instant
    deleted_at: Instant | None = None
    label: str | None = None
    updated_at: Instant


FILTERS = COMMON | {
    "appointment_type_ids": ARRAY,
    "archived_at": INSTANT,
    "deleted_at": INSTANT,
    "show_in_online_bookings": FLAG,
}
STAMPS = ("archived_at", "deleted_at")


class Businesses(Resource):
    """The clinic's sites: locations, branches, rooms under one roof with their own address and time zone."""

    list_businesses = List(Business, "/businesses", "List the clinic's sites (locations, branches) with address and time zone. appointment_type_ids finds the sites that offer one type. Closed sites are hidden.",
                           filters=FILTERS, synonyms="locations branches clinics offices where are we addresses sites")
    get_business = Get(Business, "/businesses/{id}", "Read one site (location): address, contact details, time zone and the appointment types offered there.",
                       hidden=STAMPS, synonyms="location branch clinic address opening details phone")
    create_business = Create(BusinessBody, Business, "/businesses", "Add a site (location, branch) to the clinic. Give its time zone as a label or an IANA name. Practitioners' hours there are set in Cliniko itself.",
                             synonyms="open new location branch clinic office")
    update_business = Update(BusinessBody, Business, "/businesses/{id}", "Change a site's name, address, time zone, logo, or the appointment types offered there.",
                             synonyms="edit location address branch details offer type at site rename clinic")
    archive_business = Archive("/businesses/{id}/archive", "Close a site by archiving it: it leaves lists and can no longer be booked. unarchive_business brings it back.",
                               synonyms="close location shut branch remove clinic hide site")
    unarchive_business = Unarchive(Business, "/businesses/{id}/unarchive", "Reopen an archived site so that it is listed and can be booked again.",
                                   synonyms="restore location bring back branch reopen clinic undo archive")
    delete_business = Archive("/businesses/{id}", "Archive a site the old way. Deprecated: use archive_business.", method="DELETE", replaced_by="archive_business")
