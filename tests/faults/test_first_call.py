"""A first call that fails half-way leaves nothing half-built behind."""

from typing import Any

import pytest
from conftest import in_process

from cliniko_mcp import app

pytestmark = pytest.mark.anyio


async def test_when_the_guards_cannot_be_built_no_later_call_goes_round_them(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = app._guards
    tries = 0

    def once_broken(*arguments: Any) -> object:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("the state folder cannot be made")
        return whole(*arguments)

    monkeypatch.setattr(app, "_guards", once_broken)
    async with in_process(read_only=True) as assistant:
        assert (await assistant.call("list_practitioners"))["code"] == "internal"
        answer = await assistant.call("create_patient", first_name="A", last_name="B")
        assert answer["code"] == "not_allowed"
        assert (await assistant.call("list_practitioners"))["items"]
        assert assistant.changes() == []
