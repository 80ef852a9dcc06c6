"""docs/reports.md defines every figure that any kind of report gives, and its example is what the rows say."""

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.sandbox.core import Sandbox

from .demo import NOW, reports
from .over_port import Port, served
from .recount import Recount, share

pytestmark = pytest.mark.anyio
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "reports.md").read_text("utf-8")


async def test_every_figure_and_every_kind_is_defined(clinic: tuple[Sandbox, Port]) -> None:
    headings = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^### .*$", TEXT, re.M))))
    assert headings == KINDS.keys()
    defined = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| `.*?\|", TEXT, re.M))))
    shown: set[str] = set()
    async with reports(clinic[0], datetime.fromisoformat(NOW)) as tool:
        for name, kind in KINDS.items():
            answer = await tool.call(name, **({"words": "walk"} if kind.words else {}))
            shown |= answer["summary"].keys()
            assert answer["definition"].endswith(".")
    assert shown == defined


async def test_the_worked_example_is_what_the_rows_say() -> None:
    sandbox = Sandbox(now=datetime.fromisoformat(NOW), frozen=True, rate_limit=0)
    with served(sandbox) as url:
        recount = Recount(Port(url).rows, datetime.fromisoformat(NOW))
        begun = recount.begun(recount.within(date(2026, 11, 16), date(2026, 11, 22)))
    missed = share(sum(visit.arrived is False for visit in begun), len(begun))
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("no_shows", when="last week")
    assert answer["summary"]["no_shows"] == missed
    example = f"`no_shows: {missed['count']} of {missed['of']}, {missed['rate']}`"
    assert re.findall(r"<!-- example -->(.*?)<!-- /example -->", TEXT) == [example]
