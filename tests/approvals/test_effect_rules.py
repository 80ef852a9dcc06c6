"""The rules of the table of effects at their edges: what just so takes something away, and what just does not."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.approvals.effect_rules import YEARS_AHEAD, _years_later, can_be_emptied, emptied_of
from cliniko_mcp.approvals.effects import losses, possible, rule_named, rules, text_amount
from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.losses import NOTHING_EARLIER, Earlier
from cliniko_mcp.cliniko.registry import find
from tests.guards.every_kind import PATIENT_FIELDS, an_app, content
from tests.guards.gate import START, SYDNEY, App, call, run

Lost = list[tuple[str, str, str, str]]
READ = {
    "update_appointment_type": "get_appointment_type",
    "update_business": "get_business",
    "update_individual_appointment": "get_individual_appointment",
    "update_medical_alert": "get_medical_alert",
    "update_patient": "get_patient",
    "update_patient_case": "get_patient_case",
    "update_patient_form": "get_patient_form",
    "update_relationship": "get_relationship",
    "update_treatment_note": "get_treatment_note",
}


def lost(app: App, name: str, identity: str, earlier: Earlier = NOTHING_EARLIER, **sent: Any) -> Lost:
    """What this update takes away: label, before, after and rule of each loss."""
    called = call(name, id=identity, **sent)

    async def story() -> Lost:
        record = await app.clinic.perform(call(READ[name], id=identity))
        found = await losses(Facts(app.clinic, app.clock()), called, record, earlier)
        return [(loss.label, loss.before, loss.after, loss.rule) for loss in found]

    found: Lost = run(story)
    return found


def changed(resource: str, identity: str, **fields: Any) -> App:
    """The usual clinic with these fields of one record; None for one that it does not hold."""
    app = an_app()
    raw = app.clinic.records[resource][identity]
    raw.update(fields)
    for name in [name for name, value in fields.items() if value is None]:
        del raw[name]
    return app


def test_a_link_that_is_cleared_is_lost_where_one_is_set() -> None:
    for field in ("billable_item_id", "product_id"):
        none = changed("appointment_types", "8", **{field: None})
        assert lost(none, "update_appointment_type", "8", clear=[field]) == []
        empty = changed("appointment_types", "8", **{field: ""})
        assert lost(empty, "update_appointment_type", "8", clear=[field]) == []
    found = lost(an_app(), "update_appointment_type", "8", clear=["product_id"])
    assert found == [("Product", "Band", "", "link")]


def test_a_list_that_is_emptied_is_lost_where_it_holds_something_and_told_by_five_names() -> None:
    assert lost(changed("patient_cases", "29", attendee_ids=[]), "update_patient_case", "29", attendee_ids=[]) == []
    assert lost(changed("patient_cases", "29", attendee_ids=None), "update_patient_case", "29", attendee_ids=[]) == []
    app = changed("businesses", "9", appointment_type_ids=[str(number) for number in range(10, 17)])
    ((label, before, after, rule),) = lost(app, "update_business", "9", appointment_type_ids=[])
    assert (label, after, rule) == ("Types offered there", "", "list")
    assert [str(number) in before for number in range(10, 17)] == [True] * 5 + [False] * 2
    assert before.endswith("2 more")
    five = changed("businesses", "9", appointment_type_ids=[str(number) for number in range(10, 15)])
    assert "more" not in lost(five, "update_business", "9", appointment_type_ids=[])[0][1]


@pytest.mark.parametrize(
    ("starts_at", "gone"),
    [
        ("2026-11-22T23:59", True),
        ("2026-11-23T00:00", False),
        ("2026-11-22T12:59:59Z", True),
        ("2026-11-22T13:00:00Z", False),
        ("2028-11-23T23:59", False),
        ("2028-11-24T00:00", True),
        ("2028-11-23T12:59:59Z", False),
        ("2028-11-23T13:00:00Z", True),
    ],
)
def test_a_start_leaves_the_diary_on_days_of_the_site_before_today_or_over_two_years_ahead(
    starts_at: str, gone: bool
) -> None:
    found = lost(an_app(), "update_individual_appointment", "20", starts_at=starts_at, clear=["ends_at"])
    assert [(label, rule) for label, _, _, rule in found] == [("Start", "start")] * gone


@pytest.mark.parametrize(("sent", "gone"), [({}, False), ({"business_id": "10"}, True), ({"business_id": "9"}, False)])
def test_the_day_is_that_of_the_site_to_which_a_visit_is_moved(sent: dict[str, str], gone: bool) -> None:
    app = an_app()

    async def zone(business_id: str | None = None) -> ZoneInfo:
        return SYDNEY if business_id == "9" else ZoneInfo("Australia/Perth")

    app.clinic.zone = zone  # type: ignore[method-assign]
    # Two o'clock in the night of today in Sydney, and eleven of yesterday in Perth.
    moved: dict[str, Any] = {"starts_at": "2026-11-22T15:00:00Z", "clear": ["ends_at"], **sent}
    assert bool(lost(app, "update_individual_appointment", "20", **moved)) is gone


def test_a_start_is_told_as_it_was_and_as_it_will_be() -> None:
    found = lost(an_app(), "update_individual_appointment", "20", starts_at="1999-01-01T09:00:00Z", clear=["ends_at"])
    assert found == [("Start", "Tue 24 Nov, 9:30 am", "Fri 1 Jan 1999, 8:00 pm", "start")]


def test_a_start_that_stays_on_its_day_is_not_moved_out_of_the_diary() -> None:
    past = {"starts_at": "2026-11-16T22:30:00Z", "ends_at": "2026-11-16T23:00:00Z"}
    app = changed("individual_appointments", "20", **past)
    for starts_at, gone in (("2026-11-17T15:00", False), ("2026-11-16T15:00", True)):
        found = lost(app, "update_individual_appointment", "20", starts_at=starts_at, clear=["ends_at"])
        assert bool(found) is gone


def test_a_start_of_which_nothing_is_known_is_lost_too() -> None:
    app = changed("individual_appointments", "20", starts_at=None, ends_at=None)
    ((_, before, after, _),) = lost(app, "update_individual_appointment", "20", starts_at="2020-01-01T09:00:00Z")
    assert (before, after.startswith("Wed 1 Jan 2020")) == ("an unknown time", True)


def test_the_same_day_of_a_later_year_is_one_that_there_is() -> None:
    days = [date(2026, 11, 30), date(2028, 2, 29), date(2028, 2, 28), date(2028, 2, 3), date(2028, 3, 31)]
    later = [date(2028, 11, 30), date(2030, 2, 28), date(2030, 2, 28), date(2030, 2, 3), date(2030, 3, 31)]
    assert [_years_later(day) for day in days] == later
    assert YEARS_AHEAD == 2


@pytest.mark.parametrize(
    ("starts_at", "read"),
    [
        ("2026-11-23T00:59:59Z", True),
        ("2026-11-23T01:00:00Z", False),
        ("2028-11-21T01:00:00Z", False),
        ("2028-11-21T01:00:01Z", True),
        ("2026-11-22T23:00", True),
        ("2026-11-23T00:00", False),
        ("2028-11-21T23:00", False),
        ("2028-11-22T00:00", True),
    ],
)
def test_only_a_start_that_could_be_out_of_the_diary_in_some_zone_is_looked_at(starts_at: str, read: bool) -> None:
    moved = call("update_individual_appointment", id="20", starts_at=starts_at)
    assert bool(possible(moved, START)) is read


def test_an_update_without_a_start_moves_none() -> None:
    assert possible(call("update_individual_appointment", id="20", notes="x"), START) == ()


@pytest.mark.parametrize(("hour", "read"), [(9, False), (10, True)])
def test_a_day_is_over_when_it_is_over_on_the_easternmost_island(hour: int, read: bool) -> None:
    moved = call("update_individual_appointment", id="20", starts_at="2026-11-23T12:00")
    assert bool(possible(moved, datetime(2026, 11, 23, hour, tzinfo=UTC))) is read


def test_another_patient_is_told_by_name_on_both_sides_and_the_same_one_is_none() -> None:
    found = lost(an_app(), "update_medical_alert", "26", patient_id="3")
    assert [(label, rule) for label, _, _, rule in found] == [("Patient", "patient")]
    assert ("Ana Lima" in found[0][1], "Ida Berg" in found[0][2]) == (True, True)
    assert lost(an_app(), "update_medical_alert", "26", patient_id="1") == []
    nobody = changed("medical_alerts", "26", patient_id=None)
    assert lost(nobody, "update_medical_alert", "26", patient_id="3")[0][1] == "nobody"
    unknown = lost(an_app(), "update_medical_alert", "26", patient_id="999")
    assert "999" in unknown[0][2]
    one = lost(an_app(), "update_relationship", "31", patient_id="3")
    assert [label for label, _, _, _ in one] == ["Patient"]
    both = lost(an_app(), "update_relationship", "31", patient_id="3", related_patient_id="3")
    assert [label for label, _, _, _ in both] == ["Patient", "Related patient"]


def test_a_form_is_opened_again_only_where_it_was_completed() -> None:
    found = lost(an_app(), "update_patient_form", "28", completed=False)
    assert found == [("Status", "completed on Sun 1 Nov", "not completed", "reopened")]
    assert lost(changed("patient_forms", "28", completed_at=None), "update_patient_form", "28", completed=False) == []
    assert lost(an_app(), "update_patient_form", "28", completed=True) == []


@pytest.mark.parametrize(
    ("held", "left", "earlier", "gone"),
    [
        (100, 20, 0, False),
        (100, 19, 0, True),
        (100, 20, 101, True),
        (100, 99, 496, True),
        (100, 100, 1_000, False),
        (100, 101, 1_000, False),
        (0, 0, 0, False),
    ],
)
def test_a_text_is_reduced_below_a_fifth_of_what_it_holds_or_held(
    held: int, left: int, earlier: int, gone: bool
) -> None:
    app = changed("treatment_notes", "27", content=content("x" * held))
    before = Earlier(text=earlier)
    found = lost(app, "update_treatment_note", "27", before, content=content("y" * left))
    assert [(label, rule) for label, _, _, rule in found] == [("Answers", "text")] * gone


def test_how_much_an_update_writes_over_is_counted_only_where_it_does() -> None:
    app = an_app()
    note = run(lambda: app.clinic.perform(call("get_treatment_note", id="27")))
    over = call("update_treatment_note", id="27", content=content("y"))
    beside = call("update_treatment_note", id="27", title="y")
    assert text_amount(over, note) > 200
    assert text_amount(beside, note) == 0


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"time_zone": "Perth"}, ("Australia/Sydney", "Australia/Perth")),
        ({"time_zone_identifier": "Australia/Perth"}, ("Australia/Sydney", "Australia/Perth")),
        ({"time_zone": "Perth", "time_zone_identifier": "Australia/Sydney"}, ("Australia/Sydney", "Australia/Perth")),
        ({"time_zone": "Sydney", "time_zone_identifier": "Australia/Perth"}, None),
        ({"time_zone": "Sydney"}, None),
        ({"time_zone_identifier": "Australia/Sydney"}, None),
        ({"time_zone": "Nowhere"}, ("Australia/Sydney", "“Nowhere”")),
    ],
)
def test_a_zone_is_changed_where_it_becomes_another_one_by_whatever_name(
    sent: dict[str, str], shown: tuple[str, str] | None
) -> None:
    found = lost(an_app(), "update_business", "9", NOTHING_EARLIER, **sent)
    assert found == ([("Time zone", *shown, "zone")] if shown else [])


def test_a_site_without_a_zone_is_given_one() -> None:
    app = changed("businesses", "9", time_zone_identifier=None)
    assert lost(app, "update_business", "9", time_zone="Perth") == [("Time zone", "none", "Australia/Perth", "zone")]


def test_two_zones_that_nobody_knows_are_the_same_only_by_the_same_name() -> None:
    app = changed("businesses", "9", time_zone_identifier="Mars/Base")
    assert lost(app, "update_business", "9", time_zone_identifier="Mars/Base") == []
    found = lost(app, "update_business", "9", time_zone_identifier="Mars/Station")
    assert found == [("Time zone", "Mars/Base", "“Mars/Station”", "zone")]


def test_a_record_is_emptied_where_two_fields_or_more_go_and_more_than_half_of_what_it_holds() -> None:
    # The patient holds ten things.
    assert lost(an_app(), "update_patient", "3", clear=PATIENT_FIELDS[:5]) == []
    six = lost(an_app(), "update_patient", "3", clear=PATIENT_FIELDS[:6])
    assert [rule for _, _, _, rule in six] == ["emptied"] * 6
    assert ("Email", "“ida@example.com”", "", "emptied") in six
    four = Earlier(emptied=frozenset({"state", "country", "address_1", "address_2"}))
    assert lost(an_app(), "update_patient", "3", four, clear=PATIENT_FIELDS[:3]) == []
    assert len(lost(an_app(), "update_patient", "3", four, clear=PATIENT_FIELDS[:4])) == 4
    assert lost(an_app(), "update_patient", "3", four, clear=["state", "country"]) == []


def test_a_box_that_is_ticked_or_not_is_nothing_that_a_record_holds() -> None:
    app = changed("patients", "3", notes=None, accepted_privacy_policy=True)
    others = [name for name in PATIENT_FIELDS if name != "notes"]
    assert lost(app, "update_patient", "3", clear=others[:4]) == []
    assert len(lost(app, "update_patient", "3", clear=others[:5])) == 5


def test_an_empty_list_and_an_empty_text_are_nothing_that_a_record_holds() -> None:
    app = changed("patients", "3", notes=None, patient_phone_numbers=[], state="", address_1=" ", custom_fields={})
    others = [name for name in PATIENT_FIELDS if name != "notes"]
    assert lost(app, "update_patient", "3", clear=others[:4]) == []
    assert len(lost(app, "update_patient", "3", clear=others[:5])) == 5
    app = changed("patients", "3", notes=None, email=None, patient_phone_numbers=None, custom_fields={})
    assert len(lost(app, "update_patient", "3", clear=others[1:5])) == 4


def test_one_field_alone_empties_no_record_unless_another_went_before() -> None:
    one = call("update_patient", id="3", clear=["notes"])
    assert possible(one, START) == ()
    assert [rule.name for rule in possible(one, START, Earlier(emptied=frozenset({"notes"})))] == []
    assert [rule.name for rule in possible(one, START, Earlier(emptied=frozenset({"email"})))] == ["emptied"]
    none = call("update_patient", id="3", city="Perth")
    assert possible(none, START, Earlier(emptied=frozenset({"email", "notes"}))) == ()


def test_rules_are_found_by_name_and_an_operation_that_is_no_update_has_none() -> None:
    operations = {
        name: find(name)
        for name in ("update_patient", "archive_patient", "update_billable_item", "update_patient_attachment")
    }
    update, archive, two, one = (operation for operation in operations.values() if operation is not None)
    assert rules(archive) == ()
    assert rule_named(update, "emptied").name == "emptied"
    assert [can_be_emptied(operation) for operation in (update, two, one)] == [True, True, False]


def test_next_to_nothing_in_place_of_a_text_counts_as_emptied_where_it_was_three_times_as_long() -> None:
    def gone(held: dict[str, str], sent: dict[str, str]) -> set[str]:
        record = run(lambda: changed("patients", "3", **held).clinic.perform(call("get_patient", id="3")))
        return set(emptied_of(call("update_patient", id="3", **sent), record))

    assert gone({"notes": "a" * 9, "city": "b" * 8}, {"notes": "abc", "city": "abc"}) == {"notes"}
    assert gone({"notes": "a" * 99, "city": "b" * 99}, {"notes": "abcd", "city": "n/a."}) == {"city"}
    assert gone({"notes": "a", "city": "b"}, {"notes": "-", "city": "x"}) == {"notes"}
    assert gone({"notes": "Prefers mornings, not 9:00."}, {"notes": "n/a"}) == {"notes"}
    # A price or a number is another one, however short.
    assert gone({"medicare": "150.00", "post_code": "6000"}, {"medicare": "5", "post_code": "60"}) == set()
    # What holds a little by now was emptied of a lot before.
    early = Earlier(frozenset(PATIENT_FIELDS[:4]))
    scant = changed("patients", "3", **dict.fromkeys(PATIENT_FIELDS[2:4], "x"), email=None, date_of_birth=None)
    assert len(lost(scant, "update_patient", "3", early, clear=PATIENT_FIELDS[4:])) == 3
