"""What was changed, approved and refused is what the lines of the audit log say, here counted from its file."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from conftest import YES
from tools.curated.reception import NORTHSIDE, reception

from cliniko_mcp.cli.audit import audit
from cliniko_mcp.guards.changes import logged_changes
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.pipeline import Caller

pytestmark = pytest.mark.anyio
HOME = ZoneInfo("Australia/Sydney")
NOW = datetime(2026, 11, 24, 9, tzinfo=HOME)
OUTCOMES = (
    ("ok", "none"), ("ok", "form"), ("ok", "page"), ("ok", "terminal"), ("ok", "allowed"), ("declined", "form"),
    ("not_allowed", "none"), ("asked", "none"), ("approval_needed", "none"), ("rejected", "none"),
    ("rate_limited", "none"), ("interrupted", "none"), ("outcome_unknown", "none"), ("done", "none"), (None, "none"),
)  # fmt: skip
"""How a change can end; None for one of which no end was written."""
OF = {
    "ok": "made", "declined": "declined", "not_allowed": "refused", "asked": "questions",
    "approval_needed": "questions",
    "interrupted": "unknown", "outcome_unknown": "unknown", None: "unknown", "rejected": "failed",
    "rate_limited": "failed",
}  # fmt: skip
COUNTED = ("made", "approved", "allowed", "declined", "refused", "questions", "failed", "unknown")


def written(chain: HashChain) -> Counter[tuple[date, str, str]]:
    """Lines of 40 days by three people, reads among them: what each came to, by local day, person and name."""
    people = cycle(["local", "token:0011223344556677", "token:8899aabbccddeeff"])
    operations = cycle(["update_patient", "create_patient", "cancel_attendee", "archive_patient"])
    told: Counter[tuple[date, str, str]] = Counter()
    at = NOW - timedelta(days=40)
    for number in range(3 * len(OUTCOMES) * 8):
        outcome, channel = OUTCOMES[number % len(OUTCOMES)]
        at += timedelta(days=40) / (3 * len(OUTCOMES) * 8)
        line: dict[str, Any] = {"tool": "x", "operation": next(operations), "ids": {}, "principal": next(people)}
        line["time"] = at.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        chain.append({**line, "operation": "list_patients", "outcome": "ok", "channel": "none"})
        begun = chain.append({**line, "outcome": "begun"})
        if outcome is not None:
            chain.append({**line, "of": begun, "outcome": outcome, "channel": channel})
        if number % 7 == 0:
            chain.append({**line, "for": "question", "outcome": "lapsed", "channel": "none"})
        if outcome == "done":
            continue
        key = at.date(), "this computer" if line["principal"] == "local" else line["principal"]
        told[*key, OF[outcome]] += 1
        told[*key, "approved"] += outcome == "ok" and channel in ("form", "page", "terminal")
        told[*key, "allowed"] += outcome == "ok" and channel == "allowed"
        if outcome == "ok":
            told[*key, line["operation"]] += 1
    return told


def rows_of(told: Counter[tuple[date, str, str]], first: date, last: date) -> dict[tuple[str, str], dict[str, int]]:
    """The counts by day and person as reports name them, those of nothing left out."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (day, person, name), number in told.items():
        if first <= day <= last and number:
            found.setdefault((f"{day} {day:%a}", person), {})[name] = number
    return found


@pytest.mark.long
async def test_the_report_is_the_log_by_person_and_day(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    told = written(HashChain(log))
    async with reception(audit_file=str(log)) as clinic:
        clinic.sandbox.clock.set(NOW)
        for when, first, last in (
            ("last week", date(2026, 11, 16), date(2026, 11, 22)),
            ("this month", date(2026, 11, 1), date(2026, 11, 24)),
            ("last 90 days", date(2026, 8, 26), date(2026, 11, 23)),
            ("all time", date(2026, 10, 1), date(2026, 11, 24)),
        ):
            answer = await clinic.assistant.call("report", kind="changes", when=when, limit=200, by=["week"])
            wanted = rows_of(told, first, last)
            shown = {(row["day"], row["person"]): row for row in answer["items"]}
            assert {key: {**row, **row["operations"]} for key, row in shown.items()} == {
                key: {
                    **{name: counts[name] for name in COUNTED if name in counts},
                    **{name: number for name, number in counts.items() if name not in COUNTED},
                    "day": key[0],
                    "person": key[1],
                    "operations": {name: number for name, number in counts.items() if name not in COUNTED},
                }
                for key, counts in wanted.items()
            }
            days = [row["day"] for row in answer["items"]]
            assert days == sorted(days, reverse=True)
            sums = Counter[str]()
            for counts in wanted.values():
                sums.update(counts)
            summary = answer["summary"]
            assert summary["changes_made"] == {"count": sums["made"]}
            assert summary["approved_by_a_person"]["count"] == sums["approved"]
            assert summary["allowed_beforehand"]["count"] == sums["allowed"]
            assert [summary[name]["count"] for name in (
                "declined_by_a_person", "refused_by_the_settings", "questions_put", "failed", "outcome_not_known"
            )] == [sums[name] for name in ("declined", "refused", "questions", "failed", "unknown")]  # fmt: skip
            for by in ("person", "operation", "week"):
                assert sum(row["count"] for row in answer["by"][by]["rows"]) == sums["made"]
            begins = any("begins on 2026-10-15" in note for note in answer.get("notes", []))
            assert begins is (when in ("last 90 days", "all time"))
        refused = await clinic.assistant.call("report", kind="changes", practitioner="Mei Ng")
        assert refused["code"] == "invalid_arguments"


async def test_all_time_is_the_whole_log_also_in_a_clinic_without_a_booking(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    told = written(HashChain(log))
    async with reception(audit_file=str(log)) as clinic:
        clinic.sandbox.clock.set(NOW)
        clinic.empty_diary()
        answer = await clinic.assistant.call("report", kind="changes", when="all time")
        made = sum(number for (_, _, name), number in told.items() if name == "made")
        assert answer["summary"]["changes_made"] == {"count": made}


async def test_over_http_everybody_is_told_only_their_own(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    told = rows_of(written(HashChain(log)), date(2026, 11, 1), date(2026, 11, 24))
    async with reception(audit_file=str(log)) as clinic:
        clinic.sandbox.clock.set(NOW)
        assert clinic.assistant.app is not None
        for person in ("token:0011223344556677", "token:ffffffffffffffff"):
            answer: Any = await clinic.assistant.app.call(
                "report", {"kind": "changes", "when": "this month", "limit": 200}, Caller(person, "http")
            )
            own = sum(counts.get("made", 0) for (_, who), counts in told.items() if who == person)
            assert answer["summary"]["changes_made"] == {"count": own}
            assert {row["person"] for row in answer["items"]} <= {person}
            assert any("Only your own" in note for note in answer["notes"])


@pytest.mark.long
@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_the_command_says_the_same(tmp_path: Path, form: str) -> None:
    log = tmp_path / "audit.jsonl"
    wanted = rows_of(written(HashChain(log)), date(2026, 11, 1), date(2026, 11, 24))
    arguments = ["report", "--audit-file", str(log), "--when", "this month", "--now", NOW.isoformat()]
    done = CliRunner().invoke(audit, [*arguments, "--format", form])
    assert done.exit_code == 0, done.output
    if form == "table":
        first, *lines = done.output.splitlines()
        made = sum(counts.get("made", 0) for counts in wanted.values())
        assert f"{made:,} changes made" in first and len(lines) == len(wanted)
        return
    rows = list(csv.DictReader(io.StringIO(done.output))) if form == "csv" else json.loads(done.output)["rows"]
    assert {
        (row["day"], row["person"]): {name: int(row[name]) for name in COUNTED if int(row[name])} for row in rows
    } == {key: {name: counts[name] for name in COUNTED if name in counts} for key, counts in wanted.items()}
    odd = CliRunner().invoke(audit, [*arguments[:3], "--when", "soonish"])
    assert odd.exit_code == 1 and "soonish" in odd.output.lower() + odd.output


async def test_what_the_tools_changed_stands_in_the_report(tmp_path: Path) -> None:
    log = str(tmp_path / "audit.jsonl")
    async with reception(answer=YES, audit_file=log) as clinic:
        otto = clinic.patient("Otto", "Zimt")
        booking = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-27 09:00")
        done = await clinic.assistant.call("cancel_appointment", appointment=booking, reason="sick")
        assert "code" not in done, done
        answer = await clinic.assistant.call("report", kind="changes", when="today")
        assert answer["items"][0]["approved"] == 1
        assert answer["items"][0]["operations"] == {"cancel_individual_appointment": 1}
    async with reception(read_only=True, audit_file=log) as clinic:
        answer = await clinic.assistant.call("report", kind="changes", when="today")
        assert answer["summary"]["changes_made"] == {"count": 1}


def line(**more: Any) -> dict[str, Any]:
    """A line of the log about a change that began on 23 November, with what is said otherwise."""
    told = {"tool": "x", "operation": "update_patient", "ids": {}, "principal": "local", "outcome": "begun"}
    return {**told, "time": "2026-11-23T02:00:00.000000Z", "channel": "none", **more}


def reported(chain: HashChain) -> list[dict[str, Any]]:
    """The rows of the report of November."""
    arguments = ["report", "--audit-file", str(chain.path), "--when", "this month", "--now", NOW.isoformat()]
    done = CliRunner().invoke(audit, [*arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)["rows"]


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "audit.jsonl")


@pytest.mark.parametrize("channel", ["allowed", "form"])
def test_what_cliniko_refused_counts_as_failed_whoever_had_approved_or_allowed_it(
    chain: HashChain, channel: str
) -> None:
    chain.append(line(of=chain.append(line()), outcome="rejected", channel=channel))
    (row,) = reported(chain)
    assert (row["failed"], row["made"], row["approved"], row["allowed"]) == (1, 0, 0, 0)


@pytest.mark.parametrize(("outcome", "counted"), [("asked", "questions"), ("declined", "declined")])
def test_a_question_that_was_put_counts_though_no_change_began(chain: HashChain, outcome: str, counted: str) -> None:
    chain.append(line(**{"for": "question"}, outcome=outcome, channel="page"))
    (row,) = reported(chain)
    assert (row[counted], row["made"], row["unknown"]) == (1, 0, 0)


def test_a_change_of_which_the_log_does_not_say_whose_it_was_is_that_of_a_person_not_known(chain: HashChain) -> None:
    chain.append(line(principal=""))
    assert [row["person"] for row in reported(chain)] == ["not known"]


def test_names_of_people_and_operations_are_cut_at_eighty_characters(chain: HashChain) -> None:
    for length in (80, 81):
        one = line(principal=length * "p", operation=length * "o")
        chain.append({**one, "of": chain.append(one), "outcome": "ok"})
    rows = {row["person"]: row["operations"] for row in reported(chain)}
    assert rows == {80 * "p": f"{80 * 'o'} 1", f"{79 * 'p'}…": f"{79 * 'o'}… 1"}


@pytest.mark.parametrize("time", [None, "yesterday", "2026-11-23T02:00:00"])
def test_a_line_that_does_not_tell_its_moment_is_passed_over(chain: HashChain, time: str | None) -> None:
    chain.append(line(time=time))
    chain.append(line())
    assert [row["unknown"] for row in reported(chain)] == [1]


def test_the_first_moment_of_a_time_is_part_of_it_and_its_end_is_part_of_the_next(chain: HashChain) -> None:
    noon, day = datetime(2026, 11, 23, 12, tzinfo=UTC), timedelta(days=1)
    chain.append(line(time=noon.isoformat()))
    assert [change.at for change in logged_changes(chain, noon, noon + day).changes] == [noon]
    assert logged_changes(chain, noon - day, noon).changes == []


async def test_who_had_nothing_made_has_no_number_for_it_and_long_names_of_changes_are_cut(chain: HashChain) -> None:
    chain.append(line(of=chain.append(line()), outcome="declined", channel="form"))
    for length in (80, 81):
        one = line(principal="token:0011", operation=length * "o")
        chain.append({**one, "of": chain.append(one), "outcome": "ok", "channel": "allowed"})
    async with reception(audit_file=str(chain.path)) as clinic:
        answer = await clinic.assistant.call("report", kind="changes", when="this month")
    whole, cut = 80 * "o", f"{79 * 'o'}…"
    assert answer["items"] == [
        {"day": "2026-11-23 Mon", "person": "this computer", "declined": 1, "operations": {}},
        {"day": "2026-11-23 Mon", "person": "token:0011", "made": 2, "allowed": 2, "operations": {whole: 1, cut: 1}},
    ]
    half = {"count": 1, "of": 2, "rate": "50.0%"}
    assert answer["by"]["operation"]["rows"] == [{"name": whole, **half}, {"name": cut, **half}]
    assert answer["by"]["person"]["rows"] == [{"name": "token:0011", "count": 2, "of": 2, "rate": "100.0%"}]
