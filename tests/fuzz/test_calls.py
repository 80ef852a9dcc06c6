"""Whatever arguments, filters and cursors arrive: an answer or an error of ours, never a surprise, never too large."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko import registry
from cliniko_mcp.tools.index import entries

from .standing import FUZZ, Standing, standing

ENTRIES = sorted(entries())
LISTS = sorted(
    operation.name for operation in registry.operations().values() if operation.listing and operation.filters
)
TEXTS = st.text(max_size=30) | st.text(st.characters(codec="utf-8"), max_size=12)
SURPRISES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(["null", "[]", "{}", "1e999"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
TELLING = st.sampled_from(
    ["any", "none", "all", "2026-11-24", "24/11", ">2026-11-24T09:00", "1..2", "~a", "!=x", ">=", "<", "..", ",,",
     "2026-11-24..2026-11-25", "a,b", ">now", "1" * 21, "0", "-1", "true", "\u202e", "%00", "q[]=", "x" * 3_000,
     "next tuesday", "\ud800x", "id:=1", "*", "?", "!?", "2026-02-30", "9999-12-31..9999-12-31T23:59", "0001-01-01"]
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    audit: Path = tmp_path_factory.mktemp("fuzz") / "audit.jsonl"
    with standing(audit_file=str(audit)) as found:
        yield found


def fitting(schema: dict[str, Any], known: str) -> st.SearchStrategy[Any]:
    """Values that look like what the schema asks for, so that what lies behind validation is reached too."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            usual = st.sampled_from([known, "2026-11-24", "2026-11-24T10:00", "a@b.example", "12.50", "Ana", "today"])
            return usual | TELLING | TEXTS
        case "integer":
            return st.integers(-2, 120) | st.integers()
        case "number":
            return st.floats() | st.integers(0, 500)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(fitting(schema.get("items", {}), known), max_size=3)
        case "object":
            inside: dict[str, Any] = schema.get("properties", {})
            return st.fixed_dictionaries({}, optional={key: fitting(schema, known) for key, schema in inside.items()})
        case _:
            return SURPRISES


@pytest.mark.long
@FUZZ
@given(data=st.data())
def test_any_tool_with_fitting_and_unfitting_arguments_answers_in_our_own_words(app: Standing, data: Any) -> None:
    entry = entries()[data.draw(st.sampled_from(ENTRIES), label="tool")]
    schema: Any = entry.input_schema
    properties: dict[str, Any] = schema["properties"]
    known = app.known
    needed = {name: fitting(properties[name], known) for name in schema.get("required", [])}
    others = {name: fitting(schema, known) | SURPRISES for name, schema in properties.items() if name not in needed}
    some = data.draw(st.sets(st.sampled_from(sorted(others)), max_size=3) if others else st.just(set()), label="which")
    arguments = data.draw(
        st.fixed_dictionaries(needed | {name: others[name] for name in sorted(some)})
        | st.dictionaries(st.sampled_from([*properties, "x", "__proto__"]), SURPRISES, max_size=4),
        label="arguments",
    )
    if data.draw(st.booleans(), label="as text"):
        arguments = {key: value if isinstance(value, str) else json.dumps(value) for key, value in arguments.items()}
    body = app.call(entry.name, arguments)
    assert body.get("code") not in ("internal", "error")


@pytest.mark.long
@FUZZ
@given(name=st.sampled_from(LISTS), data=st.data())
def test_any_filter_is_answered_or_refused_with_its_name(app: Standing, name: str, data: Any) -> None:
    operation = registry.find(name)
    assert operation is not None
    field = data.draw(st.sampled_from(sorted(operation.filters)))
    value = data.draw(TELLING | TEXTS | st.lists(TELLING, min_size=2, max_size=4).map(",".join))
    ids = dict.fromkeys(operation.path_ids, app.known)
    body = app.call(name, {**ids, field: value, "limit": 2})
    assert "items" in body or body["code"] in ("invalid_arguments", "not_understood", "rejected", "not_found"), body


@pytest.mark.long
@FUZZ
@given(cuts=st.lists(st.tuples(st.integers(0, 400), st.characters()), max_size=3), junk=TEXTS, keep=st.booleans())
def test_any_cursor_but_our_own_is_refused(app: Standing, cuts: list[tuple[int, str]], junk: str, keep: bool) -> None:
    cursor: str = app.call("list_patients", {"limit": 2, "sort": "first_name"})["page"]["next_cursor"]
    letters = list(cursor)
    for place, letter in cuts:
        letters[place % len(letters)] = letter
    changed = "".join(letters) if keep and cuts else junk
    body = app.call("list_patients", {"cursor": changed})
    if changed.strip("=") == cursor or changed == "":
        assert body["items"]
    else:
        assert body.get("code") in ("invalid_cursor", "invalid_arguments") or same_bytes(changed, cursor), body


def same_bytes(one: str, other: str) -> bool:
    """Whether two texts are one cursor: the last letter of base64 has bits that mean nothing."""
    return one[:-1] == other[:-1]


@pytest.mark.long
@FUZZ
@given(phrase=st.text(max_size=40) | st.lists(TELLING, max_size=4).map(" ".join), tool=st.sampled_from(["show_diary"]))
def test_any_phrase_of_time_is_understood_or_refused(app: Standing, phrase: str, tool: str) -> None:
    body = app.call(tool, {"when": phrase})
    assert "code" not in body or body["code"] in ("not_understood", "invalid_arguments", "ambiguous"), body
