"""The file of clinics: a key opens in its own entry alone, and the ring is changed without a moment without it."""

import random
from pathlib import Path

import pytest

from cliniko_mcp.directory.clinics import ClinicEntry, Clinics, opened_key, read_clinics, sealed_key
from cliniko_mcp.directory.clinics_changes import add_clinic, change_key, remove_clinic, reseal
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.person import Person
from cliniko_mcp.shared_state.keys import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32
KEY = "MS0xLWFiY2RlZg-au1"


def ring(*secrets: bytes) -> KeyRing:
    return KeyRing(secrets, random.Random(5).randbytes)


def entry(id: str, account: str, *people: str) -> ClinicEntry:
    return ClinicEntry(id=id, account=account * 32, people=people, key="")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clinics.toml"
    add_clinic(path, entry("north", "a", "ana", "cyd"), ring(OLD), KEY)
    add_clinic(path, entry("south", "b", "https://issuer|7", "cyd"), ring(OLD), "other-au2")
    return path


@pytest.mark.parametrize(
    "change", [{"id": "west"}, {"account": "c" * 32}, {"version": 2}, {"base_url": "https://elsewhere.example/v1"}]
)
def test_a_key_opens_in_no_other_entry(change: dict[str, object]) -> None:
    made = entry("north", "a")
    made = made.model_copy(update={"key": sealed_key(ring(OLD), made, KEY)})
    assert opened_key(ring(OLD), made) == KEY
    with pytest.raises(ConfigurationError, match="sealed with another"):
        opened_key(ring(OLD), made.model_copy(update=change))


def test_in_the_order_of_the_document_the_ring_changes_while_every_key_opens(file: Path) -> None:
    def all_open(*secrets: bytes) -> bool:
        return [opened_key(ring(*secrets), one) for one in read_clinics(file).clinic] == [KEY, "other-au2"]

    assert all_open(OLD) and all_open(OLD, NEW) and all_open(NEW, OLD)
    assert reseal(file, ring(NEW, OLD)) == 2
    assert all_open(NEW, OLD) and all_open(NEW) and all_open(OLD, NEW)
    with pytest.raises(ConfigurationError):
        all_open(OLD)
    with pytest.raises(ConfigurationError):
        reseal(file, ring(OLD))
    assert all_open(NEW)


def test_another_key_makes_what_was_sealed_before_useless(file: Path) -> None:
    before = read_clinics(file).clinic[0]
    change_key(file, "north", ring(OLD), "newer-au1")
    after = read_clinics(file).clinic[0]
    assert (after.version, opened_key(ring(OLD), after)) == (before.version + 1, "newer-au1")
    with pytest.raises(ConfigurationError):
        opened_key(ring(OLD), after.model_copy(update={"key": before.key}))


def test_whoever_may_work_in_one_clinic_is_led_there_and_in_several_has_to_say_which(file: Path) -> None:
    clinics = Clinics(file, lambda: 0.0)
    people = {
        "ana": Person("people", "ana"),
        "cyd": Person("people", "cyd"),
        "seven": Person("https://issuer", "7"),
        "claims to be ana": Person("https://issuer", "ana"),
        "token for south": Person("people", "ana", clinic="south"),
    }

    def led(name: str, clinic: str | None = None) -> str | None:
        found = clinics.of(people[name], clinic)
        return found.id if found else None

    assert [led("ana"), led("ana", "north"), led("ana", "south")] == ["north", "north", None]
    assert [led("cyd"), led("cyd", "north"), led("cyd", "south")] == [None, "north", "south"]
    assert [led("seven"), led("seven", "north")] == ["south", None]
    assert led("claims to be ana") is None
    assert [led("token for south"), led("token for south", "north")] == ["south", None]


def test_a_clinic_that_is_there_is_not_added_and_one_that_is_not_is_not_changed(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="already"):
        add_clinic(file, entry("north", "c"), ring(OLD), KEY)
    for change in (lambda: change_key(file, "west", ring(OLD), KEY), lambda: remove_clinic(file, "west")):
        with pytest.raises(ConfigurationError, match="no clinic"):
            change()
    remove_clinic(file, "north")
    remove_clinic(file, "south")
    assert read_clinics(file).clinic == ()
    add_clinic(file, entry("north", "a"), ring(OLD), KEY)
    assert [one.id for one in read_clinics(file).clinic] == ["north"]
