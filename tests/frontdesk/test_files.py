"""Files of the upload folder: opened once and by descriptor, so that nothing outside the folder is ever attached."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cliniko_mcp.errors import InvalidArguments, NotAllowed
from cliniko_mcp.frontdesk import files
from cliniko_mcp.frontdesk.files import from_folder

posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes are a Unix matter")
INSIDE, OUTSIDE = b"a letter", b"a secret"

FLIPPING = """
import os, sys
plain, link, name = sys.argv[1:]
os.rename(plain, name)
print("flipping", flush=True)
while True:
    os.rename(name, plain)
    os.rename(link, name)
    os.rename(name, link)
    os.rename(plain, name)
"""
"""Puts a plain file or folder and a link in each other's place, over and over."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "to attach"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "letter.txt").write_bytes(INSIDE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_bytes(OUTSIDE)
    return folder


@contextmanager
def flipping(folder: Path, plain: Path, target: Path) -> Generator[str]:
    """While inside, a program flips the name that this yields between what is plain and a link to the target."""
    link, name = folder / "link", folder / "race"
    link.symlink_to(target)
    command = [sys.executable, "-c", FLIPPING, str(plain), str(link), str(name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            program.stdout.readline()
            yield name.name
        finally:
            program.kill()


def attempts(folder: Path, path: str) -> set[bytes | str]:
    """What a thousand calls found: what a file held, or why none was taken."""
    found: set[bytes | str] = set()
    for _ in range(1_000):
        try:
            found.add(from_folder(str(folder), path, None).data)
        except (NotAllowed, InvalidArguments) as problem:
            found.add(problem.code)
    return found


@posix
def test_a_program_that_flips_a_file_and_a_link_has_nothing_outside_attached(folder: Path) -> None:
    plain = folder / "plain"
    plain.write_bytes(INSIDE)
    with flipping(folder, plain, folder.parent / "out" / "letter.txt") as name:
        found = attempts(folder, name)
    assert INSIDE in found and OUTSIDE not in found


@posix
def test_a_program_that_flips_a_folder_and_a_link_has_nothing_outside_attached(folder: Path) -> None:
    with flipping(folder, folder / "sub", folder.parent / "out") as name:
        found = attempts(folder, f"{name}/letter.txt")
    assert INSIDE in found and OUTSIDE not in found


@posix
def test_a_file_with_a_second_name_is_not_attached(folder: Path) -> None:
    os.link(folder.parent / "out" / "letter.txt", folder / "hard.txt")
    with pytest.raises(NotAllowed, match="another name"):
        from_folder(str(folder), "hard.txt", None)


@posix
@pytest.mark.parametrize("path", ["there/letter.txt", "there.txt"])
def test_a_link_inside_the_folder_is_not_followed_either(folder: Path, path: str) -> None:
    (folder / "there").symlink_to(folder / "sub")
    (folder / "there.txt").symlink_to(folder / "sub" / "letter.txt")
    with pytest.raises((NotAllowed, InvalidArguments), match="link"):
        from_folder(str(folder), path, None)


@posix
def test_a_pipe_keeps_nobody_waiting_and_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(InvalidArguments, match="no such file"):
        from_folder(str(folder), "pipe", None)


@pytest.mark.parametrize("path", ["sub/letter.txt", "./sub//letter.txt", "{folder}/sub/letter.txt"])
def test_a_plain_file_is_attached_however_its_path_in_the_folder_is_written(folder: Path, path: str) -> None:
    found = from_folder(str(folder), path.format(folder=folder), None)
    assert (found.name, found.data) == ("letter.txt", INSIDE)


@posix
def test_the_folder_itself_may_be_named_by_a_link_of_the_operators(folder: Path) -> None:
    named = folder.parent / "named"
    named.symlink_to(folder)
    for path in ("sub/letter.txt", f"{named}/sub/letter.txt", f"{folder}/sub/letter.txt"):
        assert from_folder(str(named), path, None).data == INSIDE


@pytest.mark.parametrize("path", ["../out/letter.txt", "sub/../../out/letter.txt", "sub/../sub/letter.txt", "{out}"])
def test_a_path_that_leads_out_or_steps_back_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(NotAllowed, match="outside"):
        from_folder(str(folder), path.format(out=folder.parent / "out" / "letter.txt"), None)


@pytest.mark.parametrize("path", ["", ".", "sub", "missing", "sub/letter.txt/more", "a\x00b", "x" * 5_000])
def test_what_is_no_file_is_said_to_be_none(folder: Path, path: str) -> None:
    with pytest.raises(InvalidArguments, match="no such file"):
        from_folder(str(folder), path, None)


def test_a_file_that_is_too_large_is_refused_by_its_descriptor_and_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    monkeypatch.setattr(os, "fdopen", lambda *_: pytest.fail("it was read"))
    with pytest.raises(InvalidArguments, match="at most 20 MB"):
        from_folder(str(folder), "large", None)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of what is open")
@pytest.mark.parametrize("path", ["sub/letter.txt", "sub", "hard.txt", "sub/none", "none/letter.txt"])
def test_nothing_stays_open(folder: Path, path: str) -> None:
    os.link(folder.parent / "out" / "letter.txt", folder / "hard.txt")
    before = os.listdir("/proc/self/fd")
    with suppress(NotAllowed, InvalidArguments):
        from_folder(str(folder), path, None)
    assert os.listdir("/proc/self/fd") == before
