"""What a row costs does not grow with the number of rows."""

import sys
from types import FrameType

import pytest
from conftest import in_process

pytestmark = pytest.mark.anyio


async def test_four_times_as_many_rows_take_no_more_than_four_times_the_calls_of_functions() -> None:
    calls = 0

    def count(_: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    async with in_process() as assistant:
        taken: dict[int, int] = {}
        for limit in (80, 1, 20, 80):  # the first time names are read that memory has afterwards
            calls = 0
            sys.setprofile(count)
            try:
                answer = await assistant.call(
                    "list_individual_appointments", limit=limit, fields="starts_at,patient_id"
                )
            finally:
                sys.setprofile(None)
            assert len(answer["items"]) == limit
            taken[limit] = calls
    few, many = taken[20] - taken[1], taken[80] - taken[1]
    assert many / 79 < few / 19 * 1.1, taken
