"""Words where Cliniko has ids, codes and closed lists: every one of them, in every spelling, means its plain form."""

import json
from collections.abc import Callable, Iterator

from cliniko_mcp.cliniko.filters import Family
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.registry import is_list
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.tools.boundary import Spelling, plain, spelling_of_model
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.schema import Schema, description_of, items_of, properties_of, takes_names
from cliniko_mcp.tools.tool import operation_spelling
from tests.laws.every import OPERATIONS
from tests.laws.samples import complaints_about, needed
from tests.laws.violations import assert_none

LISTS = [operation for operation in OPERATIONS if is_list(operation)]
WITHOUT_NAMES = {
    "appointment_confirmation_template_ids", "appointment_follow_up_template_ids", "appointment_id",
    "appointment_reminder_template_ids", "attendee_id", "booking_id", "group_appointment_id",
    "individual_appointment_id", "invoice_id", "letter_id", "original_invoice_id", "repeated_from_id", "source_item_id",
}  # fmt: skip
"""Ids of records that have no name, or that this API does not list."""
OF_TWO_KINDS = {"referrer_id"}
"""Ids of a patient or of a contact: a name would not say of which."""
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    str.title,
    lambda word: word.replace("_", " "),
    lambda word: word.replace("_", "-").replace(" ", "-"),
    lambda word: word.replace(" ", "_"),
    lambda word: word.replace("_", "").replace(" ", ""),
    lambda word: f" {word} ",
)
SYNONYMS = {
    ("set_attendance", "state", "DNA"): "did_not_arrive",
    ("set_attendance", "state", "no-show"): "did_not_arrive",
    ("set_attendance", "state", "No shows"): "did_not_arrive",
    ("set_attendance", "state", "checked in"): "arrived",
    ("report", "kind", "DNA"): "no_shows",
    ("report", "kind", "no show"): "no_shows",
    ("report", "kind", "DNAs"): "no_shows",
    ("report", "kind", "Utilization"): "utilisation",
    ("report", "kind", "duplicate"): "duplicates",
    ("report", "kind", "cancellation"): "cancellations",
    ("create_contact", "doctor_type", "GP"): "general_practitioner",
    ("create_contact", "type_code", "Third-party payer"): "3rd party payer",
    ("create_communication", "type_code", "phone calls"): "phone call",
    ("create_communication", "type_code", "text message"): "sms",
    ("create_patient", "reminder_type", "SMS and email"): "SMS & Email",
}
NO_CHOICE = ("not a choice", "hasn't recovered, still can't walk", "not arrived", "!", "0", "arrived?", "")


def choices_in(
    schema: Schema, wrap: Callable[[JsonValue], JsonValue]
) -> Iterator[tuple[list[str], Callable[..., JsonValue]]]:
    """Yield the choices of each closed list in a schema, with what makes the value of the whole of one choice."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        yield [str(choice) for choice in choices], wrap
    if items := items_of(schema):
        yield from choices_in(items, lambda value: wrap([value]))
    for name, inner in properties_of(schema).items():
        yield from choices_in(inner, lambda value, name=name: wrap({name: value}))


def every_argument() -> Iterator[tuple[str, str, Schema, Spelling]]:
    for operation in OPERATIONS:
        spelling = operation_spelling(operation)
        for name, schema in properties_of(spelling.schema).items():
            yield operation.name, name, schema, spelling
    for tool in entries().values():
        if tool.kind != "operation":
            spelling = spelling_of_model(tool.name, dict(tool.input_schema))
            for name, schema in properties_of(spelling.schema).items():
                yield tool.name, name, schema, spelling


ARGUMENTS = tuple(every_argument())


def test_every_choice_is_read_however_it_is_spelt():
    played: set[str] = set()
    wrong: list[str] = []
    for tool, name, schema, spelling in ARGUMENTS:
        for choices, made in choices_in(schema, lambda value: value):
            fields = name == "clear" or "fields" in choices
            played.add(tool)
            for choice in choices:
                for spelt in {spell(choice) for spell in SPELLINGS if not fields}:
                    found = plain({name: made(spelt)}, spelling).get(name)
                    if found != made(choice):
                        wrong.append(f"{tool}: {name} {spelt!r} is {found!r}, not {made(choice)!r}")

    assert len(played) > 40
    assert_none(wrong)


def test_a_word_for_a_choice_is_read_where_it_means_one():
    spellings = {(tool, name): spelling for tool, name, _, spelling in ARGUMENTS}

    assert_none(
        f"{tool}: {name} {word!r} is {found!r}"
        for (tool, name, word), due in SYNONYMS.items()
        if (found := plain({name: word}, spellings[tool, name]).get(name)) != due
    )


def test_what_is_no_choice_is_never_taken_for_one():
    assert_none(
        f"{tool}: {name} {word!r} is {found!r}"
        for tool, name, schema, spelling in ARGUMENTS
        if isinstance(schema.get("enum"), list)
        for word in NO_CHOICE
        if word not in map(str, schema["enum"] if isinstance(schema["enum"], list) else [])
        if (found := plain({name: word}, spelling).get(name, "")) not in (word, None)
    )


def test_a_filter_by_code_takes_the_words_that_rows_print():
    wrong: list[str] = []
    coded = [
        (operation, name, words)
        for operation in LISTS
        for name, words in operation.row.codes.items()
        if name in operation.filters
    ]
    for operation, name, words in coded:
        for code, word in words.items():
            for spelt, due in (
                *((spell(word), str(code)) for spell in SPELLINGS),
                (f"!={word}", f"!={code}"),
                (f"{word}, {next(iter(words.values()))}", f"{code},{next(iter(words))}"),
            ):
                if sent(operation, {name: spelt}) != sent(operation, {name: due}):
                    wrong.append(f"{operation.name}: {name} {spelt!r}")
        wrong += [
            f"{operation.name}: {name} {odd!r} is taken"
            for odd in ("overdue maybe", f"{next(iter(words.values()))}, x", "sick-ish")
            if name not in complaints_about(operation, {**needed(operation), name: odd})
        ]

    assert len(coded) > 8
    assert_none(wrong)


def sent(operation: Operation, arguments: dict[str, JsonValue]) -> object:
    """The request that these arguments make."""
    given: dict[str, JsonValue] = json.loads(json.dumps(needed(operation), default=dict))
    return operation.parse(plain({**given, **arguments}, operation_spelling(operation))).request()


def test_a_list_is_sorted_the_same_however_its_order_is_written():
    forms: tuple[tuple[JsonValue, str], ...] = (
        ("id", "id"), ("id:desc", "id:desc"), ("-id", "id:desc"), ("id desc", "id:desc"), ("id DESC", "id:desc"),
        (" id : desc ", "id:desc"), ("id descending", "id:desc"), ("id asc", "id:asc"), ("id:asc", "id:asc"),
        (["-id", "created_at"], "id:desc,created_at"), ("-id, created_at", "id:desc,created_at"),
    )  # fmt: skip
    sortable = [operation for operation in LISTS if operation.sortable]

    assert len(sortable) > 50
    assert_none(
        f"{operation.name}: {form!r}"
        for operation in sortable
        for form, due in forms
        if plain({"sort": form}, operation_spelling(operation)) != {"sort": due}
        or sent(operation, {"sort": form}) != sent(operation, {"sort": due})
    )


def test_every_colour_takes_its_name():
    colours = [
        (operation, name)
        for operation in OPERATIONS
        for name in ("color",)
        if operation.body and name in operation.argument_names
    ]

    assert {operation.name for operation, _ in colours} >= {"create_appointment_type", "update_unavailable_block_type"}
    assert_none(
        f"{operation.name}: {name} {word!r}"
        for operation, name in colours
        for word, due in (("teal", "#008080"), ("Dark Orange", "#ff8c00"), ("SteelBlue", "#4682b4"))
        if sent(operation, {name: word}) != sent(operation, {name: due})
    )


def test_every_address_that_is_sent_is_an_https_address():
    addresses = [
        (operation, name)
        for operation in OPERATIONS
        if operation.body
        for name in operation.argument_names
        if name.endswith("url")
    ]

    assert addresses
    assert_none(
        f"{operation.name}: {name} {odd!r}"
        for operation, name in addresses
        for odd in ("http://example.org/a", "file:///etc/passwd", "example.org", "javascript:alert(1)")
        if name not in complaints_about(operation, {**needed(operation), name: odd})
    )


def test_every_filter_by_id_takes_a_name_where_the_record_has_one():
    by_id = {
        (operation, name)
        for operation in LISTS
        for name in (*operation.path_ids, *operation.filters)
        if name.endswith(("_id", "_ids")) and operation.filters.get(name) is not Family.TEXT
    }
    wordless = {name for operation, name in by_id if takes_names(operation, name) is None}

    assert len(by_id) > 150
    assert wordless == WITHOUT_NAMES | OF_TWO_KINDS
    assert_none(
        f"{operation.name}: {name} is {listing.name}"
        for operation, name in by_id
        if (listing := takes_names(operation, name)) is not None
        and listing.path.strip("/")
        not in {f"{name.removesuffix('_ids').removesuffix('_id')}{end}" for end in ("s", "es")}
    )


def test_what_takes_names_says_so_and_its_schema_does_not_forbid_them():
    wrong: list[str] = []
    for operation in OPERATIONS:
        taking = [name for name in (*operation.path_ids, *operation.filters) if takes_names(operation, name)]
        if bool(taking) != ("Names too." in description_of(operation)):
            wrong.append(f"{operation.name}: {description_of(operation)}")
        schema = properties_of(operation_spelling(operation).schema)
        wrong += [f"{operation.name}: {name}" for name in taking if schema[name] != {"type": "string"}]

    assert_none(wrong)


def test_only_lists_take_names():
    assert not [o.name for o in OPERATIONS if not is_list(o) and any(takes_names(o, name) for name in o.argument_names)]
