"""The store of the built-in login, in SQLite and in Postgres alike, against a model of it."""

import sqlite3
import stat
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.shared_state.logins import ClientRow, GrantRow, LoginEvent, NewTokens, RequestRow
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins
from tests.shared_state.logins_at import give, logins_at, row_of, sealed
from tests.shared_state.logins_model import STEPS, WAITS, Model, Step

SERIES = iter(range(10**6))


def walk(where: str, steps: list[Step]) -> None:
    async def play() -> None:
        async with logins_at(where) as logins:
            model = await Model(logins, series=f"{next(SERIES)}.").begin()
            acts: dict[str, Any] = {name: getattr(model, name) for name in STEPS}
            for act, which, wait in steps:
                await acts[act](which)
                await model.check()
                model.now += wait
            await model.check()

    anyio.run(play)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from((*STEPS, "issue", "exchange", "refresh", "refresh")), st.integers(0, 7), WAITS),
        max_size=25,
    )
)
def test_a_token_is_good_while_its_grant_its_own_time_and_its_person_s_key_are(where: str, steps: list[Step]) -> None:
    walk(where, steps)


def test_what_was_cut_off_in_the_middle_left_nothing(tmp_path: Path) -> None:
    path = tmp_path / "logins.sqlite"
    logins = SqliteLogins(path)
    logins._file._db.execute("BEGIN IMMEDIATE")
    logins._file._db.execute("INSERT INTO token VALUES ('t', 'g', 0, '', 1e9, 0, 0)")
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*) FROM token").fetchone() == (0,)
    other.close()
    logins.close()
    again = SqliteLogins(path)
    assert again._file._db.execute("SELECT count(*) FROM token").fetchone() == (0,)
    again.close()


def test_the_file_is_its_owner_s_alone_and_one_that_others_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state" / "logins.sqlite"
    SqliteLogins(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        SqliteLogins(path)


@pytest.mark.anyio
async def test_programs_that_nobody_used_go_and_those_in_use_stay(where: str) -> None:
    async with logins_at(where) as logins:

        async def add(number: int, created: float) -> bool:
            row = ClientRow(f"c{number}", "{}", f"f{number}", created)
            return await logins.add_client(row, recent=created - 600, unused=created - 3600, most=3) is not None

        await logins.put_request(RequestRow("r", "{}", 1e9))
        grant = GrantRow("g", "ana", "c0", "Program", "cliniko:read", 0.0, 1e9)
        assert [await add(number, 1.0) for number in range(4)] == [True, True, True, False]
        await logins.decide(RequestRow("r", "{}", 1e9, handed=b"x", handed_at=1.0), None, grant)
        assert await add(4, 2.0), "one in use is not counted"
        assert not await add(5, 3.0)
        assert await add(6, 4000.0)
        assert await logins.client("c0") is not None
        assert await logins.client("c1") is None


@pytest.mark.anyio
async def test_programs_that_register_at_once_do_not_pass_the_limit(where: str) -> None:
    async with logins_at(where) as logins:
        kept: list[bool] = []

        async def add(number: int) -> None:
            row = ClientRow(f"c{number}", "{}", f"f{number % 15}", 1.0)
            kept.append(await logins.add_client(row, recent=0.0, unused=0.0, most=10) is not None)

        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(add, number)
        there = [await logins.client(f"c{number}") for number in range(30)]
        assert sum(row is not None for row in there) == 10
        assert len({row.fingerprint for row in there if row is not None}) == 10
        assert sum(kept) == 20, "who registers the same again is the one that is there"


@pytest.mark.anyio
async def test_what_is_put_is_what_is_read(where: str) -> None:
    async with logins_at(where) as logins:
        first, second = await logins.put_person(row_of("ana"), sealed), await logins.put_person(row_of("ana"), sealed)
        assert (first.version, second.version) == (1, 2)
        assert await logins.person("ana") == second
        assert await logins.people() == [second]
        await logins.proven("ana", 7.5)
        assert [row.proven for row in await logins.people()] == [7.5]
        request = RequestRow("r", '{"a": "ü"}', 100.0)
        await logins.put_request(request)
        assert await logins.request("r", 99.0) == request
        assert await logins.request("r", 100.0) is None
        assert [await logins.wrong_key("r"), await logins.wrong_key("r"), await logins.wrong_key("x")] == [1, 2, 0]
        await logins.put_session("s", "ana", 50.0)
        assert [await logins.session("s", now) for now in (49.0, 50.0)] == ["ana", None]
        await logins.drop_sessions(person="ana")
        assert await logins.session("s", 1.0) is None


@pytest.mark.anyio
async def test_a_fact_that_is_taken_once_is_taken_once(where: str) -> None:
    async with logins_at(where) as logins:
        assert await logins.put_fact("setup", b"\x00one")
        assert await logins.fact("setup") == b"\x00one"
        taken: list[bool] = []

        async def take() -> None:
            taken.append(await logins.put_fact("setup", None, only_from=b"\x00one"))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(take)
        assert sorted(taken) == [False] * 4 + [True]
        assert await logins.fact("setup") is None


@pytest.mark.anyio
async def test_rules_are_kept_once_and_in_order(where: str) -> None:
    async with logins_at(where) as logins:
        assert [await logins.admit(*rule) for rule in (("role", "b"), ("account", "1"), ("role", "b"))] == [1, 1, 0]
        assert await logins.admitted() == [("account", "1"), ("role", "b")]
        assert await logins.admit("role", "b", drop=True)
        assert not await logins.admit("role", "b", drop=True)


@pytest.mark.anyio
async def test_what_became_of_a_login_is_told_once_it_is_kept(where: str) -> None:
    told: list[tuple[str, str, str]] = []

    async def note(event: LoginEvent) -> None:
        told.append((event.outcome, event.grant, event.why))

    async with logins_at(where, note) as logins:
        await give(logins, 2)
        new = NewTokens("a", 1e9, "r", 1e9, "cliniko:read")
        await logins.take_code("c0", new, 1.0)
        await logins.take_code("c0", new, 1.0)
        await logins.end(2.0, "gone", person="ana")
        await logins.end(3.0, "gone again", person="ana")
        await logins.admit("role", "receptionist")
        await logins.admit("role", "receptionist")
    assert told == [
        ("granted", "g0", "cliniko:read"),
        ("granted", "g1", "cliniko:read"),
        ("used_again", "g0", "its code was used twice"),
        ("ended", "g1", "gone"),
        ("rule_added", "", "role:receptionist"),
    ]
