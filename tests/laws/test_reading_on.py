"""Every cut in every read of one record can be read on to its end by repeating calls as the note says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox.world import World

from cliniko_mcp.cliniko import registry
from cliniko_mcp.results.budget import size
from cliniko_mcp.results.paths import Place, place_in, resumed
from tests.conftest import Assistant, in_process
from tests.journeys.test_every_operation import arguments
from tests.laws.overfull import overfill, text_in

pytestmark = pytest.mark.anyio

GETS = [op for op in registry.operations().values() if op.method == "GET" and not op.listing and op.record]
NOTE = re.compile(
    r"not shown: call (?P<tool>again|[a-z_]+) with (?P<with>.+?) and fields: (?P<fields>[^ ]+(?:, [^ ]+)*)\.$"
)
MARK = " …"


def texts(value: Any) -> Iterator[str]:
    """Every text of a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:  # pyright: ignore[reportUnknownVariableType]
            yield from texts(part)
    elif isinstance(value, dict):
        for part in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from texts(part)


async def followed(assistant: Assistant, tool: str, given_: dict[str, Any], note: str) -> list[dict[str, Any]]:
    """The rows of the calls that a note leads to, one after another, each with what is named in its `fields`."""
    rows: list[dict[str, Any]] = []
    while found := NOTE.search(note):
        asked = dict(given_) if found["tool"] == "again" else {}
        if found["tool"] != "again":
            tool = found["tool"]
            asked = dict(part.split(": ") for part in found["with"].split(", "))
        answer = await assistant.call(tool, **asked, fields=found["fields"])
        assert "code" not in answer, (note, answer)
        row = answer["item"] if "item" in answer else answer["items"][0]
        assert row["id"] or tool.endswith("settings")
        rows.append(row)
        given_ = asked
        notes = [more for more in answer.get("notes", []) if "not shown" in more]
        assert all(NOTE.search(more) for more in notes), notes
        after = notes[-1] if notes else ""
        assert after != note, "no way is made"
        note = after
    return rows


@pytest.fixture(scope="module")
async def overfull():
    world = World()
    overfill(world.sandbox, "Japanese", rows=1000)
    async with in_process(view="all") as assistant:
        assert assistant.app is not None
        assistant.app.use_sandbox(world.sandbox)
        yield assistant, world


@pytest.mark.long
async def test_every_cut_of_one_record_is_read_to_its_end_as_its_note_says(overfull: tuple[Assistant, World]):
    assistant, world = overfull
    long = text_in("Japanese")
    cut: set[str] = set()
    for operation in GETS:
        asked = arguments(world, operation)
        answer = await assistant.call(operation.name, **asked)
        for note in [note for note in answer.get("notes", []) if "not shown" in note]:
            found = NOTE.search(note)
            assert found, (operation.name, note)
            cut.add(operation.name)
            rows = await followed(assistant, operation.name, asked, note)
            field, place = place_in(found["fields"].split(", ")[0])
            first = answer["item"]["free_text"][field]
            if isinstance(first, str):
                shown = first.removesuffix(MARK)
                assert place == Place((), len(shown))
                rest = "".join(row["free_text"][field].removesuffix(MARK) for row in rows)
                assert shown + rest == long, (operation.name, field)
            else:
                names = [text for row in rows for text in texts(row["free_text"][field]) if "Question" in text]
                assert names[-1] == "Question 79", (operation.name, names)

    assert {"get_patient", "get_treatment_note", "get_patient_form", "get_contact", "get_individual_appointment"} <= cut


PIECES = st.sampled_from(["knee pain. ", "患者。", "a", ""])
LEAVES = st.builds(lambda text, times: text * times, PIECES, st.sampled_from((1, 9, 400))) | st.booleans()
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.dictionaries(st.sampled_from(["name", "questions", "sections", "7", "a.b", "x y"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(VALUES, st.integers(300, 900))
@settings(max_examples=40, deadline=None)
def test_whatever_a_field_holds_is_read_to_its_end_piece_by_piece(value: Any, room: int):
    """Letters are counted: each is shown in one piece at least, and in every piece the way is made on."""
    place, seen = Place(), ""
    for _ in range(400):
        row, cuts = resumed({"id": "1", "field": value}, {"field": place}, room)
        shown = row.get("field")
        assert size(row) <= room + 60
        seen += "".join(texts(shown)).replace(MARK, "")
        if not cuts:
            break
        field, after = place_in(cuts[-1].at)
        assert field == "field" and after != place, json.dumps(cuts[-1].at)
        assert all(cut.left >= 0 and cut.total >= cut.left for cut in cuts)
        place = after
    else:
        raise AssertionError("it never ends")
    whole = "".join(texts(value))
    assert len(seen) >= len(whole)
    assert set(seen) == set(whole)
