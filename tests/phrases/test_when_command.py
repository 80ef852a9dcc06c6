"""`cliniko-mcp when` says what it understood: one phrase in words, a batch as JSON lines."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cliniko_mcp.cli.when import when

NOW = "2026-11-24T10:37"


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(when, list(arguments), input=text)


def batch(*lines: object) -> list[dict[str, object]]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    result = run("--batch", "-", "--now", NOW, text=text)
    assert result.exit_code == 0
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_phrase_is_repeated_in_words() -> None:
    result = run("Thursday after 3", "--now", NOW)
    assert result.exit_code == 0
    assert result.stdout == "Thursday 26 November 2026, 15:00 to 24:00 (Australia/Sydney)\n"


def test_a_phrase_needs_no_quotes() -> None:
    assert run("Thursday", "after", "3", "--now", NOW).stdout.startswith("Thursday 26 November 2026, 15:00")


def test_now_may_have_an_offset_and_the_clinic_its_own_zone_and_country() -> None:
    result = run("3/12", "--now", "2026-11-24T10:37+11:00", "--zone", "America/Toronto", "--country", "US")
    assert result.stdout == "Friday 12 March 2027, all day (America/Toronto)\n"


def test_without_now_the_present_counts() -> None:
    assert run("tomorrow").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("soon",),
        (),
        ("tomorrow", "--now", "yesterday"),
        ("tomorrow", "--zone", "Nowhere/Land"),
        ("tomorrow", "--batch", "-"),
        ("--batch", "/no/such/file"),
        ("--batch", "/"),
        ("tomorrow", "--from", "2026-12-09T14:15"),
        ("tomorrow", "--facing", "back"),
    ],
)
def test_what_cannot_be_read_is_one_line_on_stderr_and_exit_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_a_batch_answers_line_by_line_in_local_time_to_the_minute() -> None:
    zone = {"zone": "Australia/Sydney"}
    assert batch(
        {"id": 1, "phrase": "Thursday after 3", "now": "2026-11-24T10:00", **zone},
        {"id": "b", "phrase": "Mon or Wed arvo in the next 2 weeks", "now": "2026-11-23T23:00Z", **zone},
        {"id": None, "phrase": "3/12", "now": "2026-11-24T10:00", "zone": "America/New_York"},
        {"id": 4, "phrase": "3/12", "now": "2026-11-24T10:00", "zone": "America/New_York", "country": "CA"},
    ) == [
        {
            "id": 1,
            "result": {
                "start": "2026-11-26T15:00",
                "end": "2026-11-27T00:00",
                "said": "Thursday 26 November 2026, 15:00 to 24:00 (Australia/Sydney)",
            },
        },
        {
            "id": "b",
            "result": {
                "start": "2026-11-24T10:00",
                "end": "2026-12-08T10:00",
                "weekdays": ["mon", "wed"],
                "times": [["12:00", "17:00"]],
                "said": "Tuesday 24 November 2026 10:00 to Tuesday 8 December 2026 10:00, on Monday and Wednesday, "
                "12:00 to 17:00 (Australia/Sydney)",
            },
        },
        {
            "id": None,
            "result": {
                "start": "2027-03-12T00:00",
                "end": "2027-03-13T00:00",
                "said": "Friday 12 March 2027, all day (America/New_York)",
            },
        },
        {
            "id": 4,
            "result": {
                "start": "2026-12-03T00:00",
                "end": "2026-12-04T00:00",
                "said": "Thursday 3 December 2026, all day (America/New_York)",
            },
        },
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ({"id": 1, "phrase": "3ish"}, 1),
        ({"id": "x", "phrase": 5}, "x"),
        ({"id": 2}, 2),
        ({"id": 3, "phrase": "tomorrow", "now": "soon"}, 3),
        ({"id": 4, "phrase": "tomorrow", "zone": "Nowhere/Land"}, 4),
        ({"id": 5, "phrase": "tomorrow", "country": 61}, 5),
        ({"id": 6, "phrase": "\ud800 tomorrow"}, 6),
        ({"id": 7, "phrase": "tomorrow", "now": "9999-12-31T23:59"}, 7),
        ("not json", None),
        ("[1, 2]", None),
        ('{"id": NaN, "phrase": "tomorrow"}', None),
        ("[" * 100_000, None),
    ],
)
def test_an_unreadable_line_is_a_result_and_the_batch_goes_on(line: object, name: object) -> None:
    first, second = batch(line, {"id": "next", "phrase": "tomorrow"})
    assert first["id"] == name
    result = first["result"]
    assert isinstance(result, dict)
    assert result["error"] is True
    assert result["message"]
    assert second["id"] == "next"


def test_a_phrase_is_read_in_the_direction_named() -> None:
    assert run("Thursday", "--facing", "back", "--now", NOW).stdout.startswith("Thursday 19 November 2026, all day")
    assert run("this week", "--facing", "whole", "--now", NOW).stdout.startswith("Monday 23 November 2026 to Sunday 29")
    visit = run("an hour later", "--from", "2026-12-09T14:15/2026-12-09T15:00", "--now", NOW)
    assert visit.stdout == "Wednesday 9 December 2026 at 15:15 (Australia/Sydney)\n"


def test_all_directions_are_shown_a_line_each() -> None:
    visit = ("--from", "2026-12-09T14:15/2026-12-09T15:00")
    result = run("Thursday", "--facing", "all", *visit, "--now", NOW)
    assert result.exit_code == 0
    names = [line.split(": ")[0] for line in result.stdout.splitlines()]
    assert names == ["ahead", "back", "whole", "either", "from the visit"]
    assert "either: not understood: That can mean" in result.stdout
    assert run("Thursday", "--facing", "all", "--now", NOW, "--zone", "Nowhere/Land").exit_code == 2


def test_a_line_of_a_batch_has_its_own_direction_and_visit() -> None:
    anchor = {"start": "2026-12-09T14:15", "end": "2026-12-09T15:00"}
    answers = batch(
        {"id": 1, "phrase": "before March", "facing": "back"},
        {"id": 2, "phrase": "next week", "anchor": anchor},
        {"id": 3, "phrase": "this week"},
    )
    assert [answer["result"] for answer in answers] == [
        {
            "start": None,
            "end": "2026-03-01T00:00",
            "said": "up to and including Saturday 28 February 2026 (Australia/Sydney)",
        },
        {
            "start": "2026-12-02T14:15",
            "end": "2026-12-02T14:16",
            "said": "Wednesday 2 December 2026 at 14:15 (Australia/Sydney)",
        },
        {
            "start": "2026-11-24T00:00",
            "end": "2026-11-30T00:00",
            "said": "Tuesday 24 November 2026 to Sunday 29 November 2026 (Australia/Sydney)",
        },
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"facing": "up"},
        {"facing": 1},
        {"facing": "all"},
        {"anchor": "2026-12-09T14:15"},
        {"anchor": {"start": "2026-12-09T14:15"}},
        {"anchor": {"start": "2026-12-09T14:15", "end": "2026-12-09T14:15"}},
        {"anchor": {"start": "2026-12-09T14:15+11:00", "end": "2026-12-09T15:00"}},
        {"anchor": {"start": "0001-01-01T00:00", "end": "0001-01-01T01:00"}},
        {"anchor": {"start": 1, "end": 2}},
    ],
)
def test_a_direction_or_visit_that_is_none_is_refused(fields: dict[str, object]) -> None:
    (answer,) = batch({"id": 1, "phrase": "tomorrow", **fields})
    result = answer["result"]
    assert isinstance(result, dict) and result["error"] is True


def test_blank_lines_are_passed_over() -> None:
    assert [answer["id"] for answer in batch("", {"id": 1, "phrase": "today"}, "  ", {"id": 2, "phrase": "today"})] == [
        1,
        2,
    ]


def test_a_batch_is_read_from_a_file_whatever_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "phrases.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": 1, "phrase": "today"}\r\n\xff\xfe\n{"id": 2, "phrase": "3\xe2\x80\x935pm"}')
    result = run("--batch", str(file), "--now", NOW)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, None, 2]
    assert answers[2]["result"]["start"] == "2026-11-24T15:00"


def test_the_demo_clinic_reads_a_phrase_in_its_own_zone_and_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIKO_MCP_SANDBOX_NOW", "2027-03-02T09:00+11:00")
    assert run("tomorrow", "--sandbox").stdout == "Wednesday 3 March 2027, all day (Australia/Sydney)\n"
    assert run("tomorrow", "--sandbox", "--now", NOW).stdout.startswith("Wednesday 25 November 2026")


def test_the_zone_without_one_is_that_of_the_demo_clinics_home_site() -> None:
    from cliniko_mcp.cli.when import DEFAULT_ZONE
    from cliniko_mcp.sandbox.seed.builder import SYDNEY

    assert DEFAULT_ZONE == SYDNEY
