"""What holds for every write of the registry: points 10, 11, 14 to 17 and 21 of the checklist, each write by itself."""

from datetime import timedelta
from typing import Any

import pytest

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.field_types import FieldType, field_type, wire_name
from cliniko_mcp.sandbox.links import target_of
from cliniko_mcp.sandbox.serialise import record_of

from .client import BASE, Client, body_of, errors
from .full_bodies import BODIES
from .world import World

OPERATIONS = list(registry.operations().values())
NOBODY = "9999999999999999999"


def named(*shapes: str) -> list[Operation]:
    return [operation for operation in OPERATIONS if operation.shape in shapes]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def kept(world: World, resource: str, row_id: str) -> Any:
    return world.sandbox.context.store.get(resource, row_id)


def good_body(world: World, operation: Operation) -> dict[str, Any]:
    assert operation.given_body is not None
    known = operation.given_body.wire_names().values()
    return {name: value for name, value in BODIES[operation.resource](world).items() if name in known}


@pytest.mark.long
@pytest.mark.parametrize("operation", named("archive"), ids=lambda operation: operation.name)
def test_10_every_way_to_archive_stamps_once_and_answers_with_nothing(world: World, operation: Operation) -> None:
    own = world.make(operation.resource)
    path = world.path(operation, own)
    answer = world.client.request(operation.method, path)
    assert (answer.status, answer.body) == (204, b"")
    row = kept(world, operation.resource, own)
    now = world.sandbox.clock.stamp()
    assert row["archived_at"] == row["updated_at"] == now
    both = "deleted_at" in record_of(operation.resource).model_fields
    assert row.get("deleted_at") == (now if both else None)
    world.client.get(f"/{operation.resource}/{own}", status=404)
    again = world.client.request(operation.method, path)
    assert again.status == 404 and kept(world, operation.resource, own) == row


@pytest.mark.parametrize("operation", named("delete"), ids=lambda operation: operation.name)
def test_10_the_four_true_deletes_leave_nothing(world: World, operation: Operation) -> None:
    own = world.make(operation.resource)
    path = world.path(operation, own)
    answer = world.client.request("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    assert kept(world, operation.resource, own) is None
    for method in ("GET", "PATCH", "DELETE"):
        assert world.client.request(method, path, body={}).status == 404


@pytest.mark.long
@pytest.mark.parametrize("operation", named("unarchive"), ids=lambda operation: operation.name)
def test_11_what_comes_back_is_what_went(world: World, operation: Operation) -> None:
    own = world.make(operation.resource)
    before = world.client.get(f"/{operation.resource}/{own}")
    path = world.path(operation, own)
    assert world.client.request("POST", path).status == 404  # it is not archived yet
    world.client.post(f"/{operation.resource}/{own}/archive", status=204)
    shown = world.client.post(path, status=200)
    assert {**shown, "updated_at": None} == {**before, "updated_at": None}
    assert own in {row["id"] for row in world.client.rows(f"/{operation.resource}")}


IDS = [
    (operation, wire_name(name, field))
    for operation in named("create", "update")
    if operation.given_body is not None and operation.resource in BODIES
    for name, field in operation.given_body.model_fields.items()
    if field_type(field) in (FieldType.ID, FieldType.IDS) and target_of(operation.resource, wire_name(name, field))
]


@pytest.mark.parametrize(("operation", "name"), IDS, ids=lambda value: getattr(value, "name", value))
def test_14_no_id_may_name_nobody(world: World, operation: Operation, name: str) -> None:
    assert operation.given_body is not None
    many = next(
        field_type(field) is FieldType.IDS
        for own, field in operation.given_body.model_fields.items()
        if wire_name(own, field) == name
    )
    path = world.path(operation, world.ids[operation.resource] if operation.shape == "update" else None)
    body = good_body(world, operation) if operation.shape == "create" else {}
    refused = world.client.request(operation.method, path, body={**body, name: [NOBODY] if many else NOBODY})
    assert refused.status == 422 and errors(body_of(refused))[name] == "is invalid"


CREATES = [operation for operation in named("create") if operation.resource in BODIES]


@pytest.mark.parametrize("operation", CREATES, ids=lambda operation: operation.name)
def test_16_every_create_says_where_and_drops_what_it_does_not_know(world: World, operation: Operation) -> None:
    stray = {"id": "1", "created_at": "2001-01-01T00:00:00Z", "archived_at": "2001-01-01T00:00:00Z", "shoe_size": 44}
    answer = world.client.request("POST", operation.path, body={**good_body(world, operation), **stray})
    made = body_of(answer)
    assert (answer.status, answer.headers["Location"]) == (201, f"{BASE}/{operation.resource}/{made['id']}")
    assert made["links"] == {"self": answer.headers["Location"]}
    assert made["id"] != "1" and made["created_at"] == made["updated_at"] == world.sandbox.clock.stamp()
    assert "shoe_size" not in made and made.get("archived_at") is None
    assert world.client.get(f"/{operation.resource}/{made['id']}") == made


UPDATES = [operation for operation in named("update") if operation.resource in BODIES]


@pytest.mark.parametrize("operation", UPDATES, ids=lambda operation: operation.name)
def test_17_every_update_that_changes_nothing_leaves_the_stamp(world: World, operation: Operation) -> None:
    own = world.make(operation.resource)
    path = world.path(operation, own)
    world.sandbox.clock.advance(timedelta(minutes=1))  # a new attachment is processed by then
    before = world.client.get(path)
    world.sandbox.clock.advance(timedelta(minutes=1))
    for method in ("PATCH", "PUT"):
        for body in ({}, {"shoe_size": 44, "created_at": "2001-01-01T00:00:00Z"}, _texts(before)):
            answer = world.client.request(method, path, body=body)
            assert (answer.status, body_of(answer)) == (200, before), body


def _texts(shown: dict[str, Any]) -> dict[str, Any]:
    """The texts and flags of a record as it was read, written back."""
    return {name: value for name, value in shown.items() if isinstance(value, str | bool) and value}


CLINICAL = {"administrator", "practitioner"}
PRICES = {"administrator", "power receptionist", "bookkeeper"}
MONEY = {"administrator", "practitioner", "power receptionist", "receptionist", "bookkeeper"}
READERS = {
    "users": {"administrator"},
    "settings": {"administrator"},
    "treatment_notes": CLINICAL,
    "invoices": MONEY,
    "invoice_items": MONEY,
}
WRITERS = {
    "treatment_notes": CLINICAL,
    "treatment_note_templates": CLINICAL,
    "businesses": {"administrator"},
    "appointment_types": {"administrator", "power receptionist"},
    **dict.fromkeys(("taxes", "billable_items", "products", "product_suppliers"), PRICES),
}


@pytest.mark.parametrize("role", ["administrator", *sorted((MONEY | {"scheduler"}) - {"administrator"})])
def test_21_every_door_opens_for_its_roles_only(world: World, role: str) -> None:
    client = Client(world.sandbox, role)
    for operation in OPERATIONS:
        path = operation.path
        for name in operation.path_ids:
            path = path.replace(f"{{{name}}}", "1")
        what = path.rsplit("/", 1)[-1] if operation.listing else path.split("/")[1]
        doors = READERS if operation.method == "GET" else WRITERS
        if operation.path in ("/user", "/settings/public"):
            what = "open to all"
        answer = client.request(operation.method, path, body={} if operation.body else None)
        assert (answer.status == 403) is (role not in doors.get(what, {role})), (operation.name, answer.status)
        assert answer.status != 403 or answer.body == b""
