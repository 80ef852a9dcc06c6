"""Why several people have no time is one sentence that agrees with its subject."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.frontdesk.availability import sentence

NAMES = st.lists(st.sampled_from(("Marcus Bell", "Aroha Tane", "Sam Iyer", "Mei Ng")), min_size=1, unique=True)
CLAUSES = (
    "is not at work then", "is full", "does not work there", "has no working hours",
    "has finished work by then: that time is over",
    "is away (Leave): the time is blocked out",
)  # fmt: skip


@given(NAMES, st.sampled_from(CLAUSES), st.sampled_from(("", "Northside")))
def test_one_person_is_and_several_are(names: list[str], clause: str, where: str) -> None:
    text = sentence(names, clause, where)
    verb = re.search(r"\b(is|are|does|do|has|have)\b", text)
    assert verb and (verb[1] in ("are", "do", "have")) is (len(names) > 1), text
    assert all(name in text for name in names) and where in text and text.endswith(".")
    assert " and " in text.split(verb[1])[0] or len(names) == 1
