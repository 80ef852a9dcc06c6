"""The clinics of a server, in a file and in Postgres: a key opens in its own entry alone, and the ring is changed while
all of them open."""

from pathlib import Path

import pytest

from cliniko_mcp.directory.clinics import Clinics, ClinicsInFile, opened_key, sealed_key
from cliniko_mcp.directory.clinics_changes import (
    ClinicStore,
    add_clinic,
    change_clinic,
    change_key,
    clinic_in,
    remove_clinic,
    reseal,
)
from cliniko_mcp.directory.open_directory import OpenDirectory
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosted_file import HostedFile
from cliniko_mcp.identity.person import Person
from tests.directory.stores import KEY, NEW, OLD, directory_at, entry, ring
from tests.postgres import PostgresServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["file", pytest.param("Postgres", marks=pytest.mark.long)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there are no clinics yet."""
    if request.param == "file":
        return str(tmp_path / "clinics.toml")
    server = request.getfixturevalue("postgres")
    assert isinstance(server, PostgresServer)
    return server.database()


async def two(store: ClinicStore) -> None:
    await add_clinic(store, entry("north", "a", "ana", "cyd"), ring(OLD), KEY)
    await add_clinic(store, entry("south", "b", "https://issuer|7", "cyd"), ring(OLD), "other-au2")


async def live(directory: OpenDirectory, where: str, clock: float = 0.0) -> Clinics:
    return await directory.live(lambda: clock, HostedFile(clinics=where, keys=("env:RING",)))


@pytest.mark.parametrize(
    "change", [{"id": "west"}, {"account": "c" * 32}, {"version": 2}, {"base_url": "https://elsewhere.example/v1"}]
)
def test_a_key_opens_in_no_other_entry(change: dict[str, object]) -> None:
    made = entry("north", "a")
    made = made.model_copy(update={"key": sealed_key(ring(OLD), made, KEY)})
    assert opened_key(ring(OLD), made) == KEY
    with pytest.raises(ConfigurationError, match="sealed with another"):
        opened_key(ring(OLD), made.model_copy(update=change))


async def test_in_the_order_of_the_document_the_ring_changes_while_every_key_opens(where: str) -> None:
    async with directory_at(where) as directory:
        store = directory.store
        await two(store)

        async def all_open(*secrets: bytes) -> bool:
            return [opened_key(ring(*secrets), one) for one in await store.all()] == [KEY, "other-au2"]

        assert await all_open(OLD) and await all_open(OLD, NEW) and await all_open(NEW, OLD)
        assert await reseal(store, ring(NEW, OLD)) == 2
        assert await all_open(NEW, OLD) and await all_open(NEW) and await all_open(OLD, NEW)
        with pytest.raises(ConfigurationError):
            await all_open(OLD)
        with pytest.raises(ConfigurationError):
            await reseal(store, ring(OLD))
        assert await all_open(NEW)


async def test_another_key_makes_what_was_sealed_before_useless(where: str) -> None:
    async with directory_at(where) as directory:
        store = directory.store
        await two(store)
        before = await clinic_in(store, "north")
        await change_key(store, "north", ring(OLD), "newer-au1")
        after = await clinic_in(store, "north")
        assert (after.version, opened_key(ring(OLD), after)) == (before.version + 1, "newer-au1")
        with pytest.raises(ConfigurationError):
            opened_key(ring(OLD), after.model_copy(update={"key": before.key}))


async def test_whoever_may_work_in_one_clinic_is_led_there_and_in_several_has_to_say_which(where: str) -> None:
    people = {
        "ana": Person("people", "ana"),
        "cyd": Person("people", "cyd"),
        "seven": Person("https://issuer", "7"),
        "claims to be ana": Person("https://issuer", "ana"),
        "token for south": Person("people", "ana", clinic="south"),
    }
    async with directory_at(where) as directory:
        await two(directory.store)
        clinics = await live(directory, where)

        def led(name: str, clinic: str | None = None) -> str | None:
            found = clinics.of(people[name], clinic)
            return found.id if found else None

        assert [led("ana"), led("ana", "north"), led("ana", "south")] == ["north", "north", None]
        assert [led("cyd"), led("cyd", "north"), led("cyd", "south")] == [None, "north", "south"]
        assert [led("seven"), led("seven", "north")] == ["south", None]
        assert led("claims to be ana") is None
        assert [led("token for south"), led("token for south", "north")] == ["south", None]


async def test_a_clinic_that_is_there_is_not_added_and_one_that_is_not_is_not_changed(where: str) -> None:
    async with directory_at(where) as directory:
        store = directory.store
        await two(store)
        with pytest.raises(ConfigurationError, match="already"):
            await add_clinic(store, entry("north", "c"), ring(OLD), KEY)
        for change in (
            change_key(store, "west", ring(OLD), KEY),
            change_clinic(store, "west", {"name": "West"}),
            remove_clinic(store, "west"),
        ):
            with pytest.raises(ConfigurationError, match="no clinic"):
                await change
        await remove_clinic(store, "north")
        await remove_clinic(store, "south")
        assert list(await store.all()) == []
        await add_clinic(store, entry("north", "a"), ring(OLD), KEY)
        assert [one.id for one in await store.all()] == ["north"]


async def test_what_stands_of_a_clinic_is_changed_and_taken_back_without_its_key(where: str) -> None:
    async with directory_at(where) as directory:
        store = directory.store
        await two(store)
        values = {"read_only": True, "people": ("ben",), "keys": "person", "confirm": "strict"}
        await change_clinic(store, "north", values)
        north = await clinic_in(store, "north")
        assert north.model_dump(include=set(values)) == values
        assert opened_key(ring(OLD), north) == KEY
        await change_clinic(store, "north", {"read_only": None, "confirm": None, "keys": "clinic"})
        north = await clinic_in(store, "north")
        assert (north.read_only, north.confirm, north.keys, north.people) == (None, None, "clinic", ("ben",))
        with pytest.raises(ConfigurationError, match="exclude_tools"):
            await change_clinic(store, "north", {"exclude_tools": 5})


def test_what_an_operator_wrote_beside_the_clinics_is_kept(tmp_path: Path) -> None:
    import anyio

    path = tmp_path / "clinics.toml"

    async def work() -> None:
        async with directory_at(str(path)) as directory:
            await two(directory.store)
            path.write_text(path.read_text().replace('id = "north"', '# the old house\nid = "north"'))
            await change_clinic(directory.store, "north", {"view": "all"})
            await change_key(directory.store, "north", ring(OLD), "newer-au1")

    anyio.run(work)
    assert "# the old house" in path.read_text()
    assert [clinic.view for clinic in ClinicsInFile(path, lambda: 0.0).known.values()] == ["all", None]
    assert not path.with_suffix(".sqlite").exists()
