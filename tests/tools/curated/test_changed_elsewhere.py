"""What is changed in the clinic elsewhere, while it is remembered here: found at once where a name was nobody's."""

import pytest

from .reception import NORTHSIDE, reception

pytestmark = pytest.mark.anyio


async def test_a_practitioner_who_was_added_elsewhere_is_found_at_once() -> None:
    async with reception() as clinic:
        await clinic.assistant.call("show_diary", when="tomorrow")
        (model,) = (row for row in clinic.rows("practitioners") if row["id"] == clinic.id("practitioners", "Dr Mei Ng"))
        new = {"display_name": "Dr Zora Quill", "label": "Dr Zora Quill", "first_name": "Zora", "last_name": "Quill"}
        clinic.put("practitioners", **{**model, **new, "id": clinic.sandbox.context.ids.next()})
        clinic.sandbox.requests.clear()
        answer = await clinic.assistant.call("show_diary", when="tomorrow", practitioner=["Zora Quill"])
        assert "code" not in answer, answer
        assert "/v1/practitioners" in {request.path for request in clinic.sandbox.requests}


async def test_a_name_that_is_nobody_s_elsewhere_either_is_said_to_be_after_one_more_look() -> None:
    async with reception() as clinic:
        await clinic.assistant.call("show_diary", when="tomorrow")
        clinic.sandbox.requests.clear()
        answer = await clinic.assistant.call("find_times", type="Standard consult", business="Nowhere", when="tomorrow")
        assert answer["code"] == "not_found"
        assert NORTHSIDE in str(answer)
        paths = [request.path for request in clinic.sandbox.requests]
        assert paths.count("/v1/businesses") == 1
