"""What a record leads to is told by name, of many the first five."""

from typing import Any

import pytest

from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.links import linked_words, offered_at
from tests.guards.every_kind import an_app
from tests.guards.gate import STAMP, START, run


def words(field: str, held: object, **records: dict[str, Any]) -> str:
    app = an_app()
    app.clinic.records |= {kind: {found["id"]: found | STAMP} for kind, found in records.items()}
    found: str = run(lambda: linked_words(Facts(app.clinic, app.clock()), field, held))
    return found


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("concession_type_id", "concession_types"),
        ("patient_form_template_id", "patient_form_templates"),
        ("treatment_note_template_id", "treatment_note_templates"),
        ("billable_item_id", "billable_items"),
        ("product_id", "products"),
        ("unavailable_block_type_id", "unavailable_block_types"),
    ],
)
def test_a_link_is_told_by_the_name_of_what_it_leads_to(field: str, kind: str) -> None:
    assert words(field, "70", **{kind: {"id": "70", "name": "The usual"}}) == "The usual"


def test_the_doctor_who_refers_is_told_by_name() -> None:
    assert words("referring_doctor_id", "70", contacts={"id": "70", "label": "Dr Ng"}) == "Dr Ng"


@pytest.mark.parametrize(
    ("number", "shown", "whole"),
    [
        (5, "1, attendee 2, attendee 3, attendee 4, attendee 5", ""),
        (7, "1, attendee 2, attendee 3, attendee 4, attendee 5 and 2 more", " (numbers 6, 7)"),
    ],
)
def test_of_many_links_the_first_five_are_told_and_the_others_by_number_where_all_have_to_be(
    number: int, shown: str, whole: str
) -> None:
    held, facts = [str(one) for one in range(1, number + 1)], Facts(an_app().clinic, START)
    assert run(lambda: linked_words(facts, "attendee_ids", held)) == f"attendee {shown}"
    assert run(lambda: linked_words(facts, "attendee_ids", held, whole=True)) == f"attendee {shown}{whole}"


def test_of_many_links_only_the_first_five_are_read() -> None:
    app, read = an_app(), list[str]()
    app.clinic.before_read = lambda: read.append("read")
    seven = [str(one) for one in range(101, 108)]
    run(lambda: linked_words(Facts(app.clinic, START), "practitioner_ids", seven, whole=True))
    assert len(read) == 5


def test_what_is_no_link_is_told_as_it_is() -> None:
    assert words("tags", [1, 2]) == "1, 2"
    assert words("attendee_ids", None) == words("attendee_ids", []) == ""
    assert words("notes", "70") == "“70”"
    assert words("contact_id", None) == ""


def test_the_sites_where_a_type_is_offered_are_told_by_the_names_of_the_first_five() -> None:
    app = an_app()
    app.clinic.records["businesses"] = {
        number: {"id": number, "business_name": name, "appointment_type_ids": ["8"], **STAMP}
        for number, name in {"1": "North", "2": "", "3": "East", "4": "West", "5": "Hill", "6": "Quay"}.items()
    }
    found = run(lambda: offered_at(Facts(app.clinic, START), "8"))
    assert found == ("North, one without a name, East, West, Hill and 1 more", set("123456"))
