"""What the demo clinic does where Cliniko's behaviour is documented nowhere, by point of the checklist.

Source: sandbox.md#choices.
"""

from collections.abc import Mapping
from typing import Final

CHOICES: Final[Mapping[int, tuple[str, ...]]] = {
    1: (
        "A key works with and without its shard suffix; a suffix that contradicts a Cliniko host name is 401.",
        "The key is looked at before the user agent.",
    ),
    2: (
        "A missing User-Agent is 400 with a message.",
        "A body that is not JSON by its content type is ignored; one that claims to be and is not is 400.",
    ),
    4: ("page below 1 and per_page outside 1 to 100 are clamped, text in them ignored; past the end a page is empty.",),
    5: (
        "Null sorts last, and first when descending, as in PostgreSQL; text sorts without regard to case.",
        "Every plain field and every linked id of a record can be sorted by.",
    ),
    6: (
        "Null compares with nothing, so != does not find it, as in SQL; text compares without regard to case.",
        "An operator that a field does not know, or a filter without a colon, is 400.",
    ),
    8: ("The demand for a literal Z holds for instants in bodies too, with the same 400.",),
    9: (
        "archived_at and deleted_at are set alike and asking about either shows such rows; cancelled_at stands alone.",
        "A list under a parent that never was is 404; under a hidden parent it answers.",
    ),
    10: ("Archiving sets archived_at and, where the record has it, deleted_at; the second time is 404.",),
    11: ("Unarchiving what is not archived is 404.",),
    13: ("A flag that is needed and left out is refused with `is not included in the list`, as was seen for draft.",),
    14: ("An id that names nothing live is refused with `is invalid`; an archived case with the sentence under base.",),
    17: ("latest_booking and patient_ids follow other records without moving updated_at.",),
    20: ("The window is a fixed minute of the clinic's clock for each key; the 429 has a JSON message.",),
    21: (
        "Users, settings: administrator. Treatment notes: administrator, practitioner. Invoices: all but scheduler.",
        "The administrator changes businesses; the power receptionist types too; the bookkeeper prices too.",
    ),
    26: (
        "A later month without that day takes its last day; a series keeps its local start and its length.",
        "Every record of a series shows the rule; changing a rule afterwards is 422.",
        "A local time that the clocks skip moves on by the gap.",
    ),
    27: (
        "apply_to_repeats cancels this record and the later live ones of its series.",
        "A second cancel is 422.",
        'cancellation_reason_description of what stands is "" on attendees and null on appointments, by their schemas.',
    ),
    29: ("Both flags are null while arrival is not known.",),
    30: (
        "Cancelling the attendee of an individual appointment is 422; archiving it archives the appointment with it.",
    ),
    31: (
        "A full group is 422 under base, a patient who is in it already 422 under patient_id.",
        "max_attendees may be lowered below the places that are taken; they stay taken.",
    ),
    32: ("Archiving a group archives its attendees.",),
    33: ("An individual type may be booked as a group and the other way round; such a group has two places.",),
    35: ("latest_booking is the live booking that starts last, coming ones included.",),
    38: ("Legacy appointments are shown as their own resources show them, groups a patient has a place in included.",),
    39: ("A block type that is system_controlled refuses changes and archiving with 422.",),
    41: ("The account counts its days in the zone of its owner; from and to may be 7 days apart.",),
    45: ("Notice and reach decide which starts are offered; they do not move the grid.",),
    46: ("A practitioner without a default type has the requested type's length as grid.",),
    48: (
        "The segment cap keeps the first starts of a part of a day; 0 means no cap, for the daily limit too.",
        "The daily limit counts the practitioner's live appointments and groups of the site's local day.",
        "Nothing is reserved while a patient fills in the booking form.",
    ),
    50: ("With nothing free, next_available_time is 200 with null and 0.",),
    52: (
        "A quantity of 0 is 422; stock may fall below nothing.",
        "comment and notes are two names of one text: whichever is written is read under both.",
    ),
    53: (
        "Both prices are rounded to the cent, half up; a product without a tax has the same price twice.",
        "A new rate of a tax reprices its products. stock_level is taken on create and ignored afterwards.",
        "product_supplier_name takes the supplier of that name, or makes one; product_supplier_id takes precedence.",
    ),
    54: (
        "billable_item_id and product_id of a type name its oldest join: a value changes or makes it, null removes it.",
        "A percentage and a money discount together are 422; giving one takes the other away.",
    ),
    55: (
        "A final note, or one of someone else, refuses changes with 403; its author or an administrator archives it.",
        "A template gives its name as the title and its content where none is sent, when the note is made.",
        "An attendee names its booking, and a booking the patient's attendee; a visit of another patient is 422.",
        "A visit is at Draft while any of its notes is one, else Final, and null without notes.",
    ),
    56: (
        "One sentence under content names part and place: 'answers' must not be empty in sections[0].questions[1].",
        "Fields that a question does not know vanish silently; content that is sent replaces all there was.",
    ),
    57: (
        "completed false opens a form again; edited_at is the last change of content after completion.",
        "A signature's picture is kept as the data URI that was sent; the form links the latest one.",
        "The site is that of the attendee's booking unless one is sent; an attendee of another patient is 422.",
    ),
    58: (
        "Custom fields that are sent replace all there were; archived tokens are still taken.",
        "A patient who has any shows the whole definition with the answers in it, else null.",
    ),
    59: (
        "The storage answers below /_storage/ of the clinic's host; its signed fields are good for an hour.",
        "Processing takes 5 seconds of the clinic's clock; a filename that was sent is shown at once and kept.",
        "content leads to /patient_attachments/{id}/content, which redirects (302) to a signed address.",
    ),
    60: (
        "Changing or archiving what is no memo is 422 under base. `confidential` shows on memos, a subject on emails.",
    ),
    61: (
        "A referrer may be left out; one of another kind, or the patient themselves, is 422 under referrer_id.",
        "A new type forgets the referrer, subcategory and notes that are not sent with it; notes go with any type.",
    ),
    63: (
        "The expiry date is still a day of the case, counted in the account's zone.",
        "A case of another patient, and visits or papers of another patient, are 422. attendee_ids are the live ones.",
    ),
    64: ("The reverse relationship does not appear by itself.",),
    67: (
        "An IANA name for which Cliniko has no label leaves the label null.",
        "A patient's zone is an IANA name; any other text there is 422 too.",
    ),
    68: (
        "A number without + gets the prefix of the record's country, Australia's where it names none.",
        "A contact is a standard one unless said otherwise, a doctor where doctor_type is given.",
    ),
    69: (
        "The paragraphs of all four documents are cleaned; an answer of which nothing is left is 422.",
        "A link keeps its address only. Line breaks in a text answer become spaces.",
    ),
    71: ("A tax that an item or a product names, archived ones included, refuses deletion with 422 under base.",),
    72: ("A patient who was merged is archived at that moment.",),
    79: (
        "Of the routes that no description lists, the /appointments family alone is always there: links lead to it.",
        "With --legacy-routes every list answers below /deleted, /archived or /cancelled too, with its own filters,",
        "where its records have that stamp; /patients/deleted shows deleted_at and links alone.",
        "With --newer-routes recalls and recall types are made, read, changed and archived (DELETE archives too), and",
        "prices of discount groups can be made and changed. Without these flags all of it is 404.",
    ),
}


def choices_table() -> str:
    """The choices as a table in Markdown, a row for each point of the checklist."""
    rows = [f"| {point} | {' '.join(sentences)} |" for point, sentences in sorted(CHOICES.items())]
    return "\n".join(["| point | what the demo clinic does |", "|---|---|", *rows])
