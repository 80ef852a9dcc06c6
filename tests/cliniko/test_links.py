"""Lists of links become lists of ids under the singular of their name."""

import pytest

from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.errors import JsonValue


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("practitioners", "practitioner_ids"),
        ("businesses", "business_ids"),
        ("taxes", "tax_ids"),
        ("staff", "staff_ids"),
    ],
)
def test_a_list_of_links_becomes_ids_under_the_singular_of_its_name(name: str, ids: str) -> None:
    links: list[JsonValue] = [
        {"links": {"self": f"https://api.au1.cliniko.com/v1/{name}/{number}"}} for number in (11, 12)
    ]
    assert value_of(Record.read({"id": "1", name: links}), ids) == ["11", "12"]
