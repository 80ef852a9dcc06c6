"""What of each operation a person is asked about: the table is complete, says what it means, and stands in the docs."""

from cliniko_mcp.approvals.effect_table import effect_table
from cliniko_mcp.approvals.effects import TABLE, rules
from cliniko_mcp.cliniko.operations import Risk, Update
from cliniko_mcp.manifest import project_root
from tests.laws.every import OPERATIONS
from tests.laws.violations import assert_none

UPDATES = [operation for operation in OPERATIONS if isinstance(operation, Update)]


def test_every_update_stands_in_the_table_of_effects_and_nothing_else_does():
    assert sorted(TABLE) == sorted({operation.resource for operation in UPDATES})
    assert len(UPDATES) == len(TABLE)


def test_a_rule_names_fields_that_its_update_sends():
    assert_none(
        f"{operation.name} {rule.name}: {field}"
        for operation in UPDATES
        for rule in rules(operation)
        for field in rule.fields
        if operation.body is None or field not in operation.body.model_fields
    )


def test_what_shares_a_field_with_a_visit_s_start_a_patient_or_a_zone_has_its_rule():
    needed = {"starts_at": "start", "completed": "reopened"}

    assert_none(
        f"{operation.name}: {field}"
        for operation in UPDATES
        for field, rule in needed.items()
        if operation.body is not None
        and field in operation.body.model_fields
        and rule not in {found.name for found in rules(operation)}
    )
    assert_none(
        f"{operation.name}: patient_id"
        for operation in UPDATES
        if operation.body is not None
        and "patient_id" in operation.body.model_fields
        and "patient" not in {found.name for found in rules(operation)}
    )


def test_a_flag_that_takes_something_away_has_its_rule():
    words = {"archive", "cancel", "clear", "delete", "discard", "erase", "purge", "remove", "reset", "void", "wipe"}
    flags = [
        (operation, field)
        for operation in OPERATIONS
        if operation.shape in ("update", "create") and operation.body is not None
        for field, info in operation.body.model_fields.items()
        if "bool" in str(info.annotation) and words & {*field.split("_")}
    ]
    assert ("update_business", "remove_logo") in [(operation.name, field) for operation, field in flags]
    assert_none(
        f"{operation.name}: {field}"
        for operation, field in flags
        if operation.shape == "update"
        and field not in {name for rule in TABLE[operation.resource] for name in rule.fields}
    )


def test_what_repeats_and_a_template_have_their_rules():
    needed = {"repeat_rule": "series", "custom_fields": "answers", "content": ("text", "questions")}
    assert_none(
        f"{operation.name}: {field}"
        for operation in UPDATES
        for field, rule in needed.items()
        if operation.body is not None
        and field in operation.body.model_fields
        and {rule.name for rule in rules(operation)}.isdisjoint((rule,) if isinstance(rule, str) else rule)
    )


def test_what_is_written_into_and_has_a_template_of_its_own_has_its_rule():
    documents = [
        (operation, field)
        for operation in UPDATES
        if operation.body is not None and "content" in operation.body.model_fields
        for field in operation.body.model_fields
        if field.endswith("_template_id")
    ]
    assert len(documents) == 2
    assert_none(
        f"{operation.name}: {field}"
        for operation, field in documents
        if field not in {name for rule in rules(operation) if rule.name == "template" for name in rule.fields}
    )


def test_the_page_has_a_row_for_every_operation_that_writes():
    page = (project_root() / "docs" / "approvals.md").read_text("utf-8")
    table = effect_table()
    assert table in page
    assert_none(
        operation.name
        for operation in OPERATIONS
        if (f"\n| `{operation.name}` |" in table) != (operation.risk is not Risk.READ)
    )
    assert_none(
        f"{operation.name} {rule.name}"
        for operation in UPDATES
        for rule in TABLE[operation.resource]
        if rule.when not in page
    )
