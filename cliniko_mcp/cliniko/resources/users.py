"""Users: the people who can log in, with role and time zone. They are set up in Cliniko itself and only read here."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource
from cliniko_mcp.cliniko.shapes.phones import PhoneNumberRecord


class User(Record):
    concise = ("id", "title", "first_name", "last_name", "role", "email", "active", "time_zone_identifier")

    id: Id
    active: bool | None = None
    created_at: Timestamp | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone_numbers: list[PhoneNumberRecord] | None = None
    role: str | None = Field(default=None, description="Decides what the login may see and change.")
    time_zone: str | None = None
    time_zone_identifier: str | None = None
    title: str | None = None
    updated_at: Timestamp | None = None
    user_active: bool | None = None


class Users(Resource):
    """Logins of the clinic's staff: receptionists, managers, practitioners, bookkeepers."""

    list_users = List(User, "/users", "List staff logins with their roles, if you are an administrator.", filters=COMMON)
    get_user = Get(User, "/users/{id}", "Read one staff login.")
    get_authenticated_user = Get(User, "/user", "Read whose key this is: name, role, time zone.")
