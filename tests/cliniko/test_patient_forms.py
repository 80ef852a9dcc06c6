"""Patient forms as read: their signatures have one name, however Cliniko links to them."""

import csv
from pathlib import Path
from typing import Any

import pytest
from conftest import in_process

from cliniko_mcp.cli.export import list_named
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm
from cliniko_mcp.export import Unfinished, planned

SIGNATURE = "565805660088829113"


def link(signature: str) -> dict[str, Any]:
    return {"links": {"self": f"https://api.au1.cliniko.com/v1/patient_forms/801/signatures/{signature}"}}


@pytest.mark.parametrize(
    ("signatures", "ids"),
    [
        (link(SIGNATURE), [SIGNATURE]),
        ([link(SIGNATURE)], [SIGNATURE]),
        ([link(SIGNATURE), link("7")], [SIGNATURE, "7"]),
        (None, None),
        ([], None),
    ],
)
def test_signatures_are_read_under_one_name(signatures: object, ids: list[str] | None) -> None:
    form = PatientForm.read({"id": "801", "patient_id": "1", "signatures": signatures})  # pyright: ignore[reportArgumentType]
    assert form.signature_ids == ids
    assert form.unexpected == {}
    assert "signatures_id" not in (form.model_extra or {})


@pytest.mark.parametrize("signatures", [link(SIGNATURE), [link(SIGNATURE)]])
def test_the_column_of_an_export_has_the_name_that_fields_takes(signatures: object, tmp_path: Path) -> None:
    form = PatientForm.read({"id": "801", "patient_id": "1", "signatures": signatures})  # pyright: ignore[reportArgumentType]
    plan = planned(list_named("patient_forms"), {}, "csv")
    out = tmp_path / "forms.csv"
    with Unfinished(plan, out, again=False, overwrite=False) as unfinished:
        unfinished.write(form)
        unfinished.finish()
    with out.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert SIGNATURE in row["signature_ids"]
    assert planned(list_named("patient_forms"), {}, "csv", ["signature_ids"]).columns == ["signature_ids"]


@pytest.mark.anyio
async def test_rows_show_the_signatures_of_forms_that_have_one() -> None:
    async with in_process() as assistant:
        rows = await assistant.rows("list_patient_forms", limit=100, fields="signature_ids,content")
        signed = [row for row in rows if "signature_ids" in row]
        assert signed and all(row["signature_ids"] for row in signed)
        whole = await assistant.call("get_patient_form", id=signed[0]["id"])
        assert whole["item"]["signature_ids"] == signed[0]["signature_ids"]
