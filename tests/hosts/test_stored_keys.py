"""The key is kept in the keychain, else in a file that only its owner can read, and comes back from there."""

import json
import os
import threading
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from cliniko_mcp import stored_keys
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings


class Keychain(KeyringBackend):
    """A keychain in memory, like a system's own."""

    priority = 5  # type: ignore[assignment]
    name = "test keychain"  # type: ignore[assignment]

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("the person said no")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("the person said no")
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.locked:
            raise KeyringLocked("the person said no")
        if (service, username) not in self.held:
            raise PasswordDeleteError("not there")
        del self.held[service, username]


@pytest.fixture
def keychain(monkeypatch: pytest.MonkeyPatch) -> Keychain:
    found = Keychain()
    monkeypatch.setattr(keyring, "get_keyring", lambda: found)
    monkeypatch.setattr(keyring, "get_password", found.get_password)
    monkeypatch.setattr(keyring, "set_password", found.set_password)
    monkeypatch.setattr(keyring, "delete_password", found.delete_password)
    return found


@pytest.fixture
def no_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "account.json"


def test_with_a_keychain_the_key_is_in_it_and_in_no_file(keychain: Keychain, file: Path) -> None:
    kept = stored_keys.keep("secret-au2", "desk@clinic.example", file=file)
    assert (kept.key, kept.contact_email, kept.place) == ("secret-au2", "desk@clinic.example", "keychain")
    assert keychain.held == {("cliniko-mcp", "api-key"): "secret-au2"}
    assert "secret" not in file.read_text()
    assert stored_keys.kept(file) == kept


@pytest.mark.usefixtures("no_keychain")
def test_without_a_keychain_the_key_is_in_a_file_that_only_its_owner_can_read(file: Path) -> None:
    kept = stored_keys.keep("secret-au2", "desk@clinic.example", file=file)
    assert kept.place == "file" and stored_keys.kept(file).key == "secret-au2"
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["account.json"]


def test_the_file_can_be_chosen_and_the_keychain_is_emptied_then(keychain: Keychain, file: Path) -> None:
    stored_keys.keep("old", None, file=file)
    assert stored_keys.keep("new", None, "file", file=file).place == "file"
    assert keychain.held == {} and stored_keys.kept(file).key == "new"


def test_moving_into_the_keychain_takes_the_key_out_of_the_file(keychain: Keychain, file: Path) -> None:
    stored_keys.keep("one", "a@b.example", "file", file=file)
    stored_keys.keep("one", None, "keychain", file=file)
    assert json.loads(file.read_text()) == {"contact_email": "a@b.example", "key_in": "keychain"}


@pytest.mark.usefixtures("keychain")
def test_what_is_not_given_stays_as_it_was(file: Path) -> None:
    stored_keys.keep("one", "a@b.example", file=file)
    assert stored_keys.keep(None, "c@d.example", file=file).key == "one"
    assert stored_keys.keep("two", None, file=file).contact_email == "c@d.example"


def test_forgetting_leaves_nothing(keychain: Keychain, file: Path) -> None:
    stored_keys.keep("one", "a@b.example", file=file)
    assert stored_keys.forget(file) and keychain.held == {} and not file.exists()
    assert not stored_keys.forget(file)
    assert stored_keys.kept(file) == stored_keys.Kept()


def test_forgetting_works_where_somebody_emptied_the_keychain_before(keychain: Keychain, file: Path) -> None:
    stored_keys.keep("one", None, file=file)
    keychain.held.clear()
    with pytest.raises(ConfigurationError, match="no longer in this computer's keychain"):
        stored_keys.kept(file)
    assert stored_keys.forget(file)


def test_nothing_kept_asks_no_keychain(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(keyring, "get_password", lambda *_: pytest.fail("the keychain was asked"))
    assert stored_keys.kept(file) == stored_keys.Kept()


def test_a_locked_keychain_is_an_error_with_advice(keychain: Keychain, file: Path) -> None:
    stored_keys.keep("one", None, file=file)
    keychain.locked = True
    with pytest.raises(ConfigurationError, match="keychain failed") as refused:
        stored_keys.kept(file)
    assert "login --keep file" in refused.value.fix


def test_from_a_locked_keychain_one_can_change_to_a_file(keychain: Keychain, file: Path) -> None:
    stored_keys.keep("one", None, file=file)
    keychain.locked = True
    assert stored_keys.keep("two", None, "file", file=file).key == "two"
    assert stored_keys.kept(file).place == "file"


def test_a_keychain_that_never_answers_does_not_hang_the_start() -> None:
    never = threading.Event()
    with pytest.raises(ConfigurationError, match="did not answer"):
        stored_keys._in_time(never.wait, patience=0.01)
    never.set()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.usefixtures("no_keychain")
def test_a_file_that_others_can_read_is_not_used(file: Path) -> None:
    stored_keys.keep("secret", None, file=file)
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others") as refused:
        stored_keys.kept(file)
    assert "chmod 600" in refused.value.fix and "secret" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "[]", "{", "\xff"])
def test_a_damaged_file_is_said_to_be_damaged(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.touch(0o600)
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigurationError, match=r"damaged|not text"):
        stored_keys.kept(file)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_giving_key_and_email_again_replaces_a_file_that_cannot_be_used(
    keychain: Keychain, file: Path, mode: int
) -> None:
    stored_keys.keep("old-au1", "a@b.example", "keychain", file=file)
    file.write_text("{", encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(ConfigurationError):
        stored_keys.keep("new-au1", None, file=file)
    kept = stored_keys.keep("new-au1", "c@d.example", "file", file=file)
    assert (kept.key, kept.contact_email, kept.place) == ("new-au1", "c@d.example", "file")
    assert keychain.held == {}  # where the lost file may have left a key


@pytest.mark.usefixtures("no_keychain")
def test_the_key_shows_in_no_repr(file: Path) -> None:
    assert "secret" not in repr(stored_keys.keep("secret", "a@b.example", file=file))


@pytest.mark.usefixtures("no_keychain")
def test_settings_take_what_is_kept_unless_the_environment_says_otherwise(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_keys, "account_file", lambda: file)
    with pytest.raises(ConfigurationError, match="no API key"):
        Settings.load({}, {}).require_account()
    stored_keys.keep("kept-au1", None, file=file)
    with pytest.raises(ConfigurationError, match="no contact email"):
        Settings.load({}, {}).require_account()
    stored_keys.keep(None, "a@b.example", file=file)
    assert Settings.load({}, {}).require_account() == ("kept-au1", "a@b.example")
    environ = {"CLINIKO_API_KEY": "given-uk1", "CLINIKO_CONTACT_EMAIL": "c@d.example"}
    assert Settings.load({}, environ).require_account() == ("given-uk1", "c@d.example")


@pytest.mark.usefixtures("no_keychain")
@pytest.mark.parametrize("address", ["http://127.0.0.1:8123/v1", "https://proxy.example/v1"])
def test_a_kept_key_goes_to_no_other_address(file: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(stored_keys, "account_file", lambda: file)
    stored_keys.keep("kept-au1", "a@b.example", file=file)
    with pytest.raises(ConfigurationError, match="no API key"):
        Settings.load({"base_url": address}, {}).require_account()
