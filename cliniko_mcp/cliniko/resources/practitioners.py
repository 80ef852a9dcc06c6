"""Practitioners: the people who see patients, each with a diary. They are set up in Cliniko itself and only read here."""

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, FLAG, NUMBER
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource


class Practitioner(Record):
    concise = ("id", "label", "designation", "active", "show_in_online_bookings", "user_id")

    id: Id
    active: bool | None = None
    created_at: Timestamp | None = None
    default_appointment_type_id: Id | None = None
    description: str | None = None
    designation: str | None = None
    display_name: str | None = None
    first_name: str | None = None
    label: str | None = None
    last_name: str | None = None
    show_in_online_bookings: bool | None = None
    title: str | None = None
    updated_at: Timestamp | None = None
    user_id: Id | None = None


FILTERS = COMMON | {"active": FLAG, "show_in_online_bookings": FLAG, "user_id": NUMBER}


class Practitioners(Resource):
    """The clinicians: physios, osteos, psychologists and others who see patients."""

    list_practitioners = List(Practitioner, "/practitioners", "List current practitioners (clinicians).", filters=FILTERS)
    list_inactive_practitioners = List(Practitioner, "/practitioners/inactive", "List practitioners (clinicians) who have left.", filters=FILTERS)
    get_practitioner = Get(Practitioner, "/practitioners/{id}", "Read one practitioner (clinician).")
    list_appointment_type_practitioners = List(
        Practitioner, "/appointment_types/{appointment_type_id}/practitioners",
        "List the practitioners who offer one appointment type.",
        filters=FILTERS)
    list_inactive_appointment_type_practitioners = List(
        Practitioner, "/appointment_types/{appointment_type_id}/practitioners/inactive",
        "List former practitioners who offered one appointment type.",
        filters=FILTERS)
    list_business_practitioners = List(Practitioner, "/businesses/{business_id}/practitioners", "List the practitioners who work at one site.", filters=FILTERS)
    list_inactive_business_practitioners = List(
        Practitioner, "/businesses/{business_id}/practitioners/inactive",
        "List former practitioners of one site.",
        filters=FILTERS)
