"""A question larger than a minute's requests ends in as many calls as it takes, each of which says how far it came."""

from functools import partial

import pytest

from benchmarks.beyond import facts, played, table
from benchmarks.still_clock import run


@pytest.mark.long
def test_a_report_larger_than_a_minute_ends_with_the_same_answer_each_call_further_on() -> None:
    rows, per_minute = 3_000, 10
    free, found = (run(partial(played, rows, limit)) for limit in (60_000, per_minute))
    told = facts(found, free, rows)
    assert told["the same answer"]
    assert found.pages == free.pages == rows // 100  # none is read twice; the set-up is, after two minutes
    assert 3 <= told["calls"] <= found.requests / (per_minute * 0.9) + 2
    assert found.minutes >= found.requests / per_minute - 1
    pages = [row["pages"] for row in table(found)[:-1]]
    assert pages == sorted(set(pages))
    assert all("have been read" in body["message"] and "call" in body["fix"] for body in found.refusals)
    assert 0 < found.kept <= 32 * 1_048_576
