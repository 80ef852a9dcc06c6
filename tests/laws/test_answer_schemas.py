"""Every answer of every curated tool is what its schema says, in the dialect of input schemas, each field described.

A time carries its offset and weekday; only an end may be a time of day alone, beside its start. A share says of what it
is one. Errors are no answers: a schema says nothing of them.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tools.curated.reception import Reception

from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.curated import NAMES
from cliniko_mcp.tools.index import entries
from tests.laws.dialect import faults
from tests.laws.plays import PLAYS, Play, prepared
from tests.laws.stage import Scene, stage
from tests.laws.test_one_road import Replayed
from tests.laws.violations import assert_none

WEEKDAY = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
TIME = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d {WEEKDAY}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
OF_DAY = re.compile(r"\d\d:\d\d")
SCHEMAS: Mapping[str, Any] = {name: entries()[name].answer_schema for name in NAMES}
AGAIN = (
    Play("book_appointment", {
        "patient": "Otto Zimt", "practitioner": "Ng", "type": "Standard consult", "when": "Thursday at 15:00",
        "dry_run": True,
    }),
    Play("show_diary", {"when": "this week", "limit": 3}),
    Play("find_times", {"type": "Standard consult", "when": "Sunday"}),
    Play("patient_brief", {"patient": "Ida Quarz"}),
    Play("set_attendance", {"patient": "Otto Zimt", "state": "did_not_arrive"}),
)  # fmt: skip
"""Answers with parts that the other plays lack: clashes, a list that is cut, alternatives, an empty brief."""


def objects(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every object of a schema that has properties, itself first."""
    if "properties" in schema:
        yield schema
    for below in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
        yield from objects(below)


def texts(value: Any, name: str = "", beside: Mapping[str, Any] | None = None) -> Iterator[tuple[str, str, Any]]:
    """Every text of an answer with the name of its field and the object that it stands in."""
    if isinstance(value, str):
        yield name, value, beside or {}
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name, beside)
    elif isinstance(value, dict):
        for field, below in value.items():
            yield from texts(below, field, value)


@pytest.fixture(scope="module", params=["a few", pytest.param("every play", marks=pytest.mark.long)])
async def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[list[tuple[Play, Scene]]]:
    folder = tmp_path_factory.mktemp("answers")
    async with stage(folder / "log.jsonl") as first:
        reception = Reception(first.assistant)
        clinic = Replayed(folder, reception, prepared(reception))
        yield [(play, await clinic.play(play)) for play in (AGAIN if request.param == "a few" else PLAYS)]


def test_the_schema_of_an_answer_is_in_the_dialect_of_the_input_schemas():
    assert_none(f"{name}: {fault}" for name, schema in SCHEMAS.items() for fault in faults(schema, "answer"))


def test_no_answer_has_a_field_without_a_description():
    assert_none(
        f"{name}: {field} has no description"
        for name, schema in SCHEMAS.items()
        for found in objects(schema)
        for field, below in found["properties"].items()
        if not below.get("description")
    )


def test_every_object_of_an_answer_is_closed():
    assert_none(
        f"{name}: an object of {sorted(found['properties'])} is open"
        for name, schema in SCHEMAS.items()
        for found in objects(schema)
        if found.get("additionalProperties") is not False
    )


def test_a_rate_says_what_it_is_of():
    assert_none(
        f"{name}: rate stands beside {sorted(found['properties'])}"
        for name, schema in SCHEMAS.items()
        for found in objects(schema)
        if "rate" in found["properties"] and {*found["properties"]} != {"count", "of", "rate"}
    )


def test_schemas_of_answers_are_listed_only_where_they_are_asked_for():
    """They would make the default list several times as long."""
    assert Settings().output_schemas is False


def test_each_tool_has_a_play():
    assert {play.tool for play in PLAYS} == {*NAMES}


@pytest.mark.long
@pytest.mark.anyio
async def test_every_play_is_answered(answers: list[tuple[Play, Scene]]):
    assert_none(f"{play}: {scene.answer}" for play, scene in answers if scene.code)


@pytest.mark.long
@pytest.mark.anyio
async def test_an_answer_is_what_the_schema_of_its_tool_says(answers: list[tuple[Play, Scene]]):
    assert_none(
        f"{play}: {problem.json_path} {problem.message[:200]}"
        for play, scene in answers
        for problem in Draft202012Validator(SCHEMAS[play.tool]).iter_errors(scene.answer)
    )


@pytest.mark.anyio
async def test_a_time_carries_its_offset_and_weekday(answers: list[tuple[Play, Scene]]):
    found = [(play, *text) for play, scene in answers for text in texts(scene.answer)]

    assert any(TIME.fullmatch(text) for _, _, text, _ in found)
    assert_none(
        f"{play}: {name} is {text}"
        for play, name, text, beside in found
        if len(MOMENT.findall(text)) != len(TIME.findall(text))
        or (OF_DAY.fullmatch(text) and not (name == "ends_at" and TIME.fullmatch(beside.get("starts_at", ""))))
    )
