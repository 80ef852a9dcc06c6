"""The store of the built-in login against a model of it, and two processes on one file."""

import multiprocessing
import sqlite3
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.shared_state.logins import (
    GRACE_SECONDS,
    MAX_SIBLINGS,
    ClientRow,
    CodeRow,
    GrantRow,
    NewTokens,
    PersonRow,
    RequestRow,
)
from cliniko_mcp.shared_state.logins_sqlite import SqliteLogins

ACCESS, IDLE, WHOLE, CODE = 100.0, 1_000.0, 3_000.0, 60.0
PEOPLE = ("ana", "ben")
Step = tuple[str, int, float]


@dataclass
class Family:
    """A grant as it ought to be."""

    person: str
    ends: float
    alive: bool = True
    code_used: bool = False
    code_ends: float = 0.0


@dataclass
class Token:
    """A token as it ought to be."""

    family: Family
    refresh: bool
    ends: float
    used: float | None = None
    siblings: int = 0


@dataclass
class Model:
    """What the store ought to say, in the plainest way."""

    logins: SqliteLogins
    now: float = 1_000.0
    keys: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PEOPLE, 1))
    good: set[str] = field(default_factory=lambda: set(PEOPLE))
    families: list[tuple[str, Family]] = field(default_factory=list[tuple[str, Family]])
    tokens: list[tuple[str, Token]] = field(default_factory=list[tuple[str, Token]])
    made: int = 0

    def name(self) -> str:
        self.made += 1
        return f"t{self.made}"

    def new(self) -> NewTokens:
        return NewTokens(self.name(), self.now + ACCESS, self.name(), self.now + IDLE, "cliniko:read")

    def keep(self, family: Family, new: NewTokens) -> None:
        self.tokens.append((new.access, Token(family, False, new.access_expires)))
        self.tokens.append((new.refresh, Token(family, True, new.refresh_expires)))

    def lives(self, family: Family) -> bool:
        return family.alive and self.now < family.ends and family.person in self.good

    async def issue(self, which: int) -> None:
        person, name = PEOPLE[which % 2], self.name()
        request = RequestRow(f"r{name}", "{}", self.now + 600)
        await self.logins.put_request(request)
        grant = GrantRow(f"g{name}", person, "client", "Program", "cliniko:read", self.now, self.now + WHOLE)
        code = CodeRow(f"c{name}", grant.id, "{}", self.now + CODE)
        settled = RequestRow(request.id, "{}", request.expires, handed=b"x", handed_at=self.now)
        assert await self.logins.decide(settled, code, grant)
        assert not await self.logins.decide(settled, None, None), "a request is answered once"
        self.families.append((name, Family(person, self.now + WHOLE, code_ends=self.now + CODE)))

    async def exchange(self, which: int) -> None:
        if not self.families:
            return
        name, family = self.families[which % len(self.families)]
        new = self.new()
        found = await self.logins.take_code(f"c{name}", new, self.now)
        if family.code_used:
            assert found == "again"
            family.alive = False
            return
        family.code_used = True
        if self.now >= family.code_ends:
            assert found == "expired"
        elif not self.lives(family):
            assert found == "ended"
        else:
            assert isinstance(found, GrantRow)
            self.keep(family, new)

    async def refresh(self, which: int) -> None:
        kept = [(name, token) for name, token in self.tokens if token.refresh]
        if not kept:
            return
        name, token = kept[which % len(kept)]
        new = self.new()
        found = await self.logins.rotate(name, new, self.now)
        if not self.lives(token.family):
            assert found == "ended"
        elif self.now >= token.ends:
            assert found == "expired"
        elif token.used is None or (self.now - token.used <= GRACE_SECONDS and token.siblings < MAX_SIBLINGS):
            assert isinstance(found, GrantRow)
            token.siblings += token.used is not None
            token.used = self.now if token.used is None else token.used
            self.keep(token.family, new)
        else:
            assert found == "again"
            token.family.alive = False

    async def revoke(self, which: int) -> None:
        if self.families:
            name, family = self.families[which % len(self.families)]
            await self.logins.end(self.now, "gone", grant=f"g{name}")
            family.alive = False

    async def sign_out(self, which: int) -> None:
        person = PEOPLE[which % 2]
        await self.logins.end(self.now, "all", person=person)
        for _, family in self.families:
            family.alive = family.alive and family.person != person

    async def refuse(self, which: int) -> None:
        """The key of the version before last is refused as often as the newest."""
        person = PEOPLE[which % 2]
        version = self.keys[person] - (which // 2) % 2
        done = await self.logins.drop_key(person, version, self.now, "refused")
        assert done is (version == self.keys[person] and person in self.good)
        if done:
            self.good.discard(person)
            for _, family in self.families:
                family.alive = family.alive and family.person != person

    async def paste(self, which: int) -> None:
        person = PEOPLE[which % 2]
        row = await self.logins.put_person(row_of(person))
        self.keys[person] += 1
        assert row.version == self.keys[person]
        self.good.add(person)

    async def check(self) -> None:
        for name, token in self.tokens:
            if not token.refresh:
                accepted = await self.logins.token(name, self.now) is not None
                assert accepted is (self.now < token.ends and self.lives(token.family)), name


def row_of(person: str) -> PersonRow:
    return PersonRow(person, person.title(), "", "receptionist", "Northside", 0, b"sealed", 0.0)


WAITS = st.sampled_from((0.0, 1.0, 61.0, 119.0, 121.0, 999.0))
STEPS = ("issue", "exchange", "refresh", "revoke", "sign_out", "refuse", "paste")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from((*STEPS, "issue", "exchange", "refresh", "refresh")), st.integers(0, 7), WAITS),
        max_size=25,
    )
)
def test_a_token_is_good_while_its_grant_its_own_time_and_its_person_s_key_are(steps: list[Step]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            logins = SqliteLogins(Path(folder) / "logins.sqlite")
            for person in PEOPLE:
                await logins.put_person(row_of(person))
            model = Model(logins)
            acts: dict[str, Any] = {name: getattr(model, name) for name in STEPS}
            for act, which, wait in steps:
                await acts[act](which)
                await model.check()
                model.now += wait
            await model.check()
            logins.close()

    anyio.run(play)


CODES, TRIES = 40, 8


async def _race(path: Path, worker: int) -> list[int]:
    logins, won = SqliteLogins(path), [0] * CODES

    async def take(number: int, attempt: int) -> None:
        name = f"{worker}-{number}-{attempt}"
        found = await logins.take_code(f"c{number}", NewTokens(name, 1e9, f"r{name}", 1e9, "cliniko:read"), 1.0)
        won[number] += isinstance(found, GrantRow)

    async with anyio.create_task_group() as group:
        for number in range(CODES):
            for attempt in range(TRIES // 2):
                group.start_soon(take, number, attempt)
    logins.close()
    return won


def race(path: Path, worker: int) -> list[int]:
    return anyio.run(_race, path, worker)


def test_of_two_processes_that_use_the_same_codes_one_wins_each(tmp_path: Path) -> None:
    path = tmp_path / "logins.sqlite"

    async def prepare() -> None:
        logins = SqliteLogins(path)
        await logins.put_person(row_of("ana"))
        for number in range(CODES):
            await logins.put_request(RequestRow(f"r{number}", "{}", 1e9))
            grant = GrantRow(f"g{number}", "ana", "client", "Program", "cliniko:read", 0.0, 1e9)
            settled = RequestRow(f"r{number}", "{}", 1e9, handed=b"x", handed_at=0.5)
            assert await logins.decide(settled, CodeRow(f"c{number}", grant.id, "{}", 1e9), grant)
        logins.close()

    anyio.run(prepare)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(race, [(path, 1), (path, 2)])
    assert [one + other for one, other in zip(*found, strict=True)] == [1] * CODES


def test_what_was_cut_off_in_the_middle_left_nothing(tmp_path: Path) -> None:
    path = tmp_path / "logins.sqlite"
    logins = SqliteLogins(path)
    logins._db.execute("BEGIN IMMEDIATE")
    logins._db.execute("INSERT INTO token VALUES ('t', 'g', 0, '', 1e9, 0, 0)")
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*) FROM token").fetchone() == (0,)
    other.close()
    logins.close()
    again = SqliteLogins(path)
    assert again._db.execute("SELECT count(*) FROM token").fetchone() == (0,)
    again.close()


def test_the_file_is_its_owner_s_alone_and_one_that_others_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state" / "logins.sqlite"
    SqliteLogins(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        SqliteLogins(path)


@pytest.mark.anyio
async def test_programs_that_nobody_used_go_and_those_in_use_stay(tmp_path: Path) -> None:
    logins = SqliteLogins(tmp_path / "logins.sqlite")

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
    logins.close()
