"""Services: which appointment type is offered at which site, and by whom."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import List, Resource


class Service(Record):
    appointment_type_id: Id | None = None
    business_id: Id | None = None
    practitioners: list[Id] | None = Field(default=None, description="Ids of those who offer the type at this site.")


class Services(Resource):
    """The offer of the clinic: a row for each site and appointment type."""

    list_services = List(Service, "/services", "List who offers which appointment type (service) at which site.")
    list_business_services = List(Service, "/businesses/{business_id}/services", "List the appointment types (services) of one site, and who offers them.")
