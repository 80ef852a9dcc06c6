"""docs/reports.md defines every figure that any kind of report gives, and its example is what the rows say."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.sandbox.core import Sandbox

from .demo import NOW, reports
from .over_port import Port

pytestmark = pytest.mark.anyio
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "reports.md").read_text("utf-8")


@pytest.mark.long
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
        shown |= (await tool.call("lapsed", when="last month"))["summary"].keys()
    assert shown == defined
