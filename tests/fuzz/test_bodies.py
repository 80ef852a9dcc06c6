"""Whatever Cliniko might answer: rows, or an honest error; a write never passes for undone once it was sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.weather import Forward, fair

from .standing import FUZZ, Standing, standing
from .test_calls import SURPRISES, TEXTS

READS: dict[str, dict[str, Any]] = {
    "list_individual_appointments": {"limit": 3},
    "list_patients": {"limit": 3},
    "list_available_times": {},
    "get_authenticated_user": {},
    "get_public_settings": {},
    "count_records": {"operation": "list_invoices"},
    "show_diary": {"when": "today"},
}
TYPES = st.sampled_from(
    ["application/json", "text/html", "", "application/json; charset=latin-1", "application/x+json"]
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 206, 301, 400, 401, 403, 404, 409, 418, 422, 500, 520])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    audit: Path = tmp_path_factory.mktemp("fuzz") / "audit.jsonl"
    with standing(audit_file=str(audit)) as found:
        yield found


def twisted(value: Any, dice: Random, surprises: list[Any], depth: int = 0) -> Any:
    """The same JSON with some of its values replaced or left out."""
    if depth > 0 and dice.random() < 0.3 / (1 + depth):
        return dice.choice(surprises)
    if isinstance(value, dict):
        return {key: twisted(part, dice, surprises, depth + 1) for key, part in value.items() if dice.random() > 0.06}
    if isinstance(value, list):
        return [twisted(part, dice, surprises, depth + 1) for part in value[:3]]
    return value


@pytest.mark.long
@FUZZ
@given(
    name=st.sampled_from(sorted(READS)),
    seed=st.integers(0, 2**32),
    surprises=st.lists(SURPRISES, min_size=1, max_size=5),
    narrow=st.booleans(),
)
def test_a_body_with_odd_values_is_read_or_refused_honestly(
    app: Standing, name: str, seed: int, surprises: list[Any], narrow: bool
) -> None:
    dice = Random(seed)

    async def odd(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        whole = await forward(request)
        if narrow and dice.random() < 0.5:
            return whole
        body = twisted(json.loads(whole.content), dice, surprises)
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=json.dumps(body).encode())

    app.trouble = odd
    try:
        body = app.call(name, READS[name])
    finally:
        app.trouble = fair
    assert body.get("code") != "internal"


@pytest.mark.long
@FUZZ
@given(
    name=st.sampled_from([*READS, "create_patient", "update_patient"]),
    status=STATUSES,
    kind=TYPES,
    body=st.binary(max_size=60) | SURPRISES.map(lambda value: json.dumps(value).encode()) | TEXTS.map(str.encode),
)
def test_any_bytes_at_all_are_told_for_what_they_are(
    app: Standing, name: str, status: int, kind: str, body: bytes
) -> None:
    async def noise(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": kind} if kind else {}, content=body)

    # Names long enough not to pass for an emptied record, which would be read before anything is sent.
    arguments = READS.get(name, {"id": "1", "first_name": "Anna", "last_name": "Bergmann"})
    if name == "create_patient":
        arguments = {"first_name": "Anna", "last_name": "Bergmann"}
    app.call("get_authenticated_user", {})
    app.trouble = noise
    try:
        answer = app.call(name, arguments)
    finally:
        app.trouble = fair
    if name in ("create_patient", "update_patient") and not 400 <= status < 500:
        assert answer.get("code") in (None, "outcome_unknown"), answer
