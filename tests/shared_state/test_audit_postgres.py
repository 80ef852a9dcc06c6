"""The audit log in Postgres: one chain a clinic from all replicas, which the server itself cannot change."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import anyio
import asyncpg
import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards.anchors import anchors_in, tell_heads
from cliniko_mcp.guards.chain_lines import compact, sealed
from cliniko_mcp.guards.kept_chains import Checked, closing_of, verify
from cliniko_mcp.guards.parts import LocalKeys
from cliniko_mcp.shared_state.audit_postgres import AuditAway, open_audit
from cliniko_mcp.shared_state.audit_sql import setup
from tests.postgres import PostgresServer
from tests.shared_state.audit_at import audit_database

pytestmark = [pytest.mark.anyio, pytest.mark.long]
KEYS = LocalKeys(b"k" * 32)
OTHER_KEYS = LocalKeys(b"o" * 32)


@pytest.fixture(scope="module")
def addresses(postgres: PostgresServer) -> tuple[str, str]:
    return audit_database(postgres)


CLINICS = (f"clinic-{number}" for number in count(1))


@pytest.fixture
def clinic() -> str:
    """A clinic without a line."""
    return next(CLINICS)


async def checked(url: str, clinic: str, keys: LocalKeys = KEYS, **more: Any) -> Checked:
    async with open_audit(url) as audit, audit.reading(clinic) as reading:
        return await verify(reading, clinic, keys, **more)


async def lines_of(url: str, clinic: str) -> list[bytes]:
    async with open_audit(url) as audit, audit.reading(clinic) as reading:
        return [line async for line in reading.lines()]


async def written(url: str, clinic: str, number: int) -> None:
    async with open_audit(url) as audit:
        await audit.append(clinic, [compact({"operation": f"op{one}"}) for one in range(number)], "first", again=False)


async def test_a_line_is_byte_for_byte_that_of_the_file(addresses: tuple[str, str], clinic: str) -> None:
    app, _ = addresses
    entries: list[dict[str, Any]] = [
        {"time": "t", "ids": {"id": "1"}, "name": 'Zoë "n":1 \\ \U0001f600\x7f\n', "requests": 0},
        {"operation": '\ud800 \x00 ,"before":', "ok": True, "none": None},
    ]
    async with open_audit(app) as audit:
        assert await audit.append(clinic, [compact(entry) for entry in entries], "b", again=False) == 2
    first, seal = sealed(entries[0], 1, "0" * 64)
    second, _ = sealed(entries[1], 2, seal)
    assert await lines_of(app, clinic) == [first, second]
    assert await checked(app, clinic) == Checked(2)


@pytest.mark.parametrize(
    "body", ['{"n":7}', '{"a":1,"seal":""}', '{"a":1} {', "[1]", '{"a":"\n"}', '{"é":1}', '{"a"}', "{}"]
)
async def test_what_is_no_entry_is_not_taken(addresses: tuple[str, str], clinic: str, body: str) -> None:
    app, _ = addresses
    async with open_audit(app) as audit:
        with pytest.raises(AuditAway):
            await audit.append(clinic, ['{"a":1}', body], "b", again=False)
        assert await audit.append(clinic, ['{"a":1}'], "b", again=False) == 1


async def test_two_replicas_with_twenty_writers_make_one_chain_without_a_gap(
    addresses: tuple[str, str], clinic: str
) -> None:
    app, _ = addresses
    numbers: list[int] = []
    async with open_audit(app) as one, open_audit(app) as other, anyio.create_task_group() as group:

        async def write(number: int) -> None:
            for turn in range(20):
                replica = (one, other)[number % 2]
                numbers.append(await replica.append(clinic, [compact({"who": number, "turn": turn})], "b", again=False))

        for number in range(20):
            group.start_soon(write, number)
    assert sorted(numbers) == list(range(1, 401))
    assert await checked(app, clinic) == Checked(400)
    entries = [json.loads(line) for line in await lines_of(app, clinic)]
    assert {(entry["who"], entry["turn"]) for entry in entries} == {
        (who, turn) for who in range(20) for turn in range(20)
    }


async def test_a_batch_that_was_kept_though_its_answer_was_lost_is_not_added_twice(
    addresses: tuple[str, str], clinic: str
) -> None:
    app, _ = addresses
    async with open_audit(app) as audit:
        assert await audit.append(clinic, ['{"a":1}', '{"a":2}'], "one", again=False) == 2
        assert await audit.append(clinic, ['{"a":3}'], "two", again=False) == 3
        assert await audit.append(clinic, ['{"a":1}'], "one", again=True) == 2
        assert await audit.append(clinic, ['{"a":4}'], "three", again=True) == 4
    assert await checked(app, clinic) == Checked(4)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cliniko_audit.audit_line SET line = 'x'",
        "UPDATE cliniko_audit.audit_head SET n = 0",
        "DELETE FROM cliniko_audit.audit_line",
        "DELETE FROM cliniko_audit.audit_head",
        "TRUNCATE cliniko_audit.audit_line",
        "INSERT INTO cliniko_audit.audit_line (clinic, n, batch, line) VALUES ('x', 1, '', '')",
        "DROP TABLE cliniko_audit.audit_line",
        "CREATE TABLE cliniko_audit.other ()",
        "ALTER FUNCTION cliniko_audit.audit_append SECURITY INVOKER",
    ],
)
async def test_the_servers_role_can_only_add(addresses: tuple[str, str], statement: str) -> None:
    app, _ = addresses
    await written(app, "shared", 1)
    connection = await asyncpg.connect(app)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_server_that_could_change_its_log_does_not_start(
    addresses: tuple[str, str], postgres: PostgresServer
) -> None:
    app, owner = addresses
    async with open_audit(app) as audit:
        await audit.check()
    async with open_audit(owner) as audit:
        with pytest.raises(ConfigurationError, match=r"could change the audit log in Postgres .*UPDATE"):
            await audit.check()
    async with open_audit(postgres.database()) as audit:
        with pytest.raises(ConfigurationError, match="no tables yet") as refused:
            await audit.check()
    assert "audit setup" in refused.value.fix
    member = app.partition("//")[2].partition("@")[0]
    postgres.do(
        owner,
        'CREATE ROLE keeper NOLOGIN; GRANT keeper TO "' + member + '" WITH ADMIN OPTION;'
        'ALTER ROLE "' + member + '" NOINHERIT; ALTER TABLE cliniko_audit.audit_line OWNER TO keeper',
    )
    try:
        async with open_audit(app) as audit:
            with pytest.raises(ConfigurationError, match="MEMBER OF THE OWNER"):
                await audit.check()
    finally:
        postgres.do(owner, "ALTER TABLE cliniko_audit.audit_line OWNER TO tests; DROP ROLE keeper")


LINE = "cliniko_audit.audit_line"
TAMPERED = {
    f"UPDATE {LINE} SET line = replace(line, 'op3', 'op9') WHERE n = 4": "line 4 was changed",
    f"DELETE FROM {LINE} WHERE n = 4": "missing, added or moved before CLINIC line 4",
    f"DELETE FROM {LINE} WHERE n <= 4": "entries are missing before CLINIC line 5",
    f"DELETE FROM {LINE} WHERE n > 8": "missing at the end: CLINIC had 10",
    f"UPDATE {LINE} SET n = 25 - n WHERE n IN (4, 5)": "before CLINIC line 4",
    f"UPDATE {LINE} SET line = 'x' WHERE n = 1": "line 1 is not a whole entry",
    "UPDATE cliniko_audit.audit_head SET seal = repeat('a', 64)": "line 10 is not the entry that was last written",
    "DELETE FROM cliniko_audit.audit_head": "the record of the last entry of CLINIC is missing",
}


@pytest.mark.parametrize("statement", TAMPERED)
async def test_what_the_owner_of_the_tables_changes_is_found(
    addresses: tuple[str, str], clinic: str, postgres: PostgresServer, statement: str
) -> None:
    app, owner = addresses
    await written(app, clinic, 10)
    assert await checked(app, clinic) == Checked(10)
    joined = "AND" if "WHERE" in statement else "WHERE"
    postgres.do(owner, f"{statement} {joined} clinic = '{clinic}'")
    problem = (await checked(app, clinic)).problem or ""
    assert TAMPERED[statement].replace("CLINIC", clinic) in problem


async def test_a_chain_that_its_owner_made_anew_is_told_by_the_log_stream(
    addresses: tuple[str, str], clinic: str, postgres: PostgresServer
) -> None:
    app, owner = addresses
    await written(app, clinic, 10)
    told: list[str] = []
    async with open_audit(app) as audit:
        with anyio.move_on_after(0.5):
            await tell_heads(audit.heads, told.append)
    anchors = anchors_in([f"2026-11-29 replica-1 {line}\n" for line in told])[clinic]
    assert list(anchors) == [10]
    await written(app, clinic, 3)
    found = await checked(app, clinic, anchors=anchors)
    assert (found.lines, found.problem, len(found.notes)) == (13, None, 1)
    postgres.do(
        owner,
        f"DELETE FROM {LINE} WHERE clinic = '{clinic}'; DELETE FROM cliniko_audit.audit_head WHERE clinic = '{clinic}'",
    )
    await written(app, clinic, 4)
    assert await checked(app, clinic) == Checked(4)
    assert "missing at the end" in str((await checked(app, clinic, anchors=anchors)).problem)
    await written(app, clinic, 9)
    assert "line 10 is not the one that the log stream tells of" in str(
        (await checked(app, clinic, anchors=anchors)).problem
    )


async def test_a_closed_chain_begins_later_and_says_so(
    addresses: tuple[str, str], clinic: str, postgres: PostgresServer
) -> None:
    app, owner = addresses
    now = datetime.now(UTC)
    await written(app, clinic, 10)
    postgres.do(owner, f"UPDATE {LINE} SET written = '2020-01-01' WHERE clinic = '{clinic}' AND n <= 6")
    before = now - timedelta(days=1)
    async with open_audit(app) as audit:
        with pytest.raises(ConfigurationError, match="may not drop lines"):
            await audit.close(clinic, before, closing_of(clinic, KEYS, now))
    async with open_audit(owner) as audit:
        assert await audit.close(clinic, before, closing_of(clinic, KEYS, now)) == 6
    found = await checked(app, clinic)
    assert (found.lines, found.problem) == (5, None)
    assert "6 lines before them were dropped" in found.notes[0]
    await written(app, clinic, 2)
    assert (await checked(app, clinic)).problem is None
    # Nobody without the server's keys can close it, and a later end of the chain is not taken for the one signed.
    assert "that this server's keys signed" in str((await checked(app, clinic, OTHER_KEYS)).problem)
    # Signed anew where nothing is old enough, such as for other keys; and closed altogether.
    async with open_audit(owner) as audit:
        assert await audit.close(clinic, before, closing_of(clinic, OTHER_KEYS, now)) == 0
        assert (await checked(app, clinic, OTHER_KEYS)).problem is None
        assert await audit.close(clinic, now + timedelta(days=1), closing_of(clinic, KEYS, now)) == 8
    assert (await checked(app, clinic)).lines == 1
    postgres.do(owner, f"DELETE FROM {LINE} WHERE clinic = '{clinic}' AND n <= 1")
    await written(app, clinic, 3)
    postgres.do(owner, f"DELETE FROM {LINE} WHERE clinic = '{clinic}' AND n <= 16")
    assert "entries are missing before" in str((await checked(app, clinic)).problem)


async def test_the_tables_may_be_made_again_and_the_chain_goes_on(addresses: tuple[str, str], clinic: str) -> None:
    app, owner = addresses
    await written(app, clinic, 2)
    async with open_audit(owner) as audit:
        await audit.run(setup(app.partition("//")[2].partition("@")[0]))
    await written(app, clinic, 2)
    assert await checked(app, clinic) == Checked(4)


async def test_an_address_that_is_none_or_where_nothing_answers_is_refused_without_being_repeated(
    postgres: PostgresServer,
) -> None:
    for address, kind, words in (
        ("mysql://ana:secret@127.0.0.1/x", ConfigurationError, "not one of Postgres"),
        (f"{postgres.database()}gone?password=secret", ConfigurationError, "does not let this server in"),
        ("postgresql://ana:secret@127.0.0.1:1/tests", AuditAway, "the database of the audit log"),
    ):
        with pytest.raises(kind, match=words) as refused:
            async with open_audit(address):
                pass
        assert "secret" not in str(refused.value)
