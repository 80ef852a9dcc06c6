"""Every curated tool tells how far it is, in the clinic's words and always upwards."""

from typing import Any

import pytest
from conftest import YES

from cliniko_mcp.tools import curated

from .reception import reception
from .test_request_counts import CALLS, prepared

pytestmark = pytest.mark.anyio
LATER = {"block_time": {"when": "Monday 16:00 to 16:30"}}
"""Where the calls of one clinic would be in one another's way."""


@pytest.mark.long
async def test_a_tool_that_reads_from_cliniko_tells_of_each_list_in_the_clinics_words() -> None:
    silent: list[str] = []
    async with reception(mode="legacy", answer=YES) as clinic:  # a question of the newer era is a request of its own
        ids = prepared(clinic, 3)
        for tool in curated.NAMES:
            told: list[tuple[float, float | None, str]] = []

            async def heard(progress: float, total: float | None, message: str | None, told: Any = told) -> None:
                told.append((progress, total, message or ""))

            clinic.forget()
            arguments = {
                name: ids.get(str(value), value) for name, value in {**CALLS[tool], **LATER.get(tool, {})}.items()
            }
            result = await clinic.assistant.client.call_tool(tool, arguments, progress_callback=heard)
            assert not result.is_error, (tool, result)
            steps = [done for done, _, _ in told]
            assert steps == sorted(set(steps)), (tool, told)
            assert all(total is None or done <= total for done, total, _ in told), (tool, told)
            assert all(": " in message and "_" not in message for _, _, message in told), (tool, told)
            if not told:
                silent.append(tool)
    assert silent == ["read_patient_attachment"]  # one record and its file: there is no list to tell of
