"""The worked examples of the reports' page are what the rows of the demo clinic say, and what the tool answers."""

import re
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import DECLINE, YES
from tools.curated.reception import reception

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.sandbox.core import Sandbox

from .demo import NOW, reports
from .examples import EXAMPLES, changes_in, in_words
from .over_port import Port, served
from .recount import Recount, Row

pytestmark = [pytest.mark.anyio, pytest.mark.long]
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reports.md").read_text("utf-8")
SHOWN = dict(re.findall(r"<!-- example (\w+) -->(.*?)<!-- /example -->", PAGE, re.S))


@pytest.fixture(scope="module")
def whole_clinic() -> Generator[tuple[Sandbox, Recount]]:
    """The whole demo clinic, and its rows over its port."""
    sandbox = Sandbox(now=datetime.fromisoformat(NOW), frozen=True, rate_limit=0)
    with served(sandbox) as url:
        yield sandbox, Recount(Port(url).rows, datetime.fromisoformat(NOW))


def on_the_page(figures: Row, names: tuple[str, ...]) -> str:
    return "; ".join(in_words(name, figures[name]) for name in names)


def read(kind: str) -> str:
    """The example of this kind as the page has it, on one line."""
    return " ".join(SHOWN.get(kind, "none").replace("`", "").split())


def test_every_kind_has_one() -> None:
    assert SHOWN.keys() == KINDS.keys()
    assert {*EXAMPLES, "changes"} == KINDS.keys()


@pytest.mark.parametrize("kind", EXAMPLES)
async def test_it_is_what_the_rows_say(whole_clinic: tuple[Sandbox, Recount], kind: str) -> None:
    sandbox, recount = whole_clinic
    example = EXAMPLES[kind]
    counted = example.counted(recount)
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call(**example.question)
    told = answer["summary"]
    if kind == "ahead":
        told |= {"weeks_booked": {"count": answer["items"][0]["weeks_booked"]}}
    assert {name: told[name] for name in example.shown} == {name: counted[name] for name in example.shown}
    assert read(kind) == on_the_page(counted, example.shown)


async def test_that_of_changes_is_what_the_log_says(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    answers = iter((YES, DECLINE))

    def person(message: str) -> dict[str, Any]:
        return next(answers)(message)

    async with reception(answer=person, audit_file=str(log)) as clinic:
        call = clinic.assistant.call
        coming = [
            row for row in clinic.rows("individual_appointments")
            if row["starts_at"] > "2026-11-30" and not row.get("cancelled_at") and not row.get("repeat_rule")
        ]  # fmt: skip
        await call("update_patient", id=coming[0]["patient_id"], notes="Rang about parking.")
        for row in coming[:2]:
            await call("cancel_individual_appointment", id=row["id"], cancellation_reason=50)
        told = (await call("report", kind="changes", when="today"))["summary"]
    counted = changes_in(log)
    assert {name: told[name] for name in counted} == counted
    assert read("changes") == on_the_page(counted, tuple(counted))
