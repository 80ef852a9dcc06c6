"""What the operator switched off stays off, by every name."""

import pytest

from cliniko_mcp.approvals.questions import Verdict
from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.pipeline import Caller, GuardedCall, guard
from cliniko_mcp.guards.read_only import ReadOnly, changes
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.views import view_of
from tests.guards.gate import App, Form, call, run

EVERY = sorted(operations())


@pytest.mark.parametrize("name", EVERY)
def test_read_only_lets_exactly_the_reads_pass(name: str) -> None:
    operation: Operation = operations()[name]
    granting = name == "get_attachment_presigned_post"
    assert changes(operation) is (operation.risk is not Risk.READ or granting)


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


def test_read_only_lists_no_operation_that_it_would_refuse() -> None:
    listed = set(view_of(Settings(view="all", read_only=True)).listed)
    assert listed & operations().keys()
    assert [name for name, operation in operations().items() if name in listed and changes(operation)] == []


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
        await guard([Exclusion(lambda _: {excluded})], GuardedCall(call(name, id="1"), tool, Caller()), act)

    if passes:
        run(story)
    else:
        with pytest.raises(NotAllowed, match="switched off"):
            run(story)
    assert reached == ([name] if passes else [])


def test_layers_stand_in_their_order_outermost_first() -> None:
    seen: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        async def __call__(self, guarded: GuardedCall, act: object) -> object:
            seen.append(self.name)
            answer = await act()  # pyright: ignore[reportGeneralTypeIssues, reportCallIssue]
            seen.append(f"/{self.name}")
            return answer

    async def act() -> str:
        seen.append("act")
        return "answer"

    guarded = GuardedCall(call("list_patients"), "list_patients", Caller())
    assert run(lambda: guard([Named("a"), Named("b")], guarded, act)) == "answer"  # pyright: ignore[reportArgumentType]
    assert seen == ["a", "b", "act", "/b", "/a"]
