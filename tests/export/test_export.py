"""Whole lists to files: every row once, whatever breaks in between, and readable by their owner alone."""

import csv
import json
import os
import stat
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click import UsageError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cliniko_mcp.export as module
from cliniko_mcp.cli.export import export as command
from cliniko_mcp.cli.export import list_named, pairs
from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.client.pagination import RowT
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments
from cliniko_mcp.errors import ConfigurationError, InvalidArguments, NotAllowed, Unavailable
from cliniko_mcp.export import CHECKPOINT, Plan, Unfinished, export, planned
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.pipeline import Caller
from tests.conftest import Assistant, in_process
from tests.warm import DEMO

pytestmark = pytest.mark.anyio

APPOINTMENTS = "individual_appointments"
LATELY = {"starts_at": ">=2026-10-15"}
"""Which of the thousands of appointments are exported: some more than are kept at two checkpoints."""
NOW = datetime(2026, 11, 24, tzinfo=UTC)


async def guarded_clinic_of(assistant: Assistant) -> GuardedClinic:
    assert assistant.app is not None
    return await assistant.app.guarded_clinic("export", Caller(route="terminal"))


class Breaking(GuardedClinic):
    """A clinic whose lists break off after some rows."""

    @classmethod
    def behind(cls, clinic: GuardedClinic, after: int) -> "Breaking":
        broken = cls.__new__(cls)
        vars(broken).update(vars(clinic))
        vars(broken)["after"] = after
        return broken

    async def all_of(self, call: Call[RowT], on_total: Callable[[int], None] | None = None) -> AsyncGenerator[RowT]:
        rows = 0
        async for record in super().all_of(call, on_total):
            if rows == vars(self)["after"]:
                raise Unavailable("the line broke")
            rows += 1
            yield record


async def broken_off(clinic: GuardedClinic, plan: Plan, out: Path, after: int = CHECKPOINT) -> None:
    """An export that ends in the middle because Cliniko could not be reached any more."""
    with pytest.raises(Unavailable):
        await export(Breaking.behind(clinic, after), plan, out)


def plan_of(resource: str = APPOINTMENTS, file_format: Any = "jsonl", **arguments: str) -> Plan:
    lately = LATELY if resource == APPOINTMENTS else {}
    return planned(list_named(resource), lately | arguments, file_format)


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]


@pytest.mark.long
async def test_every_row_of_a_list_is_written_once(tmp_path: Path):
    out = tmp_path / "visits.jsonl"
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        told: list[tuple[int, int | None]] = []
        whole = planned(list_named(APPOINTMENTS), {}, "jsonl")
        done = await export(clinic, whole, out, progress=lambda rows, total: told.append((rows, total)))
        total = await clinic.count(IndividualAppointments.list_individual_appointments.call())

    ids = ids_in(out)
    assert total is not None
    assert len(ids) == len(set(ids)) == done.rows == total
    assert total > 2 * CHECKPOINT
    assert ids == sorted(ids, key=int)
    assert told[-1] == (total, total)
    assert told == sorted(told)


async def test_only_the_owner_can_read_the_file_and_nothing_else_is_left(tmp_path: Path):
    out = tmp_path / "sites.csv"
    async with in_process() as assistant:
        await export(await guarded_clinic_of(assistant), plan_of("businesses", "csv"), out)

    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["sites.csv"]


async def test_a_csv_file_has_a_heading_and_a_line_a_row(tmp_path: Path):
    out = tmp_path / "sites.csv"
    async with in_process() as assistant:
        await export(await guarded_clinic_of(assistant), plan_of("businesses", "csv"), out)
        sites = await assistant.rows("list_businesses")

    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == {site["id"] for site in sites}
    assert [*rows[0]][:1] + [*rows[0]][-1:] == ["id", "more"]


async def test_filters_and_fields_narrow_what_is_written(tmp_path: Path):
    out = tmp_path / "few.jsonl"
    plan = planned(list_named(APPOINTMENTS), {"did_not_arrive": "true"}, "jsonl", ("id", "did_not_arrive"))
    async with in_process() as assistant:
        await export(await guarded_clinic_of(assistant), plan, out)

    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert rows
    assert all(row.keys() == {"id", "did_not_arrive"} and row["did_not_arrive"] is True for row in rows)


def test_what_lets_anyone_act_as_the_patient_is_written_only_when_it_is_named():
    secret = {"cancellation_url", "telehealth_url"}
    usual = plan_of()
    named = planned(list_named(APPOINTMENTS), {}, "csv", ("telehealth_url",))

    assert not secret & set(usual.columns)
    assert named.columns == ["telehealth_url"]


@pytest.mark.long
@pytest.mark.parametrize("after", [CHECKPOINT, CHECKPOINT + 50, 2 * CHECKPOINT + 1])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_after_a_break_it_goes_on_and_ends_as_if_nothing_had_happened(tmp_path: Path, after: int, form: Any):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    plan = plan_of(file_format=form)
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        await export(clinic, plan, whole)
        await broken_off(clinic, plan, broken, after)
        assert not broken.exists()
        assert stat.S_IMODE((tmp_path / "broken.part").stat().st_mode) == 0o600
        done = await export(clinic, plan, broken)

    assert broken.read_bytes() == whole.read_bytes()
    assert done.kept == after // CHECKPOINT * CHECKPOINT
    assert sorted(os.listdir(tmp_path)) == ["broken", "whole"]


@pytest.mark.long
async def test_what_was_torn_in_the_middle_of_a_line_is_written_anew(tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        await export(clinic, plan_of(), whole)
        await broken_off(clinic, plan_of(), broken)
        with (tmp_path / "broken.part").open("ab") as file:
            file.write(b'{"id": "12')
        await export(clinic, plan_of(), broken)

    assert broken.read_bytes() == whole.read_bytes()


@pytest.mark.long
async def test_rows_that_go_in_the_meantime_push_none_of_the_others_out(tmp_path: Path):
    out = tmp_path / "visits.jsonl"
    async with in_process(allow_destroy=("archive_individual_appointment",)) as assistant:
        clinic = await guarded_clinic_of(assistant)
        await broken_off(clinic, plan_of(), out)
        written = ids_in(tmp_path / "visits.jsonl.part")
        for gone in written[:3]:
            await clinic.perform(IndividualAppointments.archive_individual_appointment, id=gone)
        await export(clinic, plan_of(), out)
        counted = await assistant.call("count_records", operation=f"list_{APPOINTMENTS}", arguments=LATELY)
        left = counted["count"]

    ids = ids_in(out)
    assert len(ids) == len(set(ids)) == left + 3


@pytest.mark.long
async def test_a_list_that_cannot_be_entered_in_the_middle_starts_over(tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    plan = plan_of(sort="created_at:desc")
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        await export(clinic, plan, whole)
        await broken_off(clinic, plan, broken)
        done = await export(clinic, plan, broken)

    assert broken.read_bytes() == whole.read_bytes()
    assert done.kept == 0


async def test_an_unfinished_file_of_another_export_is_not_mixed_with_this_one(tmp_path: Path):
    out = tmp_path / "visits.jsonl"
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        await broken_off(clinic, plan_of(), out)
        with pytest.raises(ConfigurationError, match="another export"):
            await export(clinic, plan_of(did_not_arrive="true"), out)
        done = await export(clinic, plan_of(did_not_arrive="true"), out, again=True)

    assert done.kept == 0
    assert len(ids_in(out)) == done.rows


async def test_an_unfinished_file_of_another_clinic_is_not_mixed_with_this_one(tmp_path: Path):
    out = tmp_path / "visits.jsonl"
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        await broken_off(clinic, plan_of(), out)
        clinic._client.account = "another key"
        with pytest.raises(ConfigurationError, match="another export"):
            await export(clinic, plan_of(), out)


async def test_two_keys_are_two_accounts_and_neither_shows():
    async def account(key: str, base_url: str = "http://127.0.0.1:8123/v1") -> str:
        async with Clinic.open(base_url=base_url, key=key, user_agent="t", now=lambda: NOW) as clinic:
            return clinic.account

    mine = await account("secret-au1")
    assert mine == await account("secret-au1")
    assert len({mine, await account("other-au1"), await account("secret-au1", "http://127.0.0.1:9/v1")}) == 3
    assert "secret" not in mine


@pytest.mark.long
async def test_two_exports_never_write_the_same_file_at_once(tmp_path: Path):
    out = tmp_path / "visits.jsonl"
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        with Unfinished(plan_of(), out, again=False, overwrite=False) as first:
            with pytest.raises(ConfigurationError, match="another export is writing"):
                await export(clinic, plan_of(), out)
            sweep = await clinic.rows(IndividualAppointments.list_individual_appointments.call(), limit=1)
            first.write(sweep.rows[0])
            first.finish()
        done = await export(clinic, plan_of(), out, overwrite=True)

    assert len(ids_in(out)) == done.rows > 1


def test_who_waited_for_a_file_that_is_finished_by_then_does_not_write_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "visits.jsonl"

    @contextmanager
    def finished_meanwhile(_: int) -> Generator[None]:
        (tmp_path / "visits.jsonl.part").rename(out)
        out.write_text("whole")
        yield

    monkeypatch.setattr(module, "locked", finished_meanwhile)
    with pytest.raises(ConfigurationError, match="another export is writing"):
        Unfinished(plan_of(), out, again=False, overwrite=False)
    assert out.read_text() == "whole"


@pytest.mark.parametrize("open_ones", [True, False])
def test_a_file_is_closed_before_it_gets_its_name_where_open_ones_get_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_ones: bool
):
    closed: list[bool] = []
    replace = os.replace

    def spy(old: Path, new: Path) -> None:
        closed.append(unfinished._file.closed)
        replace(old, new)

    monkeypatch.setattr(module, "_RENAMES_OPEN_FILES", open_ones)
    with Unfinished(plan_of(file_format="csv"), tmp_path / "visits.csv", again=False, overwrite=False) as unfinished:
        monkeypatch.setattr(os, "replace", spy)
        unfinished.finish()

    assert closed == [not open_ones]
    assert (tmp_path / "visits.csv").read_text("utf-8").startswith("id,")


async def test_a_file_that_exists_is_kept_unless_told_otherwise(tmp_path: Path):
    out = tmp_path / "sites.csv"
    out.write_text("mine")
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        with pytest.raises(ConfigurationError, match="exists"):
            await export(clinic, plan_of("businesses", "csv"), out)
        assert out.read_text() == "mine"
        await export(clinic, plan_of("businesses", "csv"), out, overwrite=True)

    assert out.read_text("utf-8").startswith("id,")


async def test_a_folder_that_cannot_be_written_is_said_to(tmp_path: Path):
    async with in_process() as assistant:
        with pytest.raises(ConfigurationError, match="cannot be written"):
            await export(await guarded_clinic_of(assistant), plan_of("businesses"), tmp_path / "nowhere" / "sites.csv")


async def test_what_the_operator_excluded_is_not_exported(tmp_path: Path):
    async with in_process(exclude_tools=("list_patients",)) as assistant:
        with pytest.raises(NotAllowed):
            await export(await guarded_clinic_of(assistant), plan_of("patients"), tmp_path / "patients.csv")


@pytest.mark.parametrize("name", ["get_patient", "dragons", "", "settings"])
def test_only_lists_can_be_exported(name: str):
    with pytest.raises(ConfigurationError, match="no list called"):
        list_named(name)


def test_a_wrong_filter_or_field_is_refused_before_anything_is_asked():
    with pytest.raises(InvalidArguments):
        plan_of(starts_at="someday")
    with pytest.raises(InvalidArguments, match="no field called surname"):
        planned(list_named(APPOINTMENTS), {}, "csv", ("surname",))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("+61 400 000 000", "+61 400 000 000"),
        ("-12.50", "-12.50"),
        ("Ana", "Ana"),
        (None, None),
        (True, "true"),
        (7, 7),
        ({"a": ["=1"]}, '{"a": ["=1"]}'),
    ],
)
def test_a_spreadsheet_runs_nothing_that_a_patient_wrote(value: Any, cell: str):
    assert module.cell(value) == cell


@given(st.text())
def test_no_text_at_all_begins_like_a_formula(text: str):
    cell = str(module.cell(text))

    assert not cell.startswith(("=", "@", "\t", "\r"))
    assert not (cell.startswith(("+", "-")) and any(letter.isalpha() for letter in cell))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_row_of_surprises_is_written_as_it_came(tmp_path: Path, form: Any):
    operation = list_named(APPOINTMENTS)
    odd = operation.row.read({"id": 7, "created_at": {"a": 1}, "starts_at": "soon", "new": [1], "notes": "\ud800"})

    with Unfinished(planned(operation, {}, form), tmp_path / "odd", again=False, overwrite=False) as unfinished:
        unfinished.write(odd)
        unfinished.finish()

    last = (tmp_path / "odd").read_text("utf-8").splitlines()[-1]
    assert "soon" in last
    assert "new" in last


@pytest.mark.parametrize(
    ("name", "options", "written"),
    [("b.jsonl", [], "jsonl"), ("b.JSONL", [], "jsonl"), ("b.txt", [], "csv"), ("b.jsonl", ["--format", "csv"], "csv")],
)
def test_the_name_of_the_file_says_its_kind_unless_one_is_asked_for(
    tmp_path: Path, name: str, options: list[str], written: str
):
    out = tmp_path / name

    done = CliRunner().invoke(command, ["businesses", *DEMO, "--out", str(out), *options])

    assert done.exit_code == 0, done.output
    assert out.read_text("utf-8").startswith("{" if written == "jsonl" else "id,")


def test_filters_on_the_command_line_are_pairs():
    assert pairs(("starts_at=>=2026-01-01", "patient_id=12")) == {"starts_at": ">=2026-01-01", "patient_id": "12"}
    for wrong in ("patient_id", "=12", "patient_id="):
        with pytest.raises(UsageError):
            pairs((wrong,))
