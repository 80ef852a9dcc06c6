"""Every row of the table of effects, by generated updates: what is gated is always asked about, the rest never."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cliniko_mcp.approvals.effects import TABLE
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import ApprovalNeeded, Rejected
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.every_kind import WEEKLY, an_app, content
from tests.guards.gate import STAMP, App, Form, call, run
from tests.laws.every import OPERATIONS
from tests.laws.samples import body_samples

UPDATES = {
    operation.resource: operation
    for operation in OPERATIONS
    if operation.shape == "update" and tuple(operation.path_ids) == ("id",)
}
"""Each update by its resource; that of a patient's referral source has no id of its own, by which the clinic here finds
a record."""
ATTENDANCE = {"arrived"}
Drawn = TypeVar("Drawn")
EXAMPLES = settings(max_examples=8, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
IDS = {
    "appointment_types": "8", "businesses": "9", "individual_appointments": "20", "group_appointments": "30",
    "unavailable_blocks": "25", "medical_alerts": "26", "treatment_notes": "27", "patient_forms": "28",
    "patient_cases": "29", "relationships": "31", "communications": "32", "patients": "4",
    "treatment_note_templates": "33", "patient_form_templates": "34",
}  # fmt: skip
TIMES = {"starts_at", "ends_at"}
Row = tuple[str, str, str]
"""Resource, rule and field."""


def fields_of_rules(resource: str) -> set[str]:
    return {field for rule in TABLE[resource] for field in rule.fields}


def everyday(operation: Operation) -> Mapping[str, tuple[object, ...]]:
    """Of the fields that no rule of this update names: what they can become, nothing that empties them."""
    assert operation.given_body is not None
    python = {wire: name for name, wire in operation.given_body.wire_names().items()}
    free = {
        name: tuple(value for value in values if value not in ("", []))
        for name, values in body_samples(operation).items()
        if python.get(name, name) not in fields_of_rules(operation.resource) and name != "clear"
    }
    return {name: values for name, values in free.items() if values}


def some_of(values: Mapping[str, tuple[object, ...]], at_least: int) -> st.SearchStrategy[dict[str, object]]:
    """So many of these fields or more, each with one of its values."""
    names = st.sets(st.sampled_from(sorted(values)), min_size=at_least, max_size=4) if values else st.just(set[str]())
    return names.flatmap(
        lambda names: st.fixed_dictionaries({name: st.sampled_from(values[name]) for name in sorted(names)})
    )


def an_app_with(resource: str) -> tuple[App, str]:
    """The usual clinic with a record of this kind, and its id."""
    app = an_app()
    identity = IDS.get(resource, "70")
    samples = {name: values[0] for name, values in body_samples(UPDATES[resource]).items() if values}
    raw = app.clinic.records.setdefault(resource, {}).setdefault(identity, {**samples, "id": identity, **STAMP})
    if "repeat_rule" in fields_of_rules(resource):
        raw["repeat_rule"] = WEEKLY
    return app, identity


def asked(resource: str, arguments: Mapping[str, object], app: App, identity: str) -> bool | None:
    """Whether a person was asked about this update; None where Cliniko is known to refuse it."""
    form = Form()

    async def story() -> bool | None:
        try:
            await app.act(call(UPDATES[resource].name, id=identity, **arguments), Caller(asker=form, route="http"))
        except ApprovalNeeded:
            return True
        except Rejected:
            return None
        return False

    found: bool | None = run(story)
    assert bool(form.asked) == (found is True)
    return found


def by_rule(resource: str, rule: str, field: str) -> dict[str, Any]:
    """What does the thing that this rule names, by this field."""
    match rule:
        case "link":
            return {"clear": [field]}
        case "list":
            return {field: []}
        case "start":
            return {"starts_at": "1999-01-01T09:00:00Z", "ends_at": "1999-01-01T10:00:00Z"}
        case "patient":
            return {field: "3"}
        case "reopened":
            return {field: False}
        case "text":
            return {field: "x" if field == "name" or resource == "communications" else content("x")}
        case "answers":
            return {"clear": [field]}
        case "questions":
            return {field: {"sections": [{"name": "S"}]}}
        case "template":
            return {field: {"treatment_notes": "33", "patient_forms": "34"}[resource]}
        case "series":
            return {"clear": [field]}
        case "removed":
            return {field: True}
        case _:
            assert rule == "zone"
            return {field: "Perth" if field == "time_zone" else "Australia/Perth"}


ROWS: list[Row] = [
    (resource, rule.name, name) for resource, rules in TABLE.items() for rule in rules for name in rule.fields
]


def generated(values: st.SearchStrategy[Drawn], check: Callable[[Drawn], None]) -> None:
    """Check a few generated values."""

    @EXAMPLES
    @given(values)
    def one(value: Drawn) -> None:
        check(value)

    one()


@pytest.mark.long
def test_every_gated_row_is_asked_about_whatever_else_changes_with_it() -> None:
    tried, gated = Counter[Row](), Counter[Row]()

    def check(drawn: tuple[Row, dict[str, object]]) -> None:
        row, others = drawn
        resource, rule, field = row
        tried[row] += 1
        gated[row] += asked(resource, {**others, **by_rule(resource, rule, field)}, *an_app_with(resource)) is True

    for row in ROWS:
        others = {name: values for name, values in everyday(UPDATES[row[0]]).items() if name not in TIMES}
        generated(st.tuples(st.just(row), some_of(others, 0)), check)
    assert gated == tried
    assert set(tried) == set(ROWS) and tried.total() >= 100


def test_most_of_any_record_is_not_emptied_unasked_and_one_field_of_it_is() -> None:
    tried = Counter[str]()
    for resource, operation in UPDATES.items():
        values = everyday(operation)
        held = {name: values[name][0] for name in operation.clearable if name in values and name not in ATTENDANCE}
        if len(held) < 3:
            continue
        for cleared, gated in (([next(iter(held))], False), (list(held), True)):
            app, identity = an_app_with(resource)
            app.clinic.records[resource][identity] = {**held, "id": identity, **STAMP}
            assert asked(resource, {"clear": cleared}, app, identity) is gated, (resource, cleared)
            tried[resource] += 1
    assert len(tried) >= 10, tried


@pytest.mark.long
def test_no_everyday_change_of_any_record_is_asked_about() -> None:
    tried, gated = Counter[str](), Counter[str]()

    def check(drawn: tuple[str, dict[str, object]]) -> None:
        resource, change = drawn
        found = asked(resource, change, *an_app_with(resource))
        tried[resource] += found is not None
        gated[resource] += found is True

    changing = {resource: values for resource, operation in UPDATES.items() if (values := everyday(operation))}
    for resource, values in changing.items():
        generated(st.tuples(st.just(resource), some_of(values, 1)), check)
    assert gated.total() == 0, gated
    assert len(changing) >= 20
    assert set(tried) == set(changing) and min(tried.values()) > 0 and tried.total() >= 150, tried
