"""Files and folders that only their owner can read, and where the usual ones are."""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from cliniko_mcp import private_files
from cliniko_mcp.approvals.paths import audit_file, state_folder
from cliniko_mcp.private_files import open_private, private_folder, read_private, write_private

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are a Unix matter")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def never(*_: object) -> NoReturn:
    pytest.fail("it was open to others for a moment")


def opened() -> list[str]:
    return os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []


@posix
def test_what_is_made_is_closed_to_others_from_its_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "chmod", never)
    monkeypatch.setattr(os, "fchmod", never)
    old = os.umask(0)
    try:
        folder = private_folder(tmp_path / "state" / "approvals")
        os.close(open_private(folder / "log", os.O_RDWR | os.O_CREAT))
        write_private(folder / "pin.json", "{}")
    finally:
        os.umask(old)
    assert [mode(folder), mode(folder / "log"), mode(folder / "pin.json")] == [0o700, 0o600, 0o600]


@posix
@pytest.mark.parametrize("open_to", [0o020, 0o004, 0o001])
def test_what_is_open_to_others_is_closed_before_it_is_used(tmp_path: Path, open_to: int) -> None:
    (tmp_path / "log").write_text("kept")
    (tmp_path / "log").chmod(0o600 | open_to)
    tmp_path.chmod(0o700 | open_to)
    assert private_folder(tmp_path) == tmp_path
    os.close(open_private(tmp_path / "log", os.O_RDWR))
    assert [mode(tmp_path), mode(tmp_path / "log")] == [0o700, 0o600]


@posix
@pytest.mark.parametrize("open_to", [0o040, 0o002, 0o001])
def test_what_others_could_have_written_is_not_read(tmp_path: Path, open_to: int) -> None:
    path = tmp_path / "pin.json"
    write_private(path, "kept")
    assert read_private(path) == "kept"
    path.chmod(0o600 | open_to)
    with pytest.raises(PermissionError, match=r"^pin\.json is not private to its owner$"):
        read_private(path)


@posix
def test_what_belongs_to_somebody_else_is_neither_read_nor_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    write_private(path, "theirs")
    tmp_path.chmod(0o700)
    before = opened()
    somebody = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: somebody)
    with pytest.raises(PermissionError, match="log is not private to its owner"):
        read_private(path)
    with pytest.raises(PermissionError, match="log belongs to another user"):
        open_private(path, os.O_RDWR)
    with pytest.raises(PermissionError, match="belongs to another user"):
        private_folder(tmp_path)
    assert opened() == before


ROADS: list[Callable[[Path], object]] = [
    read_private,
    lambda path: open_private(path, os.O_RDONLY),
    lambda path: open_private(path, os.O_RDWR | os.O_CREAT),
]


@pytest.fixture
def impatient() -> Iterator[None]:
    """Whatever waits for a minute fails."""

    def enough(*_: object) -> None:
        raise TimeoutError("it waits")

    earlier, left = signal.signal(signal.SIGALRM, enough), signal.alarm(60)
    yield
    signal.alarm(left)
    signal.signal(signal.SIGALRM, earlier)


@posix
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("road", ROADS)
def test_a_pipe_is_not_a_file_and_nobody_waits_for_it(tmp_path: Path, road: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    before = opened()
    with pytest.raises(OSError, match="pipe is not a regular file"):
        road(tmp_path / "pipe")
    assert opened() == before


@posix
@pytest.mark.parametrize("road", ROADS)
def test_a_link_is_not_followed(tmp_path: Path, road: Callable[[Path], object]) -> None:
    write_private(tmp_path / "precious", "kept")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        road(tmp_path / "link")


@posix
@pytest.mark.parametrize("name", ["state", "approvals"])
def test_a_folder_that_is_a_link_is_refused_and_what_it_leads_to_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    for target in (tmp_path / "elsewhere", tmp_path / "nowhere"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).symlink_to(target)
        with pytest.raises(OSError):
            private_folder(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()
    assert mode(tmp_path / "elsewhere") == 0o755


def test_a_file_is_replaced_whole_though_an_earlier_draft_lies_about(tmp_path: Path) -> None:
    path = tmp_path / "pin.json"
    path.with_name(f"pin.json.{os.getpid()}.new").write_text("of a process that ended")
    write_private(path, "an older and longer text")
    write_private(path, "Zoë")
    assert path.read_bytes() == "Zoë".encode()
    assert os.listdir(tmp_path) == ["pin.json"]


def test_what_cannot_be_replaced_is_said_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "pin.json").mkdir()
    with pytest.raises(OSError):
        write_private(tmp_path / "pin.json", "{}")
    assert os.listdir(tmp_path) == ["pin.json"]


def test_a_full_disk_is_said_as_it_is_and_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes, mode: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_private(tmp_path / "pin.json", "kept")
    monkeypatch.setattr(private_files, "create_file", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(tmp_path / "pin.json", "{}")
    assert (tmp_path / "pin.json").read_text() == "kept"


def test_a_missing_file_is_said_to_be_missing_and_is_not_made(tmp_path: Path) -> None:
    for road in (read_private, lambda path: open_private(path, os.O_RDWR)):
        with pytest.raises(FileNotFoundError):
            road(tmp_path / "none")
    assert os.listdir(tmp_path) == []


def test_of_a_large_file_only_the_beginning_is_read(tmp_path: Path) -> None:
    write_private(tmp_path / "large", "x" * 70_000)
    assert read_private(tmp_path / "large") == "x" * 65_536
    assert read_private(tmp_path / "large", 3) == "xxx"


@pytest.mark.skipif(os.name != "posix" or not Path("/proc").exists(), reason="the folder of a Linux desktop")
def test_state_is_kept_where_the_system_keeps_it_and_a_demo_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "cliniko-mcp"
    assert audit_file() == state_folder() / "audit.jsonl"
    assert audit_file(demo=True) == state_folder() / "demo-audit.jsonl"
