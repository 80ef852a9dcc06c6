"""What each kind of report can be asked for: what it does not take is refused by its name, the rest is looked up."""

from datetime import datetime
from typing import Final

import pytest

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .over_port import Port

pytestmark = pytest.mark.anyio
WANTED: Final = {
    "practitioner": "Zebedee",
    "business": "Atlantis",
    "patient": "Zebedee Nobody",
    "words": "walk",
    "compare": "previous",
}
REFUSED: Final = {
    "practitioner": {"alerts", "changes", "never_seen"},
    "business": {"alerts", "changes", "find_in_notes", "never_seen"},
    "patient": KINDS.keys() - {"find_in_notes"},
    "words": KINDS.keys() - {"find_in_notes"},
    "compare": {
        "ahead",
        "alerts",
        "cases",
        "duplicates",
        "find_in_notes",
        "forms",
        "lapsed",
        "missing_contacts",
        "never_seen",
        "unpaid",
    },
}
WITHOUT_A_START: Final = {"alerts", "lapsed", "never_seen", "unpaid"}


@pytest.mark.long
@pytest.mark.parametrize("name", WANTED)
async def test_a_kind_refuses_what_it_has_no_use_for_and_looks_up_the_rest(
    clinic: tuple[Sandbox, Port], name: str
) -> None:
    async with reports(clinic[0], datetime.fromisoformat(CLOCKS[0])) as tool:
        for kind in KINDS:
            needed = {"words": "walk"} if kind == "find_in_notes" else {}
            if name not in needed:
                found = await tool.error(kind, **needed, **{name: WANTED[name]}, when="soonish")
                if kind in REFUSED[name]:
                    assert found["message"] == f"{kind} does not take {name}."
                else:
                    assert found["code"] == ("not_understood" if name == "compare" else "not_found"), (kind, name)
        assert (await tool.error("find_in_notes", when="soonish"))[
            "message"
        ] == "find_in_notes needs words to look for."


@pytest.mark.long
async def test_only_a_kind_that_can_do_without_a_start_covers_more_than_its_longest_span(
    clinic: tuple[Sandbox, Port],
) -> None:
    async with reports(clinic[0], datetime.fromisoformat(CLOCKS[0])) as tool:
        for kind in KINDS:
            words = {"words": "walk"} if kind == "find_in_notes" else {}
            found = await tool.error(kind, **words, when="2001-01-01 to 2010-12-31", limit=1)
            assert ("message" not in found) is (kind in WITHOUT_A_START), (kind, found.get("message"))
