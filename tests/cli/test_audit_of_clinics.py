"""`cliniko-mcp audit` for a server for many whose logs are files: of one clinic, of all, and of several replicas."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cliniko_mcp.cli import audit as audit_module
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards.clinic_logs import FileLogs, file_of
from cliniko_mcp.guards.hash_chain import HashChain

ACCOUNTS = {"north": "0" * 32, "south": "1" * 32, "west": "2" * 32}


def auditing(*arguments: str) -> Result:
    return CliRunner().invoke(audit_module.audit, arguments)


def written(folder: Path, clinic: str, *days: int) -> HashChain:
    folder.mkdir(exist_ok=True)
    chain = HashChain(file_of(folder / "audit.jsonl", clinic))
    for day in days:
        chain.append({"time": f"2026-11-{day:02}T01:00:00.000000Z", "operation": f"{clinic}{day}", "ids": {"id": "1"}})
    return chain


@pytest.fixture
def hosted(tmp_path: Path) -> str:
    clinics = tmp_path / "clinics.toml"
    clinics.write_text(
        "".join(f'[[clinic]]\nid = "{id}"\naccount = "{one}"\nkey = ""\n' for id, one in ACCOUNTS.items())
    )
    clinics.chmod(0o600)
    file = tmp_path / "hosted.toml"
    file.write_text(f'keys = ["env:RING"]\nclinics = "{clinics}"\n')
    return str(file)


def test_a_clinics_log_is_beside_the_servers_own(tmp_path: Path) -> None:
    chain = written(tmp_path / "a", "north", 1, 2)
    told = ("--clinic", "north", "--audit-file", str(tmp_path / "a" / "audit.jsonl"))
    assert auditing("verify", *told).output == "audit-north.jsonl: 2 lines, all as they were written.\n"
    assert auditing("export", *told).output == chain.path.read_text()
    result = auditing("verify", "--clinic", "south", *told[2:])
    assert (result.exit_code, "there is no audit log at" in result.output) == (1, True)


def test_the_files_of_several_replicas_are_so_many_chains(tmp_path: Path) -> None:
    for replica, days in (("a", (1, 2)), ("b", (2, 3, 4))):
        written(tmp_path / replica, "north", *days)
    own = [str(tmp_path / replica / "audit.jsonl") for replica in "ab"]
    told = ("--clinic", "north", "--audit-file", own[0], "--audit-file", own[1])
    result = auditing("verify", *told)
    assert result.exit_code == 0
    assert result.output == (
        f"{file_of(Path(own[0]), 'north')}: 2 lines, all as they were written.\n"
        f"{file_of(Path(own[1]), 'north')}: 3 lines, all as they were written.\n2 chains.\n"
    )
    days = [json.loads(line)["operation"] for line in auditing("export", *told).output.splitlines()]
    assert days == ["north1", "north2", "north2", "north3", "north4"]
    broken = file_of(Path(own[1]), "north")
    broken.write_text(broken.read_text().replace("north3", "north9"))
    result = auditing("verify", *told)
    assert result.exit_code == 1
    assert "audit-north.jsonl line 2 was changed; 1 line before that holds." in result.output
    assert "2 chains, of which 1 does not hold." in result.output


def test_without_a_name_every_clinics_that_has_one_is_verified(tmp_path: Path, hosted: str) -> None:
    own = str(tmp_path / "a" / "audit.jsonl")
    result = auditing("verify", "--hosted", hosted, "--audit-file", own)
    assert (result.exit_code, "no audit log of a clinic beside" in result.output) == (1, True)
    written(tmp_path / "a", "north", 1)
    written(tmp_path / "a", "west", 1, 2)
    result = auditing("verify", "--hosted", hosted, "--audit-file", own)
    assert result.output == (
        "audit-north.jsonl: 1 line, all as they were written.\n"
        "audit-west.jsonl: 2 lines, all as they were written.\n2 chains.\n"
    )


def test_an_export_begins_on_a_day_and_goes_to_a_new_file_of_its_owner(tmp_path: Path) -> None:
    written(tmp_path / "a", "north", 1, 2, 3)
    told = ("--clinic", "north", "--audit-file", str(tmp_path / "a" / "audit.jsonl"))
    for since, days in {
        "2026-11-02": [2, 3],
        "2026-11-02T01:00:00.000001": [3],
        "2026-11-02T12:00+11:00": [2, 3],
    }.items():
        lines = auditing("export", "--since", since, *told).output.splitlines()
        assert [json.loads(line)["n"] for line in lines] == days
    out = tmp_path / "north.csv"
    assert auditing("export", "--since", "2026-11-03", "--format", "csv", "--out", str(out), *told).output == ""
    header, row = out.read_bytes().decode().splitlines()
    assert header.startswith("n,time,operation,ids") and row.startswith("3,2026-11-03T01:00:00.000000Z,north3,id=1")
    assert isinstance(auditing("export", "--out", str(out), *told).exception, ConfigurationError)
    assert auditing("export", "--since", "last week", *told).exit_code == 2


def test_what_only_a_database_has_is_refused_for_files(tmp_path: Path, hosted: str) -> None:
    written(tmp_path / "a", "north", 1)
    anchors = tmp_path / "stream"
    anchors.write_text("")
    assert auditing("verify", "--anchors", str(anchors)).exit_code == 2
    result = auditing("close", "--hosted", hosted, "--clinic", "north", "--before", "2026-11-02", "--yes")
    assert isinstance(result.exception, ConfigurationError) and "only a log in Postgres" in result.exception.message


def test_without_a_database_the_statements_are_printed() -> None:
    printed = auditing("setup", "--role", 'the "app"').output
    assert printed.startswith("CREATE SCHEMA IF NOT EXISTS cliniko_audit;\n")
    assert 'GRANT EXECUTE ON FUNCTION cliniko_audit.audit_append TO "the ""app""";' in printed
    assert "GRANT UPDATE" not in printed and "GRANT DELETE" not in printed


async def _appended(logs: FileLogs) -> None:
    await logs.of("north").append({"a": 1})


def test_a_server_has_one_log_a_clinic(tmp_path: Path) -> None:
    import anyio

    logs = FileLogs(tmp_path / "audit.jsonl")
    assert logs.of("north") is logs.of("north") is not logs.of("south")
    anyio.run(_appended, logs)
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["audit-north.jsonl"]
