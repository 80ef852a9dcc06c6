"""`people`: a token is shown once and kept nowhere, and the file stays as its operator wrote it."""

import os
from pathlib import Path

import pytest

from cliniko_mcp.identity.people_file import digest_of, read_people
from tests import warm

OURS = """# The front desk
[[person]]
id = "zoe"  # leaves in March
token = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
"""


def people(folder: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    done = warm.run("people", *arguments, "--people", str(folder / "people.toml"), env=os.environ)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_a_person_is_added_listed_given_a_new_token_and_revoked(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    token, told = people(tmp_path, "add", "ana", "--name", "Ana Lima", "--may", "write", "--days", "30")
    (ana,) = read_people(path).person
    assert (ana.id, ana.name, ana.token) == ("ana", "Ana Lima", digest_of(token.strip()))
    assert ana.scopes == ("cliniko:read", "cliniko:write")
    assert token.strip() not in path.read_text() + told
    assert path.stat().st_mode & 0o777 == 0o600 or os.name != "posix"
    listed, _ = people(tmp_path, "list")
    assert listed.split()[:4] == ["ana", "write", "Ana", "Lima"]
    _, told = people(tmp_path, "add", "ana", code=1)
    assert "--replace" in told
    again, _ = people(tmp_path, "add", "ana", "--replace")
    (ana,) = read_people(path).person
    assert ana.token == digest_of(again.strip()) != digest_of(token.strip())
    people(tmp_path, "revoke", "ana")
    assert read_people(path).person == ()
    _, told = people(tmp_path, "revoke", "ana", code=1)
    assert "nobody" in told


def test_who_may_approve_what_others_ask_for_is_said_in_the_file_and_the_list(tmp_path: Path) -> None:
    people(tmp_path, "add", "ana", "--approver")
    (ana,) = read_people(tmp_path / "people.toml").person
    assert (ana.approver, ana.person.scopes) == (True, {"cliniko:read", "cliniko:approve"})
    assert people(tmp_path, "list")[0].split()[:3] == ["ana", "read,", "approves"]


def test_what_an_operator_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    path.write_text(OURS)
    path.chmod(0o640)
    people(tmp_path, "add", "ana@clinic.example", "--clinic", "north")
    assert path.read_text().startswith(OURS)
    assert path.stat().st_mode & 0o777 == 0o640 or os.name != "posix"
    people(tmp_path, "revoke", "ana@clinic.example")
    assert path.read_text().rstrip() == OURS.rstrip()


@pytest.mark.parametrize("id", ["Ana", "ana lima", "", "ana|x"])
def test_an_id_that_could_be_read_in_two_ways_is_refused_and_nothing_is_written(tmp_path: Path, id: str) -> None:
    _, told = people(tmp_path, "add", id, code=1)
    assert "small letters" in told
    assert not (tmp_path / "people.toml").exists()
