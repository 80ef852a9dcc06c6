"""One road: whatever reaches Cliniko belongs to an operation that passed the guards and stands in the audit log.

Every operation, curated tool, resource template, prompt and completion is played in a demo clinic that keeps a list of
the requests that it saw, and what the log says is held against that list.
"""

import json
import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from conftest import YES, Assistant
from journeys.test_every_operation import arguments
from sandbox.world import World
from tools.curated.reception import Reception

from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.protocol.prompts import ROUTINES
from cliniko_mcp.results.names import LINKS
from cliniko_mcp.tools.curated import NAMES
from cliniko_mcp.tools.index import entries
from tests.laws.every import OPERATIONS
from tests.laws.plays import DISPENSABLE, LABELS, OPERATION_PLAYS, PLAYS, Play, prepared
from tests.laws.samples import needed
from tests.laws.stage import Scene, Stage, stage
from tests.laws.violations import assert_none

pytestmark = pytest.mark.anyio

EXECUTORS = {Risk.READ: "cliniko_read", Risk.WRITE: "cliniko_write", Risk.DESTRUCTIVE: "cliniko_destroy"}
DESTRUCTIVE = tuple(operation.name for operation in OPERATIONS if operation.risk is Risk.DESTRUCTIVE)
ZONES = ("get_authenticated_user", "get_business")
"""The operations by which the time zone of a call is read."""
TIME = re.compile(r"\d\d:\d\d[+-]\d\d:\d\d|^[A-Z][a-z]+/[A-Z]|^UTC$")
HEX, NUMBER = r"[0-9a-f]{64}", r"[0-9]{1,20}"
LINE = {
    "after": HEX,
    "arguments": HEX,
    "before": HEX,
    "channel": "none|form|page|terminal|allowed",
    "effect": "([a-z]{1,16} ?){1,8}",
    "for": "label|zone|preview",
    "made": NUMBER,
    "n": NUMBER,
    "of": NUMBER,
    "operation": r"[a-z_]{1,64}",
    "outcome": r"[a-z_]{1,24}",
    "principal": "local",
    "requests": NUMBER,
    "route": "stdio",
    "seal": HEX,
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "as_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "tool": r"[a-z_]{1,64}",
}
"""What may stand in a line: ids, names of our own and digests, which no value of a filter and no text can pass for."""


@pytest.fixture(scope="module")
async def operations_played(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    """Every operation with good arguments, a person saying yes; and every list counted."""
    world = World()
    scenes: list[Scene] = []
    async with stage(tmp_path_factory.mktemp("operations") / "log.jsonl", world.sandbox, answer=YES) as played:
        for operation in OPERATIONS:
            values = arguments(world, operation)
            scenes.append(await played.play(operation.name, **values))
            if operation.listing:
                scenes.append(await played.play("count_records", operation=operation.name, arguments=values))
        scenes.append(await played.play("cliniko_describe", query="move a booking"))
    return scenes


@pytest.fixture(scope="module")
async def clinic(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator["Replayed"]:
    """A clinic in which every play of a curated tool finds the same records."""
    folder = tmp_path_factory.mktemp("curated")
    async with stage(folder / "log.jsonl") as first:
        reception = Reception(first.assistant)
        yield Replayed(folder, reception, prepared(reception))


class Replayed:
    """Plays a call in the clinic as it was at first, under settings of its own."""

    def __init__(self, folder: Path, reception: Reception, ids: Mapping[str, str]) -> None:
        self._log = folder / "plays.jsonl"
        self._sandbox = reception.sandbox
        self._ids = ids
        self._state = reception.sandbox.snapshot()
        self._known: dict[str, Scene] = {}

    async def play(self, play: Play, **settings: Any) -> Scene:
        """The scene of this play; with the answer to be compared, where nothing is set, remembered."""
        if not settings and str(play) in self._known:
            return self._known[str(play)]
        self._sandbox.restore(self._state)
        async with stage(self._log, self._sandbox, allow_destroy=DESTRUCTIVE, **settings) as played:
            found = await played.play(play.tool, **play.spoken(self._ids))
        scene = Scene(str(play), found.answer, found.lines, found.requests)
        if not settings:
            self._known[scene.title] = scene
        return scene


@pytest.fixture(scope="module")
async def tools_played(clinic: Replayed) -> list[Scene]:
    """Every play of a curated tool."""
    return [await clinic.play(play) for play in PLAYS]


@pytest.fixture(scope="module")
async def surfaces_played(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    """Every resource, resource template, prompt and completion."""
    world = World()
    async with stage(tmp_path_factory.mktemp("surfaces") / "log.jsonl", world.sandbox) as played:
        return [scene async for scene in _surfaces(played, world)]


async def _surfaces(played: Stage, world: World) -> AsyncGenerator[Scene]:
    client = played.assistant.client
    addresses = [resource.uri for resource in (await client.list_resources()).resources]
    for template in (await client.list_resource_templates()).resource_templates:
        noun = template.uri_template.removeprefix("cliniko://").partition("/")[0]
        addresses.append(template.uri_template.replace("{id}", world.ids[noun]))
        reference = types.ResourceTemplateReference(uri=template.uri_template)
        yield await played.scene(f"complete {noun}", lambda ref=reference: _completed(played.assistant, ref, "id"))
    for address in addresses:
        yield await played.scene(address, lambda uri=address: _read(played.assistant, uri))
    for routine in ROUTINES:
        prompt = types.PromptReference(name=routine.name)
        for choice in routine.choices:
            title = f"complete {routine.name} {choice.name}"
            yield await played.scene(
                title, lambda ref=prompt, name=choice.name: _completed(played.assistant, ref, name)
            )
        yield await played.scene(routine.name, lambda name=routine.name: _filled(played.assistant, name))


async def _read(assistant: Assistant, uri: str) -> dict[str, Any]:
    [content] = (await assistant.client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    if content.mime_type != "application/json":  # a page for hosts, in which there is nothing of the clinic
        return {"page": content.text}
    return json.loads(content.text)


async def _completed(assistant: Assistant, reference: Any, argument: str) -> dict[str, Any]:
    found = await assistant.client.complete(reference, {"name": argument, "value": ""})
    return {"values": found.completion.values}


async def _filled(assistant: Assistant, prompt: str) -> dict[str, Any]:
    return {"messages": len((await assistant.client.get_prompt(prompt)).messages)}


@pytest.fixture(
    scope="module",
    params=[
        "surfaces",
        pytest.param("operations", marks=pytest.mark.long),
        pytest.param("tools", marks=pytest.mark.long),
    ],
)
def scenes(request: pytest.FixtureRequest) -> list[Scene]:
    """What was played of one kind."""
    return request.getfixturevalue(f"{request.param}_played")


@pytest.mark.long
async def test_everything_is_played_and_works(
    operations_played: list[Scene], tools_played: list[Scene], surfaces_played: list[Scene]
) -> None:
    scenes = [*operations_played, *tools_played, *surfaces_played]
    assert_none(f"{scene.title}: {scene.answer}" for scene in scenes if scene.code)
    assert {play.tool for play in PLAYS} == {*NAMES}
    assert sum(len(scene.requests) for scene in scenes) > 500


@pytest.mark.long
async def test_every_request_on_the_wire_belongs_to_a_line_in_the_log_which_counts_it(scenes: list[Scene]) -> None:
    assert_none(
        f"{scene.title}: on the wire only {dict(scene.sent() - scene.written())}, "
        f"in the log only {dict(scene.written() - scene.sent())}"
        for scene in scenes
        if scene.sent() != scene.written()
    )


async def test_a_line_holds_no_value_of_a_filter_no_name_and_no_text(scenes: list[Scene]) -> None:
    def strange(line: Mapping[str, Any]) -> Iterator[str]:
        for name, value in line.items():
            if name == "ids":
                yield from (
                    f"ids {ids}" for ids in [value] if not all(re.fullmatch(NUMBER, number) for number in ids.values())
                )
            elif not re.fullmatch(LINE.get(name, ""), str(value)):
                yield f"{name} {value}"

    assert_none(f"{scene.title}: {found}" for scene in scenes for line in scene.lines for found in strange(line))


@pytest.mark.long
async def test_what_is_switched_off_sends_nothing_by_any_route_and_is_written_down(tmp_path: Path) -> None:
    wrong: list[str] = []
    zones = [operation for operation in OPERATIONS if operation.name in ZONES]
    # Zones last: were they switched off from the start, nobody would see that they are read before a call is refused.
    for off in ([operation for operation in OPERATIONS if operation.name not in ZONES], zones):
        names = tuple(operation.name for operation in off)
        async with stage(tmp_path / f"{len(off)}.jsonl", exclude_tools=names) as played:
            for operation in off:
                wrong += await _faults_by_every_route(played, operation)

    assert_none(wrong)


@pytest.mark.long
async def test_what_would_change_something_sends_nothing_while_only_reading_is_allowed(
    tmp_path: Path, clinic: Replayed
) -> None:
    wrong: list[str] = []
    async with stage(tmp_path / "log.jsonl", read_only=True) as played:
        for operation in (operation for operation in OPERATIONS if operation.changes):
            wrong += await _faults_by_every_route(played, operation)
    for play in PLAYS:
        if entries()[play.tool].risk != Risk.READ:
            scene = await clinic.play(play, read_only=True)
            wrong += [f"{scene.title}: {fault}" for fault in _sent(scene)]

    assert_none(wrong)


async def test_what_destroys_sends_nothing_where_the_operator_blocked_it(tmp_path: Path) -> None:
    wrong: list[str] = []
    async with stage(tmp_path / "log.jsonl", confirm="block") as played:
        for operation in OPERATIONS:
            if operation.risk is Risk.DESTRUCTIVE:
                wrong += await _faults_by_every_route(played, operation)

    assert_none(wrong)


async def _faults_by_every_route(played: Stage, operation: Operation) -> list[str]:
    """In what way the operation is not simply refused: under its own name, through its executor, and counted."""
    values = dict(needed(operation))
    inside = {"operation": operation.name, "arguments": values}
    calls = [(operation.name, values), (EXECUTORS[operation.risk], inside)]
    if operation.listing:
        calls.append(("count_records", inside))
    wrong: list[str] = []
    for tool, words in calls:
        played.forget()
        scene = await played.play(tool, **words)
        wrong += [f"{operation.name} through {tool}: {fault}" for fault in _sent(scene)]
        own = [line["outcome"] for line in scene.lines if line["operation"] == operation.name and "for" not in line]
        if own[-1:] != ["not_allowed"]:
            wrong.append(f"{operation.name} through {tool}: left the lines {own}")
    return wrong


def _sent(scene: Scene) -> Iterator[str]:
    """Yield in what way this was not simply refused."""
    if scene.code != "not_allowed":
        yield f"{scene.code or 'not'} refused"
    if scene.requests:
        yield f"sent {dict(scene.sent())}"


@pytest.mark.long
async def test_a_curated_tool_calls_only_what_it_says_it_needs_or_can_do_without(clinic: Replayed) -> None:
    wrong: list[str] = []
    for play in PLAYS:
        scene = await clinic.play(play)
        declared = {*entries()[play.tool].needs, *DISPENSABLE.get(play.tool, ())}
        wrong += [f"{play}: calls {name}" for name in scene.called("call") - declared]
        wrong += [f"{play}: reads names by {name}" for name in scene.called("label") - declared - LABELS]

    assert_none(wrong)


@pytest.mark.long
async def test_a_curated_tool_whose_need_is_switched_off_is_refused_and_sends_nothing(clinic: Replayed) -> None:
    needs: dict[str, list[Play]] = defaultdict(list)
    for tool in NAMES:
        for name in entries()[tool].needs:
            needs[name].append(next(play for play in PLAYS if play.tool == tool))
    wrong: list[str] = []
    for name, plays in needs.items():
        for play in plays:
            scene = await clinic.play(play, exclude_tools=(name,))
            wrong += [f"{play.tool} without {name}: {fault}" for fault in _sent(scene)]

    assert_none(wrong)


@pytest.mark.long
async def test_no_answer_becomes_false_where_something_else_is_switched_off(clinic: Replayed) -> None:
    wrong: list[str] = []
    for play in (*PLAYS, *OPERATION_PLAYS):
        whole = await clinic.play(play)
        used = whole.called("call", "label", "zone", "preview") - {play.tool, *entries()[play.tool].needs}
        for name in used:
            scene = await clinic.play(play, exclude_tools=(name,))
            wrong += [f"{play} without {name}: {fault}" for fault in _false(whole, scene)]
            told = " ".join(scene.answer.get("notes", []))
            if name in LEFT and not scene.code and "are not shown: reading them is switched off here" not in told:
                wrong.append(f"{play} without {name}: does not say that those who left are missing")

    assert_none(wrong)


LEFT = {"list_inactive_practitioners"}
"""What the roster is read from and can do without; whoever is missing then might stand in any answer."""


def _false(whole: Scene, scene: Scene) -> Iterator[str]:
    """Yield in what way the answer is another one than it was, rather than refused or shorter and saying so.

    A local time to write is refused as an argument where the zone that it is meant in may not be read.
    """
    if scene.code in ("not_allowed", "invalid_arguments"):
        return
    if scene.code:
        yield f"ends in {scene.code}: {scene.answer['message']}"
        return
    before, after = set(_ids(whole.answer)), set(_ids(scene.answer))
    if more := after - before:
        yield f"has {len(more)} other records"
    if (fewer := before - after) and scene.answer.get("notes", []) == whole.answer.get("notes", []):
        yield f"lacks {len(fewer)} of {len(before)} records and does not say so"


def _ids(answer: Any) -> Iterator[str]:
    """Yield the ids of the records in an answer, wherever they stand; those of names beside ids left out."""
    match answer:
        case {**fields}:
            yield from (str(value) for name, value in fields.items() if name == "id")
            yield from (found for name, value in fields.items() if name != "names" for found in _ids(value))
        case [*values]:
            yield from (found for value in values for found in _ids(value))
        case _:
            return


@pytest.mark.long
async def test_a_tool_that_is_offered_alone_answers_in_the_clinic_s_own_time(clinic: Replayed) -> None:
    wrong: list[str] = []
    for play in (*PLAYS, *OPERATION_PLAYS):
        whole, alone = await clinic.play(play), await clinic.play(play, tools=(play.tool,))
        wrong += [f"{play}: {fault}" for fault in _otherwise(whole, alone)]
    for play in OPERATION_PLAYS:
        resource = entries()[play.tool].resource
        whole, alone = await clinic.play(play), await clinic.play(play, resources=(resource,))
        wrong += [f"{play} with its resource alone: {fault}" for fault in _otherwise(whole, alone)]

    assert_none(wrong)


def _otherwise(whole: Scene, alone: Scene) -> Iterator[str]:
    """Yield what differs but names, which an operation that is offered alone may not read."""
    if alone.code:
        yield f"ends in {alone.code}: {alone.answer['message']}"
    elif set(_ids(alone.answer)) != set(_ids(whole.answer)):
        yield "has other records"
    elif [*_times(alone.answer)] != [*_times(whole.answer)]:
        yield f"says {[*_times(alone.answer)][:3]}, not {[*_times(whole.answer)][:3]}"


NAMES_OF_BOOKINGS = {link.noun for link in LINKS.values() if link.module in ("bookings", "individual_appointments")}


def _times(answer: Any) -> Iterator[str]:
    """Yield every local time in an answer but those in names of bookings, in order, and its zone."""
    match answer:
        case {**fields}:
            yield from (
                found for name, value in fields.items() if name not in NAMES_OF_BOOKINGS for found in _times(value)
            )
        case [*values]:
            yield from (found for value in values for found in _times(value))
        case str() if TIME.search(answer):
            yield answer
        case _:
            return
