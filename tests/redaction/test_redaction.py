"""The key and the token are in no text that leaves, however an upstream or a caller writes them."""

import json
import logging
import random
import time
from base64 import b64encode
from collections.abc import AsyncGenerator
from itertools import cycle
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from conftest import Assistant, in_process
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError

from cliniko_mcp.cli.logs import Redacting
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.redaction import SECRETS, STRUCK_OUT, Redaction
from tests.redaction.echo import KEY, MODES, Mode, echoing, forms, found_in

anyio = pytest.mark.anyio
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=12, max_size=60)
WORDS = st.text(st.sampled_from("ab %\\&#;/é\n"), max_size=30)


def among_many(key: str, others: int) -> Redaction:
    """What knows this key and so many others of Cliniko's form."""
    chance, redaction = random.Random(5), Redaction()
    for number in range(others):
        told = f"1-{chance.randrange(10**18)}-{chance.getrandbits(192):048x}".encode()
        redaction.learn(f"{b64encode(told).decode()}-au1")
        if number == others // 2:
            redaction.learn(key)
    redaction.learn(key)
    return redaction


MANY = among_many(KEY, 100)
CURATED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("clinic_overview", {}),
    ("find_patients", {"query": "Ana Lima"}),
    ("show_diary", {"when": "today"}),
    ("patient_brief", {"patient": "1", "notes": True}),
    ("report", {"kind": "no_shows"}),
    ("find_times", {"type": "Massage"}),
    ("set_attendance", {"patient": "1", "state": "arrived"}),
    ("update_patient", {"id": "1", "notes": "x", "email": "a@b.example"}),
    ("create_patient", {"first_name": "A", "last_name": "B"}),
    ("archive_patient", {"id": "1"}),
)


@given(KEYS, WORDS, WORDS)
def test_a_secret_is_struck_out_of_any_text_in_every_form(key: str, before: str, after: str):
    redaction = Redaction()
    redaction.learn(key)
    for form in forms(key):
        struck = redaction.text(f"{before} {form} {after}")
        assert not found_in(struck, key), (form, struck)
        assert STRUCK_OUT in struck


@pytest.mark.long
@given(KEYS, WORDS, WORDS)
def test_a_secret_among_many_is_struck_out_of_any_text_in_every_form(key: str, before: str, after: str):
    redaction = among_many(key, 20)
    for form in forms(key):
        struck = redaction.text(f"{before} {form} {after}")
        assert not found_in(struck, key), (form, struck)
        assert STRUCK_OUT in struck


@pytest.mark.long
def test_thousands_of_secrets_are_learnt_and_looked_for_in_no_time_that_grows_with_them():
    """A server for many clinics knows the key of each, and looks through every answer for all of them."""
    began = time.process_time()
    redaction = among_many(KEY, 5_000)
    answer = json.dumps([{"id": str(number), "name": f"Caf\u00e9 & <b>{number}</b>"} for number in range(500)])
    for _ in range(100):
        assert not redaction.holds(answer)
    assert not found_in(redaction.text(f"{answer} {KEY}"))
    assert time.process_time() - began < 3


@given(st.text(max_size=200))
def test_a_text_without_any_of_many_secrets_stays_as_it_is(text: str):
    assert MANY.text(text) == text


@given(st.text(max_size=200))
def test_a_text_without_the_secret_stays_as_it_is(text: str):
    redaction = Redaction()
    redaction.learn(KEY)
    assert redaction.text(text) == text


def test_a_word_too_short_for_a_key_is_not_struck_out_of_ordinary_text():
    redaction = Redaction()
    redaction.learn("a")
    redaction.learn("  ")
    assert redaction.json({"a": ["a", 1, None, True]}) == {"a": ["a", 1, None, True]}


@pytest.mark.parametrize("others", [0, 100])
def test_a_long_text_made_to_be_slow_is_read_once(others: int):
    redaction = among_many(KEY, others)
    hostile = "\\" * 200_000 + "%25" * 50_000 + KEY[:-1] * 1_000
    assert redaction.text(hostile) == hostile


@pytest.mark.long
@anyio
@pytest.mark.parametrize(("mode", "form"), list(zip(MODES, cycle(forms()), strict=False)))
async def test_what_upstream_repeats_of_the_key_leaves_by_no_channel(
    mode: Mode, form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    log = tmp_path / "audit.jsonl"
    with echoing() as (echo, address):
        echo.mode, echo.form = mode, form
        settings: dict[str, Any] = {"sandbox": None, "sandbox_now": None, "sandbox_clock": None, "rate_limit": None,
                    "requests_per_minute": None}  # fmt: skip
        async with in_process(
            **settings, approval_wait=0, base_url=address, api_key=KEY, contact_email="a@b.example", audit_file=str(log)
        ) as assistant:
            left = [line async for line in _channels(assistant)]
        assert echo.served > 10
    left.append(log.read_text("utf-8"))
    left += [Redacting().format(record) for record in caplog.records]
    assert [text for text in left if found_in(text)] == []
    if mode == "records":
        assert any(STRUCK_OUT in text for text in left)


async def _channels(assistant: Assistant) -> AsyncGenerator[str]:
    reads = [(name, {"id": "1"}) for name in ("get_patient", "get_treatment_note", "get_individual_appointment")]
    lists = [(name, {"detail": "full"}) for name in ("list_patients", "list_bookings", "list_practitioners")]
    for name, arguments in (*reads, *lists, *CURATED):
        yield (await assistant.client.call_tool(name, arguments)).model_dump_json()
    for address in ("cliniko://user", "cliniko://patients/1", f"cliniko://{KEY}"):
        try:
            yield (await assistant.client.read_resource(address)).model_dump_json()
        except MCPError as problem:
            yield problem.error.model_dump_json()
    prompt = types.PromptReference(name="morning_huddle")
    yield (await assistant.client.complete(prompt, {"name": "practitioner", "value": ""})).model_dump_json()


@pytest.mark.long
@anyio
async def test_what_a_caller_repeats_of_the_token_is_not_given_back():
    token = "a-Bearer-T0ken-of-forty-characters-or-so"
    SECRETS.learn(token)
    async with in_process() as assistant:
        left = [
            (await assistant.client.get_prompt("morning_huddle", {"day": token})).model_dump_json(),
            (await assistant.client.call_tool("find_patients", {"query": token})).model_dump_json(),
            (await assistant.client.call_tool("get_patient", {"id": token, token: token})).model_dump_json(),
        ]
        for name, arguments in ((token, {}), ("morning_huddle", {token: "x"})):
            with pytest.raises(MCPError) as refused:
                await assistant.client.get_prompt(name, arguments)
            left.append(refused.value.error.model_dump_json())
        with pytest.raises(MCPError) as refused:
            await assistant.client.call_tool(f"x{token}", {})
        left.append(refused.value.error.model_dump_json())
    assert [text for text in left if found_in(text, token)] == []


def test_no_log_line_holds_a_secret_even_where_it_would_be_cut_in_two():
    SECRETS.learn(KEY)
    for form in forms():
        record = logging.LogRecord("x", logging.WARNING, "x", 1, "%s", ("é " * 240 + form,), None)
        assert KEY[:10].lower() not in Redacting().format(record).lower()


def test_what_is_looked_for_would_be_found():
    assert all(found_in(form) for form in forms())
    assert all(found_in(json.dumps({"text": form})) for form in forms())
    assert not found_in("nothing of the kind")
    assert len(operations()) > 200
