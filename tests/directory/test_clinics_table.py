"""The clinics in Postgres as every replica sees them: a change within seconds, nobody's once that cannot be known."""

from collections.abc import Callable

import anyio
import pytest

from cliniko_mcp.directory.clinics import Clinics
from cliniko_mcp.directory.clinics_changes import add_clinic, change_clinic, remove_clinic
from cliniko_mcp.errors import ConfigurationError, Unavailable
from cliniko_mcp.hosted_file import HostedFile
from cliniko_mcp.watched_file import FAULTY_SECONDS
from tests.directory.stores import KEY, OLD, directory_at, entry, ring
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.anyio, pytest.mark.long]


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return anyio.current_time() + self.ahead


async def until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not holds():  # noqa: ASYNC110 - nobody is told when a replica looks
            await anyio.sleep(0.05)


def there(clinics: Clinics, *ids: str) -> Callable[[], bool]:
    return lambda: tuple(clinics.known) == ids


async def test_every_replica_sees_a_change_within_seconds(postgres: PostgresServer) -> None:
    url = postgres.database()
    file = HostedFile(clinics=url, keys=("env:RING",))
    async with directory_at(url) as one, directory_at(url) as other, directory_at(url) as commands:
        seen = [await one.live(anyio.current_time, file), await other.live(anyio.current_time, file)]
        async with seen[0].watched(), seen[1].watched():
            await add_clinic(commands.store, entry("north", "a", "ana"), ring(OLD), KEY)
            began = anyio.current_time()
            for clinics in seen:
                await until(there(clinics, "north"))
            assert anyio.current_time() - began < 10
            before = seen[0].known
            await change_clinic(commands.store, "north", {"people": ()})
            await until(lambda: not seen[0].known["north"].people)
            assert seen[0].known is not before
            await remove_clinic(commands.store, "north")
            for clinics in seen:
                await until(there(clinics))


async def test_while_postgres_is_away_clinics_stay_for_a_minute_and_come_back_with_it(postgres: PostgresServer) -> None:
    url, clock = postgres.database(), Clock()
    async with directory_at(url) as directory:
        await add_clinic(directory.store, entry("north", "a", "ana"), ring(OLD), KEY)
        clinics = await directory.live(clock, HostedFile(clinics=url, keys=("env:RING",)))
        async with clinics.watched():
            postgres.stop()
            await anyio.sleep(2.5)
            assert list(clinics.known) == ["north"] and not clinics.away
            clock.ahead = FAULTY_SECONDS
            assert clinics.away and list(clinics.known) == []
            with pytest.raises(Unavailable, match="clinics and people's keys"):
                await directory.store.all()
            postgres.start()
            await until(there(clinics, "north"))
            assert not clinics.away


async def test_a_removed_clinics_row_is_gone_with_the_keys_of_its_people(postgres: PostgresServer) -> None:
    url = postgres.database()
    async with directory_at(url) as directory:
        await add_clinic(directory.store, entry("north", "a"), ring(OLD), KEY)
        await remove_clinic(directory.store, "north")
    left = "SELECT 1 FROM clinic_directory.clinic UNION ALL SELECT 1 FROM clinic_directory.person_key"
    postgres.do(url, f"DO $$ BEGIN IF EXISTS ({left}) THEN RAISE 'a row is left'; END IF; END $$")


async def test_an_entry_that_cannot_be_read_lets_nobody_in_and_the_others_go_on(postgres: PostgresServer) -> None:
    url = postgres.database()
    async with directory_at(url) as directory:
        await add_clinic(directory.store, entry("north", "a", "ana"), ring(OLD), KEY)
        await add_clinic(directory.store, entry("south", "b", "ana"), ring(OLD), KEY)
        postgres.do(url, "UPDATE clinic_directory.clinic SET entry = '{}' WHERE id = 'south'")
        clinics = await directory.live(anyio.current_time, HostedFile(clinics=url, keys=("env:RING",)))
        assert list(clinics.known) == ["north"]


def test_an_address_with_a_password_is_named_by_a_reference() -> None:
    for field in ("clinics", "person_keys"):
        with pytest.raises(ValueError, match="env:NAME or file:/path"):
            HostedFile.model_validate({"keys": ["env:RING"], "clinics": "c.toml"} | {field: "postgresql://a:b@h/d"})


async def test_an_address_that_is_none_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE", "mysql://ana:secret@127.0.0.1/x")
    with pytest.raises(ConfigurationError, match="not one of Postgres") as refused:
        async with directory_at("env:DATABASE"):
            pass
    assert "secret" not in str(refused.value)


async def test_tables_that_are_gone_are_said_and_looked_for_again_without_ending_the_server(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.database()
    async with directory_at(url) as directory:
        clinics = await directory.live(anyio.current_time, HostedFile(clinics=url, keys=("env:RING",)))
        async with clinics.watched():
            postgres.do(url, "ALTER SCHEMA clinic_directory RENAME TO elsewhere")
            await until(lambda: "UndefinedTableError" in caplog.text)
            postgres.do(url, "ALTER SCHEMA elsewhere RENAME TO clinic_directory")
            await add_clinic(directory.store, entry("north", "a"), ring(OLD), KEY)
            await until(there(clinics, "north"))
