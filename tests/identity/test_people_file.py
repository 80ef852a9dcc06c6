"""The people's file: whose token it is, and for how long after somebody was taken out of it."""

import os
from pathlib import Path

import anyio
import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.people_file import People, digest_of, read_people
from cliniko_mcp.identity.person import Person, TokenRefused
from cliniko_mcp.identity.scopes import READ, WRITE
from cliniko_mcp.watched_file import FAULTY_SECONDS, LOOK_SECONDS
from tests.identity.requests import NOON, Clock

ANA = f"""
[[person]]
id = "ana"
name = "Ana Lima"
token = "{digest_of("cmp_ana")}"
scopes = ["{READ}", "{WRITE}"]
clinic = "north"
expires = 2026-11-24T23:00:00+11:00
"""
BEN = f"""
[[person]]
id = "ben"
token = "{digest_of("cmp_ben")}"
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def opened(path: Path, clock: Clock) -> People:
    return People(path, clock, clock.seconds)


def refusal(people: People, token: str) -> str | None:
    try:
        anyio.run(people.person_of, token)
    except TokenRefused as refused:
        return refused.reason
    return None


def test_a_token_is_its_persons_until_it_expires(tmp_path: Path) -> None:
    clock = Clock(NOON.replace(hour=11))
    people = opened(written(tmp_path / "people.toml", ANA + BEN), clock)
    ana = Person("people", "ana", "Ana Lima", frozenset({READ, WRITE}), "north", NOON)
    assert anyio.run(people.person_of, "cmp_ana") == ana
    assert anyio.run(people.person_of, "cmp_ben") == Person("people", "ben", "ben", frozenset({READ}))
    clock.now = NOON
    assert [refusal(people, token) for token in ("cmp_ana", "cmp_ben", "cmp_eve", "other")] == [
        "expired",
        None,
        "ended",
        "unknown",
    ]


def test_who_is_taken_out_of_the_file_is_refused_within_seconds_and_who_is_put_in_is_let_in(tmp_path: Path) -> None:
    clock = Clock()
    path = written(tmp_path / "people.toml", BEN)
    people = opened(path, clock)
    path.write_text(ANA.replace("23:00", "23:59"))
    clock.pass_by(LOOK_SECONDS)
    assert [refusal(people, token) for token in ("cmp_ana", "cmp_ben")] == [None, "ended"]


@pytest.mark.parametrize("trouble", ["broken", "gone"])
def test_a_file_that_cannot_be_read_for_a_minute_lets_nobody_in_until_it_is_mended(
    tmp_path: Path, trouble: str
) -> None:
    clock = Clock()
    path = written(tmp_path / "people.toml", BEN)
    people = opened(path, clock)
    if trouble == "gone":
        path.unlink()
    else:
        path.write_text("[[person]")
    clock.pass_by(FAULTY_SECONDS / 2)
    assert refusal(people, "cmp_ben") is None
    clock.pass_by(FAULTY_SECONDS / 2)
    assert refusal(people, "cmp_ben") == "ended"
    written(path, BEN)
    clock.pass_by(LOOK_SECONDS)
    assert refusal(people, "cmp_ben") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "is not TOML"),
        (BEN.replace("sha256:", ""), "person.0.token"),
        (BEN + 'scopes = ["cliniko:admin"]', "there is no scope cliniko:admin"),
        (BEN + BEN, "two people have the same id"),
        (BEN + BEN.replace('"ben"', '"eve"'), "two people have the same token"),
        (BEN + 'role = "x"', "person.0.role"),
        (BEN + "expires = 2026-11-24T23:00:00", "person.0.expires"),
    ],
)
def test_a_file_that_does_not_say_clearly_who_may_do_what_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_people(written(tmp_path / "people.toml", text))


@pytest.mark.skipif(os.name != "posix", reason="modes are a Unix matter")
def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "people.toml", BEN)
    path.chmod(0o620)
    with pytest.raises(ConfigurationError, match="written by others"):
        read_people(path)
