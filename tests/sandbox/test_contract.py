"""The contract: each operation answers with a body that its own Record reads as expected (point 80).

Where the official description is at hand, the status and the body are held against it too. The clinic of these tests
has at least one record of every kind, made through the API wherever it makes such records.
"""

import os
from typing import Any

import pytest

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.wire import SandboxResponse

from .description import ABSENT, ADDRESS, problems, success
from .world import World

OPERATIONS = list(registry.operations().values())
STATUS = {"create": 201, "archive": 204, "delete": 204, "cancel": 204}
"""The status of each shape's good answer; all others are 200."""

EMPTY = frozenset(
    {
        # Nobody who has left was at that site or gave that type.
        "list_inactive_business_practitioners",
        "list_inactive_appointment_type_practitioners",
    }
)


UNDESCRIBED = ("$.fields.x-amz-date: is not described",)
"""What S3 needs and the description forgets."""


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def body_of(operation: Operation, answer: SandboxResponse) -> Any:
    """The JSON of an answer that has the shape's status."""
    assert answer.status == STATUS.get(operation.shape, 200), (operation.name, answer.body.decode())
    return answer.json() if answer.body else None


def test_the_contract_has_at_least_211_operations() -> None:
    assert len(OPERATIONS) >= 211


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_80_every_operation_answers_as_its_own_record_reads(world: World, operation: Operation) -> None:
    body = body_of(operation, world.answer(operation))
    if operation.record is None:
        assert body is None
    elif operation.listing and operation.resource != "available_times":
        rows = body[operation.resource]
        assert rows or operation.name in EMPTY
        assert [row for row in rows if operation.record.read(row).unexpected] == []
    else:
        assert operation.record.read(body).unexpected == {}


@pytest.mark.long_but_one
@pytest.mark.skipif(ADDRESS not in os.environ, reason=ABSENT)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_80_every_operation_answers_as_it_is_described(world: World, operation: Operation) -> None:
    answer = world.answer(operation)
    status, schema = success(operation)
    body = body_of(operation, answer)
    assert answer.status == status
    assert (schema is None) == (body is None)
    found = problems(schema, body) if schema is not None else []
    assert [problem for problem in found if problem not in UNDESCRIBED] == []


@pytest.mark.skipif(ADDRESS not in os.environ, reason=ABSENT)
def test_80_the_description_is_really_used() -> None:
    get_tax = next(operation for operation in OPERATIONS if operation.name == "get_tax")
    schema = success(get_tax)[1]
    assert schema is not None
    right = {"id": "1", "name": "GST", "rate": "10.0", "amount": "10.0", "links": {"self": "https://a.example/v1/t"}}
    stamps = {"created_at": "2026-11-24T00:00:00Z", "updated_at": "2026-11-24T00:00:00Z"}
    assert problems(schema, right | stamps) == []
    wrong: dict[str, object] = {"id": 1, "rate": "ten", "created_at": "2026-11-24T00:00:00+11:00", "colour": "red"}
    for name, value in wrong.items():
        assert problems(schema, right | stamps | {name: value}) != [], name
    assert problems(schema, right) != []
