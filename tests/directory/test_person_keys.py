"""People's own keys: each opens for its clinic, its person and its version alone, and is erased with its row."""

import sqlite3
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from cliniko_mcp.directory.open_directory import OpenDirectory
from cliniko_mcp.directory.person_keys import PersonKeys
from cliniko_mcp.directory.whose import Whose
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.shared_state.directory import KeyRow, SomebodyElses
from tests.directory.stores import KEY, NEW, OLD, directory_at, entry, ring
from tests.postgres import PostgresServer

pytestmark = pytest.mark.anyio

NORTH, SOUTH = entry("north", "a", keys="person"), entry("south", "b", keys="person")
ANA = Whose("au1", "4711", "1", "Ana Lima", "ana@clinic.example", "receptionist", "Northside")
BEN = Whose("au1", "4711", "2", "Ben Ode", "ben@clinic.example", "practitioner", "Northside")


@pytest.fixture(params=["file", pytest.param("Postgres", marks=pytest.mark.long)])
async def directory(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[OpenDirectory]:
    where = str(tmp_path / "clinics.toml")
    if request.param != "file":
        server = request.getfixturevalue("postgres")
        assert isinstance(server, PostgresServer)
        where = server.database()
    async with directory_at(where) as found:
        yield found


def keys_of(directory: OpenDirectory, *secrets: bytes) -> PersonKeys:
    return PersonKeys(directory.directory, ring(*secrets), lambda: 1000.0)


async def test_a_key_opens_for_its_clinic_its_person_and_its_version_alone(directory: OpenDirectory) -> None:
    keys = keys_of(directory, OLD)
    row = await keys.keep(NORTH, "people|ana", ANA, KEY)
    other = await keys.keep(NORTH, "people|ben", BEN, "other-au1")
    assert keys.open(NORTH, row) == KEY
    assert row == await keys.row(NORTH, "people|ana")
    for wrong in (
        replace(row, person="people|ben"),
        replace(row, version=2),
        replace(row, account=other.account),
        replace(other, sealed=row.sealed),
    ):
        assert keys.open(NORTH, wrong) is None
    again = NORTH.model_copy(update={"account": "c" * 32})  # removed, and added under the same id
    moved = NORTH.model_copy(update={"base_url": "https://elsewhere.example/v1"})
    assert [keys.open(one, row) for one in (SOUTH, again, moved)] == [None] * 3


async def test_a_newer_key_takes_the_place_of_the_one_before(directory: OpenDirectory) -> None:
    keys = keys_of(directory, OLD)
    first = await keys.keep(NORTH, "people|ana", ANA, KEY)
    second = await keys.keep(NORTH, "people|ana", ANA, "newer-au1")
    assert (second.account, second.version) == (first.account, 2)
    assert keys.open(NORTH, second) == "newer-au1"
    third = await keys.keep(NORTH, "people|ana", BEN, "bens-au1")
    assert third.account != first.account  # nothing that was kept for another user of Cliniko's
    assert len(await directory.directory.keys()) == 1


async def test_two_people_do_not_work_as_the_same_user_of_cliniko(directory: OpenDirectory) -> None:
    keys = keys_of(directory, OLD)
    row = await keys.keep(NORTH, "people|ana", ANA, KEY)
    with pytest.raises(SomebodyElses):
        await keys.keep(NORTH, "people|ben", ANA, KEY)
    assert await keys.row(NORTH, "people|ben") is None
    await keys.keep(SOUTH, "people|ben", ANA, KEY)
    assert await directory.directory.refuse_key(row, 1.0)
    assert await keys.keep(NORTH, "people|ben", ANA, KEY)


async def test_a_refused_key_is_erased_and_remembered_as_refused(directory: OpenDirectory) -> None:
    keys = keys_of(directory, OLD)
    old = await keys.keep(NORTH, "people|ana", ANA, KEY)
    newer = await keys.keep(NORTH, "people|ana", ANA, "newer-au1")
    assert not await directory.directory.refuse_key(old, 5.0)
    assert await directory.directory.refuse_key(newer, 5.0)
    row = await keys.row(NORTH, "people|ana")
    assert row is not None and (row.sealed, row.refused) == (b"", 5.0)
    assert keys.open(NORTH, row) is None
    again = await keys.keep(NORTH, "people|ana", ANA, KEY)
    assert (again.refused, again.version) == (0.0, 3)


async def test_a_person_and_a_clinic_are_erased(directory: OpenDirectory) -> None:
    keys = keys_of(directory, OLD)
    for clinic in (NORTH, SOUTH):
        await keys.keep(clinic, "people|ana", ANA, KEY)
        await keys.keep(clinic, "people|ben", BEN, KEY)
    assert await keys.erase(person="people|ana") == 2
    assert await keys.erase(clinic="north") == 1
    assert [(row.clinic, row.person) for row in await directory.directory.keys()] == [("south", "people|ben")]


async def test_the_ring_is_changed_in_the_order_of_the_document(directory: OpenDirectory) -> None:
    clinics = {"north": NORTH}
    await keys_of(directory, OLD).check_ring()
    await keys_of(directory, OLD).keep(NORTH, "people|ana", ANA, KEY)
    for secrets in ((OLD, NEW), (NEW, OLD)):
        await keys_of(directory, *secrets).check_ring()
    with pytest.raises(ConfigurationError, match="another key ring"):
        await keys_of(directory, NEW).check_ring()
    with pytest.raises(ConfigurationError):
        await keys_of(directory, NEW).reseal(clinics)
    assert await keys_of(directory, NEW, OLD).reseal(clinics) == 1
    newest = keys_of(directory, NEW)
    await newest.check_ring()
    row = await newest.row(NORTH, "people|ana")
    assert row is not None and newest.open(NORTH, row) == KEY
    assert keys_of(directory, OLD).open(NORTH, row) is None


def test_no_key_stands_in_the_file_nor_is_the_file_others_to_read(tmp_path: Path) -> None:
    where = str(tmp_path / "clinics.toml")

    async def looked() -> bool:
        async with directory_at(where) as directory:
            return await directory.has_keys()

    async def kept() -> KeyRow:
        async with directory_at(where) as directory:
            row = await keys_of(directory, OLD).keep(NORTH, "people|ana", ANA, KEY)
            await keys_of(directory, OLD).erase(person="people|ana")
            return row

    assert not anyio.run(looked)
    assert list(tmp_path.iterdir()) == []
    row = anyio.run(kept)
    file = tmp_path / "clinics.sqlite"
    assert file.stat().st_mode & 0o077 == 0
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    assert KEY.encode() not in file.read_bytes() and row.sealed not in file.read_bytes()
