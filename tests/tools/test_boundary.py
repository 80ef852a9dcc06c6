"""The size of arguments: measured where they may be large, and only there."""

import json

import pytest

from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.tools import boundary
from cliniko_mcp.tools.boundary import MAX_ARGUMENT_BYTES, check_size

A_MEGABYTE = "x" * MAX_ARGUMENT_BYTES


@pytest.mark.parametrize(
    "arguments",
    [
        {"notes": A_MEGABYTE},
        {A_MEGABYTE: None},
        {"names": [A_MEGABYTE]},
        {"content": {"sections": [{"name": A_MEGABYTE}]}},
        {"id": 10 ** (MAX_ARGUMENT_BYTES // 300), "notes": A_MEGABYTE},
        {f"field_{number}": "x" * 1_000 for number in range(1_000)},
        {f"{number:0100}": "x" * 100 for number in range(6_000)},
    ],
    ids=["a text", "a name", "in a list", "deep inside", "beside a number", "many texts", "many names"],
)
def test_more_than_a_megabyte_is_refused_wherever_it_lies(arguments: dict[str, JsonValue]):
    with pytest.raises(InvalidArguments, match="larger than 1 MB"):
        check_size(arguments)


@pytest.mark.parametrize("arguments", [{}, {"notes": "x" * 900_000}, {"ids": ["1"] * 1_000}, {"limit": 5, "a": None}])
def test_less_goes_on(arguments: dict[str, JsonValue]):
    check_size(arguments)


def test_an_upload_may_be_larger():
    check_size({"content": A_MEGABYTE}, 8_000_000)


def test_the_largest_arguments_that_are_not_measured_are_far_below_the_limit(monkeypatch: pytest.MonkeyPatch):
    measured: list[object] = []
    monkeypatch.setattr(boundary.json, "dumps", lambda value, **_: measured.append(value) or "")
    few: dict[str, JsonValue] = {f"{number:0100}": "\U0001f642" * 1_000 for number in range(40)}
    check_size(few)
    monkeypatch.undo()

    assert measured == []
    assert len(json.dumps(few)) < MAX_ARGUMENT_BYTES / 2
