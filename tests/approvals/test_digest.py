"""Digests stand for arguments and facts: the same for the same, different for anything else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest

from cliniko_mcp.approvals.digest import arguments, canonical, digest, plain_id
from tests.guards.gate import call


def test_the_arguments_of_a_call_are_one_text_with_everything_in_it() -> None:
    cancel = call("cancel_individual_appointment", id=20, cancellation_reason="Sick", apply_to_repeats=True)
    assert arguments(cancel) == (
        '{"body":{"apply_to_repeats":true,"cancellation_reason":30},"conditions":[],"ids":{"id":"20"},'
        '"include_archived":false,"query":null,"sort":null}'
    )
    listing = call("list_patients", last_name="Lima", created_at=">2026-11-24T00:00:00Z", sort="id:desc")
    assert arguments(listing) == (
        '{"body":null,"conditions":[["created_at",">","2026-11-24T00:00:00+00:00"],["last_name","=","Lima"]],"ids":{},'
        '"include_archived":false,"query":null,"sort":"id:desc"}'
    )
    assert '"include_archived":true' in arguments(call("get_patient", id="1", include_archived=True))
    times = call(
        "list_available_times",
        business_id="1",
        practitioner_id="2",
        appointment_type_id="3",
        **{"from": "2026-11-24", "to": "2026-11-25"},
    )
    assert "2026-11-24" in arguments(times)
    assert "2026-11-25" in arguments(times)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
        (date(2026, 11, 24), '"2026-11-24"'),
        (datetime(2026, 11, 24, 9, 30, tzinfo=UTC), '"2026-11-24T09:30:00+00:00"'),
        (Decimal("85.00"), '"85.00"'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (1 + 2j, '"(1+2j)"'),
        ([None, True, (1, 2)], "[null,true,[1,2]]"),
    ],
)
def test_every_kind_of_value_has_one_text(value: object, text: str) -> None:
    assert canonical(value) == text


def test_parts_are_kept_apart() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", ""), digest("", "abc")}) == 5
    assert digest("a", "b") == digest("a", "b")
    assert digest("lone \ud800 surrogate") != digest("lone  surrogate")
    assert len(digest()) == 64


def test_an_id_is_the_same_with_and_without_zeros_before_it() -> None:
    assert [plain_id(value) for value in ("012", "120", "0", "000")] == ["12", "120", "0", "0"]
