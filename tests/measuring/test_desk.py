"""A desk's morning keeps its budget of requests, with every answer that is asked for."""

import pytest

from benchmarks.desk import COLD, FOUND, MORNING, NOBODY, WARM, measured, total
from benchmarks.still_clock import run


@pytest.mark.long
def test_sixteen_answers_take_no_more_requests_than_their_budget_at_first_and_again() -> None:
    cold, warm, _ = run(measured)
    taken = {one.question.name: (len(one.paths), len(again.paths)) for one, again in zip(cold, warm, strict=True)}
    assert len(taken) == len(MORNING) == 16
    assert total(cold) <= COLD, taken
    assert total(warm) <= WARM, taken
    assert taken[NOBODY][0] <= 2 * taken[FOUND][0]
