"""The README's figures come from a run: they are what its JSON says, and no missed budget is without its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import readme, soak, summary

ROOT = Path(__file__).resolve().parents[2]
RESULTS: dict[str, Any] = {
    "measured": "2026-11-24",
    "machine": "Some computer, 2 cores",
    "python": "3.12",
    "lists": {
        "tokens by": "o200k_base",
        "rows": [
            {"view": "core", "tools": 20, "tokens": 3_000, "a tool": 150, "largest": 400},
            {"view": "all", "tools": 200, "tokens": 30_000, "a tool": 150, "largest": 900},
        ],
    },
    "results": {"rows": [{"result": "10 coming appointments", "a row": 60}]},
    "start": {"rows": [{"server": "core", "seconds": 0.8, "to empty": 1.1, "MB": 70, "MB to empty": 1.1}]},
    "one call": {"rows": [{"work": "read a patient", "overhead ms": 0.9}]},
    "sweep": {
        "rows": [
            {"way": "sweep", "rows": 5_000, "seconds": 0.75, "to ideal": 1.15},
            {"way": "one page at a time", "rows": 5_000, "seconds": 2.7, "to ideal": 4.15},
        ]
    },
    "growth": {"rows": [{"rows": 1_000, "ms a 1,000 rows": 100}, {"rows": 100_000, "ms a 1,000 rows": 97}]},
    "curated tools": {"rows": [{"tool": "show_diary, a day", "requests, first": 10, "ms": 30}]},
    "far away": {"rows": [{"tool": "find_times, 50 ms upstream", "first s": 0.9, "later s": 0.5}]},
    "demo clinic": {"rows": [{"figure": "the seed", "median": 480.0, "least": 470.0, "budget": 2_000, "unit": "ms"}]},
    "http": {
        "rows": [
            {
                "clients": 1,
                "calls a second": 200,
                "p50 ms": 5,
                "p95 ms": 6,
                "p99 ms": 7,
                "empty server": 280,
                "empty to call": 1.4,
            }
        ],
        "MB at the server's peak": 115,
    },
}
PAGE = f"# A page\n\nBefore.\n\n{readme.START}\nold figures\n{readme.END}\n\nAfter.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "README.md").write_text(PAGE)
    (tmp_path / readme.RESULTS).write_text(json.dumps(RESULTS))
    return tmp_path


@pytest.mark.skipif(not (ROOT / readme.RESULTS).is_file(), reason="no run has been written down")
def test_the_figures_in_the_readme_are_those_of_the_last_run() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    assert readme.rewritten(page, ROOT) == page, "python -m benchmarks --readme"


def test_only_what_stands_between_the_marks_is_rewritten_and_twice_is_once(root: Path) -> None:
    readme.write(root)
    page = (root / "README.md").read_text()
    assert page.startswith("# A page\n\nBefore.\n\n")
    assert page.endswith("\n\nAfter.\n")
    assert "old figures" not in page
    assert "| `tools/list`, core | 3,000 tokens | 4,000 tokens |" in page
    assert "| reads over Streamable HTTP, 1 client | 200 a second, p50 5, p95 6, p99 7 ms |  |" in page
    assert "| 5,000 rows, one page at a time, to the sweep | 3.6 x |  |" in page
    assert "| find_times, 50 ms upstream | 0.90 s at first, 0.50 s later | 1.5 s |" in page
    assert "| demo clinic: the seed | 480.0 ms | 2,000 ms |" in page
    assert "Measured 2026-11-24 on Some computer, 2 cores, Python 3.12; tokens by o200k_base." in page
    assert readme.rewritten(page, root) == page


def test_the_long_runs_are_told_where_there_were_any(root: Path) -> None:
    assert "Soaked" not in readme.rewritten(PAGE, root)
    about = {"measured": "2026-11-24", "machine": "it", "python": "3.12"}
    soaked = {"minutes": 20, "callers": 20, "calls": 25_694, "told as failed": 900, "MB": 153}
    (root / readme.SOAK).write_text(json.dumps({**about, **soaked, "MB level for, minutes": 12}))
    (root / readme.FUZZ).write_text(json.dumps({**about, "minutes": 10.0, "rounds": 3, "frames over stdio": 41_000}))
    page = readme.rewritten(PAGE, root)
    assert "20 callers, 25,694 calls" in page
    assert "Memory at the end: 153 MB, level for the last 12 minutes." in page
    assert "Fuzzed for 10 minutes (2026-11-24): 41,000 frames over stdio." in page


def test_what_a_desk_may_expect_stands_in_the_table_with_the_figures_of_the_first_version_beside(root: Path) -> None:
    assert "sixteen answers" not in readme.rewritten(PAGE, root)
    desk = {"cold": 80, "warm": 44, "answers a minute": {"1": 57.4, "5": 62.5, "20": 54.5}}
    (root / readme.DESK).write_text(json.dumps(desk))
    about = {"measured": "2026-11-29", "machine": "it, load 0.1"}
    (root / readme.CPU).write_text(json.dumps({**about, "read": 1.19, "read without names": 1.1, "row": 0.093}))
    kept = {"MB kept at most": 4.2, "MB allowed": 32}
    (root / readme.BEYOND).write_text(
        json.dumps({"rows": 100_000, "calls": 7, "minutes": 6, "requests": 1_010, **kept})
    )
    page = readme.rewritten(PAGE, root)
    assert "| a desk's morning, sixteen answers | 80 requests; 0.1.0: 167 | 80 requests |" in page
    assert "| the same again within two minutes | 44 requests; 0.1.0: 156 | 55 requests |" in page
    one = (
        "| one key of 200 requests a minute, 1 person | 57 answers a minute; 0.1.0: 19 | at least 45 answers a minute |"
    )
    assert one in page
    assert "The CPU's figures are of 2026-11-29, it, load 0.1: " in page
    assert f"| {readme.READ} | 1.19 x; 0.1.0: 1.3 | 1.2 x |" in page
    assert f"| {readme.ROW} | 0.093 ms; 0.1.0: 0.14 | 0.1 ms |" in page
    assert "called again until it is answered | 7 calls, 6 minutes, 1,010 requests |" in page
    assert "| kept meanwhile of what was read | 4.2 MB | 32 MB |" in page


def test_too_few_answers_are_a_miss() -> None:
    few = summary.Figure("answers", 44.9, "a minute", 45, at_least=True).row()
    assert (few["met"], few["budget"]) == ("NO", "at least 45 a minute")


def test_memory_is_level_from_the_last_minute_that_was_apart() -> None:
    assert soak.level([100.0, 150.0, 158.0, 159.5, 159.0, 159.0]) == 4
    assert soak.level([159.0]) == 1


def test_a_missed_budget_needs_its_reason(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = json.loads(json.dumps(RESULTS))
    slow["start"]["rows"][0]["to empty"] = 1.4
    (root / readme.RESULTS).write_text(json.dumps(slow))
    missed = "start, to an empty server on the same SDK"
    assert [row["figure"] for row in summary.summary(slow) if row["met"] == "NO"] == [missed]
    with pytest.raises(readme.Unexplained, match=r"1\.40 x, budget 1\.25 x"):
        readme.rewritten(PAGE, root)
    monkeypatch.setattr(readme, "REASONS", {missed: "the disk was asleep"})
    page = readme.rewritten(PAGE, root)
    assert f"| {missed} | 1.40 x | 1.25 x, missed |" in page
    assert f"{missed} misses its budget: the disk was asleep." in page
