"""Reading never fails: whatever Cliniko sends for a record becomes a record, and the record becomes a row."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.results.rows import Shape, row_of
from tests.laws.every import OPERATIONS
from tests.laws.responses import answers

RECORDS = {operation.record: operation.name for operation in OPERATIONS if operation.record is not None}
SYDNEY = ZoneInfo("Australia/Sydney")
NAMES = {"practitioner_id": {"1": "Dr Ng"}, "patient_id": {}}

every_record = pytest.mark.parametrize("record", RECORDS, ids=RECORDS.values())


def test_every_operation_that_answers_is_read_by_one_of_these_records():
    shapes = ("list", "get", "create", "update", "unarchive")
    answering = {operation.record for operation in OPERATIONS if operation.shape in shapes}

    assert None not in answering
    assert answering <= RECORDS.keys()


@pytest.mark.long_but_one
@every_record
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_an_answer_is_read_and_shown_whatever_it_holds(record: type[Record], data: st.DataObject):
    raw = data.draw(answers(record))

    found = record.read(raw)

    unread = [name for name in raw if name.startswith("new_") and name not in shown_names(found)]
    assert not unread
    for detail in ("concise", "full"):
        row = row_of(found, Shape(record, detail), SYDNEY, NAMES)
        json.dumps(row)


def test_an_empty_answer_is_read():
    for record in RECORDS:
        found = record.read({})

        assert isinstance(found, record)
        json.dumps(row_of(found, Shape(record, "full"), SYDNEY, NAMES))


def test_an_odd_value_is_named_and_kept_as_it_came_and_its_field_holds_nothing():
    surprise: JsonValue = {"a": "surprise"}
    dated = {record: name for record in RECORDS for name in ("updated_at", "created_at") if name in record.model_fields}
    found = {record: record.read({"id": "7", name: surprise}) for record, name in dated.items()}

    assert dated
    assert [record for record, name in dated.items() if found[record].unexpected.get(name) != surprise] == []
    assert [record for record, name in dated.items() if found[record].__dict__[name] is not None] == []


def shown_names(found: Record) -> set[str]:
    """Every name under which a field, known or not, came to stand in the record; links become ids."""
    extra: dict[str, Any] = found.model_extra or {}
    names = {*type(found).model_fields, *extra}
    # A link stands under the name of its id: `new_thing` as `new_thing_id`, a list of links as `new_thing_ids`.
    return (
        names
        | {name.removesuffix("_id") for name in names}
        | {plural for name in names if name.endswith("_ids") for plural in (name[:-4], name[:-4] + "s")}
    )
