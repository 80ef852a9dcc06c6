"""What accounts of one clinic share through a real Redis, and accounts that name none keep to themselves."""

import random
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.approvals.ledger import Ledger
from cliniko_mcp.approvals.questions import Matter
from cliniko_mcp.approvals.shown import Account, Preview
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.shared_state.connection import open_state
from cliniko_mcp.shared_state.keys import KeyRing
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
RING = KeyRing([b"r" * 32], random.Random(5).randbytes)
MATTER = Matter("ana", "archive_patient", "{}", "patients/1", "f", "removal")
PREVIEW = Preview("Archive this patient", "Keep them", "Archived", [], [], [], "It can be undone.", True, "d" * 64)


def ledger_of(parts: Parts) -> Ledger:
    assert parts.ledger is not None
    return parts.ledger(lambda: NOW)


@pytest.mark.parametrize("clinic", ["", "of both"])
async def test_two_accounts_share_questions_and_what_was_changed_where_they_work_in_one_clinic_and_else_nothing(
    redis: RedisServer, clinic: str
) -> None:
    async with open_state(redis.url) as one, open_state(redis.url) as two:
        of = partial(shared_parts, per_minute=200, clinic=clinic)
        tom, finn = of(one, RING, "tom"), of(two, RING, "finn")
        asking, other = ledger_of(tom), ledger_of(finn)
        account = Account("Northside", "Mei Ng", True, ZoneInfo("Australia/Sydney"))
        assert await asking.show(await asking.create(MATTER, PREVIEW, "claude", account, "call"))
        await tom.elsewhere.changed(["records"])
        assert len(await other.waiting()) == bool(clinic)
        assert await finn.elsewhere.generations() == ({"records": 1} if clinic else {})
