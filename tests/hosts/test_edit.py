"""One entry goes into a configuration text and out again; everything else stays as people wrote it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.hosts.edit import entry_of, with_entry, without_entry
from cliniko_mcp.hosts.jsonc import InvalidJson, parse

ENTRY: dict[str, Any] = {"command": "/opt/clinic tools/ünï/cliniko-mcp", "args": ["serve"]}

COMMENTED = """\
// my servers
{
    /* kept in step
       with the other machine */
    "inputs": [], // none yet
    "servers": {
        // the one for files
        "files": { "command": "npx", "args": ["-y", "files"] }, // do not touch
        "big": { "id": 12345678901234567890123, "rate": 1.50 } // last one
    }, // end of servers
}
"""


def value(text: str, *, comments: bool = True) -> Any:
    return parse(text, comments=comments).value


def put(text: str, *, section: str = "servers", comments: bool = True) -> str:
    return with_entry(text, section, "cliniko", ENTRY, comments=comments)


def test_an_entry_is_added_and_every_line_that_was_there_stays() -> None:
    after = put(COMMENTED)
    assert value(after)["servers"]["cliniko"] == ENTRY
    kept = after.splitlines()
    for line in COMMENTED.splitlines():
        assert line in kept or line.replace("} //", "}, //") in kept
    assert after.index("last one") < after.index('"cliniko"') < after.index("end of servers")


def test_adding_the_same_entry_again_changes_nothing() -> None:
    assert put(put(COMMENTED)) == put(COMMENTED)


def test_an_older_entry_is_replaced_where_it_stands() -> None:
    before = COMMENTED.replace('"files": {', '"cliniko": { "command": "/old" },\n        "files": {')
    after = put(before)
    assert value(after)["servers"]["cliniko"] == ENTRY
    assert "/old" not in after and "// do not touch" in after


def test_taking_the_entry_out_gives_back_the_values_that_were_there() -> None:
    after = without_entry(put(COMMENTED), "servers", "cliniko", comments=True)
    assert value(after) == value(COMMENTED)
    assert after == COMMENTED


@pytest.mark.parametrize("text", ["", "  \n", "\ufeff", "{}", "{ }", '{"servers":{}}', '{\n\t"a": 1\n}', '{"a":1}'])
def test_a_file_that_is_empty_or_has_no_section_yet_gets_one(text: str) -> None:
    after = put(text, comments=False)
    was = value(text, comments=False)
    assert value(after, comments=False) == {**was, "servers": {"cliniko": ENTRY}}
    assert entry_of(after, "servers", "cliniko", comments=False) == ENTRY


def test_tabs_and_windows_line_ends_are_kept() -> None:
    after = put('{\r\n\t"servers": {\r\n\t\t"a": {}\r\n\t}\r\n}\r\n', comments=False)
    assert "\n" not in after.replace("\r\n", "")
    assert '\r\n\t\t"cliniko": {\r\n\t\t\t"command"' in after


def test_of_a_section_given_twice_the_last_is_changed_as_readers_take_the_last() -> None:
    after = put('{"servers": {"a": 1}, "servers": {"b": 2}}', comments=False)
    assert json.loads(after)["servers"] == {"b": 2, "cliniko": ENTRY}


def test_an_entry_given_twice_goes_altogether() -> None:
    after = without_entry('{"servers": {"cliniko": 1, "a": 2, "cliniko": 3}}', "servers", "cliniko", comments=False)
    assert json.loads(after) == {"servers": {"a": 2}}


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    assert without_entry(COMMENTED, "servers", "cliniko", comments=True) == COMMENTED
    assert without_entry("{}", "servers", "cliniko", comments=False) == "{}"


WRONG = {
    '{"servers": {': "line 1, column 14: a name in double quotes is missing",
    '{"a": 1,}': "line 1, column 8: there is a comma too many",
    '{"a": 1}\n{"b": 2}': "line 2, column 1: there is something after the end",
    "{\n  // why\n}": "line 2, column 3: comments are not allowed here",
    "{'a': 1}": "line 1, column 2: a name in double quotes is missing",
    '{"a" 1}': "line 1, column 6: a colon is missing",
    '{"a": 1 "b": 2}': "line 1, column 9: a comma is missing",
    '{"a": tru}': "line 1, column 7: this is not a value",
    '{"a": 01}': "line 1, column 8: this is not a value",
    '{"a": "b\n"}': "line 1, column 7: this text is not closed, or holds a line break",
    '{"a": "\\x"}': "line 1, column 7: this text holds a backslash that means nothing",
    '{"a": }': "line 1, column 7: a value is missing",
    '{"a": [1, 2': "line 1, column 7: this bracket is not closed",
    "[]": "the file does not hold an object in braces",
    '{"servers": []}': '"servers" is not an object in braces',
    '{"servers": null}': '"servers" is not an object in braces',
    '{"a": ' + "[" * 300 + "]" * 300 + "}": "line 1, column 207: too many brackets inside each other",
    '{"a": ' + "1" * 5000 + "}": "line 1, column 5007: this number is too long",
}


@pytest.mark.parametrize(("text", "why"), WRONG.items(), ids=[text[:20] for text in WRONG])
def test_what_is_not_json_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        put(text, comments=False)
    assert str(refused.value) == why


@pytest.mark.parametrize("text", ["{ // a\n", "/* open", '{"a": 1 /* open }'])
def test_a_comment_that_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson):
        put(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.text(max_size=4), values, max_size=4).flatmap(
    lambda rest: st.one_of(
        st.just(rest),
        st.dictionaries(st.text(max_size=4), values, max_size=3).map(lambda servers: {**rest, "servers": servers}),
    )
)
layouts = st.sampled_from([None, 1, 2, 4, "\t"])


@pytest.mark.long
@given(document=documents, layout=layouts, ascii_only=st.booleans())
def test_whatever_the_document_only_the_entry_comes_and_goes(
    document: dict[str, Any], layout: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=layout, ensure_ascii=ascii_only)
    assert value(text, comments=False) == document
    after = put(text, comments=False)
    servers = document.get("servers", {})
    assert json.loads(after) == {**document, "servers": {**servers, "cliniko": ENTRY}}
    back = without_entry(after, "servers", "cliniko", comments=False)
    servers = {name: value for name, value in servers.items() if name != "cliniko"}
    assert json.loads(back) == {**document, "servers": servers}


blanks = st.lists(st.sampled_from([" ", "\n", "\t", "// x ,}\n", "/* { */", "\r\n"]), max_size=3).map("".join)


@pytest.mark.long
@given(data=st.data(), trailing=st.booleans(), names=st.lists(st.sampled_from(["a", "b", "cliniko"]), max_size=4))
def test_comments_and_blanks_anywhere_do_not_lead_astray(data: st.DataObject, trailing: bool, names: list[str]) -> None:
    def gap() -> str:
        return data.draw(blanks)

    members = [f'{gap()}"{name}"{gap()}:{gap()}{{"n": {place}}}{gap()}' for place, name in enumerate(names)]
    inside = ",".join(members) + ("," if trailing and members else "") + gap()
    text = f'{gap()}{{{gap()}"servers"{gap()}:{gap()}{{{inside}}}{gap()}}}{gap()}'
    was = value(text)
    assert was == {"servers": {name: {"n": place} for place, name in enumerate(names)}}
    after = put(text)
    assert value(after) == {"servers": {**was["servers"], "cliniko": ENTRY}}
    assert [after.count(comment) for comment in ("// x", "/* {")] == [
        text.count(comment) for comment in ("// x", "/* {")
    ]
    back = without_entry(after, "servers", "cliniko", comments=True)
    assert value(back) == {"servers": {name: value for name, value in was["servers"].items() if name != "cliniko"}}
