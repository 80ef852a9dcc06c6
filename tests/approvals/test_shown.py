"""What a person is shown, as values: a fact in words, the account at the top, and the whole as plain text."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from cliniko_mcp.approvals.account import whose
from cliniko_mcp.approvals.host_waits import name_for_people, seconds_to_wait
from cliniko_mcp.approvals.shown import NOWHERE, Account, Fact, Preview, clock_words
from cliniko_mcp.cliniko.models import JsonObject
from cliniko_mcp.cliniko.registry import find
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.errors import NotAllowed
from tests.guards.gate import SYDNEY, call, run

ANA = Fact("Patient", "Ana Lima")
BARE = Preview("Archive this patient", "Keep it", "Archived", [])


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (ANA, "Ana Lima"),
        (Fact("When", "Wed 2 Dec", "in 4 days"), "Wed 2 Dec, in 4 days"),
        (Fact("Patient", "Ana Lima", "today", "Ida Berg"), "Ana Lima will become Ida Berg"),
    ],
)
def test_a_fact_in_words_is_its_value_with_what_it_becomes_or_what_stands_beside_it(fact: Fact, words: str) -> None:
    assert fact.words == words


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (NOWHERE, ""),
        (Account("Northside"), "Northside"),
        (Account("", "Mei Ng"), "Mei Ng"),
        (Account("Northside", "Mei Ng"), "Northside, as Mei Ng"),
        (Account("Northside", "Mei Ng", demo=True), "Demo clinic: nothing in it is real"),
    ],
)
def test_the_account_is_the_clinic_and_the_user_or_the_demo_clinic(account: Account, words: str) -> None:
    assert account.words == words
    assert account.demo is words.startswith("Demo")


def test_what_is_shown_is_laid_out_in_lines_with_what_changes_before_what_is_lost() -> None:
    whole = Preview(
        "Change this patient",
        "Keep it",
        "Changed",
        [ANA, Fact("Note", "one\ntwo")],
        [Fact("Email", "a@b.c"), Fact("Sex", "Female", becomes="Male")],
        ["It is gone."],
        "It cannot be undone.",
    )
    lines = "Patient: Ana Lima|Note:|    one|    two||This will change:|Sex: Female will become Male|"
    lines += "|This will be lost:|Email: a@b.c||It is gone.|It cannot be undone."
    assert whole.text.split("\n") == lines.split("|")
    assert whole.title == "Change this patient?"
    assert [heading for heading, _ in whole.lost] == ["This will change", "This will be lost"]
    assert [heading for heading, _ in replace(whole, losses=whole.losses[:1]).lost] == ["This will be lost"]
    assert not whole.restorable


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, ""),
        ({"facts": [ANA]}, "Patient: Ana Lima"),
        ({"undo": "By hand."}, "By hand."),
        ({"consequences": ["Gone."]}, "Gone."),
        ({"facts": [ANA], "undo": "By hand."}, "Patient: Ana Lima\n\nBy hand."),
    ],
)
def test_nothing_stands_between_facts_and_what_follows_where_there_is_only_one_of_them(
    parts: dict[str, Any], text: str
) -> None:
    assert replace(BARE, **parts).text == text


def test_everything_that_is_shown_is_stated_but_for_what_is_true_only_now() -> None:
    shown = Preview("Change", "Keep it", "Changed", [ANA], [Fact("Sex", "Female", becomes="Male")], ["Gone."], "No.")
    others = [
        replace(shown, act="Move"),
        replace(shown, facts=[replace(ANA, label="Name")]),
        replace(shown, facts=[replace(ANA, value="Bo Lima")]),
        replace(shown, losses=[Fact("Sex", "Female", becomes="")]),
        replace(shown, losses=[]),
        replace(shown, consequences=[]),
        replace(shown, undo=""),
    ]
    assert len({shown.stated, *(other.stated for other in others)}) == len(others) + 1
    assert replace(shown, facts=[replace(ANA, aside="now")]).stated == shown.stated


@pytest.mark.parametrize(
    ("hour", "words"), [(0, "12:05 am"), (1, "1:05 am"), (11, "11:05 am"), (12, "12:05 pm"), (23, "11:05 pm")]
)
def test_a_time_of_day_is_told_as_people_write_it(hour: int, words: str) -> None:
    assert clock_words(datetime(2026, 11, 23, hour, 5, tzinfo=SYDNEY)) == words


class Clinic:
    """A clinic that tells its account, its user and its zone, but for what the key may not read."""

    def __init__(self, refused: str = "", name: str | None = "Northside") -> None:
        self.refused, self.name = refused, name

    async def perform(self, call: Any) -> Any:
        name = call.operation.name
        if name == self.refused:
            raise NotAllowed("Not for this key.")
        operation = find(name)
        assert operation is not None and operation.record is not None
        account: JsonObject = {"account": {"name": self.name}} if self.name is not None else {}
        raw: JsonObject = account if name == "get_public_settings" else {"first_name": "Mei", "last_name": "Ng"}
        return operation.record.read(raw)

    async def user(self) -> Any:
        return await self.perform(call("get_authenticated_user"))

    async def zone(self, business_id: str | None = None) -> Any:
        if self.refused == "zone":
            raise NotAllowed("Not for this key.")
        return SYDNEY


class Nobody(Clinic):
    """A clinic whose key belongs to no user that it tells."""

    async def user(self) -> None:
        return None


@pytest.mark.parametrize(
    ("clinic", "account"),
    [
        (Clinic(), Account("Northside", "Mei Ng", demo=True, zone=SYDNEY)),
        (Clinic("get_public_settings"), Account("", "Mei Ng", demo=True, zone=SYDNEY)),
        (Clinic("get_authenticated_user"), Account("Northside", "", demo=True, zone=SYDNEY)),
        (Nobody(), Account("Northside", "", demo=True, zone=SYDNEY)),
        (Clinic("zone"), Account("Northside", "Mei Ng", demo=True)),
        (Clinic(name=None), Account("", "Mei Ng", demo=True, zone=SYDNEY)),
        (Clinic(name="N" * 80), Account("N" * 80, "Mei Ng", demo=True, zone=SYDNEY)),
        (Clinic(name="N" * 81), Account("N" * 79 + "…", "Mei Ng", demo=True, zone=SYDNEY)),
    ],
)
def test_of_the_account_is_told_what_the_key_may_read(clinic: Any, account: Account) -> None:
    assert run(lambda: whose(clinic, demo=lambda: True)) == account
    assert run(lambda: whose(clinic, demo=lambda: False)) == replace(account, demo=False)


def test_only_a_host_that_is_known_to_wait_is_made_to() -> None:
    assert [seconds_to_wait(program, 45) for program in ("Claude-AI", "claude-code", "mcp", "")] == [45, 45, 3.5, 3.5]
    assert seconds_to_wait("mcp", 2) == 2
    assert [name_for_people(program) for program in ("Claude-Code", "claude-ai", "Mcp")] == [
        "Claude Code",
        "Claude Desktop",
        "Mcp",
    ]


def test_the_record_of_a_preview_stands_in_no_log() -> None:
    record = Patient.read({"id": "1", "first_name": "Ana", "last_name": "Lima"})
    shown = Preview("Archive this patient", "Keep it", "Archived", (), record=record)
    assert "Lima" not in repr(shown)
    assert shown == replace(shown, record=None)
