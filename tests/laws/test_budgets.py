"""What the lists cost a model, as name, description and input schema: within the budgets, and never growing unnoticed.

Tokens are bytes/4 here, which every computer counts alike and which comes out up to 10 % above o200k_base, in which the
budgets are meant; `benchmarks/size.py` counts the latter. `data/budgets.json` holds what each view cost last; growing
by more than 3 % fails until that file is changed on purpose, together with a line in the changelog.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.protocol.server import INSTRUCTIONS
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.views import view_of

BASELINE = Path(__file__).resolve().parents[1] / "data" / "budgets.json"
GROWTH = 1.03
BYTES_A_TOKEN = 4
HIGHER = 1.08
"""How far bytes/4 may stand above the budgets, which are meant in o200k_base."""

VIEWS: dict[str, dict[str, Any]] = {
    "core": {},
    "all": {"view": "all"},
    "core, read-only": {"read_only": True},
    "patients and bookings": {"resources": ("patients", "bookings")},
}


def told(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "description": entry.description,
        "inputSchema": entry.input_schema,
    }


def tokens(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) // BYTES_A_TOKEN


def costs(flags: dict[str, Any]) -> list[int]:
    return [tokens(told(entries()[name])) for name in view_of(Settings(**flags)).listed]


def measured() -> dict[str, int]:
    """What each view costs now, in the form of the baseline."""
    return {name: sum(costs(flags)) for name, flags in VIEWS.items()} | {"instructions": tokens(INSTRUCTIONS)}


def test_the_default_view_is_small_enough_to_hold_in_mind():
    listed = costs({})

    assert 15 <= len(listed) <= 32
    assert sum(listed) <= 4_000 * HIGHER


def test_the_whole_list_stays_within_its_budget():
    listed = costs({"view": "all"})

    assert sum(listed) <= 32_000 * HIGHER, (
        f"the whole list takes {sum(listed)} tokens of {32_000 * HIGHER:.0f}: make descriptions terser; a larger "
        "budget is a question for the review"
    )
    assert sum(listed) / len(listed) <= 160 * HIGHER


def test_no_single_tool_crowds_out_the_others():
    costly = {name: cost for name, entry in entries().items() if (cost := tokens(told(entry))) > 1_000}

    assert costly == {}


@pytest.mark.parametrize("name", [*VIEWS, "instructions"])
def test_a_view_grows_by_no_more_than_three_percent_unannounced(name: str):
    baseline: dict[str, int] = json.loads(BASELINE.read_text("utf-8"))

    assert not grown(measured()[name], baseline[name]), (
        f"{name} grew from {baseline[name]} to {measured()[name]} tokens: make it terser, or change "
        "tests/data/budgets.json and say why in the changelog"
    )


def grown(now: int, before: int) -> bool:
    return now > before * GROWTH


@pytest.mark.parametrize("name", [*VIEWS, "instructions"])
def test_one_sentence_too_many_would_be_seen(name: str):
    now = measured()[name]

    assert grown(int(now * 1.031) + 1, now)
    assert not grown(int(now * 1.029), now)


def test_the_baseline_is_not_so_old_that_it_hides_growth():
    baseline: dict[str, int] = json.loads(BASELINE.read_text("utf-8"))

    assert baseline.keys() == measured().keys()
    assert all(measured()[name] >= baseline[name] / GROWTH for name in baseline)
