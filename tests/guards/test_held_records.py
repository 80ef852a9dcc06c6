"""Where several processes share one account: what is approved is sent only by who still holds the record."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from cliniko_mcp.errors import Unavailable
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.gate import App, Form, RoundTrip, run
from tests.guards.test_confirm import ARCHIVE, DONE, YES, asked


class Lease:
    """Records that this process may hold until it has renewed its hold so many times."""

    def __init__(self, renewals: int) -> None:
        self.left = renewals
        self.at_once: list[str] = []

    async def renew(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("Somebody else may have come to this record.", "Call again.")

    @asynccontextmanager
    async def at(self, record: str, /) -> AsyncGenerator["Lease"]:
        self.at_once.append(record)
        yield self


@pytest.mark.parametrize("renewals", [0, 1])
@pytest.mark.parametrize("newer", [False, True], ids=["a form in the call", "an answer with a second call"])
def test_what_was_approved_is_sent_only_where_the_record_is_still_held(renewals: int, newer: bool) -> None:
    app = App(locks=(lease := Lease(renewals)))

    async def story() -> None:
        asker = RoundTrip((await asked(app)).challenge, YES) if newer else Form(YES)
        if renewals:
            await app.act(ARCHIVE, Caller(asker=asker))
        else:
            with pytest.raises(Unavailable):
                await app.act(ARCHIVE, Caller(asker=asker))

    run(story)
    assert app.clinic.destroyed == (DONE if renewals else [])
    assert lease.at_once == ["patients/1"]


def test_it_is_sent_once_more_only_where_the_record_is_held_and_what_was_shown_still_holds() -> None:
    app = App(locks=(lease := Lease(2)))

    async def story() -> None:
        act = (await app.act(ARCHIVE, Caller(asker=Form(YES)))).outcome.act
        assert act is not None and lease.left == 1
        app.clinic.gone.clear()
        await act.look_again()
        with pytest.raises(Unavailable):
            await act.look_again()

    run(story)
