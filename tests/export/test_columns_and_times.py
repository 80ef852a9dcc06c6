"""What an export looks like: the columns people look for first, and times as they are at the clinic."""

import csv
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.cli.export import list_named
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.export import FIRST, export, planned
from tests.conftest import in_process
from tests.export.test_export import APPOINTMENTS, broken_off, guarded_clinic_of, plan_of

pytestmark = pytest.mark.anyio


@pytest.mark.long
@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_times_are_those_of_the_rows_own_site_and_with_utc_as_cliniko_sends_them(tmp_path: Path, form: Any):
    local, utc = tmp_path / f"local.{form}", tmp_path / f"utc.{form}"
    listing, when = list_named(APPOINTMENTS), {"starts_at": "2026-11-23..2026-11-28"}
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        done = await export(clinic, planned(listing, when, form), local)
        await export(clinic, planned(listing, when, form, utc=True), utc)
        zones = {site["id"]: ZoneInfo(site["time_zone_identifier"]) for site in await assistant.rows("list_businesses")}

    def read(path: Path) -> list[dict[str, Any]]:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file)) if form == "csv" else [json.loads(line) for line in file]

    pairs_of_rows = list(zip(read(local), read(utc), strict=True))
    assert len(pairs_of_rows) == done.rows > 50 and not done.notes
    for here, there in pairs_of_rows:
        assert there["starts_at"].endswith("Z") and there["created_at"].endswith("Z")
        moment = datetime.fromisoformat(there["starts_at"])
        assert here["starts_at"] == moment.astimezone(zones[here["business_id"]]).isoformat()
        assert datetime.fromisoformat(here["created_at"]) == datetime.fromisoformat(there["created_at"])
    assert len({row["starts_at"][-6:] for row, _ in pairs_of_rows}) == len(zones) == 2


def test_what_people_look_for_first_stands_in_the_first_columns():
    patients = plan_of("patients").columns
    assert [*patients[:8]] == [
        "id", "label", "title", "first_name", "last_name", "preferred_first_name", "date_of_birth",
        "patient_phone_numbers",
    ]  # fmt: skip
    assert patients[8] == "email" and [*patients[9:]] == sorted(patients[9:])
    assert [*plan_of().columns[:6]] == ["id", "starts_at", "ends_at", "patient_id", "practitioner_id", "business_id"]


def test_the_order_of_the_columns_is_the_documented_one():
    text = (Path(__file__).parents[2] / "docs" / "administrators.md").read_text("utf-8")
    told = text.partition("The columns stand in a fixed order: ")[2].partition(", those of them")[0]
    assert tuple(re.findall("`([a-z_]+)`", told)) == FIRST


@pytest.mark.long
async def test_an_export_in_utc_is_not_gone_on_with_in_local_time(tmp_path: Path):
    out = tmp_path / "visits.jsonl"
    async with in_process() as assistant:
        clinic = await guarded_clinic_of(assistant)
        await broken_off(clinic, replace(plan_of(), utc=True), out)
        with pytest.raises(ConfigurationError, match="another export"):
            await export(clinic, plan_of(), out)
