"""A server for several clinics does not start where people could not give their keys, or replicas not know them."""

from pathlib import Path

import anyio
import pytest

from cliniko_mcp.directory.clinics_changes import add_clinic
from cliniko_mcp.directory.person_keys import PersonKeys
from cliniko_mcp.directory.whose import Whose
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.protocol.hosting import open_hosting
from cliniko_mcp.settings import Settings
from tests.directory.stores import KEY, NEW, OLD, directory_at, entry, ring
from tests.hosted.replicas import people_file

WITH_PAGE = 'public_url = "https://mcp.example.org/mcp"\npeople = "{people}"\n'
TOM = Whose("au1", "4711", "1", "Tom Okafor", "tom@clinic.example", "practitioner", "Northside")


def started(folder: Path, more: str, monkeypatch: pytest.MonkeyPatch, secret: bytes = OLD) -> None:
    """Start and end a server whose one clinic has people with keys of their own."""
    where, people = str(folder / "clinics.toml"), people_file(folder, {"tom": {}})
    monkeypatch.setenv("RING", secret.decode())
    north = entry("north", "a", "tom", keys="person")

    async def kept() -> None:
        async with directory_at(where) as directory:
            await add_clinic(directory.store, north, ring(OLD), KEY)
            keys = PersonKeys(directory.directory, ring(OLD), lambda: 0.0)
            await keys.check_ring()
            await keys.keep(north, "people|tom", TOM, KEY)

    async def start() -> None:
        hosted = anyio.Path(folder / "hosted.toml")
        text = f'keys = ["env:RING"]\nclinics = "{where}"\n{more.replace("{people}", str(people))}'
        await hosted.write_text(text)
        settings = Settings.load(
            {"transport": "http", "hosted": str(hosted)}, {"CLINIKO_CONTACT_EMAIL": "t@example.org"}
        )
        async with open_hosting(settings) as hosting:
            assert hosting.clinics is not None and list(hosting.clinics.known) == ["north"]

    anyio.run(kept)
    anyio.run(start)


def test_it_starts_where_people_log_in_and_one_file_holds_their_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(tmp_path, WITH_PAGE, monkeypatch)


@pytest.mark.parametrize(
    ("more", "secret", "words"),
    [
        ("", OLD, "needs the page"),
        (WITH_PAGE + '[redis]\nurl = "redis://127.0.0.1:1/0"\n', OLD, "has to be known at the others"),
        (WITH_PAGE, NEW, "sealed with another key ring"),
    ],
)
def test_what_is_missing_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, secret: bytes, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as problem:
        started(tmp_path, more, monkeypatch, secret)
    assert problem.value.fix
