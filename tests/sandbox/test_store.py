"""The rows: undone as a whole, kept as a whole, found quickly, and the same from the same seed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.clock import ClockReading
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.store import Row, RowChange, Store, Table
from cliniko_mcp.sandbox.timestamps import timestamp

from .client import NOW, Client


def test_a_failed_transaction_leaves_no_trace() -> None:
    store = Store()
    store.put("a", {"id": "1", "x_id": "7"})
    store.table("a").matching("x_id", "7")
    before = store.dump()
    with pytest.raises(RuntimeError), store.transaction():
        store.put("a", {"id": "1", "x_id": "8"})
        store.put("a", {"id": "2", "x_id": "7"})
        store.remove("a", "1")
        raise RuntimeError
    assert store.dump() == before
    assert list(store.table("a").matching("x_id", "7")) == ["1"]
    assert store.committed == []


def test_a_transaction_names_its_net_changes() -> None:
    store = Store()
    store.put("a", {"id": "1"})
    with store.transaction():
        store.put("a", {"id": "2", "n": 1})
        store.put("a", {"id": "2", "n": 2})
        store.remove("a", "1")
    assert store.committed == [("a", "2", {"id": "2", "n": 2}), ("a", "1", None)]


rows = st.dictionaries(st.sampled_from("123456"), st.tuples(st.sampled_from("xyz"), st.integers(0, 9), st.booleans()))


@settings(max_examples=150, deadline=None)
@given(rows, rows, st.sets(st.sampled_from("123456")))
def test_indexes_never_lie(
    first: dict[str, tuple[str, int, bool]], then: dict[str, tuple[str, int, bool]], gone: set[str]
) -> None:
    store, expected = Store(), dict[str, Row]()

    def put(chosen: dict[str, tuple[str, int, bool]]) -> None:
        for row_id, (owner, start, hidden) in chosen.items():
            expected[row_id] = store.put(
                "t", {"id": row_id, "o_id": owner, "starts_at": str(start), "archived_at": "x" if hidden else None}
            )

    put(first)
    table = store.table("t")
    table.matching("o_id", "x")
    table.between("starts_at", "0", "9")
    put(then)
    for row_id in gone:
        store.remove("t", row_id)
        expected.pop(row_id, None)
    for owner in "xyz":
        assert set(table.matching("o_id", owner)) == {
            row_id for row_id, row in expected.items() if row["o_id"] == owner
        }
    assert table.between("starts_at", "3", "7") == sorted(
        (row_id for row_id, row in expected.items() if "3" <= str(row["starts_at"]) < "7"),
        key=lambda row_id: (expected[row_id]["starts_at"], row_id),
    )
    assert set(table.live) == {row_id for row_id, row in expected.items() if "archived_at" not in row}


changes = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("1234"), st.sampled_from([*"xyz", None])), max_size=12)
"""Which of three tables is asked and changed, the row that is, and its new owner, where it is not removed."""


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("1234"), st.sampled_from("xyz")), st.sets(st.integers(0, 2)), changes)
def test_copies_share_their_indexes_and_never_see_each_others_changes(
    owners: dict[str, str], asked: set[int], changes: list[tuple[int, str, str | None]]
) -> None:
    first = Table()
    for row_id, owner in owners.items():
        first.put(row_id, {"id": row_id, "o_id": owner, "starts_at": owner})
    tables = [first, first.copy()]
    tables.append(tables[1].copy())
    expected = [dict(owners) for _ in tables]
    for number in asked:
        tables[number].matching("o_id", "x")
        tables[number].between("starts_at", "x", "z")

    for number, row_id, owner in changes:
        if owner is None:
            tables[number].put(row_id, None)
            expected[number].pop(row_id, None)
        else:
            tables[number].put(row_id, {"id": row_id, "o_id": owner, "starts_at": owner})
            expected[number][row_id] = owner

        for table, known in zip(tables, expected, strict=True):
            if table is tables[number] or number in asked:
                assert {owner: set(table.matching("o_id", owner)) for owner in "xyz"} == {
                    owner: {row_id for row_id, whose in known.items() if whose == owner} for owner in "xyz"
                }
                assert table.between("starts_at", "x", "z") == sorted(
                    (row_id for row_id, whose in known.items() if whose < "z"),
                    key=lambda row_id: (known[row_id], row_id),
                )


class MemoryPersistence:
    """A persistence in memory."""

    def __init__(self) -> None:
        self.state: Mapping[str, JsonValue] | None = None
        self.saved: list[RowChange] = []
        self.reading: ClockReading | None = None

    def load(self) -> Mapping[str, JsonValue] | None:
        return self.state

    def replace(self, state: Mapping[str, JsonValue]) -> None:
        self.state = json.loads(json.dumps(state))

    def save(self, changes: Iterable[RowChange], count: int) -> None:
        self.saved += changes

    def load_clock(self) -> ClockReading | None:
        return self.reading

    def save_clock(self, reading: ClockReading) -> None:
        self.reading = reading

    def close(self) -> None:
        pass


@pytest.mark.long
def test_a_persistence_receives_what_changed_and_nothing_of_what_failed() -> None:
    persistence = MemoryPersistence()
    client = Client(Sandbox(now=NOW, frozen=True, persistence=persistence))
    client.get("/patients")
    assert persistence.state is not None and persistence.saved == []
    client.post("/individual_appointments", {}, status=422)
    assert persistence.saved == []
    made = client.book("2026-11-30T00:00:00Z")
    assert {table for table, _, _ in persistence.saved} == {"individual_appointments", "attendees"}
    persistence.state = json.loads(json.dumps(client.sandbox.snapshot()))
    again = Client(Sandbox(now=NOW, frozen=True, persistence=persistence))
    assert again.get(f"/bookings/{made['id']}")["starts_at"] == made["starts_at"]
    assert again.book("2026-12-01T00:00:00Z")["id"] > made["id"]


_RUN = """
import hashlib, json
from datetime import datetime, UTC
from cliniko_mcp.sandbox.core import Sandbox
from tests.sandbox.client import Client
client = Client(Sandbox(now=datetime(2026, 11, 23, 22, tzinfo=UTC), frozen=True, seed={seed}, rate_limit=0))
rule = dict(repeat_type="Daily", number_of_repeats=3, repeating_interval=1)
made = client.book("2026-11-30T00:00:00Z", repeat_rule=rule)
digest = hashlib.sha256(json.dumps(client.sandbox.snapshot()).encode())
for path in ("/bookings", "/patients", "/attendees", "/invoices", "/services"):
    digest.update(client.request("GET", path, [("per_page", "100")]).body)
print(digest.hexdigest())
"""


def _run(seed: int) -> str:
    command = [sys.executable, "-c", _RUN.format(seed=seed)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.long
def test_76_two_runs_with_the_same_seed_are_byte_identical() -> None:
    assert _run(1) == _run(1) != _run(2)


_ALL = """
import hashlib, json
from cliniko_mcp.cliniko import registry
from tests.sandbox.world import World
world, digest = World(), hashlib.sha256()
for operation in registry.operations().values():
    answer = world.answer(operation)
    digest.update(json.dumps([operation.name, answer.status, dict(answer.headers)]).encode() + answer.body)
digest.update(json.dumps(world.sandbox.snapshot()).encode())
digest.update(json.dumps([each.as_json() for each in world.sandbox.requests]).encode())
print(digest.hexdigest())
"""


@pytest.mark.long
def test_76_all_operations_answer_two_runs_byte_for_byte_alike() -> None:
    first, second = (
        subprocess.run([sys.executable, "-c", _ALL], check=True, capture_output=True, text=True).stdout for _ in "ab"
    )
    assert len(first) == 65 and first == second


_IDLE = """
import sys
from datetime import UTC, datetime
from cliniko_mcp.sandbox.core import Sandbox
Sandbox(now=datetime.now(UTC))
heavy = ("cliniko_mcp.cliniko.resources.", "cliniko_mcp.sandbox.rules", "cliniko_mcp.sandbox.seed")
heavy += ("starlette", "httpx2")
print([name for name in sys.modules if name.startswith(heavy)])
"""


@pytest.mark.long
def test_a_new_clinic_costs_nothing_until_it_is_asked() -> None:
    shown = subprocess.run([sys.executable, "-c", _IDLE], check=True, capture_output=True, text=True).stdout
    assert shown == "[]\n"


def _grown(bookings: int) -> Client:
    """A clinic with many more bookings than the small seed."""
    client = Client(Sandbox(now=NOW, frozen=True, rate_limit=0))
    store = client.sandbox.context.store
    pattern = list(store.table("individual_appointments").rows.values())
    number = 0
    while len(store.table("individual_appointments").rows) < bookings:
        row = pattern[number % len(pattern)]
        start = timestamp(NOW.replace(year=2025).replace(month=1 + number % 12, day=1 + number % 28, hour=number % 24))
        store.put(
            "individual_appointments",
            {**row, "id": str(10**18 + number * 7), "starts_at": start, "ends_at": start[:14] + "59:00Z"},
        )
        number += 1
    return client


@pytest.mark.long
def test_a_filtered_sorted_page_is_quick_among_thirty_thousand_bookings() -> None:
    client = _grown(30_000)
    mei, ana = client.id("practitioners", "Dr Mei Ng"), client.id("patients", "Ben Adeyemi")
    site = client.id("businesses", "Northside")
    queries = [
        [("q[]", f"practitioner_id:={mei}"), ("q[]", "starts_at:>2025-06-01T00:00:00Z"), ("sort", "starts_at")],
        [("q[]", f"patient_ids:~{ana}"), ("sort", "starts_at:desc")],
        [
            ("q[]", f"business_id:={site}"),
            ("q[]", "starts_at:>=2025-03-01T00:00:00Z"),
            ("q[]", "starts_at:<2025-03-03T00:00:00Z"),
            ("sort", "starts_at"),
        ],
        [("q[]", "starts_at:>=2026-11-24T00:00:00Z"), ("q[]", "starts_at:<2026-11-25T00:00:00Z")],
    ]
    for query in queries:
        client.request("GET", "/bookings", query)  # the first question builds the index
    took: list[float] = []
    table = client.sandbox.context.store.table("individual_appointments")
    for _ in range(12):
        for query in queries:
            row_id, row = next(iter(table.rows.items()))
            table.put(row_id, row)  # so that no remembered result is used
            began = time.process_time()
            assert client.request("GET", "/bookings", query).status == 200
            took.append(time.process_time() - began)
    took.sort()
    assert took[len(took) // 2] < 0.05  # the budget is 5 ms; a busy machine gets slack
