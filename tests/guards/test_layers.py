"""What the operator switched off stays off, by every name."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.pipeline import SUPPORTING, Caller, GuardedCall, Purpose
from cliniko_mcp.guards.read_only import ReadOnly
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.views import view_of
from tests.guards.gate import App, Form, call, on_its_way, passed, run

EVERY = sorted(operations())


@pytest.mark.parametrize("name", EVERY)
def test_read_only_lets_exactly_the_reads_pass(name: str) -> None:
    operation: Operation = operations()[name]
    granting = name == "get_attachment_presigned_post"
    assert operation.changes is (operation.risk is not Risk.READ or granting)


@pytest.mark.parametrize(
    "name", ["update_patient", "archive_patient", "delete_patient", "get_attachment_presigned_post"]
)
def test_read_only_refuses_before_anybody_is_asked(name: str) -> None:
    app, form = App(allowed={"archive_patient"}), Form(Verdict.YES)
    arguments = {"update_patient": {"notes": "x"}}.get(name, {})
    key = "patient_id" if name.startswith("get") else "id"
    with pytest.raises(NotAllowed, match="not change anything") as refused:
        called = call(name, **{key: "1"}, **arguments)
        run(lambda: app.act(called, Caller(asker=form), guards=[ReadOnly()]))
    assert (form.asked, app.clinic.reached, app.board.invited) == ([], [], 0)
    assert "--" not in refused.value.fix


def test_the_view_and_the_guard_agree_on_what_changes_something() -> None:
    changing = view_of(Settings(view="all", read_only=True)).changing
    assert changing & operations().keys() == {name for name, operation in operations().items() if operation.changes}


def test_read_only_lists_no_operation_that_it_would_refuse() -> None:
    listed = set(view_of(Settings(view="all", read_only=True)).listed)
    assert listed & operations().keys()
    assert [name for name, operation in operations().items() if name in listed and operation.changes] == []


def test_read_only_lets_reads_through() -> None:
    app = App()
    run(lambda: app.act(call("list_patients"), guards=[ReadOnly()]))
    assert app.clinic.reached == [("GET", "/patients")]


@pytest.mark.parametrize(
    ("excluded", "name", "tool", "passes"),
    [
        ("archive_patient", "archive_patient", "archive_patient", False),
        ("archive_patient", "archive_patient", "cliniko_destroy", False),
        ("archive_patient", "archive_patient", "some_curated_tool", False),
        ("archive_patient", "delete_patient", "delete_patient", False),
        ("delete_patient", "delete_patient", "delete_patient", False),
        ("delete_patient", "archive_patient", "archive_patient", True),
        ("cliniko_destroy", "archive_patient", "cliniko_destroy", False),
        ("cliniko_destroy", "archive_patient", "archive_patient", True),
        ("archive_contact", "archive_patient", "archive_patient", True),
    ],
)
def test_an_exclusion_holds_on_every_route_and_for_the_deprecated_twin(
    excluded: str, name: str, tool: str, passes: bool
) -> None:
    reached: list[str] = []

    async def act() -> None:
        reached.append(name)

    async def story() -> None:
        await passed([Exclusion(lambda _: {excluded}, {excluded})], on_its_way(call(name, id="1"), tool=tool), act)

    if passes:
        run(story)
    else:
        with pytest.raises(NotAllowed, match="switched off"):
            run(story)
    assert reached == ([name] if passes else [])


@pytest.mark.parametrize("purpose", ["call", "label", "zone", "preview"])
@pytest.mark.parametrize("forbidden", [True, False])
def test_an_allow_list_lets_pass_what_a_call_cannot_do_without_and_an_exclusion_by_name_never(
    purpose: Purpose, forbidden: bool
) -> None:
    """Zones and what a person is shown are read though the list of allowed operations does not name their reading."""
    reading = replace(on_its_way(call("get_business", id="9"), tool="list_patients"), purpose=purpose)
    guard = Exclusion(lambda _: {"get_business"}, {"get_business"} if forbidden else set())

    async def act() -> str:
        return "read"

    if purpose in SUPPORTING and not forbidden:
        assert run(lambda: passed([guard], reading, act)) == "read"
    else:
        with pytest.raises(NotAllowed, match="switched off"):
            run(lambda: passed([guard], reading, act))


class Named:
    """A guard that writes down when it is entered and left, and how."""

    def __init__(self, name: str, seen: list[str], problem: Exception | None = None) -> None:
        self.name = name
        self.seen = seen
        self.problem = problem

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        self.seen.append(self.name)
        if self.problem is not None:
            raise self.problem
        try:
            yield
        except BaseException as problem:
            self.seen.append(f"{self.name} saw {type(problem).__name__}")
            raise
        self.seen.append(f"/{self.name}")


def test_guards_stand_in_their_order_outermost_first() -> None:
    seen: list[str] = []

    async def act() -> str:
        seen.append("act")
        return "answer"

    guards = [Named("a", seen), Named("b", seen)]
    assert run(lambda: passed(guards, on_its_way(call("list_patients")), act)) == "answer"
    assert seen == ["a", "b", "act", "/b", "/a"]


def test_what_an_inner_guard_refuses_the_outer_ones_see_and_nothing_is_done() -> None:
    seen: list[str] = []

    async def act() -> None:
        seen.append("act")

    guards = [Named("a", seen), Named("b", seen, NotAllowed("No.")), Named("c", seen)]
    with pytest.raises(NotAllowed):
        run(lambda: passed(guards, on_its_way(call("list_patients")), act))
    assert seen == ["a", "b", "a saw NotAllowed"]


def test_a_call_that_is_cancelled_leaves_every_guard_before_it_ends() -> None:
    seen: list[str] = []

    async def story() -> None:
        with anyio.move_on_after(0.01):
            await passed([Named("a", seen), Named("b", seen)], on_its_way(call("list_patients")), anyio.sleep_forever)

    run(story)
    assert seen == ["a", "b", "b saw CancelledError", "a saw CancelledError"]
