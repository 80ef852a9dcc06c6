"""Every kind of record keeps its types, whatever JSON arrives: what does not fit is kept apart, as it came."""

import json
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from cliniko_mcp.cliniko.fields import Timestamp
from cliniko_mcp.cliniko.models import Record, row_id, value_of
from cliniko_mcp.cliniko.registry import operations

RECORDS = sorted(
    {operation.record for operation in operations().values() if operation.record}, key=lambda r: r.__name__
)

TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        *("", "0", "7", "1104000000422323183", "1" * 21, "85.00", "1e999999999", "true", "Open", "10", "NaN"),
        *("2026-11-24", "2026-13-01", "2026-11-24T04:30:00Z", "2026-11-24T04:30:00", "2026-11-24T04:30:00+11:00"),
        *("09:00", "#1a73e8", "a@b.example", "Australia/Sydney"),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**21), 10**21) | st.floats() | TEXTS
LINKS = st.sampled_from(
    [{"links": {"self": url}} for url in ("https://api.au1.cliniko.com/v1/patients/42", "https://x/notes", 5, "")]
)
JSON = st.recursive(
    SCALARS | LINKS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=6,
)
WHOLE = {"id": "7"}


def of(record: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with the fields of this record, the links that become its ids, and fields that nobody knows."""
    names = [field.alias or name for name, field in record.model_fields.items()]
    names += [name.removesuffix("_id") for name in names if name.endswith("_id")]
    names += [f"{name.removesuffix('_ids')}s" for name in names if name.endswith("_ids")]
    odd = st.sampled_from(["links", "read", "unexpected", "__dict__", "model_config", "model_fields"]) | TEXTS
    return st.dictionaries(st.sampled_from(names) | odd, JSON, max_size=12)


def fits(value: object, annotation: Any) -> bool:
    """Whether the value is of the type that the annotation promises to its readers."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return fits(value, arguments[0])
        case origin if origin in (Union, UnionType):
            return any(fits(value, argument) for argument in arguments)
        case origin if origin is Literal:
            return value in arguments
        case origin if origin is list:
            return isinstance(value, list) and all(fits(part, arguments[0]) for part in value)
        case origin if origin is dict:
            return isinstance(value, dict) and all(fits(part, arguments[1]) for part in value.values())
        case None:
            pass
        case origin:
            raise AssertionError(f"{origin} is not known here")
    if annotation is None or annotation is NoneType:
        return value is None
    if annotation in (Any, object):
        return True
    if isinstance(value, BaseModel):
        return isinstance(value, annotation) and fields_fit(value)
    if isinstance(value, datetime):
        return annotation is datetime and value.tzinfo is not None
    return isinstance(value, annotation) and (annotation is bool or not isinstance(value, bool))


def fields_fit(model: BaseModel) -> bool:
    wrong = {
        name: value
        for name, field in type(model).model_fields.items()
        if (value := getattr(model, name)) is not None and not fits(value, field.annotation)
    }
    assert wrong == {}, type(model)
    return True


@pytest.mark.long
@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_every_declared_field_has_its_type_or_nothing_and_everything_can_be_shown(kind: type[Record]) -> None:
    @settings(max_examples=20)
    @given(of(kind))
    def reads(raw: dict[str, Any]) -> None:
        record = kind.read(raw)
        assert type(record) is kind
        fields_fit(record)
        for name, field in kind.model_fields.items():
            if field.is_required():
                assert isinstance(getattr(record, name), str), name
            if name in record.unexpected:
                assert getattr(record, name) in (None, "")
        json.dumps(record.as_json())
        assert record.as_sent().keys() >= kind.model_fields.keys()
        assert row_id(record) == getattr(record, "id", "")
        for name in (*kind.model_fields, *record.unexpected, "no_such_field"):
            value_of(record, name)

    reads()


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_what_does_not_fit_is_kept_as_it_came_and_the_good_fields_beside_it_too(kind: type[Record]) -> None:
    odd = {"odd": [1]}
    names = [name for name, field in kind.model_fields.items() if name != "id" and not fits(odd, field.annotation)]
    wire = {name: kind.model_fields[name].alias or name for name in names}
    raw: dict[str, Any] = {**WHOLE, **{wire[name]: odd for name in names}, "brand_new": 1}
    record = kind.read(raw)
    kept = {name: value for name, value in record.unexpected.items() if name in names}
    nested = {name for name in names if isinstance(getattr(record, name), BaseModel)}
    assert all(getattr(record, name) in (None, "") for name in kept)
    assert kept == {name: odd for name in names if name not in nested}
    assert all(value_of(record, name) == odd for name in kept)
    assert row_id(record) == ("7" if "id" in kind.model_fields else "")
    assert (record.model_extra or {})["brand_new"] == 1


def test_times_of_records_carry_their_offset() -> None:
    stamped = [kind for kind in RECORDS if "created_at" in kind.model_fields]
    assert len(stamped) > 30
    for kind in stamped:
        record = kind.read({**WHOLE, "created_at": "2026-11-24T04:30:00", "updated_at": "2026-11-24T04:30:00Z"})
        assert value_of(record, "created_at") == record.unexpected["created_at"] == "2026-11-24T04:30:00"
        assert "updated_at" not in record.unexpected


def test_no_record_holds_a_time_whose_zone_it_does_not_say() -> None:
    moment = get_args(Timestamp)[0]
    for kind in RECORDS:
        for name, field in kind.model_fields.items():
            parts = [part for part in get_args(field.annotation) if get_args(part) and get_args(part)[0] is moment]
            assert all(part == Timestamp for part in parts), (kind, name)
            assert field.annotation is not moment, (kind, name)
